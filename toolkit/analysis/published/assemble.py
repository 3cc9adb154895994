"""From a table to `Published`: every measure apart, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolkit.analysis.published.decompose import decompose
from toolkit.analysis.published.selection import TO_FIT_ALL, family_note, main_points
from toolkit.analysis.published.study import FEWEST, study
from toolkit.analysis.published.values import Published
from toolkit.errors import DataError
from toolkit.published.values import Measure, Observation, Price

__all__ = ["Question", "analyse"]


@dataclass(frozen=True)
class Question:
    """What is asked of a table.

    Parameters
    ----------
    name, title, description, error_title, error_scale : str
        As in `Published`.
    measures : tuple of Measure
    targets : tuple of float
        Errors whose compute is asked for.
    prices : tuple of Price
        Of a unit of `priced`, and of no other measure.
    priced : str
    decomposed : tuple of (str, str) or None
        Names of two models.
    level : float
    declared : mapping
    """

    name: str
    title: str
    measures: tuple[Measure, ...]
    description: str = ""
    error_title: str = "Error"
    error_scale: str = "share"
    targets: tuple[float, ...] = ()
    prices: tuple[Price, ...] = ()
    priced: str = ""
    decomposed: tuple[str, str] | None = None
    level: float = 0.95
    declared: Mapping[str, Any] = field(default_factory=dict)


def analyse(
    observations: Sequence[Observation],
    question: Question,
    *,
    left_out: Sequence[str] = (),
    doubts: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Published:
    """Analyse a table.

    Parameters
    ----------
    observations : sequence of Observation
    question : Question
    left_out : sequence of str
        What reading the table has left out.
    doubts : sequence of str
        What of the table may be meant otherwise.
    environment : mapping of str to str, optional

    Raises
    ------
    DataError
        No measure has three results of different compute, or a model to be taken apart is not in the table.
    """
    studies, missing = [], list(left_out)
    for measure in question.measures:
        found = study(
            observations,
            measure,
            targets=question.targets,
            prices=question.prices if measure.key == question.priced else (),
            level=question.level,
        )
        if found is not None:
            studies.append(found)
            continue
        computes = {one.compute[measure.key] for one in main_points(observations, measure.key)}
        missing.append(_too_few(measure, len(computes), family_note(observations, measure.key)))
    if not studies:
        raise DataError(missing[-1])
    parted = None
    if question.decomposed is not None:
        parted = decompose(observations, *question.decomposed)
        if parted is None:
            before, after = question.decomposed
            raise DataError(
                f"'{before}' and '{after}' cannot be compared: the table needs a row of each, with "
                "peak_gflops, processors and days"
            )
    return Published(
        name=question.name,
        title=question.title,
        description=question.description,
        error_title=question.error_title,
        error_scale=question.error_scale,
        level=question.level,
        observations=tuple(observations),
        studies=tuple(studies),
        prices=question.prices,
        priced=question.priced,
        decomposition=parted,
        declared=question.declared,
        left_out=tuple(missing),
        doubts=tuple(doubts),
        environment=dict(environment or {}),
    )


def _too_few(measure: Measure, n: int, of_families: str) -> str:
    counted = "no result" if n == 0 else f"{n} result{'s' if n > 1 else ''} of different compute"
    told = f"{measure.title}: {counted}; a line needs at least {FEWEST}"
    if of_families:
        told += f"; {of_families}{TO_FIT_ALL}"
    return told
