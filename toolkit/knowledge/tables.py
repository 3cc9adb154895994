"""Decision tables: many rules of one shape, written as rows of a CSV file.

The layout is that of DMN (Decision Model and Notation, OMG, 2024): the first cell of the heading is
the hit policy, the first column numbers the rows, then come inputs, then outputs::

    F,  discount_share, category,  then,         certainty, because
    1,  >= 0.25,        storable,  buys,         slightly,  Deal hunters fill the cupboard.
    2,  [0.05..0.25),   -,         buys,         0.05,      A small discount is seldom noticed.
    3,  -,              -,         does not buy, 0.05,      Full price waits for a deal.

A cell is a unary test: ``-`` (anything), ``< 3``, ``<= 3``, ``> 3``, ``>= 3``, ``!= 3``, ``3``,
``[5..8]``, ``(5..8)``, ``"gold"``, ``gold``, the name of a set, ``yes``/``no``, several of them with
commas between (any of them), or ``not(...)``. Hit policies: U (unique: rows must not overlap),
F (first: of the rows that fire only the uppermost counts), C (collect: every row that fires counts).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from toolkit.config import Frozen
from toolkit.errors import KnowledgeError, did_you_mean
from toolkit.knowledge.condition import quote
from toolkit.knowledge.entries import Certainty, ColumnSpec, Rule, Text
from toolkit.knowledge.language import is_name
from toolkit.yamlfile import first_problem

__all__ = ["HIT_POLICIES", "CellError", "DecisionTable", "Names", "TableRow", "read_table"]

HitPolicy = Literal["unique", "first", "collect"]

HIT_POLICIES: dict[str, HitPolicy] = {"U": "unique", "F": "first", "C": "collect"}
"""Letters of the heading and what they stand for."""

OUTPUTS = ("then", "certainty", "because", "group", "owner")
_REQUIRED = OUTPUTS[:3]
_MAX_BYTES = 1_000_000
_MAX_INPUTS = 100
_MAX_CELL = 2_000

_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,3})?"
_COMPARISON = re.compile(rf"(<=|>=|!=|<|>|=)?\s*({_NUMBER})")
_INTERVAL = re.compile(rf"([\[\](])\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*([\])\[])")
_QUOTED = re.compile(r'"([^"]*)"')
_COMMA = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*$)')
"""A comma outside quotes."""


class Names(NamedTuple):
    """What the inputs of a table may be called."""

    columns: Mapping[str, ColumnSpec]
    sets: Mapping[str, object]
    terms: Mapping[str, str]


class CellError(ValueError):
    """A test cannot be read; `cell` is the number (from 0) of its input."""

    def __init__(self, problem: str, cell: int) -> None:
        self.cell = cell
        super().__init__(problem)


class TableRow(Frozen):
    """One row: the tests of its inputs, then what a rule says."""

    id: Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]
    tests: tuple[Annotated[str, Field(max_length=_MAX_CELL)], ...]
    then: Text
    certainty: Certainty
    because: Text
    group: str | None = None
    owner: str = ""


class DecisionTable(Frozen):
    """Rules of one shape, row by row.

    Parameters
    ----------
    table : str
        Its name; rules are called ``name-row``.
    hit_policy : {"unique", "first", "collect"}
        What counts when several rows fire.
    inputs : tuple of str
        Columns or terms that the rows test.
    rows : tuple of TableRow
    """

    table: Text
    hit_policy: HitPolicy
    inputs: Annotated[tuple[str, ...], Field(min_length=1, max_length=_MAX_INPUTS)]
    rows: tuple[TableRow, ...]

    @model_validator(mode="after")
    def _is_even(self) -> Self:
        for row in self.rows:
            if len(row.tests) != len(self.inputs):
                raise ValueError(
                    f"row '{row.id}' has {len(row.tests)} tests, but the table has {len(self.inputs)} inputs"
                )
            if self.hit_policy == "first" and row.group is not None:
                raise ValueError(
                    f"row '{row.id}' names a group, but in a table with hit policy F the rows are one"
                )
        return self

    def rule(self, number: int, names: Names) -> Rule:
        """Return row `number` (from 0) as a rule.

        Raises
        ------
        CellError
            A test cannot be read.
        """
        row = self.rows[number]
        return Rule(
            id=f"{self.table}-{row.id}",
            when=" and ".join(text for _, text in self.conditions(number, names)) or "true",
            then=row.then,
            certainty=row.certainty,
            because=row.because,
            group=row.group,
            owner=row.owner,
        )

    def conditions(self, number: int, names: Names) -> list[tuple[int, str]]:
        """Return the tests of row `number` in words of the language, each with the number of its input."""
        read = []
        for index, (name, cell) in enumerate(zip(self.inputs, self.rows[number].tests, strict=True)):
            try:
                text = _condition(name, cell.strip(), names)
            except ValueError as error:
                raise CellError(str(error), index) from error
            if text is not None:
                read.append((index, text))
        return read


class _Source:
    """Where the cells of a table's file stand."""

    def __init__(self, file: Path, text: str) -> None:
        self.file = file
        self._lines = text.splitlines()

    def where(self, line: int, cell: int | None = None) -> str:
        """Return ``file:line:column`` of a cell (from 0) that begins on `line` (from 1)."""
        text = self._lines[line - 1] if 0 < line <= len(self._lines) else ""
        column = 0
        for _ in range(cell or 0):
            quoted = False
            while column < len(text) and (quoted or text[column] != ","):
                quoted ^= text[column] == '"'
                column += 1
            column += 1
        while column < len(text) and text[column] == " ":
            column += 1
        return f"{self.file}:{line}:{column + 1}"


