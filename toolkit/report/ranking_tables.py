"""Tables of who ranks where: probability of being best, expected regret, groups of ties."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from toolkit.analysis.results import Ranked
from toolkit.report import elements, formats
from toolkit.report.elements import Column
from toolkit.report.looks import label
from toolkit.report.score_names import score_name

__all__ = ["ranking_table"]

_STANDINGS = {"leads": "first", "tie": "tie", "unclear": "cannot tell"}


def ranking_table(ranked: Sequence[Ranked], known: Sequence[str]) -> Markup:
    """Return the table of one score, or nothing without tracks.

    Parameters
    ----------
    ranked : sequence of Ranked
        Of one score, in their order.
    known : sequence of str
        Names of all tracks.
    """
    if not ranked:
        return Markup("")
    name, margin = score_name(ranked[0].score), formats.plain(ranked[0].margin)
    return elements.table(
        f"Ranking by {name}, each track at the rung that enters the verdict",
        [
            Column("Track"),
            Column("Group", numeric=True, note="1 is best"),
            Column(f"{name[:1].upper()}{name[1:]}", numeric=True),
            Column("Probability of being best", numeric=True),
            Column("Expected regret", numeric=True, note="95 % of draws"),
            Column("Within the margin of the best", numeric=True, note=f"probability, margin {margin}"),
            Column("In its group"),
        ],
        [
            [
                label(one.track, known),
                str(one.group),
                formats.number(one.estimate, 4),
                formats.probability(one.probability_best),
                elements.estimate(one.regret, _regret),
                formats.probability(one.probability_within_margin),
                elements.badge(_STANDINGS[one.standing], "open" if one.standing == "tie" else "plain"),
            ]
            for one in ranked
        ],
    )


def _regret(value: float, digits: int = 2) -> str:
    return formats.number(value, min(digits, 2))
