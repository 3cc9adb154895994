"""Our figures as PNG and SVG files, drawn by matplotlib: for paper, slides and artifact stores.

Only what our figures use is drawn: points, lines, bands and error bars, horizontal bars, linear, logarithmic
and category axes, annotations, shapes and the legend. Anything else is refused rather than left out. The same
figure gives the same bytes: no date, a fixed salt, and the font that matplotlib brings. Importing matplotlib
takes a third of a second, so import this module where it is used.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullFormatter, NullLocator

from toolkit.report import static_traces
from toolkit.report.static_style import POINTS_A_PIXEL, colour, plain, points

__all__ = ["CREATOR", "render", "save_static"]

CREATOR = "costcurves"
"""Stands in every file, by which one of ours is told from another (`toolkit.report.stills`)."""

WIDTH = 900
_DPI = 72 / POINTS_A_PIXEL
_FONT_PIXELS = 13
_SHARPNESS = 1.6
"""Pixels of a PNG file for each of the figure's."""

_SETTINGS: Any = {
    "font.family": ["DejaVu Sans", "sans-serif"],
    "font.size": points(_FONT_PIXELS),
    "hatch.linewidth": 0.5,
    "lines.scale_dashes": False,
    # Texts stay texts: they can be searched, read aloud and edited.
    "svg.fonttype": "none",
    "svg.hashsalt": CREATOR,
    "text.parse_math": False,
}


def save_static(figure: go.Figure, path: Path, *, title: str = "") -> None:
    """Write a figure of ours as a file.

    Parameters
    ----------
    figure : Figure
        With its height set.
    path : Path
        Ends in ``.png`` or ``.svg``.
    title : str, optional
        Stands above it.

    Raises
    ------
    ValueError
        Another ending, or something in the figure that this cannot draw.
    OSError
        The file cannot be written.
    """
    kind = path.suffix.lower().removeprefix(".")
    path.write_bytes(render(figure, [kind], title=title)[kind])


def render(
    figure: go.Figure | Mapping[str, Any], kinds: Sequence[str], *, title: str = ""
) -> dict[str, bytes]:
    """Return a figure of ours, or its JSON read back, as the bytes of files, drawn once for all of them.

    Parameters
    ----------
    figure : Figure or mapping
    kinds : sequence of str
        ``png``, ``svg``.
    title : str, optional
        Stands above it.

    Raises
    ------
    ValueError
        Another kind, or something in the figure that this cannot draw.
    """
    if not set(kinds) <= {"png", "svg"}:
        raise ValueError(f"a figure is saved as png or svg, not as {', '.join(kinds)}")
    parts = figure.to_plotly_json() if isinstance(figure, go.Figure) else figure
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        # A viewer of SVG has fonts of its own; PNG shows a box for a sign that no font has.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        drawn = _draw(parts, title)
        return {kind: _bytes(drawn, kind) for kind in kinds}


def _bytes(drawn: Figure, kind: str) -> bytes:
    file = io.BytesIO()
    if kind == "png":
        # A third of the time of the usual compression, for a fifth more bytes.
        packed = {"compress_level": 2}
        drawn.savefig(file, format=kind, metadata={"Software": CREATOR}, pil_kwargs=packed)
    else:
        drawn.savefig(file, format=kind, metadata={"Creator": CREATOR, "Date": None})
    return file.getvalue()


def _draw(parts: Mapping[str, Any], title: str) -> Figure:
    layout = parts["layout"]
    above = 34 if title else 8
    height = layout["height"] + above
    drawn = Figure(figsize=(WIDTH / _DPI, height / _DPI), dpi=_DPI * _SHARPNESS, facecolor="white")
    axes = drawn.add_axes((0.1, 0.1, 0.8, 0.8))
    axes.set_axisbelow(True)
    # A bar of amounts stands on zero; one of a range begins inside the picture.
    axes.use_sticky_edges = layout["xaxis"].get("type") != "log"
    axes.patch.set_alpha(0)
    _axis(axes, "x", layout["xaxis"])
    _axis(axes, "y", layout["yaxis"])
    sides: tuple[Literal["x", "y"], ...] = ("x", "y")
    for which in sides:
        # Ends that are given need no margins, which overflow where amounts come near the largest number.
        if layout[f"{which}axis"].get("range") is not None:
            _limits(axes, which, layout[f"{which}axis"])
    static_traces.add_traces(axes, parts["data"], layout)
    for which in sides:
        _limits(axes, which, layout[f"{which}axis"])
    left, right = _left(layout), max(layout["margin"].get("r", 0), 16)
    bottom = 46 + 16 * plain(layout["xaxis"]["title"].get("text", "")).count("\n")
    rows = _legend(axes, layout, WIDTH - left - right)
    top = above + 4 + 20 * rows
    axes.set_position(
        (left / WIDTH, bottom / height, (WIDTH - left - right) / WIDTH, (height - top - bottom) / height)
    )
    for annotation in layout.get("annotations") or ():
        _annotate(axes, annotation)
    for shape in layout.get("shapes") or ():
        _shape(axes, shape)
    if title:
        drawn.text(10 / WIDTH, 1 - 10 / height, title, fontsize=points(15), va="top", color=colour("ink"))
    return drawn


