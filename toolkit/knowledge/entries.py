"""The entries of a knowledge base: columns, rules with their reason, hard facts, and their tests."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from toolkit.amounts import Frozen
from toolkit.errors import did_you_mean, nearest, shorten
from toolkit.knowledge.language import ColumnType

__all__ = [
    "WORDS",
    "Authoring",
    "Certainty",
    "ColumnSpec",
    "Constraint",
    "Example",
    "Id",
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

MAX_CERTAINTY = 0.999
"""Beyond it a rule outweighs all others, as a hard fact does, and nothing shows it."""


def _certainty(value: object) -> object:
    if isinstance(value, str) and value in WORDS:
        return value
    size = abs(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0
    if 0 < size <= MAX_CERTAINTY:
        return float(value)  # type: ignore[arg-type]
    if MAX_CERTAINTY < size <= 1:
        raise ValueError(
            f"a certainty is at most {MAX_CERTAINTY}: 1 is infinite evidence, and a hard fact belongs under "
            "never or always"
        )
    hint = ""
    if isinstance(value, str):
        word = nearest(value.lower(), WORDS)
        hint = f"; did you mean '{word}'?" if word else ""
        if re.fullmatch(r"\s*[-+]?\d*,\d+\s*", value):
            hint = "; write a decimal point: 0.3"
    raise ValueError(
        f"a certainty is one of {', '.join(WORDS)}, or a number between -1 and 1 that is not 0{hint}"
    )


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("a name is one line, without tabs and control characters")
    return text


def _shown(value: object) -> str:
    return shorten(repr(value))


Text = Annotated[str, Field(min_length=1), AfterValidator(_not_blank)]

Id = Annotated[Text, AfterValidator(_one_line)]
"""A name of a rule, a group or a table: it stands in one line of a report."""

Certainty = Annotated[
    str | float,
    BeforeValidator(_certainty),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(WORDS)},
                {"type": "number", "minimum": -MAX_CERTAINTY, "maximum": MAX_CERTAINTY, "not": {"const": 0}},
            ]
        }
    ),
]
"""A word of `WORDS`, or a number from -0.999 to 0.999 that is not 0."""


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
        values = self.values or ()
        twice = next((each for index, each in enumerate(values) if each in values[:index]), None)
        if twice is not None:
            raise ValueError(f"the value '{shorten(twice)}' stands twice")
        if self.missing is not None:
            self.read(self.missing)
        return self

    def _range(self) -> str:
        if self.min is None or self.max is None:
            return f"at most {self.max:g}" if self.min is None else f"at least {self.min:g}"
        return f"from {self.min:g} to {self.max:g}"

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
            kind = "yes or no" if self.type == "yes/no" else "a number"
            raise ValueError(f"expected {kind}, got {_shown(value)}")
        if self.type == "whole number" and value != int(value):
            raise ValueError(f"expected a whole number, got {_shown(value)}")
        if self.type == "yes/no" and value not in (0, 1):
            raise ValueError(f"expected yes or no, got {_shown(value)}")
        if (self.min is not None and value < self.min) or (self.max is not None and value > self.max):
            raise ValueError(f"{value!r} is outside the column's range: {self._range()}")
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

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.positive == self.negative:
            raise ValueError(f"positive and negative are both '{shorten(self.positive)}'; they must differ")
        return self


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

    id: Id
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
        One of `WORDS`, or a number from -0.999 to 0.999 without 0.
    group : str, optional
        Of the rules of one group that fire, only the strongest counts.
    """

    then: Text
    certainty: Certainty
    group: Id | None = None

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
