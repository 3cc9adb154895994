"""The report on a table: its sentences, its sections, its figure, and sound HTML."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from toolkit.analysis.published.assemble import Question, analyse
from toolkit.analysis.published.claims import judge
from toolkit.analysis.published.export import SCHEMA_VERSION, to_json
from toolkit.analysis.published.reach import Reach
from toolkit.publish import analysed
from toolkit.published.file import load
from toolkit.published.values import Measure, Observation, Price
from toolkit.report.published import report
from toolkit.report.published.figures import error_against_compute
from toolkit.report.published.sentences import key_sentences

ROOT = Path(__file__).parents[3]
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def imagenet():
    experiment = load(ROOT / "experiments" / "imagenet.yaml")
    return report.with_sentences(analysed(experiment, experiment.read_table()))


def made_up(error, *, compute=None, seeds=1, **options):
    compute = np.geomspace(1e2, 1e6, 10) if compute is None else compute
    rows = [
        Observation(f"{HOSTILE} {i}", float(value), {"c": float(cost)}, year=2000.0 + i, note=HOSTILE)
        for i, (cost, value) in enumerate(zip(np.repeat(compute, seeds), error, strict=True))
    ]
    question = Question(HOSTILE, HOSTILE, (Measure("c", "Compute", "GPU h"),), priced="c", **options)
    return report.with_sentences(analyse(rows, question))


def falling(*, floor=0.0, seeds=1, sigma=0.01):
    curve = floor + 0.5 * np.repeat(np.geomspace(1, 1e4, 10), seeds) ** -0.3
    return curve * np.exp(np.random.default_rng(1).normal(0, sigma, len(curve)))


def test_imagenet_in_sentences(imagenet):
    first, floor, forecast, year, others = (told.replace("\u00a0", " ") for told in imagenet.sentences)
    assert first.startswith(
        "Over 27 results (R² 0.833), halving the error took 980 times [340, 4,700] the hardware"
    )
    assert "Drawn on far beyond the results, which is no forecast, the line reaches 5 %" in forecast
    assert "at the declared rates" in forecast
    assert "whether 5 % can be reached by compute at all is not known" in floor
    assert "later models are better" in year
    assert "network operations, 15 results" in others


def test_where_a_floor_shows_it_comes_first_and_the_line_is_called_too_hopeful():
    first, second, third = made_up(falling(floor=0.2, seeds=3), seeds=3, targets=(0.1,)).sentences
    assert first.startswith("The error levels off: more of the same does not take it below")
    assert "too hopeful" in second
    assert third == "The curve with its floor never reaches 10\u00a0%."


def test_a_target_above_all_errors_is_reached_by_the_cheapest_already():
    found = made_up(falling(), targets=(0.6,), prices=(Price("usd", 2.0), Price("kg_co2", 0.5)))
    told = (
        "60\u00a0% takes at most 100\u00a0GPU h, which is $200 and 50\u00a0kg CO₂ at the declared rates: the "
        "cheapest result reaches it already."
    )
    assert told in found.sentences
    page = report.render(found)
    assert "at most 100 GPU h" in page
    assert "reached by the cheapest already" in page


def test_equal_errors_have_no_power_floor_or_infinite_amounts_anywhere():
    found = made_up(np.full(10, 0.2), targets=(0.1, 0.3))
    page = report.render(found)
    assert "∞" not in page.replace("∞ means", "")
    assert "What the data cannot tell" not in page
    assert "lies under the floor" not in page
    assert ">none<" in page
    assert "An error that does not fall tells nothing of a floor." in page


@pytest.mark.parametrize("largest", [1e305, 1e307, 1.7e308])
def test_computes_near_the_largest_number_are_drawn(largest, tmp_path):
    compute = largest * np.geomspace(1e-4, 1, 10)
    found = made_up(falling(), compute=compute, targets=(0.01, 0.2))
    grid = [x for trace in error_against_compute(found, found.studies[0]).data for x in trace.x]
    assert all(map(math.isfinite, grid))
    assert report.write(found, tmp_path).figures  # warnings are errors


def test_a_flat_scatter_is_told_no_amounts():
    found = made_up(0.2 * np.exp(np.random.default_rng(2).normal(0, 0.05, 10)), targets=(0.1,))
    assert (
        "What 10\u00a0% takes is not told: the error does not clearly fall with compute." in found.sentences
    )
    assert "× 10¹⁰" not in " ".join(found.sentences)


def test_refused_targets_stand_in_the_report_without_a_forecast():
    page = report.render(made_up(falling(), targets=(0.012,)))
    assert "drawn on; no forecast" in page
    assert ">no forecast<" in page
    assert "by the curve with a floor" in page


def test_an_error_that_rises_is_not_said_to_be_halved():
    first, *_ = made_up(np.geomspace(0.1, 0.4, 10), targets=(0.05,)).sentences
    assert "the error rises with compute" in first
    found = made_up(np.geomspace(0.1, 0.4, 10), targets=(0.05,)).sentences
    assert any("never reaches" in told for told in found)


def test_three_results_are_too_few_for_a_floor():
    found = made_up([0.4, 0.3, 0.2], compute=np.array([1.0, 10.0, 100.0]))
    assert any("Too few results for a curve with a floor" in told for told in found.sentences)
    assert "What the data cannot tell" not in report.render(found)


def test_the_page_holds_every_section_of_imagenet_and_only_what_a_plain_table_has(imagenet):
    text = report.render(imagenet)
    for title in ("Claims beside the data", "Two models taken apart", "Sources", "What the data cannot tell"):
        assert f">{title}</h2>" in text
    plain = report.render(made_up(falling(), targets=(0.1,)))
    for title in ("Claims beside the data", "Two models taken apart", "Sources"):
        assert f">{title}</h2>" not in plain
    assert ">What targets take</h2>" in plain


def test_columns_without_anything_are_left_out_and_rows_keep_their_order():
    rows = [Observation(f"line {i}", 0.5 * 0.8**i, {"c": 10.0**i}) for i in range(2, 12)]
    page = report.render(analyse(rows, Question("own", "", (Measure("c", "Compute", ""),), priced="c")))
    for heading in ("Year", "What is doubtful", "Power with year beside it", "Error a year"):
        assert f">{heading}<" not in page
    whole = page[page.index(">The table</h2>") :]
    assert whole.index("line 9") < whole.index("line 10") < whole.index("line 11")


def test_a_floor_that_fits_better_than_none_is_not_said_to_fit_as_well():
    error = 0.4 * np.geomspace(1, 1e7, 6) ** -0.12 + 0.01
    error *= np.array([1.0, 0.99, 1.012, 0.99, 1.008, 0.995])
    found = made_up(error, compute=np.geomspace(1e15, 1e22, 6))
    (told,) = [one for one in found.sentences if "The data cannot tell" in one]
    floors = found.studies[0].floors
    good = [one for one in floors[1:] if one.aicc < floors[0].aicc + 2][-1]
    assert good.aicc < floors[0].aicc - 2
    assert "fits better than none, though not clearly" in told


def test_a_row_of_a_family_without_a_line_is_not_said_to_be_in_one(imagenet):
    text = report.render(imagenet)
    assert ">no: not the best of ViT on JFT<" in text
    assert ">only of ViT on JFT<" not in text
    assert ">only of RegNetY<" in text


def test_names_and_notes_are_escaped():
    text = report.render(made_up(falling(), targets=(0.1,), prices=(Price("usd", 2.0),)))
    assert HOSTILE not in text


def test_claims_are_held_against_the_intervals(imagenet):
    judged = judge(imagenet, imagenet.studies[0])
    assert [one.verdict for one in judged] == ["below", "inside", "above", "above", "above"]
    assert [one.figure for one in judged] == ["power", "power", "compute", "usd", "kg_co2"]


def test_a_claim_without_a_figure_is_only_told(imagenet):
    declared = {
        "claims": [{"says": "It is dear.", "source": "x"}, {"says": "y", "source": "x", "target": 0.5}]
    }
    judged = judge(replace(imagenet, declared=declared), imagenet.studies[0])
    assert [one.verdict for one in judged] == ["not told", "not told"]


def test_results_json_is_valid_and_says_infinite_as_null(imagenet):
    document = json.loads(report.json_text(imagenet))
    assert (document["schema_version"], document["kind"]) == (SCHEMA_VERSION, "published")
    assert len(document["observations"]) == 60
    burden = document["studies"][0]
    assert burden["forecasts"][0]["curve"]["high"] is None
    assert burden["line"]["power"]["low"] == pytest.approx(imagenet.studies[0].line.power.low)
    assert to_json(imagenet)["sentences"] == list(imagenet.sentences)


def test_every_key_of_results_json_is_documented(imagenet):
    docs = (ROOT / "docs" / "published-results.md").read_text(encoding="utf-8")
    schema = docs[docs.index("## `results.json`") :]
    document = json.loads(report.json_text(imagenet))
    study = next(one for one in document["studies"] if one["families"])
    parts = [document, study, study["measure"], study["line"], study["with_year"], study["families"][0]]
    parts += [study["curve"], study["curve"]["forms"][0], study["curve"]["held_out"], study["floors"][0]]
    parts += [study["forecasts"][0], study["forecasts"][0]["refusals"][0], document["decomposition"]]
    parts += [document["prices"][0], document["observations"][0], document["error"], document["declared"]]
    for key in {key for part in parts for key in part}:
        assert f"`{key}`" in schema, key
    for reach in get_args(Reach):
        assert f"`{reach}`" in schema, reach
    assert f"`schema_version` {SCHEMA_VERSION}" in schema


def test_the_figure_has_points_fits_bands_slopes_and_the_target(imagenet):
    figure = error_against_compute(imagenet, imagenet.studies[0])
    names = [trace.name for trace in figure.data if trace.name]
    assert names == [
        "slope of k⁴",
        "slope of k⁹",
        "line, with 95\u00a0% band",
        "curve with a floor, with 95\u00a0% band",
        "other sizes of a family, not in these fits",
        "results; of a family the best",
        "target 5\u00a0%",
        "the line drawn on, no forecast",
        "claimed",
    ]
    points = figure.data[names.index("results; of a family the best") + 2]
    assert len(points.x) == 27
    assert any("CoCa, 2022" in text for text in points.hovertext)
    ninth = next(trace for trace in figure.data if trace.name == "slope of k⁹")
    slope = math.log(ninth.y[1] / ninth.y[0]) / math.log(ninth.x[1] / ninth.x[0])
    assert slope == pytest.approx(-1 / 9)
    assert {trace.line.dash for trace in figure.data if trace.mode == "lines" and trace.name} >= {
        "solid",
        "dash",
        "dot",
    }


def test_where_a_floor_shows_the_figure_marks_targets_on_the_curve():
    found = made_up(falling(floor=0.2, seeds=3), seeds=3, targets=(0.3, 0.1))
    figure = error_against_compute(found, found.studies[0])
    names = [trace.name for trace in figure.data if trace.name]
    assert names[-3:] == ["target 30\u00a0%", "where the curve reaches it", "target 10\u00a0%"]
    marked = next(trace for trace in figure.data if trace.name == "where the curve reaches it")
    assert marked.x[0] == pytest.approx(found.studies[0].forecasts[0].curve.estimate)


def test_losses_are_no_percentages():
    found = made_up(4 * falling(), error_scale="loss", targets=(0.5,))
    assert "reaches 0.5 at" in found.sentences[2] or "0.5 takes" in found.sentences[2]
    assert not any("%" in told for told in found.sentences[:3])


def test_the_sentences_are_those_of_the_table(imagenet):
    assert key_sentences(imagenet) == imagenet.sentences
