"""Columns cut at round numbers: what mined rules may compare with, before anything is searched.

A number column is cut where its values are dense, at the roundest number between two neighbouring
values; a choice's levels are put in an order. Rows become small codes, a rule an interval of codes
in a few columns (a `Box`), and its thresholds are ones a person would write.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from toolkit.knowledge.condition import Condition, Member, Op, Threshold, join
from toolkit.knowledge.language import ColumnType

__all__ = ["Box", "Choice", "Cut", "Number", "condition_of", "roundest", "roundness"]

Box = Mapping[str, tuple[int, int]]
"""Column -> (first, end): met by codes ``first <= code < end``; a missing value meets nothing."""

ALL_VALUES = 256
"""Whole-number columns with at most so many values are cut between all of them."""

N_CUTS = 64
"""Cuts of any other number column, at about equal shares of its rows."""

MAX_LEVELS = 8
"""A mined condition lists at most so many values of a choice."""


TOO_MANY = 1_000
"""Comparisons that a list of more values counts as."""


@dataclass(frozen=True)
class Cut:
    """A place to cut a number column: values ``>= at`` are above, or ``> at`` when `strict`."""

    at: Fraction
    strict: bool = False


@dataclass(frozen=True)
class Number:
    """A number column and its cuts, rising; code k stands for the values between cut k - 1 and cut k.

    Parameters
    ----------
    name : str
    kind : str
        Type of the column, as in `ColumnSpec`.
    cuts : tuple of Cut
    lowest : float, optional
        The lowest value there is.
    """

    name: str
    kind: ColumnType
    cuts: tuple[Cut, ...]
    lowest: float | None = None

    @classmethod
    def learn(cls, name: str, kind: ColumnType, values: NDArray[np.floating]) -> Number:
        """Choose cuts from training values, shape (n_rows,), NaN where missing."""
        known = np.sort(values[np.isfinite(values)])
        distinct = np.unique(known)
        if len(distinct) < 2:
            return cls(name, kind, ())
        if (distinct % 1).any() or (kind == "yes/no" and not np.isin(distinct, (0, 1)).all()):
            kind = "number"
        if kind != "number" and len(distinct) <= ALL_VALUES:
            cuts = tuple(Cut(Fraction(int(value))) for value in distinct[1:])
            return cls(name, kind, cuts, lowest=float(distinct[0]))
        at = np.linspace(0, len(known) - 1, N_CUTS + 1).round().astype(np.intp)
        marks = np.searchsorted(distinct, np.unique(known[at]))
        # A value that many rows share stands apart from both its neighbours.
        counts = np.diff(np.append(np.searchsorted(known, distinct), len(known)))
        heavy = np.flatnonzero(counts * N_CUTS > len(known))
        ends = np.unique(np.concatenate([marks, heavy, heavy + 1, heavy - 1]))
        ends = ends[(ends >= 0) & (ends < len(distinct))]
        found = (_cut(distinct, low, high, kind) for low, high in itertools.pairwise(ends))
        return cls(name, kind, tuple(dict.fromkeys(found)), lowest=float(distinct[0]))

    @property
    def n_codes(self) -> int:
        """Number of codes."""
        return len(self.cuts) + 1

    def codes(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the code of every value, NaN where missing, shape (n_rows,)."""
        keys = np.array([float(cut.at) for cut in self.cuts], values.dtype)
        strict = np.array([cut.strict for cut in self.cuts], np.bool_)
        keys[strict] = np.nextafter(keys[strict], values.dtype.type(np.inf))
        codes = np.searchsorted(keys, values, side="right").astype(np.float32)
        codes[np.isnan(values)] = np.nan
        return codes

    def conditions(self, first: int, end: int) -> list[Condition]:
        """Return the comparisons that the codes ``first <= code < end`` meet; none for all codes."""
        if self.kind == "yes/no":
            half = Fraction(1, 2)
            op: Op = ">" if first else "<="
            return [Threshold(self.name, op, half)] if end - first < self.n_codes else []
        if end - first == 1 and self._single()[first]:
            return [Threshold(self.name, "==", self.cuts[end - 1].at - 1)]
        found: list[Condition] = []
        if first > 0:
            op, at = self._written(self.cuts[first - 1])
            found.append(Threshold(self.name, op, at))
        if end < self.n_codes:
            op, at = self._written(self.cuts[end - 1])
            found.append(Threshold(self.name, "<=" if op == ">" else "<", at))
            if self.kind == "whole number" and op == ">=" and roundness(at - 1) <= roundness(at):
                found[-1] = Threshold(self.name, "<=", at - 1)
        return found

    def roundness(self, first: int, end: int) -> float:
        """Return how unround the thresholds of an interval of codes are together."""
        cuts = (*self.cuts[max(first - 1, 0) : first], *self.cuts[end - 1 : end])
        return sum(roundness(self._written(cut)[1]) for cut in cuts)

    def _written(self, cut: Cut) -> tuple[Op, Fraction]:
        """Return how to say that a value is above a cut; of ``>= 21`` and ``> 20`` the rounder one."""
        if self.kind == "whole number" and roundness(cut.at - 1) < roundness(cut.at):
            return ">", cut.at - 1
        return ">" if cut.strict else ">=", cut.at

    def sides(self, first: NDArray[np.intp], end: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return how many comparisons that takes, elementwise; ``3 <= x <= 5`` are two, ``x == 3`` is one."""
        sides = (first > 0).astype(np.intp) + (end < self.n_codes)
        return np.where((end - first == 1) & self._single()[first % self.n_codes], 1, sides)

    def _single(self) -> NDArray[np.bool_]:
        """Return which codes stand for one whole number, shape (n_codes,)."""
        single = np.zeros(self.n_codes, np.bool_)
        if self.kind == "whole number" and self.lowest is not None:
            at = np.array([self.lowest, *(float(cut.at) for cut in self.cuts)])
            single[:-1] = np.diff(at) == 1
        return single


@dataclass(frozen=True)
class Choice:
    """A choice column whose levels have been put in an order.

    Parameters
    ----------
    name : str
    levels : tuple of str
        All of them, in order of code.
    low, high : tuple of int
        Levels with an own place at the lower and at the upper end, in rising order.
    others : bool
        Whether the remaining levels share one place between them; else they meet nothing.
    """

    name: str
    levels: tuple[str, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]
    others: bool

    @classmethod
    def learn(
        cls, name: str, levels: tuple[str, ...], score: NDArray[np.float64], clear: NDArray[np.bool_]
    ) -> Choice:
        """Order the levels by a score.

        Parameters
        ----------
        name : str
        levels : tuple of str
        score : ndarray of shape (n_levels,)
            NaN for levels without a row.
        clear : ndarray of shape (n_levels,)
            Levels that surely differ from the rest. Of a choice with many levels only these are
            told apart: the extremes of hundreds of small levels are chance.
        """
        seen = np.isfinite(score)
        if np.count_nonzero(seen) <= MAX_LEVELS:
            order = np.argsort(np.where(seen, score, np.inf), kind="stable")[: np.count_nonzero(seen)]
            return cls(name, levels, tuple(order.tolist()), (), others=False)
        order = np.argsort(np.where(seen & clear, score, 0.0), kind="stable")
        low = [code for code in order[:MAX_LEVELS] if clear[code] and score[code] < 0]
        high = [code for code in order[-MAX_LEVELS:] if clear[code] and score[code] > 0]
        return cls(name, levels, tuple(map(int, low)), tuple(map(int, high)), others=True)

    @property
    def n_codes(self) -> int:
        """Number of places in the order."""
        return len(self.low) + int(self.others) + len(self.high)

    def codes(self, values: NDArray[np.signedinteger]) -> NDArray[np.float32]:
        """Return the place of every level, NaN where missing, shape (n_rows,)."""
        places = np.full(len(self.levels) + 1, len(self.low) if self.others else np.nan, np.float32)
        places[list(self.low)] = np.arange(len(self.low))
        places[list(self.high)] = len(self.low) + int(self.others) + np.arange(len(self.high))
        places[-1] = np.nan
        return np.asarray(places[values])

    def conditions(self, first: int, end: int) -> list[Condition]:
        """Return the comparison that the places ``first <= place < end`` meet; none for all."""
        if end - first == self.n_codes:
            return []
        order = [*self.low, *([-1] if self.others else []), *self.high]
        inside = order[first:end]
        negated = -1 in inside
        listed = [code for code in order if (code in inside) != negated]
        return [Member(self.name, tuple(sorted(self.levels[code] for code in listed)), negated)]

    def sides(self, first: NDArray[np.intp], end: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return how many comparisons that takes, elementwise; a list of too many values as many."""
        outside = first + self.n_codes - end
        too_long = (first <= len(self.low)) & (end > len(self.low)) & (outside > MAX_LEVELS) & self.others
        return np.where(too_long, TOO_MANY, outside > 0).astype(np.intp)


def condition_of(box: Box, columns: Mapping[str, Number | Choice]) -> Condition:
    """Return a box as a condition; at least one column must constrain it."""
    return join("and", [part for name, (a, b) in box.items() for part in columns[name].conditions(a, b)])


def roundest(low: float, high: float) -> Fraction:
    """Return the number in [low, high] with the fewest digits; of several the one nearest the middle."""
    lowest, highest = Fraction(str(low)), Fraction(str(high))
    if lowest <= 0 <= highest:
        return Fraction(0)
    middle = (lowest + highest) / 2
    power = math.ceil(math.log10(max(abs(lowest), abs(highest)))) + 1
    for exponent in range(power, power - 20, -1):
        for factor in (5, 2, 1):
            step = Fraction(10) ** (exponent - 1) * factor
            nearest = step * round(middle / step)
            for value in (nearest, nearest - step, nearest + step):
                if lowest <= value <= highest:
                    return value
    return highest


def roundness(value: Fraction) -> float:
    """Return how unround a number is: its significant digits, a last 5 counting half."""
    digits = f"{abs(float(value)):.12g}".replace(".", "").split("e")[0].strip("0")
    if len(digits) <= 1:
        return 1.0
    return len(digits) - (0.5 if digits.endswith("5") else 0.0)


def _cut(distinct: NDArray[np.floating], low: int, high: int, kind: ColumnType) -> Cut:
    """Return the roundest cut between two of the sorted distinct values, the lower excluded."""
    below, above = distinct[low], distinct[high]
    if kind == "whole number":
        return Cut(roundest(float(below) + 1, float(above)))
    at = roundest(float(str(below)), float(str(above)))
    return Cut(at, strict=bool(distinct.dtype.type(float(at)) <= below))
