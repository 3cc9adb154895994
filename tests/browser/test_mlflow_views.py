"""MLflow's own UI as a newcomer meets it: the verdict in three clicks, saved views, the front by its tag."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from toolkit.analysis.boards.colours import colours
from toolkit.analysis.results import Interval, Results, RungSummary, TrackVerdict, Verdict
from toolkit.publish import analysed
from toolkit.published.file import load
from toolkit.records import CellRecord, without_repeats
from toolkit.report.published import report as published_report
from toolkit.serving import serve
from toolkit.store import Store
from toolkit.store.published import log_published

pytestmark = pytest.mark.browser

IMAGENET = Path(__file__).parents[2] / "experiments" / "imagenet.yaml"
REPORT = "<!doctype html><meta charset='utf-8'><title>Report</title><h1>Use hybrid, says the report</h1>"
TRACKS = {"rules": 227e6, "classical": 236.5e6, "neural": 236.6e6, "hybrid": 237.1e6}
FRONT = {("rules", 0), ("classical", 1), ("hybrid", 2)}
SENTENCE = "Use hybrid (probability .93 of being the best choice; 500,000 USD a year ahead of neural)."
ASSISTANT = """if (location.protocol === 'http:') {
  localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true');
}"""
"""What MLflow remembers once its pane was closed."""
Picture = Callable[[Page, str], Path]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("newcomer")
    html, data = folder / "report.html", folder / "results.json"
    html.write_text(REPORT)
    data.write_text("{}")
    with Store.open(folder / "mlruns") as opened:
        opened.begin("toy", tracks=list(TRACKS))
        for track in TRACKS:
            for rung in range(3):
                opened.log_cell(_cell(track, rung), None)
        opened.finish(_results(opened), report_html=html, results_json=data)
        experiment = load(IMAGENET)
        found = analysed(experiment, experiment.read_table(), folder)
        log_published(opened, published_report.with_sentences(found), files=(html,))
        yield opened


def _cell(track: str, rung: int) -> CellRecord:
    return CellRecord(
        experiment="toy",
        task="toy",
        track=track,
        rung=rung,
        seed=0,
        n_train=100 * 4**rung,
        fingerprint=f"{track}-{rung}",
        status="finished",
        scores={"error_log_loss": 0.5 - 0.1 * rung, "score_average_precision": 0.3 + 0.1 * rung},
        costs={"cost_fit_cpu_seconds": 0.02 * 8.0**rung},
        started_at=1_700_000_000.0,
        ended_at=1_700_000_001.0,
    )


def _results(store: Store) -> Results:
    cells = without_repeats(record for record, _ in store.read("toy"))
    summaries = tuple(
        RungSummary(
            cell.track,
            cell.rung,
            cell.n_train,
            None,
            1,
            {
                name: Interval(value, value - 0.01, value + 0.01)
                for name, value in cell.scores.items()
                if value
            },
            cell.costs,
            net_value=Interval(TRACKS[cell.track] - 1e6 * (2 - cell.rung), 1e8, 3e8),
            on_front=(cell.track, cell.rung) in FRONT,
            front_probability=0.9,
        )
        for cell in cells
    )
    tracks = tuple(
        TrackVerdict(
            name, 2, Interval(value, value - 2e7, value + 2e7), chance, {"prediction": 1e5}, value + 1e5
        )
        for (name, value), chance in zip(TRACKS.items(), (0.0, 0.03, 0.04, 0.93), strict=True)
    )
    verdict = Verdict("hybrid", 0.93, False, False, True, 0.02, SENTENCE, 4e5, "USD", 1.0, tracks)
    return Results(
        experiment={"experiment": "toy", "tracks": {name: {} for name in TRACKS}},
        task={
            "name": "toy",
            "title": "who buys what",
            "data_version": "abc",
            "facts": {"households": 2467},
        },
        cells=cells,
        evidence={},
        summaries=summaries,
        curves=(),
        pairs=(),
        verdict=replace(verdict),
    )


@pytest.fixture(scope="module")
def address(store: Store) -> Iterator[str]:
    with serve(store.root, 5620, say=lambda line: None) as base:
        yield base


class Newcomer:
    """A page with what went wrong on it, what it asked for outside, and the clicks that were made."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.errors: list[str] = []
        self.outside: list[str] = []
        self.clicks = 0
        page.context.on("weberror", lambda event: self.errors.append(str(event.error)))
        page.context.on("request", lambda request: self._asked(request.url, address))

    def _asked(self, url: str, address: str) -> None:
        if not url.startswith((address, "data:", "blob:")):
            self.outside.append(url)

    def click(self, what: Any) -> None:
        what.click()
        self.clicks += 1


