"""Figure of the steps of a ladder: what each rung's further decisions are worth, less what it costs more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import plotly.graph_objects as go

from toolkit.analysis.results import Interval, Results
from toolkit.analysis.whatif.record import RungStep
from toolkit.report import figures, formats
from toolkit.report.climb_tables import LOSES, PAYS, pays
from toolkit.report.figures import Bar, Drawing
from toolkit.report.looks import PAPER, looks, track_names

__all__ = ["step_drawings"]

_THOUSAND = 1e3
_FEW = 12
"""Rungs whose names need not stand close."""
_SYMBOLS = {PAYS: "circle", LOSES: "x"}


def step_drawings(results: Results) -> list[Drawing]:
    """Return a drawing for each track that has more than one rung, all of one height."""
    by_track: dict[str, list[RungStep]] = {}
    for step in results.steps:
        by_track.setdefault(step.track, []).append(step)
    most = max(map(len, by_track.values()))
    # On paper the first stands for all.
    order = sorted(by_track, key=lambda track: track != results.verdict.best)
    return [
        Drawing(
            name=f"steps-{track}",
            choice=track,
            figure=_figure(by_track[track], results, most),
            description=f"{track}: {_told(by_track[track])}.",
        )
        for track in order
    ]


def _figure(steps: Sequence[RungStep], results: Results, most: int) -> go.Figure:
    show = formats.in_money(results.verdict.currency)
    ends = [end for step in steps for end in (step.net.low, step.net.high)]
    unit, scale = formats.money_scale(ends)
    if not scale and max(map(abs, ends)) >= _THOUSAND:  # on both sides of zero long numbers have no room
        unit, scale = _THOUSAND, "thousand"
    look = looks(track_names(results))[steps[0].track]
    rows = []
    for step in steps:
        told = pays(step)
        rows.append(
            Bar(
                name=_name(step),
                value=Interval(*(end / unit for end in (step.net.estimate, step.net.low, step.net.high))),
                text=told,
                facts=(
                    f"{step.track}, rung {step.below} → {step.rung}: {told}",
                    f"further value of decisions: {formats.interval(step.gross, show)}",
                    f"further cost: {formats.interval(step.cost, show)}",
                    f"left a year: {formats.interval(step.net, show)}",
                ),
                look=replace(
                    look,
                    symbol=_SYMBOLS.get(told, "circle"),
                    colour=look.colour if told in _SYMBOLS else PAPER,
                ),
            )
        )
    figure = figures.whiskers(
        rows,
        f"Further value less further cost a year ({scale} {results.verdict.currency})".replace("( ", "("),
    )
    figure.update_layout(height=96 + (30 if most <= _FEW else 22) * most)
    return figure


def _name(step: RungStep) -> str:
    return f"{step.below} → {step.rung}{' (stop)' if step.deployed else ''}"


def _told(steps: Sequence[RungStep]) -> str:
    kinds: dict[str, list[str]] = {}
    for step in steps:
        kinds.setdefault(pays(step), []).append(f"{step.below} → {step.rung}")
    return "; ".join(f"{told}: {', '.join(which)}" for told, which in kinds.items())
