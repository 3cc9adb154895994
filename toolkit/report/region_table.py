"""The map of volume and value of a hit as a table: every sixth row and column of it."""

from __future__ import annotations

from markupsafe import Markup

from toolkit.analysis.whatif.record import Region
from toolkit.analysis.whatif.words import amount
from toolkit.report import elements, formats
from toolkit.report.elements import Column

__all__ = ["region_table"]

_EVERY = 6


def region_table(region: Region, currency: str) -> Markup:
    """Return which track is expected to earn most, a row a value of a hit and a column a volume.

    Parameters
    ----------
    region : Region
    currency : str
        Of the value of a hit.
    """
    rows, columns = (range(0, len(values), _EVERY) for values in (region.hits, region.volumes))
    return elements.table(
        "Track to use, as declared; (tie): another is within the margin",
        [
            Column("A hit is worth"),
            *(Column(amount(region.volumes[column]), note="decisions a year") for column in columns),
        ],
        [
            [
                formats.money(region.hits[row], currency),
                *(_cell(region.best[row][column], tie=region.tie[row][column]) for column in columns),
            ]
            for row in rows
        ],
    )


def _cell(best: str, *, tie: bool) -> str:
    if not best:
        return "none pays"
    return f"{best} (tie)" if tie else best
