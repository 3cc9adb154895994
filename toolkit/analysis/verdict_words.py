"""What a verdict says: its sentences, amounts and probabilities for people, and what is told beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from toolkit.amounts import MINUS
from toolkit.analysis.results import Verdict

__all__ = [
    "SENTENCES",
    "best_of",
    "chance",
    "compares",
    "money",
    "more_often",
    "percent",
    "told_excluded",
    "without_deep",
]


def money(amount: float, currency: str) -> str:
    """Return an amount for people: three significant digits, e.g. ``1.53 million USD``."""
    size = float(f"{abs(amount):.2e}")  # rounded before its word is chosen: 999,999 is a million
    sign = MINUS if amount < 0 else ""
    for scale, word in ((1e12, " trillion"), (1e9, " billion"), (1e6, " million")):
        if size >= scale:
            return f"{sign}{size / scale:,.12g}{word} {currency}"
    if size >= 100:
        return f"{sign}{size:,.0f} {currency}"
    if size == 0 or size >= 0.01:
        return f"{sign}{size:.2f} {currency}"
    decimals = 2 - math.floor(math.log10(size))
    return f"{sign}{f'{size:.{decimals}f}'.rstrip('0')} {currency}"


def chance(probability: float) -> str:
    """Return a probability for people, e.g. ``.93``."""
    if probability >= 0.995:
        return "over .99"
    return "under .01" if probability < 0.005 else f"{probability:.2f}".lstrip("0")


def percent(probability: float) -> str:
    """Return a probability in per cent, e.g. ``93 %``: in a table, rounded as in the report's.

    It is never 0 % or 100 %, which draws cannot show.
    """
    if probability < 0.001:
        return "< 0.1 %"
    if probability > 0.999:
        return "> 99.9 %"
    share = 100 * probability
    return f"{share:.{0 if 1 <= share <= 99 else 1}f} %"


SENTENCES = {
    "none pays": "Use none of them: none is expected to pay (probability {probability} that each costs more "
    "than it brings); {leader} loses least, {loss} a year, and doing nothing earns 0.",
    "perhaps none pays": "Too close to call: none is expected to pay (probability {probability} that each "
    "costs more than it brings); {leader} loses least, {loss} a year, and doing nothing earns 0.",
    "hardly pays": "Too close to call: {leader} is expected to earn {earned} a year, but with probability "
    "{probability} none pays, and doing nothing earns 0.",
    "clear": "Use {leader} (probability {probability} of being the best choice; {ahead} a year ahead of "
    "{second}).",
    "within the margin": "Too close to call: {leader} is expected to be {ahead} a year ahead of {second}, "
    "within the margin of {margin}.",
    "not sure": "Too close to call: {leader} is expected to be {ahead} a year ahead of {second}, with "
    "probability {probability} of being the best choice.",
    "deep pays": "Deep learning is worth its cost here (probability {probability} that {net} earns over "
    "{margin} a year more than {others}).",
    "deep does not pay": "Deep learning is not worth its cost here (probability {probability} that {net} "
    "earns over {margin} a year more than {others}).",
    "deep is open": "Whether deep learning is worth its cost here is open (probability {probability} that "
    "{net} earns over {margin} a year more than {others}).",
    "deep is not known": "Whether deep learning is worth its cost cannot be told from the cells at hand.",
    "deep is excluded": "Deep learning is no option here: {excluded}.",
}
"""What a verdict says, by case; the report's sliders fill in the same."""


def without_deep(excluded: Mapping[str, str]) -> str:
    """Return what is said of deep learning where no net may be used.

    Parameters
    ----------
    excluded : mapping of str to str
        Net -> why a constraint forbids it; empty where there is none.
    """
    if not excluded:
        return SENTENCES["deep is not known"]
    return SENTENCES["deep is excluded"].format(excluded=told_excluded(excluded))


def best_of(tracks: Sequence[str]) -> str:
    """Return e.g. ``the best of baseline, rules and classical``."""
    return tracks[0] if len(tracks) == 1 else f"the best of {', '.join(tracks[:-1])} and {tracks[-1]}"


def told_excluded(excluded: Mapping[str, str]) -> str:
    """Return e.g. ``rules is excluded, as it is slow; neural, as it holds much``.

    Parameters
    ----------
    excluded : mapping of str to str
        Track -> why; not empty.
    """
    (first, why), *others = excluded.items()
    return "; ".join([f"{first} is excluded, as {why}", *(f"{track}, as {why}" for track, why in others)])


def compares(verdict: Verdict) -> bool:
    """Tell whether there are two tracks that may be used: one alone is best by no probability."""
    return sum(not entry.excluded for entry in verdict.tracks) > 1


def more_often(verdict: Verdict) -> str:
    """Return that another track than the leader is best in more draws, and why it does not lead; else ``""``.

    The leader has the highest mean. Another is best more often where it is ahead by little in most draws and
    far behind in the others.
    """
    able = [entry for entry in verdict.tracks if not entry.excluded]
    leader = next((entry for entry in able if entry.track == verdict.best), None)
    if leader is None:
        return ""
    often = max(able, key=lambda entry: entry.probability_best)
    if often.probability_best <= leader.probability_best:
        return ""
    earns = "loses less" if leader.net_value_per_year.estimate < 0 else "earns more"
    share = min(round(100 * often.probability_best), 99)  # draws cannot show that it is 100
    return f"{often.track} is best more often ({share} %), {leader.track} {earns} in the mean"
