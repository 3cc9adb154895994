"""Drawing of error against cost: measured rungs, fits and forecasts, the front, and what theory says."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from typing import Any

import plotly.graph_objects as go

from toolkit.analysis.results import Results
from toolkit.report import axes, curve_points, formats
from toolkit.report.curve_axes import CostAxis, ErrorAxis
from toolkit.report.curve_lines import FittedLine, fitted_line, line_traces
from toolkit.report.curve_points import Picture, Point
from toolkit.report.line_labels import LineEnd, label
from toolkit.report.looks import INK, Look, looks, track_names
from toolkit.report.slopes import Slope, visible

__all__ = [
    "FITS",
    "FORECASTS",
    "FRONT",
    "GUIDES",
    "TRACK",
    "drawn_front",
    "drawn_rings",
    "drawn_slopes",
    "error_against_cost",
    "fits_of",
    "picture_of",
    "rule_steps",
]

FITS = "fit, 95 % band"
FORECASTS = "forecast"
GUIDES = "joined: no fit"
FRONT = "front"
DEPLOYED = "verdict's rung"
"""Names in the legend, short enough for two on a phone; tracks have their names at the ends of lines."""

TRACK = "track"
"""`meta` of traces that a legend has on a narrow page, where names do not fit beside the picture."""

_FAINT = "#8f979e"
_HEIGHT = 460


def picture_of(results: Results, error: ErrorAxis, cost: CostAxis) -> Picture | None:
    """Return what is drawn of one error against one cost, or None when no rung has both numbers."""
    points = curve_points.measured(results, error, cost)
    return curve_points.picture(points, track_names(results), fits_of(results, error, cost))


def error_against_cost(results: Results, error: ErrorAxis, cost: CostAxis, found: Picture) -> go.Figure:
    """Return the figure of a picture."""
    scaled = " (log scale)"
    layout = axes.frame(
        _HEIGHT,
        f"{cost.title}{scaled if found.x.logarithmic else ''}",
        f"{error.title}{scaled if found.y.logarithmic else ''}",
    )
    names = label(_ends(results, found), _HEIGHT)
    layout |= {
        "showlegend": True,
        "annotations": [*_slope_names(results, cost, found), *names["annotations"]],
        "shapes": names["shapes"],
        "margin": {**layout["margin"], "r": names["margin_right"]},
        "xaxis": {**layout["xaxis"], **found.x.layout()},
        "yaxis": {**layout["yaxis"], **found.y.layout()},
    }
    return go.Figure(data=list(_traces(results, error, cost, found)), layout=layout)


def fits_of(results: Results, error: ErrorAxis, cost: CostAxis) -> dict[str, FittedLine]:
    """Return the fits that are drawn on an axis, by track; those that were refused are not."""
    found = {}
    for curve in results.curves:
        wanted = cost.fitted and curve.cost == cost.fitted and error.fitted(curve.error)
        line = fitted_line(curve, cost.scale[curve.track]) if wanted and curve.track in cost.scale else None
        if line is not None:
            found[curve.track] = line
    return found


def _traces(results: Results, error: ErrorAxis, cost: CostAxis, found: Picture) -> Iterator[go.Scatter]:
    """Yield what is drawn, from the back to the front."""
    known, leader = looks(track_names(results)), results.verdict.best
    yield from _slopes(results, cost, found)
    for track, line in found.fits.items():
        yield from line_traces(line, track, known[track])
    if cost.has_front:
        yield from _front(found)
    for track, level in found.levels.items():
        yield from _level(level, cost, known[track], found, leader)
    for track, ladder in found.ladders.items():
        yield _ladder(ladder, cost, known[track], leader, guide=track not in found.fits)
    yield from _rings(found, leader)
    yield from _keys(found)


def _marker(look: Look, size: int = 9) -> dict[str, Any]:
    return {"color": look.colour, "symbol": look.symbol, "size": size, "line": {"color": INK, "width": 0.8}}


def _ladder(
    points: Sequence[Point], cost: CostAxis, look: Look, leader: str | None, *, guide: bool
) -> go.Scatter:
    return go.Scatter(
        name=html.escape(points[0].summary.track, quote=False),
        meta=TRACK,
        mode="lines+markers" if guide else "markers",
        x=[point.x for point in points],
        y=[point.y.estimate for point in points],
        error_y={**axes.errors([point.bar for point in points], look.colour), "width": 3},
        marker=_marker(look),
        line={"color": look.colour, "width": 1.3, "dash": "dot"},
        hovertext=[axes.hover(curve_points.facts(point, cost, leader)) for point in points],
        hoverinfo="text",
        showlegend=False,
    )


def _level(
    level: Point, cost: CostAxis, look: Look, found: Picture, leader: str | None
) -> Iterator[go.Scatter]:
    """Yield a track that more data do not change as a level, and its mark where its own cost is near."""
    inside = level.x > 0 and 0 < found.x.share(level.x) < 1
    text = axes.hover(curve_points.facts(level, cost, leader))
    line = {"color": look.colour, "width": 1.3}
    yield go.Scatter(
        mode="lines",
        x=[level.x if inside else found.x.low, found.x.high],
        y=[level.y.estimate, level.y.estimate],
        line=line,
        hovertext=[text, text],
        hoverinfo="text",
        showlegend=False,
    )
    yield go.Scatter(
        name=html.escape(_level_name(level), quote=False),
        meta=TRACK,
        mode="lines+markers",
        x=[level.x if inside else None],
        y=[level.y.estimate],
        marker=_marker(look),
        line=line,
        hovertext=[text],
        hoverinfo="text",
        showlegend=False,
    )


def _level_name(level: Point) -> str:
    rules = level.summary.n_rules
    return f"{level.summary.track} ({formats.count(rules)})" if rules else level.summary.track


def _points(found: Picture) -> list[Point]:
    return [*(point for own in found.ladders.values() for point in own), *found.levels.values()]


def drawn_front(found: Picture) -> list[tuple[float, float]]:
    """Return cost and error of the rungs on the front, cheapest first."""
    return sorted(
        (point.x, point.y.estimate) for point in _points(found) if point.summary.on_front and point.x > 0
    )


def _front(found: Picture) -> Iterator[go.Scatter]:
    """Yield the best error for every budget, as far as it was measured."""
    front = drawn_front(found)
    if not front:
        return
    inside = [place for place in front if place[0] >= found.x.low]
    before = [(found.x.low, place[1]) for place in front if place[0] < found.x.low][-1:]
    last = max(point.x for point in _points(found))
    steps = [*before, *inside, (last, front[-1][1])]
    yield go.Scatter(
        name=FRONT,
        mode="lines",
        x=[x for x, _ in steps],
        y=[y for _, y in steps],
        line={"color": INK, "width": 3, "shape": "hv"},
        opacity=0.35,
        hoverinfo="skip",
    )


def drawn_rings(found: Picture) -> list[Point]:
    """Return the rungs that enter the verdict and lie within the picture."""
    return [point for point in _points(found) if point.is_deployed and point.x >= found.x.low and point.x > 0]


def _rings(found: Picture, leader: str | None) -> Iterator[go.Scatter]:
    """Yield rings around the rungs that enter the verdict, two around the leader's."""
    chosen = drawn_rings(found)
    leading = [point for point in chosen if point.summary.track == leader]
    for ringed, size in ((chosen, 16), (leading, 23)):
        if ringed:
            yield go.Scatter(
                name=DEPLOYED,
                showlegend=ringed is chosen,
                mode="markers",
                x=[point.x for point in ringed],
                y=[point.y.estimate for point in ringed],
                marker={"symbol": "circle-open", "size": size, "color": INK, "line": {"width": 1.3}},
                hoverinfo="skip",
            )


