"""How far the values of one column are from what a box wants of them, and the nearest that would do.

Distances are Gower's (J. C. Gower, "A general coefficient of similarity and some of its properties",
1971): a number's difference as a share of its column's range, 1 for any other change, added up.
Numbers are proposed in the precision of the column's array, so that a rule really fires on them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from toolkit.knowledge.boxes.intervals import Interval
from toolkit.knowledge.boxes.regions import Limits
from toolkit.knowledge.entries import ColumnSpec

__all__ = ["ChoiceSide", "Moved", "NumberSide", "Side", "beside", "shown"]

STEP = 1e-9
"""Beyond an end that is left out, a value is proposed this far away, as a share of the column's range."""

_Floats = NDArray[np.float64]
_Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Moved:
    """Values of one column, moved as little as a box needs.

    Parameters
    ----------
    targets, costs : ndarray of shape (n_rows,)
        The new values, and what each move costs: 0 where none was needed, infinite where none will do.
    ends : ndarray of shape (n_rows,)
        Which of `texts` tells the new value; -1 when the value tells itself.
    texts : tuple of str
    """

    targets: _Floats
    costs: _Floats
    ends: _Rows
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Ends:
    """An interval as values of one type.

    Parameters
    ----------
    low, high : float
        The values in it.
    lowest, highest : float
        The values to propose.
    start : float
        Nearest to this where nothing is known.
    texts : tuple of str
        What to call the lowest and the highest.
    """

    low: float
    high: float
    lowest: float
    highest: float
    start: float
    texts: tuple[str, str]


@dataclass(frozen=True)
class NumberSide:
    """What a box wants of a number column: a value in one of some intervals.

    Parameters
    ----------
    column : str
    intervals : tuple of Interval
    spec : ColumnSpec
        What is proposed stays in its range, and is whole where it holds whole numbers.
    scale : float
        The difference that costs 1.
    may_be_missing : bool
    """

    column: str
    intervals: tuple[Interval, ...]
    spec: ColumnSpec
    scale: float
    may_be_missing: bool = False

    @property
    def whole(self) -> bool:
        """Whether only whole numbers make sense."""
        return self.spec.type != "number"

    @property
    def step(self) -> float:
        """How far beyond an open end a value is proposed."""
        return STEP * self.scale

    def ends(self, dtype: np.dtype[np.generic]) -> list[_Ends]:
        """Return the intervals for values of one type."""
        return [_ends(interval, self.spec, dtype, self.step) for interval in self.intervals]

    def costs(self, values: _Floats, dtype: np.dtype[np.generic]) -> _Floats:
        """Return what moving each value would cost, shape (n_rows,).

        Parameters
        ----------
        values : ndarray of shape (n_rows,)
            NaN where missing.
        dtype : dtype
            Of the column's own array.
        """
        best = np.full(len(values), np.inf)
        for ends in self.ends(dtype):
            np.minimum(best, self._away(values, ends), out=best)
        # a missing value makes `best` NaN where any interval can be reached
        return np.where(np.isnan(best), 0.0 if self.may_be_missing else 1.0, best)

    def _away(self, values: _Floats, ends: _Ends) -> _Floats:
        if ends.lowest > ends.highest:
            away = np.full(len(values), np.inf)
        else:
            away = np.maximum(ends.lowest - values, values - ends.highest)
            away /= self.scale
        away[(values >= ends.low) & (values <= ends.high)] = 0.0
        return away

    def moved(self, values: _Floats, dtype: np.dtype[np.generic]) -> Moved:
        """Return the nearest values that would do, see `costs`."""
        every = self.ends(dtype)
        away = np.array([self._away(values, ends) for ends in every])
        chosen = np.argmin(away, axis=0)
        lowest, highest = (
            np.array([getattr(ends, name) for ends in every])[chosen] for name in ("lowest", "highest")
        )
        # a missing value goes to an end that the box itself sets, to a plain one where it sets none
        starts = np.array([ends.start for ends in every])[chosen]
        wanted = np.where(np.isnan(values), starts, values)
        plain = np.isnan(values) & np.isfinite(starts)
        costs = self.costs(values, dtype)
        return Moved(
            targets=np.where(costs > 0, np.clip(wanted, lowest, highest), values),
            costs=costs,
            ends=np.where((costs > 0) & ~plain, 2 * chosen + (wanted > lowest), -1),
            texts=tuple(text for ends in every for text in ends.texts),
        )


