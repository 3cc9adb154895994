"""An analysed experiment as plain data and arrays, and back: the same to the last bit.

What needs evidence and takes seconds is kept, so that a finished experiment can be priced again without
reading evidence or training anything. No pickle: JSON (whose floats are exact) and float64 arrays.

Format history (raise `SNAPSHOT_VERSION`; a snapshot of another version is made anew, never read):

7. thresholds that may come to be chosen, and their decisions by groups of clusters
6. early stops with the economics they were decided under
5. what the validation block says of each group of clusters
4. fronts and equal errors
3. more of each curve; forecasts held against what was measured
2. curves against the costs of readings
1. first version
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from toolkit.analysis.analysed import Analysed
from toolkit.analysis.choices import Choices, RungChoices
from toolkit.analysis.comparison.comparison_record import EqualError, Front
from toolkit.analysis.decisions import Decision
from toolkit.analysis.forecast_record import BackTest, EarlyStop
from toolkit.analysis.intervals import ADDITIVE, RANKED, ScoreDraws
from toolkit.analysis.results import CellKey, Curve, Finding, Interval, LabelsSaved, Pair, Statement
from toolkit.analysis.stacks import Floats, StackKey
from toolkit.analysis.stops.prospect_record import Prospect
from toolkit.analysis.validation import Validation
from toolkit.records import CellRecord, Evidence

__all__ = ["SNAPSHOT_VERSION", "StoredStack", "decode", "encode"]

SNAPSHOT_VERSION = 7

_SHOWN: Mapping[str, Any] = {
    "curves": tuple[Curve, ...],
    "labels_saved": tuple[LabelsSaved, ...],
    "statements": tuple[Statement, ...],
    "findings": tuple[Finding, ...],
    "fronts": tuple[Front, ...],
    "equal_errors": tuple[EqualError, ...],
    "stops": tuple[EarlyStop, ...],
    "prospects": tuple[Prospect, ...],
}
"""Fields that are tuples of values, with their types."""


@dataclass(frozen=True, eq=False)
class StoredStack:
    """What comparisons need to know of one track at one rung, without its evidence.

    Parameters
    ----------
    track : str
    rung : int
    seeds : tuple of int
    rows : ndarray of shape (n_clusters,)
    errors : mapping of str to ndarray of shape (n_seeds, n_clusters)
        Additive errors summed over the rows of each cluster.
    """

    track: str
    rung: int
    seeds: tuple[int, ...]
    rows: Floats
    errors: Mapping[str, Floats]

    @property
    def n_clusters(self) -> int:
        """Number of test clusters."""
        return len(self.rows)

    def sums(self, score: str) -> Floats:
        """Return an additive error summed over each cluster's rows, shape (n_seeds, n_clusters)."""
        return self.errors[score]


