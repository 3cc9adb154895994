"""Axes and frames of figures in one style: plain ticks, few lines, room for a phone."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from toolkit.analysis.results import Interval
from toolkit.report import formats
from toolkit.report.looks import GRID, INK, PAPER, Look

__all__ = [
    "Scale",
    "band",
    "blank",
    "errors",
    "even_ticks",
    "frame",
    "hover",
    "legend_entry",
    "log_axis",
    "log_ticks",
]

FLAT_RATIO = 3.0
"""A positive axis whose ends differ by less than this factor is drawn straight, not in logarithms."""

_MAX_TICKS = 7


@dataclass(frozen=True)
class Scale:
    """The two ends of an axis, and whether it is logarithmic.

    Parameters
    ----------
    low, high : float
        In the order of the picture, positive where `logarithmic`; not equal.
    logarithmic : bool
    """

    low: float
    high: float
    logarithmic: bool

    def share(self, value: float) -> float:
        """Return where `value` lies, 0 at the low end and 1 at the high one."""
        return (self._plain(value) - self._plain(self.low)) / (self._plain(self.high) - self._plain(self.low))

    def at(self, share: float) -> float:
        """Return the value at a share."""
        plain = self._plain(self.low) + share * (self._plain(self.high) - self._plain(self.low))
        return math.exp(plain) if self.logarithmic else plain

    def padded(self, before: float, after: float) -> Scale:
        """Return the axis with room at both ends, as shares of its length."""
        return Scale(self.at(-before), self.at(1 + after), self.logarithmic)

    def layout(self) -> dict[str, Any]:
        """Return type, range and ticks for Plotly, which wants powers of ten where logarithmic."""
        if not self.logarithmic:
            return {"type": "linear", "range": [self.low, self.high]}
        ends = [math.log10(self.low), math.log10(self.high)]
        return {"type": "log", "range": ends, **log_ticks((self.low, self.high), room=0.0)}

    def _plain(self, value: float) -> float:
        return math.log(value) if self.logarithmic else value


def hover(facts: Iterable[str]) -> str:
    """Return the lines of a hover box; names cannot smuggle in Plotly's own tags."""
    return "<br>".join(html.escape(fact, quote=False) for fact in facts)


def log_axis(values: Iterable[float | None]) -> bool:
    """Tell whether an axis of `values` reads better in logarithms."""
    finite = [value for value in values if value is not None and math.isfinite(value)]
    return bool(finite) and min(finite) > 0 and max(finite) / min(finite) >= FLAT_RATIO


def log_ticks(values: Iterable[float], room: float = 0.15) -> dict[str, Any]:
    """Return places and texts of the ticks of a logarithmic axis: short numbers, at most seven.

    Parameters
    ----------
    values : iterable of float
        Positive; what the axis has to show.
    room : float
        How far the axis goes on at both ends, in powers of ten.
    """
    found = list(values)
    low, high = math.log10(min(found)) - room, math.log10(max(found)) + room
    if 10 ** (high - low) < FLAT_RATIO:
        return even_ticks(10.0**low, 10.0**high)
    if high - low > 3.3:
        decades = range(math.ceil(low), math.floor(high) + 1)
        places = [10.0**power for power in decades[:: math.ceil(len(decades) / _MAX_TICKS)]]
    else:
        digits = (1, 3) if high - low > 1.3 else (1, 2, 5)
        places = [
            digit * 10.0**power for power in range(math.floor(low), math.ceil(high) + 1) for digit in digits
        ]
        places = [place for place in places if low <= math.log10(place) <= high]
    return {"tickmode": "array", "tickvals": places, "ticktext": [formats.tick(place) for place in places]}


