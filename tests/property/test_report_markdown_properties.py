"""Whatever a text holds, in Markdown it is that text and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from toolkit.report import elements
from toolkit.report.elements import Column, Tile
from toolkit.report.html_tree import one_line
from toolkit.report.markdown import markdown
from toolkit.report.markdown_text import escaped
from toolkit.report.pages import Page, Rendered

FORGE = MarkdownIt("commonmark").enable(["table", "strikethrough"])

PIECES = (
    *(
        "|",
        "\\",
        "\\|",
        "`",
        "``",
        "*",
        "**",
        "_",
        "__",
        "~~",
        "#",
        "##",
        "- ",
        "+ ",
        "> ",
        "1. ",
        "1) ",
        "---",
    ),
    *(
        "===",
        "<script>",
        "</b>",
        "<!--",
        "<a@b.c>",
        "&amp;",
        "&#124;",
        "&",
        "[",
        "]",
        "](x)",
        "[x](y)",
        "![x](y)",
    ),
    *("[x]: y", "[^1]", "[!NOTE]", "[ ] ", "[0.1, 0.2]", "$x$", "$5", "https://a.b/c_d", "https://a.b/_x_*"),
    *(
        "http://a|b",
        "\n",
        "\n\n",
        "\r\n",
        "\t",
        "\v",
        "\x85",
        "\u2028",
        "\u00a0",
        " ",
        "    ",
        "\0",
        "a",
        "Bc",
        "9",
    ),
    *("é", "漢", "😀", ".", ",", ":", "!", "(", ")", "=", "{", "}", "'", '"', "^", "%"),
)
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=9).map("".join)
WORDS = TEXTS.filter(lambda text: bool(one_line(text).strip()))


def shown(text: str) -> str:
    """Return a text as a browser shows it on one line; Markdown has no spaces at the ends."""
    return one_line(text).strip()


def words(inline: Token) -> str:
    """Return the text of a token, however it is marked."""
    kinds = ("text", "code_inline", "softbreak", "hardbreak")
    return "".join(
        (one.content if one.content else "\n") for one in inline.children or () if one.type in kinds
    ).strip()


def tokens(body: Markup) -> list[Token]:
    """Return a section's body as a forge reads it, between its heading and the end of the report."""
    text = markdown(Page("T", "", [Rendered("s", "S", body)]))
    found = FORGE.parse(text)
    begin = next(at for at, one in enumerate(found) if one.type == "heading_open" and one.tag == "h2")
    end = max(at for at, one in enumerate(found) if one.type == "hr")
    return found[begin + 3 : end]


def kinds(found: list[Token]) -> list[str]:
    return [one.type for one in found if one.nesting >= 0]


def inlines(found: list[Token]) -> list[Token]:
    return [one for one in found if one.type == "inline"]


def marks(found: list[Token]) -> set[str]:
    return {child.type for one in inlines(found) for child in one.children or ()} - {"text"}


@given(WORDS)
@example("1. not a list")
@example("[x]: http://a.b")
@example("# not a heading #")
@example("&lt;script&gt;")
@example("https://a.b/c_d&amp;")
@example("(https://a.b/c*d?e=1&f=2).")
def test_a_paragraph_is_its_text(text: str) -> None:
    found = tokens(elements.paragraph(text))
    assert kinds(found) == ["paragraph_open", "inline"]
    assert words(inlines(found)[0]) == shown(text)
    assert marks(found) <= {"link_open", "link_close"}


@given(
    st.lists(st.lists(TEXTS, min_size=3, max_size=3), min_size=1, max_size=4),
    st.lists(WORDS, min_size=4, max_size=4),
)
def test_a_table_keeps_its_cells(rows: list[list[str]], heads: list[str]) -> None:
    columns = [Column(heads[0]), Column(heads[1], numeric=True), Column(heads[2], note=heads[3])]
    found = tokens(elements.table("Caption", columns, rows, hide_caption=True))
    assert kinds(found)[0] == "table_open"
    assert found[-1].type == "table_close"
    told = [words(one) for one in inlines(found)]
    assert told[:2] == [shown(heads[0]), shown(heads[1])]
    assert told[2].split() == f"{shown(heads[2])} ({shown(heads[3])})".split()
    assert told[3:] == [shown(cell) or "–" for row in rows for cell in row]