def _keys(found: Picture) -> Iterator[go.Scatter]:
    """Yield entries of the legend for what the lines of tracks mean."""
    kinds = (
        (FITS, "solid", 2.0, any(line.measured for line in found.fits.values())),
        (FORECASTS, "dash", 2.0, any(line.forecast for line in found.fits.values())),
        (GUIDES, "dot", 1.3, any(track not in found.fits for track in found.ladders)),
    )
    for name, dash, width, there in kinds:
        if there:
            line = {"color": INK, "width": width, "dash": dash}
            yield go.Scatter(name=name, mode="lines", x=[None], y=[None], line=line, hoverinfo="skip")


def drawn_slopes(results: Results, cost: CostAxis, found: Picture) -> list[tuple[Slope, Any]]:
    """Return the lines of theory that stay in the picture, with their ends.

    They begin at the cheapest rung of the leader, else of the first ladder.
    """
    if not found.ladders:
        return []
    first = found.ladders.get(results.verdict.best or "") or next(iter(found.ladders.values()))
    anchor = (first[0].x, first[0].y.estimate)
    right = max(point.x for own in found.ladders.values() for point in own)
    ends = ((slope, visible(slope, anchor, right, found.x, found.y)) for slope in cost.slopes)
    return [(slope, places) for slope, places in ends if places is not None]


def _slopes(results: Results, cost: CostAxis, found: Picture) -> Iterator[go.Scatter]:
    for slope, places in drawn_slopes(results, cost, found):
        yield go.Scatter(
            name=slope.name,
            mode="lines",
            x=[x for x, _ in places],
            y=[y for _, y in places],
            line={"color": _FAINT, "width": 1.4},
            hovertext=axes.hover((f"half the error for {slope.says}, {slope.source}",)),
            hoverinfo="text",
            showlegend=False,
        )


def _slope_names(results: Results, cost: CostAxis, found: Picture) -> list[dict[str, Any]]:
    """Return the names of the lines of theory, beside their lower ends."""
    names = []
    for slope, (_, (x, y)) in drawn_slopes(results, cost, found):
        right, height = found.x.share(x), found.y.share(y)
        names.append(
            {
                "text": slope.name,
                "xref": "paper",
                "yref": "paper",
                "x": right,
                "y": height,
                "xanchor": "right",
                "yanchor": "bottom" if height < 0.08 else "top",
                "showarrow": False,
                "font": {"color": INK, "size": 11},
                "xshift": -8,
            }
        )
    return names


def _ends(results: Results, found: Picture) -> list[LineEnd]:
    """Return where the lines of all tracks end."""
    known = looks(track_names(results))
    ends = []
    for track, ladder in found.ladders.items():
        line = found.fits.get(track)
        x, y = (
            (line.points[-1].cost, line.points[-1].error) if line else (ladder[-1].x, ladder[-1].y.estimate)
        )
        ends.append(LineEnd(track, found.x.share(x), found.y.share(y), known[track]))
    for track, level in found.levels.items():
        ends.append(LineEnd(_level_name(level), 1.0, found.y.share(level.y.estimate), known[track]))
    return ends


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
                marker=_marker(known[track]),
                line={"color": known[track].colour, "width": 1.8, "shape": "hv"},
                hovertext=[
                    axes.hover(
                        (
                            f"{track}, {formats.counted(summary.n_rules, 'rule')}",
                            f"error: {formats.interval(y)}",
                        )
                    )
                    for summary, y in points
                ],
                hoverinfo="text",
            )
        )
    if not figure.data:
        return None
    figure.update_layout(showlegend=True)
    return figure
