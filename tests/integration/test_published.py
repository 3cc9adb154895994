"""Published results as a user runs them: the shipped experiment in a store of its own, and a table in CSV."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from toolkit.cli import app
from toolkit.store import Store

REPOSITORY = Path(__file__).parents[2]
IMAGENET = REPOSITORY / "experiments" / "imagenet.yaml"
TABLE = """\
name,year,compute,error
tiny,2019,1e15,0.41
small,2020,4e15,0.36
medium,2021,5e16,0.27
medium+,2021,8e16,0.262
large,2022,4e17,0.205
xl,2023,3e18,0.165
"""


def run(*arguments: str | Path):
    """Run the command in this process, which has loaded already what takes seconds."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published") / "store"
    done = run("run", IMAGENET, "--store", folder)
    assert done.exit_code == 0, done.output
    return folder, done.stdout


def runs(folder: Path, kind: str):
    with Store.open(folder) as store:
        identifier = store._runs.find("imagenet")
        assert identifier is not None
        return store._runs.search(identifier, kind)


def test_it_prints_the_table_and_what_to_take_away(store):
    _, output = store
    flat = " ".join(output.replace("\u00a0", " ").split())
    assert "Hardware burden 27 0.833" in flat
    assert "no forecast: 5 % is not shown to be reachable: the floor may lie above it" in flat
    assert "So whether 5 % can be reached by compute at all is not known." in flat
    assert "report.html" in flat
    assert "workflowType=machine_learning" in flat


def test_every_model_is_a_run_with_its_year_error_compute_and_sources(store):
    folder, _ = store
    models = {run.info.run_name: run for run in runs(folder, "published")}
    assert len(models) == 60
    one = models["AlexNet"]
    assert one.data.metrics["error"] == pytest.approx(0.367)
    assert one.data.metrics["year"] == 2012
    assert one.data.metrics["hardware_burden"] == pytest.approx(1.64e18)
    assert one.data.metrics["log10_epoch"] == pytest.approx(17.67, abs=0.01)
    assert "Krizhevsky" in one.data.tags["source.error"]
    assert "seven networks" in one.data.tags["note"]
    assert one.data.params["processor"] == "GeForce GTX 580"
    assert {run.info.status for run in models.values()} == {"FINISHED"}


def test_the_report_run_has_key_figures_and_the_files(store):
    folder, _ = store
    (report,) = runs(folder, "report")
    assert report.data.metrics["hardware_burden/power"] == pytest.approx(9.94, abs=0.01)
    assert report.data.metrics["decomposition/product"] == pytest.approx(1004, rel=0.01)
    assert "halving the error" in report.data.tags["verdict"]
    with Store.open(folder) as opened:
        files = {path.name for path in opened._runs.folder(report).iterdir()}
    assert files == {"report.html", "report.md", "results.json", "imagenet.csv", "figures"}


def test_a_second_run_changes_nothing_and_report_is_the_same(store):
    folder, _ = store
    before = {run.info.run_id for kind in ("published", "report") for run in runs(folder, kind)}
    assert run("report", IMAGENET, "--store", folder).exit_code == 0
    assert {run.info.run_id for kind in ("published", "report") for run in runs(folder, kind)} == before


def test_a_changed_figure_replaces_the_runs(tmp_path):
    for name in ("imagenet.yaml", "published/imagenet.csv"):
        target = tmp_path / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes((REPOSITORY / "experiments" / name).read_bytes())
    folder = tmp_path / "store"
    assert run("run", tmp_path / "imagenet.yaml", "--store", folder).exit_code == 0
    table = tmp_path / "published" / "imagenet.csv"
    lines = [line for line in table.read_text(encoding="utf-8").splitlines() if not line.startswith("CoCa,")]
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert run("run", tmp_path / "imagenet.yaml", "--store", folder).exit_code == 0
    names = [run.info.run_name for run in runs(folder, "published")]
    assert len(names) == 59
    assert "CoCa" not in names
    assert len(runs(folder, "report")) == 1


def test_json_is_printed_and_nothing_written(tmp_path):
    told = run("report", IMAGENET, "--format", "json", "--store", tmp_path / "none")
    assert json.loads(told.stdout)["kind"] == "published"
    assert not (tmp_path / "none").exists()


