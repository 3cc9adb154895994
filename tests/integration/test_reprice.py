"""A finished experiment with other prices: the same figures as with those prices in the file."""

from __future__ import annotations

import gc
import json
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from toolkit.cli import app
from toolkit.records import REPEAT_MARK
from toolkit.store.runs import Runs

REPOSITORY = Path(__file__).parents[2]

EXPERIMENT: dict[str, Any] = {
    "experiment": "priced",
    "task": {"name": "synthetic", "kind": "rules", "n_clusters": 120, "rows_per_cluster": 10},
    "ladder": {"seeds": 2, "rungs": [{"share": 0.3}, {"share": 1.0}]},
    "tracks": {
        "baseline": {"column": "habit_probability"},
        "rules": {"knowledge": f"{REPOSITORY}/experiments/knowledge/smoke.yaml"},
        "classical": {},
        "neural": {},
    },
    "search": 1.0,
    "engine": {"readings": 3},
    "economics": {
        "value": {"true_positive": 2.0, "false_positive": -0.8},
        "volume_per_year": [0.5e6, 1.0e6, 2.0e6],
        "hours": {"neural": {"build": [10, 20, 40], "per_year": 5}},
    },
}

LOADED = """\
import sys
from toolkit.cli import app
try:
    app(sys.argv[1:])
except SystemExit as end:
    assert end.code == 0, end.code
heavy = {"mlflow", "pandas", "torch", "sklearn", "optuna", "duckdb", "sympy", "scipy.stats", "scipy.special"}
print(*sorted(heavy & set(sys.modules)), file=sys.stderr)
"""


def toolkit(*arguments: str | Path) -> Result:
    """Run a command in this process, which has loaded already what takes seconds."""
    try:
        return CliRunner().invoke(app, [*map(str, arguments)])
    finally:
        gc.enable()  # a command that ends its process goes without


def in_process_of_its_own(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, command)], capture_output=True, text=True, cwd=REPOSITORY, timeout=300
    )


class Finished:
    """An experiment that has been run."""

    def __init__(self, folder: Path) -> None:
        self.file, self.store = folder / "priced.yaml", folder / "mlruns"
        self.file.write_text(yaml.safe_dump(EXPERIMENT))
        done = in_process_of_its_own("-m", "toolkit", "run", self.file, "--store", self.store)
        assert done.returncode == 0, done.stdout + done.stderr
        self.report = self.store / "reports" / "priced"

    def priced(self, *options: str) -> Result:
        """Price it with other prices."""
        return toolkit("report", self.file, "--store", self.store, *options)

    def other_file(self, economics: dict[str, Any]) -> Path:
        """Write an experiment file with other prices."""
        other = self.file.with_name("other.yaml")
        declared = {**EXPERIMENT["economics"], **economics}
        other.write_text(yaml.safe_dump({**EXPERIMENT, "economics": declared}))
        return other

    def with_file(self, economics: dict[str, Any]) -> dict[str, Any]:
        """Analyse all cells anew with other prices in the file."""
        other = self.other_file(economics)
        done = toolkit("report", other, "--store", self.store, "--format", "json")
        assert done.exit_code == 0, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Finished:
    return Finished(tmp_path_factory.mktemp("priced"))


def differences(first: Any, second: Any, place: str = "") -> Iterator[str]:
    """Yield where two documents differ, numbers by more than 1e-9 of their size."""
    if isinstance(first, dict) and isinstance(second, dict):
        for key in sorted({*first, *second}):
            yield from differences(first.get(key, "-"), second.get(key, "-"), f"{place}/{key}")
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        for number, (one, two) in enumerate(zip(first, second, strict=True)):
            yield from differences(one, two, f"{place}[{number}]")
    elif isinstance(first, float) and isinstance(second, float):
        if not math.isclose(first, second, rel_tol=1e-9):
            yield f"{place}: {first} {second}"
    elif first != second:
        yield f"{place}: {first} {second}"