def encode(analysed: Analysed) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return an analysed experiment as plain data and arrays, evidence left out.

    Seeds of all stacks stand side by side in the arrays, in the order of ``stacks``.

    Parameters
    ----------
    analysed : Analysed
    """
    stacks = list(analysed.stacks.items())
    document: dict[str, Any] = {
        "task": dict(analysed.task),
        "tracks": list(analysed.tracks),
        "records": [record.model_dump(mode="python") for record in analysed.records],
        "stacks": [[track, rung, list(stack.seeds)] for (track, rung), stack in stacks],
        "choices": [
            [one.track, one.rung, list(one.seeds), list(one.validation)] for one in analysed.choices.values()
        ],
        "scores": [
            [track, rung, {name: asdict(one) for name, one in scores.items()}]
            for (track, rung), scores in analysed.scores.items()
        ],
        "decisions": [
            [one.track, one.rung, one.threshold, None if one.validation is None else asdict(one.validation)]
            for one in analysed.decisions.values()
        ],
        "pairs": [[list(rungs), [asdict(pair) for pair in found]] for rungs, found in analysed.pairs.items()],
        "backtest": asdict(analysed.backtest),
        **{name: [asdict(one) for one in getattr(analysed, name)] for name in _SHOWN},
    }
    arrays: dict[str, NDArray[Any]] = {
        "decisions": np.array([one.value for one in analysed.decisions.values()]),
        **_choice_arrays(list(analysed.choices.values())),
    }
    if stacks:
        arrays["rows"] = stacks[0][1].rows
    for score in ADDITIVE if stacks else ():
        arrays[f"sums {score}"] = np.concatenate([stack.sums(score) for _, stack in stacks])
    for score in RANKED if stacks else ():
        drawn = [analysed.drawn[key] for key, _ in stacks]
        arrays[f"points {score}"] = np.concatenate([one.points[score] for one in drawn])
        arrays[f"draws {score}"] = np.concatenate([one.draws[score] for one in drawn], axis=1)
    return document, arrays


def decode(
    document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], evidence: Mapping[CellKey, Evidence]
) -> Analysed:
    """Return what `encode` was given.

    Parameters
    ----------
    document : mapping
    arrays : mapping of str to ndarray
    evidence : mapping of (track, rung, seed) to Evidence

    Raises
    ------
    ValueError, KeyError, TypeError
        It is damaged.
    """
    stacks, drawn = _stacks(document["stacks"], arrays)
    intervals = TypeAdapter(dict[str, Interval])
    decisions = zip(document["decisions"], arrays["decisions"], strict=True)
    validation = TypeAdapter(Validation | None)
    pairs = TypeAdapter(tuple[Pair, ...])
    return Analysed(
        task=document["task"],
        tracks=tuple(document["tracks"]),
        records=tuple(CellRecord.model_validate(record) for record in document["records"]),
        stacks=stacks,
        drawn=drawn,
        choices=_choices(document["choices"], arrays),
        scores={
            (track, rung): intervals.validate_python(scores) for track, rung, scores in document["scores"]
        },
        decisions={
            (track, rung): Decision(track, rung, threshold, validation.validate_python(seen), value)
            for (track, rung, threshold, seen), value in decisions
        },
        evidence=evidence,
        backtest=TypeAdapter(BackTest).validate_python(document["backtest"]),
        pairs={
            tuple((track, rung) for track, rung in rungs): pairs.validate_python(found)
            for rungs, found in document["pairs"]
        },
        **{name: TypeAdapter(kind).validate_python(document[name]) for name, kind in _SHOWN.items()},
    )


def _stacks(
    seeds_of: Iterable[tuple[str, int, list[int]]], arrays: Mapping[str, Floats]
) -> tuple[dict[StackKey, StoredStack], dict[StackKey, ScoreDraws]]:
    stacks, drawn, place = {}, {}, 0
    for track, rung, seeds in seeds_of:
        own = slice(place, place + len(seeds))
        place += len(seeds)
        stacks[track, rung] = StoredStack(
            track,
            rung,
            tuple(seeds),
            arrays["rows"],
            {score: arrays[f"sums {score}"][own] for score in ADDITIVE},
        )
        drawn[track, rung] = ScoreDraws(
            points={score: arrays[f"points {score}"][own] for score in RANKED},
            draws={score: arrays[f"draws {score}"][:, own] for score in RANKED},
        )
    return stacks, drawn


def _choice_arrays(rungs: Sequence[RungChoices]) -> dict[str, NDArray[Any]]:
    """Return the choices of all rungs and seeds, one after the other."""
    every = [one for rung in rungs for one in rung.choices]
    if not every:
        return {}
    return {
        "choices": np.array([len(one.thresholds) for one in every]),
        "choices thresholds": np.concatenate([one.thresholds for one in every]).astype(np.int16),
        "choices validation": np.concatenate([one.validation for one in every]).astype(np.int32),
        "choices test": np.concatenate([one.test for one in every]).astype(np.int32),
        "test": rungs[0].test,
    }


def _choices(
    rungs: Iterable[tuple[str, int, list[int], list[int]]], arrays: Mapping[str, NDArray[Any]]
) -> dict[StackKey, RungChoices]:
    found: dict[StackKey, RungChoices] = {}
    if "choices" not in arrays:
        return found
    ends = np.cumsum(arrays["choices"])[:-1]
    names = ("choices thresholds", "choices validation", "choices test")
    every = zip(*(np.split(arrays[name].astype(np.int64), ends) for name in names), strict=True)
    for track, rung, seeds, (positives, negatives) in rungs:
        own = tuple(Choices(*next(every)) for _ in seeds)
        found[track, rung] = RungChoices(
            track, rung, tuple(seeds), own, (positives, negatives), arrays["test"]
        )
    return found
