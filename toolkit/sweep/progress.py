"""What the terminal shows while cells run: a line a track with time left, and a line a finished cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from toolkit.analysis.forecast_record import EarlyStop
from toolkit.analysis.stops.words import told_stop
from toolkit.records import SETTLED, CellRecord, CellSpec
from toolkit.sweep.local import Event
from toolkit.sweep.plan import Plan

__all__ = ["SweepDisplay", "duration", "preparing"]


def duration(seconds: float) -> str:
    """Return a time for people: ``45 s``, ``12 min``, ``1 h 05 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


@contextmanager
def preparing(console: Console) -> Iterator[Callable[[str, float], None]]:
    """Show one line with a bar while a task prepares its data; nothing when that is quick."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.percentage:>3.0f} %"),
        console=console,
        transient=True,
    )
    line = bar.add_task("preparing the data", total=1.0)
    with bar:
        yield lambda text, share: bar.update(line, description=escape(text), completed=share)


class SweepDisplay:
    """Live lines of a sweep, to be used as a context manager.

    Parameters
    ----------
    plan : Plan
        Of the cells to be shown; its estimate learns from finished cells.
    waiting : sequence of CellSpec
        The cells that are still to run.
    console : Console
        Without a terminal only the lines of finished cells are printed.
    """

    def __init__(self, plan: Plan, waiting: Sequence[CellSpec], console: Console) -> None:
        self._plan = plan
        self._console = console
        self._waiting = {spec.fingerprint: spec for spec in waiting}
        self._total = Counter(spec.track for spec in plan.specs)
        self._progress = Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(bar_width=30),
            TextColumn("{task.completed:>3.0f}/{task.total:.0f}"),
            TextColumn("{task.fields[doing]}"),
            console=console,
        )
        waiting_of = Counter(spec.track for spec in waiting)
        self._lines: dict[str, TaskID] = {
            track: self._progress.add_task(
                track, total=total, completed=total - waiting_of[track], doing=self._left(track)
            )
            for track, total in self._total.items()
        }

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def on_event(self, event: Event) -> None:
        """Show what is being done now."""
        if event.spec is None:
            return
        doing = event.text if event.kind == "preparing" else f"rung {event.spec.rung} seed {event.spec.seed}"
        line = self._lines[event.spec.track]
        self._progress.update(line, doing=f"{escape(doing)} · {self._left(event.spec.track)}")

    def on_end(self, record: CellRecord) -> None:
        """Show a finished cell, and how long the rest will take."""
        self._waiting.pop(record.fingerprint, None)
        self._plan.estimate.observe(record)
        # in a file, a cell is one line that can be searched for
        self._console.print(_line(record), highlight=False, soft_wrap=not self._console.is_terminal)
        self._progress.advance(self._lines[record.track])
        for track, line in self._lines.items():
            self._progress.update(line, doing=self._left(track))

    def on_stop(self, stop: EarlyStop, specs: Sequence[CellSpec]) -> None:
        """Show that a track stops climbing, and take its cells from what is left."""
        for spec in specs:
            self._waiting.pop(spec.fingerprint, None)
        self._console.print(f"[cyan]{escape(told_stop(stop))}[/]", highlight=False, soft_wrap=True)
        line = self._lines[stop.track]
        self._total[stop.track] -= len(specs)
        self._progress.update(line, total=self._total[stop.track], doing=self._left(stop.track))

    def on_climb(self, track: str, why: str) -> None:
        """Show why a track that was asked climbs on."""
        self._console.print(
            f"[dim]{escape(track)} climbs on: {escape(why)}[/]", highlight=False, soft_wrap=True
        )

    def _left(self, track: str) -> str:
        specs = [spec for spec in self._waiting.values() if spec.track == track]
        if not specs:
            return "[green]done[/]"
        return f"{duration(sum(self._plan.estimate.seconds(spec) for spec in specs))} left"


def _line(record: CellRecord) -> str:
    size = f"{record.n_train:,} rows"
    if record.n_rules is not None:
        size = "1 rule" if record.n_rules == 1 else f"{record.n_rules} rules"
    start = f"{escape(record.track):<10} rung {record.rung:<2} seed {record.seed}  {size:>13}"
    if record.repeat:
        start += f"  again {record.repeat}"
    if record.status != "finished":
        colour = "dim" if record.status in SETTLED else "red"
        return f"{start}  [{colour}]{record.status.replace('_', ' ')}: {escape(record.reason)}[/]"
    figures = [
        ("log loss", record.scores.get("error_log_loss"), ".4f"),
        ("PR-AUC", record.scores.get("score_average_precision"), ".4f"),
        ("fit CPU-s", record.costs.get("cost_fit_cpu_seconds"), ".2f"),
        ("search CPU-s", record.costs.get("cost_search_cpu_seconds"), ".2f"),
    ]
    shown = [f"{name} {value:{form}}" for name, value, form in figures if value is not None]
    mark = "" if record.quality in (None, "clean") else f"  [dim]{record.quality}[/]"
    return f"{start}  {'  '.join(shown)}{mark}"
