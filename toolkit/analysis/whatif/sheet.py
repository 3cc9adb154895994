"""The sheet: all that a verdict was computed from, so that a reader's page can compute it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from toolkit.analysis.decisions import OutcomeDraws, draw_outcomes
from toolkit.analysis.economics import Hours, hours_of
from toolkit.analysis.flows import Flow, flows_of
from toolkit.analysis.inputs import Inputs
from toolkit.analysis.readings import RungReadings
from toolkit.analysis.stacks import StackKey
from toolkit.analysis.whatif.book import Book

__all__ = ["Sheet", "sheet_of"]


@dataclass(frozen=True, eq=False)
class Sheet:
    """What the verdict rests on.

    Parameters
    ----------
    book : Book
        The rungs that may enter, and what they are expected to earn.
    plugins : mapping of str to str
        Track -> its plug-in.
    inputs : Inputs
    outcomes : OutcomeDraws
    flows : tuple of tuple of Flow
        Of each rung, in the order of ``book.keys``.
    build : tuple of tuple of Hours
        Of each rung, by part.
    upkeep : tuple of Hours
    """

    book: Book
    plugins: Mapping[str, str]
    inputs: Inputs
    outcomes: OutcomeDraws
    flows: tuple[tuple[Flow, ...], ...]
    build: tuple[tuple[Hours, ...], ...]
    upkeep: tuple[Hours, ...]


def sheet_of(
    book: Book,
    plugins: Mapping[str, str],
    inputs: Inputs,
    readings: Mapping[StackKey, RungReadings],
    n_clusters: int,
) -> Sheet:
    """Return the sheet of a book.

    Parameters
    ----------
    book : Book
    plugins : mapping of str to str
    inputs : Inputs
    readings : mapping of (track, rung) to RungReadings
    n_clusters : int
        Of the test block.
    """
    seeds = sorted({seed for one in book.choices for seed in one.seeds})
    hours = [hours_of(readings[key], inputs) for key in book.keys]
    return Sheet(
        book=book,
        plugins=plugins,
        inputs=inputs,
        outcomes=draw_outcomes(inputs.economics.value, seeds, n_clusters, n_draws=inputs.n - 1),
        flows=tuple(flows_of(readings[key], inputs) for key in book.keys),
        build=tuple(tuple(parts.values()) for parts, _ in hours),
        upkeep=tuple(upkeep for _, upkeep in hours),
    )
