"""The results in MLflow's own UI, in a real browser: tracks, verdict and the report's page."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from toolkit.analysis.results import Results, Verdict
from toolkit.errors import StoreError
from toolkit.records import CellRecord, without_repeats
from toolkit.serving import serve
from toolkit.store import Store

REPORT = """<!doctype html><meta charset="utf-8"><title>Report</title><h1 id="head">script did not run</h1>
<script>document.getElementById("head").textContent = "verdict in " + [1, 2, 3].length + " tracks";</script>
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("ui")
    html, data = folder / "report.html", folder / "results.json"
    html.write_text(REPORT)
    data.write_text("{}")
    names = ["rules", "classical", "neural"]
    with Store.open(folder / "mlruns") as opened:
        opened.begin("toy", tracks=names)
        for track in names:
            for rung in range(3):
                opened.log_cell(_cell(track, rung), None)
        opened.finish(_results(opened, names), report_html=html, results_json=data)
        yield opened


def _cell(track: str, rung: int) -> CellRecord:
    return CellRecord(
        experiment="toy",
        task="toy",
        track=track,
        rung=rung,
        seed=0,
        n_train=100 * 2**rung,
        fingerprint=f"{track}-{rung}",
        status="finished",
        scores={"error_log_loss": 0.5 - 0.1 * rung},
        costs={"cost_fit_cpu_seconds": 2.0**rung},
        started_at=1_700_000_000.0,
        ended_at=1_700_000_001.0,
    )


def _results(store: Store, names: list[str]) -> Results:
    return Results(
        experiment={"experiment": "toy", "tracks": {name: {} for name in names}},
        task={"name": "toy"},
        cells=without_repeats(record for record, _ in store.read("toy")),
        evidence={},
        summaries=(),
        curves=(),
        pairs=(),
        verdict=Verdict(None, None, True, None, None, None, "Too close to call.", None, "USD", 1.0),
    )


@pytest.fixture(scope="module")
def address(store: Store) -> Iterator[str]:
    with serve(store.root, 5600, say=lambda line: None) as base:
        yield base


@pytest.fixture
def page(chromium: Browser) -> Iterator[Any]:
    context = chromium.new_context(viewport={"width": 1500, "height": 900})
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


@pytest.mark.browser
def test_the_experiment_page_shows_the_verdict_and_one_run_a_track(
    store: Store, address: str, page: Any
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(store.links("toy", base=address)["runs"])
    for name in ("report", "rules", "classical", "neural"):
        page.get_by_role("link", name=name, exact=True).last.wait_for()
    page.get_by_text("Too close to call").first.wait_for()
    assert page.get_by_text("rung 0 seed 0").count() == 0, "cells must be folded below their track"
    outside = [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    assert outside == []


@pytest.mark.browser
def test_the_link_in_the_note_leads_to_the_report(store: Store, address: str, page: Any) -> None:
    page.goto(store.links("toy", base=address)["runs"])
    page.get_by_text("Too close to call").first.wait_for()
    target = store.links("toy", base="")["report"]
    page.locator(f'a[href$="{target}"]').first.wait_for()


@pytest.mark.browser
def test_the_charts_draw_a_curve_for_each_track(store: Store, address: str, page: Any) -> None:
    page.goto(store.links("toy", base=address)["charts"])
    page.get_by_text("curves", exact=False).first.wait_for()
    page.locator(".js-plotly-plot .scatterlayer .trace").nth(2).wait_for(state="attached")


@pytest.mark.browser
def test_the_report_runs_its_script_in_the_artifact_page(store: Store, address: str, page: Any) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda message: (
            errors.append(message.text)
            if message.type == "error" and "blob:" in str(message.location.get("url", ""))
            else None
        ),
    )
    page.goto(store.links("toy", base=address)["report"])
    heading = page.frame_locator("iframe").first.locator("#head")
    heading.wait_for()
    assert heading.inner_text() == "verdict in 3 tracks"
    assert errors == []


@pytest.mark.slow
def test_the_ui_command_says_where_and_leaves_no_process_behind(store: Store) -> None:
    code = (
        "import sys; from pathlib import Path; from rich.console import Console;"
        "from toolkit.serving import start_ui;"
        "sys.exit(start_ui(Path(sys.argv[1]), 5640, console=Console()))"
    )
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 5640))
        taken.listen()
        ui = subprocess.Popen(
            [sys.executable, "-c", code, str(store.root)], stdout=subprocess.PIPE, text=True, bufsize=1
        )
        assert ui.stdout is not None
        said = []
        for line in ui.stdout:
            said.append(line)
            if "Ctrl-C" in line:
                break
        servers = _children(ui.pid)
        ui.send_signal(signal.SIGINT)
        ui.send_signal(signal.SIGTERM)
        assert ui.wait(60) == 0
        ui.stdout.close()
    text = "".join(said)
    assert "port 5640 is taken; using 5641" in text
    assert "http://127.0.0.1:5641/#/experiments/1/runs?workflowType=machine_learning" in text
    assert len(servers) >= 2
    assert [pid for pid in servers if Path(f"/proc/{pid}").exists()] == []


def _children(pid: int) -> list[int]:
    """Return all processes below one, from Linux's process table."""
    direct = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*direct, *(below for child in direct for below in _children(child))]


def test_a_server_that_cannot_start_is_told_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(StoreError, match="ended with code 1"), serve(tmp_path, 5660, say=lambda line: None):
        pass


def test_taken_ports_are_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="all taken"), serve(tmp_path, 65536, say=lambda line: None):
        pass


def test_a_port_of_the_system_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(probe: socket.socket, place: tuple[str, int]) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(StoreError, match="administrator"), serve(tmp_path, 80, say=lambda line: None):
        pass
