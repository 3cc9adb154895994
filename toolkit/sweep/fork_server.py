"""A process that has the libraries loaded and forks a fresh child for every cell.

Importing torch, scikit-learn and pandas costs seconds; a fork of a process that has them costs
milliseconds. It is this package's own and not the one of `multiprocessing`,
because that one imports the caller's main module again in every child, shares one server with all
users of the process, and does not tell what a child's end was.

Nothing outlives its cell, and nothing the driver: the fork server ends when its connection closes, however
that came about, and takes the children (and theirs) along; the children die with the fork server. What a
child starts stands in its control group where one can be made, and falls to the fork server when the child
ends, so that neither a session of its own nor a second fork saves it.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import NoReturn

from toolkit.meters._cgroup import Group, make_group
from toolkit.meters._processes import children_of, inherit_orphans

__all__ = ["EXIT_SPOOL", "Ended", "Hello", "Kill", "Ready", "Run", "serve"]

EXIT_SPOOL = 74
"""Exit code of a child that could not write its result (EX_IOERR of sysexits.h)."""

_PR_SET_PDEATHSIG = 1
_PAUSE_SECONDS = 0.02
_PATIENCE_SECONDS = 2.0
"""How long the end of all children is waited for, before the rest is left to the driver."""


@dataclass(frozen=True)
class Hello:
    """First message to the fork server: what to load."""

    path: tuple[str, ...]
    modules: tuple[str, ...]


@dataclass(frozen=True)
class Ready:
    """Answer: libraries are loaded; `missing` could not be imported."""

    missing: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """Start a child: it unpickles ``(function, argument)`` from `work` and calls it.

    Its standard output and error go to the file `log`.
    """

    key: str
    work: bytes
    log: str


@dataclass(frozen=True)
class Kill:
    """End a child with SIGKILL."""

    key: str


@dataclass(frozen=True)
class Ended:
    """A child has ended: exit code, or minus the signal's number."""

    key: str
    exit_code: int


def serve(connection: Connection) -> None:
    """Load the libraries, then start and reap children until the connection closes."""
    hello = connection.recv()
    sys.path[:] = list(hello.path)
    connection.send(Ready(_load(hello.modules)))
    # Keeps the collector from touching, and so copying, the pages that children share.
    gc.collect()
    gc.freeze()
    awake, wake = os.pipe()
    os.set_blocking(awake, False)
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    children = Children()
    try:
        while True:
            ready = wait([connection, awake], timeout=_PAUSE_SECONDS if children.leaving else None)
            if awake in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(awake, 4096)
            for ended in children.reap():
                connection.send(ended)
            if connection in ready:
                message = connection.recv()
                if isinstance(message, Run):
                    children.start(message, (connection.fileno(), awake, wake))
                elif isinstance(message, Kill):
                    children.kill(message.key)
    except (EOFError, OSError):
        # The driver has gone: a crash, Ctrl-C or its normal end.
        return
    finally:
        children.end()


def _load(modules: Sequence[str]) -> tuple[str, ...]:
    missing = []
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError:
            missing.append(name)
    return tuple(missing)


@dataclass(frozen=True)
class _Child:
    key: str
    group: Group | None


class Children:
    """The cells' processes, each with all that it starts in a control group where one can be made."""

    def __init__(self) -> None:
        # What a cell leaves behind, whatever its session, becomes a child of this process.
        inherit_orphans()
        self._running: dict[int, _Child] = {}
        self._spared = frozenset(children_of(os.getpid()) or ())
        self._started = 0
        self.leaving: list[Group] = []
        """Groups of ended cells in which something is still dying."""

    def start(self, message: Run, inherited: Sequence[int]) -> None:
        """Fork a child and put it into a group of its own."""
        self._started += 1
        group = make_group(self._started)
        fork_server = os.getpid()
        process = os.fork()
        if process == 0:
            _be_child(message, inherited, fork_server, group)
        # In both, because either may come first.
        with contextlib.suppress(OSError):
            os.setpgid(process, process)
        self._running[process] = _Child(message.key, group)

    def kill(self, key: str) -> None:
        """End the child of a cell with all that it has started."""
        for process, child in self._running.items():
            if child.key == key:
                _kill(process, child.group)

    def reap(self) -> list[Ended]:
        """Take leave of children that have ended; what they have left behind ends with them."""
        ended = []
        for process, status in _ended_children():
            child = self._running.pop(process, None)
            if child is not None:
                _kill(process, child.group)
                self.leaving += [] if child.group is None else [child.group]
                ended.append(Ended(child.key, os.waitstatus_to_exitcode(status)))
        self._end_orphans()
        self.leaving = [group for group in self.leaving if not group.remove()]
        return ended

    def end(self) -> None:
        """End all children and all that they have left."""
        for process, child in self._running.items():
            _kill(process, child.group)
        until = time.monotonic() + _PATIENCE_SECONDS
        while (self._running or self._end_orphans() or self.leaving) and time.monotonic() < until:
            self.reap()
            time.sleep(_PAUSE_SECONDS)

    def _end_orphans(self) -> bool:
        """End what became a child of this process when its cell ended, and tell whether there was any.

        The orphans of a cell that still runs are its own children.
        """
        orphans = {*(children_of(os.getpid()) or ())} - {*self._running} - self._spared
        for process in orphans:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        return bool(orphans)


def _ended_children() -> Iterator[tuple[int, int]]:
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0] != 0:
            yield found


def _kill(process: int, group: Group | None) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)
    if group is not None:
        group.kill()


def _be_child(message: Run, inherited: Sequence[int], fork_server: int, group: Group | None) -> NoReturn:
    code = 1
    try:
        os.setpgid(0, 0)
        _die_with_parent(fork_server)
        inherit_orphans()
        if group is not None:
            group.enter()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for descriptor in inherited:
            os.close(descriptor)
        log = os.open(message.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(log, 1)
        os.dup2(log, 2)
        function, argument = pickle.loads(message.work)  # noqa: S301 (from our own driver)
        code = _call(function, argument)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _call(function: Callable[[object], int], argument: object) -> int:
    return function(argument)


def _die_with_parent(parent: int) -> None:
    """Ask the kernel for SIGKILL when the parent ends (Linux); elsewhere the parent sees to it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


def main() -> None:
    """Serve on the connection whose file descriptor is the first argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if threading.active_count() > 1:
        raise RuntimeError("the fork server must start with one thread")
    serve(Connection(int(sys.argv[1])))


if __name__ == "__main__":
    # Messages are pickled by class: use the importable module, not __main__.
    from toolkit.sweep import fork_server

    fork_server.main()