@pytest.fixture
def newcomer(chromium: Browser, address: str) -> Iterator[Newcomer]:
    context = chromium.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(60_000)
    visitor = Newcomer(context.new_page(), address)
    yield visitor
    context.close()
    assert visitor.errors == []
    assert visitor.outside == []


def _runs(page: Page) -> list[str]:
    """Return the names of the runs in the list, from the top."""
    page.get_by_text("matching run").wait_for()
    page.locator("a[href*='/runs/']").first.wait_for()
    rows = page.locator(".ag-pinned-left-cols-container a[href*='/runs/']")
    rows.first.wait_for()
    return [text.strip() for text in rows.all_inner_texts()]


def _scroll_to(page: Page, title: str) -> None:
    """Turn the wheel until a chart is there: MLflow makes those that are in sight."""
    page.mouse.move(1000, 650)
    chart = page.get_by_text(title, exact=True).first
    for _ in range(40):
        if chart.is_visible():
            return
        page.mouse.wheel(0, 150)
        page.wait_for_timeout(250)
    chart.wait_for(timeout=1000)


@pytest.mark.parametrize("start", ["", "#/experiments"])
def test_the_verdict_is_within_three_clicks_of_the_bare_address(
    newcomer: Newcomer, address: str, start: str, picture: Picture
) -> None:
    page = newcomer.page
    page.goto(f"{address}{start}")
    page.get_by_text("Use hybrid").first.wait_for()
    newcomer.click(page.get_by_role("link", name="toy", exact=True).first)
    # not by its role: MLflow's hint hides all else from readers of roles
    link = page.locator("a", has_text=re.compile("^report$")).first
    link.wait_for()
    picture(page, f"mlflow-first-click{'-from-list' if start else ''}")
    hint = page.get_by_role("button", name="Got it")
    hint.or_(page.get_by_text("matching run")).first.wait_for()
    if hint.is_visible():  # MLflow's own, once in a browser
        newcomer.click(hint)
    with page.context.expect_page() as opened:  # MLflow opens links of a text in a new tab
        newcomer.click(link)
    frame = opened.value.frame_locator("iframe").first
    frame.get_by_text("Use hybrid, says the report").wait_for()
    picture(opened.value, "mlflow-report")
    assert newcomer.clicks <= 3


def test_the_view_of_charts_draws_each_track_in_its_colour(
    newcomer: Newcomer, store: Store, address: str, picture: Picture
) -> None:
    page = newcomer.page
    page.add_init_script(ASSISTANT)
    page.goto(store.links("toy", base=address)["charts"])
    page.get_by_text("What the error costs", exact=False).first.wait_for()
    page.locator(".js-plotly-plot .scatterlayer .trace").nth(3).wait_for(state="attached")
    for title in ("curves/error by CPU ms", "curves/error by rows"):
        page.get_by_text(title, exact=True).first.wait_for()
    plot = "document.querySelector('.js-plotly-plot')"
    assert page.evaluate(f"{plot}.layout.xaxis.type") == "log"
    drawn = page.evaluate(f"{plot}.data.map(one => [one.name, one.marker.color])")
    assert {name: colour for name, colour in drawn if len(colour) == 7} == colours(TRACKS)
    assert _runs(page) == list(TRACKS), "neither the report nor cells"
    picture(page, "mlflow-charts")
    _scroll_to(page, "straight lines/log10 error")
    _scroll_to(page, "verdict/probability of being best in percent")
    picture(page, "mlflow-charts-verdict")


def test_charts_appear_without_a_view_the_curves_first(
    newcomer: Newcomer, store: Store, address: str, picture: Picture
) -> None:
    page = newcomer.page
    page.add_init_script(ASSISTANT)
    page.goto(store.links("toy", base=address)["runs"] + "&compareRunsMode=CHART")
    page.locator(".js-plotly-plot .scatterlayer .trace").nth(3).wait_for(state="attached")
    first = page.get_by_text("curves/error by CPU ms", exact=True).first
    first.wait_for()
    top = first.bounding_box()
    assert top is not None
    assert top["y"] < 450, "the first chart"
    picture(page, "mlflow-charts-without-a-view")


