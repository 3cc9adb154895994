"""Drawing of forecasts held against what was measured: one line a rung, the measured value at zero."""

from __future__ import annotations

import html
from collections.abc import Sequence

import plotly.graph_objects as go

from toolkit.analysis.forecast_record import RungForecast
from toolkit.analysis.results import Interval, Results
from toolkit.report import axes, formats
from toolkit.report.looks import INK, Look, looks, track_names

__all__ = ["axis_words", "forecasts_against_measured", "missed_by"]

_LINE = 26
"""Pixels of one rung."""


def axis_words(cost: str) -> str:
    """Return what a cost axis counts."""
    return "rows" if cost == "n_train" else "CPU-seconds"


def missed_by(one: RungForecast) -> Interval:
    """Return the forecast in per cent above or below what was measured."""
    ends = (one.predicted.estimate, one.predicted.low, one.predicted.high)
    return Interval(*(100 * (end / one.observed - 1) for end in ends))


def _name(one: RungForecast) -> str:
    unit = "rows" if one.cost == "n_train" else "CPU-s"
    return f"{formats.number(one.spent)} {unit} ({formats.number(one.times, 2)} ×)"


def forecasts_against_measured(results: Results, forecasts: Sequence[RungForecast]) -> go.Figure:
    """Return the figure of one error.

    Markers are filled where the interval holds what was measured, and open where it does not: the two are
    told apart in black and white.

    Parameters
    ----------
    results : Results
    forecasts : sequence of RungForecast
        At least one; those of a track one after the other.
    """
    tracks = list(dict.fromkeys(one.track for one in forecasts))
    # A line each, and a gap between tracks.
    places = [-float(place + tracks.index(one.track)) for place, one in enumerate(forecasts)]
    figure = axes.blank(110 + _LINE * (len(forecasts) + len(tracks)), "% off what was measured")
    known = looks(track_names(results))
    for track in tracks:
        own = [(place, one) for place, one in zip(places, forecasts, strict=True) if one.track == track]
        look = known[track]
        figure.add_trace(_legend(track, look))
        figure.add_trace(
            go.Scatter(
                mode="markers",
                showlegend=False,
                x=[missed_by(one).estimate for _, one in own],
                y=[place for place, _ in own],
                error_x=axes.errors([missed_by(one) for _, one in own], look.colour),
                marker={
                    "color": look.colour,
                    "symbol": [look.symbol + ("" if one.inside else "-open") for _, one in own],
                    "size": 10,
                    "line": {"color": [INK if one.inside else look.colour for _, one in own], "width": 1.4},
                },
                hovertext=[axes.hover(_facts(one)) for _, one in own],
                hoverinfo="text",
            )
        )
    figure.update_layout(showlegend=True)
    figure.update_xaxes(zeroline=True, nticks=6, tickangle=0)
    figure.update_yaxes(
        tickmode="array",
        tickvals=places,
        ticktext=[_name(one) for one in forecasts],
        showgrid=False,
        ticks="",
        ticklabelstandoff=8,
    )
    return figure


def _legend(track: str, look: Look) -> go.Scatter:
    """Return the entry of a track: filled, whether its first forecast held or not."""
    return go.Scatter(
        name=html.escape(track, quote=False),
        mode="markers",
        x=[None],
        y=[None],
        marker={
            "color": look.colour,
            "symbol": look.symbol,
            "size": 10,
            "line": {"color": INK, "width": 1.4},
        },
    )


def _facts(one: RungForecast) -> tuple[str, ...]:
    return (
        f"{one.track}, {_name(one)}",
        f"forecast: {formats.interval(one.predicted)}",
        f"measured: {formats.number(one.observed, 4)}, {'inside' if one.inside else 'outside'}",
        f"log-log line: {formats.number(one.loglog, 4)}",
        f"no further change: {formats.number(one.unchanged, 4)}",
    )
