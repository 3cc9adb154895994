"""Points, lines, bands and bars of our figures, drawn by matplotlib."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from toolkit.report.static_style import HATCHES, colour, dashes, marker, plain, points

__all__ = ["add_traces", "legend_entries"]

Trace = Mapping[str, Any]

_HIDDEN = "_"
"""matplotlib leaves names that begin so out of a legend."""


def add_traces(axes: Axes, traces: Sequence[Trace], layout: Mapping[str, Any]) -> None:
    """Draw all traces, the first at the back.

    Raises
    ------
    ValueError
        A kind of trace that our figures do not use.
    """
    places = _Places(layout)
    bars_end: dict[float, float] = defaultdict(float)
    n_bars = sum(trace["type"] == "bar" for trace in traces)
    many = layout.get("showlegend", sum("name" in trace for trace in traces) > 1)
    for order, trace in enumerate(traces):
        name = plain(trace.get("name") or "")
        shown = name if many and name and trace.get("showlegend", True) else _HIDDEN
        if trace["type"] == "scatter":
            _scatter(axes, trace, places, shown, 2 + order / len(traces))
        elif trace["type"] == "bar" and trace.get("orientation") == "h":
            if n_bars > 1 and layout.get("barmode") not in ("relative", "overlay"):
                raise ValueError("bars beside one another cannot be drawn")
            stack = bars_end if layout.get("barmode") == "relative" else None
            _bars(axes, trace, places, shown, stack)
        else:
            raise ValueError(f"a trace of type '{trace['type']}' cannot be drawn")


def legend_entries(axes: Axes) -> tuple[list[Artist], list[str]]:
    """Return what the legend shows, in the order of the traces; markers as large as they are drawn."""
    handles, names = axes.get_legend_handles_labels()
    # A bar is a container; its first rectangle shows its look.
    return [handle[0] if isinstance(handle, tuple) else handle for handle in handles], names


class _Places:
    """Turns what a trace holds into numbers: names have a place on the axis of categories."""

    def __init__(self, layout: Mapping[str, Any]) -> None:
        axis = layout["yaxis"]
        names = axis.get("categoryarray", ()) if axis.get("type") == "category" else ()
        self._places = {name: float(place) for place, name in enumerate(names)}

    def numbers(self, values: Sequence[Any]) -> np.ndarray:
        return np.array(
            [np.nan if one is None else self._places.get(one, one) for one in values], dtype=float
        )


def _each(value: Any, n: int) -> list[Any]:
    """Return a setting for every point, which may be one for all."""
    return list(value) if isinstance(value, list | tuple) else [value] * n


def _scatter(axes: Axes, trace: Trace, places: _Places, name: str, order: float) -> None:
    x, y = places.numbers(trace["x"]), places.numbers(trace["y"])
    line, mode = trace.get("line", {}), trace["mode"]
    if trace.get("fill") == "toself":
        _band(axes, trace, x, y, order)
        return
    if trace.get("fill") or "text" in mode:
        raise ValueError("only bands, lines and markers can be drawn")
    _error_bars(axes, trace, x, y, order)
    style: dict[str, Any] = {"linestyle": "none"}
    if "lines" in mode:
        style = {
            "linestyle": dashes(line.get("dash", "solid")),
            "color": colour(line["color"]),
            "linewidth": points(line.get("width", 2)),
            "drawstyle": {"hv": "steps-post"}.get(line.get("shape", ""), "default"),
        }
    spots = trace.get("marker", {}) if "markers" in mode else {}
    looks = {
        key: _each(spots.get(key, default), len(x))
        for key, default in {"color": "ink", "symbol": "circle", "size": 6}.items()
    }
    looks["edge"] = _each(spots.get("line", {}).get("color"), len(x))
    same = all(len(set(values)) <= 1 for values in looks.values())
    if spots and same:
        style |= _spot(spots, *(values[0] for values in looks.values()))
    (drawn,) = axes.plot(x, y, label=name, zorder=order, alpha=trace.get("opacity"), **style)
    if spots and not same:
        for rank, (at, height) in enumerate(zip(x, y, strict=True)):
            spot = _spot(spots, *(values[rank] for values in looks.values()))
            axes.plot([at], [height], linestyle="none", zorder=order, label=_HIDDEN, **spot)
    drawn.set_dash_capstyle("butt")


def _spot(spots: Mapping[str, Any], hue: str, symbol: str, size: float, edge: str | None) -> dict[str, Any]:
    shape, is_open = marker(symbol)
    return {
        "marker": shape,
        "markersize": points(size),
        "markerfacecolor": "none" if is_open else colour(hue),
        "markeredgecolor": colour(hue if is_open or edge is None else edge),
        "markeredgewidth": points(spots.get("line", {}).get("width", 0)),
    }


def _band(axes: Axes, trace: Trace, x: np.ndarray, y: np.ndarray, order: float) -> None:
    line, pattern = trace.get("line", {}), trace.get("fillpattern", {})
    edge = colour(line.get("color", trace["fillcolor"]))
    style = {"linewidth": points(line.get("width", 0)), "linestyle": dashes(line.get("dash", "solid"))}
    axes.fill(x, y, facecolor=colour(trace["fillcolor"]), edgecolor=edge, zorder=order, **style)
    if pattern.get("shape"):
        # By itself: in SVG a pattern is as faint as the surface that it stands on.
        (drawn,) = axes.fill(
            x, y, facecolor="none", linewidth=0, hatch=HATCHES[pattern["shape"]], zorder=order
        )
        drawn.set_hatchcolor((*_rgb(colour(pattern["fgcolor"])), pattern.get("fgopacity", 1.0)))


def _rgb(hue: str) -> tuple[float, float, float]:
    red, green, blue = (int(hue[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue


def _error_bars(axes: Axes, trace: Trace, x: np.ndarray, y: np.ndarray, order: float) -> None:
    for which in ("x", "y"):
        bar = trace.get(f"error_{which}")
        if bar is None:
            continue
        ends: Any = np.array([bar["arrayminus"], bar["array"]], dtype=float)
        axes.errorbar(
            x,
            y,
            xerr=ends if which == "x" else None,
            yerr=ends if which == "y" else None,
            fmt="none",
            ecolor=colour(bar["color"]),
            elinewidth=points(bar["thickness"]),
            capsize=points(bar["width"]),
            capthick=points(bar["thickness"]),
            zorder=order,
            label=_HIDDEN,
        )


def _bars(axes: Axes, trace: Trace, places: _Places, name: str, stack: dict[float, float] | None) -> None:
    lengths, rows = places.numbers(trace["x"]), places.numbers(trace["y"])
    if stack is not None and (lengths < 0).any():
        raise ValueError("stacked bars below zero cannot be drawn")
    starts = places.numbers(_each(trace.get("base", 0.0), len(rows)))
    if stack is not None:
        starts = np.array([stack[row] for row in rows])
        for row, length in zip(rows, lengths, strict=True):
            stack[row] += length
    spots = trace["marker"]
    pattern = spots.get("pattern", {})
    drawn = axes.barh(
        rows,
        lengths,
        left=starts,
        height=trace.get("width", 0.8),
        color=[colour(hue) for hue in _each(spots["color"], len(rows))],
        edgecolor=colour(spots["line"]["color"]),
        linewidth=points(spots["line"]["width"]),
        hatch=HATCHES[pattern.get("shape", "")] or None,
        label=name,
        zorder=2,
    )
    for bar in drawn:
        if pattern.get("shape"):
            bar.set_hatchcolor((*_rgb(colour(pattern["fgcolor"])), pattern["fgopacity"]))
    _error_bars(axes, trace, starts + lengths, rows, 2.5)
