"""Fourier-Motzkin elimination over fractions: a point that meets linear constraints, or none.

Ends may be open or closed. A constraint whose variables are all whole is tightened to a whole
bound, those that elimination derives included: so most questions about whole numbers are decided
here, although the point of an undecided one need not be whole.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from toolkit.errors import TooComplexError
from toolkit.knowledge.boxes.intervals import Interval
from toolkit.knowledge.boxes.parts import Budget

__all__ = ["Constraints", "add", "point"]

MAX_CONSTRAINTS = 1_000
"""Constraints that eliminating the variables of one question may leave."""

_Bound = tuple[Fraction, bool]
Constraints = dict[tuple[int, ...], _Bound]
"""Coefficients, without a common divisor -> (b, open): their sum over the point is >= b, or > b.

An empty key stands for ``0 >= 1``: the constraints exclude one another.
"""


def add(
    constraints: Constraints,
    coefficients: Sequence[int],
    bound: Fraction,
    is_open: bool,
    whole: Sequence[bool],
) -> None:
    """Add a constraint, in place, if it says more than what is there.

    Parameters
    ----------
    constraints : Constraints
    coefficients : sequence of int
        One for each variable x.
    bound : Fraction
    is_open : bool
        ``coefficients . x > bound``, else ``>=``.
    whole : sequence of bool
        Which variables are whole numbers.

    Raises
    ------
    TooComplexError
        More than `MAX_CONSTRAINTS`.
    """
    divisor = math.gcd(*coefficients)
    if divisor == 0:
        if bound > 0 or (bound == 0 and is_open):
            constraints[()] = (Fraction(1), False)
        return
    key = tuple(coefficient // divisor for coefficient in coefficients)
    bound /= divisor
    if all(whole[index] for index, coefficient in enumerate(key) if coefficient):
        bound, is_open = Fraction(math.floor(bound) + 1 if is_open else math.ceil(bound)), False
    known = constraints.get(key)
    if known is None or (bound, is_open) > known:
        constraints[key] = (bound, is_open)
        if len(constraints) > MAX_CONSTRAINTS:
            raise TooComplexError("the comparisons between columns are too many to be decided")


def point(constraints: Constraints, whole: Sequence[bool], budget: Budget) -> list[Fraction] | None:
    """Return a point that meets some constraints, whole where that is easy; None when there is none.

    Parameters
    ----------
    constraints : Constraints
    whole : sequence of bool
        Which variables are whole numbers.
    budget : Budget
        A step is one combination of two constraints.

    Raises
    ------
    TooComplexError
        More steps than the budget allows, or more than `MAX_CONSTRAINTS` on the way.
    """
    left = set(range(len(whole)))
    steps: list[tuple[int, Constraints]] = []
    while left and () not in constraints:
        index = min(left, key=lambda index: _products(constraints, index))
        budget.spend(1 + _products(constraints, index))
        left.remove(index)
        steps.append((index, {key: bound for key, bound in constraints.items() if key[index]}))
        constraints = _eliminate(constraints, index, whole)
    if () in constraints:
        return None
    found = [Fraction(0)] * len(whole)
    for index, bounds in reversed(steps):
        room = Interval()
        for key, (bound, is_open) in bounds.items():
            known = (factor * value for factor, value in zip(key, found, strict=True) if factor and value)
            # The variable itself is still at 0.
            rest = bound - sum(known)
            end, above = rest / key[index], key[index] > 0
            room = room.meet(
                Interval(low=end, low_open=is_open) if above else Interval(high=end, high_open=is_open)
            )
        found[index] = room.example(whole=whole[index])
    return found


def _products(constraints: Constraints, index: int) -> int:
    signs = [key[index] for key in constraints if key[index]]
    above = sum(sign > 0 for sign in signs)
    return above * (len(signs) - above)


def _eliminate(constraints: Constraints, index: int, whole: Sequence[bool]) -> Constraints:
    """Return what the constraints say about the other variables."""
    rest: Constraints = {key: bound for key, bound in constraints.items() if not key[index]}
    above = [(key, bound) for key, bound in constraints.items() if key[index] > 0]
    below = [(key, bound) for key, bound in constraints.items() if key[index] < 0]
    for key, (bound, is_open) in above:
        for other, (other_bound, other_open) in below:
            up, down = -other[index], key[index]
            add(
                rest,
                [up * one + down * two for one, two in zip(key, other, strict=True)],
                up * bound + down * other_bound,
                is_open or other_open,
                whole,
            )
    return rest
