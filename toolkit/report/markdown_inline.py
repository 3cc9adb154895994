"""Text with emphasis and code, within one line of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from toolkit.report.html_tree import Node, one_line
from toolkit.report.markdown_text import code, escaped

__all__ = ["BLOCKS", "Run", "inline", "is_left_out", "line", "text_of"]

Mark = Literal["", "*", "**", "`", "()", "\n"]
Run = tuple[Mark, str]
"""How a text is marked, and the text; ``()`` is small print and a line break has no text."""

BLOCKS = frozenset(
    {
        *("address", "article", "aside", "blockquote", "caption", "details", "div", "dl", "fieldset"),
        *("figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr"),
        *("main", "nav", "noscript", "ol", "p", "pre", "script", "section", "style", "summary", "table"),
        *("template", "ul"),
    }
)
"""Elements that stand on lines of their own."""

_LEFT_OUT = frozenset(
    {
        *("button", "canvas", "caption", "fieldset", "hr", "input", "noscript", "script", "select"),
        *("style", "svg", "template", "textarea"),
    }
)
_MARKS: dict[str, Mark] = {"b": "**", "strong": "**", "em": "*", "i": "*", "code": "`", "small": "()"}
_RAISED = str.maketrans("0123456789+-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")
_BEFORE_MARKS, _AFTER_MARKS = " ([/–—", " .,;:)]?!"
"""What may stand directly beside stars; beside a letter they might be nothing but stars."""


def is_left_out(node: Node) -> bool:
    """Tell whether an element has nothing for the reader of a file: controls, data, what is hidden.

    Captions are in the page twice: seen, and for those who hear it.
    """
    if node.tag in _LEFT_OUT or "hidden" in node.attributes or node.has_class("screen-only"):
        return True
    return node.get("aria-hidden") == "true" and not node.has_class("caption")


def text_of(node: Node) -> str:
    """Return the text of an element as one line, without what is left out."""
    parts = [child if isinstance(child, str) else _plain(child) for child in node.children]
    return one_line("".join(parts)).strip()


def _plain(node: Node) -> str:
    if is_left_out(node):
        return ""
    text = text_of(node)
    if node.tag == "sup":
        return _raised(text)
    return f"{text} " if node.tag in BLOCKS or node.tag == "br" else text


def inline(nodes: Iterable[Node | str], *, in_table: bool = False) -> str:
    """Return nodes as one line.

    Parameters
    ----------
    nodes : iterable of Node or str
    in_table : bool
        Of the cell of a table.
    """
    return line(list(_runs(nodes)), in_table=in_table)


def _runs(nodes: Iterable[Node | str]) -> Iterator[Run]:
    for node in nodes:
        if isinstance(node, str):
            yield "", node
        elif node.tag == "br":
            yield "\n", ""
        elif is_left_out(node):
            continue
        elif node.tag in _MARKS:
            yield _MARKS[node.tag], text_of(node)
        elif node.has_class("badge"):
            yield "**", text_of(node)
        elif node.tag == "sup":
            yield "", _raised(text_of(node))
        elif node.tag in BLOCKS:
            yield from (("\n", ""), *_runs(node.children), ("\n", ""))
        else:
            yield from _runs(node.children)
            if node.tag == "a" and node.get("href").startswith(("https://", "http://")):
                yield "", f" {node.get('href')}"


def _raised(text: str) -> str:
    raised = text.translate(_RAISED)
    return f"^{text}" if any(sign in "0123456789." or sign.isalpha() for sign in raised) else raised


def line(runs: Sequence[Run], *, in_table: bool = False) -> str:
    """Return runs of text as one line; what stood on several is parted by dots.

    Parameters
    ----------
    runs : sequence of (mark, text)
    in_table : bool
    """
    lines: list[list[Run]] = [[]]
    for mark, text in runs:
        if mark == "\n":
            lines.append([])
        elif lines[-1] and mark == lines[-1][-1][0] == "":
            lines[-1][-1] = ("", lines[-1][-1][1] + text)  # what is escaped depends on what stands beside it
        else:
            lines[-1].append((mark, text))
    told = (_joined(one, in_table=in_table) for one in lines)
    return " · ".join(one for one in told if one)


def _joined(runs: Sequence[Run], *, in_table: bool) -> str:
    found = ""
    before: Mark = ""
    for mark, text in runs:
        written = _written(mark, text, is_first=not found.strip(), in_table=in_table)
        if found and written and not _may_touch(found[-1], before, mark, written[0]):
            found += " "
        if written:
            found, before = found + written, mark
    return one_line(found).strip()


def _may_touch(last: str, before: Mark, mark: Mark, first: str) -> bool:
    """Tell whether what ends with `last` and what begins with `first` may stand without a space."""
    if " " in (last, first) or not (before or mark):
        return True
    return (not before and mark != "()" and last in _BEFORE_MARKS) or (not mark and first in _AFTER_MARKS)


def _written(mark: Mark, text: str, *, is_first: bool, in_table: bool) -> str:
    if not mark:
        return escaped(text)
    text = one_line(text).strip()
    if not text:
        return ""
    if mark == "`":
        return code(text, in_table=in_table)
    if mark == "()":
        return escaped(text) if is_first else f"({escaped(text)})"
    return f"{mark}{escaped(text)}{mark}"
