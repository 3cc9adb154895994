"""The local engine: one fresh process a cell, started by a fork server, watched by the driver."""

from __future__ import annotations

import contextlib
import pickle
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from toolkit import registry
from toolkit.errors import StoreError
from toolkit.machine import Cores, describe
from toolkit.records import CellRecord, CellSpec, Status
from toolkit.sweep.cell import CellJob, run_cell
from toolkit.sweep.fork_server import EXIT_SPOOL, Ended, Kill, Run
from toolkit.sweep.fork_server_handle import ForkServer
from toolkit.sweep.import_probe import probe
from toolkit.sweep.plan import Plan
from toolkit.sweep.second_opinion import CODECARBON_COST, CodeCarbon
from toolkit.sweep.spool import CellOutcome, discard, log_path, read_cell

__all__ = ["Event", "LocalExecutor"]

_LATE_IMPORTS = {
    "torch": ("torch._dynamo", "toolkit.operations.torch_flops", "toolkit.tracks._torch"),
    "sklearn": ("sklearn.metrics",),
}
"""Modules that are imported on first use, by the root package whose use brings them."""

_GRACE_SECONDS = 5.0
_TAIL_BYTES = 4000


@dataclass(frozen=True)
class Event:
    """Something to show while cells run: libraries being loaded, or a cell that has started."""

    kind: Literal["preparing", "started"]
    text: str
    spec: CellSpec | None = None


@dataclass
class _Running:
    spec: CellSpec
    core: int | None
    started_at: float
    deadline: float
    timed_out: bool = False


class LocalExecutor:
    """Runs cells on this machine.

    Parameters
    ----------
    slots : int
        Cells side by side. With more than one, their costs are marked ``contended``.
    timeout_seconds : float
        A cell that takes longer is ended.
    on_event : callable, optional
        Called with each `Event`, in the driver's thread.
    second_opinion : CodeCarbon, optional
        Told when a cell begins and ends, for its energy.
    """

    def __init__(
        self,
        *,
        slots: int = 1,
        timeout_seconds: float = 3600.0,
        on_event: Callable[[Event], None] | None = None,
        second_opinion: CodeCarbon | None = None,
    ) -> None:
        self.slots = slots
        self.second_opinion = second_opinion
        self.timeout_seconds = timeout_seconds
        self._on_event = on_event or (lambda event: None)

    def run(self, plan: Plan, specs: Sequence[CellSpec], *, spool: Path) -> Iterator[CellOutcome]:
        """Run cells and yield each as it ends; its files stay in the spool until discarded.

        A cell that fails, is killed, takes too long or vanishes is an outcome like any other. When
        the iterator is closed or interrupted, running cells are ended; finished ones are in the
        spool.

        Raises
        ------
        StoreError
            Results cannot be written to the spool, e.g. because the disk is full.
        ToolkitError
            No process for cells can be started.
        """
        return self.run_waves(plan, [specs] if specs else [], spool=spool)

    def run_waves(
        self, plan: Plan, waves: Iterable[Sequence[CellSpec]], *, spool: Path
    ) -> Iterator[CellOutcome]:
        """Run cells as `run` does; a wave is asked for when all cells of the one before have ended.

        Raises
        ------
        StoreError, ToolkitError
            As in `run`.
        """
        sweep: _Sweep | None = None
        try:
            for wave in waves:
                sweep = sweep or _Sweep(self, plan, _made(spool))
                yield from sweep.run(list(wave))
        finally:
            if sweep is not None:
                sweep.close()

    def tell(self, event: Event) -> None:
        """Pass an event on."""
        self._on_event(event)


def _made(spool: Path) -> Path:
    try:
        spool.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"cannot make the folder for results ({error.strerror})", where=str(spool)
        ) from error
    return spool


