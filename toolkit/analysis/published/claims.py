"""Claims held against the table: each figure that somebody states, beside ours with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from toolkit.analysis.interval import Interval
from toolkit.analysis.published.values import Published, Study

__all__ = ["Judged", "judge"]

Verdict = Literal["inside", "below", "above", "not told"]
_FIGURES = ("power", "compute", "usd", "kg_co2")


class Judged(NamedTuple):
    """A claim: its figure, ours, and where it lies; of a claim without a figure only the words.

    `verdict` is where the claimed figure lies from our interval: ``inside``, ``below`` or ``above``.
    """

    says: str
    source: str
    figure: str
    claimed: float | None
    ours: Interval | None
    verdict: Verdict


def judge(published: Published, study: Study) -> tuple[Judged, ...]:
    """Hold every declared claim against one measure.

    Parameters
    ----------
    published : Published
    study : Study
        The measure that claims are about: that of the prices.
    """
    return tuple(_judge(claim, study) for claim in published.declared.get("claims") or ())


def _judge(claim: Mapping[str, Any], study: Study) -> Judged:
    figure = next((name for name in _FIGURES if claim.get(name) is not None), "")
    claimed = None if not figure else float(claim[figure])
    ours = _ours(claim, figure, study)
    verdict: Verdict = "not told"
    if ours is not None and claimed is not None:
        verdict = "below" if claimed < ours.low else "above" if claimed > ours.high else "inside"
    return Judged(str(claim["says"]), str(claim["source"]), figure, claimed, ours, verdict)


def _ours(claim: Mapping[str, Any], figure: str, study: Study) -> Interval | None:
    if figure == "power":
        return study.line.power
    for forecast in study.forecasts:
        if figure and forecast.target == claim.get("target"):
            return {"compute": forecast.line, "usd": forecast.usd, "kg_co2": forecast.kg_co2}[figure]
    return None