def read_table(path: Path) -> tuple[DecisionTable, list[list[str]]]:
    """Read a decision table from a CSV file.

    Returns
    -------
    table : DecisionTable
        Named after the file.
    places : list of list of str
        ``file:line:column`` of the cells of each row: its number, then its inputs.

    Raises
    ------
    KnowledgeError
        The file cannot be read or is not laid out as a decision table.
    """
    text = _text(path)
    source = _Source(path, text)
    records = _records(path, text)
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
        certainty = values.get("certainty")
        if isinstance(certainty, str) and re.fullmatch(_NUMBER, certainty):
            values["certainty"] = float(certainty)
        values |= {"id": cells[0] or str(len(read) + 1), "tests": cells[1 : 1 + len(inputs)]}
        try:
            read.append(TableRow.model_validate(values))
        except ValidationError as error:
            name, problem = first_problem(error)
            cell = heading.index(name) if name in heading else None
            raise KnowledgeError(problem, where=source.where(line, cell)) from error
    policy = HIT_POLICIES[heading[0].upper()[:1]]
    try:
        table = DecisionTable(table=path.stem, hit_policy=policy, inputs=tuple(inputs), rows=tuple(read))
    except ValidationError as error:
        raise KnowledgeError(first_problem(error)[1], where=source.where(head_line)) from error
    cells_of = range(1 + len(inputs))
    return table, [[source.where(line, cell) for cell in cells_of] for line, _ in rows]


