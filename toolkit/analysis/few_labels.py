"""What a ladder of labels was made to show of the hybrid: labels saved, and whether it is ever worse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from toolkit.analysis.intervals import ScoreDraws
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
    if not experiment.ladder.counts_labels or roles.hybrid is None:
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
        """Return the largest rung of a track that sees no labels, as a ladder of one."""
        own = [rung for name, rung in self.stacks if name == track]
        return self._ladder(track, {max(own): 0.0}, SCORE) if track is not None and own else None

    def _ladder(self, track: str, labels: Mapping[int, float], score: str) -> Ladder | None:
        seeds = sorted({seed for stack in self.stacks.values() for seed in stack.seeds})
        return read_ladder(track, labels, seeds, self.stacks, self.drawn, self.weights, score)


def _statements(reader: _Reader, roles: _Roles) -> Iterator[Statement]:
    hybrid, neural = reader.read(roles.hybrid), reader.read(roles.neural)
    rules, flipped = reader.fixed(roles.rules), reader.read(roles.flipped)
    if hybrid is None:
        return
    if rules is not None:
        yield _above_rules(hybrid, rules)
    if neural is not None and hybrid.reaches(FEW) and neural.reaches(MANY):
        yield _as_good_as_many(hybrid, neural)
    if neural is not None or rules is not None:
        yield _never_worse(hybrid, neural, rules)
    if flipped is not None and neural is not None:
        yield _misled(flipped, neural, reader.experiment.tracks[flipped.track])


def _above_rules(hybrid: Ladder, rules: Ladder) -> Statement:
    found = percentiles(hybrid.quality[:, 0] - rules.quality[:, 0])
    reached = "reached" if found.estimate >= TARGET else "not reached"
    return Statement(
        "above_rules",
        f"with {_labels(hybrid.labels[0])}, {hybrid.track} lies {_place(found)} {rules.track} in ROC-AUC: "
        f"{_figures(found)}; the target of +{TARGET:g} is {reached}",
        found,
        found.low > 0,
    )


def _as_good_as_many(hybrid: Ladder, neural: Ladder) -> Statement:
    found = percentiles(hybrid.at(FEW) - neural.at(MANY))
    return Statement(
        "as_good_as_many",
        f"with {_labels(FEW)}, {hybrid.track} lies {_place(found)} {neural.track} with {_labels(MANY)} in "
        f"ROC-AUC: {_figures(found)}",
        found,
        found.low >= -TIE,
    )


def _never_worse(hybrid: Ladder, neural: Ladder | None, rules: Ladder | None) -> Statement:
    worst, where, against = Interval(np.inf, np.inf, np.inf), 0.0, ""
    for position, labels in enumerate(hybrid.labels.tolist()):
        rivals = [] if rules is None else [(rules.track, rules.quality[:, 0])]
        if neural is not None and labels in neural.labels:
            rivals.append((neural.track, neural.quality[:, neural.labels.tolist().index(labels)]))
        for name, quality in rivals:
            found = percentiles(hybrid.quality[:, position] - quality)
            if found.estimate < worst.estimate:
                worst, where, against = found, labels, name
    rival = " and ".join(one.track for one in (neural, rules) if one is not None)
    return Statement(
        "never_worse",
        f"{hybrid.track} against the better of {rival} is at its worst with {_labels(where)}, where it lies "
        f"{_place(worst)} {against} in ROC-AUC: {_figures(worst)}; −{TIE:g} is allowed",
        worst,
        worst.estimate >= -TIE,
    )


def _misled(flipped: Ladder, neural: Ladder, params: Mapping[str, Any]) -> Statement:
    common = [labels for labels in flipped.labels.tolist() if labels in neural.labels]
    found = {
        labels: percentiles(
            flipped.quality[:, flipped.labels.tolist().index(labels)]
            - neural.quality[:, neural.labels.tolist().index(labels)]
        )
        for labels in common
    }
    where = min(found, key=lambda labels: found[labels].estimate)
    return Statement(
        "misled",
        f"with the signs of {100 * float(params['flip_signs']):g} % of the certainties turned, the hybrid "
        f"({flipped.track}) is at its worst with {_labels(where)}, where it lies {_place(found[where])} "
        f"{neural.track} in ROC-AUC: {_figures(found[where])}; −{TIE:g} is allowed",
        found[where],
        found[where].estimate >= -TIE,
    )


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
