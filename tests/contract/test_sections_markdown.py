"""Every section says the same as Markdown: all its text, every table, and no HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import ModuleType

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from toolkit import registry
from toolkit.analysis.results import Results
from toolkit.report.base import NotApplicable, Section
from toolkit.report.html_tree import Node, one_line, parsed
from toolkit.report.markdown import markdown
from toolkit.report.pages import Page, Rendered

NAMES = registry.names("report.sections")
FORGE = MarkdownIt("commonmark").enable(["table", "strikethrough"])
UNSEEN = {"button", "caption", "fieldset", "noscript", "script", "style", "summary", "svg"}


def seen(node: Node) -> Node:
    """Return the same without what is for the screen only."""
    kept = [one if isinstance(one, str) else seen(one) for one in node.children if not _on_screen(one)]
    return Node(node.tag, node.attributes, kept)


def _on_screen(node: Node | str) -> bool:
    return isinstance(node, Node) and node.has_class("screen-only")


def body(name: str, results: Results) -> Markup:
    section: Section = registry.plugin("report.sections", name)()
    try:
        return section.render(results)
    except NotApplicable as empty:
        return Markup("<p>{}</p>").format(empty.reason)


def written(html: Markup) -> str:
    return markdown(Page("Title", "", [Rendered("section", "Section", html)]))


def texts(node: Node) -> Iterator[str]:
    """Yield what a reader of the page sees, piece by piece; notes of hidden drawings too."""
    for child in node.children:
        if isinstance(child, str):
            if child.strip():
                yield one_line(child).strip()
        elif child.tag == "sup" or child.has_class("sideways") or child.has_class("save"):
            continue
        elif child.tag not in UNSEEN or (child.tag == "summary" and node.get("class") != "numbers"):
            yield from texts(child)


def inline_text(token: Token) -> str:
    return "".join(one.content for one in token.children or ())


def read_back(text: str) -> list[Token]:
    return FORGE.parse(text)


@pytest.fixture(params=["golden", "accelerated", "old", "one_cell", "none"])
def results(request: pytest.FixtureRequest, made_up_results: ModuleType) -> Results:
    found: Results = getattr(made_up_results, request.param)()
    return found


@pytest.mark.parametrize("name", NAMES)
def test_all_text_is_there(name: str, results: Results) -> None:
    html = body(name, results)
    tokens = read_back(written(html))
    told = [inline_text(one) for one in tokens if one.type == "inline"]
    told += [one_line(one.content) for one in tokens if one.type == "fence"]
    everything = one_line(" ".join(told))
    assert [one for one in texts(seen(parsed(html))) if one not in everything] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_table_is_one_of_as_many_cells(name: str, results: Results) -> None:
    html = body(name, results)
    tokens = read_back(written(html))
    tables = [one for one in tokens if one.type == "table_open"]
    cells = [one for one in tokens if one.type in ("th_open", "td_open")]
    tree = seen(parsed(html))
    assert len(tables) == len(list(tree.find("table")))
    assert len(cells) == len(list(tree.find("th", "td")))


@pytest.mark.parametrize("name", NAMES)
def test_holds_no_html_and_nothing_of_names(name: str, results: Results) -> None:
    tokens = read_back(written(body(name, results)))
    assert [one.content for one in tokens if one.type.startswith("html")] == []
    children = [child for one in tokens for child in one.children or ()]
    assert [one.content for one in children if one.type in ("html_inline", "image", "s_open")] == []
    assert {one.tag for one in tokens if one.type == "heading_open"} <= {"h1", "h2", "h3"}


@pytest.mark.parametrize("name", NAMES)
def test_blocks_are_parted_and_lines_end_clean(name: str, results: Results) -> None:
    text = written(body(name, results))
    assert text.endswith("\n")
    outside = re.sub(r"^(`{3,})\n.*?^\1$", "code", text, flags=re.DOTALL | re.MULTILINE)
    assert "\n\n\n" not in outside
    assert [line for line in outside.split("\n") if line != line.rstrip()] == []
