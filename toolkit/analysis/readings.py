"""What a rung cost: medians over the readings that nothing disturbed, and how far readings differ.

Seeds weigh alike, however often each was read: the median is over the seeds, of the median of each.

A reading is one cell's figure, or one of the further readings of the same work that a run takes afterwards.
A contended one is used only where its seed has no other of that phase: it may be too high by up to 40 %.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from statistics import median
from typing import NamedTuple

import numpy as np

from toolkit.analysis.machines import is_timed
from toolkit.analysis.results import CellKey, Finding
from toolkit.analysis.spending import CostReadings
from toolkit.analysis.stacks import StackKey
from toolkit.records import CellRecord

__all__ = ["TOLD_COSTS", "RungReadings", "by_rung", "check_readings", "of_cells", "phase_of"]

PHASES = ("load", "search", "fit", "predict_first", "predict_batch", "predict_single")

TOLD_COSTS = (
    "cost_fit_cpu_seconds",
    "cost_search_cpu_seconds",
    "cost_load_cpu_seconds",
    "cost_predict_batch_cpu_seconds_per_row",
    "cost_predict_single_cpu_seconds",
)
"""Costs whose readings are told for each track of the verdict."""


def phase_of(cost: str) -> str:
    """Return the metered phase of a cost; empty for what belongs to none."""
    body = cost.removeprefix("cost_")
    return next((phase for phase in PHASES if body.startswith(f"{phase}_")), "")


def _is_disturbed(record: CellRecord, phase: str) -> bool:
    """Tell whether a phase ran beside other work; old records judge the fit, for all phases."""
    return bool(phase) and record.qualities.get(phase, record.quality) == "contended"


def _disturbed_phase(cost: str) -> str:
    """Return the phase whose disturbance a cost feels; empty for counts and bytes, which feel none."""
    return phase_of(cost) if is_timed(cost) or "_joules" in cost else ""


class Disturbed(NamedTuple):
    """Readings of a rung with a contended phase; `used` are those for which a seed's phase has no other."""

    readings: int
    used: int


class RungReadings:
    """All readings of one track at one rung.

    Parameters
    ----------
    records : sequence of CellRecord
        Finished ones of one track and rung, further readings included; at least one is a cell.
    log_widths : sequence of float, optional
        Of each record: how unsure the factor is, on the log scale, that converted its seconds.
    """

    def __init__(self, records: Sequence[CellRecord], log_widths: Sequence[float] = ()) -> None:
        self.records = tuple(records)
        self._log_widths = dict(zip(map(id, records), log_widths, strict=bool(log_widths)))
        self.cells = tuple(record for record in records if record.repeat == 0)
        self.track, self.rung = self.cells[0].track, self.cells[0].rung
        self._usable: dict[str, list[tuple[CellRecord, float]]] = {}

    @cached_property
    def n_train(self) -> float:
        """Median number of labelled rows."""
        return float(median(cell.n_train for cell in self.cells))

    def _all(self, cost: str) -> list[tuple[CellRecord, float]]:
        found = ((record, record.costs.get(cost)) for record in self.records)
        return [(record, value) for record, value in found if value is not None and math.isfinite(value)]

    def usable(self, cost: str) -> list[tuple[CellRecord, float]]:
        """Return each seed's readings that nothing disturbed; all of a seed's, where every one was disturbed.

        Seeds may have chosen different models. Left out for a disturbance, one would leave the rung to the
        others' model.
        """
        if cost not in self._usable:
            every, phase = self._all(cost), _disturbed_phase(cost)
            calm = {record.seed for record, _ in every if not _is_disturbed(record, phase)}
            self._usable[cost] = [
                (record, value)
                for record, value in every
                if record.seed not in calm or not _is_disturbed(record, phase)
            ]
        return self._usable[cost]

    def values(self, cost: str) -> list[float]:
        """Return the usable readings."""
        return [value for _, value in self.usable(cost)]

    def median(self, cost: str) -> float | None:
        """Return the median over seeds of each seed's median usable reading; None where there is none."""
        seeds: dict[int, list[float]] = {}
        for record, value in self.usable(cost):
            seeds.setdefault(record.seed, []).append(value)
        return float(median(map(median, seeds.values()))) if seeds else None

    def medians(self) -> dict[str, float | None]:
        """Return the median of every cost that a cell has."""
        return {
            name: self.median(name) for name in dict.fromkeys(n for cell in self.cells for n in cell.costs)
        }

    def chosen(self, name: str) -> float | None:
        """Return the median of a number that the cells chose; None where none did."""
        found = [cell.chosen.get(name) for cell in self.cells]
        numbers = [float(one) for one in found if isinstance(one, int | float) and not isinstance(one, bool)]
        return float(median(numbers)) if numbers else None

    def log_spread(self, cost: str) -> float:
        """Return how far usable readings differ on the log scale, and how unsure converted ones are.

        The standard deviation of their logarithms (0 with fewer than two), and beside it the root mean square
        of the widths of the factors that converted their seconds.
        """
        usable = self.usable(cost)
        logs = [math.log(value) for _, value in usable if value > 0]
        apart = float(np.std(logs, ddof=1)) if len(logs) > 1 else 0.0
        if not is_timed(cost) or not usable:
            return apart
        widths = [self._log_widths.get(id(record), 0.0) for record, _ in usable]
        return math.hypot(apart, *(width / math.sqrt(len(widths)) for width in widths))

    def told(self, cost: str) -> CostReadings | None:
        """Return how a cost was read; None where it was not."""
        every, usable = self._all(cost), self.usable(cost)
        if not every:
            return None
        phase = _disturbed_phase(cost)
        values = [value for _, value in usable]
        return CostReadings(
            track=self.track,
            rung=self.rung,
            cost=cost,
            n=len(every),
            n_clean=sum(not _is_disturbed(record, phase) for record, _ in every),
            median=self.median(cost) or 0.0,
            low=min(values),
            high=max(values),
            spread=_same_work(usable),
        )

    def disturbed(self) -> Disturbed:
        """Return how many readings were disturbed in some phase, and how many of those are used."""
        phases = {id(record): _timed_phases(record) for record in self.records}
        calm = {
            (record.seed, phase)
            for record in self.records
            for phase in phases[id(record)]
            if not _is_disturbed(record, phase)
        }
        found = [
            {(record.seed, phase) for phase in phases[id(record)] if _is_disturbed(record, phase)}
            for record in self.records
        ]
        return Disturbed(sum(map(bool, found)), sum(bool(disturbed - calm) for disturbed in found))


