"""The report in a real browser: offline, from a file, and in the frame that MLflow shows it in."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from playwright.sync_api import Frame, Page

from toolkit.report import document

pytestmark = pytest.mark.browser

Open = Callable[..., Any]
DRAWN = "[...document.querySelectorAll('.drawing')].every(one => one.querySelector('.points path'))"
TICK_COLOUR = "getComputedStyle(document.querySelector('.drawing .xtick text')).fill"
TEXT = [
    "p",
    "li",
    "td",
    "th",
    "small",
    ".badge",
    ".ends",
    "figcaption",
    "summary",
    "nav a",
    "dt",
    "dd",
    "pre",
]
CONTRAST = """(selectors) => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = (text) => {
    canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (text) => rgb(text).map(v => v / 255)
    .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = (node) => {
    for (let n = node; n; n = n.parentElement) {
      const colour = getComputedStyle(n).backgroundColor;
      if (colour !== 'rgba(0, 0, 0, 0)') return colour;
    }
    return 'white';
  };
  return selectors.flatMap(s => [...document.querySelectorAll(s)].map(node => {
    const [a, b] = [light(getComputedStyle(node).color), light(ground(node))].sort((x, y) => y - x);
    return [s, (a + .05) / (b + .05)];
  }));
}"""


CROWDED = """() => [...document.querySelectorAll('.drawing')].flatMap(drawing => {
  const box = (node) => node.getBoundingClientRect();
  const ticks = [...drawing.querySelectorAll('.xtick text')].map(box).sort((a, b) => a.left - b.left);
  const frame = box(drawing), title = drawing.querySelector('.xtitle');
  const named = drawing.dataset.figure;
  return [
    ...ticks.slice(1).filter((one, i) => one.left < ticks[i].right).map(() => `ticks of ${named}`),
    ...(title && box(title).right > frame.right + 1 ? [`title of ${named}`] : []),
    ...(title && box(title).bottom > frame.bottom + 1 ? [`foot of ${named}`] : []),
  ];
})"""


@pytest.fixture(scope="module")
def report(made_up_results: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return document.write(made_up_results.golden(), tmp_path_factory.mktemp("report")).html


def wait_until_drawn(page: Page | Frame) -> None:
    # The page's policy forbids the evaluation of strings, which waiting for a function needs.
    page.wait_for_selector("html[data-drawn]", timeout=60_000)
    assert page.evaluate(DRAWN)


def test_opens_from_a_file_without_a_network(report: Path, visit: Open) -> None:
    seen = visit(report.as_uri())
    wait_until_drawn(seen.page)
    assert seen.page.locator(".drawing").count() >= 8
    assert seen.complaints == []
    assert seen.requests == [report.as_uri()]


@pytest.mark.parametrize("how", ["file", "srcdoc", "blob"])
def test_draws_in_a_sandboxed_frame(report: Path, visit: Open, tmp_path: Path, how: str) -> None:
    """MLflow shows an HTML artifact as a blob in a frame that may run scripts and nothing else."""
    text = report.read_text(encoding="utf-8")
    frame = '<iframe id="f" sandbox="allow-scripts" width="1000" height="800"'
    if how == "file":
        body = f'{frame} src="{report.as_uri()}"></iframe>'
    elif how == "srcdoc":
        body = f'{frame} srcdoc="{html.escape(text)}"></iframe>'
    else:
        data = json.dumps(text).replace("<", "\\u003c")
        body = (
            f"{frame}></iframe><script>document.getElementById('f').src = "
            f"URL.createObjectURL(new Blob([{data}], {{type: 'text/html'}}))</script>"
        )
    host = tmp_path / "host.html"
    host.write_text(f"<!doctype html><meta charset='utf-8'><link rel='icon' href='data:,'>{body}", "utf-8")
    seen = visit(host.as_uri())
    handle = seen.page.wait_for_selector("#f")
    inner = handle.content_frame()
    assert inner is not None
    wait_until_drawn(inner)
    assert seen.complaints == []
    assert all(url.startswith(("file:", "blob:", "about:", "data:")) for url in seen.requests)

    inner.locator("nav summary").click()
    inner.locator("nav a", has_text="Findings").click()
    assert inner.evaluate("document.activeElement.id") == "findings"
    # Such a frame lets nothing be saved, so nothing offers it.
    assert inner.locator(".save").count() > 0
    assert inner.locator(".save:visible").count() == 0
    assert inner.evaluate("document.getElementById('findings').getBoundingClientRect().top") < 400


def test_a_script_that_slipped_in_would_not_run(report: Path, visit: Open, tmp_path: Path) -> None:
    spoiled = tmp_path / "spoiled.html"
    text = report.read_text(encoding="utf-8")
    spoiled.write_text(text.replace("<main>", "<main><script>window.slipped = true</script>"), "utf-8")
    seen = visit(spoiled.as_uri())
    wait_until_drawn(seen.page)
    assert seen.page.evaluate("window.slipped === undefined")
    assert len(seen.complaints) == 1
    assert "Content Security Policy" in seen.complaints[0]


@pytest.mark.parametrize("width", [360, 390, 768, 1024, 1280, 1920])
def test_no_width_scrolls_sideways(report: Path, visit: Open, width: int) -> None:
    seen = visit(report.as_uri(), width=width)
    wait_until_drawn(seen.page)
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("which", ["accelerated", "old"])
@pytest.mark.parametrize("width", [390, 1200])
def test_no_table_makes_the_page_scroll_sideways(
    made_up_results: ModuleType, tmp_path: Path, visit: Open, which: str, width: int
) -> None:
    path = document.write(getattr(made_up_results, which)(), tmp_path).html
    seen = visit(path.as_uri(), width=width)
    wait_until_drawn(seen.page)
    seen.page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    assert seen.complaints == []


def test_a_table_that_is_wider_than_the_page_says_so(report: Path, visit: Open) -> None:
    seen = visit(report.as_uri(), width=390)
    wait_until_drawn(seen.page)
    seen.page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    seen.page.locator("#equal-error .sideways[data-more]").first.wait_for()
    told, wide = seen.page.evaluate(
        """() => { const every = [...document.querySelectorAll('.scroll')]; return [
            every.map((one) => one.previousElementSibling.checkVisibility()),
            every.map((one) => one.scrollWidth > one.clientWidth + 1)]; }"""
    )
    assert told == wide
    assert True in told
    assert False in told


@pytest.mark.parametrize("width", [360, 390, 1280])
def test_ticks_do_not_touch_and_titles_are_whole(report: Path, visit: Open, width: int) -> None:
    seen = visit(report.as_uri(), width=width)
    wait_until_drawn(seen.page)
    assert seen.page.evaluate(CROWDED) == []


def test_energy_is_drawn_from_the_lowest_to_the_highest_figure(report: Path, visit: Open) -> None:
    seen = visit(report.as_uri())
    wait_until_drawn(seen.page)
    figure = seen.page.locator("#energy-search")
    boxes = [
        figure.locator(".bars .point path").nth(index).bounding_box()
        for index in range(figure.locator(".bars .point path").count())
    ]
    assert len(boxes) == 3
    # The made-up ranges have the same ratio of high to low, so their bars are as long on a log axis.
    assert max(box["width"] for box in boxes) - min(box["width"] for box in boxes) < 2
    assert min(box["width"] for box in boxes) > 20
    bar = figure.locator(".bars .point").first
    bar.scroll_into_view_if_needed()
    bar.hover(force=True)  # the drawing library listens on a surface above the bars
    box = figure.locator(".hoverlayer text").first
    box.wait_for()
    assert "modelled" in box.text_content()


@pytest.mark.parametrize("dark", [False, True])
def test_text_has_contrast(report: Path, visit: Open, dark: bool) -> None:
    seen = visit(report.as_uri(), dark=dark)
    selectors = [
        "p",
        "li",
        "td",
        "th",
        "small",
        ".badge",
        ".ends",
        "figcaption",
        "summary",
        "nav a",
        "dt",
        "pre",
    ]
    found = seen.page.evaluate(CONTRAST, selectors)
    assert len(found) > 100
    assert [entry for entry in found if entry[1] < 4.5] == []


def test_dark_pages_have_dark_figures(report: Path, visit: Open) -> None:
    colours = []
    for dark in (False, True):
        seen = visit(report.as_uri(), dark=dark)
        wait_until_drawn(seen.page)
        colours.append(
            seen.page.evaluate("getComputedStyle(document.querySelector('.drawing .xtick text')).fill")
        )
    assert colours[0] != colours[1]


def test_points_tell_their_facts(report: Path, visit: Open) -> None:
    seen = visit(report.as_uri())
    wait_until_drawn(seen.page)
    bar = seen.page.locator("#net-value .bars .point").first
    bar.scroll_into_view_if_needed()
    bar.hover(force=True)  # the drawing library listens on a surface above the bars
    box = seen.page.locator("#net-value .hoverlayer text").first
    box.wait_for()
    assert "net value a year" in box.text_content()


def test_prints_on_paper(report: Path, visit: Open) -> None:
    seen = visit(report.as_uri(), dark=True)
    wait_until_drawn(seen.page)
    pdf = seen.page.pdf(format="A4")
    assert pdf.startswith(b"%PDF")
    wait_until_drawn(seen.page)
    assert seen.page.evaluate("document.documentElement.dataset.print") is None
    assert seen.complaints == []


def test_keyboard_reaches_tables_and_contents(report: Path, visit: Open) -> None:
    seen = visit(report.as_uri(), width=390)
    page = seen.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "verdict"
    assert page.locator(".scroll:not([tabindex='0'][role='region'][aria-label])").count() == 0
