"""A sweep that climbs in waves, and asks after each whether a track should climb on (``--stop-early``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from toolkit.analysis.forecast_record import EarlyStop
from toolkit.analysis.results import CellKey
from toolkit.analysis.stops.prospects import FIRST_RUNGS
from toolkit.analysis.stops.standpoint import Standpoint
from toolkit.records import CellRecord, CellSpec, Evidence
from toolkit.sweep.plan import Plan
from toolkit.sweep.spool import CellOutcome

__all__ = ["StopEarly", "levels"]


def levels(specs: Sequence[CellSpec], climbing: Collection[str]) -> Iterator[list[CellSpec]]:
    """Yield the cells of each level of the ladder.

    A new level begins with the first cell of a higher rung of data; what climbs no data stands in between.

    Parameters
    ----------
    specs : sequence of CellSpec
        In the order of a plan: small rungs of all tracks first.
    climbing : collection of str
        Tracks that climb a ladder of data.
    """
    level: list[CellSpec] = []
    reached = -1
    for spec in specs:
        rung = spec.data_rung if spec.track in climbing else None
        if rung is not None and rung > reached:
            if level and reached >= 0:
                yield level
                level = []
            reached = rung
        level.append(spec)
    if level:
        yield level


class StopEarly:
    """Decides which cells are left out as a sweep climbs; looks at nothing but the validation block.

    What it knows are complete rungs. One with cells that wait or were skipped does not count, whoever has
    trained others of it (a quick look, a run of one seed): it has fewer seeds than those beside it.

    Parameters
    ----------
    plan : Plan
    knowledge : sequence of mapping
        As in `Results`.
    done : iterable of (CellRecord, Evidence or None)
        Cells that have run before, repeats included.

    Attributes
    ----------
    stops : dict of str to EarlyStop
        By track, as they are decided.
    """

    def __init__(
        self,
        plan: Plan,
        knowledge: Sequence[Mapping[str, Any]],
        done: Iterable[tuple[CellRecord, Evidence | None]],
    ) -> None:
        self._plan, self._knowledge = plan, knowledge
        self._ladders = _ladders(plan)
        self._records: dict[str, CellRecord] = {}
        self._evidence: dict[CellKey, Evidence] = {}
        self.stops: dict[str, EarlyStop] = {}
        for record, evidence in done:
            self._take(record, evidence)

    def observe(self, outcome: CellOutcome) -> None:
        """Take a cell into account that has just ended."""
        self._take(outcome.record, outcome.evidence)

    def waves(
        self,
        waiting: Sequence[CellSpec],
        *,
        on_stop: Callable[[EarlyStop, Sequence[CellSpec]], None],
        on_climb: Callable[[str, str], None],
    ) -> Iterator[list[CellSpec]]:
        """Yield the cells to run next; each wave is to be asked for when the one before has ended.

        Parameters
        ----------
        waiting : sequence of CellSpec
            In the order of the plan.
        on_stop : callable
            Called with a stop and its cells when it is decided.
        on_climb : callable
            Called with a track that was asked and climbs on, and the reason.
        """
        left = list(waiting)
        for level in levels(waiting, self._ladders):
            climbing = {spec.track for spec in level if spec.track in self._ladders}
            for track, found, own in self._ask(climbing, left):
                if isinstance(found, str):
                    on_climb(track, found)
                else:
                    self.stops[track] = found
                    on_stop(found, own)
            running = [spec for spec in level if spec.track not in self.stops]
            done = {spec.fingerprint for spec in running}
            left = [spec for spec in left if spec.fingerprint not in done]
            if running:
                yield running

    def _take(self, record: CellRecord, evidence: Evidence | None) -> None:
        if record.status != "finished":
            return
        self._records[record.fingerprint] = record
        if evidence is not None and record.repeat == 0:
            self._evidence[record.track, record.rung, record.seed] = evidence

    def _ask(
        self, tracks: Iterable[str], left: Sequence[CellSpec]
    ) -> Iterator[tuple[str, EarlyStop | str, list[CellSpec]]]:
        """Yield what becomes of every track that is about to climb and has rungs enough to be asked."""
        open_rungs = {(spec.track, spec.rung) for spec in left}
        evidence = {key: one for key, one in self._evidence.items() if key[:2] not in open_rungs}
        n_rungs = Counter(track for track, _ in {key[:2] for key in evidence})
        climbing = set(tracks)
        asked = [name for name in self._plan.tracks if name in climbing and name not in self.stops]
        asked = [name for name in asked if n_rungs[name] >= FIRST_RUNGS]
        if not asked:
            return
        records = [one for one in self._records.values() if (one.track, one.rung) not in open_rungs]
        standpoint = Standpoint(self._plan.experiment, records, evidence, self._knowledge)
        for track in asked:
            own = [spec for spec in left if spec.track == track]
            if min(spec.rung for spec in own) <= standpoint.highest(track):
                yield track, "cells of lower rungs are missing", own
            else:
                yield track, standpoint.ask(track, own), own

    def is_idle(self) -> bool:
        """Tell whether no track has rungs enough to be asked."""
        return all(n <= FIRST_RUNGS for n in self._ladders.values())


def _ladders(plan: Plan) -> dict[str, int]:
    """Return the tracks that climb a ladder of data, with the number of their rungs."""
    rungs: dict[str, set[int]] = {}
    for spec in plan.specs:
        if spec.data_rung is not None:
            rungs.setdefault(spec.track, set()).add(spec.rung)
    return {track: len(own) for track, own in rungs.items() if len(own) > 1}
