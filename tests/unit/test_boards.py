"""What a results board shows: names that are read, figures in units for people, notes and views."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from toolkit.analysis.boards import names
from toolkit.analysis.boards.colours import KNOWN
from toolkit.analysis.boards.notes import headline, note, report_note, standing, track_note
from toolkit.analysis.boards.report import report_board
from toolkit.analysis.boards.tracks import cell_board, track_board, tracks
from toolkit.analysis.boards.views import CHARTS, FRONT, TRACKS, views
from toolkit.analysis.comparison.front import training_cpu_seconds
from toolkit.analysis.results import Finding, Interval, Results, RungSummary, TrackVerdict, Verdict
from toolkit.records import CellRecord, without_repeats

ALLOWED = re.compile(r"[\w\-. /]+", re.ASCII)
"""What MLflow takes in a metric's name on every system."""


def cell(track: str = "neural", rung: int = 0, seed: int = 0, **changes: object) -> CellRecord:
    values: dict[str, object] = {
        "experiment": "toy",
        "task": "toy",
        "track": track,
        "rung": rung,
        "seed": seed,
        "n_train": 100 * 2**rung,
        "fingerprint": f"{track}-{rung}-{seed}",
        "status": "finished",
        "scores": {"error_log_loss": 0.5 - 0.1 * rung + 0.02 * seed, "score_average_precision": 0.3},
        "costs": {"cost_fit_cpu_seconds": 2.0**rung, "cost_fit_peak_memory_bytes": 5e6},
        "ended_at": 10.0,
    }
    return CellRecord.model_validate(values | changes)


def results(cells: list[CellRecord], **changes: object) -> Results:
    values: dict[str, object] = {
        "experiment": {"experiment": "toy", "tracks": {"rules": {}, "neural": {"depth": 3}}},
        "task": {"name": "toy", "primary_error": "error_log_loss", "notices": ["Data by A. Nobody."]},
        "cells": without_repeats(cells),
        "evidence": {},
        "summaries": (),
        "curves": (),
        "pairs": (),
        "verdict": Verdict(None, None, None, None, None, None, "It cannot be told.", None, "USD", 1.0),
    }
    return Results(**{**values, **changes})  # type: ignore[arg-type]


def test_a_cell_shows_its_figures_under_the_names_of_its_record() -> None:
    shown = cell_board(cell(rung=1, chosen={"width": 8}, machine={"cpu": "x"}, costs={"cost_a": None}))
    assert {point.name for point in shown.points} == {
        "error_log_loss",
        "score_average_precision",
        "log10_error_log_loss",
    }
    assert shown.params == {
        "task": "toy",
        "track": "neural",
        "rung": "1",
        "seed": "0",
        "n_train": "200",
        "chosen_width": "8",
    }
    assert shown.tags["fingerprint"] == "neural-1-0"
    assert shown.tags["machine.cpu"] == "x"
    assert "reason" not in shown.tags


def test_curves_come_from_the_cells_when_there_is_no_analysis() -> None:
    cells = [cell(rung=rung, seed=seed) for rung in range(3) for seed in range(3)]
    cells.append(cell(rung=3, status="failed", scores={}, costs={}))
    shown = track_board(results(cells), "neural")
    curve = {point.step: point.value for point in shown.points if point.name == "curves/error by rows"}
    assert curve == pytest.approx({100: 0.52, 200: 0.42, 400: 0.32})
    by_cpu = {point.step for point in shown.points if point.name == "curves/error by CPU ms"}
    assert by_cpu == {1000, 2000, 4000}
    figures = {point.name: point.value for point in shown.points if point.name.startswith(("error", "log10"))}
    assert figures["error_log_loss"] == pytest.approx(0.32)
    assert figures["log10_cost_fit_cpu_seconds"] == pytest.approx(math.log10(4))
    assert shown.params["params.depth"] == "3"
    assert shown.tags["cells"] == "10"


def test_the_analysis_wins_over_the_cells() -> None:
    summary = RungSummary(
        track="neural",
        rung=0,
        n_train=100,
        n_rules=None,
        n_seeds=3,
        scores={"error_log_loss": Interval(0.4, 0.3, 0.5)},
        costs={"cost_fit_cpu_seconds": 1.5, "cost_fit_joules": None},
        net_value=Interval(1000.0, -math.inf, math.inf),
    )
    given = results([cell()], summaries=(summary,))
    points = {(point.name, point.step): point.value for point in track_board(given, "neural").points}
    assert points["curves/error by rows", 100] == 0.4
    assert points["curves/net value in USD a year by rows", 100] == 1000.0
    assert all("joules" not in name for name, _ in points)