CASES = {
    "hardware": (["--hardware", "own-server"], {"hardware": "own-server"}),
    "country and kWh price": (
        ["--hardware", "own-server", "--country", "PL", "--price-kwh", "0.1,0.3,0.4"],
        {"hardware": "own-server", "country": "PL", "price_per_kwh": [0.1, 0.3, 0.4]},
    ),
    "carbon": (["--carbon-price", "80"], {"carbon_price_per_tonne": 80.0}),
    "volume, retrains and wage": (
        ["--volume", "1e3,1e4,1e5", "--retrains", "52", "--wage", "30,60,90"],
        {"volume_per_year": [1e3, 1e4, 1e5], "retrains_per_year": 52.0, "wage_per_hour": [30, 60, 90]},
    ),
    "one at a time": (
        ["--serving", "single", "--speed", "2", "--pue", "1.5"],
        {"serving": "single", "speed": 2.0, "pue": 1.5},
    ),
    "accelerators": (["--hardware", "aws-g4dn.xlarge"], {"hardware": "aws-g4dn.xlarge"}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_same_figures_as_with_those_prices_in_the_file(finished, case) -> None:
    options, economics = CASES[case]
    expected = finished.with_file(economics)
    done = finished.priced(*options, "--format", "json")
    assert done.exit_code == 0, done.stderr
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert found["experiment"]["economics"]["sources"].keys() == set(economics)
    for document in (expected, found):
        del document["environment"], document["experiment"]["economics"]["sources"]
        for row in document["prices"]:
            if row.get("key") in economics:  # from the file there, from the command here
                del row["source"]
    assert list(differences(expected, found)) == []
    assert found["verdict"]["tracks"].keys() == EXPERIMENT["tracks"].keys()
    assert found["spending"]["footprints"]


def test_the_report_goes_into_a_folder_of_its_own_and_nothing_else_is_touched(finished) -> None:
    finished.with_file({})
    files = ("report.html", "report.md", "results.json")
    kept = [*(finished.report / name for name in files), finished.store / "mlflow.db"]
    before = [path.read_bytes() for path in kept]
    done = finished.priced("--hardware", "own-server", "--country", "PL")
    assert done.exit_code == 0, done.stderr
    assert [path.read_bytes() for path in kept] == before
    folder = finished.report / "priced" / "own-server-PL"
    results = json.loads((folder / "results.json").read_text())
    assert results["experiment"]["economics"]["hardware"] == "own-server"
    assert results["environment"]["priced_with"] == "--hardware own-server --country PL"
    assert "own-server" in (folder / "report.html").read_text(encoding="utf-8")
    assert "--hardware own-server --country PL" in (folder / "report.md").read_text(encoding="utf-8")
    assert not (folder / "figures").exists()
    for words in ("with the file's prices", "with these", "own-server-PL/report.html"):
        assert words in " ".join(done.stdout.split()).replace("- ", "-"), words


def test_markdown_with_other_prices_is_printed_and_nothing_is_written(finished) -> None:
    finished.with_file({})
    done = finished.priced("--country", "NO", "--format", "md")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("# priced")
    assert "--country NO" in done.stdout.partition("\n1. [")[0]
    assert not (finished.report / "priced" / "NO").exists()


def test_figures_are_written_where_they_are_asked_for(finished) -> None:
    finished.with_file({})
    done = finished.priced("--country", "FR", "--figures")
    assert done.exit_code == 0, done.stderr
    folder = finished.report / "priced" / "FR" / "figures"
    assert (folder / "curve-error-log-loss-money.png").stat().st_size > 10_000
    assert "priced/FR/figures" in done.stdout.replace("\n", "")


def test_neither_mlflow_nor_torch_nor_scikit_learn_is_loaded(finished) -> None:
    finished.with_file({})
    arguments = ["report", finished.file, "--store", finished.store, "--country", "PL"]
    done = in_process_of_its_own("-c", LOADED, *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == ""


def test_without_a_kept_analysis_all_cells_are_read_and_it_says_so(finished) -> None:
    expected = finished.priced("--volume", "5e5", "--format", "json")
    (finished.report / "analysed.json").unlink()
    again = finished.priced("--volume", "5e5", "--format", "json")
    assert again.exit_code == 0
    assert "no analysis was kept: reading all cells" in again.stderr
    first, second = json.loads(expected.stdout), json.loads(again.stdout)
    assert first["verdict"] == second["verdict"]
    assert (finished.report / "analysed.json").exists()
    assert finished.priced("--volume", "5e5", "--format", "json").stderr == ""


def test_a_cell_that_was_deleted_in_mlflow_does_not_count(finished) -> None:
    finished.with_file({})
    before = json.loads(finished.priced("--volume", "5e5", "--format", "json").stdout)
    listed = Runs(finished.store.resolve())
    identifier = listed.find("priced")
    assert identifier is not None
    cell = next(
        run
        for run in listed.search(identifier, "cell")
        if run.data.tags["track"] == "classical" and REPEAT_MARK not in run.data.tags["fingerprint"]
    )
    again = "the code have changed since the last analysis: reading all cells"
    listed.delete(cell)
    done = finished.priced("--volume", "5e5", "--format", "json")
    assert again in " ".join(done.stderr.split())
    assert len(json.loads(done.stdout)["cells"]) == len(before["cells"]) - 1
    assert finished.priced("--volume", "5e5", "--format", "json").stderr == ""
    listed._client.restore_run(cell.info.run_id)
    done = finished.priced("--volume", "5e5", "--format", "json")
    assert again in " ".join(done.stderr.split())


def test_a_price_without_effect_is_told(finished) -> None:
    done = finished.priced("--price-kwh", "0.5", "--country", "PL")
    assert done.exit_code == 0
    assert "--price-kwh changes nothing" in done.stderr
    assert "--country changes the carbon and no money" in done.stderr


SPEED = "speed is 1: the file's 2 is that of cloud-vcpu; give --speed for own-server"
KWH = "electricity has the price of the tables for PL: the file's 0.1,0.2,0.9 a kWh is that of US"


@pytest.mark.parametrize(
    ("options", "told", "expected"),
    [
        (["--hardware", "own-server"], [SPEED], (1, 0.9)),
        (["--hardware", "own-server", "--country", "PL"], [SPEED, KWH], (1, None)),
        (["--hardware", "own-server", "--speed", "3"], [], (3, 0.9)),
        (["--country", "PL", "--price-kwh", "0.5"], [], (2, 0.5)),
    ],
)
def test_what_the_file_says_of_its_machine_or_country_stays_behind(finished, options, told, expected) -> None:
    file = finished.other_file({"speed": 2.0, "price_per_kwh": [0.1, 0.2, 0.9]})
    done = toolkit("report", file, "--store", finished.store, *options, "--format", "json")
    assert done.exit_code == 0, done.stderr
    notes = " ".join(done.stderr.split())
    assert notes.count("; give --") == len(told)
    assert all(sentence in notes for sentence in told)
    economics = json.loads(done.stdout)["experiment"]["economics"]
    kwh = economics["price_per_kwh"]
    assert (economics["speed"]["high"], kwh and kwh["high"]) == expected


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--hardware", "own-serve"], "--hardware: there is no hardware profile 'own-serve'"),
        (["--country", "XX"], "--country: there is no electricity grid 'XX'"),
        (["--volume", "lots"], "--volume: expected a number or low,likely,high"),
        (["--serving", "both"], "--serving: expected 'batch' or 'single', got both"),
    ],
)
def test_a_mistake_ends_with_2_and_names_the_option(finished, options, words) -> None:
    done = finished.priced(*options)
    assert done.exit_code == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_an_experiment_that_never_ran_says_what_to_run(finished, tmp_path) -> None:
    done = toolkit("report", finished.file, "--store", tmp_path / "none", "--country", "PL")
    assert done.exit_code == 2
    assert "python -m toolkit.run" in done.stderr