def _timed_phases(record: CellRecord) -> set[str]:
    """Return the phases whose time a record has, the first call left out: nothing rests on it."""
    timed = {phase_of(name) for name, value in record.costs.items() if value is not None and "_cpu_s" in name}
    return timed - {"", "predict_first"}


def _same_work(readings: Sequence[tuple[CellRecord, float]]) -> float | None:
    """Return the spread of readings of the same seed on the log scale, pooled; None with one a seed."""
    seeds: dict[int, list[float]] = {}
    for record, value in readings:
        if value > 0:
            seeds.setdefault(record.seed, []).append(math.log(value))
    squares = sum(float(np.var(logs)) * len(logs) for logs in seeds.values())
    degrees = sum(len(logs) - 1 for logs in seeds.values())
    return math.sqrt(squares / degrees) if degrees else None


def of_cells(records: Iterable[CellRecord]) -> list[CellRecord]:
    """Return records without further readings of a cell that has been trained anew since (``--fresh``)."""
    every = list(records)
    begun: dict[CellKey, float] = {}
    for one in every:
        if one.repeat == 0:
            key = (one.track, one.rung, one.seed)
            begun[key] = max(begun.get(key, -math.inf), one.started_at)
    return [
        one
        for one in every
        if one.repeat == 0 or one.started_at >= begun.get((one.track, one.rung, one.seed), -math.inf)
    ]


def by_rung(records: Sequence[CellRecord], log_widths: Sequence[float] = ()) -> dict[StackKey, RungReadings]:
    """Return the readings of every track and rung that has a cell, in the order of the cells.

    Parameters
    ----------
    records : sequence of CellRecord
    log_widths : sequence of float, optional
        As in `RungReadings`, of each record.
    """
    groups: dict[StackKey, list[tuple[CellRecord, float]]] = {}
    for record, width in zip(records, log_widths or [0.0] * len(records), strict=True):
        groups.setdefault((record.track, record.rung), []).append((record, width))
    return {
        key: RungReadings([one for one, _ in group], [width for _, width in group])
        for key, group in groups.items()
        if any(one.repeat == 0 for one, _ in group)
    }


def check_readings(rungs: Mapping[StackKey, RungReadings]) -> Iterator[Finding]:
    """Yield what was read beside other work: what is left out, and what is used for want of better."""
    counts = {key: readings.disturbed() for key, readings in rungs.items()}
    disturbed = {key: count for key, count in counts.items() if count.readings}
    if not disturbed:
        return
    used = [key for key, count in disturbed.items() if count.used]
    n_readings = sum(count.readings for count in disturbed.values())
    left_out = n_readings - sum(count.used for count in disturbed.values())
    words = [f"{_counted(n_readings, 'reading')} ran beside other work ({_tracks(disturbed)})"]
    if left_out:
        verb, whose = ("is", "its rung has") if left_out == 1 else ("are", "their rungs have")
        which = "it" if n_readings == 1 else f"{left_out} of them"
        words.append(f"{which} {verb} left out, as {whose} undisturbed readings of the same work")
    if used:
        one = len(used) == 1
        words.append(
            f"{_counted(len(used), 'rung')} ({_tracks(used)}) {'has' if one else 'have'} no undisturbed "
            "reading of some phase: there the disturbed readings are used, and costs are too high by up to "
            "40 %; on an idle machine, a further run measures the rungs of the verdict anew, and --fresh all "
            "of them"
        )
    yield Finding("costs_contended", "warning" if used else "info", "; ".join(words))


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _tracks(rungs: Iterable[StackKey]) -> str:
    return ", ".join(dict.fromkeys(track for track, _ in rungs))
