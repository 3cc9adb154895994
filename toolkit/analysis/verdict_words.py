"""What is said of a finished verdict beside its sentence: who is excluded, and who is best more often."""

from __future__ import annotations

from collections.abc import Mapping

from toolkit.analysis.results import Verdict

__all__ = ["compares", "more_often", "told_excluded"]


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