def even_ticks(low: float, high: float) -> dict[str, Any]:
    """Return ticks at round numbers and even distances: powers of ten do not fall into a short axis.

    Parameters
    ----------
    low, high : float
        Ends of the axis, not equal.
    """
    least = (high - low) / (_MAX_TICKS - 1)
    power = math.floor(math.log10(least))
    step, finer = next(
        (digit * 10.0**power, digit == 2.5) for digit in (1, 2, 2.5, 5, 10) if digit * 10.0**power >= least
    )
    decimals = max(0, finer - math.floor(math.log10(step * 1.001)))
    numbers = range(math.ceil(low / step), math.floor(high / step) + 1)
    places = [round(number * step, decimals) for number in numbers]
    # The same decimals everywhere, unless there are none: 1,500 is then 1.5k.
    texts = [f"{place:.{decimals}f}" if decimals else formats.tick(place) for place in places]
    return {"tickmode": "array", "tickvals": places, "ticktext": texts}


def band(
    x: Sequence[float], low: Sequence[float], high: Sequence[float], look: Look, dash: str = "solid"
) -> go.Scatter:
    """Return a pale band with an edge and the track's pattern, without an entry in the legend."""
    return go.Scatter(
        x=[*x, *reversed(x), *x[:1]],
        y=[*high, *reversed(low), *high[:1]],
        fill="toself",
        fillcolor=pale(look.colour, 0.13),
        fillpattern={
            "shape": look.pattern,
            "fillmode": "overlay",
            "fgcolor": look.colour,
            "fgopacity": 0.35,
            "size": 9,
            "solidity": 0.1,
        },
        line={"color": pale(look.colour, 0.8), "width": 0.8, "dash": dash},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
    )


def legend_entry(name: str, colour: str, symbol: str) -> go.Scatter:
    """Return a trace without points that stands in the legend: that shows the first marker of a trace.

    Parameters
    ----------
    name : str
        Also the group, which the trace of the points has to share.
    colour, symbol : str
    """
    return go.Scatter(
        name=name,
        legendgroup=name,
        mode="markers",
        x=[None],
        y=[None],
        marker={"color": colour, "symbol": symbol, "size": 10},
        hoverinfo="skip",
    )


def pale(colour: str, opacity: float) -> str:
    """Return a colour in hexadecimal as one that shows what is behind it."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def blank(height: int, x_title: str, y_title: str = "") -> go.Figure:
    """Return an empty figure in the report's style; parameters as in `frame`."""
    # Given at once: updating the layout of a figure takes ten times as long.
    return go.Figure(layout=frame(height, x_title, y_title))


def frame(height: int, x_title: str, y_title: str = "") -> dict[str, Any]:
    """Return the layout of a figure in the report's style.

    Parameters
    ----------
    height : int
        In pixels; the width follows the page.
    x_title, y_title : str
        Titles of the axes, with units.
    """
    axis: dict[str, Any] = {
        "automargin": True,
        "gridcolor": GRID,
        "linecolor": GRID,
        "zeroline": False,
        "zerolinecolor": INK,
        "zerolinewidth": 1,
        "ticks": "outside",
        "tickcolor": GRID,
        "fixedrange": True,
        "exponentformat": "power",
    }
    return {
        "template": "none",
        "height": height,
        "margin": {"l": 8, "r": 16, "t": 8, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": INK},
        "hoverlabel": {"bgcolor": PAPER, "bordercolor": INK, "font": {"color": INK}, "align": "left"},
        "hovermode": "closest",
        "dragmode": False,
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        "xaxis": {**axis, "title": {"text": x_title, "standoff": 8, "font": {"size": 13}}},
        "yaxis": {**axis, "title": {"text": y_title, "standoff": 8, "font": {"size": 13}}},
    }


def errors(values: Sequence[Interval], colour: str = INK) -> dict[str, Any]:
    """Return asymmetric error bars; an infinite end is drawn as no end."""

    def reach(distance: float) -> float:
        return distance if math.isfinite(distance) else 0.0

    return {
        "type": "data",
        "symmetric": False,
        "array": [reach(value.high - value.estimate) for value in values],
        "arrayminus": [reach(value.estimate - value.low) for value in values],
        "color": colour,
        "thickness": 1.2,
        "width": 4,
    }
