"""``mlflow models serve`` answers for every track of the smoke experiment, over HTTP on this machine."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from toolkit.config import load
from toolkit.registry import build
from toolkit.store.models import track_folder
from toolkit.tracks.base import load_track

REPOSITORY = Path(__file__).parents[2]
SMOKE = REPOSITORY / "experiments" / "smoke.yaml"
START_SECONDS = 180

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("served") / "mlruns"
    command = [sys.executable, "-m", "toolkit.run", SMOKE, "--quick", "--store", root]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return root


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def served(model: Path, log: Path) -> Iterator[int]:
    """Serve a model as the documentation says, with nothing but the environment's programs on the path."""
    port = free_port()
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    variables |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    }
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(model), "--env-manager", "local"]
    with log.open("wb") as out:
        server = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            cwd=log.parent,  # not in the repository: the package comes with the model
            env=variables,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + START_SECONDS
            while not answers(port):
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.3)
            yield port
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(15)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait(15)


def answers(port: int) -> bool:
    try:
        return ask(port, "GET", "/health", "")[0] == 200
    except OSError:
        return False


def ask(port: int, method: str, path: str, body: str, kind: str = "application/json") -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, {"Content-Type": kind})
        answer = connection.getresponse()
        text = answer.read().decode()
        return answer.status, json.loads(text) if text.startswith("{") else text
    finally:
        connection.close()


@pytest.mark.parametrize("track", ["baseline", "rules", "classical", "neural", "hybrid"])
def test_it_answers(track, root, tmp_path):
    experiment = load(SMOKE)
    task = build("tasks", experiment.task_name, experiment.task_params)
    rows = task.load(rung=None, seed=0).valid.features.head(5)
    folder = track_folder(root, "smoke", track)
    assert folder is not None
    fitted = load_track(folder)
    levels = task.schema().column("segment").levels
    records = rows.astype(dict.fromkeys(task.schema().numbers, float)).astype(object)
    records["segment"] = [levels[code] for code in rows["segment"]]
    asked = json.loads(records.to_json(orient="records", double_precision=15))
    asked[1]["recency"] = None
    asked[2]["segment"] = "nobody"
    asked[3]["segment"] = None
    coded = rows.copy()
    coded.iloc[1, coded.columns.get_loc("recency")] = np.nan
    coded.iloc[[2, 3], coded.columns.get_loc("segment")] = -1
    expected = fitted.predict_proba(coded)

    with served(root / "models" / "smoke" / track / "artifacts", tmp_path / "log.txt") as port:
        status, answer = ask(port, "POST", "/invocations", json.dumps({"dataframe_records": asked}))
        assert status == 200, answer
        assert [row["probability"] for row in answer["predictions"]] == pytest.approx(expected, abs=1e-12)

        example = (root / "models" / "smoke" / track / "artifacts" / "serving_input_example.json").read_text()
        status, answer = ask(port, "POST", "/invocations", example)
        assert status == 200
        assert 0 < answer["predictions"][0]["probability"] < 1

        heading = ",".join(asked[0])
        line = ",".join(str(value) for value in asked[0].values())
        status, answer = ask(port, "POST", "/invocations", f"{heading}\n{line}\n", "text/csv")
        assert status == 200
        assert answer["predictions"][0]["probability"] == pytest.approx(
            fitted.predict_proba(coded.head(1))[0]
        )

        status, answer = ask(port, "POST", "/invocations", json.dumps({"dataframe_records": [{"visits": 1}]}))
        assert status == 400
        assert "orders" in answer["message"]
    assert not answers(port), "the server has ended"


def test_a_net_on_the_raw_signal_answers_too(signal_model, tmp_path):
    with served(signal_model.path, tmp_path / "log.txt") as port:
        body = json.dumps({"dataframe_records": signal_model.rows})
        status, answer = ask(port, "POST", "/invocations", body)
        assert status == 200, answer
        told = [row["probability"] for row in answer["predictions"]]
        assert told == pytest.approx(signal_model.answers, abs=1e-12)
