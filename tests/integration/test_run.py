"""The command as a user runs it: real processes, a real store, a small experiment on made-up data."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from toolkit.cli import app

REPOSITORY = Path(__file__).parents[2]
CELL_KEYS = {
    "track", "rung", "n_train", "n_rules", "seed", "status", "quality",
    "score_average_precision", "score_roc_auc", "error_log_loss",
    "cost_fit_cpu_seconds", "cost_fit_wall_seconds", "cost_fit_peak_bytes",
    "cost_predict_batch_cpu_seconds_per_row", "cost_predict_single_p50_seconds",
}  # fmt: skip

EXPERIMENT = f"""\
experiment: tiny
task: {{name: synthetic, kind: rules, n_clusters: 120, rows_per_cluster: 10}}
ladder:
  seeds: 2
  rungs:
    - {{share: 0.3}}
    - {{share: 1.0}}
tracks:
  baseline: {{column: habit_probability}}
  rules: {{knowledge: {REPOSITORY}/experiments/knowledge/smoke.yaml}}
  classical: {{}}
search: 1.0
engine: {{readings: 0}}
economics:
  value: {{true_positive: 2.0, false_positive: -0.8}}
  volume_per_year: 1.0e6
"""


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "toolkit.run", *(str(argument) for argument in arguments)]


def run(*arguments: str | Path, module: str = "toolkit.run") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *(str(argument) for argument in arguments)],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=300,
    )


def report(*arguments: str | Path) -> Result:
    """Run ``toolkit report`` in this process, which has loaded already what takes seconds."""
    return CliRunner().invoke(app, ["report", *map(str, arguments)])


def ran_cells(output: str) -> list[str]:
    return re.findall(r"^\w+ +rung \d+ +seed \d+", output, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def experiment(folder):
    file = folder / "tiny.yaml"
    file.write_text(EXPERIMENT)
    return file


@pytest.fixture(scope="module")
def store(folder):
    return folder / "mlruns"


@pytest.fixture(scope="module")
def first(experiment, store):
    return run(experiment, "--store", store)


def results_of(store: Path) -> dict:
    return json.loads((store / "reports" / "tiny" / "results.json").read_text())


def test_a_whole_comparison_ends_with_table_sentence_and_places(first, store):
    assert first.returncode == 0, first.stdout + first.stderr
    n_cells = 1 + 6 + 4
    assert len(ran_cells(first.stdout)) == n_cells
    assert (
        len([line for line in first.stdout.splitlines() if "rung" in line and "fit CPU-s" in line]) == n_cells
    )
    assert f"{n_cells} cells to run; about" in first.stdout
    for word in ("baseline", "rules", "classical", "PR-AUC", "verdict", "report", "MLflow"):
        assert word in first.stdout
    report = store / "reports" / "tiny"
    assert (report / "report.html").stat().st_size < 8_000_000
    told = (report / "report.md").read_text(encoding="utf-8")
    assert results_of(store)["verdict"]["sentence"] in told
    assert "(figures/curve-error-log-loss-cpu.png)" in told
    assert "report.md" in first.stdout
    beside = {path.name: path.read_bytes() for path in (report / "figures").iterdir()}
    assert "curve-error-log-loss-cpu.svg" in beside
    (logged,) = store.glob("artifacts/tiny/*/artifacts/figures")
    assert {path.name: path.read_bytes() for path in logged.iterdir()} == beside
    assert (logged.parent / "report.md").read_text(encoding="utf-8") == told


def test_each_track_leaves_the_model_of_its_deployed_rung(first, store):
    verdict = results_of(store)["verdict"]["tracks"]
    assert set(verdict) == {"baseline", "rules", "classical"}
    for track in verdict:
        folder = store / "models" / "tiny" / track / "artifacts"
        assert (folder / "MLmodel").is_file(), track
        assert (folder / "data" / "model" / "track.json").is_file()
    cells = results_of(store)["cells"]
    sizes = {(cell["track"], cell["seed"]): cell["cost_model_bytes"] for cell in cells}
    assert sizes["classical", 0] > 0
    assert sizes["classical", 1] is None
    kept = list(store.glob("artifacts/tiny/*/artifacts/model"))
    assert len(kept) == sum(cell["seed"] == 0 for cell in cells)


def test_predict_uses_the_model_of_the_verdict(first, experiment, store, folder):
    table = folder / "rows.csv"
    table.write_text(
        "orders,recency,gap_cv,basket,discount,complaints,visits,segment,habit_probability\n"
        "3,,0.5,30,0.1,0,4,trade,0.2\n"
        "3,5,0.5,30,0.1,2,0,private,0.2\n"
    )
    printed = run("predict", experiment, table, "--store", store, module="toolkit")
    assert printed.returncode == 0, printed.stderr
    heading, first_row, second_row = printed.stdout.splitlines()
    assert heading == "probability"
    assert 0 < float(second_row) < float(first_row) < 1
    assert results_of(store)["verdict"]["best"] in printed.stderr


def test_results_follow_the_contract(first, store, results_document):
    results = results_of(store)
    results_document.Document.model_validate_json(json.dumps(results))
    assert {"schema_version", "experiment", "task", "cells", "curves", "verdict", "environment"} <= set(
        results
    )
    for cell in results["cells"]:
        assert set(cell) >= CELL_KEYS
        assert cell["status"] == "finished"
    verdict = results["verdict"]
    assert verdict["best"] in ("baseline", "rules", "classical")
    assert verdict["deep_learning_worth_it"] is None, "no deep track took part"
    assert set(verdict["tracks"]) == {"baseline", "rules", "classical"}
    for entry in verdict["tracks"].values():
        assert entry["net_value_usd_per_year"]["low"] <= entry["net_value_usd_per_year"]["high"]


def test_a_second_start_trains_nothing_and_gives_the_same(first, experiment, store):
    before = results_of(store)
    second = run(experiment, "--store", store)
    assert second.returncode == 0
    assert ran_cells(second.stdout) == []
    assert "are finished already" in second.stdout
    after = results_of(store)
    assert after["cells"] == before["cells"]
    assert after["verdict"] == before["verdict"]


def test_report_as_json_prints_nothing_else(first, experiment, store):
    printed = report(experiment, "--store", store, "--format", "json")
    assert printed.exit_code == 0, printed.stderr
    assert json.loads(printed.stdout)["verdict"] == results_of(store)["verdict"]
    assert printed.stderr == ""


def test_report_as_markdown_prints_nothing_else(first, experiment, store):
    printed = report(experiment, "--store", store, "--format", "md")
    assert printed.exit_code == 0, printed.stderr
    assert printed.stdout.startswith("# tiny")
    assert results_of(store)["verdict"]["sentence"] in printed.stdout
    assert "figures/" not in printed.stdout
    assert printed.stderr == ""


def test_report_reprices_with_the_file_as_it_is_now(first, experiment, store, folder):
    dearer = folder / "dearer.yaml"
    dearer.write_text(EXPERIMENT.replace("true_positive: 2.0", "true_positive: 4.0"))
    printed = report(dearer, "--store", store, "--format", "json")
    old, new = results_of(store)["verdict"], json.loads(printed.stdout)["verdict"]
    for track, entry in new["tracks"].items():
        was = old["tracks"][track]["net_value_usd_per_year"]["estimate"]
        assert entry["net_value_usd_per_year"]["estimate"] > was


def test_fresh_trains_again_and_gives_identical_scores(first, experiment, store):
    before = {(c["track"], c["rung"], c["seed"]): c for c in results_of(store)["cells"]}
    again = run(experiment, "--store", store, "--fresh", "--only", "classical", "--seeds", "1")
    assert again.returncode == 0
    assert len(ran_cells(again.stdout)) == 2
    assert "left out" in again.stdout
    after = {(c["track"], c["rung"], c["seed"]): c for c in results_of(store)["cells"]}
    assert set(after) == set(before), "cells of other tracks and seeds stay in the report"
    for key, cell in after.items():
        for name in ("error_log_loss", "score_average_precision", "score_roc_auc"):
            assert cell[name] == before[key][name]


def test_a_track_that_raises_fails_its_cell_and_no_other(folder, store, first):
    # Two clusters at the smallest share leave the logistic regression fewer labels than it needs.
    text = EXPERIMENT.replace("experiment: tiny", "experiment: failing").replace(
        "{share: 0.3}", "{share: 0.0001}"
    )
    file = folder / "failing.yaml"
    file.write_text(text)
    ended = run(file, "--store", store, "--only", "baseline", "--only", "classical")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "cell(s) failed" in ended.stdout
    results = json.loads((store / "reports" / "failing" / "results.json").read_text())
    failed = [cell for cell in results["cells"] if cell["status"] == "failed"]
    assert {cell["track"] for cell in failed} == {"classical"}
    assert all(cell["reason"] for cell in failed)
    assert any(cell["track"] == "classical" and cell["status"] == "finished" for cell in results["cells"])
    assert "failed" in (store / "reports" / "failing" / "report.html").read_text()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seeds: 2", "sedes: 2", r"tiny_bad.yaml:4:\d+: unknown key 'ladder.sedes'; did you mean 'seeds'\?"),
        ("classical: {}", "clasical: {}", r"tiny_bad.yaml:11:\d+: .*did you mean 'classical'\?"),
        ("classical: {}", "classical: {familly: auto}", r"tiny_bad.yaml:11:\d+: .*did you mean 'family'\?"),
        ("name: synthetic", "name: sintetic", r"tiny_bad.yaml:2:\d+: .*did you mean 'synthetic'\?"),
        ("knowledge/smoke.yaml", "knowledge/nothing.yaml", r"nothing.yaml"),
        ("column: habit_probability", "column: habit", r"tiny_bad.yaml:9:\d+: "),
        ("true_positive: 2.0", "true_positive: .nan", r"tiny_bad.yaml:15:\d+: "),
        (
            "  volume_per_year: 1.0e6",
            "  volume_per_year: 1.0e6\n  hardware: toaster",
            r"tiny_bad.yaml:17:\d+: .*'toaster'",
        ),
        ("tracks:", "tracks: [", r"tiny_bad.yaml:\d+:\d+: not valid YAML"),
    ],
)
def test_a_mistake_names_file_and_line_and_ends_with_2(folder, old, new, message):
    file = folder / "tiny_bad.yaml"
    file.write_text(EXPERIMENT.replace(old, new))
    ended = CliRunner().invoke(app, ["run", str(file), "--store", str(folder / "unused")])
    assert ended.exit_code == 2, ended.output
    assert re.search(message, ended.stderr), ended.stderr
    assert "Traceback" not in ended.stderr


def test_no_results_yet_says_what_to_run(folder):
    file = folder / "other.yaml"
    file.write_text(EXPERIMENT.replace("experiment: tiny", "experiment: other"))
    ended = report(file, "--store", folder / "empty")
    assert ended.exit_code == 2
    assert "python -m toolkit.run" in ended.stderr


def test_a_copy_of_the_store_stands_alone(first, experiment, store, folder):
    copy = folder / "backup"
    shutil.copytree(store, copy)
    hidden = store.rename(folder / "hidden")
    try:
        printed = report(experiment, "--store", copy)
        assert printed.exit_code == 0, printed.stderr
        assert len(results_of(copy)["cells"]) == 11
    finally:
        hidden.rename(store)


def test_a_damaged_context_says_what_to_run(first, experiment, store, folder):
    copy = folder / "damaged"
    shutil.copytree(store, copy)
    (copy / "reports" / "tiny" / "context.json").write_text("{}")
    ended = report(experiment, "--store", copy)
    assert ended.exit_code == 2
    assert "python -m toolkit.run" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("arguments", [(), ("--format", "json")])
def test_an_output_that_is_full_is_told(first, experiment, store, arguments):
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "toolkit", "report", experiment, "--store", store, *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
            timeout=120,
        )
    assert ended.returncode == 2, ended.stderr
    assert "cannot be written" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_terminal_without_utf_8_shows_the_table(first, experiment, store):
    ended = subprocess.run(
        [sys.executable, "-m", "toolkit", "report", experiment, "--store", store],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=120,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert ended.returncode == 0, ended.stderr
    assert "classical" in ended.stdout


def test_help_teaches(folder):
    shown = run("--help")
    assert shown.returncode == 0
    for word in ("--only", "--seeds", "--quick", "--fresh", "Exit codes"):
        assert word in shown.stdout


def test_ctrl_c_keeps_finished_cells_and_the_next_start_goes_on(folder, experiment):
    store = folder / "interrupted"
    process = subprocess.Popen(
        command(experiment, "--store", store),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    )
    assert process.stdout is not None
    finished = 0
    for line in process.stdout:
        finished += len(ran_cells(line))
        if finished == 3:
            os.killpg(process.pid, signal.SIGINT)
            break
    rest, errors = process.communicate(timeout=60)
    assert process.returncode == 130, rest + errors
    assert "finished cells are kept" in errors
    assert "Traceback" not in errors
    second = run(experiment, "--store", store)
    assert second.returncode == 0, second.stdout + second.stderr
    assert 11 - finished - 1 <= len(ran_cells(second.stdout)) <= 11 - finished
    assert len(results_of(store)["cells"]) == 11
    deadline = time.monotonic() + 10
    while (left := _processes_of(store)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left, "no process outlives the sweep"


def _processes_of(store: Path) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(store) in line]
