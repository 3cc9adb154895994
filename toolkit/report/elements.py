"""Building blocks of sections: tables, figures, notes. Every text is escaped on the way in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from toolkit.analysis.results import Interval
from toolkit.report import formats

__all__ = [
    "Column",
    "Tile",
    "badge",
    "environment",
    "estimate",
    "facts",
    "fragment",
    "items",
    "join",
    "paragraph",
    "screen_only",
    "slug",
    "split",
    "table",
    "tiles",
    "whole",
]


_LONG = 14
_SENTENCE = 60
"""Characters of a cell or heading from which its column takes more room on a narrow page."""


@dataclass(frozen=True)
class Column:
    """A column of a table; numbers stand to the right."""

    title: str
    numeric: bool = False
    note: str = ""


@dataclass(frozen=True)
class Tile:
    """One large figure with its label."""

    label: str
    value: str | Markup
    note: str = ""


def environment() -> Environment:
    """Return the Jinja environment of the report: autoescape on, unknown names are errors."""
    found = Environment(
        loader=PackageLoader("toolkit", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["unbroken"] = _unbroken
    return found


def _unbroken(text: str | Markup) -> Markup:
    """Return a text with its minus signs kept beside their amounts: a browser parts them before "$"."""
    if isinstance(text, Markup):
        return text
    whole = r'<span class="whole">\g<0></span>'
    return Markup(_OWED.sub(whole, str(escape(text))))  # noqa: S704 (escaped)


_OWED = re.compile(r"\u2212[$€£¥][\d.,]*\d")


@cache
def _macros() -> Any:
    return environment().get_template("fragments.html").module


def fragment(macro: str, **values: Any) -> Markup:
    """Return one macro of ``fragments.html``, filled in."""
    return Markup(getattr(_macros(), macro)(**values))  # noqa: S704 (escaped by the template)


def slug(text: str) -> str:
    """Return `text` as an anchor: lower case, dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "x"


def table(
    caption: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[str | Markup]],
    *,
    hide_caption: bool = False,
    hide_empty: bool = False,
) -> Markup:
    """Return a table; the first cell of a row is its heading.

    Parameters
    ----------
    caption : str
        What the table shows; always there for screen readers.
    columns : sequence of Column
    rows : iterable of sequences of str
        Each as long as `columns`.
    hide_caption : bool
        True where a heading above says the same.
    hide_empty : bool
        Leave out columns without anything in them: what a table of the user's own may not have.
    """
    body = [list(row) for row in rows]
    for row in body:
        if len(row) != len(columns):
            raise ValueError(f"a row of '{caption}' has {len(row)} cells for {len(columns)} columns")
    if hide_empty:
        kept = [place for place in range(len(columns)) if any(row[place] for row in body)]
        columns, body = [columns[place] for place in kept], [[row[place] for place in kept] for row in body]
    return fragment(
        "table",
        caption=caption,
        columns=columns,
        rows=body,
        hide_caption=hide_caption,
        missing=formats.MISSING,
        wide=[_width(column, [row[place] for row in body]) for place, column in enumerate(columns)],
    )


def _width(column: Column, cells: Sequence[str | Markup]) -> str:
    """Return the class that keeps a column from being squeezed into many lines where the table scrolls."""
    longest = max((len(cell.striptags() if isinstance(cell, Markup) else cell) for cell in cells), default=0)
    if not column.numeric and longest > _SENTENCE:
        return "sentences"
    heading = max(len(column.title), len(column.note))
    return "long" if heading > _LONG or (not column.numeric and longest > _LONG) else ""


def facts(pairs: Iterable[tuple[str, str | Markup]]) -> Markup:
    """Return terms with what they stand for."""
    return fragment("facts", pairs=list(pairs))


def tiles(entries: Iterable[Tile]) -> Markup:
    """Return large figures side by side."""
    return fragment("tiles", items=list(entries))


def paragraph(text: str | Markup, *, quiet: bool = False) -> Markup:
    """Return one paragraph."""
    return fragment("paragraph", text=text, quiet=quiet)


def items(entries: Iterable[str | Markup]) -> Markup:
    """Return a list; nothing when there is no entry."""
    found = list(entries)
    return fragment("items", entries=found) if found else Markup("")


def badge(text: str, kind: str = "plain") -> Markup:
    """Return a word in a frame; `kind` is ``good``, ``bad``, ``open`` or ``plain``."""
    return fragment("badge", text=text, kind=kind)


def estimate(value: Interval | None, show: Callable[[float, int], str] = formats.number) -> Markup:
    """Return an estimate with its interval in smaller print."""
    return split(formats.interval(value, show))


def split(text: str) -> Markup:
    """Return a text whose interval in brackets, if it has one, stands in smaller print."""
    main, _, ends = text.partition(" [")
    return fragment("estimate", main=main, ends=f"[{ends}" if ends else "")


def whole(text: str | Markup) -> Markup:
    """Return a text that is not broken into lines."""
    return fragment("estimate", main=text, ends="")


def screen_only(body: Markup, instead: str = "") -> Markup:
    """Return what is of use on a screen only, such as controls; paper and ``report.md`` go without.

    Parameters
    ----------
    body : Markup
    instead : str
        The line that stands in its place in ``report.md``; none when empty.
    """
    return fragment("screen_only", body=body, instead=instead)


def join(*parts: str | Markup) -> Markup:
    """Return fragments one after the other; plain text is escaped."""
    return Markup("\n").join(parts)
