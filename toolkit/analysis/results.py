"""The values that analysis returns and that report and results.json show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from toolkit.analysis.comparison.comparison_record import EqualError, Front, Ranked
from toolkit.analysis.curve_record import Curve
from toolkit.analysis.forecast_record import BackTest, EarlyStop, Replay
from toolkit.analysis.interval import Interval
from toolkit.analysis.spending import Spending
from toolkit.analysis.whatif.record import NextPoint, RungStep, Sensitivity
from toolkit.records import CellRecord, Evidence

if TYPE_CHECKING:
    from toolkit.analysis.whatif.sheet import Sheet

__all__ = [
    "Curve",
    "EqualError",
    "Finding",
    "Front",
    "Interval",
    "LabelsSaved",
    "Pair",
    "Ranked",
    "Results",
    "RungSummary",
    "Statement",
    "TrackVerdict",
    "Verdict",
]

CellKey = tuple[str, int, int]
"""(track, rung, seed)."""


@dataclass(frozen=True)
class Finding:
    """Something a reader should know: code, severity, sentence, and what to do."""

    code: str
    severity: Literal["info", "warning", "error"]
    sentence: str


@dataclass(frozen=True)
class RungSummary:
    """One track at one rung: medians of costs over seeds, errors with intervals over clusters and seeds.

    `scores` maps ``error_log_loss``, ``score_average_precision``, ``score_roc_auc`` … to intervals;
    `costs` maps each ``cost_*`` column to its median over seeds (None when not measured);
    `net_value` is the money a year at this rung (currency of the experiment), None when it cannot be told.
    `front_probability` is that no other rung is cheaper to train and better, None when it cannot be told.
    """

    track: str
    rung: int
    n_train: int
    n_rules: int | None
    n_seeds: int
    scores: Mapping[str, Interval]
    costs: Mapping[str, float | None]
    validation_value: float | None = None
    net_value: Interval | None = None
    threshold: float | None = None
    on_front: bool = False
    front_probability: float | None = None


@dataclass(frozen=True)
class Pair:
    """`first` minus `second` on one score or error, same test rows: mean difference with interval.

    `p_holm` is adjusted for the number of pairs of that score; `margin` is what counts as a tie.
    """

    first: str
    second: str
    score: str
    difference: Interval
    verdict: Literal["better", "worse", "tie", "unclear"]
    p_holm: float | None = None
    margin: float | None = None


@dataclass(frozen=True)
class LabelsSaved:
    """What another track needs to be as good as the hybrid is with few labels.

    Parameters
    ----------
    score : str
        Score or error that is compared.
    track : str
        The hybrid.
    against : str
        The track that needs more labels.
    labels : int
        That the hybrid has.
    quality : Interval
        Its score or error there.
    needed : Interval
        Labels that the other needs; `fewest` means that so many are enough and fewer were not tried,
        infinity that `most` are not enough.
    fewest, most : int
        Labels of the other's smallest and largest rung.
    """

    score: str
    track: str
    against: str
    labels: int
    quality: Interval
    needed: Interval
    fewest: int
    most: int


@dataclass(frozen=True)
class Statement:
    """Something that was to be shown: whether the cells show it.

    Parameters
    ----------
    code : str
    sentence : str
        What was found, with its figures.
    difference : Interval or None
        What it rests on; None where the cells cannot tell.
    holds : bool or None
        None where the cells cannot tell.
    """

    code: str
    sentence: str
    difference: Interval | None
    holds: bool | None


@dataclass(frozen=True)
class TrackVerdict:
    """One track as it enters the verdict: at the rung that the validation block values most.

    `excluded` says why it may not be used, whatever it earns; else `regret_per_year` is how much less it is
    expected to earn than the best of all tracks, and `behind_leader_per_year` how much less it earns than the
    leader (None of the leader itself), where what both rest on cancels.
    """

    track: str
    rung: int
    net_value_per_year: Interval
    probability_best: float
    yearly_costs: Mapping[str, float]
    gross_value_per_year: float
    excluded: str = ""
    regret_per_year: float | None = None
    behind_leader_per_year: Interval | None = None


@dataclass(frozen=True)
class Verdict:
    """Which track to use, and how sure that is. None where the cells at hand cannot tell.

    `probability_none_pays` is that no track earns anything after its costs; None where doing nothing does not
    earn 0, because outcomes of saying no have a value. `value_of_perfect_information` is what it would be
    worth a year to know for certain which track is best, instead of taking that of the highest expectation.
    """

    best: str | None
    probability_best: float | None
    too_close_to_call: bool | None
    deep_learning_worth_it: bool | None
    hybrid_worth_it: bool | None
    probability_deep_learning_worth_it: float | None
    sentence: str
    margin: float | None
    currency: str
    currency_per_usd: float
    tracks: tuple[TrackVerdict, ...] = ()
    probability_hybrid_worth_it: float | None = None
    probability_none_pays: float | None = None
    value_of_perfect_information: float | None = None

    @property
    def use(self) -> str | None:
        """The track to use; None where none is expected to pay, or fewer than two can be valued."""
        leader = next((one for one in self.tracks if one.track == self.best), None)
        loses = leader is not None and leader.net_value_per_year.estimate < 0
        return None if loses and self.probability_none_pays is not None else self.best


@dataclass(frozen=True)
class Results:
    """All that a report shows. Sections read this and nothing else.

    Parameters
    ----------
    experiment : mapping
        The experiment file as plain data, defaults filled in.
    task : mapping
        ``name``, ``title``, ``cluster``, ``notices`` (list of str), ``facts`` (mapping), ``primary_error``.
    cells : tuple of CellRecord
        From `records.without_repeats`, failures included.
    evidence : mapping of (track, rung, seed) to Evidence
    summaries, curves, pairs, verdict, findings, labels_saved, statements
        From the analysis; the last two are empty unless the ladder counts labels and there is a hybrid.
    knowledge : list of mapping
        One a knowledge base in use: ``tracks``, ``name``, ``hash``, ``rules`` (list of mapping with
        ``id``, ``when``, ``then``, ``certainty``, ``because``); since it is held against training rows
        also ``positive`` (the outcome's word) and ``data`` (`toolkit.knowledge.overview.overview`).
    ranking, fronts, equal_errors
        From the analysis; empty where there is nothing to compare.
    environment : mapping of str to str
        Machine, versions, git commit, time.
    backtest : BackTest
        The dearer rungs as the cheaper ones foretold them.
    stops : tuple of EarlyStop
        Tracks that the sweep let stop climbing (``--stop-early``).
    replay : Replay
        What that would have done on the cells that ran.
    sensitivity : Sensitivity or None
        What would change the verdict; None with fewer than two tracks.
    steps : tuple of RungStep
        What each further rung adds in value and in cost.
    next_points : tuple of NextPoint
        What the next point of error would cost each track.
    sheet : Sheet or None
        What the sliders of the report need.
    prices : list of mapping
        Every price and constant in use with ``name``, ``value``, ``unit``, ``source``, ``date``, ``basis``.
    """

    experiment: Mapping[str, Any]
    task: Mapping[str, Any]
    cells: tuple[CellRecord, ...]
    evidence: Mapping[CellKey, Evidence]
    summaries: tuple[RungSummary, ...]
    curves: tuple[Curve, ...]
    pairs: tuple[Pair, ...]
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    knowledge: tuple[Mapping[str, Any], ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    prices: tuple[Mapping[str, Any], ...] = ()
    labels_saved: tuple[LabelsSaved, ...] = ()
    statements: tuple[Statement, ...] = ()
    spending: Spending = field(default_factory=Spending)
    ranking: tuple[Ranked, ...] = ()
    fronts: tuple[Front, ...] = ()
    equal_errors: tuple[EqualError, ...] = ()
    backtest: BackTest = field(default_factory=BackTest)
    stops: tuple[EarlyStop, ...] = ()
    replay: Replay = field(default_factory=Replay)
    sensitivity: Sensitivity | None = None
    steps: tuple[RungStep, ...] = ()
    next_points: tuple[NextPoint, ...] = ()
    sheet: Sheet | None = None
