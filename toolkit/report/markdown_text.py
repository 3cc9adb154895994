"""Text as Markdown (CommonMark, and GitHub's tables) that shows it and is nothing but text.

Only what could be read as markup is escaped, so that the source can be read too.
"""

from __future__ import annotations

import re

from rich.cells import cell_len

from toolkit.report.html_tree import one_line

__all__ = ["anchor", "as_block", "code", "escaped", "fence", "table"]

_WIDEST = 160
"""Columns of text up to which the cells of a table are filled up, so that they stand below one another."""

_ESCAPE = re.compile(
    r"""
    (?P<url>        # what ends a sentence is not of the address, nor is "&amp;"
        https?:// (?: [^\s<>|\\`"&] | &(?!\#?\w+;) )* [^\s<>|\\`"&.,;:!?)\]}'’]
    )
    | (?P<plain>    # 0.27 [0.26, 0.28] is no link: nothing is defined, and no address follows
        \[ (?: [^\W_] | [ \u00a0\u202f.,;%×·∞⁻+−–/-] | [$€£¥](?=\d) )+ \] (?![\[(:])
    )
    | [\\`*~|\[\]]
    | (?<![^\W_])_ | _(?![^\W_])    # within a word it is only a character
    | <(?![\s\d])                   # "< 0.1 %" is no tag
    | &(?=\#?\w+;)
    | \$(?!\d)                      # "$5" ends no formula
    """,
    re.VERBOSE,
)
_BEGINNING = re.compile(r"^(?:(?P<sign>[#>\[]|[-+](?= |$)|-(?=-+ *$))|(?P<number>\d{1,9})(?=[.)](?: |$)))")
_IN_URL = re.compile(r"[*~\[\]$] | (?<![^\W_])_ | _(?![^\W_])", re.VERBOSE)


def escaped(text: str) -> str:
    """Return one line of text that stands as it is within a paragraph, a heading or the cell of a table.

    Parameters
    ----------
    text : str
        Line breaks become spaces.
    """
    return _ESCAPE.sub(_told, one_line(text))


def _told(found: re.Match[str]) -> str:
    if found["url"]:
        # With characters escaped it would lead elsewhere, where a forge makes it a link.
        return f"<{found[0]}>" if _IN_URL.search(found[0]) else found[0]
    return found[0] if found["plain"] else f"\\{found[0]}"


def as_block(line: str) -> str:
    """Return an escaped line that begins a paragraph or heading, and neither a list nor anything else."""
    line = line.strip()
    found = _BEGINNING.match(line)
    if found:
        line = f"{found[0]}\\{line[found.end() :]}" if found["number"] else f"\\{line}"
    return re.sub(r"(?<= )(#+)$", r"\\\1", line)


def code(text: str, *, in_table: bool = False) -> str:
    """Return a span of code; where a table could not hold it, the text without being code."""
    text = one_line(text).strip()
    if not text or (in_table and "\\|" in text):
        return escaped(text)
    if in_table:
        text = text.replace("|", "\\|")
    ticks = _ticks(text, least=1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def fence(text: str) -> str:
    """Return lines of code as they are."""
    lines = "\n".join(re.split(r"\r\n|\r|\n", text)).strip("\n").replace("\0", "")
    ticks = _ticks(lines, least=3)
    return f"{ticks}\n{lines}\n{ticks}"


def _ticks(text: str, *, least: int) -> str:
    return "`" * max(least, 1 + max((len(run) for run in re.findall("`+", text)), default=0))


def table(heading: list[str], rows: list[list[str]], numeric: list[bool]) -> str:
    """Return a table of cells that are Markdown already; numbers stand to the right.

    Parameters
    ----------
    heading : list of str
    rows : list of lists of str
        Each as long as `heading`.
    numeric : list of bool
        By column.
    """
    widths = [max(3, *(cell_len(row[place]) for row in [heading, *rows])) for place in range(len(heading))]
    if sum(widths) + 3 * len(widths) + 1 > _WIDEST:
        widths = [0] * len(widths)

    def line(cells: list[str]) -> str:
        return f"| {' | '.join(map(_filled, cells, widths, numeric))} |"

    rule = [
        f"{'-' * max(2, width - 1)}{':' if right else '-'}"
        for width, right in zip(widths, numeric, strict=True)
    ]
    return "\n".join([line(heading), line(rule), *map(line, rows)])


def _filled(cell: str, width: int, right: bool) -> str:
    room = " " * max(0, width - cell_len(cell))
    return room + cell if right else cell + room


def anchor(heading: str, used: dict[str, int]) -> str:
    """Return the anchor that a forge gives a heading.

    Parameters
    ----------
    heading : str
        As text, not escaped.
    used : dict of str to int
        Anchors so far -> how often each was asked for; brought up to date.
    """
    plain = re.sub(r"[^\w\- ]", "", one_line(heading).strip().lower()).replace(" ", "-")
    before = used.get(plain, 0)
    used[plain] = before + 1
    return f"{plain}-{before}" if before else plain