@lru_cache(maxsize=10_000)
def _ends(interval: Interval, spec: ColumnSpec, dtype: np.dtype[np.generic], step: float) -> _Ends:
    whole = spec.type != "number" or dtype.kind != "f"
    proposed = interval.whole() if whole else interval
    bounds = (0, 1) if spec.type == "yes/no" else (spec.min, spec.max)
    low, high = (None if bound is None else Fraction(bound) for bound in bounds)
    declared = _limits(Interval(low, high), dtype)
    lowest, highest = _limits(proposed, dtype)
    lowest, highest = max(lowest, declared[0]), min(highest, declared[1])
    # the number next to 0 is 5e-324, which is no answer to give; a little more will do
    if proposed.low_open and lowest + step <= highest:
        lowest = float(beside(np.array(lowest), np.array(step), dtype))
    if proposed.high_open and highest - step >= lowest:
        highest = float(beside(np.array(highest), np.array(-step), dtype))
    return _Ends(
        *_limits(interval, dtype),
        lowest,
        highest,
        start=-math.inf if proposed.low is not None else math.inf if proposed.high is not None else 0.0,
        texts=(
            _told(proposed.low, lowest, "above" if proposed.low_open else "", spec),
            _told(proposed.high, highest, "below" if proposed.high_open else "", spec),
        ),
    )


def beside(values: _Floats, step: _Floats, dtype: np.dtype[np.generic]) -> _Floats:
    """Return ``values + step`` in the precision of a type of floats, at least the next value in it.

    Parameters
    ----------
    values, step : ndarray of shape (n_rows,)
        No step is 0.
    dtype : dtype
    """
    there = (values + step).astype(dtype)
    next_one = np.nextafter(values.astype(dtype), np.copysign(np.inf, step).astype(dtype))
    return np.where(step > 0, np.maximum(there, next_one), np.minimum(there, next_one)).astype(np.float64)


def _limits(interval: Interval, dtype: np.dtype[np.generic]) -> tuple[float, float]:
    """Return the lowest and the highest value of a type that an interval holds."""
    kind = dtype.type if dtype.kind == "f" else np.float64
    low, high = -math.inf, math.inf
    if interval.low is not None:
        value = kind(float(interval.low))
        low = float(np.nextafter(value, kind(math.inf)) if interval.low_open else value)
    if interval.high is not None:
        value = kind(float(interval.high))
        high = float(np.nextafter(value, kind(-math.inf)) if interval.high_open else value)
    return low, high


def _told(end: Fraction | None, value: float, word: str, spec: ColumnSpec) -> str:
    if end is not None:
        return f"{word} {shown(float(end), spec)}".lstrip()
    return shown(value, spec) if math.isfinite(value) else "known"


def shown(value: float, spec: ColumnSpec, digits: int = 6) -> str:
    """Return a number of a column for people."""
    if spec.type == "yes/no" and value in (0, 1):
        return "yes" if value else "no"
    return f"{value:.0f}" if value == round(value) and abs(value) < 1e15 else f"{value:.{digits}g}"


@dataclass(frozen=True)
class ChoiceSide:
    """What a box wants of a choice: one of some levels.

    Parameters
    ----------
    column : str
    limits : Limits
    levels : tuple of str
        All of them, in order of code; a missing value is the code -1.
    missing : str or None
        The level that a missing value stands for.
    """

    column: str
    limits: Limits
    levels: tuple[str, ...]
    missing: str | None

    def allowed(self, level: str) -> bool:
        """Tell whether a level will do."""
        return (level in self.limits.levels) != self.limits.negated

    def costs(self, values: _Floats, dtype: np.dtype[np.generic]) -> _Floats:
        """Return what moving each code would cost, shape (n_rows,)."""
        met = [self.allowed(level) for level in self.levels]
        unknown = self.limits.may_be_missing if self.missing is None else self.allowed(self.missing)
        price = 1.0 if any(met) else np.inf
        table = np.where([*met, unknown], 0.0, price)
        return np.asarray(table[values.astype(np.intp)])

    def moved(self, values: _Floats, dtype: np.dtype[np.generic]) -> Moved:
        """Return codes that would do: the first level that is allowed, where one is needed."""
        costs = self.costs(values, dtype)
        allowed = [level for level in self.levels if self.allowed(level)]
        if not allowed:
            return Moved(values, costs, np.full(len(values), -1))
        if self.limits.negated:
            text = f"something other than {' or '.join(self.limits.levels[:3])}"
        elif len(allowed) <= 3:
            text = " or ".join(allowed)
        else:
            text = f"one of {len(allowed)} values such as {allowed[0]}"
        target = float(self.levels.index(allowed[0]))
        moves = costs > 0
        return Moved(np.where(moves, target, values), costs, np.where(moves, 0, -1), (text,))


Side = NumberSide | ChoiceSide
