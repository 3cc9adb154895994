"""What a year asks of machines: pieces of work, how often each is done, and the time that it takes.

Work is done on the processor that is priced, whose seconds are the measured ones by its declared speed; on a
machine with accelerators, nets are searched for and trained there instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from toolkit.analysis.accelerators import accelerate
from toolkit.analysis.inputs import Inputs
from toolkit.analysis.readings import RungReadings
from toolkit.analysis.spending import Spread
from toolkit.analysis.stacks import Floats

__all__ = [
    "OCCASION_OF",
    "SECONDS_A_YEAR",
    "Kind",
    "Occasion",
    "Piece",
    "always_on_seconds",
    "idle_beside",
    "mean_factor",
    "pieces_of",
    "single_is_known",
]

Kind = Literal["import", "load", "search", "fit", "predict"]
Occasion = Literal["training", "search", "decision"]
OCCASION_OF: Mapping[Kind, Occasion] = {
    "import": "training",
    "load": "training",
    "fit": "training",
    "search": "search",
    "predict": "decision",
}
"""When a piece of work is done."""

SECONDS_A_YEAR = 8_760 * 3_600.0

MIN_COST_SPREAD = 0.10
"""Least spread of a cost on the log scale: processor time of identical work varies by about 10 %."""

SINGLE = ("cost_predict_single_cpu_seconds", "cost_predict_single_p50_seconds")
"""Time of one call with one row: its processor time, else its median latency."""


@dataclass(frozen=True)
class Piece:
    """A piece of work of one track at one rung, done once.

    Parameters
    ----------
    kind : {"import", "load", "search", "fit", "predict"}
        ``import`` is starting a process with the track's packages, ``predict`` the prediction of one row.
    cost : str
        The column that it was measured as.
    phase : str
        The phase of that column.
    cpu_seconds, wall_seconds : float
        As measured; 0 where it was not (a finding tells).
    memory_bytes : float or None
    spread : float
        Of the measured time, on the log scale.
    machine_seconds : Spread or None
        Where accelerators do it: the seconds for which they work.
    host_share : Spread or None
        Of the measured CPU-seconds, what stays on the processor of the machine with those accelerators.
    """

    kind: Kind
    cost: str
    phase: str
    cpu_seconds: float
    wall_seconds: float
    memory_bytes: float | None
    spread: float
    machine_seconds: Spread | None = None
    host_share: Spread | None = None


def single_is_known(readings: RungReadings) -> bool:
    """Tell whether the time of one call with one row was measured."""
    return any(readings.median(cost) is not None for cost in SINGLE)


def pieces_of(readings: RungReadings, inputs: Inputs) -> tuple[Piece, ...]:
    """Return the pieces of work of a rung.

    Decisions that are made one at a time are priced as a batch where no single call was timed.

    Parameters
    ----------
    readings : RungReadings
    inputs : Inputs
    """
    single = inputs.economics.serving == "single" and single_is_known(readings)
    predict = _single(readings) if single else _piece(readings, "predict", "predict_batch", per="_per_row")
    start, load = (_piece(readings, kind, kind) for kind in ("import", "load"))
    search, fit = (_piece(readings, kind, kind) for kind in ("search", "fit"))
    found = accelerate(readings, inputs.hardware)
    if found is not None:
        fit = replace(fit, machine_seconds=found.fit, host_share=found.host_share)
        if found.search is not None:
            search = replace(search, machine_seconds=found.search, host_share=found.host_share)
    return start, load, search, fit, predict


def _piece(readings: RungReadings, kind: Kind, phase: str, *, per: str = "") -> Piece:
    cost = f"cost_{phase}_cpu_seconds{per}"
    cpu = readings.median(cost) or 0.0
    return Piece(
        kind=kind,
        cost=cost,
        phase=phase,
        cpu_seconds=cpu,
        wall_seconds=readings.median(f"cost_{phase}_wall_seconds{per}") or cpu,
        memory_bytes=readings.median(f"cost_{phase}_peak_bytes"),
        spread=max(readings.log_spread(cost), MIN_COST_SPREAD),
    )


def _single(readings: RungReadings) -> Piece:
    cost = next(cost for cost in SINGLE if readings.median(cost) is not None)
    seconds = readings.median(cost) or 0.0
    return Piece(
        kind="predict",
        cost=cost,
        phase="predict_single",
        cpu_seconds=seconds,
        wall_seconds=readings.median("cost_predict_single_wall_seconds") or seconds,
        memory_bytes=readings.median("cost_predict_single_peak_bytes"),
        spread=max(readings.log_spread(cost), MIN_COST_SPREAD),
    )


def mean_factor(piece: Piece) -> float:
    """Return the mean of a lognormal time over its median."""
    return float(np.exp(piece.spread**2 / 2))


def always_on_seconds(piece: Piece, inputs: Inputs) -> float:
    """Return the vCPU-seconds of a year that are declared to be paid for decisions, however few there are.

    Only where decisions are made one at a time; 0 where the idle share of paid hours is all that idles.
    """
    economics = inputs.economics
    if piece.kind != "predict" or economics.serving != "single":
        return 0.0
    return economics.always_on_vcpus * SECONDS_A_YEAR


def idle_beside(seconds: Floats, share: float, always_on: float = 0.0) -> Floats:
    """Return the seconds of a year that are paid beside those of work, and do nothing.

    Parameters
    ----------
    seconds : ndarray
        Of a year's work.
    share : float
        Idle seconds beside each of work.
    always_on : float
        From `always_on_seconds`: at least what work leaves of these.
    """
    beside = seconds * share
    return np.asarray(beside if always_on == 0 else np.maximum(beside, always_on - seconds))
