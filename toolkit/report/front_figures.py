"""Drawing of the front: every rung, marked by the probability that nothing beats it."""

from __future__ import annotations

import html
from collections.abc import Sequence

import plotly.graph_objects as go

from toolkit.analysis.results import Front, Results
from toolkit.report import axes, formats
from toolkit.report.looks import INK, Look, looks, track_names
from toolkit.report.score_names import score_name

__all__ = ["LIKELY", "UNLIKELY", "front_figure"]

LIKELY = 0.5
UNLIKELY = 0.05

Place = tuple[float, float, float, str]
"""Cost, error, probability and the text of the hover box."""


def front_figure(results: Results, front: Front) -> go.Figure:
    """Return the figure of one error.

    Parameters
    ----------
    results : Results
    front : Front
    """
    errors = _errors(results, front.error)
    known = looks(track_names(results))
    places: dict[str, list[Place]] = {}
    for point in front.points:
        error = errors.get((point.track, point.rung))
        if error is not None:
            text = axes.hover(
                (
                    f"{point.track}, rung {point.rung}",
                    f"{score_name(front.error)}: {formats.number(error, 4)}",
                    f"training CPU time: {formats.seconds(point.cpu_seconds)}",
                    f"on the front with probability {formats.probability(point.probability)}",
                )
            )
            places.setdefault(point.track, []).append((point.cpu_seconds, error, point.probability, text))
    every = [place for own in places.values() for place in own]
    costs = [cost for cost, _, _, _ in every]
    logarithmic = axes.log_axis(costs)
    scale = " (log scale)" if logarithmic else ""
    title = score_name(front.error)
    figure = axes.blank(
        430, f"Training CPU-seconds, search and fit{scale}", f"{title[:1].upper()}{title[1:]}"
    )
    _add_steps(figure, every)
    for track in (name for name in known if name in places):
        _add_track(figure, track, places[track], known[track])
    if logarithmic:
        figure.update_xaxes(type="log", **axes.log_ticks(costs))
    low, high = min(error for _, error, _, _ in every), max(error for _, error, _, _ in every)
    if low < high:
        # Ticks that Plotly chooses hang on the height, it on the lines of the legend, these on the width that
        # the ticks leave: on a phone that went round in circles.
        figure.update_yaxes(**axes.even_ticks(low, high))
    figure.update_layout(showlegend=True)
    return figure


def _errors(results: Results, error: str) -> dict[tuple[str, int], float]:
    """Return the error of each rung."""
    score = error.replace("error_one_minus_", "score_")
    return {
        (one.track, one.rung): one.scores[score].estimate
        if score == error
        else 1 - one.scores[score].estimate
        for one in results.summaries
        if score in one.scores
    }


def _add_track(figure: go.Figure, track: str, places: Sequence[Place], look: Look) -> None:
    """Add a track's rungs: filled, open or small by their probability, with one entry in the legend."""
    symbols, sizes = [], []
    for _, _, probability, _ in places:
        symbols.append(look.symbol if probability >= LIKELY else f"{look.symbol}-open")
        sizes.append(10 if probability >= UNLIKELY else 4)
    name = html.escape(track, quote=False)
    figure.add_trace(axes.legend_entry(name, look.colour, look.symbol))
    figure.add_trace(
        go.Scatter(
            name=name,
            legendgroup=name,
            showlegend=False,
            mode="markers",
            x=[cost for cost, _, _, _ in places],
            y=[error for _, error, _, _ in places],
            marker={
                "color": look.colour,
                "symbol": symbols,
                "size": sizes,
                "line": {"color": look.colour, "width": 1.2},
            },
            hovertext=[text for _, _, _, text in places],
            hoverinfo="text",
        )
    )


def _add_steps(figure: go.Figure, places: Sequence[Place]) -> None:
    """Add the front of the estimates as steps."""
    steps: list[Place] = []
    for place in sorted(places):
        if not steps or place[1] < steps[-1][1]:
            steps.append(place)
    figure.add_trace(
        go.Scatter(
            name="front of the estimates",
            mode="lines",
            x=[cost for cost, _, _, _ in steps],
            y=[error for _, error, _, _ in steps],
            line={"color": INK, "width": 1.2, "dash": "dot", "shape": "hv"},
            hoverinfo="skip",
        )
    )
