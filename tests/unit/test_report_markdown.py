"""The report as Markdown."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from markupsafe import Markup

from toolkit.report import document, elements
from toolkit.report.elements import Column, Tile
from toolkit.report.markdown import markdown
from toolkit.report.markdown_text import anchor, code
from toolkit.report.pages import Page, Rendered


def body(html: Markup) -> str:
    """Return a section's blocks, without its heading and all that is around it."""
    text = markdown(Page("Title", "", [Rendered("s", "Section", html)]))
    return text.partition("## Section\n\n")[2].rpartition("\n\n---\n")[0]


def test_the_head_says_what_when_and_how(made_up_results: ModuleType) -> None:
    results = made_up_results.golden()
    results = replace(results, environment={**results.environment, "command": "python -m toolkit.run a.yaml"})
    head = document.as_text(results, "md").partition("\n1. [")[0].strip().split("\n")
    told = [line for line in head if line]
    assert len(told) == 5
    assert told[0].startswith("# retail · ")
    assert told[2] == f"- **Verdict**: {results.verdict.sentence}"
    assert told[3].startswith("- **Written**: 2026-01-15T10:00:00+00:00 · ")
    assert told[4] == "- **Command**: `python -m toolkit.run a.yaml`"


def test_the_verdict_is_the_first_section(made_up_results: ModuleType) -> None:
    text = document.as_text(made_up_results.golden(), "md")
    assert re.findall("^## (.*)$", text, flags=re.MULTILINE)[0] == "Verdict"


def test_contents_lead_to_the_headings_of_a_forge() -> None:
    sections = [
        Rendered("a", "Same", Markup("<h3>Same</h3><p>x</p>")),
        Rendered("b", "Same", Markup("<p>y</p>")),
        Rendered("c", "Environment, and how", Markup(""), reason="Nothing to show."),
    ]
    text = markdown(Page("Same", "", sections))
    assert re.findall(r"\]\(#(.*?)\)", text) == ["same-1", "same-3", "environment-and-how"]
    assert "## Environment, and how\n\nNothing to show." in text


def test_anchors_are_those_of_a_forge() -> None:
    used: dict[str, int] = {}
    titles = ["What k⁴ costs?", "1 − PR-AUC (low)", "A_b", "a_b"]
    assert [anchor(title, used) for title in titles] == ["what-k⁴-costs", "1--pr-auc-low", "a_b", "a_b-1"]


def test_narrow_tables_stand_straight_and_wide_ones_are_not_filled_up() -> None:
    columns = [Column("Track"), Column("Cost", numeric=True, note="USD")]
    assert body(elements.table("Costs", columns, [["rules", "1"], ["漢", ""]])) == "\n".join(
        [
            "*Costs*",
            "",
            "| Track | Cost (USD) |",
            "| ----- | ---------: |",
            "| rules |          1 |",
            "| 漢    |          – |",
        ]
    )
    wide = body(elements.table("Costs", columns, [["rules " * 40, "1"]], hide_caption=True))
    assert wide.startswith("| Track | Cost (USD) |\n| --- | --: |\n")


def test_a_caption_stands_once_and_is_left_out_where_a_heading_says_it() -> None:
    columns = [Column("A")]
    assert body(elements.table("Said once", columns, [["x"]])).count("Said once") == 1
    assert "Said" not in body(elements.table("Said once", columns, [["x"]], hide_caption=True))


def test_figures_are_pictures_where_there_are_any(made_up_results: ModuleType, tmp_path: Path) -> None:
    paths = document.write(made_up_results.steep(), tmp_path, figures=True)
    text = paths.markdown.read_text(encoding="utf-8")
    (alt, picture) = re.findall(r"^!\[(.*)\]\((.*)\)$", text, flags=re.MULTILINE)[0]
    assert picture == "figures/curve-error-log-loss-cpu.png"
    assert alt.startswith("Log loss against Training CPU-seconds: ")
    links = set(re.findall(r"\]\((figures/[^)]*)\)", text))
    assert links == {f"figures/{path.name}" for path in paths.figures if path.suffix == ".png"}
    assert "- [Rows](figures/curve-error-log-loss-rows.png): " in text

    document.write(made_up_results.steep(), tmp_path)
    text = paths.markdown.read_text(encoding="utf-8")
    assert "figures/" not in text
    assert alt in text
    assert "- **Rows**: " in text


def test_what_is_for_the_screen_only_is_a_line_or_nothing() -> None:
    slider = Markup('<label>Volume <input type="range"></label>')
    assert body(elements.join("Before", elements.screen_only(slider), "after")) == "Before\n\nafter"
    assert body(elements.screen_only(slider, "Sliders: in report.html.")) == "Sliders: in report.html."
    assert body(elements.screen_only(slider)) == (
        "Only in report.html: there is something to try out, and nothing to read."
    )


def test_tiles_and_facts_are_lists() -> None:
    tiles = elements.tiles([Tile("Best", "rules", "by far"), Tile("Sure?", "No")])
    assert body(tiles) == "- Best: **rules** (by far)\n- Sure? **No**"
    assert body(elements.facts([("Rows", "1,000")])) == "- Rows: 1,000"


def test_details_are_open() -> None:
    html = Markup("<details><summary>More</summary><p>Inside</p><pre>a\n  b</pre></details>")
    assert body(html) == "**More**\n\nInside\n\n```\na\n  b\n```"


def test_nested_lists_are_indented() -> None:
    html = Markup("<ol><li>One<ul><li>Two</li></ul></li><li>Three</li></ol>")
    assert body(html) == "1. One\n\n   - Two\n2. Three"


@pytest.mark.parametrize(
    ("html", "told"),
    [
        ("<p>k<sup>4</sup> and k<sup>9.9</sup></p>", "k⁴ and k^9.9"),
        ("<p>a<br>b<br></p>", "a · b"),
        ("<p>It is so. <small>Author 2016</small></p>", "It is so. (Author 2016)"),
        ("<p>a<em>b</em>c <strong>d</strong>.</p>", "a *b* c **d**."),
        ('<p><a href="https://a.b">there</a> <a href="#x">here</a></p>', "there https://a.b here"),
        ("<div>loose <span>text</span><p>and more</p></div>", "loose text\n\nand more"),
        ("<blockquote><p>a</p><p>b</p></blockquote>", "> a\n>\n> b"),
        ("<p hidden>no</p><p aria-hidden='true'>no</p><!-- no --><script>no</script><p>yes</p>", "yes"),
        ("<p>not closed", "not closed"),
    ],
)
def test_elements(html: str, told: str) -> None:
    assert body(Markup(html)) == told  # noqa: S704 (no text of others)


@pytest.mark.parametrize(
    ("text", "in_table", "told"),
    [
        ("a|b", False, "`a|b`"),
        ("a|b", True, "`a\\|b`"),
        ("a\\|b", True, "a\\\\\\|b"),
        ("`x`", False, "`` `x` ``"),
        ("a``b", False, "```a``b```"),
        ("", False, ""),
    ],
)
def test_code(text: str, in_table: bool, told: str) -> None:
    assert code(text, in_table=in_table) == told


def test_the_report_of_nothing_can_be_read(made_up_results: ModuleType) -> None:
    text = document.as_text(made_up_results.none(), "md")
    assert "No cell has finished yet, so there is nothing to compare." in text
    assert "|" not in text
