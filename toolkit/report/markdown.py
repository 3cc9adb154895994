"""A report as Markdown, made of the HTML of its sections: a new section needs nothing more.

The HTML is that of `toolkit.report.elements` and `toolkit.report.figures`, so this knows their few elements;
of any other it keeps the text. What a reader of a file can do nothing with (buttons, data of figures,
elements of the class ``screen-only``) is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from toolkit.report.html_tree import Node, parsed
from toolkit.report.markdown_inline import BLOCKS, inline, is_left_out, line, text_of
from toolkit.report.markdown_text import anchor, as_block, code, escaped, fence, table
from toolkit.report.pages import Page

__all__ = ["markdown"]

_ONLY_ON_SCREEN = "Only in report.html: there is something to try out, and nothing to read."
_EMPTY = "–"


def markdown(page: Page, images: Mapping[str, str] | None = None) -> str:
    """Return a report as Markdown for a forge: tables as GitHub has them, and no HTML.

    Parameters
    ----------
    page : Page
    images : mapping of str to str, optional
        Name of a drawing -> address of its picture, relative to the report. Other figures are told by
        their description and table.

    Returns
    -------
    str
        A head with the answer, the contents, and the sections.
    """
    used: dict[str, int] = {}
    anchor(page.title, used)
    contents: list[str] = []
    bodies: list[str] = []
    for section in page.sections:
        target = anchor(section.title, used)
        contents.append(f"{len(contents) + 1}. [{escaped(section.title)}](#{target})")
        blocks = (
            [as_block(escaped(section.reason))]
            if section.reason
            else _Writer(images or {}, used).blocks(parsed(section.body).children)
        )
        bodies += [f"## {as_block(escaped(section.title))}", *(blocks or [_ONLY_ON_SCREEN])]
    blocks = [*_head(page), "\n".join(contents), *bodies, "---", as_block(escaped(page.footer))]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _head(page: Page) -> list[str]:
    named = page.answers.removeprefix("the ")
    told = [
        (named[:1].upper() + named[1:], escaped(page.answer)),
        ("Written", escaped(page.made)),
        ("Command", code(page.facts.get("command", ""))),
    ]
    return [
        f"# {as_block(escaped(page.title))}",
        as_block(escaped(page.description)),
        "\n".join(f"- **{name}**: {text}" for name, text in told if text),
    ]


@dataclass(frozen=True)
class _Drawing:
    """One of the drawings of a figure: the name of its files, what its button says, what it shows."""

    name: str
    choice: str
    description: str


@dataclass
class _Writer:
    images: Mapping[str, str]
    anchors: dict[str, int] = field(default_factory=dict)

    def blocks(self, nodes: Iterable[Node | str]) -> list[str]:
        """Return the blocks that nodes make; text between elements is a paragraph."""
        found: list[str] = []
        loose: list[Node | str] = []
        for node in nodes:
            if isinstance(node, Node) and (node.tag in BLOCKS or node.has_class("screen-only")):
                found += [as_block(inline(loose)), *self._block(node)]
                loose = []
            else:
                loose.append(node)
        return [block for block in (*found, as_block(inline(loose))) if block]

    def _block(self, node: Node) -> list[str]:
        if node.has_class("screen-only"):
            return [as_block(escaped(node.get("data-instead")))]
        if is_left_out(node):
            return []
        if node.tag in _LEAVES:
            return [_LEAVES[node.tag](node)]
        match node.tag:
            case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
                return [self._heading(node)]
            case "ul" | "ol" if not node.has_class("tiles"):
                return ["\n".join(self._items(node))]
            case "ul":
                return ["\n".join(map(_tile, node.find("li")))]
            case "figure":
                return self._figure(node)
            case "blockquote":
                quoted = "\n\n".join(self.blocks(node.children))
                return ["\n".join(f"> {one}".rstrip() for one in quoted.split("\n"))] if quoted else []
            case _:
                return self.blocks(node.children)

    def _heading(self, node: Node) -> str:
        title = text_of(node)
        anchor(title, self.anchors)
        return f"### {as_block(escaped(title))}"

    def _items(self, node: Node) -> Iterator[str]:
        items = (one for one in node.children if isinstance(one, Node) and one.tag == "li")
        for number, item in enumerate(items, start=1):
            mark = "- " if node.tag == "ul" else f"{number}. "
            lines = "\n\n".join(self.blocks(item.children)).split("\n")
            yield "\n".join([mark + lines[0], *(" " * len(mark) + one if one else "" for one in lines[1:])])

    def _figure(self, node: Node) -> list[str]:
        """Return heading, picture or description, what is said of each drawing, and the table."""
        drawings = _drawings(node)
        caption = next(node.find("figcaption"), Node("figcaption"))
        notes = {
            one.get("data-of").removesuffix("-data"): one for one in caption.find("span") if _is_note(one)
        }
        has_choice = len(drawings) > 1
        said = as_block(
            inline(
                one
                for one in caption.children
                if not (has_choice and isinstance(one, Node) and _is_note(one))
            )
        )
        found = [self._heading(title) for title in node.find("h3")]
        for first in drawings[:1]:
            told = escaped(first.description)
            if first.name in self.images:
                found.append(f"![{told}]({self.images[first.name]})")
            elif told not in said:
                found.append(as_block(told))
        found.append(said)
        if has_choice:
            found.append("\n".join(self._choice(one, notes.get(one.name)) for one in drawings))
        for numbers in node.find("details"):
            found += self.blocks(one for one in numbers.children if not _is_summary(one))
        return found

    def _choice(self, drawing: _Drawing, note: Node | None) -> str:
        name = escaped(drawing.choice)
        address = self.images.get(drawing.name)
        begin = f"- [{name}]({address})" if address else f"- {line([('**', drawing.choice)])}"
        return f"{begin}: {inline(note.children)}" if note is not None else begin


def _drawings(figure: Node) -> list[_Drawing]:
    plot = figure.first("drawing")
    choices = [one for one in figure.find("label") if any(one.find("input"))]
    found = []
    for choice in choices:
        button = next(choice.find("input"))
        name = button.get("value").removesuffix("-data")
        found.append(_Drawing(name, text_of(choice), button.get("data-description")))
    if found or plot is None:
        return found
    return [_Drawing(plot.get("data-figure").removesuffix("-data"), "", plot.get("aria-label"))]


def _is_note(node: Node) -> bool:
    return "data-of" in node.attributes


def _is_summary(node: Node | str) -> bool:
    return isinstance(node, Node) and node.tag == "summary"


def _paragraph(node: Node) -> str:
    if node.has_class("sentence"):
        return line([("**", text_of(node))])
    if node.has_class("caption"):
        return line([("*", text_of(node))])
    return as_block(inline(node.children))


def _tile(item: Node) -> str:
    parts = {name: text_of(one) if (one := item.first(name)) else "" for name in ("label", "value", "note")}
    colon = "" if parts["label"].endswith("?") else ":"
    note = f" ({escaped(parts['note'])})" if parts["note"] else ""
    return f"- {as_block(escaped(parts['label']))}{colon} {line([('**', parts['value'])])}{note}"


def _facts(node: Node) -> str:
    lines, term = [], ""
    for one in node.find("dt", "dd"):
        if one.tag == "dt":
            term = as_block(inline(one.children))
        else:
            lines.append(f"- {term}: {inline(one.children)}")
    return "\n".join(lines)


def _table(node: Node) -> str:
    lines = [[one for one in row.children if isinstance(one, Node)] for row in node.find("tr")]
    lines = [row for row in lines if row]
    if not lines:
        return ""
    heading, *rows = lines
    return table(
        [inline(cell.children, in_table=True) for cell in heading],
        [_cells(row, len(heading)) for row in rows],
        [cell.has_class("n") for cell in heading],
    )


def _cells(row: Sequence[Node], n_columns: int) -> list[str]:
    cells = [inline(cell.children, in_table=True) or _EMPTY for cell in row]
    return [*cells, *[_EMPTY] * n_columns][:n_columns]


_LEAVES: Mapping[str, Callable[[Node], str]] = {
    "p": _paragraph,
    "dl": _facts,
    "table": _table,
    "pre": lambda node: fence(node.text()),
    "summary": lambda node: line([("**", text_of(node))]),
}
"""Elements that hold no other blocks -> what writes them."""
