"""Labels saved by expert knowledge: what others need to be as good as the hybrid is with few labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from markupsafe import Markup

from toolkit.analysis.results import LabelsSaved, Results, Statement
from toolkit.report import elements, figures, formats
from toolkit.report.base import NotApplicable, Section
from toolkit.report.elements import Column
from toolkit.report.label_figures import quality_by_labels, widest

__all__ = ["LabelsSavedSection"]

_NAMES = {
    "error_log_loss": "log loss",
    "error_brier": "Brier score",
    "score_average_precision": "PR-AUC",
    "score_roc_auc": "ROC-AUC",
}


class LabelsSavedSection(Section):
    """What was to be shown of the hybrid, and one figure and table a score."""

    order: ClassVar[int] = 35
    title: ClassVar[str] = "Labels saved by expert knowledge"

    def render(self, results: Results) -> Markup:
        """Return figures and tables; not applicable unless the ladder counts labels and there is a hybrid."""
        if not results.labels_saved:
            raise NotApplicable(
                "The ladder does not count labels, or no hybrid and no other learning track has finished "
                "cells on it: see docs/few-labels.md."
            )
        scores = list(dict.fromkeys(one.score for one in results.labels_saved))
        return elements.join(
            _statements(results.statements),
            *(
                _figure(results, [one for one in results.labels_saved if one.score == score])
                for score in scores
            ),
        )


def _statements(statements: Sequence[Statement]) -> Markup:
    if not statements:
        return Markup("")
    looks = {True: ("holds", "good"), False: ("does not hold", "bad"), None: ("cannot tell", "plain")}
    return elements.table(
        "What the ladder was to show",
        [Column("Finding"), Column("Result"), Column("Difference", numeric=True, note="95 % interval")],
        [
            [
                formats.sentence(one.sentence),
                elements.badge(*looks[one.holds]),
                "" if one.difference is None else elements.estimate(one.difference),
            ]
            for one in statements
        ],
    )


def _figure(results: Results, saved: Sequence[LabelsSaved]) -> Markup:
    score = saved[0].score
    title = _NAMES.get(score, formats.words(score.removeprefix("error_").removeprefix("score_")))
    others = list(dict.fromkeys(one.against for one in saved))
    by_labels: dict[int, dict[str, LabelsSaved]] = {}
    for one in saved:
        by_labels.setdefault(one.labels, {})[one.against] = one
    table = elements.table(
        f"Labels that reach the {title} of {saved[0].track}",
        [
            Column("Labels of the hybrid", numeric=True),
            Column(f"{title[:1].upper()}{title[1:]} of {saved[0].track}", numeric=True, note="95 % interval"),
            *(Column(f"Labels of {other}", numeric=True, note="95 % interval") for other in others),
        ],
        [
            [
                formats.count(labels),
                elements.estimate(next(iter(row.values())).quality),
                *(_needed(row[other]) if other in row else "" for other in others),
            ]
            for labels, row in sorted(by_labels.items())
        ],
    )
    gap = widest(saved)
    drawn = (
        f" The dotted line: {gap.track} with {_count(gap.labels)} is as good as {gap.against} with "
        f"{_count(round(gap.needed.estimate))}."
        if gap is not None
        else ""
    )
    return figures.embed(
        quality_by_labels(results, saved, title),
        name=f"labels-{score}",
        title=f"{title[:1].upper()}{title[1:]} by number of labels",
        description="Lines are means over seeds, bands 95 % intervals over seeds and clusters; the "
        f"horizontal distance between lines is what knowledge saves.{drawn}",
        table=table,
    )


def _count(labels: int) -> str:
    return "no labels" if labels == 0 else f"{formats.count(labels)} labels"


def _needed(one: LabelsSaved) -> Markup:
    needed = one.needed
    main = _end(needed.estimate, one)
    ends = f"[{_end(needed.low, one)}, {_end(needed.high, one)}]"
    return elements.fragment("estimate", main=main, ends=ends if ends != f"[{main}, {main}]" else "")


def _end(labels: float, one: LabelsSaved) -> str:
    """Return a number of labels in words; what lies outside the other's ladder is a bound."""
    if math.isinf(labels):
        return f"more than {formats.count(one.most)}"
    if labels <= one.fewest:
        return f"at most {formats.count(one.fewest)}"
    # three digits: the interval is far wider
    return formats.count(float(f"{labels:.3g}"))
