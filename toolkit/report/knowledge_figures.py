"""The figure of rules: what their experts say beside what the training rows say."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from toolkit.analysis.results import Interval
from toolkit.report import formats
from toolkit.report.axes import blank, errors, hover
from toolkit.report.looks import INK, PAPER, looks

__all__ = ["EXPERT", "ROWS", "certainties", "certainty", "interval_of"]

EXPERT = "the expert says"
ROWS = "the training rows say"


def interval_of(told: Mapping[str, float] | None) -> Interval | None:
    """Return a certainty with its interval as it stands in the context; None where rows cannot tell."""
    return None if told is None else Interval(told["estimate"], told["low"], told["high"])


def certainty(value: float) -> str:
    """Return a certainty with two decimals, which is as fine as anybody can mean it."""
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "\N{MINUS SIGN}")


def certainties(rules: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Return a dot with its interval for each rule, and the expert's mark beside it.

    Parameters
    ----------
    rules : sequence of mapping
        ``id``, ``certainty``, ``data`` (not None), ``n_counts``, ``observed_rate``, ``expected_rate``; the
        first stands on top.
    """
    figure = blank(120 + 27 * len(rules), "certainty of what it says<br>below 0: of the opposite")
    names = [html.escape(str(rule["id"]), quote=False) for rule in rules]
    seen = [
        Interval(math.nan, math.nan, math.nan) if (one := interval_of(rule["data"])) is None else one
        for rule in rules
    ]
    texts = [hover(_facts(rule, value)) for rule, value in zip(rules, seen, strict=True)]
    figure.add_trace(
        go.Scatter(
            mode="markers",
            name=f"{ROWS} (95 % interval)",
            x=[value.estimate for value in seen],
            y=names,
            error_x=errors(seen),
            marker={"color": INK, "symbol": "circle", "size": 9, "line": {"color": PAPER, "width": 1}},
            hovertext=texts,
            hoverinfo="text",
        )
    )
    figure.add_trace(
        go.Scatter(
            mode="markers",
            name=EXPERT,
            x=[rule["certainty"] for rule in rules],
            y=names,
            marker={
                "color": looks(["rules"])["rules"].colour,
                "symbol": "diamond-tall-open",
                "size": 13,
                "line": {"width": 2.5},
            },
            hovertext=texts,
            hoverinfo="text",
        )
    )
    figure.update_xaxes(zeroline=True)
    figure.update_yaxes(
        type="category",
        categoryorder="array",
        categoryarray=names[::-1],
        showgrid=True,
        ticks="",
        ticklabelstandoff=8,
    )
    figure.update_layout(showlegend=True)
    return figure


def _facts(rule: Mapping[str, Any], seen: Interval) -> tuple[str, ...]:
    return (
        str(rule["id"]),
        f"{EXPERT} {certainty(rule['certainty'])}",
        f"{ROWS} {certainty(seen.estimate)} [{certainty(seen.low)}, {certainty(seen.high)}]",
        f"rate on the {formats.count(rule['n_counts'])} rows where it counts: "
        f"{formats.ratio(rule['observed_rate'])}; the prior expects {formats.ratio(rule['expected_rate'])}",
    )
