"""The knowledge base: what experts know, in one readable file.

`load` reads it into a frozen `KnowledgeBase` whose every condition has been read and whose every
rule has passed its own tests. Compilers start from `KnowledgeBase.conditions`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field, PrivateAttr, ValidationError, field_validator

from toolkit.config import Frozen
from toolkit.errors import KnowledgeError, did_you_mean
from toolkit.knowledge.condition import Condition, holds
from toolkit.knowledge.entries import Authoring, ColumnSpec, Constraint, Outcome, Rule, Text
from toolkit.knowledge.language import ColumnType, Vocabulary, is_name, names_in, parse
from toolkit.yamlfile import explain, read_mapping

__all__ = ["Conditions", "KnowledgeBase", "load"]


class Conditions(NamedTuple):
    """All conditions of a knowledge base, read, in the order written."""

    rules: tuple[Condition, ...]
    never: tuple[Condition, ...]
    always: tuple[Condition, ...]


class KnowledgeBase(Frozen):
    """One file of expert knowledge. Its keys are the fields below."""

    knowledge_base: Text
    description: str = ""
    predicts: Text
    outcome: Outcome = Outcome()
    prior: Text
    columns: Annotated[dict[str, ColumnSpec], Field(min_length=1)]
    sets: dict[str, Annotated[tuple[str | float, ...], Field(min_length=1)]] = Field(default_factory=dict)
    terms: dict[str, str] = Field(default_factory=dict)
    rules: tuple[Rule, ...]
    never: tuple[Constraint, ...] = ()
    always: tuple[Constraint, ...] = ()
    authoring: Authoring | None = None

    _path: Path | None = PrivateAttr(default=None)
    _lines: dict[tuple[str | int, ...], int] = PrivateAttr(default_factory=dict)

    @field_validator("prior", mode="before")
    @classmethod
    def _prior_is_text(cls, value: object) -> object:
        if isinstance(value, int | float):
            raise ValueError("write a percentage with its sign, e.g. 9.5 %, or the name of a column")
        return value

    def __eq__(self, other: object) -> bool:
        # Two files that say the same are the same knowledge, wherever they lie.
        return isinstance(other, KnowledgeBase) and self.content_hash == other.content_hash

    def __hash__(self) -> int:
        return hash(self.content_hash)

    @property
    def path(self) -> Path | None:
        """The file it was read from."""
        return self._path

    @property
    def prior_probability(self) -> float | None:
        """The prior as a probability, or None when it is a column."""
        text = self.prior.strip()
        return float(text[:-1]) / 100 if text.endswith("%") else None

    @property
    def content_hash(self) -> str:
        """Hash of all that the file says, comments and layout left out."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def head(self, n_rules: int) -> KnowledgeBase:
        """Return the same knowledge with only the first `n_rules` rules, in the order written."""
        if not 0 <= n_rules <= len(self.rules):
            raise KnowledgeError(
                f"asked for {n_rules} rules, but there are {len(self.rules)}", where=self.where("rules")
            )
        return self.model_copy(update={"rules": self.rules[:n_rules]})

    def where(self, *path: str | int) -> str | None:
        """Return ``file:line`` of the longest known part of `path`; None without a file."""
        if self._path is None:
            return None
        for length in range(len(path), -1, -1):
            line = self._lines.get(tuple(path[:length]))
            if line is not None:
                return f"{self._path}:{line}"
        return str(self._path)

    def certainty(self, rule: Rule) -> float:
        """Return the signed certainty factor of a rule, in (-1, 1)."""
        return rule.strength if rule.then == self.outcome.positive else -rule.strength

    def conditions(self) -> Conditions:
        """Read every condition, and check names and outcomes.

        Raises
        ------
        KnowledgeError
            With ``file:line``, what was got and the nearest known name.
        """
        self._check_names()
        self._check_prior()
        words = self._vocabulary()
        return Conditions(
            rules=tuple(
                parse(rule.when, words, where=self.where("rules", index, "when"))
                for index, rule in enumerate(self.rules)
            ),
            never=tuple(
                parse(fact.when, words, where=self.where("never", index, "when"))
                for index, fact in enumerate(self.never)
            ),
            always=tuple(
                parse(fact.when, words, where=self.where("always", index, "when"))
                for index, fact in enumerate(self.always)
            ),
        )

    def run_tests(self) -> int:
        """Run every rule's and constraint's own tests and return their number.

        Raises
        ------
        KnowledgeError
            A test fails, or names an unknown column or value.
        """
        conditions = self.conditions()
        parts: tuple[tuple[str, tuple[Constraint, ...], tuple[Condition, ...]], ...] = (
            ("rules", self.rules, conditions.rules),
            ("never", self.never, conditions.never),
            ("always", self.always, conditions.always),
        )
        count = 0
        for part, entries, read in parts:
            for index, (entry, condition) in enumerate(zip(entries, read, strict=True)):
                for number, example in enumerate(entry.tests):
                    place = (part, index, "tests", number)
                    row = self._row(example.given, place)
                    if holds(condition, row) != example.fires:
                        expected, got = ("fire", "does not") if example.fires else ("stay silent", "fires")
                        raise KnowledgeError(
                            f"rule '{entry.id}' should {expected} on its own test, but it {got}",
                            where=self.where(*place),
                        )
                    count += 1
        return count

    def _row(
        self, given: Mapping[str, object], place: tuple[str | int, ...]
    ) -> dict[str, Fraction | str | None]:
        row = {name: spec.read(spec.missing) for name, spec in self.columns.items()}
        for name, value in given.items():
            where = self.where(*place, "given", name)
            if name not in self.columns:
                raise KnowledgeError(
                    f"unknown column '{name}'{did_you_mean(name, self.columns)}", where=where
                )
            try:
                read = self.columns[name].read(value)
            except ValueError as error:
                raise KnowledgeError(f"'{name}': {error}", where=where) from error
            if read is not None:
                row[name] = read
        return row

    def _check_names(self) -> None:
        taken: dict[str, str] = {}
        parts: tuple[tuple[str, Mapping[str, object]], ...] = (
            ("columns", self.columns),
            ("sets", self.sets),
            ("terms", self.terms),
        )
        for part, names in parts:
            for name in names:
                if not is_name(name):
                    raise KnowledgeError(
                        f"'{name}' cannot be a name in conditions; use letters, digits and _",
                        where=self.where(part, name),
                    )
                if name in taken:
                    raise KnowledgeError(
                        f"'{name}' is already the name of one of the {taken[name]}",
                        where=self.where(part, name),
                    )
                taken[name] = part
        seen: set[str] = set()
        lists: dict[str, tuple[Constraint, ...]] = {
            "rules": self.rules,
            "never": self.never,
            "always": self.always,
        }
        for part, entries in lists.items():
            for index, entry in enumerate(entries):
                if entry.id in seen:
                    raise KnowledgeError(
                        f"the id '{entry.id}' is used twice", where=self.where(part, index, "id")
                    )
                seen.add(entry.id)
        words = (self.outcome.positive, self.outcome.negative)
        for index, rule in enumerate(self.rules):
            if rule.then not in words:
                raise KnowledgeError(
                    f"rule '{rule.id}' cannot say '{rule.then}'{did_you_mean(rule.then, words)}",
                    where=self.where("rules", index, "then"),
                )

    def _check_prior(self) -> None:
        where = self.where("prior")
        if self.prior.strip().endswith("%"):
            try:
                value = self.prior_probability
            except ValueError:
                value = None
            if value is None or not 0 < value < 1:
                raise KnowledgeError(
                    f"a prior is a percentage between 0 % and 100 %, got '{self.prior}'", where=where
                )
            return
        spec = self.columns.get(self.prior)
        if spec is None:
            raise KnowledgeError(
                f"the prior '{self.prior}' is neither a percentage such as 9.5 % nor a column"
                f"{did_you_mean(self.prior, self.columns)}",
                where=where,
            )
        if spec.type != "number":
            raise KnowledgeError(
                f"the prior '{self.prior}' must be a number between 0 and 1, but is a {spec.type}",
                where=where,
            )

    def _vocabulary(self) -> Vocabulary:
        """Read the terms in an order in which each is read after those it uses."""
        types: dict[str, ColumnType] = {name: spec.type for name, spec in self.columns.items()}
        choices = {name: spec.values for name, spec in self.columns.items() if spec.values is not None}
        read: dict[str, Condition] = {}
        waiting = dict(self.terms)
        while waiting:
            ready = [name for name, text in waiting.items() if waiting.keys().isdisjoint(names_in(text))]
            if not ready:
                raise KnowledgeError(
                    f"terms that refer to one another in a circle: {', '.join(waiting)}",
                    where=self.where("terms", next(iter(waiting))),
                )
            words = Vocabulary(types, choices, self.sets, dict(read))
            for name in ready:
                read[name] = parse(waiting.pop(name), words, where=self.where("terms", name))
        return Vocabulary(types, choices, self.sets, read)


def load(path: str | Path) -> KnowledgeBase:
    """Read a knowledge base, check all it says, and run its rules' own tests.

    Parameters
    ----------
    path : str or Path
        The YAML file.

    Raises
    ------
    KnowledgeError
        With ``file:line``, what was got and the nearest known name.
    """
    file = Path(path)
    data, lines = read_mapping(
        file,
        what="a knowledge base",
        example="experiments/knowledge/retail.yaml",
        keys="knowledge_base, predicts, prior, columns and rules",
        error=KnowledgeError,
    )
    try:
        knowledge = KnowledgeBase.model_validate(data)
    except ValidationError as error:
        place, problem = explain(error, file, lines, KnowledgeBase)
        raise KnowledgeError(problem, where=place) from error
    knowledge._path = file
    knowledge._lines = lines
    knowledge.run_tests()
    return knowledge
