"""The map: which track is expected to earn most, by volume and by the value of a hit."""

from __future__ import annotations

import numpy as np

from toolkit.analysis.whatif.book import Book
from toolkit.analysis.whatif.levers import Lever
from toolkit.analysis.whatif.record import Region

__all__ = ["region_of"]

_VOLUMES, _HITS = 49, 33
_VOLUME_DECADES, _HIT_DECADES = (-4.0, 2.0), (-1.0, 1.0)
"""Below and above what was declared."""


def region_of(book: Book, volume: Lever, hit: Lever, margin: float | None) -> Region | None:
    """Return the map around what was declared; None where there are no decisions, or a hit earns nothing.

    Parameters
    ----------
    book : Book
    volume, hit : Lever
    margin : float or None
        Money a year that counts as a tie.
    """
    if volume.now.likely <= 0 or hit.now.likely <= 0:
        return None
    volumes = (volume.now.likely * np.logspace(*_VOLUME_DECADES, _VOLUMES)).tolist()
    hits = (hit.now.likely * np.logspace(*_HIT_DECADES, _HITS)).tolist()
    # what a rung costs does not hang on what a hit is worth
    costs = [book.costs(volume.at(book.money, one)) for one in volumes]
    best, tie = [], []
    for value in hits:
        worth = hit.at(book.money, value)
        row = [book.stand(volume.at(worth, one), spent) for one, spent in zip(volumes, costs, strict=True)]
        best.append(tuple(standing.best for standing in row))
        tie.append(tuple(_close(sorted(one.net.values()), one.margin(margin)) for one in row))
    return Region(tuple(volumes), tuple(hits), tuple(best), tuple(tie))


def _close(nets: list[float], margin: float) -> bool:
    return len(nets) > 1 and nets[-1] - nets[-2] <= margin
