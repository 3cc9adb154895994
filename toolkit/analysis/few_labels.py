"""What a ladder of labels was made to show of the hybrid: labels saved, and whether it is ever worse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from toolkit.analysis.intervals import LEVEL, ScoreDraws
from toolkit.analysis.labels_saved import Ladder, labels_saved, percentiles, read_ladder
from toolkit.analysis.results import Finding, Interval, LabelsSaved, Statement
from toolkit.analysis.stacks import Floats, Stack, StackKey
from toolkit.config import Experiment

__all__ = ["few_labels", "kind_of", "told"]

SCORE = "score_roc_auc"
"""What the statements are about: unlike log loss it does not hang on the level, which few households tell."""

TIE = 0.005
"""A difference in ROC-AUC that counts for nothing."""

TARGET = 0.01
"""What the hybrid without labels should be above the rules."""

FEW, MANY = 100, 1_000
"""The hybrid's labels, and the neural track's, that are held against each other."""


def kind_of(experiment: Experiment, track: str) -> str:
    """Return the plug-in of a track: its own name, unless its parameters say which."""
    return str(experiment.tracks.get(track, {}).get("track", track))


@dataclass(frozen=True)
class _Roles:
    """Which track is what; None where there is none.

    Parameters
    ----------
    hybrid, neural, rules, flipped : str or None
        `flipped` is a hybrid that a share of its certainties misleads.
    learners : tuple of str
        Tracks that learn from labels alone.
    """

    hybrid: str | None
    neural: str | None
    rules: str | None
    flipped: str | None
    learners: tuple[str, ...]

    @classmethod
    def of(cls, experiment: Experiment) -> _Roles:
        def first(kind: str, *, flipped: bool = False) -> str | None:
            for name, params in experiment.tracks.items():
                plain = params.get("ablation", "none") == "none" and params.get("teacher_labels") is None
                if kind_of(experiment, name) != kind or not plain:
                    continue
                if bool(params.get("flip_signs", 0)) == flipped:
                    return name
            return None

        others = ("hybrid", "rules", "baseline")
        return cls(
            hybrid=first("hybrid"),
            neural=first("neural"),
            rules=first("rules"),
            flipped=first("hybrid", flipped=True),
            learners=tuple(name for name in experiment.tracks if kind_of(experiment, name) not in others),
        )


def few_labels(
    experiment: Experiment,
    primary_error: str,
    stacks: Mapping[StackKey, Stack],
    drawn: Mapping[StackKey, ScoreDraws],
    weights: Floats,
) -> tuple[tuple[LabelsSaved, ...], tuple[Statement, ...]]:
    """Return labels saved, and the statements about the hybrid; nothing without a ladder of labels.

    Parameters
    ----------
    experiment : Experiment
    primary_error : str
    stacks, drawn : mapping of (track, rung)
    weights : ndarray of shape (n_draws, n_clusters)
        Those that `drawn` was made with.
    """
    roles = _Roles.of(experiment)
    if not experiment.ladder.counts_labels or roles.hybrid is None or not stacks:
        return (), ()
    reader = _Reader(experiment, stacks, drawn, weights)
    saved: list[LabelsSaved] = []
    for score in dict.fromkeys((SCORE, "score_average_precision", primary_error)):
        hybrid = reader.read(roles.hybrid, score)
        others = [found for name in roles.learners if (found := reader.read(name, score)) is not None]
        if hybrid is not None:
            saved += labels_saved(hybrid, others, score)
    return tuple(saved), tuple(_statements(reader, roles))


def told(statements: Sequence[Statement]) -> Iterator[Finding]:
    """Yield the statements as findings; one that does not hold is a warning."""
    for one in statements:
        yield Finding(f"few_labels_{one.code}", "warning" if one.holds is False else "info", one.sentence)


@dataclass(frozen=True)
class _Reader:
    experiment: Experiment
    stacks: Mapping[StackKey, Stack]
    drawn: Mapping[StackKey, ScoreDraws]
    weights: Floats

    def read(self, track: str | None, score: str = SCORE) -> Ladder | None:
        """Return a track's ladder."""
        if track is None:
            return None
        rungs = self.experiment.ladder.rungs
        labels = {index: float(rung.labels or 0) for index, rung in enumerate(rungs)}
        return self._ladder(track, labels, score)

    def fixed(self, track: str | None) -> Ladder | None:
        """Return the largest rung of a track that sees no labels, as a ladder of one for all seeds."""
        own = [rung for name, rung in self.stacks if name == track]
        ladder = self._ladder(track, {max(own): 0.0}, SCORE) if track is not None and own else None
        if ladder is None:
            return None
        same = ladder.mean(ladder.tables[0])[:, None] * np.ones_like(ladder.times)
        return replace(ladder, tables=same[None])

    def _ladder(self, track: str, labels: Mapping[int, float], score: str) -> Ladder | None:
        seeds = sorted({seed for stack in self.stacks.values() for seed in stack.seeds})
        return read_ladder(track, labels, seeds, self.stacks, self.drawn, self.weights, score)