def test_markdown_is_printed_and_nothing_written(tmp_path):
    told = run("report", IMAGENET, "--format", "md", "--store", tmp_path / "none")
    assert told.exit_code == 0, told.output
    assert told.stdout.startswith("# imagenet")
    assert "- **What the table says**: Over 27 results" in told.stdout
    assert not (tmp_path / "none").exists()


def test_check_counts_what_is_there():
    told = run("check", IMAGENET, "--format", "json")
    assert told.exit_code == 0
    assert json.loads(told.stdout) == {
        "file": str(IMAGENET),
        "results": 60,
        "measures": {"Hardware burden": 27, "Network operations": 15, "Training compute after Epoch AI": 16},
        "sources": 37,
        "unused_sources": [],
        "left_out": [],
        "doubts": [],
    }
    assert "60 published results" in " ".join(run("check", IMAGENET).stdout.split())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", IMAGENET, "--only", "neural"], "--only does not go with published results"),
        (["run", IMAGENET, "--quick"], "--quick does not go with published results"),
        (["run", IMAGENET, "--stop-early"], "--stop-early does not go with published results"),
        (["check", IMAGENET, "--data"], "--data goes with a knowledge base"),
        (["explain", IMAGENET, "--row", "1"], "this experiment holds published results: nothing was trained"),
        (["predict", IMAGENET, IMAGENET], "this experiment holds published results: nothing was trained"),
        (["suggest", IMAGENET], "this experiment holds published results: nothing was trained"),
        (["report", IMAGENET, "--hardware", "own-server"], "this experiment holds published results"),
    ],
)  # fmt: skip
def test_what_has_no_meaning_here_is_refused(arguments, told):
    done = run(*arguments)
    assert done.exit_code == 2
    assert told in done.stderr


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "results.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def test_a_table_of_ones_own_gets_a_report_and_figures(table):
    done = run("curve", table, "--target", "0.1", "--unit", "FLOP", "--usd-per-unit", "1e-17")
    assert done.exit_code == 0, done.output
    flat = " ".join(done.stdout.replace("\u00a0", " ").split())
    assert "Over 6 results" in flat
    assert "no forecast: 6 results are there; a forecast needs at least 8" in flat
    assert "$" in flat
    folder = table.parent / "results-curve"
    assert sorted(path.name for path in folder.iterdir()) == [
        "figures",
        "report.html",
        "report.md",
        "results.json",
    ]
    figures = sorted((folder / "figures").iterdir())
    assert [path.name for path in figures] == ["curve-compute.png", "curve-compute.svg"]
    assert figures[0].read_bytes().startswith(b"\x89PNG")
    assert "Error against compute" in (folder / "report.html").read_text(encoding="utf-8")
    told = (folder / "report.md").read_text(encoding="utf-8")
    assert "](figures/curve-compute.png)" in told
    assert run("curve", table, "--format", "md").stdout.startswith("# results")


def test_the_command_in_the_report_asks_the_same_again(table):
    told = run("curve", table, "--target", "0.1", "--unit", "GPU hours", "--format", "json").stdout
    document = json.loads(told)
    assert document["environment"]["command"] == f"toolkit curve {table} --unit 'GPU hours' --target 0.1"
    assert document["studies"][0]["measure"]["unit"] == "GPU hours"
    assert not (table.parent / "results-curve").exists()


