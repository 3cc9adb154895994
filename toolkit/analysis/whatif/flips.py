"""Where an assumption changes the verdict: break-even points and flip values.

Each assumption is moved by itself, over powers of ten; where the answer changes between two points of a grid,
the place is found by halving. Two changes back and forth between neighbouring points would be missed: a
factor of 1.26, and of 1.023 for values of outcomes, where every threshold has luck of its own.

Two tracks that earn the same change places at a breath, and nobody would act on it. So the track that leads
as declared is held on to where it is behind by no more than the margin; where another is ahead by a hair is
told beside it. A change that ends again within a tenth of the amount is no flip value: thresholds and rungs
that are chosen anew have luck of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from toolkit.analysis.whatif.book import NONE_PAYS, Book, Standing
from toolkit.analysis.whatif.levers import Lever
from toolkit.analysis.whatif.record import Assumption, Flip, Regime

__all__ = ["Ask", "answers", "assumption", "deep_ask", "leads", "most_fragile_first", "stay_ask"]

Ask = Callable[[Standing], str]
"""A question of how tracks stand under some economics; the answer is a track, or empty."""
Look = Callable[[float], Standing]
"""How tracks stand where the assumption in question is so large."""

_HALVINGS = 60
_LASTING = 1.1
_LOOKS = 4
"""A change has to hold at so many amounts over that factor."""


def leads(standing: Standing) -> str:
    """Return the track that is expected to earn most."""
    return standing.best


def stay_ask(held: str, margin: float | None) -> Ask:
    """Return the question of which track to use for somebody who uses `held`, until it costs over the margin.

    Parameters
    ----------
    held : str
        Empty for nothing.
    margin : float or None
        Money a year; 1 % of the leader's gross value when None.
    """

    def ask(standing: Standing) -> str:
        return held if _behind(standing, held) <= standing.margin(margin) else standing.best

    return ask


def _behind(standing: Standing, held: str) -> float:
    """Return by how much a track earns less than the best; nothing earns 0."""
    best = 0.0 if standing.best == NONE_PAYS else standing.net[standing.best]
    return best - (0.0 if held == NONE_PAYS else standing.net[held])


def deep_ask(nets: Sequence[str], others: Sequence[str], margin: float | None) -> Ask:
    """Return the question of whether a net is expected to earn more than the plain tracks, over the margin.

    The answer is the net, or empty.
    """

    def ask(standing: Standing) -> str:
        net = max(nets, key=lambda track: standing.net[track])
        lead = standing.net[net] - max(standing.net[track] for track in others)
        return net if lead > standing.margin(margin) else ""

    return ask


def assumption(lever: Lever, book: Book, stays: Ask, leads: Ask) -> Assumption:
    """Return where one assumption changes an answer, on either side of what was declared.

    Parameters
    ----------
    lever : Lever
    book : Book
    stays, leads : callable
        The question with the margin, and by a hair.
    """
    look = _look(lever, book)
    below, above = _sides(lever)
    changes = [
        _first(lever, look, ask, side, lasting=ask is stays)
        for ask in (stays, leads)
        for side in (below, above)
    ]
    low, high = lever.now.low, lever.now.high
    within = [low <= flip.at <= high for flip in changes[:2] if flip is not None]
    return Assumption(
        key=lever.key,
        title=lever.title,
        unit=lever.unit,
        low=low,
        likely=lever.now.likely,
        high=high,
        below=changes[0],
        above=changes[1],
        hair_below=changes[2],
        hair_above=changes[3],
        reach=lever.reach,
        within_range=low < high and any(within),
        lowest=below[-1] if below else lever.now.likely,
        highest=above[-1],
    )


def _look(lever: Lever, book: Book) -> Look:
    """Return how tracks stand at an amount; what was once looked at is kept with the book."""
    return book.looks.setdefault(lever.key, cache(lambda amount: book.stand(lever.at(book.money, amount))))


def _sides(lever: Lever) -> tuple[list[float], list[float]]:
    """Return the amounts to try below and above what was declared, the nearest first."""
    likely, least = lever.now.likely, lever.least
    decades = math.log10(lever.reach)
    steps = np.logspace(0, decades, round(decades * lever.points) + 1)[1:]
    if likely:
        smaller, larger = (likely / steps).tolist(), (likely * steps).tolist()
        below, above = (smaller, larger) if likely > 0 else (larger, smaller)
    else:
        above = (lever.scale * np.logspace(-4, 3, 71)).tolist()
        below = [-one for one in above] if least is None else []
    if least is not None and any(one < least for one in below):
        below = [*(one for one in below if one > least), *([least] if least < likely else [])]
    return below, above


def _first(
    lever: Lever, look: Look, ask: Ask, amounts: Sequence[float], *, lasting: bool = True
) -> Flip | None:
    """Return the first change of the answer on the way along `amounts`, of those that last where so asked."""
    before = lever.now.likely
    now = ask(look(before))
    for amount in amounts:
        onward = math.copysign(1.0, amounts[-1] - lever.now.likely)
        while (amount - before) * onward > 0 and ask(look(amount)) != now:
            flip = _halve(look, ask, before, amount)
            back = _back(look, ask, now, flip.at, amounts[-1]) if lasting else None
            if back is None:
                return flip
            before = back
        before = amount if (amount - before) * onward > 0 else before
    return None


def _back(look: Look, ask: Ask, now: str, at: float, last: float) -> float | None:
    """Return where an answer comes back soon after a change, on the way to the last amount."""
    power = 1 / _LOOKS if abs(last) > abs(at) else -1 / _LOOKS
    low, high = sorted((at, last))
    soon = (at * _LASTING ** (power * step) for step in range(1, _LOOKS + 1))
    return next((one for one in soon if low <= one <= high and ask(look(one)) == now), None)


def _halve(look: Look, ask: Ask, near: float, far: float) -> Flip:
    """Return the change between two amounts, at the nearest amount that has been seen to be beyond it."""
    now, found = ask(look(near)), ask(look(far))
    for _ in range(_HALVINGS):
        middle = math.copysign(math.sqrt(near * far), far) if near * far > 0 else (near + far) / 2
        if middle in (near, far):
            break
        answer = ask(look(middle))
        if answer == now:
            near = middle
        else:
            far, found = middle, answer
    return Flip(far, found)


def answers(lever: Lever, book: Book, ask: Ask) -> tuple[Regime, ...]:
    """Return the answers to a question over the whole reach of an assumption, from low to high.

    Parameters
    ----------
    lever : Lever
        Declared above zero.
    book : Book
    ask : callable
    """
    below, above = _sides(lever)
    look, start = _look(lever, book), lever.now.likely
    now = ask(look(start))
    down, up = (_walk(look, ask, [start, *side]) for side in (below, above))
    tracks = [*(flip.best for flip in reversed(down)), now, *(flip.best for flip in up)]
    ends = [below[-1], *(flip.at for flip in reversed(down)), *(flip.at for flip in up), above[-1]]
    return tuple(Regime(*one) for one in zip(ends[:-1], ends[1:], tracks, strict=True))


def _walk(look: Look, ask: Ask, amounts: Sequence[float]) -> list[Flip]:
    found: list[Flip] = []
    before, held = amounts[0], ask(look(amounts[0]))
    for amount in amounts[1:]:
        while ask(look(amount)) != held:
            flip = _halve(look, ask, before, amount)
            found.append(flip)
            before, held = flip.at, flip.best
        before = amount
    return found


def most_fragile_first(found: Sequence[Assumption]) -> tuple[Assumption, ...]:
    """Return assumptions in order: changes within the declared range first, then by how near they are."""
    return tuple(sorted(found, key=lambda one: (not one.within_range, one.distance)))