def test_the_view_of_tracks_is_a_table_with_the_verdict(
    newcomer: Newcomer, store: Store, address: str, picture: Picture
) -> None:
    page = newcomer.page
    page.add_init_script(ASSISTANT)
    page.goto(store.links("toy", base=address)["tracks"])
    page.get_by_text("500,000 USD a year behind hybrid").first.wait_for()
    page.get_by_text("verdict/net value in million USD a year").first.wait_for()
    page.get_by_text("237.1", exact=True).first.wait_for()
    assert _runs(page) == ["hybrid", "neural", "classical", "rules"]
    picture(page, "mlflow-tracks")


def test_the_front_is_listed_by_its_tag(
    newcomer: Newcomer, store: Store, address: str, picture: Picture
) -> None:
    page = newcomer.page
    page.add_init_script(ASSISTANT)
    wanted = sorted(f"{track} rung {rung} seed 0" for track, rung in FRONT)
    page.goto(store.links("toy", base=address)["front"])
    page.get_by_text("front_probability").first.wait_for()
    assert sorted(_runs(page)) == wanted
    picture(page, "mlflow-front")
    page.goto("about:blank")
    page.goto(store.links("toy", base=address)["runs"])
    _runs(page)
    box = page.get_by_placeholder("metrics.rmse", exact=False).first
    box.fill("tags.front = 'yes'")
    box.press("Enter")
    # Sorted by time, MLflow folds them below their tracks, which it counts too.
    page.get_by_text("6 matching runs").wait_for()
    assert sorted(_runs(page)) == sorted(track for track, _ in FRONT)


def test_all_runs_open_in_a_tab_that_shows_a_view(newcomer: Newcomer, store: Store, address: str) -> None:
    page = newcomer.page
    page.add_init_script(ASSISTANT)
    links = store.links("toy", base=address)
    page.goto(links["tracks"])
    assert len(_runs(page)) == 4
    page.goto(links["runs"])
    page.get_by_text("17 matching runs").wait_for()
    assert sorted(_runs(page)) == sorted(["report", *TRACKS]), "cells folded below their track"


def test_views_are_in_the_menu(newcomer: Newcomer, store: Store, address: str) -> None:
    page = newcomer.page
    page.add_init_script(ASSISTANT)
    page.goto(store.links("toy", base=address)["runs"])
    page.get_by_role("button", name="Views").click()
    for name in ("Cost-performance charts", "Tracks: what each earns", "Front: nothing is cheaper"):
        page.get_by_text(name, exact=False).first.wait_for()


def test_runs_say_what_they_are(newcomer: Newcomer, store: Store, address: str, picture: Picture) -> None:
    page = newcomer.page
    page.add_init_script(ASSISTANT)
    links = store.links("toy", base=address)
    page.goto(links["track neural"])
    page.get_by_text("its decisions are expected to bring 500,000 USD a year less", exact=False).wait_for()
    page.get_by_text("verdict/net value in million USD a year", exact=True).wait_for()
    picture(page, "mlflow-track")
    page.goto("about:blank")
    page.goto(links["report"].replace("/artifacts/report.html", ""))
    page.get_by_text(SENTENCE, exact=False).first.wait_for()
    page.get_by_text("verdict/lead over the next in thousand USD a year", exact=True).wait_for()
    picture(page, "mlflow-report-run")
    page.goto("about:blank")
    page.goto(links["runs"])
    page.get_by_text("toy (abc)").first.click()
    page.get_by_text("households").first.wait_for()
    page.get_by_text("2467").first.wait_for()


def test_published_results_have_straight_lines_and_a_table(
    newcomer: Newcomer, store: Store, address: str, picture: Picture
) -> None:
    page = newcomer.page
    page.add_init_script(ASSISTANT)
    links = store.links("imagenet", base=address)
    page.goto(links["charts"])
    page.get_by_text("log10_hardware_burden vs. log10_error").first.wait_for()
    page.locator(".js-plotly-plot .scatterlayer .trace").first.wait_for(state="attached")
    picture(page, "mlflow-published")
    page.goto("about:blank")
    page.goto(links["results"])
    page.get_by_text("Published results, the least error").first.wait_for()
    assert _runs(page)[0] == "CoCa"
