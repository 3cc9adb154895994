"""Decision tables as CSV files; what a row means is told in `toolkit.knowledge.tables`."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path, PurePath

from pydantic import ValidationError

from toolkit.errors import KnowledgeError, did_you_mean, shorten
from toolkit.knowledge.tables import (
    FORMULA,
    HIT_POLICIES,
    MAX_INPUTS,
    NUMBER,
    OUTPUTS,
    DecisionTable,
    TableRow,
)
from toolkit.yamlfile import Source, first_problem, read_text

__all__ = ["read_table", "read_tables"]

MAX_TABLES = 100
MAX_ROWS = 20_000
"""Rows of all tables together."""

MAX_LINES = 50_000
"""Lines of one file, empty ones counted."""

MAX_WIDTH = 250_000
"""Characters of one line."""

_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_SEPARATOR = re.compile(r"\w+\s*([;\t|])")
"""A hit policy and what a spreadsheet puts between cells where the comma is the decimal mark."""

_REQUIRED = OUTPUTS[:3]


def read_tables(tables: object, source: Source) -> dict[int, list[list[str]]]:
    """Put the tables that are files in the place of their names.

    Parameters
    ----------
    tables : object
        What stands under ``tables:``; a list is changed in place.
    source : Source
        Of the knowledge base.

    Returns
    -------
    dict of int to list of list of str
        Number of a table that was read -> the places of the heading's first cell and inputs, then of each
        row's number and inputs.

    Raises
    ------
    KnowledgeError
    """
    places: dict[int, list[list[str]]] = {}
    seen: set[PurePath] = set()
    n_rows = 0
    for number, entry in enumerate(tables if isinstance(tables, list) else ()):
        if not isinstance(entry, str):
            continue
        path = PurePath(entry)
        file = source.file.parent / path
        where = source.where("tables", number)
        # A knowledge base may come from somebody else: it must not name the files of who reads it.
        if path.is_absolute() or ".." in path.parts or path.suffix.lower() != ".csv":
            raise KnowledgeError(
                f"a table is a .csv file in the folder of the knowledge base or below, "
                f"got '{shorten(entry)}'",
                where=where,
            )
        try:
            wrong = "is not a file" if file.exists() and not file.is_file() else None
            wrong = "is listed twice" if path in seen else wrong
        except (OSError, ValueError):
            wrong = "cannot be the name of a file"
        if wrong is not None:
            raise KnowledgeError(f"'{shorten(entry)}' {wrong}", where=where)
        seen.add(path)
        tables[number], places[number] = read_table(file)  # type: ignore[index]
        n_rows += len(places[number]) - 1
        if number >= MAX_TABLES or n_rows > MAX_ROWS:
            raise KnowledgeError(f"at most {MAX_TABLES} tables with {MAX_ROWS:,} rows together", where=where)
    return places


class _Source:
    """Where the cells of a table's file stand."""

    def __init__(self, file: Path, text: str) -> None:
        self.file = file
        self._lines = text.splitlines()

    def where(self, line: int, cell: int = 0) -> str:
        """Return ``file:line:column`` of a cell (from 0) that begins on `line` (from 1)."""
        return self.places(line, cell + 1)[cell]

    def places(self, line: int, n_cells: int) -> list[str]:
        """Return ``file:line:column`` of the first cells of a line."""
        text = self._lines[line - 1] if 0 < line <= len(self._lines) else ""
        starts, quoted = [0], False
        for column, character in enumerate(text):
            quoted ^= character == '"'
            if character == "," and not quoted:
                starts.append(column + 1)
        # a cell may go on in the lines below; the cells after it are there
        starts += [len(text)] * (n_cells - len(starts))
        shown = [start + len(text[start:]) - len(text[start:].lstrip(" ")) for start in starts[:n_cells]]
        return [f"{self.file}:{line}:{start + 1}" for start in shown]


