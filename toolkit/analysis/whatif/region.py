"""The map: which track to use, by volume and by the value of a hit.

As everywhere in this package, the track of today is held on to until another is ahead by over the margin.
"""

from __future__ import annotations

import numpy as np

from toolkit.analysis.whatif.book import Book
from toolkit.analysis.whatif.flips import stay_ask
from toolkit.analysis.whatif.levers import Lever
from toolkit.analysis.whatif.record import Region

__all__ = ["region_of"]

_VOLUMES, _HITS = 49, 33
_VOLUME_DECADES, _HIT_DECADES = (-4.0, 2.0), (-1.0, 1.0)
"""Below and above what was declared."""


def region_of(book: Book, volume: Lever, hit: Lever, margin: float | None, held: str) -> Region | None:
    """Return the map around what was declared; None where there are no decisions, or a hit earns nothing.

    Parameters
    ----------
    book : Book
    volume, hit : Lever
    margin : float or None
        Money a year that counts as a tie.
    held : str
        The track of today, which stays where it is within the margin of the best; empty for none.
    """
    if volume.now.likely <= 0 or hit.now.likely <= 0:
        return None
    volumes = (volume.now.likely * np.logspace(*_VOLUME_DECADES, _VOLUMES)).tolist()
    hits = (hit.now.likely * np.logspace(*_HIT_DECADES, _HITS)).tolist()
    # what a rung costs does not hang on what a hit is worth
    costs = [book.costs(volume.at(book.money, one)) for one in volumes]
    stays = stay_ask(held, margin)
    best, tie = [], []
    for value in hits:
        worth = hit.at(book.money, value)
        row = [book.stand(volume.at(worth, one), spent) for one, spent in zip(volumes, costs, strict=True)]
        used = tuple(stays(standing) for standing in row)
        best.append(used)
        tie.append(
            tuple(
                track != one.best or _close(sorted(one.net.values()), one.margin(margin))
                for track, one in zip(used, row, strict=True)
            )
        )
    return Region(tuple(volumes), tuple(hits), tuple(best), tuple(tie))


def _close(nets: list[float], margin: float) -> bool:
    return len(nets) > 1 and nets[-1] - nets[-2] <= margin
