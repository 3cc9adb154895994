"""The driver's end of a fork server: starts the process, sends it work, ends it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing import Pipe
from typing import IO

from toolkit.errors import ToolkitError
from toolkit.machine import single_thread_environment
from toolkit.meters._cgroup import groups_of
from toolkit.sweep.fork_server import Hello, Kill, Ready, Run

__all__ = ["ForkServer"]

_GRACE_SECONDS = 5.0
_PAUSE_SECONDS = 0.01
_TAIL_BYTES = 4000


class ForkServer:
    """A fork server process, started and ready; see `toolkit.sweep.fork_server`.

    Parameters
    ----------
    modules : sequence of str
        What to load; what cannot be imported is left to the cells to complain about.

    Attributes
    ----------
    connection : multiprocessing.connection.Connection
        Sends `Ended` messages; end of file when the fork server has gone.

    Raises
    ------
    ToolkitError
        The process did not come up.
    """

    def __init__(self, modules: Sequence[str]) -> None:
        self.connection, other = Pipe()
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the process)
        environment = {**os.environ, **single_thread_environment(), "PYTHONHASHSEED": "0"}
        with other:
            # Its own session: Ctrl-C reaches the driver alone, which then ends the cells in order.
            self._process = subprocess.Popen(  # noqa: S603 (our own module)
                [sys.executable, "-m", "toolkit.sweep.fork_server", str(other.fileno())],
                pass_fds=[other.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self._errors,
                stderr=self._errors,
                env=environment,
                start_new_session=True,
            )
        try:
            self.connection.send(Hello(tuple(sys.path), tuple(modules)))
            ready = self.connection.recv()
        except (EOFError, OSError) as error:
            said = self._said()
            self.close()
            raise ToolkitError(f"the process that starts cells did not come up: {said}") from error
        except BaseException:
            self.close()
            raise
        if not isinstance(ready, Ready):
            raise ToolkitError(f"the process that starts cells answered {ready!r}")

    def start(self, message: Run | Kill) -> None:
        """Send a message; a fork server that has gone is noticed where its answers are read."""
        with contextlib.suppress(OSError):
            self.connection.send(message)

    def close(self) -> None:
        """End the fork server and, through it, all its children."""
        self.connection.close()
        try:
            self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        _end_groups(self._process.pid)
        self._errors.close()

    def _said(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_SECONDS)
        self._errors.seek(0)
        return self._errors.read()[-_TAIL_BYTES:].decode(errors="replace").strip()


def _end_groups(fork_server: int) -> None:
    """End what a fork server that was itself killed has left; one that ended in order leaves nothing."""
    left = groups_of(fork_server)
    for group in left:
        group.kill()
    until = time.monotonic() + _GRACE_SECONDS
    while left and time.monotonic() < until:
        left = [group for group in left if not group.remove()]
        time.sleep(_PAUSE_SECONDS if left else 0.0)