def read_table(path: Path) -> tuple[DecisionTable, list[list[str]]]:
    """Read a decision table from a CSV file.

    Returns
    -------
    table : DecisionTable
        Named after the file.
    places : list of list of str
        ``file:line:column`` of the cells of the heading and of each row: its number, then its inputs.

    Raises
    ------
    KnowledgeError
        The file cannot be read or is not laid out as a decision table.
    """
    text = read_text(
        path,
        what="the decision table",
        advice="give a CSV file, relative to the knowledge base",
        error=KnowledgeError,
    )
    records = _records(path, text)
    source = _Source(path, text)
    if len(records) < 2:
        raise KnowledgeError("a decision table has a heading and at least one row", where=f"{path}:1:1")
    (head_line, heading), rows = records[0], records[1:]
    inputs, outputs = _heading(heading, head_line, source)
    read: list[TableRow] = []
    for line, cells in rows:
        if len(cells) != len(heading):
            raise KnowledgeError(
                f"the row has {len(cells)} cells, but the heading has {len(heading)}; "
                'a cell with a comma in it stands in quotes: "gold, silver"',
                where=source.where(line),
            )
        values: dict[str, object] = {
            name: cell for name, cell in zip(outputs, cells[1 + len(inputs) :], strict=True) if cell
        }
        for name, value in values.items():
            if isinstance(value, str) and FORMULA.match(value):
                raise KnowledgeError(
                    f"the cell '{shorten(value)}' begins like a formula of a spreadsheet; begin with a word",
                    where=source.where(line, heading.index(name)),
                )
        certainty = values.get("certainty")
        if isinstance(certainty, str) and re.fullmatch(NUMBER, certainty, re.ASCII):
            values["certainty"] = float(certainty)
        values |= {"id": cells[0] or str(len(read) + 1), "tests": cells[1 : 1 + len(inputs)]}
        try:
            read.append(TableRow.model_validate(values))
        except ValidationError as error:
            name, problem = first_problem(error)
            cell = heading.index(name) if name in heading else 0
            raise KnowledgeError(problem, where=source.where(line, cell)) from error
    policy = HIT_POLICIES[heading[0].upper()[:1]]
    try:
        table = DecisionTable(table=path.stem, hit_policy=policy, inputs=tuple(inputs), rows=tuple(read))
    except ValidationError as error:
        raise KnowledgeError(first_problem(error)[1], where=source.where(head_line)) from error
    return table, [source.places(line, 1 + len(inputs)) for line, _ in records]


def _records(path: Path, text: str) -> list[tuple[int, list[str]]]:
    """Return the lines that say something, each with its number (from 1) and its cells."""
    reader = csv.reader(io.StringIO(text), skipinitialspace=True, strict=True)
    records: list[tuple[int, list[str]]] = []
    if text.count("\n") > MAX_LINES or max(map(len, text.split("\n"))) > MAX_WIDTH:
        problem = f"a decision table has at most {MAX_LINES:,} lines of {MAX_WIDTH:,} characters"
        raise KnowledgeError(problem, where=str(path))
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                records.append((line, [cell.strip() for cell in cells]))
            line = reader.line_num + 1
    except csv.Error as error:
        raise KnowledgeError(f"not valid CSV: {error}", where=f"{path}:{line}:1") from error
    return records


def _heading(heading: list[str], line: int, source: _Source) -> tuple[list[str], list[str]]:
    """Return the names of inputs and outputs."""
    if len(heading) > 1 + MAX_INPUTS + len(OUTPUTS):
        problem = f"the heading has {len(heading):,} cells; a table has at most {MAX_INPUTS} inputs"
        raise KnowledgeError(problem, where=source.where(line))
    known = [*HIT_POLICIES, *(name.upper() for name in HIT_POLICIES.values())]
    separator = _SEPARATOR.match(heading[0])
    if separator:
        raise KnowledgeError(
            f"the cells are separated by {_SEPARATORS[separator[1]]}; separate them by commas, and put "
            "a cell with a comma in it in quotes",
            where=source.where(line),
        )
    if heading[0].upper() not in known:
        raise KnowledgeError(
            f"the first cell must be the hit policy - U (unique), F (first) or C (collect) - "
            f"got '{shorten(heading[0])}'",
            where=source.where(line),
        )
    for cell, name in enumerate(heading):
        if not name or name in heading[:cell]:
            problem = (
                "a column without a name" if not name else f"'{shorten(name)}' stands twice in the heading"
            )
            raise KnowledgeError(problem, where=source.where(line, cell))
    first = next((cell for cell, name in enumerate(heading) if name in OUTPUTS), len(heading))
    inputs, outputs = heading[1:first], heading[first:]
    for cell, name in enumerate(outputs, first):
        if name not in OUTPUTS:
            raise KnowledgeError(
                f"'{shorten(name)}' stands among the outputs, where only {', '.join(OUTPUTS)} may stand"
                f"{did_you_mean(name, OUTPUTS)}",
                where=source.where(line, cell),
            )
    missing = [name for name in _REQUIRED if name not in outputs]
    if missing or not inputs:
        problem = f"the outputs lack '{missing[0]}'" if missing else "the table has no input"
        raise KnowledgeError(
            f"{problem}; a heading reads: U, input, ..., then, certainty, because", where=source.where(line)
        )
    return inputs, outputs
