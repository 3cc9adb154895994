"""The entries of a knowledge base: columns, rules with their reason, hard facts, and their tests."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from toolkit.config import Frozen
from toolkit.errors import did_you_mean, shorten
from toolkit.knowledge.language import ColumnType

__all__ = [
    "WORDS",
    "Authoring",
    "Certainty",
    "ColumnSpec",
    "Constraint",
    "Example",
    "Outcome",
    "Rule",
    "Text",
]

WORDS: dict[str, float] = {
    "certain": 0.95,
    "very likely": 0.8,
    "likely": 0.6,
    "somewhat": 0.4,
    "slightly": 0.2,
}
"""Words for the strength of evidence and the certainty factors they stand for."""


def _certainty(value: object) -> object:
    if isinstance(value, str) and value in WORDS:
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and value != 0 and abs(value) < 1:
        return float(value)
    if isinstance(value, int | float) and abs(value) == 1:
        raise ValueError("a certainty of 1 is infinite evidence; a hard fact belongs under never or always")
    raise ValueError(f"a certainty is one of {', '.join(WORDS)}, or a number between -1 and 1 that is not 0")


def _shown(value: object) -> str:
    return shorten(repr(value))


Text = Annotated[str, Field(min_length=1)]

Certainty = Annotated[
    str | float,
    BeforeValidator(_certainty),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(WORDS)},
                {"type": "number", "exclusiveMinimum": -1, "exclusiveMaximum": 1, "not": {"const": 0}},
            ]
        }
    ),
]
"""A word of `WORDS`, or a number in (-1, 1) that is not 0."""


class ColumnSpec(Frozen):
    """A column as the expert understands it.

    Parameters
    ----------
    type : {"number", "whole number", "yes/no", "choice"}
        What it holds.
    min, max : float, optional
        Range of a number; tests must stay in it.
    values : tuple of str, optional
        Values of a choice; the task's levels when left out.
    missing : float or str, optional
        What a missing value stands for; without it, a missing value meets no comparison.
    unit : str
        Unit or meaning, in words.
    """

    type: ColumnType = "number"
    min: float | None = None
    max: float | None = None
    values: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    missing: float | str | None = None
    unit: str = ""

    @model_validator(mode="after")
    def _fits_type(self) -> Self:
        if self.type == "choice" and (self.min is not None or self.max is not None):
            raise ValueError("a choice has values, not min and max")
        if self.type != "choice" and self.values is not None:
            raise ValueError(f"only a choice has values; this is a {self.type}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        if self.missing is not None:
            self.read(self.missing)
        return self

    def read(self, value: object) -> Fraction | str | None:
        """Return a value of this column as conditions see it; ValueError when it is none."""
        if value is None:
            return None
        if self.type == "choice":
            if not isinstance(value, str):
                raise ValueError(f"a choice is a text in quotes, got {_shown(value)}")
            if self.values is not None and value not in self.values:
                raise ValueError(f"no such value {_shown(value)}{did_you_mean(value, self.values)}")
            return value
        if self.type == "yes/no" and (isinstance(value, bool) or value in ("yes", "no")):
            return Fraction(int(value in (True, "yes")))
        if isinstance(value, bool | str) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"expected a number, got {_shown(value)}")
        if self.type == "whole number" and value != int(value):
            raise ValueError(f"expected a whole number, got {_shown(value)}")
        if self.type == "yes/no" and value not in (0, 1):
            raise ValueError(f"expected yes or no, got {_shown(value)}")
        if (self.min is not None and value < self.min) or (self.max is not None and value > self.max):
            raise ValueError(f"{value!r} is outside the column's range [{self.min}, {self.max}]")
        return Fraction(repr(value))


class Outcome(Frozen):
    """The words of ``then``.

    Parameters
    ----------
    positive, negative : str
        What a rule speaks for, and the opposite.
    """

    positive: Text = "buys"
    negative: Text = "does not buy"


class Example(Frozen):
    """A row the expert has thought through.

    Parameters
    ----------
    given : dict of str to float, bool, str or None
        Column -> value; columns left out are missing.
    fires : bool
        Whether the condition is met: yes or no.
    """

    given: dict[str, float | bool | str | None]
    fires: Annotated[bool, WithJsonSchema({"enum": [True, False, "yes", "no"]})]


class Constraint(Frozen):
    """A hard fact about the outcome: a shield on the answer, not evidence.

    Parameters
    ----------
    id : str
        Its name, once in the file.
    when : str
        The condition.
    because : str
        The reason, in the expert's words.
    owner : str
        Who answers for it.
    tests : tuple of Example
        Checked whenever the file is read.
    """

    id: Text
    when: Text
    because: Text
    owner: str = ""
    tests: tuple[Example, ...] = ()


class Rule(Constraint):
    """Evidence for or against: when it fires, it moves the log-odds.

    Parameters
    ----------
    then : str
        The positive or the negative outcome's word.
    certainty : str or float
        One of `WORDS`, or a number in (-1, 1) without 0.
    group : str, optional
        Of the rules of one group that fire, only the strongest counts.
    """

    then: Text
    certainty: Certainty
    group: Text | None = None

    @property
    def strength(self) -> float:
        """The certainty as a number, before ``then`` gives it a sign."""
        return WORDS[self.certainty] if isinstance(self.certainty, str) else self.certainty


class Authoring(Frozen):
    """What the file cost its authors: the main cost of expert rules.

    Parameters
    ----------
    hours : float
        Working hours, from collecting rules to writing tests.
    by : str
        Who wrote it.
    note : str
        What the hours are made of, and where the certainties come from.
    """

    hours: Annotated[float, Field(ge=0)]
    by: str = ""
    note: str = ""
