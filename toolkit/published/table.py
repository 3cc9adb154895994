"""A table in CSV: one row a model, its error, and its compute by one measure or more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit.csvrows import Row, read_rows
from toolkit.published.scales import Scale, doubt_scale, from_scale
from toolkit.published.values import Observation

__all__ = ["DESCRIBING", "Table", "read_table"]

FACTS = ("processors", "peak_gflops", "days", "multiply_adds", "epochs")
LABELS = ("processor", "includes_search", "extra_data")
DESCRIBING = ("name", "year", "family", "note")
"""Columns that describe a row, in any table."""


@dataclass(frozen=True)
class Table:
    """What was read.

    Parameters
    ----------
    observations : tuple of Observation
        Rows with an error, in the order of the file; compute may be missing.
    left_out : tuple of str
        Sentences on rows and columns that are not used.
    doubts : tuple of str
        Sentences on what may be meant otherwise, with what to do then.
    """

    observations: tuple[Observation, ...]
    left_out: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def read_table(
    path: Path, measures: Mapping[str, str], *, error: str = "error", scale: Scale = "share"
) -> Table:
    """Read a table.

    Parameters
    ----------
    path : Path
    measures : mapping of str to str
        Measure -> its column.
    error : str
        The column of the error.
    scale : {"share", "percent", "loss"}
        Of that column.

    Raises
    ------
    DataError
        The file or a column is missing, or a cell is no number that can be used; line and column are named.
    """
    table = read_rows(path)
    table.need([*measures.values(), error])
    observations, without_error, without_compute = [], [], []
    for row in table.rows:
        value = _error(row, error, scale)
        if value is None:
            without_error.append(row.line)
            continue
        one = _observation(row, measures, error, value)
        if not one.compute:
            without_compute.append(row.line)
        observations.append(one)
    columns = list(measures.values())
    what = f"'{columns[0]}'" if len(columns) == 1 else "any compute"
    told = [_lines(without_error, f"'{error}'"), _lines(without_compute, what)]
    unread = _unread(table.columns, [*columns, error])
    if unread:
        told.append(f"columns that are not used: {', '.join(unread)}")
    doubts = (doubt_scale([one.error for one in observations], scale), _doubt_names(observations))
    return Table(
        tuple(observations),
        tuple(sentence for sentence in told if sentence),
        tuple(doubt for doubt in doubts if doubt),
    )


def _doubt_names(observations: Sequence[Observation]) -> str | None:
    """Return what is doubtful where rows of different compute have one name."""
    computes: dict[str, list[Mapping[str, float]]] = {}
    for one in observations:
        computes.setdefault(one.name, []).append(one.compute)
    several = [name for name, found in computes.items() if any(one != found[0] for one in found)]
    if not several:
        return None
    shown = ", ".join(f"'{name}' {len(computes[name])} rows" for name in several[:3])
    more = ", …" if len(several) > 3 else ""
    return (
        f"rows of different compute have one name ({shown}{more}); each counts as a result of its own, but "
        "they cannot be told apart in the report: give each a name of its own"
    )


def _error(row: Row, column: str, scale: Scale) -> float | None:
    value = row.positive(column)
    if value is None or scale == "loss":
        return value
    most = 100.0 if scale == "percent" else 1.0
    if value > most:
        text = row.text(column)
        if scale == "percent":
            raise row.wrong(
                column, f"{text} is above 100 %; a loss that is no share is told by the scale 'loss'"
            )
        raise row.wrong(
            column,
            f"{text} is no share between 0 and 1. A percentage is divided by 100 ({text} % is "
            f"{value / 100:.6g}) or told by the scale 'percent'; a loss, which may be above 1, by 'loss'",
        )
    return from_scale(value, scale)


def _observation(row: Row, measures: Mapping[str, str], error: str, value: float) -> Observation:
    compute = {key: found for key, column in measures.items() if (found := row.positive(column)) is not None}
    cited = {"error": f"{error}_source", **{key: f"{column}_source" for key, column in measures.items()}}
    facts = {name: found for name in FACTS if (found := row.positive(name)) is not None}
    return Observation(
        name=row.text("name") or f"line {row.line}",
        error=value,
        compute=compute,
        year=row.number("year"),
        family=row.text("family"),
        note=row.text("note"),
        sources={key: row.text(column) for key, column in cited.items() if row.text(column)},
        facts=facts,
        labels={name: row.text(name) for name in LABELS if row.text(name)},
        is_named=bool(row.text("name")),
    )


def _lines(lines: Sequence[int], what: str) -> str:
    if not lines:
        return ""
    shown = ", ".join(str(line) for line in lines[:10]) + (" …" if len(lines) > 10 else "")
    rows = "1 row has" if len(lines) == 1 else f"{len(lines)} rows have"
    return f"{rows} no {what} and {'is' if len(lines) == 1 else 'are'} left out: line {shown}"


def _unread(columns: Sequence[str], used: Sequence[str]) -> list[str]:
    known = {*used, *(f"{column}_source" for column in used), *FACTS, *LABELS, *DESCRIBING}
    return [column for column in columns if column not in known]
