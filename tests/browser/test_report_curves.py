"""The choice of a cost, by keyboard and on paper, and drawings saved from the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import Browser, Page

from toolkit.report import document

pytestmark = pytest.mark.browser

Open = Callable[..., Any]
FIGURE = "#curve-error-log-loss"
X_TITLE = f"{FIGURE} .xtitle"


@pytest.fixture(scope="module")
def report(made_up_results: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("curves")
    return document.write(made_up_results.steep(), folder, figures=True).html


def opened(report: Path, visit: Open, **how: Any) -> Any:
    seen = visit(report.as_uri(), **how)
    seen.page.wait_for_selector("html[data-drawn]", timeout=60_000)
    return seen


def title_of_axis(page: Page) -> str:
    return page.locator(X_TITLE).text_content() or ""


def test_the_cost_is_chosen_by_keyboard(report: Path, visit: Open) -> None:
    seen = opened(report, visit)
    page = seen.page
    assert "CPU-seconds" in title_of_axis(page)
    first = page.locator(f"{FIGURE} .choices input").first
    first.focus()
    ring = "getComputedStyle(document.activeElement.nextElementSibling).outlineStyle"
    page.keyboard.press("ArrowRight")
    page.locator(X_TITLE, has_text="Training rows").wait_for()
    assert page.evaluate(ring) == "solid"
    assert "rows" in (page.locator(f"{FIGURE} .drawing").get_attribute("aria-label") or "")
    page.keyboard.press("ArrowRight")
    page.locator(X_TITLE, has_text="USD for training, modelled").wait_for()
    notes = page.locator(f"{FIGURE} .note:visible")
    assert notes.count() == 1
    assert "one price for all tracks" in (notes.text_content() or "")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.locator(X_TITLE, has_text="Training CPU-seconds").wait_for()
    assert seen.complaints == []
    assert seen.requests == [report.as_uri()]


def test_every_choice_draws_its_own_axis(report: Path, visit: Open) -> None:
    seen = opened(report, visit)
    titles = {
        "Rows": "Training rows",
        "USD": "USD for training",
        "Joules": "Joules of training",
        "kg": "kg CO₂e of training",
        "FLOP": "FLOP of one fit",
        "CPU": "Training CPU-seconds",
    }
    assert seen.page.locator(f"{FIGURE} .choices label").count() == len(titles)
    for choice, title in titles.items():
        seen.page.locator(f"{FIGURE} .choices label", has_text=choice).click()
        seen.page.locator(X_TITLE, has_text=title).wait_for()
    assert seen.complaints == []


@pytest.mark.parametrize("dark", [False, True])
def test_a_drawing_is_saved_from_the_page(report: Path, visit: Open, tmp_path: Path, dark: bool) -> None:
    seen = opened(report, visit, dark=dark)
    seen.page.locator(f"{FIGURE} .choices label", has_text="Joules").click()
    for kind in ("png", "svg"):
        with seen.page.expect_download() as waited:
            seen.page.locator(f"{FIGURE} .save button[data-save={kind}]").click()
        assert waited.value.suggested_filename == f"curve-error-log-loss-energy.{kind}"
        waited.value.save_as(tmp_path / f"saved.{kind}")
    assert (tmp_path / "saved.png").read_bytes().startswith(b"\x89PNG")
    root = ET.parse(tmp_path / "saved.svg").getroot()  # noqa: S314 (our own)
    texts = {"".join(one.itertext()) for one in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"Log loss against what training costs", "neural", "forecast"} <= texts
    assert seen.complaints == []


def test_every_figure_can_be_saved(report: Path, visit: Open) -> None:
    seen = opened(report, visit)
    page = seen.page
    assert page.locator(".save:visible").count() == page.locator("figure.figure").count()
    assert page.locator(".save button[aria-label]").count() == 2 * page.locator("figure.figure").count()


def test_a_phone_has_a_legend_in_place_of_names_beside_the_picture(report: Path, visit: Open) -> None:
    wide, phone = opened(report, visit), opened(report, visit, width=390)
    legend = f"{FIGURE} .legendtext"
    assert "neural" not in wide.page.locator(legend).all_text_contents()
    assert {"neural", "classical", "rules (12)"} <= set(phone.page.locator(legend).all_text_contents())
    notes = f"{FIGURE} .annotation-text"
    assert "neural" in wide.page.locator(notes).all_text_contents()
    assert "neural" not in phone.page.locator(notes).all_text_contents()
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_paper_shows_cpu_seconds_and_the_table(report: Path, visit: Open) -> None:
    seen = opened(report, visit)
    page = seen.page
    page.locator(f"{FIGURE} .choices label", has_text="Rows").click()
    page.locator(X_TITLE, has_text="Training rows").wait_for()
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.locator(X_TITLE, has_text="Training CPU-seconds").wait_for()
    assert page.locator(f"{FIGURE} table").is_visible()
    assert not page.locator(f"{FIGURE} .choices").is_visible()
    assert not page.locator(f"{FIGURE} .save").is_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    page.locator(X_TITLE, has_text="Training rows").wait_for()
    assert not page.locator(f"{FIGURE} table").is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")
    assert seen.complaints == []


def test_without_javascript_there_is_a_picture_and_the_table_opens(report: Path, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False, offline=True)
    try:
        page = context.new_page()
        page.goto(report.as_uri())
        picture = page.locator(f"{FIGURE} img.still")
        box = picture.bounding_box()
        assert box is not None
        assert box["width"] > 500
        assert picture.get_attribute("alt")
        assert not page.locator(f"{FIGURE} .choices").is_visible()
        assert not page.locator(f"{FIGURE} .save").is_visible()
        assert not page.locator(f"{FIGURE} .drawing").is_visible()
        page.locator(f"{FIGURE} summary").click()
        assert page.locator(f"{FIGURE} table").is_visible()
    finally:
        context.close()