def test_cpu_is_that_of_search_and_fit_as_in_the_report() -> None:
    costs = {"cost_fit_cpu_seconds": 0.5, "cost_search_cpu_seconds": 9.5}
    scores = {"error_log_loss": Interval(0.4, 0.3, 0.5)}
    summary = RungSummary("neural", 2, 100, None, 3, scores, costs, net_value=Interval(1e3, 0.0, 2e3))
    found = results([cell(rung=2)], summaries=(summary,), verdict=verdict_of(*THREE))
    shown = track_board(found, "neural")
    milliseconds = 1000 * (training_cpu_seconds(summary) or 0.0)
    steps = {point.step for point in shown.points if point.name.endswith(" by CPU ms")}
    figures = {point.name: point.value for point in shown.points}
    assert steps == {milliseconds} == {10_000}
    assert figures["verdict/training CPU ms"] == milliseconds
    assert figures["straight lines/log10 training CPU seconds"] == 1
    assert "those of search and fit" in shown.tags["mlflow.note.content"]
    without = replace(summary, costs={**costs, "cost_search_cpu_seconds": None})
    alone = track_board(replace(found, summaries=(without,)), "neural").points
    assert {point.value for point in alone if point.name == "verdict/training CPU ms"} == {500}


def test_rules_climb_an_axis_of_their_own() -> None:
    cells = [cell("rules", rung=rung, n_train=0, n_rules=rung + 1) for rung in range(3)]
    points = track_board(results(cells), "rules").points
    assert [point.step for point in points if point.name == "curves/error by rules"] == [1, 2, 3]
    on_rows = [point for point in points if point.name == "curves/error by rows"]
    assert [(point.step, point.value) for point in on_rows] == [(0, pytest.approx(0.3))]


def test_tracks_come_in_the_order_of_the_experiment_file() -> None:
    assert tracks(results([cell("neural"), cell("rules"), cell("hybrid")])) == ["rules", "neural", "hybrid"]


def test_nothing_at_all_can_be_shown() -> None:
    empty = replace(results([]), experiment={"experiment": "toy"}, cells=(), task={})
    assert tracks(empty) == []
    assert track_board(empty, "neural").points == ()
    assert report_board(empty).tags["best"] == "cannot be told"
    assert note(empty, {}) == "It cannot be told"
    assert [view.key for view in views(empty)] == [CHARTS, TRACKS]


def verdict_of(*values: tuple[str, float, float], sentence: str = "Use it.", **changes: object) -> Verdict:
    """Return a verdict of tracks with a net value and a probability of being best."""
    entries = tuple(
        TrackVerdict(
            track, 2, Interval(value, value - 1e6, value + 1e6), best, {"prediction": 2e5}, value + 2e5
        )
        for track, value, best in values
    )
    leader = max(entries, key=lambda one: one.net_value_per_year.estimate)
    facts: dict[str, object] = {
        "best": leader.track,
        "probability_best": leader.probability_best,
        "too_close_to_call": False,
        "deep_learning_worth_it": True,
        "hybrid_worth_it": None,
        "probability_deep_learning_worth_it": 0.95,
        "sentence": sentence,
        "margin": 5e4,
        "currency": "USD",
        "currency_per_usd": 1.0,
        "tracks": entries,
    }
    return Verdict(**{**facts, **changes})  # type: ignore[arg-type]


THREE = (("rules", 227e6, 0.0), ("neural", 236.6e6, 0.2), ("hybrid", 237.1e6, 0.8))


