"""The MLflow UI on this machine only: started with what it needs, and stopped without a trace."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import IO

from rich.console import Console

from toolkit.errors import StoreError
from toolkit.store import Store
from toolkit.store.links import told

__all__ = ["HOST", "serve", "start_ui"]

HOST = "127.0.0.1"
PORTS_TRIED = 20
START_SECONDS = 180.0
STOP_SECONDS = 10.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    # Background jobs are for language models; they cost a dozen processes and a gigabyte.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    # The server's working directory is the user's: no file there may shadow a package.
    "PYTHONSAFEPATH": "1",
    "PYTHONWARNINGS": "ignore",
}


def start_ui(root: Path, port: int = 5000, *, console: Console) -> int:
    """Serve the UI until Ctrl-C (or SIGTERM, or the terminal is closed), then stop all of it.

    Parameters
    ----------
    root : Path
        The folder of the results; made when it is missing.
    port : int
        The first port to try.
    console : Console

    Returns
    -------
    int
        Exit code 0, once it was stopped.

    Raises
    ------
    StoreError
        The results cannot be opened, no port is free, or the server does not start.
    """

    def say(line: str) -> None:
        # A wrapped link cannot be clicked.
        console.print(line, highlight=False, markup=False, soft_wrap=True)

    def stop(number: int, frame: FrameType | None) -> None:
        # A second Ctrl-C would cut the stopping short and leave the server behind.
        for each in STOP_SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as stack:
        for number in STOP_SIGNALS:
            stack.callback(signal.signal, number, signal.signal(number, stop))
        store = stack.enter_context(Store.open(root))
        address = stack.enter_context(serve(store.root, port, say=say))
        names = store.experiments()
        for name in names:
            say(f"\n{name}")
            for line in told(store.links(name, base=address)):
                say(f"  {line}")
        if names:
            say(f"\nall experiments: {address}")
        else:
            say(f"\n{address} (no results yet: run an experiment first)")
        say("\nCtrl-C stops the UI.")
        while True:
            signal.pause()
    return 0


@contextlib.contextmanager
def serve(root: Path, port: int = 5000, *, say: Callable[[str], None] = print) -> Iterator[str]:
    """Run the UI for the length of a ``with``.

    Parameters
    ----------
    root : Path
        The absolute path of an existing store.
    port : int
        The first port to try.
    say : callable
        Takes each line for the user.

    Yields
    ------
    str
        The UI's address, ending in a slash.
    """
    free, claim = _claim_port(port)
    if free != port:
        say(f"port {port} is taken; using {free}")
    command = [sys.executable, "-m", "mlflow", "ui", "--host", HOST, "--port", str(free), "--workers", "1"]
    environment = {
        **{key: value for key, value in os.environ.items() if key != "MLFLOW_SQLALCHEMYSTORE_POOLCLASS"},
        **SETTINGS,
        "MLFLOW_BACKEND_STORE_URI": f"sqlite:///{root / 'mlflow.db'}",
    }
    with claim, tempfile.TemporaryFile() as log:
        # A session of its own, so that all of its processes can be stopped together. Artifact paths
        # are relative to the folder above the results, hence the working directory.
        server = subprocess.Popen(  # noqa: S603 (our own interpreter, no shell)
            command,
            cwd=root.parent,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_until_up(server, free, log, say)
            yield f"http://{HOST}:{free}/"
        finally:
            _stop(server)


def _claim_port(first: int) -> tuple[int, socket.socket]:
    """Return a port that is free, and what keeps other processes of ours off it while it is open.

    The server takes the port seconds after it was found free; of two that were started at once, the
    second would take the other's answers for its own. Linux knows names that one process can have at a time.
    """
    for port in range(first, min(first + PORTS_TRIED, 65536)):
        claim = socket.socket(socket.AF_UNIX if sys.platform == "linux" else socket.AF_INET)
        try:
            if sys.platform == "linux":
                claim.bind(f"\0costcurves-ui-{port}")
            _try_port(port)
        except PermissionError as error:
            claim.close()
            raise StoreError(
                f"port {port} needs an administrator's rights; choose one from 1024 up"
            ) from error
        except OSError:
            claim.close()
            continue
        return port, claim
    raise StoreError(f"ports {first} to {first + PORTS_TRIED - 1} are all taken; choose another with --port")


def _try_port(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))


def _wait_until_up(
    server: subprocess.Popen[bytes], port: int, log: IO[bytes], say: Callable[[str], None]
) -> None:
    say("starting the MLflow UI (about ten seconds) …")
    began = told_at = time.monotonic()
    while not _is_up(port):
        now = time.monotonic()
        if server.poll() is not None or now - began > START_SECONDS:
            log.seek(0)
            tail = log.read().decode(errors="replace").strip()[-2000:]
            what = (
                "did not answer in time" if server.poll() is None else f"ended with code {server.returncode}"
            )
            raise StoreError(f"the MLflow UI {what}; its last lines:\n{tail}")
        if now - told_at >= 5:
            told_at = now
            say(f"still starting ({now - began:.0f} s) …")
        time.sleep(0.2)


def _is_up(port: int) -> bool:
    # Straight to the socket: a proxy in the environment must not be asked for this machine.
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _stop(server: subprocess.Popen[bytes]) -> None:
    """End the whole session of the server, gently first."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(STOP_SECONDS)
