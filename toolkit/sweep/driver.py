"""Runs what is missing of a sweep, logging each cell; then measures again what the verdict rests on."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from toolkit.analysis.forecast_record import EarlyStop
from toolkit.records import SETTLED, CellSpec
from toolkit.store import Store
from toolkit.sweep.local import LocalExecutor
from toolkit.sweep.plan import Plan
from toolkit.sweep.progress import SweepDisplay, duration
from toolkit.sweep.repeats import PRICED_PHASES, missing_readings
from toolkit.sweep.second_opinion import CodeCarbon
from toolkit.sweep.spool import CellOutcome, discard, spooled

if TYPE_CHECKING:
    from toolkit.sweep.stop_early import StopEarly

__all__ = ["Ran", "measure_again", "run_cells"]


@dataclass(frozen=True)
class Ran:
    """What was run just now.

    Parameters
    ----------
    n : int
        Cells and repeats.
    failed : int
    wall_seconds : float
        From the first start to the last log.
    metered_seconds : float
        Of it, inside metered phases of cells, side by side ones added up.
    stops : tuple of EarlyStop
        Tracks that stopped climbing.
    """

    n: int = 0
    failed: int = 0
    wall_seconds: float = 0.0
    metered_seconds: float = 0.0
    stops: tuple[EarlyStop, ...] = ()

    def __add__(self, other: Ran) -> Ran:
        return Ran(
            self.n + other.n,
            self.failed + other.failed,
            self.wall_seconds + other.wall_seconds,
            self.metered_seconds + other.metered_seconds,
            self.stops + other.stops,
        )

    def told(self, slots: int) -> str:
        """Return a sentence on the share of metered work; empty when nothing was run."""
        if not self.n:
            return ""
        share = self.metered_seconds / (self.wall_seconds * slots)
        return (
            f"{share:.0%} of the sweep's {duration(self.wall_seconds)} was spent inside metered phases "
            f"({duration(self.metered_seconds)}); the rest is starting cells, warming up, scoring, saving "
            "and logging"
        )


def run_cells(
    plan: Plan,
    store: Store,
    spool: Path,
    *,
    fresh: bool,
    console: Console,
    stop_early: bool = False,
    knowledge: Sequence[Mapping[str, Any]] = (),
) -> Ran:
    """Run the cells of a plan that are missing, and log each.

    Parameters
    ----------
    plan : Plan
    store : Store
    spool : Path
    fresh : bool
        Run finished cells too.
    console : Console
    stop_early : bool
        Let tracks stop climbing whose forecasts say that it cannot pay.
    knowledge : sequence of mapping
        As in `Results`; what stopping early weighs hangs on it.
    """
    name = plan.experiment.experiment
    done = {} if fresh else store.finished(name)
    recovered = spooled(spool, [spec.fingerprint for spec in plan.specs])
    for note in recovered.notes:
        console.print(f"[yellow]{escape(note)}[/]", highlight=False)
    for outcome in recovered.outcomes:
        _log(outcome, store)
        discard(spool, outcome.record.fingerprint)
        if not fresh and outcome.record.status in SETTLED:
            done[outcome.record.fingerprint] = outcome.record
    for record in done.values():
        plan.estimate.observe(record)
    waiting = [spec for spec in plan.specs if spec.fingerprint not in done]
    _print_intro(plan, waiting, console)
    slots = plan.experiment.engine.slots
    if not stop_early:
        return _run(plan, waiting, store, spool, slots=slots, console=console)
    from toolkit.analysis.stops.prospects import FIRST_RUNGS
    from toolkit.sweep.stop_early import StopEarly  # brings the analysis, which a sweep does without

    known = [] if fresh else store.read(name, [spec.fingerprint for spec in plan.whole])
    early = StopEarly(plan, knowledge, known)
    if early.is_idle():
        console.print(
            f"--stop-early skips nothing: it asks from the {FIRST_RUNGS}th rung on, and no track has more",
            style="yellow",
            highlight=False,
        )
    return _run(plan, waiting, store, spool, slots=slots, console=console, early=early)


def measure_again(
    plan: Plan,
    store: Store,
    spool: Path,
    entering: Iterable[tuple[str, int]],
    *,
    console: Console,
) -> Ran:
    """Give each rung of the verdict its clean readings, one cell at a time.

    Parameters
    ----------
    plan : Plan
    store : Store
    spool : Path
    entering : iterable of (track, rung)
        What the verdict rests on.
    console : Console
    """
    economics = plan.experiment.economics
    fingerprints = [spec.fingerprint for spec in plan.whole]
    found = store.read(plan.experiment.experiment, fingerprints, evidence=False)
    repeats = missing_readings(
        plan.specs,
        [record for record, _ in found],
        entering,
        wanted=plan.experiment.engine.readings,
        phases=PRICED_PHASES + (("predict_single",) if economics.serving == "single" else ()),
    )
    if not repeats:
        return Ran()
    again = replace(plan, specs=tuple(repeats))
    console.print(
        f"measuring again what the verdict rests on: {len(repeats)} readings of its costs, about "
        f"{duration(again.estimate_seconds())}, one at a time",
        highlight=False,
    )
    return _run(again, repeats, store, spool, slots=1, console=console)


def _run(
    plan: Plan,
    waiting: Sequence[CellSpec],
    store: Store,
    spool: Path,
    *,
    slots: int,
    console: Console,
    early: StopEarly | None = None,
) -> Ran:
    engine = plan.experiment.engine
    ran, begun = Ran(), time.monotonic()
    with SweepDisplay(plan, waiting, console) as display:
        executor = LocalExecutor(
            slots=slots,
            timeout_seconds=engine.timeout_seconds,
            on_event=display.on_event,
            second_opinion=CodeCarbon() if engine.codecarbon and waiting else None,
        )
        waves: Iterable[Sequence[CellSpec]] = [waiting] if waiting else []
        if early is not None:
            waves = early.waves(waiting, on_stop=display.on_stop, on_climb=display.on_climb)
        for outcome in executor.run_waves(plan, waves, spool=spool):
            _log(outcome, store)
            discard(spool, outcome.record.fingerprint)
            display.on_end(outcome.record)
            if early is not None:
                early.observe(outcome)
            ran += Ran(
                n=1,
                failed=outcome.record.status not in SETTLED and not outcome.record.repeat,
                metered_seconds=outcome.record.costs.get("cost_cell_metered_wall_seconds") or 0.0,
            )
    stops = () if early is None else tuple(early.stops.values())
    return replace(ran, wall_seconds=time.monotonic() - begun, stops=stops)


def _log(outcome: CellOutcome, store: Store) -> None:
    evidence = None if outcome.evidence is None else outcome.evidence.to_bytes()
    store.log_cell(outcome.record, evidence, model=outcome.model)


def _print_intro(plan: Plan, waiting: Sequence[CellSpec], console: Console) -> None:
    console.print(f"[bold]{plan.experiment.experiment}[/]: {plan.task.title}", highlight=False)
    for name in dict.fromkeys(spec.track for spec in plan.specs):
        console.print(f"  {name:<10} {plan.tracks[name].title}", highlight=False)
    finished = len(plan.specs) - len(waiting)
    if waiting:
        slots = plan.experiment.engine.slots
        seconds = sum(plan.estimate.seconds(spec) for spec in waiting) / slots
        how = "one at a time so that costs stay clean" if slots == 1 else f"{slots} side by side"
        console.print(
            f"{len(waiting)} cells to run"
            + (f", {finished} are finished already" if finished else "")
            + f"; about {duration(seconds)}, {how}",
            highlight=False,
        )
    else:
        console.print(f"all {finished} cells are finished already; writing the report anew", highlight=False)
    if plan.left_out:
        console.print(f"[yellow]{plan.left_out}[/]", highlight=False)
