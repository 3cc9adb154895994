"""Constraints: rungs and tracks that the business could not use, whatever they earn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from toolkit.analysis.readings import RungReadings
from toolkit.analysis.results import Finding
from toolkit.analysis.stacks import StackKey
from toolkit.analysis.whatif.words import amount
from toolkit.config import Constraints, Experiment

__all__ = ["Allowed", "allow"]

_LATENCY = ("cost_predict_single_p95_seconds", "cost_predict_single_p50_seconds")
_MEMORY = ("cost_predict_single_peak_bytes", "cost_predict_batch_peak_bytes", "cost_predict_first_peak_bytes")


@dataclass(frozen=True)
class Allowed:
    """The rungs that may enter a verdict under its constraints.

    Parameters
    ----------
    keys : tuple of (track, rung)
    excluded : mapping of str to str
        Track -> why none of its rungs may.
    findings : tuple of Finding
    """

    keys: tuple[StackKey, ...]
    excluded: Mapping[str, str]
    findings: tuple[Finding, ...] = ()


def allow(
    keys: Iterable[StackKey], readings: Mapping[StackKey, RungReadings], experiment: Experiment
) -> Allowed:
    """Hold rungs against the constraints of an experiment.

    A rung whose latency or memory was not measured is not known to break a constraint: it stays, and a
    finding says so. Latency is that of 19 calls in 20, by the declared speed of the processor.

    Parameters
    ----------
    keys : iterable of (track, rung)
    readings : mapping of (track, rung) to RungReadings
    experiment : Experiment
    """
    every, limits = tuple(keys), experiment.constraints
    broken: dict[StackKey, str] = {}
    unknown: dict[str, list[StackKey]] = {}
    able = {track: _explains(experiment, track) for track, _ in every} if limits.must_explain else {}
    for key in every:
        why, missing = _held_against(limits, readings[key], experiment.economics.speed.likely)
        if not able.get(key[0], True):
            why = ["it cannot explain single decisions"]
        if why:
            broken[key] = " and ".join(why)
            continue
        for name in missing:
            unknown.setdefault(name, []).append(key)
    kept = tuple(key for key in every if key not in broken)
    left = {track for track, _ in kept}
    excluded = {track: why for (track, _), why in broken.items() if track not in left}
    return Allowed(kept, excluded, (*_told(broken, left, excluded), *_not_known(unknown, every)))


def _explains(experiment: Experiment, track: str) -> bool:
    from toolkit import registry  # tracks bring pandas, which pricing does without
    from toolkit.tracks.base import Track

    kind = registry.plugin("tracks", experiment.plugin(track))
    return kind.explain is not Track.explain


def _held_against(limits: Constraints, readings: RungReadings, speed: float) -> tuple[list[str], list[str]]:
    """Return which constraints a rung breaks, in words, and which are not known."""
    why, unknown = [], []
    if limits.latency_ms is not None:
        seconds = next((value for cost in _LATENCY if (value := readings.median(cost)) is not None), None)
        if seconds is None:
            unknown.append("latency")
        elif (took := seconds * 1000 / speed) > limits.latency_ms:
            why.append(f"a decision takes {amount(took, up=True)} ms (at most {limits.latency_ms:g} ms)")
    if limits.memory_mb is not None:
        held = [value for cost in _MEMORY if (value := readings.median(cost)) is not None]
        if not held:
            unknown.append("memory")
        elif (megabytes := max(held) / 1e6) > limits.memory_mb:
            why.append(f"predicting holds {amount(megabytes, up=True)} MB (at most {limits.memory_mb:g} MB)")
    return why, unknown


def _told(broken: Mapping[StackKey, str], left: Iterable[str], excluded: Mapping[str, str]) -> list[Finding]:
    found = [
        Finding("excluded", "warning", f"{track} is excluded from the verdict: {why}")
        for track, why in excluded.items()
    ]
    for track in left:
        rungs = sorted(rung for name, rung in broken if name == track)
        if rungs:
            found.append(
                Finding(
                    "rungs_excluded",
                    "info",
                    f"{track} may not be deployed at {_rungs(rungs)}: {broken[track, rungs[-1]]}",
                )
            )
    return found


def _rungs(rungs: Sequence[int]) -> str:
    return f"rung{'s' if len(rungs) > 1 else ''} {', '.join(map(str, rungs))}"


def _not_known(unknown: Mapping[str, Sequence[StackKey]], every: Sequence[StackKey]) -> list[Finding]:
    return [
        Finding(
            "constraint_unknown",
            "warning",
            f"the {name} of {'; '.join(_where(keys, every))} was not measured: it excludes none of these",
        )
        for name, keys in unknown.items()
    ]


def _where(keys: Sequence[StackKey], every: Sequence[StackKey]) -> list[str]:
    """Return rungs by track; of a track with all its rungs, the name."""
    by_track: dict[str, list[int]] = {}
    for track, rung in keys:
        by_track.setdefault(track, []).append(rung)
    climbed = Counter(track for track, _ in every)
    return [
        track if len(rungs) == climbed[track] else f"{track} at {_rungs(sorted(rungs))}"
        for track, rungs in by_track.items()
    ]
