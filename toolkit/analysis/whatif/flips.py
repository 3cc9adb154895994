"""Where an assumption changes the verdict: break-even points and flip values.

Each assumption is moved by itself, over powers of ten; where the answer changes between two points of a grid,
the place is found by halving. Two changes back and forth between neighbouring points would be missed: a
factor of 1.26, and of 1.023 for values of outcomes, where every threshold has luck of its own.

Two tracks that earn the same change places at a breath, and nobody would act on it. So a track that leads is
held on to until it is behind by more than the margin; where another is ahead by a hair is told beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from toolkit.analysis.whatif.book import NONE_PAYS, Book, Standing
from toolkit.analysis.whatif.levers import Lever
from toolkit.analysis.whatif.record import Assumption, Flip, Regime

__all__ = ["Ask", "answers", "assumption", "deep_ask", "leads", "most_fragile_first", "regimes", "stay_ask"]

Ask = Callable[[Standing], str]
"""A question of how tracks stand under some economics; the answer is a track, or empty."""
Look = Callable[[float], Standing]
"""How tracks stand where the assumption in question is so large."""

_HALVINGS = 60


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
    changes = [_first(lever, look, ask, side) for ask in (stays, leads) for side in (below, above)]
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


def _first(lever: Lever, look: Look, ask: Ask, amounts: Sequence[float]) -> Flip | None:
    """Return the first change of the answer on the way along `amounts`."""
    before = lever.now.likely
    now = ask(look(before))
    for amount in amounts:
        if ask(look(amount)) != now:
            return _halve(look, ask, before, amount)
        before = amount
    return None


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


def regimes(lever: Lever, book: Book, margin: float | None) -> tuple[Regime, ...]:
    """Return which track to use over the whole reach of an assumption, from low to high.

    On the way from what was declared to either end, a track is held on to until that costs over the margin.

    Parameters
    ----------
    lever : Lever
        Declared above zero.
    book : Book
    margin : float or None
    """
    return _regimes(lever, book, leads, lambda held: stay_ask(held, margin))


def answers(lever: Lever, book: Book, ask: Ask) -> tuple[Regime, ...]:
    """Return the answers to a question over the whole reach of an assumption; parameters as in `regimes`."""
    return _regimes(lever, book, ask, lambda _: ask)


def _regimes(lever: Lever, book: Book, first: Ask, next_ask: Callable[[str], Ask]) -> tuple[Regime, ...]:
    below, above = _sides(lever)
    look, start = _look(lever, book), lever.now.likely
    now = first(look(start))
    down, up = (_walk(look, next_ask, now, [start, *side]) for side in (below, above))
    tracks = [*(flip.best for flip in reversed(down)), now, *(flip.best for flip in up)]
    ends = [below[-1], *(flip.at for flip in reversed(down)), *(flip.at for flip in up), above[-1]]
    return tuple(Regime(*one) for one in zip(ends[:-1], ends[1:], tracks, strict=True))


def _walk(look: Look, next_ask: Callable[[str], Ask], held: str, amounts: Sequence[float]) -> list[Flip]:
    found: list[Flip] = []
    before = amounts[0]
    for amount in amounts[1:]:
        while (ask := next_ask(held))(look(amount)) != held:
            flip = _halve(look, ask, before, amount)
            found.append(flip)
            before, held = flip.at, flip.best
        before = amount
    return found


def most_fragile_first(found: Sequence[Assumption]) -> tuple[Assumption, ...]:
    """Return assumptions in order: changes within the declared range first, then by how near they are."""
    return tuple(sorted(found, key=lambda one: (not one.within_range, one.distance)))
