"""The shipped table of ImageNet models: its arithmetic, its sources, and what comes out of it."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from toolkit.publish import analysed
from toolkit.published.file import load
from toolkit.report.published import words

EXPERIMENTS = Path(__file__).parents[3] / "experiments"
IMAGES = 1.281e6
TABLE = (EXPERIMENTS / "published" / "imagenet.csv").read_text(encoding="utf-8")
ROWS = list(csv.DictReader(TABLE.splitlines()))


@pytest.fixture(scope="module")
def published():
    experiment = load(EXPERIMENTS / "imagenet.yaml")
    return analysed(experiment, experiment.read_table())


@pytest.fixture(scope="module")
def studies(published):
    return {study.measure.key: study for study in published.studies}


def test_there_are_models_enough_and_each_figure_has_its_source():
    assert len(ROWS) >= 20
    for row in ROWS:
        for column in ("error", "network_operations_flop", "hardware_burden_flop", "epoch_flop"):
            assert bool(row[column]) == bool(row[f"{column}_source"]), (row["name"], column)


@pytest.mark.parametrize("row", [row for row in ROWS if row["processors"]], ids=lambda row: row["name"])
def test_burden_is_processors_times_peak_times_time(row):
    expected = float(row["processors"]) * float(row["peak_gflops"]) * 1e9 * float(row["days"]) * 86_400
    assert float(row["hardware_burden_flop"]) == pytest.approx(expected, rel=0.005)


@pytest.mark.parametrize("row", [row for row in ROWS if row["multiply_adds"]], ids=lambda row: row["name"])
def test_network_operations_are_six_for_each_multiply_add_and_image(row):
    expected = 6 * float(row["multiply_adds"]) * float(row["epochs"]) * IMAGES
    assert float(row["network_operations_flop"]) == pytest.approx(expected, rel=0.005)


def test_the_published_powers_are_found_again(studies):
    # 10.7 and 12.0 in the notebooks of Thompson et al., of which this table holds a part and others besides.
    assert studies["hardware_burden"].line.power.estimate == pytest.approx(10.7, rel=0.1)
    for key, theirs in (("hardware_burden", 10.7), ("network_operations", 12.0)):
        power = studies[key].line.power
        assert power.low < theirs < power.high
        assert power.low > 4
        assert power.low < 9 < power.high


def test_the_power_within_efficientnets_is_that_of_the_notebook(studies):
    (found,) = [one for one in studies["network_operations"].families if one.family == "EfficientNet"]
    assert found.line.power.estimate == pytest.approx(12.3, abs=0.1)


def test_alexnet_to_nasnet_is_six_times_hardware_250_processors_and_two_thirds_of_the_time(published):
    parts = published.decomposition
    assert parts.product == pytest.approx(1004, rel=0.01)
    assert parts.hardware == pytest.approx(6.03, rel=0.01)
    assert parts.processors == 250
    assert parts.time == pytest.approx(0.67, rel=0.01)
    assert parts.error == pytest.approx(0.47, rel=0.01)


def test_five_per_cent_costs_what_the_constants_say(published, studies):
    (found,) = studies["hardware_burden"].forecasts
    assert found.line.low < 10**26.3 < found.line.high
    assert found.usd.estimate == pytest.approx(found.line.estimate / 6.874e16)
    assert found.kg_co2.estimate == pytest.approx(found.line.estimate / 3.498e17 * 0.45359237)
    assert studies["epoch"].forecasts[0].usd is None
    # the article's 10^28: 145 billion dollars and 2.75 months of New York City
    usd, carbon = published.prices
    assert 1e28 * usd.per_unit == pytest.approx(1.45e11, rel=0.01)
    assert 1e28 * carbon.per_unit / 4.708e9 == pytest.approx(2.75, rel=0.01)


@pytest.mark.parametrize("key", ["hardware_burden", "network_operations", "epoch"])
def test_the_floor_is_not_identifiable_and_five_per_cent_not_shown_reachable(studies, key):
    study = studies[key]
    assert study.curve.floor.low == 0
    assert study.curve.floor.high > 0.05
    none, *others = study.floors
    four = next(one for one in others if one.floor == pytest.approx(0.04))
    assert abs(four.aicc - none.aicc) < 2
    assert study.forecasts[0].curve.high == float("inf")
    assert [code for code, _ in study.forecasts[0].refusals] == ["not_shown_reachable"]


def test_a_vision_transformer_of_another_pre_training_set_is_no_size_of_the_same_recipe(published, studies):
    families = {one.name: one.family for one in published.observations if one.name.startswith("ViT-")}
    assert families["ViT-L/16 on ImageNet-21k"] != families["ViT-L/16 on JFT"] == families["ViT-H/14 on JFT"]
    fitted = [one.name for one in studies["hardware_burden"].points]
    assert "ViT-L/16 on ImageNet-21k" in fitted
    assert "ViT-H/14 on JFT" in fitted
    assert "ViT-L/16 on JFT" not in fitted
    assert "12 more rows of 2 families (RegNetY 11, ViT on JFT 1)" in studies["hardware_burden"].notes[0]


def test_the_figures_of_the_docs_are_those_of_the_table(published, studies):
    docs = (EXPERIMENTS.parent / "docs" / "published-results.md").read_text(encoding="utf-8")
    for study in studies.values():
        power, times = words.power(study.line.power), words.halving(study.line).replace(" [", " x [")
        assert (
            f"| {len(study.points)} | {power} | {times} | {study.line.r_squared:.3f} |".replace(
                "\u00a0", " "
            ).replace("| 0.", "| .")
            in docs
        )
    readme = (EXPERIMENTS.parent / "README.md").read_text(encoding="utf-8")
    assert words.power(studies["hardware_burden"].line.power).replace("\u00a0", " ") in readme


def test_measures_are_never_mixed(studies):
    for key, study in studies.items():
        values = sorted(float(row[f"{key}_flop"]) for row in ROWS if row[f"{key}_flop"])
        assert sorted(study.compute(one) for one in (*study.points, *study.members)) == values


def test_the_file_names_no_source_that_nothing_cites():
    text = (EXPERIMENTS / "imagenet.yaml").read_text(encoding="utf-8")
    for key in load(EXPERIMENTS / "imagenet.yaml").sources:
        assert re.search(rf"\b{key}\b", TABLE) or re.search(rf"source: {key}\b", text), key
