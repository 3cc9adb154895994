"""What figures show and what they leave out."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from types import ModuleType

import pytest
from markupsafe import Markup

from toolkit.analysis.results import Interval, Results
from toolkit.report import axes, costs, figures, looks
from toolkit.report.curve_axes import error_axes
from toolkit.report.curve_figures import rule_steps


@pytest.fixture
def golden(made_up_results: ModuleType) -> Results:
    return made_up_results.golden()


def test_rules_climb_in_steps(golden: Results) -> None:
    figure = rule_steps(golden, error_axes(golden)[0])
    assert figure is not None
    assert list(figure.data[0].x) == [0, 3, 7, 10, 14]
    assert figure.data[0].line.shape == "hv"
    without = tuple(one for one in golden.summaries if one.track != "rules" or one.rung == 4)
    assert rule_steps(replace(golden, summaries=without), error_axes(golden)[0]) is None


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1_610, 655_000], ["3k", "10k", "30k", "100k", "300k"]),
        ([3.0, 9.0], ["5", "10"]),
        ([50, 51_200], ["100", "1k", "10k"]),
        ([0.0004, 6_000], ["0.001", "0.01", "0.1", "1", "10", "100", "1k"]),
        ([0.66, 0.682], ["0.5", "0.6", "0.7", "0.8", "0.9"]),
    ],
)
def test_ticks_of_log_axes_are_plain_numbers(values: list[float], texts: list[str]) -> None:
    found = axes.log_ticks(values)["ticktext"]
    assert found == texts


def test_a_flat_axis_stays_straight() -> None:
    assert not axes.log_axis([0.26, 0.28])
    assert axes.log_axis([0.1, 0.5])
    assert not axes.log_axis([0.0, 10.0])
    assert not axes.log_axis([])


def test_names_cannot_bring_tags_into_a_figure() -> None:
    look = looks.looks(["classical"])["classical"]
    bar = figures.Bar("<b>x</b>", Interval(1, 0, 2), "1", ("<a href='x'>y</a>",), look)
    text = figures.embed(
        figures.bars([bar], "x"), name="a b", title="t", description="d", table=Markup("<table></table>")
    )
    data = re.search(r'<script type="application/json" id="a-b-data">(.*?)</script>', text, re.DOTALL)
    assert data is not None
    assert "<" not in data[1]
    assert json.loads(data[1])["data"][0]["hovertext"] == ["&lt;a href='x'&gt;y&lt;/a&gt;"]


@pytest.mark.parametrize(
    ("column", "phase", "quantity", "unit", "basis"),
    [
        ("cost_fit_cpu_seconds", "fit", "CPU time", "s", "measured"),
        ("cost_fit_peak_bytes", "fit", "peak memory", "B", "measured"),
        ("cost_predict_batch_cpu_seconds_per_row", "predict_batch", "CPU time a row", "s", "measured"),
        ("cost_predict_single_p50_seconds", "predict_single", "median time of a call", "s", "measured"),
        ("cost_fit_joules", "fit", "energy", "J", "modelled"),
        ("cost_fit_flop", "fit", "operations in matrix products", "FLOP", "counted"),
        ("cost_fit_sparse_flop", "fit", "operations in products of sparse matrices", "FLOP", "counted"),
        (
            "cost_predict_batch_node_visits_per_row",
            "predict_batch",
            "nodes of trees passed through a row",
            "",
            "counted",
        ),
        ("cost_search_nominal_cpu_seconds", "search", "nominal CPU", "s", "modelled"),
        ("cost_fit_package_joules", "fit", "energy of the whole processor", "J", "measured"),
        ("cost_cell_codecarbon_joules", "cell", "energy as told by codecarbon", "J", "modelled"),
        ("cost_fit_neighbour_seconds", "fit", "CPU time of other processes beside it", "s", "measured"),
        ("cost_fit_measured_joules", "fit", "measured", "J", "measured"),
        ("cost_authoring_hours_declared", "", "authoring hours declared", "", "declared"),
    ],
)
def test_cost_columns_are_read(column: str, phase: str, quantity: str, unit: str, basis: str) -> None:
    found = costs.parse(column)
    assert (found.phase, found.quantity, found.unit, found.basis) == (phase, quantity, unit, basis)
