"""Names of the metrics that are made to be read, each told once.

MLflow allows letters, digits and ``_ - . / `` in a name, makes a section of what stands before a slash,
sorts sections and charts by name, and shows some twenty letters of a chart's title: what tells one chart
from the next comes first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from toolkit.analysis.results import Results, Verdict

__all__ = [
    "ALONG_CPU",
    "ALONG_ROWS",
    "ALONG_RULES",
    "AP_ERROR",
    "BEST_CHANCE",
    "CPU",
    "ERROR",
    "LOG_CPU",
    "LOG_ERROR",
    "LOG_ROWS",
    "ROWS",
    "RULES",
    "RUNG",
    "Unit",
    "along",
    "behind",
    "gap_unit",
    "in_verdict",
    "money_unit",
    "net_value",
    "regret",
    "unit_of",
]

ERROR = "error"
AP_ERROR = "error in AP"
"""1 - average precision."""

ALONG_CPU = "by CPU ms"
"""Milliseconds of search and fit; the word "training" would not be seen in a chart's title."""

ALONG_ROWS = "by rows"
ALONG_RULES = "by rules"

LOG_ERROR = "straight lines/log10 error"
LOG_CPU = "straight lines/log10 training CPU seconds"
LOG_ROWS = "straight lines/log10 rows"

BEST_CHANCE = "verdict/probability of being best in percent"
CPU = "verdict/training CPU ms"
ROWS = "verdict/training rows"
RULES = "verdict/rules"
RUNG = "verdict/rung"


@dataclass(frozen=True)
class Unit:
    """A unit of money for a whole chart: its name and what a plain amount is multiplied with."""

    words: str
    factor: float


def money_unit(amounts: Iterable[float], currency: str) -> Unit:
    """Return the unit that shows the largest amount with one to four digits before the point.

    Parameters
    ----------
    amounts : iterable of float
    currency : str
        Letters that MLflow refuses in a name are left out.
    """
    size = max((abs(amount) for amount in amounts), default=0.0)
    plain = " ".join(re.sub(r"[^\w.\- ]", " ", currency, flags=re.ASCII).split()) or "money"
    for least, unit, word in ((1e9, 1e9, "billion"), (1e6, 1e6, "million"), (1e4, 1e3, "thousand")):
        if size >= least:
            return Unit(f"{word} {plain}", 1 / unit)
    return Unit(plain, 1.0)


def unit_of(results: Results) -> Unit:
    """Return the unit of all net values of an experiment: tracks share a chart by sharing its name.

    It is that of what the best earns: a large loss of another would leave nothing to see of those that count.
    """
    amounts = [one.net_value_per_year.estimate for one in results.verdict.tracks]
    amounts += [one.net_value.estimate for one in results.summaries if one.net_value is not None]
    earned = [amount for amount in amounts if amount > 0]
    return money_unit(earned or amounts, results.verdict.currency)


def gap_unit(verdict: Verdict) -> Unit:
    """Return the unit of what the tracks that may be used earn less than the leader."""
    values = [one.net_value_per_year.estimate for one in verdict.tracks if not one.excluded]
    return money_unit([max(values) - value for value in values], verdict.currency)


def net_value(unit: Unit) -> str:
    """Return the name of the money that a track earns in a year."""
    return f"net value in {unit.words} a year"


def behind(unit: Unit) -> str:
    """Return the name of what a track earns less than the leader."""
    return f"verdict/behind the leader in {unit.words} a year"


def regret(unit: Unit) -> str:
    """Return the name of what choosing a track is expected to cost."""
    return in_verdict(f"expected regret in {unit.words} a year")


def along(figure: str, axis: str) -> str:
    """Return the name of a curve: a figure along the rungs, at the step that the axis says."""
    return f"curves/{figure} {axis}"


def in_verdict(figure: str) -> str:
    """Return the name of a figure at the rung with which a track enters the verdict."""
    return f"verdict/{figure}"
