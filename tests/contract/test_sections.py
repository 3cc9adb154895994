"""Every section renders on full results, on one cell and on none; what it writes is sound HTML."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from types import ModuleType

import pytest
from markupsafe import Markup

from toolkit import registry
from toolkit.analysis.analyse import analyse
from toolkit.analysis.results import Results
from toolkit.report.base import NotApplicable, Section

NAMES = registry.names("report.sections")
VOID = {"br", "hr", "img", "input", "meta", "link", "path"}


class Outline(HTMLParser):
    """Collects ids and attributes, and complains of tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.problems: list[str] = []
        self.feed(text)
        self.close()
        self.problems += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> does not match")

    def found(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def section(name: str) -> Section:
    return registry.plugin("report.sections", name)()


def html(name: str, results: Results) -> Markup:
    try:
        return section(name).render(results)
    except NotApplicable:
        return Markup("")


@pytest.fixture(params=["golden", "accelerated", "old", "one_cell", "none", "full"])
def results(request: pytest.FixtureRequest, made_up_results: ModuleType, full: Results) -> Results:
    return full if request.param == "full" else getattr(made_up_results, request.param)()


@pytest.mark.parametrize("name", NAMES)
def test_renders_sound_html_or_says_why_not(name: str, results: Results) -> None:
    text = html(name, results)
    assert isinstance(text, Markup)
    outline = Outline(text)
    assert outline.problems == []
    ids = Counter(attributes["id"] for _, attributes in outline.tags if "id" in attributes)
    assert [key for key, times in ids.items() if times > 1] == []


@pytest.fixture(scope="module")
def full(made_up_results: ModuleType, worlds: ModuleType) -> Results:
    """The hand-made results, with the sheet of a drawn experiment: nobody makes one by hand."""
    names = [entry.track for entry in made_up_results.golden().verdict.tracks]
    cells, evidence = worlds.draw({name: worlds.Truth(0.5) for name in names}, n_clusters=20, rows=10)
    drawn = analyse(worlds.declare(names), task={"name": "made_up"}, cells=cells, evidence=evidence)
    assert drawn.sheet is not None
    return replace(made_up_results.golden(), sheet=drawn.sheet)


@pytest.mark.parametrize("name", NAMES)
def test_has_something_to_show_of_full_results(name: str, full: Results) -> None:
    assert len(section(name).render(full).striptags()) > 40


@pytest.mark.parametrize("name", NAMES)
def test_is_quiet_without_any_cell(name: str, made_up_results: ModuleType) -> None:
    with pytest.raises(NotApplicable, match=r"^[A-Z].*\.$"):
        section(name).render(made_up_results.none())


@pytest.mark.parametrize("name", NAMES)
def test_escapes_names_rules_and_reasons(name: str, results: Results) -> None:
    # The data of figures are scripts of a type that no browser runs, and hold no "<" at all; packed ones are
    # text in base64, which holds no sign of markup either.
    text = html(name, results)
    assert "<script>alert" not in text
    kinds = [attributes.get("type") for attributes in Outline(text).found("script")]
    packed = re.findall(r'<script type="text/plain" id="[a-z-]+">[A-Za-z0-9+/=]+</script>', text)
    assert len(packed) == kinds.count("text/plain")
    assert set(kinds) <= {"application/json", "text/plain"}


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_a_description_and_a_table(name: str, results: Results) -> None:
    text = html(name, results)
    drawings = text.split("<figure")[1:]
    for drawing in drawings:
        outline = Outline("<figure" + drawing.partition("</figure>")[0] + "</figure>")
        plots = [a for a in outline.found("div") if a.get("class") == "drawing"]
        assert len(plots) == 1
        assert plots[0]["role"] == "img"
        assert len(plots[0]["aria-label"] or "") > 30
        assert outline.found("table")
        assert outline.found("h3")


@pytest.mark.parametrize("name", NAMES)
def test_says_the_same_twice(name: str, results: Results) -> None:
    assert html(name, results) == html(name, results)


def test_sections_have_titles_and_places() -> None:
    found = [section(name) for name in NAMES]
    assert all(one.title for one in found)
    assert len({one.title for one in found}) == len(found)
    assert len({one.order for one in found}) == len(found)
    assert min(found, key=lambda one: one.order).title == "Verdict"