def test_percent_and_other_columns(table):
    rows = [line.split(",") for line in TABLE.splitlines()[1:]]
    table.write_text("flop,top1\n" + "".join(f"{row[2]},{float(row[3]) * 100:g}\n" for row in rows))
    options = (
        "--compute",
        "flop",
        "--error",
        "top1",
        "--scale",
        "percent",
        "--target",
        "10",
        "--format",
        "json",
    )
    document = json.loads(run("curve", table, *options).stdout)
    assert document["observations"][0]["error"] == pytest.approx(0.41)
    assert document["studies"][0]["forecasts"][0]["target"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--target", "5"], "--target: an error is under 1 on the scale 'share', got 5; 5 % is 0.05"),
        (["--target", "0"], "--target: an error is a number above 0, got 0"),
        (["--usd-per-unit", "0"], "--usd-per-unit: a price is a number above 0, got 0"),
        (["--usd-per-unit", "nan"], "--usd-per-unit: a price is a number above 0, got nan"),
        (["--target", "nan"], "--target: an error is a number above 0, got nan"),
        (["--error", "eror"], "there is no column 'eror' in the line of names; did you mean 'error'?"),
        (["--compute", "error"], "--compute: compute and error are the same column, 'error'"),
        (["--compute", "year"], "--compute: 'year' describes a row"),
        (["--error", "name"], "--error: 'name' describes a row"),
        (["--out", os.devnull], "name another folder with --out"),
    ],
)  # fmt: skip
def test_mistakes_end_with_2_and_a_sentence(table, options, told):
    done = run("curve", table, *options)
    assert done.exit_code == 2
    assert told in done.stderr


def flat(done) -> str:
    return " ".join(done.stdout.replace("\u00a0", " ").split())


def test_a_target_that_is_not_forecast_is_drawn_on_as_no_forecast(table):
    told = flat(run("curve", table, "--target", "0.1", "--target", "0.1", "--target", "0.05"))
    assert "By the line 10 % is forecast" not in told
    assert told.count("which is no forecast, the line reaches 10 % at") == 1
    assert "no forecast: 6 results are there; a forecast needs at least 8" in told


def test_each_target_that_is_refused_is_told(tmp_path):
    path = tmp_path / "results.csv"
    rows = [f"1e{i},{0.5 * 0.8**i * (1 + 0.01 * (-1) ** i):.4g}" for i in range(9)]
    path.write_text("\n".join(["compute,error", *rows]) + "\n")
    told = flat(run("curve", path, "--target", "0.01", "--target", "0.005", "--scale", "share"))
    assert "no forecast: 1 % takes" in told or "no forecast: 1 % is not shown" in told
    assert "no forecast: 0.5 % takes" in told or "no forecast: 0.5 % is not shown" in told


def test_families_that_leave_too_few_results_say_so_and_what_to_do(table):
    lines = TABLE.splitlines()
    rows = [f"{line},{'AB'[i % 2]}" for i, line in enumerate(lines[1:])]
    table.write_text("\n".join([f"{lines[0]},family", *rows]) + "\n")
    done = run("curve", table)
    assert done.exit_code == 2
    assert "2 results of different compute; a line needs at least 3" in done.stderr
    assert "4 more rows of 2 families (A 2, B 2) are not in this fit" in done.stderr
    assert "take the column 'family' out" in done.stderr


def test_a_missing_repeat_is_told_in_terminal_and_report(tmp_path):
    path = tmp_path / "results.csv"
    rows = [f"{10**i},{0.5 * 0.7**i + 0.001 * seed:.4g}" for i in range(8) for seed in range(3)]
    path.write_text("\n".join(["compute,error", *rows[:-1]]) + "\n")
    done = run("curve", path)
    told = flat(done)
    assert "Over 8 rungs of 23 rows" in told
    assert "no forecast: 2 seeds were run at 1 of 8 rungs; a forecast needs at least 3" in told
    page = (tmp_path / "results-curve" / "report.html").read_text(encoding="utf-8")
    assert "2 seeds were run at 1 of 8 rungs" in page.replace("\u00a0", " ")
    document = json.loads((tmp_path / "results-curve" / "results.json").read_text(encoding="utf-8"))
    assert document["studies"][0]["n_seeds"] == 2


def test_the_module_runs_it_too(tmp_path):
    """As a process: what the README says, with nothing loaded before."""
    command = [sys.executable, "-m", "toolkit.run", str(IMAGENET), "--store", str(tmp_path / "store")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, timeout=300)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "store" / "reports" / "imagenet" / "report.html").exists()
    assert done.stderr == ""


def test_a_table_whose_line_may_rise_is_told_so_and_reported(tmp_path: Path) -> None:
    table = tmp_path / "rising.csv"
    table.write_text("compute,error\n1,.2\n10,.1\n100,.3\n1000,.2\n")
    done = run("curve", table, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "does not clearly fall" in " ".join(done.output.split())
    assert (tmp_path / "out" / "report.html").exists()
