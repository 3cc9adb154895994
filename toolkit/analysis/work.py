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
from toolkit.analysis.draws import draw_band
from toolkit.analysis.inputs import Inputs
from toolkit.analysis.readings import RungReadings
from toolkit.analysis.spending import Spread
from toolkit.analysis.stacks import Floats

__all__ = [
    "SECONDS_A_YEAR",
    "Kind",
    "Piece",
    "device_seconds",
    "how_often",
    "idle_seconds",
    "machine_host_seconds",
    "mean_factor",
    "pieces_of",
    "processor_seconds",
    "single_is_known",
]

Kind = Literal["import", "load", "search", "fit", "predict"]

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


def how_often(inputs: Inputs) -> Mapping[Kind, Floats]:
    """Return how often each piece of work is done in a year."""
    once = np.full(inputs.n, 1 / inputs.economics.horizon_years)
    return {
        "import": inputs.trainings,
        "load": inputs.trainings,
        "fit": inputs.trainings,
        "search": inputs.trainings if inputs.economics.search_each_retrain else once,
        "predict": inputs.volume,
    }


def processor_seconds(piece: Piece, times: Floats, track: str, inputs: Inputs) -> Floats:
    """Return for how many measured pieces' time the processor works: times, drawn around and by its speed.

    To be multiplied by the seconds or joules of one piece; lognormal, entry 0 the mean.
    """
    factor = np.exp(piece.spread * inputs.cost_noise(track, piece.phase))
    factor[0] = mean_factor(piece)
    return np.asarray(times * factor / inputs.speed)


def mean_factor(piece: Piece) -> float:
    """Return the mean of a lognormal time over its median."""
    return float(np.exp(piece.spread**2 / 2))


def device_seconds(piece: Piece, times: Floats, inputs: Inputs) -> Floats:
    """Return the seconds for which the accelerators of a machine work."""
    if piece.machine_seconds is None:
        return np.zeros(inputs.n)
    return np.asarray(times * draw_band(piece.machine_seconds, inputs.accelerator_place, log=True))


def machine_host_seconds(piece: Piece, times: Floats, track: str, inputs: Inputs) -> Floats:
    """Return the seconds for which a machine with accelerators is held while its own processor works."""
    if piece.host_share is None:
        return np.zeros(inputs.n)
    share = draw_band(piece.host_share, inputs.accelerator_place, log=True)
    return processor_seconds(piece, times, track, inputs) * piece.cpu_seconds * share


def idle_seconds(piece: Piece, seconds: Floats, inputs: Inputs) -> Floats:
    """Return the vCPU-seconds of a year that are paid beside those of work on a processor, and do nothing.

    Parameters
    ----------
    piece : Piece
    seconds : ndarray
        Of a year's work.
    inputs : Inputs

    Returns
    -------
    ndarray
        The idle share of paid hours. Where decisions are made one at a time and vCPUs are declared to be
        always on, at least what predictions leave of their year.
    """
    beside = seconds * (1 / inputs.host.utilisation - 1)
    economics = inputs.economics
    if piece.kind != "predict" or economics.serving != "single" or economics.always_on_vcpus == 0:
        return np.asarray(beside)
    return np.maximum(beside, economics.always_on_vcpus * SECONDS_A_YEAR - seconds)