def _records(path: Path, text: str) -> list[tuple[int, list[str]]]:
    """Return the lines that say something, each with its number (from 1) and its cells."""
    reader = csv.reader(io.StringIO(text), skipinitialspace=True, strict=True)
    records: list[tuple[int, list[str]]] = []
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                records.append((line, [cell.strip() for cell in cells]))
            line = reader.line_num + 1
    except csv.Error as error:
        raise KnowledgeError(f"not valid CSV: {error}", where=f"{path}:{line}:1") from error
    return records


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as failure:
        raise KnowledgeError(
            f"cannot read the decision table ({failure.strerror}); give a CSV file, relative to the "
            "knowledge base",
            where=str(path),
        ) from failure
    if len(raw) > _MAX_BYTES:
        raise KnowledgeError(
            f"the file has {len(raw):,} bytes; a decision table has at most {_MAX_BYTES:,}", where=str(path)
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        raise KnowledgeError(
            f"the file is not UTF-8 text (byte {failure.start})", where=str(path)
        ) from failure
    if "\0" in text:
        raise KnowledgeError("the file holds a null byte, so it is not text", where=str(path))
    return text


def _heading(heading: list[str], line: int, source: _Source) -> tuple[list[str], list[str]]:
    """Return the names of inputs and outputs."""
    known = [*HIT_POLICIES, *(name.upper() for name in HIT_POLICIES.values())]
    if heading[0].upper() not in known:
        raise KnowledgeError(
            f"the first cell must be the hit policy - U (unique), F (first) or C (collect) - "
            f"got '{heading[0]}'",
            where=source.where(line),
        )
    for cell, name in enumerate(heading):
        if not name or name in heading[:cell]:
            problem = "a column without a name" if not name else f"'{name}' stands twice in the heading"
            raise KnowledgeError(problem, where=source.where(line, cell))
    first = next((cell for cell, name in enumerate(heading) if name in OUTPUTS), len(heading))
    inputs, outputs = heading[1:first], heading[first:]
    for cell, name in enumerate(outputs, first):
        if name not in OUTPUTS:
            raise KnowledgeError(
                f"'{name}' stands among the outputs, where only {', '.join(OUTPUTS)} may stand"
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


def _condition(name: str, cell: str, names: Names) -> str | None:
    """Return a cell as a condition in words of the language; None for ``-``."""
    if cell == "-":
        return None
    if not cell:
        raise ValueError(f"the cell of '{name}' is empty; write - where the input may be anything")
    written = name if is_name(name) else f"`{name}`"
    spec = names.columns.get(name)
    if name in names.terms or (spec is not None and spec.type == "yes/no"):
        if cell.lower() not in ("yes", "no"):
            raise ValueError(f"'{name}' is yes or no, got '{cell}'")
        return written if cell.lower() == "yes" else f"not {written}"
    if spec is None:
        known = [*names.columns, *names.terms]
        raise ValueError(f"the input '{name}' is neither a column nor a term{did_you_mean(name, known)}")
    inner = re.fullmatch(r"not\s*\((.*)\)", cell, re.IGNORECASE | re.DOTALL)
    text = inner[1].strip() if inner else cell
    read = [_test(written, part.strip(), spec, names.sets) for part in _COMMA.split(text)]
    joined = " or ".join(read)
    if inner:
        return f"not ({joined})"
    return joined if len(read) == 1 else f"({joined})"


def _test(written: str, part: str, spec: ColumnSpec, sets: Mapping[str, object]) -> str:
    if part in sets:
        return f"{written} in {part}"
    if spec.type == "choice":
        quoted = _QUOTED.fullmatch(part)
        level = quoted[1] if quoted else part
        if not part or (not quoted and '"' in part):
            raise ValueError(f'cannot read the value {part or "between the commas"}; write "gold", "silver"')
        if spec.values is not None and level not in spec.values:
            known = [*spec.values, *sets]
            raise ValueError(f"no such value or set '{level}'{did_you_mean(level, known)}")
        return f"{written} == {quote(level)}"
    comparison = _COMPARISON.fullmatch(part)
    if comparison:
        op = {None: "==", "=": "=="}.get(comparison[1], comparison[1])
        return f"{written} {op} {comparison[2]}"
    interval = _INTERVAL.fullmatch(part)
    if interval:
        low, start, end, high = interval.groups()
        if float(start) > float(end):
            raise ValueError(f"the interval {part} is empty")
        return f"{start} {'<=' if low == '[' else '<'} {written} {'<=' if high == ']' else '<'} {end}"
    raise ValueError(
        f"cannot read the test '{part}'; write -, < 3, <= 3, > 3, >= 3, 3, [5..8], (5..8) or a set's name"
    )
