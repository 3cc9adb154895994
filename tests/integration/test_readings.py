"""Costs that a verdict rests on are measured again: real processes, a real store, made-up data."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from toolkit.records import REPEAT_MARK, CellRecord
from toolkit.run import run_experiment
from toolkit.store import Store

EXPERIMENT = """\
experiment: again
task: {name: synthetic, kind: rules, n_clusters: 80, rows_per_cluster: 10}
ladder: {seeds: 2, rungs: [{share: 1.0}]}
tracks:
  baseline: {column: habit_probability}
  classical: {family: logistic}
search: 1.0
engine: {slots: 2, readings: 3}
economics: {value: {true_positive: 2.0, false_positive: -0.8}, volume_per_year: 1.0e6}
"""


class Ran:
    """One sweep: what was printed, and what the store has."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "again.yaml"
        self.file.write_text(EXPERIMENT)
        self.store = folder / "mlruns"
        self.first = self.run()

    def run(self, **options) -> str:
        console = Console(file=io.StringIO(), width=200)
        assert run_experiment(self.file, store_folder=self.store, console=console, **options) == 0
        return console.file.getvalue()

    def records(self) -> list[CellRecord]:
        with Store.open(self.store) as store:
            return [record for record, _ in store.read("again")]


@pytest.fixture(scope="module")
def ran(tmp_path_factory) -> Ran:
    return Ran(tmp_path_factory.mktemp("readings"))


def test_what_ran_side_by_side_is_measured_again_one_at_a_time(ran):
    records = ran.records()
    cells = [one for one in records if not one.repeat]
    repeats = [one for one in records if one.repeat]
    assert len(cells) == 3
    learned = [one for one in cells if one.track == "classical"]
    assert {one.qualities["search"] for one in learned} == {"contended"}, "they ran side by side"
    again = [one for one in repeats if one.track == "classical"]
    assert sorted((one.seed, one.repeat) for one in again) == [(0, 1), (0, 2), (1, 1)]
    assert "measuring again what the verdict rests on" in ran.first
    assert ran.first.count("again 1") + ran.first.count("again 2") >= len(again)


def test_a_repeat_has_costs_and_latencies_but_no_scores_and_no_model(ran):
    by_name = {(one.track, one.seed, one.repeat): one for one in ran.records()}
    cell, repeat = by_name["classical", 1, 0], by_name["classical", 1, 1]
    assert repeat.fingerprint == f"{cell.fingerprint}{REPEAT_MARK}1"
    assert repeat.scores == {}
    assert repeat.chosen == cell.chosen, "the same seed does the same work"
    assert repeat.costs["cost_fit_cpu_seconds"] > 0
    assert repeat.costs["cost_predict_single_cpu_seconds"] > 0
    assert cell.withheld["cost_predict_single_p50_seconds"] == "measured with seed 0 only"
    assert repeat.calibration.keys() == cell.calibration.keys()
    assert all(value > 0 for value in repeat.calibration.values())


def test_repeats_are_no_cells_in_results_and_are_found_again(ran):
    results = json.loads((ran.store / "reports" / "again" / "results.json").read_text())
    assert len(results["cells"]) == 3
    assert {summary["n_seeds"] for summary in results["summaries"]} == {1, 2}
    n_records = len(ran.records())
    assert "measuring again" not in ran.run()
    assert len(ran.records()) == n_records


def test_a_quick_look_measures_nothing_again(tmp_path):
    quick = Ran.__new__(Ran)
    quick.file, quick.store = tmp_path / "again.yaml", tmp_path / "mlruns"
    quick.file.write_text(EXPERIMENT)
    assert "measuring again" not in quick.run(quick=True)
    assert not [one for one in quick.records() if one.repeat]
