"""A process that has the libraries loaded and forks a fresh child for every cell.

Importing torch, scikit-learn and pandas costs seconds; a fork of a process that has them costs
milliseconds. It is this package's own and not the one of `multiprocessing`,
because that one imports the caller's main module again in every child, shares one server with all
users of the process, and does not tell what a child's end was.

Nothing outlives the driver: the fork server ends when its connection closes, however that came about,
and takes the children (and theirs) along; the children die with the fork server.
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
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import NoReturn

__all__ = ["EXIT_SPOOL", "Ended", "Hello", "Kill", "Ready", "Run", "serve"]

EXIT_SPOOL = 74
"""Exit code of a child that could not write its result (EX_IOERR of sysexits.h)."""

_PR_SET_PDEATHSIG = 1


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
    children: dict[int, str] = {}
    try:
        while True:
            ready = wait([connection, awake])
            if awake in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(awake, 4096)
                _reap(children, connection)
            if connection in ready:
                message = connection.recv()
                if isinstance(message, Run):
                    children[_start(message, (connection.fileno(), awake, wake))] = message.key
                elif isinstance(message, Kill):
                    for process in [pid for pid, key in children.items() if key == message.key]:
                        _kill_group(process)
    except (EOFError, OSError):
        # The driver has gone: a crash, Ctrl-C or its normal end.
        return
    finally:
        for process in children:
            _kill_group(process)


def _load(modules: Sequence[str]) -> tuple[str, ...]:
    missing = []
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError:
            missing.append(name)
    return tuple(missing)


def _reap(children: dict[int, str], connection: Connection) -> None:
    while children:
        process, status = os.waitpid(-1, os.WNOHANG)
        if process == 0:
            return
        key = children.pop(process, None)
        if key is not None:
            # A cell's own helper processes end with it.
            _kill_group(process)
            connection.send(Ended(key, os.waitstatus_to_exitcode(status)))


def _kill_group(process: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)


def _start(message: Run, inherited: Sequence[int]) -> int:
    fork_server = os.getpid()
    process = os.fork()
    if process == 0:
        _be_child(message, inherited, fork_server)
    # In both, because either may come first.
    with contextlib.suppress(OSError):
        os.setpgid(process, process)
    return process


def _be_child(message: Run, inherited: Sequence[int], fork_server: int) -> NoReturn:
    code = 1
    try:
        os.setpgid(0, 0)
        _die_with_parent(fork_server)
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
