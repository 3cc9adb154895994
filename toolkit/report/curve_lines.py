"""Fitted curves as lines: what was measured apart from what is forecast."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import plotly.graph_objects as go

from toolkit.analysis.curve_record import Curve
from toolkit.report import axes, formats
from toolkit.report.looks import Look

__all__ = ["FORECAST_REACH", "FitPoint", "FittedLine", "fitted_line", "line_traces"]

FORECAST_REACH = 10.0
"""A forecast ends at this multiple of the largest measured cost."""


class FitPoint(NamedTuple):
    """A place on a fit: cost, error, and the ends of its 95 % band, which may be infinite."""

    cost: float
    error: float
    low: float
    high: float


@dataclass(frozen=True)
class FittedLine:
    """A fit that was not refused, split at the largest cost that was measured; both parts hold that place."""

    form: str
    measured: tuple[FitPoint, ...]
    forecast: tuple[FitPoint, ...]

    @property
    def points(self) -> tuple[FitPoint, ...]:
        """All of it."""
        return (*self.measured, *self.forecast)


def fitted_line(curve: Curve, scale: float = 1.0) -> FittedLine | None:
    """Return the line of a fit, or None where it was refused or there is none.

    Parameters
    ----------
    curve : Curve
    scale : float
        What costs are multiplied by.
    """
    if curve.refusals or len(curve.grid_cost) < 2:
        return None
    rows = zip(curve.grid_cost, curve.grid_error, curve.grid_low, curve.grid_high, strict=True)
    grid = [FitPoint(cost * scale, *rest) for cost, *rest in sorted(rows)]
    last = max((cost for cost, _ in curve.points), default=curve.grid_cost[-1]) * scale
    measured = [point for point in grid if point.cost < last]
    ahead = [point for point in grid if point.cost > last]
    if measured and ahead:
        border = _between(measured[-1], ahead[0], last)
    else:
        border = next((point for point in grid if point.cost == last), (measured or ahead)[-1])
    measured = [*(point for point in measured if point != border), border]
    ahead = [point for point in ahead if point.cost <= last * FORECAST_REACH * (1 + 1e-9)]
    return FittedLine(curve.form, tuple(measured), (border, *ahead) if ahead else ())


def _between(before: FitPoint, after: FitPoint, cost: float) -> FitPoint:
    """Return the place at `cost`, straight between its neighbours on logarithmic axes."""
    share = math.log(cost / before.cost) / math.log(after.cost / before.cost)

    def mean(one: float, two: float) -> float:
        if not (0 < one < math.inf and 0 < two < math.inf):
            return one + share * (two - one)
        return math.exp(math.log(one) + share * math.log(two / one))

    return FitPoint(cost, *(mean(*pair) for pair in zip(before[1:], after[1:], strict=True)))


def line_traces(line: FittedLine, track: str, look: Look) -> list[go.Scatter]:
    """Return bands and lines: solid where it was measured, dashed where it is a forecast."""
    found = []
    parts = {"solid": line.measured, "dash": line.forecast}
    for dash, points in parts.items():
        told = [point for point in points if math.isfinite(point.low) and math.isfinite(point.high)]
        if len(told) > 1:
            x, _, low, high = zip(*told, strict=True)
            found.append(axes.band(x, low, high, look, dash))
    for dash, points in parts.items():
        name = "forecast" if dash == "dash" else "fit"
        if points:
            found.append(
                _line(points, dash, axes.hover((track, f"{name}: {formats.words(line.form)}")), look)
            )
    return found


def _line(points: Sequence[FitPoint], dash: str, text: str, look: Look) -> go.Scatter:
    return go.Scatter(
        x=[point.cost for point in points],
        y=[point.error for point in points],
        mode="lines",
        line={"color": look.colour, "width": 2, "dash": dash},
        hovertext=text,
        hoverinfo="text",
        showlegend=False,
    )