class _Sweep:
    """The state of one `LocalExecutor.run`."""

    def __init__(self, executor: LocalExecutor, plan: Plan, spool: Path) -> None:
        self.executor = executor
        self.plan = plan
        self.spool = spool
        self.machine = describe()
        self.cores = Cores()
        self.imports: dict[tuple[str, ...], dict[str, float | None]] = {}
        self.running: dict[str, _Running] = {}
        self.fork_server: ForkServer | None = None

    def run(self, waiting: list[CellSpec]) -> Iterator[CellOutcome]:
        waiting.reverse()
        while waiting or self.running:
            while waiting and len(self.running) < self.executor.slots:
                self._start(waiting.pop())
            yield from self._wait()

    def _close_fork_server(self) -> None:
        if self.fork_server is not None:
            self.fork_server.close()
            self.fork_server = None

    def close(self) -> None:
        self._close_fork_server()
        for key in self.running:
            log_path(self.spool, key).unlink(missing_ok=True)
        if self.executor.second_opinion is not None:
            self.executor.second_opinion.close()

    def _start(self, spec: CellSpec) -> None:
        track = self.plan.tracks[spec.track]
        packages = track.imports
        if packages not in self.imports:
            text = f"measuring what importing {', '.join(packages)} costs"
            self.executor.tell(Event("preparing", text, spec))
            self.imports[packages] = probe(packages)
        if self.fork_server is None:
            self.executor.tell(Event("preparing", "loading the libraries once for all cells", spec))
            self.fork_server = ForkServer(_modules(self.plan))
        core = self.cores.quietest({cell.core for cell in self.running.values()})
        job = CellJob(
            spec=spec,
            task=self.plan.task,
            track=track,
            rung=self.plan.rung(spec),
            search=self.plan.experiment.search,
            spool=self.spool.absolute(),
            core=core,
            slots=self.executor.slots,
            machine=self.machine,
            import_costs=self.imports[packages],
        )
        # What an earlier run left must not pass for this one's result.
        discard(self.spool, spec.fingerprint)
        log = log_path(self.spool.absolute(), spec.fingerprint)
        if self.executor.second_opinion is not None:
            self.executor.second_opinion.begin(spec.fingerprint)
        self.fork_server.start(Run(spec.fingerprint, pickle.dumps((run_cell, job)), str(log)))
        now = time.monotonic()
        self.running[spec.fingerprint] = _Running(
            spec, core, started_at=time.time(), deadline=now + self.executor.timeout_seconds
        )
        self.executor.tell(Event("started", spec.name, spec))

    def _wait(self) -> Iterator[CellOutcome]:
        """Wait for the next end of a cell or for a deadline, and yield what has ended."""
        fork_server = self.fork_server
        if fork_server is None:
            return
        now = time.monotonic()
        next_deadline = min(cell.deadline for cell in self.running.values())
        try:
            if fork_server.connection.poll(max(0.0, next_deadline - now)):
                ended = fork_server.connection.recv()
                yield self._end(self.running.pop(ended.key), ended)
                return
        except (EOFError, OSError):
            # The fork server was killed, and its children with it; the next cell gets a new one.
            self._close_fork_server()
            lost = list(self.running.values())
            self.running.clear()
            for cell in lost:
                yield self._end(cell, None)
            return
        for key, cell in self.running.items():
            if cell.deadline <= time.monotonic():
                cell.timed_out = True
                cell.deadline = time.monotonic() + _GRACE_SECONDS
                fork_server.start(Kill(key))

    def _end(self, cell: _Running, ended: Ended | None) -> CellOutcome:
        """Return what became of a cell: its result if there is one, else why there is none."""
        log = log_path(self.spool, cell.spec.fingerprint)
        tail = _tail(log)
        log.unlink(missing_ok=True)
        opinion = self.executor.second_opinion
        joules = None if opinion is None else opinion.end(cell.spec.fingerprint)
        if ended is not None and ended.exit_code == EXIT_SPOOL:
            said = tail.strip().rpartition("\n")[2] or "the disk may be full, or the folder gone"
            raise StoreError(
                f"the result of {cell.spec.name} cannot be written ({said}); free space or mend the folder "
                "and run again: finished cells are kept",
                where=str(self.spool),
            )
        try:
            outcome = read_cell(self.spool, cell.spec.fingerprint)
        except ValueError as error:
            return CellOutcome(self._failure(cell, "lost", f"its result is damaged: {error}", tail))
        if outcome is not None:
            record = outcome.record
            if tail and not record.log_tail:
                record = record.model_copy(update={"log_tail": tail})
            if joules is not None:
                record = record.model_copy(update={"costs": {**record.costs, CODECARBON_COST: joules}})
            return replace(outcome, record=record)
        return CellOutcome(self._failure(cell, *self._why(cell, ended), tail))

    def _why(self, cell: _Running, ended: Ended | None) -> tuple[Status, str]:
        if cell.timed_out:
            return "timeout", f"it took longer than {self.executor.timeout_seconds:g} seconds"
        if ended is None:
            return "lost", "the process that starts cells has ended"
        if ended.exit_code < 0:
            with contextlib.suppress(ValueError):
                name = signal.Signals(-ended.exit_code).name
                hint = "; the system may have run out of memory" if name == "SIGKILL" else ""
                return "killed", f"its process was killed by {name}{hint}"
            return "killed", f"its process was killed by signal {-ended.exit_code}"
        return "lost", f"its process ended without a result (exit code {ended.exit_code})"

    def _failure(self, cell: _Running, status: Status, reason: str, tail: str) -> CellRecord:
        return CellRecord(
            **cell.spec.model_dump(exclude={"data_rung"}),
            status=status,
            reason=reason,
            log_tail=tail,
            machine=self.machine,
            started_at=cell.started_at,
            ended_at=time.time(),
        )


def _modules(plan: Plan) -> list[str]:
    """Return what cells of this plan import, to be loaded once."""
    plugins = (plan.task, *plan.tracks.values())
    modules = [
        "toolkit.sweep.cell",
        "toolkit.models.saving",
        *(type(plugin).__module__ for plugin in plugins),
    ]
    modules += ["optuna"]
    modules += [f"toolkit.meters.{name}" for name in registry.names("meters")]
    packages = {package for track in plan.tracks.values() for package in track.imports}
    modules += sorted(packages)
    for root in sorted({package.split(".", maxsplit=1)[0] for package in packages} | {"sklearn"}):
        modules += _LATE_IMPORTS.get(root, ())
    if any(package.startswith("sklearn") for package in packages):
        modules.append("skops.io")  # saves what scikit-learn has fitted; imported once, not in every cell
    return modules


def _tail(log: Path) -> str:
    try:
        return log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace")
    except OSError:
        return ""