def _axis(axes: Axes, which: Literal["x", "y"], axis: Mapping[str, Any]) -> None:
    """Set scale, grid, title and fixed ticks of an axis."""
    kind = axis.get("type", "linear")
    if kind == "log":
        (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    elif kind not in ("linear", "category", "-"):
        raise ValueError(f"an axis of type '{kind}' cannot be drawn")
    mine = axes.xaxis if which == "x" else axes.yaxis
    if "tickvals" in axis:
        mine.set_major_locator(FixedLocator(list(axis["tickvals"])))
        mine.set_major_formatter(FixedFormatter([plain(text) for text in axis["ticktext"]]))
    if kind == "log":
        mine.set_minor_locator(NullLocator())
        mine.set_minor_formatter(NullFormatter())
    if kind == "category":
        names = list(axis["categoryarray"])
        mine.set_major_locator(FixedLocator(list(range(len(names)))))
        mine.set_major_formatter(FixedFormatter([plain(name) for name in names]))
    for spine in axes.spines.values():
        spine.set_visible(False)
    if axis.get("showgrid", True):
        axes.grid(visible=True, axis=which, color=colour(axis["gridcolor"]), linewidth=points(1))
    axes.tick_params(which, color=colour(axis["tickcolor"]), labelcolor=colour("ink"), length=points(5))
    if axis.get("ticks") == "":
        axes.tick_params(which, length=0)
    mine.set_label_text(plain(axis["title"].get("text", "")), color=colour("ink"))


def _limits(axes: Axes, which: Literal["x", "y"], axis: Mapping[str, Any]) -> None:
    """Set the ends of an axis where they are given, and the line at zero."""
    ends = axis.get("range")
    if ends is not None:
        low, high = (10.0**end for end in ends) if axis.get("type") == "log" else ends
        (axes.set_xlim if which == "x" else axes.set_ylim)(low, high)
    elif axis.get("type") == "category":
        axes.set_ylim(-0.6, len(axis["categoryarray"]) - 0.4)
    if axis.get("zeroline"):
        (axes.axvline if which == "x" else axes.axhline)(0, color=colour("ink"), linewidth=points(1))


def _left(layout: Mapping[str, Any]) -> float:
    """Return the room for the texts left of the picture, in pixels."""
    axis = layout["yaxis"]
    texts = axis.get("categoryarray") or axis.get("ticktext") or ["000000"]
    titled = 24 if axis["title"].get("text") else 0
    return titled + 18 + 7.6 * max(len(plain(text)) for text in texts)


def _legend(axes: Axes, layout: Mapping[str, Any], room: float) -> int:
    """Add the legend above the picture; return its rows."""
    handles, names = static_traces.legend_entries(axes)
    if not handles or layout.get("showlegend") is False:
        return 0
    each = 46 + 7.6 * max(map(len, names))
    columns = min(max(int(room // each), 1), len(names))
    axes.legend(
        handles,
        names,
        ncols=columns,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        frameon=False,
        borderaxespad=0.2,
        borderpad=0.1,
        handlelength=2.4,
        labelcolor=colour("ink"),
    )
    return -(-len(names) // columns)


def _annotate(axes: Axes, note: Mapping[str, Any]) -> None:
    if note.get("showarrow", True) or {note.get("xref"), note.get("yref")} != {"paper"}:
        raise ValueError("only notes without an arrow, placed on the paper, can be drawn")
    font = note.get("font", {})
    axes.annotate(
        plain(note["text"]),
        (note["x"], note["y"]),
        xycoords="axes fraction",
        xytext=(points(note.get("xshift", 0)), points(note.get("yshift", 0))),
        textcoords="offset points",
        ha=note.get("xanchor", "center"),
        va={"middle": "center"}.get(note.get("yanchor", "middle"), note.get("yanchor", "center")),
        color=colour(font.get("color", "ink")),
        fontsize=points(font.get("size", _FONT_PIXELS)),
        annotation_clip=False,
    )


def _shape(axes: Axes, shape: Mapping[str, Any]) -> None:
    if shape["type"] == "line" and shape.get("xref") == shape.get("yref") == "paper":
        line = shape["line"]
        axes.plot(
            [shape["x0"], shape["x1"]],
            [shape["y0"], shape["y1"]],
            transform=axes.transAxes,
            color=colour(line["color"]),
            linewidth=points(line["width"]),
            clip_on=False,
            zorder=1,
        )
    elif shape["type"] == "rect" and shape.get("yref") == "y domain":
        face = colour(shape["fillcolor"])
        axes.axvspan(
            shape["x0"], shape["x1"], color=face, alpha=shape.get("opacity", 1), linewidth=0, zorder=0
        )
    else:
        raise ValueError(f"a shape of type '{shape['type']}' cannot be drawn")
