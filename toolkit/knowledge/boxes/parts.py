"""Boxes as they are calculated with: for each limited column a set of cells, as a bit mask.

The columns are numbered. A column that a box does not name is not limited: all its cells are
allowed, a missing value included. No set of cells in a box is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter

from toolkit.errors import TooComplexError

__all__ = ["Budget", "Part", "covers", "difference", "escape", "meet", "simplified"]

Part = dict[int, int]
"""Number of a limited column -> its cells."""

MAX_BOXES = 300
"""Boxes of one region, while it is made and after."""

_FEW = 100
"""Up to so many boxes are looked through for one inside another."""


class Budget:
    """Work that may be done, counted and not timed, so that every machine gives the same answer.

    Parameters
    ----------
    steps : int
    whole : Budget, optional
        A larger one that this is a part of.
    """

    def __init__(self, steps: int, whole: Budget | None = None) -> None:
        self.left = steps
        self._whole = whole

    def spend(self, steps: int) -> None:
        """Count some steps; TooComplexError when none are left."""
        self.left -= steps
        if self._whole is not None:
            self._whole.spend(steps)
        if self.left < 0:
            raise TooComplexError("it needs more steps than an analysis may take")


def meet(one: Part, other: Part) -> Part | None:
    """Return the box of what lies in both, None when a set of cells becomes empty."""
    both = dict(one)
    for place, mask in other.items():
        known = both.get(place)
        both[place] = mask if known is None else mask & known
        if not both[place]:
            return None
    return both


def covers(outer: Part, inner: Part) -> bool:
    """Tell whether a box lies inside another, cell by cell."""
    for place, mask in outer.items():
        known = inner.get(place)
        if known is None or known & ~mask:
            return False
    return True


def simplified(parts: Sequence[Part], full: Sequence[int], budget: Budget) -> list[Part]:
    """Return fewer boxes for the same rows: those alike but for one column become one, inner ones go.

    Parameters
    ----------
    parts : sequence of Part
    full : sequence of int
        All cells of each column.
    budget : Budget

    Raises
    ------
    TooComplexError
        More than `MAX_BOXES` are left, or nothing of the budget.
    """
    found, before = list(parts), 0
    while len(found) > 1 and len(found) != before:
        before = len(found)
        places = sorted({place for part in found for place in part})
        budget.spend(before * len(places))
        for place in places:
            found = _joined(found, place, full[place])
        if len(found) <= _FEW:
            found = _outermost(found)
    if len(found) > MAX_BOXES:
        raise TooComplexError(f"it falls into more than {MAX_BOXES:,} boxes")
    return found


def _joined(parts: list[Part], place: int, full: int) -> list[Part]:
    alike: dict[frozenset[tuple[int, int]], int] = {}
    for part in parts:
        rest = frozenset(item for item in part.items() if item[0] != place)
        alike[rest] = alike.get(rest, 0) | part.get(place, full)
    return [dict(rest) if mask == full else {**dict(rest), place: mask} for rest, mask in alike.items()]


def _outermost(parts: list[Part]) -> list[Part]:
    kept: list[Part] = []
    for part in sorted(parts, key=len):
        if not any(covers(outer, part) for outer in kept):
            kept = [inner for inner in kept if not covers(part, inner)]
            kept.append(part)
    return kept


def _pieces(part: Part, other: Part, full: Sequence[int]) -> Iterator[tuple[int, Part]]:
    """Cut what lies outside `other` off a box.

    Yields
    ------
    room : int
        Number of cells in the column that was cut.
    piece : Part
        Separate from the others; one for each column that `other` limits further.
    """
    inside = dict(part)
    for place, mask in other.items():
        own = inside.get(place, full[place])
        outside = own & ~mask
        if outside:
            yield outside.bit_count(), {**inside, place: outside}
        inside[place] = own & mask


def difference(
    part: Part,
    others: Sequence[Part],
    full: Sequence[int],
    possible: Callable[[Part], bool],
    budget: Budget,
) -> list[Part]:
    """Return separate boxes for the rows of one box that lie in none of some others.

    Parameters
    ----------
    part : Part
    others : sequence of Part
    full : sequence of int
        All cells of each column.
    possible : callable
        Whether a row lies in a box at all.
    budget : Budget
    """
    left = [part]
    for other in others:
        budget.spend(len(left))
        cut: list[Part] = []
        for piece in left:
            if meet(piece, other) is None:
                cut.append(piece)
            else:
                cut += [rest for _, rest in _pieces(piece, other, full) if possible(rest)]
        left = cut
        if len(left) > MAX_BOXES:
            raise TooComplexError(f"it falls into more than {MAX_BOXES:,} boxes")
    return left


def escape(
    part: Part,
    others: Sequence[Part],
    full: Sequence[int],
    possible: Callable[[Part], bool],
    budget: Budget,
) -> Part | None:
    """Return a box, with at least one row, inside one box and outside all others; None when there is none.

    As `difference`, but in depth first, so that one is found quickly where there are many.
    """
    waiting = [(part, 0)]
    while waiting:
        here, start = waiting.pop()
        for index in range(start, len(others)):
            if meet(here, others[index]) is not None:
                budget.spend(1 + index - start + len(others[index]))
                pieces = [one for one in _pieces(here, others[index], full) if possible(one[1])]
                # The roomiest is looked into first: the most rules are still free to stay silent there.
                pieces.sort(key=itemgetter(0))
                waiting += [(piece, index + 1) for _, piece in pieces]
                break
        else:
            budget.spend(1 + len(others) - start)
            return here
    return None
