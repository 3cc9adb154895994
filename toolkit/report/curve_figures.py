"""Drawing of error against cost: measured rungs, fits that were not refused, the front."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from toolkit.analysis.front import training_cpu_seconds
from toolkit.analysis.results import Curve, Interval, Results, RungSummary
from toolkit.report import axes, formats
from toolkit.report.curve_axes import CostAxis, ErrorAxis
from toolkit.report.looks import INK, Look, looks, track_names

__all__ = ["FITS", "error_against_cost", "rule_steps"]

FITS = "fits with 95 % bands"
"""Name of all fitted lines in the legend."""


def error_against_cost(results: Results, error: ErrorAxis, cost: CostAxis) -> go.Figure | None:
    """Return the figure, or None when no rung has both numbers."""
    measured = [
        (summary, x, y)
        for summary in results.summaries
        if (x := cost.read(summary)) is not None and (y := error.read(summary)) is not None
    ]
    positive = [x for _, x, _ in measured if x > 0]
    if not positive:
        return None
    logarithmic = axes.log_axis(positive)
    figure = axes.blank(430, _scaled(cost.title, logarithmic), "")
    known = looks(track_names(results))
    right = max(positive)
    for track in known:
        points = [entry for entry in measured if entry[0].track == track]
        if not points:
            continue
        if track == "baseline" or all(summary.n_train == 0 for summary, _, _ in points):
            start = min(positive) if logarithmic else 0.0
            _add_level(figure, points[-1], known[track], (start, right))
        else:
            _add_points(figure, [entry for entry in points if entry[1] > 0], known[track])
            _add_fits(figure, results.curves, track, error, cost, known[track])
    if cost.name == "cpu" and error.key == results.task.get("primary_error", error.key):
        _ring_front(figure, measured)
    y_logarithmic = axes.log_axis([y.estimate for _, _, y in measured])
    if logarithmic:
        figure.update_xaxes(type="log", **axes.log_ticks(x for trace in figure.data for x in trace.x))
    if y_logarithmic:
        figure.update_yaxes(type="log", **axes.log_ticks(y.estimate for _, _, y in measured))
    figure.update_yaxes(title_text=_scaled(error.title, y_logarithmic))
    return figure


def _scaled(title: str, logarithmic: bool) -> str:
    return f"{title} (log scale)" if logarithmic else title


def facts(summary: RungSummary, y: Interval, axis: str) -> tuple[str, ...]:
    """Return all that a hover box says of one rung."""
    seconds = training_cpu_seconds(summary)
    return (
        f"{summary.track}, rung {summary.rung}",
        f"{axis}: {formats.interval(y)}",
        f"training rows: {formats.count(summary.n_train)}",
        *([f"rules: {formats.count(summary.n_rules)}"] if summary.n_rules is not None else []),
        f"training CPU time: {formats.seconds(seconds)}",
        f"seeds: {summary.n_seeds}",
        *(["on the front"] if summary.on_front else []),
    )


def _marker(look: Look, size: int = 9) -> dict[str, Any]:
    return {"color": look.colour, "symbol": look.symbol, "size": size, "line": {"color": INK, "width": 0.8}}


def _add_points(figure: go.Figure, points: Sequence[tuple[RungSummary, float, Interval]], look: Look) -> None:
    if not points:
        return
    points = sorted(points, key=lambda entry: entry[1])
    track = html.escape(points[0][0].track, quote=False)
    figure.add_trace(
        go.Scatter(
            name=track,
            mode="lines+markers",
            x=[x for _, x, _ in points],
            y=[y.estimate for _, _, y in points],
            error_y=axes.errors([y for _, _, y in points], look.colour),
            marker=_marker(look),
            line={"color": look.colour, "width": 1.8, "dash": look.dash},
            hovertext=[axes.hover(facts(summary, y, "error")) for summary, _, y in points],
            hoverinfo="text",
        )
    )


def _add_level(
    figure: go.Figure,
    point: tuple[RungSummary, float, Interval],
    look: Look,
    span: tuple[float, float],
) -> None:
    """Draw a track that more data does not change as a level, marked at its own cost if it has one."""
    summary, x, y = point
    rules = f" ({formats.count(summary.n_rules)} rules)" if summary.n_rules else ""
    name = html.escape(f"{summary.track}{rules}", quote=False)
    start = x if x > 0 else span[0]
    text = axes.hover(facts(summary, y, "error"))
    figure.add_trace(
        go.Scatter(
            name=name,
            mode="lines+markers",
            x=[start, span[1]],
            y=[y.estimate, y.estimate],
            marker={**_marker(look), "size": [9 if x > 0 else 0, 0]},
            line={"color": look.colour, "width": 1.8, "dash": look.dash},
            hovertext=[text, text],
            hoverinfo="text",
        )
    )


def _add_fits(
    figure: go.Figure, curves: Sequence[Curve], track: str, error: ErrorAxis, cost: CostAxis, look: Look
) -> None:
    """Add the fit with its band; a refused fit is not drawn."""
    for curve in curves:
        wanted = curve.track == track and error.fitted(curve.error) and cost.fitted(curve.cost)
        if not wanted or curve.refusals or not curve.grid_cost:
            continue
        points = zip(curve.grid_cost, curve.grid_low, curve.grid_high, strict=True)
        told = [point for point in points if math.isfinite(point[1]) and math.isfinite(point[2])]
        x, low, high = ([point[i] for point in told] for i in range(3))
        figure.add_trace(axes.band(x, low, high, look.colour))
        figure.add_trace(
            go.Scatter(
                name=FITS,
                showlegend=not any(trace.name == FITS for trace in figure.data),
                x=list(curve.grid_cost),
                y=list(curve.grid_error),
                mode="lines",
                line={"color": INK, "width": 1.2, "dash": "dash"},
                hovertext=axes.hover((track, f"fit: {curve.form}")),
                hoverinfo="text",
            )
        )


def _ring_front(figure: go.Figure, measured: Sequence[tuple[RungSummary, float, Interval]]) -> None:
    front = [(x, y.estimate) for summary, x, y in measured if summary.on_front and x > 0]
    if front:
        figure.add_trace(
            go.Scatter(
                name="front: nothing is cheaper and better",
                mode="markers",
                x=[x for x, _ in front],
                y=[y for _, y in front],
                marker={"symbol": "circle-open", "size": 17, "color": INK, "line": {"width": 1.3}},
                hoverinfo="skip",
            )
        )


def rule_steps(results: Results, error: ErrorAxis) -> go.Figure | None:
    """Return the error of rule tracks by number of rules as a step line, or None when there is none."""
    known = looks(track_names(results))
    figure = axes.blank(360, "Number of rules, in the order written", error.title)
    for track in known:
        points = [
            (summary, y)
            for summary in sorted(results.summaries, key=lambda entry: entry.rung)
            if summary.track == track and summary.n_rules is not None and summary.n_train == 0
            if (y := error.read(summary)) is not None
        ]
        if len(points) < 2:
            continue
        figure.add_trace(
            go.Scatter(
                name=html.escape(track, quote=False),
                mode="lines+markers",
                x=[summary.n_rules for summary, _ in points],
                y=[y.estimate for _, y in points],
                error_y=axes.errors([y for _, y in points], known[track].colour),
                marker=_marker(known[track]),
                line={"color": known[track].colour, "width": 1.8, "shape": "hv"},
                hovertext=[axes.hover(facts(summary, y, "error")) for summary, y in points],
                hoverinfo="text",
            )
        )
    if not figure.data:
        return None
    figure.update_layout(showlegend=True)
    return figure
