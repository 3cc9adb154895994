"""Which plug-in each track is made with: an experiment may hold several nets, under names of their own."""

from __future__ import annotations

from toolkit.analysis.results import Results
from toolkit.config import TRACK_KEY

__all__ = ["excluded_as", "kinds"]


def kinds(results: Results) -> dict[str, str]:
    """Return track -> plug-in, of the tracks of the experiment and of the verdict."""
    declared = results.experiment.get("tracks") or {}
    names = [*declared, *(entry.track for entry in results.verdict.tracks)]
    return {name: str((declared.get(name) or {}).get(TRACK_KEY, name)) for name in names}


def excluded_as(kind: str, results: Results) -> dict[str, str]:
    """Return why each track of a plug-in is excluded, of those that are."""
    known = kinds(results)
    return {
        entry.track: entry.excluded
        for entry in results.verdict.tracks
        if entry.excluded and known[entry.track] == kind
    }
