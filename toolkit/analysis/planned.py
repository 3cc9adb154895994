"""What was planned beside what there is: cells that never ran, tracks that are gone, a changed file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from toolkit.analysis.forecast_record import EarlyStop
from toolkit.analysis.results import Finding
from toolkit.config import Experiment
from toolkit.records import CellRecord

__all__ = ["check_planned", "trained_part"]

_SHAPES = ("task", "ladder", "tracks", "search")
"""Keys of an experiment that shape its cells."""


def trained_part(experiment: Experiment) -> dict[str, Any]:
    """Return what of an experiment shapes its cells, to be kept beside them."""
    plain = experiment.model_dump(mode="json")
    return {key: plain[key] for key in _SHAPES}


def check_planned(
    experiment: Experiment,
    cells: Sequence[CellRecord],
    *,
    fingerprints: Sequence[str],
    trained: Mapping[str, Any] | None,
    stops: Sequence[EarlyStop] = (),
) -> Iterator[Finding]:
    """Yield findings about cells that were left out, that never ran, or that the file no longer describes.

    Parameters
    ----------
    experiment : Experiment
        As the file is now.
    cells : sequence of CellRecord
        All of the last plan that there are.
    fingerprints : sequence of str
        Of the last plan.
    trained : mapping or None
        `trained_part` of the file that the plan was made from; None where it was not kept.
    stops : sequence of EarlyStop
        Their cells were left out on purpose; what is found of them hangs on prices, and is said elsewhere.
    """
    gone = Counter(cell.track for cell in cells if not cell.repeat and cell.track not in experiment.tracks)
    if gone:
        yield Finding(
            "track_not_in_file",
            "warning",
            f"{', '.join(gone)} {'is' if len(gone) == 1 else 'are'} no longer in the experiment file, so "
            f"{gone.total()} finished cells are left out",
        )
    now = trained_part(experiment)
    changed = [key for key in _SHAPES if trained is not None and _as_now(key, trained, now) != now[key]]
    if changed:
        yield Finding(
            "file_changed",
            "warning",
            f"the experiment file has changed since these cells were trained ({', '.join(changed)}): they "
            "are those of the old file; run it again for those of the new one",
        )
    absent = set(fingerprints) - {cell.fingerprint for cell in cells}
    missing = len(absent.difference(*(stop.fingerprints for stop in stops)))
    if missing:
        yield Finding(
            "cells_not_run",
            "warning",
            f"{missing} of the {len(fingerprints)} cells that the experiment asks for have not been run; all "
            "that is said here rests on the others",
        )


def _as_now(key: str, trained: Mapping[str, Any], now: Mapping[str, Any]) -> Any:
    """Return what was trained; tracks that have been removed since do not count as a change."""
    if key == "tracks" and isinstance(trained.get(key), Mapping):
        return {name: params for name, params in trained[key].items() if name in now[key]}
    return trained.get(key)
