"""What the store writes for MLflow's UI beside the figures: saved views, links, and the front as tags."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from toolkit.analysis.boards.views import CHARTS, FRONT, TRACKS, Chart, Column, View
from toolkit.analysis.results import Interval, Results, RungSummary
from toolkit.store import Store
from toolkit.store.links import shown, told
from toolkit.store.runs import Runs
from toolkit.store.views import TAG, decode, encode


def with_front(found: Results, rungs: Iterable[int]) -> Results:
    """Return results in which these rungs of the neural track are on the front."""
    return replace(
        found,
        summaries=tuple(
            RungSummary(
                "neural",
                rung,
                100 * 2**rung,
                None,
                1,
                {"error_log_loss": Interval(0.4, 0.3, 0.5)},
                {"cost_fit_cpu_seconds": 2.0**rung},
                on_front=rung in rungs,
                front_probability=0.75 if rung in rungs else 0.1,
            )
            for rung in range(3)
        ),
    )


def on_front(client, root: Path) -> list[str]:
    found = client(root).search_runs(["1"], "tags.front = 'yes'")
    return sorted(run.info.run_name for run in found)


def test_the_front_is_found_by_its_tag_and_let_go(
    cell, results_of, client, runs, store: Store, root: Path, files: dict[str, Path]
) -> None:
    store.begin("toy", tracks=["neural"])
    for rung in range(3):
        store.log_cell(cell(rung=rung), None)
    store.log_cell(cell(rung=2, repeat=1, fingerprint="neural-2-0-again1", scores={}), None)
    store.log_cell(cell(rung=1, fingerprint="of other settings"), None)
    kept = {run.info.run_id: dict(run.data.metrics) for run in runs(root, "cell")}
    found = results_of(store)
    wanted = tuple(one for one in found.cells if one.fingerprint != "of other settings")
    store.finish(with_front(replace(found, cells=wanted), (1, 2)), **files)
    assert on_front(client, root) == ["neural rung 1 seed 0", "neural rung 2 seed 0"]
    (tagged,) = [run for run in runs(root, "cell") if run.info.run_name == "neural rung 2 seed 0"]
    assert tagged.data.tags["front_probability"] == "0.75"
    assert {run.info.run_id: run.data.metrics for run in runs(root, "cell")} == kept
    (track,) = runs(root, "track")
    assert track.data.tags["rungs_on_front"] == "1, 2"

    store.finish(with_front(replace(found, cells=wanted), (0, 1)), **files)
    assert on_front(client, root) == ["neural rung 0 seed 0", "neural rung 1 seed 0"]


def test_of_two_records_of_a_cell_the_latest_is_on_the_front(
    cell, results_of, client, store: Store, root: Path, files: dict[str, Path]
) -> None:
    store.begin("toy", tracks=["neural"])
    store.log_cell(cell(), None)
    later = store.log_cell(cell(ended_at=1_700_000_099.0), None)
    store.finish(with_front(results_of(store), (0,)), **files)
    found = client(root).search_runs(["1"], "tags.front = 'yes'")
    assert [run.info.run_id for run in found] == [later]


def test_views_are_tags_that_links_lead_to(
    cell, results_of, client, store: Store, root: Path, files: dict[str, Path]
) -> None:
    store.begin("toy", tracks=["neural"])
    store.log_cell(cell(), None)
    assert list(store.links("toy")) == ["runs", "track neural"], "no link to a view that is not there yet"
    store.finish(with_front(results_of(store), (0,)), **files)
    tags = client(root).get_experiment("1").tags
    saved = {name.removeprefix(TAG): value for name, value in tags.items() if name.startswith(TAG)}
    assert sorted(saved) == sorted((CHARTS, TRACKS, FRONT))
    assert max(map(len, saved.values())) < 20_000, "MLflow's limit"
    links = store.links("toy")
    for title, key in (("charts", CHARTS), ("tracks", TRACKS), ("front", FRONT)):
        assert links[title].endswith(f"viewStateShareKey={key}")
    assert decode(saved[FRONT])["state"]["searchFilter"] == "tags.front = 'yes'"
    assert list(shown(links)) == ["report", "charts", "tracks", "front"], "one line, beside the assistant too"
    lines = told(links)
    assert [line.split("  ")[0] for line in lines][:2] == ["the whole report", "cost-performance charts"]
    store.finish(with_front(results_of(store), (0,)), **files)
    assert client(root).get_experiment("1").tags == tags, "what is the same is left alone"


def test_a_view_that_cannot_be_written_costs_no_sweep(
    cell,
    results_of,
    store: Store,
    files: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(runs: Runs, experiment_id: str, key: str, value: str) -> None:
        raise OSError("no")

    monkeypatch.setattr(Runs, "tag_experiment", refuse)
    store.log_cell(cell(), None)
    store.finish(results_of(store), **files)
    assert "report" in store.links("toy")
    assert "tracks" not in store.links("toy")
    assert "saved views" in caplog.text


def test_a_view_is_what_mlflow_reads() -> None:
    view = View(
        "k",
        "Name",
        "tags.kind = 'track'",
        columns=(Column("metrics.`a b`", 90),),
        charts=(
            Chart("line", "m", log_x=True, section="One"),
            Chart("line", "m", x="x", section="Two"),
            Chart("bar", "m", section="Two"),
            Chart("scatter", "m", x="x", section="One"),
        ),
        folded=("rest",),
    )
    found = decode(encode(view, 5))
    assert (found["name"], found["createdAt"], found["updatedAt"]) == ("Name", 5, 5)
    state = found["state"]
    assert [one["name"] for one in state["compareRunSections"]] == ["One", "Two", "rest"]
    assert [one["display"] for one in state["compareRunSections"]] == [True, True, False]
    log, metric, bar, scatter = state["compareRunCharts"]
    assert (log["type"], log["xAxisKey"], log["xAxisScaleType"]) == ("LINE", "step", "log")
    assert (metric["xAxisKey"], metric["selectedXAxisMetricKey"], metric["xAxisScaleType"]) == (
        "metric",
        "x",
        "linear",
    )
    assert (bar["type"], bar["metricKey"]) == ("BAR", "m")
    assert scatter["xaxis"] == {"key": "x", "type": "METRIC"}
    assert log["metricSectionId"] == scatter["metricSectionId"] != bar["metricSectionId"]
    assert state["columnWidths"] == {"metrics.`a b`": 90}


@pytest.mark.parametrize("value", ["", "{}", json.dumps({"state": "deflate;AAAA"}), json.dumps([1])])
def test_a_tag_that_is_no_view_is_written_over(
    value: str, cell, results_of, client, store: Store, root: Path, files: dict[str, Path]
) -> None:
    store.log_cell(cell(), None)
    client(root).set_experiment_tag("1", f"{TAG}{CHARTS}", value)
    store.finish(results_of(store), **files)
    assert (
        decode(client(root).get_experiment("1").tags[f"{TAG}{CHARTS}"])["name"] == "Cost-performance charts"
    )
