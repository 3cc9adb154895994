"""Tracks against one another on the same test rows: differences with intervals, ties called ties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from markupsafe import Markup

from toolkit.analysis.results import Pair, Results
from toolkit.report import elements, figures, formats
from toolkit.report.base import NotApplicable, Section
from toolkit.report.elements import Column
from toolkit.report.looks import PAPER, looks, track_names
from toolkit.report.ranking_tables import ranking_table
from toolkit.report.score_names import score_name

__all__ = ["ComparisonSection"]


class ComparisonSection(Section):
    """One figure a score, one line a pair, and who ranks where."""

    order: ClassVar[int] = 40
    title: ClassVar[str] = "Which differences are real"

    def render(self, results: Results) -> Markup:
        """Return the differences; not applicable with fewer than two tracks."""
        if not results.pairs:
            raise NotApplicable("Fewer than two tracks have finished cells, so there is no pair to compare.")
        known = track_names(results)
        scores = list(dict.fromkeys(pair.score for pair in results.pairs))
        return elements.join(
            elements.paragraph(
                "Every pair is compared on the same test rows, seeds crossed with clusters. A difference "
                "counts only when it is beyond the margin and significant among all pairs; otherwise it is a "
                "tie, or the data cannot tell. The rankings take all tracks at once: a group holds what is "
                "not shown to be worse than its first, and the regret of a track is how far it falls short "
                "of the best one.",
                quiet=True,
            ),
            *(
                part
                for score in scores
                for part in (
                    _figure(results, score, [pair for pair in results.pairs if pair.score == score]),
                    ranking_table([one for one in results.ranking if one.score == score], known),
                )
            ),
        )


def _told(pair: Pair) -> Markup:
    if pair.verdict == "tie":
        return elements.badge("tie", "open")
    if pair.verdict == "unclear":
        return elements.badge("cannot tell", "plain")
    winner = pair.first if pair.verdict == "better" else pair.second
    return elements.badge(f"{winner} is better", "good")


def _told_text(pair: Pair) -> str:
    return str(_told(pair).striptags())


def _figure(results: Results, score: str, pairs: Sequence[Pair]) -> Markup:
    known = looks(track_names(results))
    name = score_name(score)
    better = "left" if score.startswith("error_") else "right"
    margin = next((pair.margin for pair in pairs if pair.margin is not None), None)
    rows = []
    for pair in pairs:
        look = known[pair.second if pair.verdict == "worse" else pair.first]
        if pair.verdict in ("tie", "unclear"):
            look = replace(look, colour=PAPER, symbol="circle")
        rows.append(
            figures.Bar(
                name=f"{pair.first} − {pair.second}",
                value=pair.difference,
                text=_told_text(pair),
                facts=(
                    f"{pair.first} − {pair.second}",
                    f"difference in {name}: {formats.interval(pair.difference)}",
                    *([f"p after Holm: {formats.number(pair.p_holm, 2)}"] if pair.p_holm is not None else []),
                    _told_text(pair),
                ),
                look=look,
            )
        )
    table = elements.table(
        f"Differences in {name}",
        [
            Column("First − second"),
            Column("Difference", numeric=True, note="95 % interval"),
            Column("p", numeric=True, note="after Holm"),
            Column("Result"),
        ],
        [
            [
                row.name,
                elements.estimate(pair.difference),
                "" if pair.p_holm is None else formats.number(pair.p_holm, 2),
                _told(pair),
            ]
            for row, pair in zip(rows, pairs, strict=True)
        ],
    )
    told = "; ".join(f"{pair.first} and {pair.second}: {_told_text(pair)}" for pair in pairs)
    band = f" The band is the margin of ±{formats.plain(margin)} that counts as a tie." if margin else ""
    return figures.embed(
        figures.whiskers(rows, f"Difference in {name}<br>{better} of 0: the first is better", margin),
        name=f"pairs-{score}",
        title=f"Differences in {name}",
        description="Points are mean differences, whiskers 95 % intervals; open rings are ties or cannot be "
        f"told.{band} Results: {told}.",
        table=table,
    )