def test_the_note_begins_with_the_verdict_in_short_then_links_then_all_of_it() -> None:
    told = "Use hybrid (probability .80 of being the best choice; 500,000 USD a year ahead of neural). More."
    findings = (Finding("x", "warning", "Costs are noisy."), Finding("y", "info", "Fine."))
    found = results([cell()], verdict=verdict_of(*THREE, sentence=told), findings=findings)
    first, sentence, table, found_text, notice = note(found, {"report": "#/r"}).split("\n\n")
    assert first == "Use hybrid · [report](#/r)"
    assert sentence == f"**{told}**"
    rows = [line.split(" | ")[0] for line in table.splitlines()[2:]]
    assert rows == ["| hybrid", "| neural", "| rules"]
    assert "237 million USD (236 million to 238 million USD) | 80 % | best |" in table
    assert "| < 0.1 % | 10.1 million USD a year behind hybrid |" in table
    assert "| probability of being best |" in table
    assert found_text == "- warning: Costs are noisy."
    assert notice == "Data by A. Nobody."


@pytest.mark.parametrize(
    ("sentence", "close", "short"),
    [
        (
            "Too close to call: a is expected to be 5 USD ahead.",
            True,
            "Too close to call: hybrid is ahead of neural",
        ),
        ("Use hybrid (probability .97 of being best).", False, "Use hybrid"),
        (
            "Use none of them: none is expected to pay (so it is).",
            False,
            "Use none of them: none is expected to pay",
        ),
        ("Only a has results to value, so there is nothing to compare.", None, "Only a has results to value"),
    ],
)
def test_the_headline_is_the_verdict_in_a_few_words(sentence: str, close: bool | None, short: str) -> None:
    assert headline(verdict_of(*THREE, sentence=sentence, too_close_to_call=close)) == short


def test_every_track_says_why_it_leads_or_does_not() -> None:
    verdict = verdict_of(*THREE)
    rules, neural, hybrid = verdict.tracks
    assert standing(verdict, hybrid) == "best"
    assert standing(replace(verdict, too_close_to_call=True), hybrid) == "ahead, too close to call"
    assert standing(verdict, neural) == "500,000 USD a year behind hybrid"
    assert standing(verdict, replace(rules, excluded="too slow")) == "excluded: too slow"
    assert standing(replace(verdict, best=None), rules) == "cannot be told"
    losing = verdict_of(("rules", -5e6, 0.4), ("neural", -4e6, 0.6))
    assert standing(losing, losing.tracks[1]) == "loses least"
    text = track_note(verdict, replace(neural, yearly_costs={"prediction": 3e5}))
    assert "**neural: 500,000 USD a year behind hybrid.**" in text
    assert "Against hybrid, its decisions are expected to bring 500,000 USD a year less" in text
    assert "and it costs 100,000 USD a year more." in text
    assert " a year, probability of being best 20 %." in text
    assert "bring 500,000 USD a year more, and it costs as much." in track_note(verdict, hybrid)
    assert "| prediction | −200,000 USD |" in track_note(verdict, hybrid)


def test_a_tracks_run_has_its_part_in_the_verdict_its_colour_and_its_front() -> None:
    summaries = tuple(
        RungSummary(
            "neural",
            rung,
            100,
            None,
            1,
            {"error_log_loss": Interval(0.4, 0.3, 0.5)},
            {"cost_fit_cpu_seconds": 0.000345},
            net_value=Interval(2e8, 1e8, 3e8),
            on_front=rung > 0,
        )
        for rung in range(4)
    )
    shown = track_board(results([cell()], verdict=verdict_of(*THREE), summaries=summaries), "neural")
    figures = {point.name: point.value for point in shown.points}
    assert figures["verdict/net value in million USD a year"] == 236.6
    assert figures["verdict/net value in million USD a year - low end"] == 235.6
    assert figures["verdict/behind the leader in million USD a year"] == 0.5
    assert figures["verdict/probability of being best in percent"] == 20
    assert figures["verdict/training CPU ms"] == 0.345
    assert figures["verdict/rung"] == 2
    assert shown.tags["rungs_on_front"] == "1, 2, 3"
    assert shown.tags["mlflow.runColor"] == KNOWN["neural"]
    assert next(iter(figures)).startswith("verdict/"), "MLflow lists metrics in the order of logging"


