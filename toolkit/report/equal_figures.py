"""Drawing of what the same error takes: one row a target, one marker a track."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

import plotly.graph_objects as go

from toolkit.analysis.results import EqualError, Interval, Results
from toolkit.report import axes, formats
from toolkit.report.equal_words import RANGES, needed_text, target_digits
from toolkit.report.looks import GRID, Look, looks, track_names

__all__ = ["equal_figure"]

_OPEN = ("at_most", "at_least", "not_shown", "forecast")
_SPREAD = 0.7
"""Of the distance between two rows, what the markers of one row take."""


def equal_figure(results: Results, asked: Sequence[EqualError]) -> go.Figure | None:
    """Return the figure of one error, None where no amount is known.

    Parameters
    ----------
    results : Results
    asked : sequence of EqualError
        Of one error.
    """
    targets = list(dict.fromkeys((one.target, one.of) for one in asked))
    tracks = [track for track in track_names(results) if any(one.track == track for one in asked)]
    shown = [one for one in asked if _place(one) is not None]
    ends = [
        end
        for one in shown
        for end in (_place(one), _whisker(one).low)
        if end is not None and math.isfinite(end) and end > 0
    ]
    if not ends:
        return None
    span = (min(ends) / 1.5, max([*ends, *_highs(shown)]) * 1.5)
    figure = axes.blank(110 + 15 * len(targets) * max(len(tracks), 3), "Training CPU-seconds (log scale)")
    known, digits = looks(tracks), target_digits(asked)
    for number, track in enumerate(tracks):
        shift = _SPREAD * ((number + 0.5) / len(tracks) - 0.5)
        own = [one for one in shown if one.track == track]
        if own:
            _add_track(
                figure, own, [targets.index((one.target, one.of)) + shift for one in own], known[track], span
            )
    figure.update_xaxes(type="log", tickangle=0, **axes.log_ticks(span))
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(targets))),
        ticktext=[
            html.escape(f"{formats.number(target, digits)} ({of})", quote=False) for target, of in targets
        ],
        range=[len(targets) - 0.5, -0.5],
        showgrid=False,
        ticks="",
        ticklabelstandoff=8,
    )
    _add_separators(figure, len(targets), span)
    figure.update_layout(showlegend=True)
    return figure


def _add_separators(figure: go.Figure, n_targets: int, span: tuple[float, float]) -> None:
    """Add a fine line between targets."""
    between = [number - 0.5 for number in range(1, n_targets)]
    figure.add_trace(
        go.Scatter(
            name="between targets",
            showlegend=False,
            mode="lines",
            x=[end for _ in between for end in (*span, None)],
            y=[end for height in between for end in (height, height, None)],
            line={"color": GRID, "width": 1, "dash": "solid"},
            hoverinfo="skip",
        )
    )


def _place(one: EqualError) -> float | None:
    """Return where the marker stands: the estimate, or the bound that the words tell."""
    if one.cpu_seconds is None:
        return None
    if one.reach == "at_most":
        return one.cpu_seconds.high
    at = one.cpu_seconds.estimate
    return at if math.isfinite(at) else one.cpu_seconds.low


def _whisker(one: EqualError) -> Interval:
    """Return the marker with its interval; a bound has nothing on its far side."""
    at, known = _place(one) or 0.0, one.cpu_seconds
    if known is None:
        return Interval(at, at, at)
    return Interval(at, 0.0 if one.reach == "at_most" else min(known.low, at), max(known.high, at))


def _highs(shown: Sequence[EqualError]) -> list[float]:
    return [one.cpu_seconds.high for one in shown if one.cpu_seconds and math.isfinite(one.cpu_seconds.high)]


def _add_track(
    figure: go.Figure, own: Sequence[EqualError], rows: Sequence[float], look: Look, span: tuple[float, float]
) -> None:
    """Add one track; a whisker without an end runs to the edge of the figure, with an arrow there."""
    whiskers = [_whisker(one) for one in own]
    values = [
        Interval(max(one.estimate, span[0]), max(one.low, span[0]), min(one.high, span[1]))
        for one in whiskers
    ]
    name = html.escape(own[0].track, quote=False)
    figure.add_trace(axes.legend_entry(name, look.colour, look.symbol))
    figure.add_trace(
        go.Scatter(
            name=name,
            legendgroup=name,
            showlegend=False,
            mode="markers",
            x=[value.estimate for value in values],
            y=list(rows),
            error_x=axes.errors(values, look.colour),
            marker={
                "color": look.colour,
                "symbol": [f"{look.symbol}-open" if one.reach in _OPEN else look.symbol for one in own],
                "size": 10,
                "line": {"color": look.colour, "width": 1.5},
            },
            hovertext=[
                axes.hover((f"{formats.number(one.target, 4)}: {needed_text(one)}", RANGES[one.reach]))
                for one in own
            ],
            hoverinfo="text",
        )
    )
    arrows = [
        (end, row, symbol)
        for one, row in zip(whiskers, rows, strict=True)
        for end, symbol, open_end in (
            (span[0], "triangle-left", one.low < span[0]),
            (span[1], "triangle-right", math.isinf(one.high)),
        )
        if open_end
    ]
    if arrows:
        x, y, symbols = zip(*arrows, strict=True)
        figure.add_trace(
            go.Scatter(
                name=f"{name}, no end",
                legendgroup=name,
                showlegend=False,
                mode="markers",
                x=x,
                y=y,
                marker={"color": look.colour, "symbol": symbols, "size": 8, "line": {"width": 0}},
                hoverinfo="skip",
            )
        )
