"""What every track needs for the same error: CPU time, money, energy, carbon, hours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from markupsafe import Markup

from toolkit.analysis.results import EqualError, Results
from toolkit.report import elements, figures, formats, spans
from toolkit.report.base import NotApplicable, Section
from toolkit.report.elements import Column
from toolkit.report.equal_figures import equal_figure
from toolkit.report.equal_words import (
    RANGES,
    cpu_seconds,
    declared_hours,
    needed,
    needed_energy,
    needed_sentence,
    target_digits,
)
from toolkit.report.looks import label, track_names
from toolkit.report.score_names import score_name

__all__ = ["EqualErrorSection"]


class EqualErrorSection(Section):
    """Sentences, a figure and a table an error."""

    order: ClassVar[int] = 45
    title: ClassVar[str] = "What the same error takes"

    def render(self, results: Results) -> Markup:
        """Return what the same error takes; not applicable with fewer than two tracks."""
        errors = list(dict.fromkeys(one.error for one in results.equal_errors))
        if len({one.track for one in results.equal_errors}) < 2:
            raise NotApplicable(
                "Fewer than two tracks have cells with a measured training cost and evidence of their error."
            )
        return elements.join(
            elements.paragraph(
                "The targets are the errors that the tracks reached at their largest rungs. Between "
                "measured rungs the cost is read off the fitted curve, or off the rungs where that does not "
                "fit; beyond them it is a forecast, up to ten times the largest cost and only where the "
                "curve allows one. Brackets are 95 % intervals, over test clusters, seeds and the spread of "
                "costs; bounds are their ends.",
                quiet=True,
            ),
            *(
                _error(results, error, [one for one in results.equal_errors if one.error == error])
                for error in errors
            ),
        )


def _error(results: Results, error: str, asked: Sequence[EqualError]) -> Markup:
    name = score_name(error)
    targets = list(dict.fromkeys((one.target, one.of) for one in asked))
    digits = target_digits(asked)
    sentences = [
        needed_sentence(name, [one for one in asked if (one.target, one.of) == target], digits)
        for target in targets
    ]
    figure = equal_figure(results, asked)
    table = _table(results, name, asked)
    if figure is None:
        return elements.join(elements.items(sentences), table)
    drawn = figures.embed(
        figure,
        name=f"equal-{error}",
        title=f"Training CPU-seconds for the same {name}",
        description="One row a target, named by the track that reached it. Filled markers lie within what "
        "was measured, open ones are forecasts or bounds. Whiskers are 95 % intervals; one that ends in an "
        "arrow has no end there. A track without a marker does not reach the target.",
        table=table,
    )
    return elements.join(elements.items(sentences), drawn)


def _table(results: Results, name: str, asked: Sequence[EqualError]) -> Markup:
    known = track_names(results)
    show, digits = formats.in_money(results.verdict.currency), target_digits(asked)
    return elements.table(
        f"What every track needs for the same {name}: one search and one fit",
        [
            Column("Target", note="reached by"),
            Column("Track"),
            Column("CPU-seconds", numeric=True, note="95 % interval"),
            Column("Basis"),
            Column("Money", numeric=True, note="idle share included"),
            Column("Energy", numeric=True, note="range"),
            Column("Carbon", numeric=True, note="range"),
            Column("People's hours", numeric=True, note="to build; declared range"),
            Column("Reached as measured", numeric=True, note="probability"),
        ],
        [
            [
                f"{formats.number(one.target, digits)} ({one.of})",
                label(one.track, known),
                needed(one, one.cpu_seconds, cpu_seconds),
                RANGES[one.reach],
                needed(one, one.money, show, 3) if one.cpu_seconds else "",
                needed_energy(one, one.joules, spans.joules),
                needed_energy(one, one.kg_co2e, spans.carbon),
                declared_hours(one.hours),
                "" if one.probability is None else formats.probability(one.probability),
            ]
            for one in asked
        ],
    )