def _statements(reader: _Reader, roles: _Roles) -> Iterator[Statement]:
    hybrid, neural = reader.read(roles.hybrid), reader.read(roles.neural)
    rules, flipped = reader.fixed(roles.rules), reader.read(roles.flipped)
    if hybrid is None:
        return
    found: list[Statement | None] = []
    if rules is not None:
        found.append(_above_rules(hybrid, rules))
    if neural is not None and hybrid.reaches(FEW) and neural.reaches(MANY):
        found.append(_as_good_as_many(hybrid, neural))
    found.append(_never_worse(hybrid, [rival for rival in (neural, rules) if rival is not None]))
    if flipped is not None and neural is not None:
        found.append(_misled(flipped, neural, reader.experiment.tracks[flipped.track]))
    yield from (statement for statement in found if statement is not None)


def _above_rules(hybrid: Ladder, rules: Ladder) -> Statement:
    found = percentiles(hybrid.mean(hybrid.tables[0] - rules.tables[0]))
    reached = "reached" if found.estimate >= TARGET else "not reached"
    return Statement(
        "above_rules",
        f"with {_labels(hybrid.labels[0])}, {hybrid.track} lies {_place(found)} {rules.track} in ROC-AUC: "
        f"{_figures(found)}; the target of +{TARGET:g} is {reached}",
        found,
        _told_by([found], 0.0),
    )


def _as_good_as_many(hybrid: Ladder, neural: Ladder) -> Statement | None:
    differences = hybrid.mean(hybrid.at(FEW) - neural.at(MANY))
    if np.isnan(differences[0]):
        return None
    found = percentiles(differences)
    between = [
        f"{track.track} with {_labels(labels)}"
        for track, labels in ((hybrid, FEW), (neural, MANY))
        if labels not in track.labels
    ]
    note = f" ({' and '.join(between)}: between its rungs)" if between else ""
    return Statement(
        "as_good_as_many",
        f"with {_labels(FEW)}, {hybrid.track} lies {_place(found)} {neural.track} with {_labels(MANY)} in "
        f"ROC-AUC: {_figures(found)}{note}",
        found,
        _told_by([found], -TIE),
    )


@dataclass(frozen=True)
class _Rung:
    """A track held against another one at one number of labels."""

    labels: float
    against: str
    found: Interval


def _everywhere(track: Ladder, rivals: Sequence[Ladder]) -> list[_Rung]:
    """Return comparisons at every number of labels that a rival has too, or with a rival that sees none.

    The intervals hold for all of them at once (Bonferroni): the worst of many is below by luck alone.
    """
    pairs = []
    for labels, table in zip(track.labels.tolist(), track.tables, strict=True):
        for rival in rivals:
            places = np.flatnonzero((rival.labels == labels) | (rival.labels.max() == 0))
            differences = [track.mean(table - rival.tables[place]) for place in places]
            pairs += [(labels, rival.track, each) for each in differences if not np.isnan(each[0])]
    level = 1 - (1 - LEVEL) / max(len(pairs), 1)
    return [_Rung(labels, against, percentiles(each, level)) for labels, against, each in pairs]


def _never_worse(hybrid: Ladder, rivals: Sequence[Ladder]) -> Statement | None:
    rungs = _everywhere(hybrid, rivals)
    if not rungs:
        return None
    against = " and ".join(rival.track for rival in rivals)
    return Statement(
        "never_worse",
        f"{hybrid.track} against the better of {against} {_worst_of(rungs)}",
        min(rungs, key=lambda rung: rung.found.estimate).found,
        _told_by([rung.found for rung in rungs], -TIE),
    )


def _misled(flipped: Ladder, neural: Ladder, params: Mapping[str, Any]) -> Statement | None:
    rungs = _everywhere(flipped, [neural])
    if not rungs:
        return None
    return Statement(
        "misled",
        f"with the signs of {100 * float(params['flip_signs']):g} % of the certainties turned, the hybrid "
        f"({flipped.track}) {_worst_of(rungs)}",
        min(rungs, key=lambda rung: rung.found.estimate).found,
        _told_by([rung.found for rung in rungs], -TIE),
    )


def _worst_of(rungs: Sequence[_Rung]) -> str:
    worst = min(rungs, key=lambda rung: rung.found.estimate)
    at_once = f", for all {len(rungs)} comparisons at once" if len(rungs) > 1 else ""
    return (
        f"is at its worst with {_labels(worst.labels)}, where it lies {_place(worst.found)} {worst.against} "
        f"in ROC-AUC: {_figures(worst.found)}{at_once}; −{TIE:g} is allowed"
    )


def _told_by(differences: Sequence[Interval], bound: float) -> bool | None:
    """Tell whether all differences lie above a bound; None where their intervals leave it open."""
    if any(found.high < bound for found in differences):
        return False
    return True if all(found.low >= bound for found in differences) else None


def _place(difference: Interval) -> str:
    if difference.low > 0:
        return "above"
    if difference.high < 0:
        return "below"
    return "level with"


def _figures(difference: Interval) -> str:
    # rounded first and added to zero: nothing is not told with a minus
    told = (round(value, 4) + 0.0 for value in (difference.estimate, difference.low, difference.high))
    return "{:+.4f} [{:+.4f}, {:+.4f}]".format(*told)


def _labels(number: float) -> str:
    return "no labels" if number == 0 else f"{number:,.0f} labels"