def test_a_track_that_may_not_be_used_is_behind_nobody() -> None:
    verdict = verdict_of(*THREE)
    rules, neural, hybrid = verdict.tracks
    shut_out = replace(verdict, best="neural", tracks=(rules, neural, replace(hybrid, excluded="too slow")))
    found = results([cell(), cell("hybrid"), cell("rules")], verdict=shut_out)
    behind = {
        track: [point.value for point in track_board(found, track).points if "behind" in point.name]
        for track in ("rules", "neural", "hybrid")
    }
    assert behind == {"rules": [pytest.approx(9.6)], "neural": [0], "hybrid": []}
    assert track_board(found, "hybrid").tags["verdict"] == "excluded: too slow"
    lead = {point.name: point.value for point in report_board(found).points}
    assert lead["verdict/lead over the next in million USD a year"] == pytest.approx(9.6)
    rows = report_note(found).split("\n\n")[1].splitlines()[2:]
    assert [row.split(" | ")[0] for row in rows] == ["| neural", "| rules", "| hybrid"]


def test_straight_lines_have_their_pairs_at_the_rung() -> None:
    points = track_board(results([cell(rung=rung) for rung in range(3)]), "neural").points
    pairs = [
        {point.step: point.value for point in points if point.name == name}
        for name in (names.LOG_CPU, names.LOG_ERROR, names.LOG_ROWS)
    ]
    assert all(list(pair) == [0, 1, 2] for pair in pairs)
    assert pairs[0][2] == pytest.approx(math.log10(4), rel=1e-5)
    assert pairs[1][0] == pytest.approx(math.log10(0.5), rel=1e-5)


def test_the_report_tells_the_verdict_in_tags_figures_and_words() -> None:
    verdict = verdict_of(*THREE, sentence="Use hybrid.")
    shown = report_board(results([cell()], verdict=verdict))
    assert (shown.tags["deep_learning_worth_it"], shown.tags["hybrid_worth_it"]) == ("yes", "cannot be told")
    assert shown.tags["mlflow.note.content"].startswith("**Use hybrid.**")
    assert "report.html" in report_note(results([cell()], verdict=verdict))
    figures = {point.name: point.value for point in shown.points}
    assert figures["verdict/net value in million USD a year of the leader"] == 237.1
    assert figures["verdict/lead over the next in thousand USD a year"] == 500
    assert figures["verdict/margin within which tracks tie in thousand USD a year"] == 50
    assert figures["verdict/probability that the leader is best in percent"] == 80


def test_names_are_such_that_mlflow_takes_them() -> None:
    verdict = verdict_of(*THREE, currency="€ (Euro)")
    found = results([cell(), cell("rules", n_rules=3)], verdict=verdict)
    boards = [report_board(found), track_board(found, "neural"), cell_board(cell())]
    said = {point.name for board in boards for point in board.points}
    assert [name for name in said if not ALLOWED.fullmatch(name)] == []
    assert "verdict/net value in million Euro a year" in said
    assert names.money_unit([5.0], "€") == names.Unit("money", 1.0)


def test_views_draw_and_list_what_the_runs_have() -> None:
    cells = [cell(rung=rung) for rung in range(3)] + [cell("rules", n_train=0, n_rules=1)]
    summary = RungSummary(
        "neural",
        1,
        200,
        None,
        1,
        {"error_log_loss": Interval(0.4, 0.3, 0.5)},
        {"cost_fit_cpu_seconds": 2.0},
        net_value=Interval(2e8, 1e8, 3e8),
        on_front=True,
    )
    rules = replace(summary, track="rules", n_rules=1, rung=2)
    found = results(cells, verdict=verdict_of(*THREE), summaries=(summary, replace(summary, rung=2), rules))
    boards = [track_board(found, "neural"), track_board(found, "rules")]
    drawn = {point.name for board in boards for point in board.points}
    tags = {name for board in boards for name in board.tags}
    charts, table, front = views(found)
    missing = (
        {chart.metric for chart in charts.charts} - drawn - {names.along(names.AP_ERROR, names.ALONG_CPU)}
    )
    assert missing == set()
    assert {chart.x for chart in charts.charts if chart.x} == {names.LOG_CPU}
    for column in table.columns:
        kind, _, name = column.name.partition(".")
        assert name.strip("`") in (drawn if kind == "metrics" else tags), column
    assert table.order_by == "metrics.`verdict/net value in million USD a year`"
    assert (front.key, front.condition) == (FRONT, "tags.front = 'yes'")
    cell_names = {point.name for point in cell_board(cells[0]).points}
    assert {front.charts[0].metric, front.charts[0].x} <= cell_names
