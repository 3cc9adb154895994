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

import re
from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from toolkit.amounts import Frozen
from toolkit.errors import did_you_mean, shorten
from toolkit.knowledge.condition import quote
from toolkit.knowledge.entries import Certainty, ColumnSpec, Id, Rule, Text
from toolkit.knowledge.language import is_name

__all__ = [
    "FORMULA",
    "HIT_POLICIES",
    "MAX_INPUTS",
    "NUMBER",
    "OUTPUTS",
    "CellError",
    "DecisionTable",
    "Names",
    "TableRow",
]

HIT_POLICIES: dict[str, Literal["unique", "first", "collect"]] = {
    "U": "unique",
    "F": "first",
    "C": "collect",
}
"""Letters of the heading and what they stand for."""

HitPolicy = Annotated[
    Literal["unique", "first", "collect"],
    BeforeValidator(lambda value: HIT_POLICIES.get(value, value) if isinstance(value, str) else value),
    WithJsonSchema({"enum": [*HIT_POLICIES.values(), *HIT_POLICIES]}),
]

OUTPUTS = ("then", "certainty", "because", "group", "owner")
MAX_INPUTS = 100
_MAX_CELL = 2_000

NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,3})?"
_COMPARISON = re.compile(rf"(<=|>=|!=|<|>|=)?\s*({NUMBER})", re.ASCII)
_INTERVAL = re.compile(rf"([\[\](])\s*({NUMBER})\s*\.\.\s*({NUMBER})\s*([\])\[])", re.ASCII)
_QUOTED = re.compile(r'"([^"]*)"')
_DECIMAL_COMMA = re.compile(r"(?:[<>=]|[\[\](]|\.\.)\s*[-+]?\d+,\d", re.ASCII)
FORMULA = re.compile(r"[=@]|[-+](?![\s\d.])")
"""How a cell begins that a spreadsheet may run."""


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
    """One row: the tests of its inputs, then what a rule says.

    Parameters
    ----------
    id : str
        Its number or name, once in the table.
    tests : tuple of str
        A unary test for each input: ``-`` (anything), ``< 3``, ``[5..8]``, ``gold``, ``yes`` ...
    then, certainty, because, group, owner
        As of a rule.
    """

    id: Annotated[
        Id,
        BeforeValidator(lambda value: str(value) if isinstance(value, int) else value),
        WithJsonSchema({"type": ["string", "integer"]}),
    ]
    tests: tuple[Annotated[str, Field(max_length=_MAX_CELL)], ...]
    then: Text
    certainty: Certainty
    because: Text
    group: Id | None = None
    owner: str = ""


class DecisionTable(Frozen):
    """Rules of one shape, row by row.

    Parameters
    ----------
    table : str
        Its name; rules are called ``name-row``.
    hit_policy : {"unique", "first", "collect"}
        Or the letters U, F, C: what counts when several rows fire.
    inputs : tuple of str
        Columns or terms that the rows test.
    rows : tuple of TableRow
        Its rules.
    """

    table: Id
    hit_policy: HitPolicy
    inputs: Annotated[tuple[str, ...], Field(min_length=1, max_length=MAX_INPUTS)]
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


def _condition(name: str, cell: str, names: Names) -> str | None:
    """Return a cell as a condition in words of the language; None for ``-``."""
    spec = names.columns.get(name)
    if spec is None and name not in names.terms:
        known = [*names.columns, *names.terms]
        raise ValueError(f"the input '{name}' is neither a column nor a term{did_you_mean(name, known)}")
    if cell == "-":
        return None
    if not cell:
        raise ValueError(f"the cell of '{name}' is empty; write - where the input may be anything")
    written = name if is_name(name) else f"`{name}`"
    inner = re.fullmatch(r"not\s*\((.*)\)", cell, re.IGNORECASE | re.DOTALL)
    text = inner[1].strip() if inner else cell
    if spec is None or spec.type == "yes/no":
        if text.lower() not in ("yes", "no"):
            raise ValueError(f"'{name}' is yes or no, got '{shorten(cell)}'")
        return written if (text.lower() == "yes") is (inner is None) else f"not {written}"
    if spec.type != "choice" and _DECIMAL_COMMA.search(cell):
        raise ValueError(f"'{shorten(cell)}' has a decimal comma; write a point: 0.3")
    read = [_test(written, part.strip(), spec, names.sets) for part in _parts(text)]
    joined = " or ".join(read)
    if inner:
        return f"not ({joined})"
    return joined if len(read) == 1 else f"({joined})"


def _parts(text: str) -> list[str]:
    """Return what stands between the commas outside quotes."""
    parts, start, quoted = [], 0, False
    for index, character in enumerate(text):
        quoted ^= character == '"'
        if character == "," and not quoted:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]


def _test(written: str, part: str, spec: ColumnSpec, sets: Mapping[str, object]) -> str:
    if part in sets:
        return f"{written} in {part}"
    if spec.type == "choice":
        quoted = _QUOTED.fullmatch(part)
        level = quoted[1] if quoted else part
        if not part or (not quoted and ('"' in part or FORMULA.match(part))):
            raise ValueError(
                f'cannot read the value {shorten(part) or "between the commas"}; write "gold", "silver"'
            )
        if spec.values is not None and level not in spec.values:
            known = [*spec.values, *sets]
            raise ValueError(f"no such value or set '{shorten(level)}'{did_you_mean(level, known)}")
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
        f"cannot read the test '{shorten(part)}'; write -, < 3, <= 3, > 3, >= 3, 3, [5..8], (5..8) "
        "or a set's name"
    )
