"""The knowledge base: what experts know, in one readable file.

`load` reads it into a frozen `KnowledgeBase` whose every condition has been read and whose every
rule has passed its own tests. Compilers start from `KnowledgeBase.conditions`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self

from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator

from toolkit.amounts import Frozen
from toolkit.errors import KnowledgeError
from toolkit.knowledge import validation
from toolkit.knowledge.condition import Condition, size
from toolkit.knowledge.csv_tables import read_tables
from toolkit.knowledge.entries import Authoring, ColumnSpec, Constraint, Outcome, Rule, Text
from toolkit.knowledge.language import Where, parse
from toolkit.knowledge.tables import CellError, DecisionTable, Names
from toolkit.yamlfile import Source, explain, read_mapping

__all__ = ["Conditions", "KnowledgeBase", "load"]

MAX_COMPARISONS = 200_000
"""Comparisons of all conditions together once terms are written out."""


class Conditions(NamedTuple):
    """All conditions of a knowledge base, read, in the order written."""

    rules: tuple[Condition, ...]
    never: tuple[Condition, ...]
    always: tuple[Condition, ...]


class KnowledgeBase(Frozen):
    """One file of expert knowledge.

    Parameters
    ----------
    knowledge_base : str
        Its name.
    description : str
        What it knows, in a sentence.
    predicts : str
        The label: what is to be known about a row.
    outcome : Outcome
        The words of ``then``.
    prior : str
        The probability before any rule: a percentage such as ``9.5 %``, or the name of a column.
    columns : dict of str to ColumnSpec
        Columns of the task that conditions may use, as the expert understands them.
    sets : dict of str to tuple of str or float
        Named lists of values, for ``in``.
    terms : dict of str to str
        Named conditions; they may use one another, not in a circle.
    rules : tuple of Rule
        Evidence, the most important first.
    tables : tuple of DecisionTable
        Rules of one shape, row by row; in a file, names of CSV files too.
    never, always : tuple of Constraint
        Hard facts: they set the answer to 0 or 1 whatever the evidence; ``never`` wins.
    authoring : Authoring, optional
        What the file cost its authors.
    """

    knowledge_base: Text
    description: str = ""
    predicts: Text
    outcome: Outcome = Outcome()
    prior: Text
    columns: Annotated[dict[str, ColumnSpec], Field(min_length=1)]
    sets: dict[str, Annotated[tuple[str | float, ...], Field(min_length=1)]] = Field(default_factory=dict)
    terms: dict[str, str] = Field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    tables: tuple[DecisionTable, ...] = ()
    never: tuple[Constraint, ...] = ()
    always: tuple[Constraint, ...] = ()
    authoring: Authoring | None = None

    _source: Source | None = PrivateAttr(default=None)
    _table_places: dict[int, list[list[str]]] = PrivateAttr(default_factory=dict)
    """Number of a table that was read from a file -> the places of its heading and rows, and their inputs."""

    @field_validator("prior", mode="before")
    @classmethod
    def _prior_is_text(cls, value: object) -> object:
        if isinstance(value, int | float):
            raise ValueError("write a percentage with its sign, e.g. 9.5 %, or the name of a column")
        return value

    @model_validator(mode="after")
    def _has_rules(self) -> Self:
        if not {"rules", "tables"} & self.model_fields_set:
            raise ValueError("a knowledge base has rules or tables; write rules: [] for none")
        return self

    def __eq__(self, other: object) -> bool:
        # Two files that say the same are the same knowledge, wherever they lie.
        return isinstance(other, KnowledgeBase) and self.content_hash == other.content_hash

    def __hash__(self) -> int:
        return hash(self.content_hash)

    @property
    def path(self) -> Path | None:
        """The file it was read from."""
        return self._source.file if self._source else None

    @property
    def prior_probability(self) -> float | None:
        """The prior as a probability, or None when it is a column."""
        text = self.prior.strip()
        return float(text[:-1]) / 100 if text.endswith("%") else None

    @property
    def content_hash(self) -> str:
        """Hash of all that the file says, comments and layout left out."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    @property
    def all_rules(self) -> tuple[Rule, ...]:
        """The rules as written, then the rows of the decision tables as rules.

        Raises
        ------
        KnowledgeError
            A cell of a table cannot be read.
        """
        rules = list(self.rules)
        names = Names(self.columns, self.sets, self.terms)
        for number, table in enumerate(self.tables):
            for row in range(len(table.rows)):
                try:
                    rules.append(table.rule(row, names))
                except CellError as error:
                    known = table.inputs[error.cell] in {*self.columns, *self.terms}
                    where = self._row_where(number, row if known else None, error.cell)
                    raise KnowledgeError(str(error), where=where) from error
        return tuple(rules)

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Rules (by their place in `all_rules`) of which only the first that fires counts.

        Rules with the same ``group`` stand in it with the strongest first, ties in the order written;
        the rows of a decision table with hit policy "first" stand in their own order.
        """
        members: dict[str, list[int]] = {}
        for index, rule in enumerate(self.all_rules):
            if rule.group is not None:
                members.setdefault(rule.group, []).append(index)
        rules = self.all_rules
        groups = [
            tuple(sorted(group, key=lambda index: abs(rules[index].strength), reverse=True))
            for group in members.values()
        ]
        start = len(self.rules)
        for table in self.tables:
            if table.hit_policy == "first":
                groups.append(tuple(range(start, start + len(table.rows))))
            start += len(table.rows)
        return tuple(group for group in groups if len(group) > 1)

    def head(self, n_rules: int) -> KnowledgeBase:
        """Return the same knowledge with only the first `n_rules` of `all_rules`."""
        total = len(self.rules) + sum(len(table.rows) for table in self.tables)
        if not 0 <= n_rules <= total:
            raise KnowledgeError(
                f"asked for {n_rules} rules, but there are {total}", where=self.where("rules")
            )
        left = max(0, n_rules - len(self.rules))
        tables = []
        for table in self.tables:
            tables.append(table.model_copy(update={"rows": table.rows[:left]}))
            left -= len(tables[-1].rows)
        return self.model_copy(update={"rules": self.rules[:n_rules], "tables": tuple(tables)})

    def where(self, *path: str | int) -> str | None:
        """Return ``file:line:column`` of the longest known part of `path`; None without a file."""
        return self._source.where(*path) if self._source else None

    def inside(self, *path: str | int) -> Callable[[int], str] | None:
        """Return a function from a position in the text at `path` to its place; None without a file."""
        source = self._source
        if source is None:
            return None
        value: Any = self
        for part in path:
            value = (
                getattr(value, part) if isinstance(value, Frozen) and isinstance(part, str) else value[part]
            )
        return lambda offset: source.inside(path, value, offset)

    def rule_where(self, index: int, *path: str | int) -> str | None:
        """Return the place of a rule of `all_rules`: in this file, or of its row in a table's."""
        if index < len(self.rules):
            return self.where("rules", index, *path)
        return self._row_where(*self._table_row(index))

    def _table_row(self, index: int) -> tuple[int, int]:
        """Return table and row of a rule of `all_rules` that comes after those that are written."""
        index -= len(self.rules)
        for number, table in enumerate(self.tables):
            if index < len(table.rows):
                return number, index
            index -= len(table.rows)
        raise IndexError(index)

    def _row_where(self, table: int, row: int | None, cell: int | None = None) -> str | None:
        """Return the place of a row, or of one of its cells; no row is the heading."""
        if table in self._table_places:
            return self._table_places[table][0 if row is None else row + 1][0 if cell is None else cell + 1]
        if row is None:
            return self.where("tables", table, "inputs", cell or 0)
        tail = () if cell is None else ("tests", cell)
        return self.where("tables", table, "rows", row, *tail)

    def _cell_where(self, index: int) -> Callable[[int], str]:
        """Return a function from a position in the condition of a table's row to the place of its cell."""
        table, row = self._table_row(index)
        parts = self.tables[table].conditions(row, Names(self.columns, self.sets, self.terms))

        def place(offset: int) -> str:
            cell, end = None, 0
            for index, text in parts:
                cell, end = index, end + len(text) + len(" and ")
                if offset < end:
                    break
            return self._row_where(table, row, cell) or f"row {row + 1}"

        return place

    def certainty(self, rule: Rule) -> float:
        """Return the signed certainty factor of a rule, in (-1, 1)."""
        return rule.strength if rule.then == self.outcome.positive else -rule.strength

    def conditions(self) -> Conditions:
        """Read every condition, and check names and outcomes.

        Raises
        ------
        KnowledgeError
            With ``file:line:column``, what was got and the nearest known name.
        """
        validation.check_names(self)
        validation.check_prior(self)
        words = validation.vocabulary(self)

        comparisons = 0

        def read(text: str, where: Where) -> Condition:
            nonlocal comparisons
            condition = parse(text, words, where=where)
            comparisons += size(condition)
            if comparisons > MAX_COMPARISONS:
                raise KnowledgeError(
                    f"all conditions together have more than {MAX_COMPARISONS:,} comparisons with their "
                    "terms written out",
                    where=where(0) if callable(where) else where,
                )
            return condition

        def facts(part: str, entries: tuple[Constraint, ...]) -> tuple[Condition, ...]:
            return tuple(
                read(fact.when, self.inside(part, index, "when")) for index, fact in enumerate(entries)
            )

        written = len(self.rules)
        rows = tuple(
            read(rule.when, self._cell_where(index))
            for index, rule in enumerate(self.all_rules[written:], written)
        )
        return Conditions(
            rules=facts("rules", self.rules) + rows,
            never=facts("never", self.never),
            always=facts("always", self.always),
        )

    def run_tests(self) -> int:
        """Run every rule's and constraint's own tests and return their number.

        Raises
        ------
        KnowledgeError
            A test fails, or names an unknown column or value.
        """
        return validation.run_tests(self)


def load(path: str | Path) -> KnowledgeBase:
    """Read a knowledge base, check all it says, and run its rules' own tests.

    Parameters
    ----------
    path : str or Path
        The YAML file.

    Raises
    ------
    KnowledgeError
        With ``file:line:column``, what was got and the nearest known name.
    """
    file = Path(path)
    data, source = read_mapping(
        file,
        what="a knowledge base",
        example="experiments/knowledge/retail.yaml",
        keys="knowledge_base, predicts, prior, columns and rules",
        error=KnowledgeError,
    )
    if "experiment" in data and "knowledge_base" not in data:
        raise KnowledgeError(
            "this is an experiment, not a knowledge base; give a knowledge base such as "
            "experiments/knowledge/retail.yaml",
            where=source.where("experiment"),
        )
    places = read_tables(data.get("tables"), source)
    try:
        knowledge = KnowledgeBase.model_validate(data)
    except ValidationError as error:
        place, problem = explain(error, source, KnowledgeBase)
        raise KnowledgeError(problem, where=place) from error
    knowledge._source = source
    knowledge._table_places = places
    knowledge.run_tests()
    return knowledge