@given(TEXTS, TEXTS)
def test_code_is_its_text_in_lines_and_tables(text: str, other: str) -> None:
    code = Markup("<code>{}</code>").format(text)
    found = tokens(elements.table("C", [Column("A"), Column("B")], [[code, other]], hide_caption=True))
    assert [words(one) for one in inlines(found)][2:] == [shown(text) or "–", shown(other) or "–"]
    beside = tokens(elements.paragraph(Markup("see {} there").format(code)))
    assert words(inlines(beside)[0]).split() == ["see", *shown(text).split(), "there"]


@given(st.lists(WORDS, min_size=1, max_size=4))
def test_lists_keep_their_entries(entries: list[str]) -> None:
    found = tokens(elements.items(entries))
    assert kinds(found) == [
        "bullet_list_open",
        *["list_item_open", "paragraph_open", "inline"] * len(entries),
    ]
    assert [words(one) for one in inlines(found)] == [shown(entry) for entry in entries]


@given(WORDS, WORDS, WORDS)
def test_tiles_facts_badges_and_quotes_keep_their_text(first: str, second: str, third: str) -> None:
    found = tokens(elements.tiles([Tile(f"x{first}x", second, third)]))
    assert words(inlines(found)[0]) == f"{shown(f'x{first}x')}: {shown(second)} ({shown(third)})"
    found = tokens(elements.facts([(first, second)]))
    assert words(inlines(found)[0]) == f"{shown(first)}: {shown(second)}"
    found = tokens(Markup("<blockquote>{}</blockquote>").format(third))
    assert kinds(found) == ["blockquote_open", "paragraph_open", "inline"]
    assert words(inlines(found)[0]) == shown(third)


@given(WORDS, WORDS)
def test_a_badge_is_strong_wherever_it_stands(text: str, before: str) -> None:
    found = tokens(elements.paragraph(Markup("{}{}{}").format(before, elements.badge(text), before)))
    children = inlines(found)[0].children or []
    at = [one.type for one in children].index("strong_open")
    end = [one.type for one in children].index("strong_close")
    told = "".join(one.content for one in children[at:end])
    assert told.strip() == shown(text)


@given(WORDS, WORDS, WORDS)
def test_titles_are_headings_and_contents_links(title: str, description: str, section: str) -> None:
    text = markdown(Page(title, description, [Rendered("s", section, Markup("<p>body</p>"))], answer=title))
    found = FORGE.parse(text)
    headings = [found[at + 1] for at, one in enumerate(found) if one.type == "heading_open"]
    assert [words(one) for one in headings] == [shown(title), shown(section)]
    assert not [one for one in found if one.type.startswith("html")]
    numbered = next(at for at, one in enumerate(found) if one.type == "ordered_list_open")
    assert words(found[numbered + 3]) == shown(section)


@given(TEXTS)
def test_lines_of_code_are_kept_as_they_are(text: str) -> None:
    found = tokens(Markup("<pre>{}</pre>").format(text))
    assert kinds(found) == ["fence"]
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    assert found[0].content.strip("\n") == lines.strip("\n")


@pytest.mark.parametrize(
    "text",
    [
        "0.27 [0.26, 0.28]",
        "$237 M [$218 M, −$257 M]",
        "score_log_loss",
        "< 0.1 %",
        "https://a.b/c?d=1&e=2",
        "a - b",
    ],
)
def test_what_cannot_be_misread_stands_as_it_is(text: str) -> None:
    assert escaped(text) == text
