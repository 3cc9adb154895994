"""All that would change a verdict, put together."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.analysis.inputs import Inputs
from toolkit.analysis.whatif.book import NONE_PAYS, Book
from toolkit.analysis.whatif.flips import (
    Ask,
    answers,
    assumption,
    deep_ask,
    leads,
    most_fragile_first,
    stay_ask,
)
from toolkit.analysis.whatif.levers import HIT, VOLUME, Lever, levers_of
from toolkit.analysis.whatif.record import Regime, Sensitivity
from toolkit.analysis.whatif.region import region_of

__all__ = ["sensitivity"]

OF_NO = ("value.true_negative", "value.false_negative")


def sensitivity(book: Book, inputs: Inputs, *, deep: Sequence[str], plain: Sequence[str]) -> Sensitivity:
    """Return what would change the verdict of a book.

    Parameters
    ----------
    book : Book
        Of at least two tracks.
    inputs : Inputs
    deep, plain : sequence of str
        Tracks that are nets, and those that they are held against.
    """
    margin = inputs.economics.margin
    levers = levers_of(inputs, book)
    by_key = {lever.key: lever for lever in levers}
    today = book.stand(book.money)
    if today.best == NONE_PAYS:  # who says no without any track earns what outcomes of no are worth, too
        levers = [one for one in levers if not (one.key in OF_NO and one.now.likely == 0)]
    stays = stay_ask(today.best, margin)
    nets, others = ([track for track in some if track in today.net] for some in (deep, plain))
    pays = deep_ask(nets, others, margin) if nets and others else None
    return Sensitivity(
        best=today.best,
        assumptions=most_fragile_first([assumption(lever, book, stays, leads) for lever in levers]),
        volume=_answers(by_key[VOLUME], book, stays),
        hit=_answers(by_key[HIT], book, stays),
        deep=None if pays is None else pays(today),
        deep_volume=None if pays is None else assumption(by_key[VOLUME], book, pays, pays),
        deep_hit=None if pays is None else assumption(by_key[HIT], book, pays, pays),
        region=region_of(book, by_key[VOLUME], by_key[HIT], margin, today.best),
        deep_by_volume=_answers(by_key[VOLUME], book, pays),
        deep_by_hit=_answers(by_key[HIT], book, pays),
    )


def _answers(lever: Lever, book: Book, ask: Ask | None) -> tuple[Regime, ...]:
    return () if ask is None or lever.now.likely <= 0 else answers(lever, book, ask)
