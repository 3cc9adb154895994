"""What the terminal shows of a table: a line a measure, and the key sentences."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from toolkit.analysis.published.values import Published
from toolkit.report import formats
from toolkit.report.published import words

__all__ = ["summary"]


def summary(published: Published) -> Group:
    """Return the table of measures, and below it what a reader should take away."""
    table = Table(
        title=f"{published.error_title} against compute; {words.level(published)} intervals in brackets",
        title_justify="left",
        title_style="",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("measure", style="bold", min_width=14)
    for heading in ("results", "R²", "times compute\nfor half of it", "power\nof k", "floor"):
        table.add_column(heading, justify="right", no_wrap=True)
    for study in published.studies:
        line = study.line
        table.add_row(
            escape(study.measure.title),
            str(line.n),
            formats.r_squared(line.r_squared),
            _two_lines(words.times(line.k_half).replace(" times", "")),
            _two_lines(words.power(line.power)),
            _two_lines(words.floor(published, study)),
        )
    notes = (f"{study.measure.title}: {note}." for study in published.studies for note in study.notes)
    return Group(table, *(_item(told) for told in (*published.sentences, *notes)))


def _item(told: str) -> Table:
    item = Table.grid(padding=(0, 1, 0, 0))
    item.add_row("•", Text(told))
    return item


def _two_lines(text: str) -> str:
    main, _, ends = text.partition(" [")
    return escape(f"{main}\n[{ends}" if ends else main)
