"""Numbers as configuration has them: strict, with bounds, or ranges where the user is not sure."""

from __future__ import annotations

import math
import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

__all__ = [
    "MINUS",
    "AboveZero",
    "Amount",
    "Count",
    "FromZero",
    "Frozen",
    "NonNegative",
    "Number",
    "Positive",
    "PositiveAmount",
    "Range",
    "Share",
]


class Frozen(BaseModel):
    """A frozen model that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


MINUS = "\u2212"
"""The sign of a negative number that people read; files for machines have "-"."""

Number = Annotated[float, Field(strict=True)]
"""A number as such: neither true nor a number in quotes."""

Share = Annotated[float, Field(strict=True, gt=0, le=1)]
Count = Annotated[int, Field(strict=True, ge=1)]
Positive = Annotated[float, Field(strict=True, gt=0)]

LARGEST = 1e20
"""More than any business has of anything; sums of products of larger ones leave what a float can hold."""

SMALLEST = 1e-9
"""Likewise, of what is divided by."""


def _at_most(value: float) -> float:
    if abs(value) > LARGEST:
        raise ValueError(f"expected at most {LARGEST:g} in size")
    return value


def _at_least(value: float) -> float:
    if value < SMALLEST:
        raise ValueError("must be above zero" if value <= 0 else f"expected at least {SMALLEST:g}")
    return value


FromZero = Annotated[float, Field(strict=True, ge=0), AfterValidator(_at_most)]
"""A number of a business that is not below zero."""

AboveZero = Annotated[float, Field(strict=True), AfterValidator(_at_most), AfterValidator(_at_least)]
"""A number of a business above zero, that can be divided by."""


class Range(Frozen):
    """A number the user is not sure of: lowest, most likely and highest value."""

    low: Number
    likely: Number
    high: Number

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if not self.low <= self.likely <= self.high:
            raise ValueError(
                f"a range is [low, likely, high] in rising order, got {[self.low, self.likely, self.high]}"
            )
        return self


def _to_range(value: object) -> object:
    if isinstance(value, Range | dict):
        return value
    if isinstance(value, list | tuple):
        if len(value) != 3:
            raise ValueError(f"a range is [low, likely, high], got {len(value)} values")
        return dict(zip(("low", "likely", "high"), value, strict=True))
    if isinstance(value, bool) or not isinstance(value, int | float):
        units = isinstance(value, str) and re.search(r"\d", value)
        advice = "; without unit or separators, e.g. 1.10 or 5e9" if units else ""
        raise ValueError(f"expected a number or [low, likely, high]{advice}")
    if not math.isfinite(value):
        raise ValueError("expected a finite number")
    return Range(low=value, likely=value, high=value)


def _not_negative(value: Range) -> Range:
    if value.low < 0:
        raise ValueError("must not be negative")
    return value


def _bounded(value: Range) -> Range:
    _at_most(max(value.low, value.high, key=abs))
    return value


Amount = Annotated[Range, BeforeValidator(_to_range), AfterValidator(_bounded)]
"""A number, or ``[low, likely, high]``."""

NonNegative = Annotated[Amount, AfterValidator(_not_negative)]
"""An `Amount` that is not below zero."""


def _positive(value: Range) -> Range:
    _at_least(value.low)
    return value


PositiveAmount = Annotated[Amount, AfterValidator(_positive)]
"""An `Amount` above zero."""
