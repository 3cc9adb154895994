"""What the terminal shows of a table: a line a fit, the key sentences, and what was refused or left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from toolkit.analysis.published.values import Published, Study
from toolkit.report import formats
from toolkit.report.published import words

__all__ = ["summary"]

_WIDE = 16
"""Ends of an interval that are longer take two lines: a terminal has 80 columns for all."""


def summary(published: Published) -> Group:
    """Return the fits, what a reader should take away, and what was refused, is doubtful or left out."""
    told = [Text.assemble(("is this meant? ", "yellow"), doubt) for doubt in published.doubts]
    told += [Text(sentence, "yellow") for sentence in published.left_out]
    refused = (Text.assemble(("no forecast: ", "yellow"), sentence) for sentence in _refused(published))
    notes = (
        f"{study.measure.title}: {words.told(note)}." for study in published.studies for note in study.notes
    )
    fits = _Fitting(_fits(published), _lines(published))
    return Group(fits, *map(_item, (*published.sentences, *notes)), *refused, *told)


@dataclass(frozen=True)
class _Fitting:
    """A table where it fits the terminal, and else its rows as lines: no figure is ever cut off."""

    table: Table
    lines: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the one that fits."""
        unbounded = options.update(max_width=10_000)
        if Measurement.get(console, unbounded, self.table).minimum <= options.max_width:
            yield from (self.table, Text(""))
        else:
            yield self.lines


def _title(published: Published) -> str:
    return f"{published.error_title} against compute; {words.level(published)} intervals in brackets"


def _lines(published: Published) -> Group:
    """Return the fits with a line a figure, for terminals that are too narrow for a table."""
    names = (words.counted(published).lower(), "R²", "times compute for half of it", "power of k", "floor")
    told: list[RenderableType] = [Text(_title(published)), Text("")]
    for study in published.studies:
        for title, *figures in _rows(published, study):
            told.append(Text.from_markup(" ".join(title.split("\n")), style="bold", overflow="fold"))
            for name, figure in zip(names, figures, strict=True):
                if figure:
                    value = Text.from_markup(figure.replace("\n", " "))
                    told.append(Text.assemble(f"  {name}: ", value, overflow="fold"))
        told.append(Text(""))
    return Group(*told)


def _fits(published: Published) -> Table:
    table = Table(
        title=f"{escape(_title(published))}\n",
        title_justify="left",
        title_style="",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("measure", style="bold", min_width=14)
    counted = words.counted(published).lower().replace(" or ", "\nor ")
    headings = (counted, "R²", "times compute\nfor half of it", "power\nof k", "floor")
    rows = [row for study in published.studies for row in _rows(published, study)]
    for i, heading in enumerate(headings, 1):
        # rich takes the longest word for the least width, even of a column that does not wrap
        texts = (heading, *(Text.from_markup(row[i]).plain for row in rows))
        width = max(cell_len(line) for text in texts for line in text.split("\n"))
        table.add_column(heading, justify="right", no_wrap=True, min_width=width)
    for row in rows:
        table.add_row(*row)
    return table


def _rows(published: Published, study: Study) -> Iterator[tuple[str, ...]]:
    """Yield the fit that the report tells; where that is the curve with a floor, the line comes below it."""
    line, title = study.line, escape(study.measure.title)
    floor = _two_lines(words.floor(published, study))
    figures = (formats.r_squared(line.r_squared), _two_lines(words.halving(line)))
    power = _two_lines(words.power(line.power))
    if not study.shows_floor:
        yield (title, str(line.n), *figures, power, floor)
        return
    yield f"{title},\nby the curve", str(line.n), "", _from_the_largest(study), "", floor
    yield f"{title},\nby the line", str(line.n), *figures, power, "none"


def _from_the_largest(study: Study) -> str:
    """Return by how much the curve halves the error of the largest compute."""
    value = study.curve.k_half
    return "" if value is None else _two_lines(words.curve_halving(value))


def _refused(published: Published) -> Iterator[str]:
    """Yield what speaks against forecasts: each reason once, with its measures where it is not of all."""
    found: dict[str, list[str]] = {}
    for study in published.studies:
        told = [words.told(sentence) for _, sentence in study.refusals]
        told += [one for each in study.forecasts for one in words.refusals(published, study, each)]
        for sentence in dict.fromkeys(told):
            found.setdefault(sentence, []).append(study.measure.title)
    for sentence, titles in found.items():
        of = "" if len(titles) == len(published.studies) else f"{', '.join(titles)}: "
        yield f"{of}{sentence}"


def _item(told: str) -> Table:
    item = Table.grid(padding=(0, 1, 0, 0))
    item.add_row("•", Text(told))
    return item


def _two_lines(text: str) -> str:
    main, _, ends = text.partition(" [")
    if len(ends) > _WIDE:
        ends = re.sub(r",\s", ",\n", ends)
    main = main.replace("at least ", "at least\n")
    return escape(f"{main}\n[{ends}" if ends else main)
