"""Drawing of quality against the number of labels, with a place for none, and the labels that are saved."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

import plotly.graph_objects as go

from toolkit.analysis.results import Interval, LabelsSaved, Results, RungSummary
from toolkit.report import axes, formats
from toolkit.report.looks import INK, Look, looks, track_names

__all__ = ["quality_by_labels", "widest"]

ROOM_FOR_NONE = 4.0
"""No labels stand this factor left of the fewest."""


def quality_by_labels(results: Results, saved: Sequence[LabelsSaved], title: str) -> go.Figure:
    """Return the figure of one score.

    Parameters
    ----------
    results : Results
    saved : sequence of LabelsSaved
        Of that score.
    title : str
        Its name.
    """
    score = saved[0].score
    points = {
        track: [
            (summary, summary.scores[score])
            for summary in sorted(results.summaries, key=lambda entry: entry.rung)
            if summary.track == track and score in summary.scores
        ]
        for track in track_names(results)
    }
    climbed = {
        track: len({summary.n_train for summary, _ in own}) > 1 for track, own in points.items() if own
    }
    numbers = [summary.n_train for track in climbed if climbed[track] for summary, _ in points[track]]
    least = min((number for number in numbers if number > 0), default=1)
    known = looks(track_names(results))
    figure = axes.blank(430, "Labels (log scale, none at the left)", title)
    for track, climbs in climbed.items():
        own = points[track]
        if climbs:
            _add_ladder(figure, track, own, known[track], least)
        else:
            _add_level(figure, own[-1], known[track], (_place(0, least), float(max(numbers, default=1))))
    _add_gap(figure, saved, least)
    ticks = axes.log_ticks([float(number) for number in numbers if number > 0] or [1.0])
    places, texts = list(ticks["tickvals"]), list(ticks["ticktext"])
    if 0 in numbers:
        places, texts = [_place(0, least), *places], ["none", *texts]
    figure.update_xaxes(type="log", tickmode="array", tickvals=places, ticktext=texts, tickangle=0)
    return figure


def widest(saved: Sequence[LabelsSaved]) -> LabelsSaved | None:
    """Return what the gap is drawn for: the fewest labels whose equal is known and not below all rungs."""
    measured = [
        one for one in saved if math.isfinite(one.needed.estimate) and one.needed.estimate > one.labels
    ]
    return min(measured, key=lambda one: (one.labels, -one.needed.estimate), default=None)


def _place(labels: float, least: float) -> float:
    return labels if labels > 0 else least / ROOM_FOR_NONE


def _add_ladder(
    figure: go.Figure, track: str, own: Sequence[tuple[RungSummary, Interval]], look: Look, least: float
) -> None:
    own = sorted(own, key=lambda entry: entry[0].n_train)
    x = [_place(summary.n_train, least) for summary, _ in own]
    low = [value.low if math.isfinite(value.low) else value.estimate for _, value in own]
    high = [value.high if math.isfinite(value.high) else value.estimate for _, value in own]
    figure.add_trace(axes.band(x, low, high, look))
    figure.add_trace(
        go.Scatter(
            name=html.escape(track, quote=False),
            mode="lines+markers",
            x=x,
            y=[value.estimate for _, value in own],
            marker={
                "color": look.colour,
                "symbol": look.symbol,
                "size": 9,
                "line": {"color": INK, "width": 0.8},
            },
            line={"color": look.colour, "width": 1.8, "dash": look.dash},
            hovertext=[
                axes.hover(
                    (
                        f"{track}, {formats.count(summary.n_train)} labels",
                        formats.interval(value),
                        f"seeds: {summary.n_seeds}",
                    )
                )
                for summary, value in own
            ],
            hoverinfo="text",
        )
    )


def _add_level(
    figure: go.Figure, point: tuple[RungSummary, Interval], look: Look, span: tuple[float, float]
) -> None:
    """Draw a track that sees no labels as a level."""
    summary, value = point
    text = axes.hover((f"{summary.track}, no labels", formats.interval(value)))
    figure.add_trace(
        go.Scatter(
            name=html.escape(summary.track, quote=False),
            mode="lines",
            x=list(span),
            y=[value.estimate, value.estimate],
            line={"color": look.colour, "width": 1.8, "dash": look.dash},
            hovertext=[text, text],
            hoverinfo="text",
        )
    )


def _add_gap(figure: go.Figure, saved: Sequence[LabelsSaved], least: float) -> None:
    """Draw the horizontal gap between the hybrid and the track that needs more labels to equal it."""
    one = widest(saved)
    if one is None:
        return
    left, right = _place(one.labels, least), one.needed.estimate
    level = one.quality.estimate
    text = f"{formats.count(round(right))} labels of {one.against} = {formats.count(one.labels)}"
    figure.add_trace(
        go.Scatter(
            name="labels saved",
            mode="lines+markers",
            x=[left, right],
            y=[level, level],
            marker={"symbol": "line-ns-open", "size": 13, "color": INK, "line": {"width": 1.6}},
            line={"color": INK, "width": 1.2, "dash": "dot"},
            hovertext=[axes.hover((text,))] * 2,
            hoverinfo="text",
        )
    )
