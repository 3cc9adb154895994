"""The half of an analysis that no price changes: what `toolkit.analysis.pricing` puts prices on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from toolkit.analysis.choices import RungChoices
from toolkit.analysis.comparison.comparison_record import EqualError, Front
from toolkit.analysis.decisions import Decision
from toolkit.analysis.forecast_record import BackTest, EarlyStop
from toolkit.analysis.intervals import ScoreDraws
from toolkit.analysis.machines import OneMachine, on_one_machine
from toolkit.analysis.readings import RungReadings, by_rung, of_cells
from toolkit.analysis.results import CellKey, Curve, Finding, Interval, LabelsSaved, Pair, Statement
from toolkit.analysis.stacks import Scored, StackKey
from toolkit.analysis.stops.prospect_record import Prospect
from toolkit.records import CellRecord, Evidence

__all__ = ["Analysed"]


@dataclass(frozen=True)
class Analysed:
    """Everything that is known of an experiment's cells but their prices.

    The value of decisions is in it: it hangs on what outcomes are worth, and on nothing else declared.

    Parameters
    ----------
    task : mapping
        As in `Results`, with ``margins`` where the task declares some.
    tracks : tuple of str
        In the order of the experiment file, those that only cells know after them.
    records : tuple of CellRecord
        As recorded: failures and further readings included.
    stacks : mapping of (track, rung) to Scored
        Scores by seed and cluster, for the pairs.
    drawn : mapping of (track, rung) to ScoreDraws
    scores : mapping of (track, rung) to mapping of str to Interval
    choices : mapping of (track, rung) to RungChoices
        From which decisions can be valued under other values of outcomes.
    decisions : mapping of (track, rung) to Decision
    curves, labels_saved, statements, findings
        As in `Results`.
    evidence : mapping of (track, rung, seed) to Evidence
        Of finished cells.
    pairs : mapping of tuple of (track, rung) to tuple of Pair
        Comparisons that are known already, by the rungs that enter the verdict.
    fronts : tuple of Front
    equal_errors : tuple of EqualError
        In CPU-seconds alone.
    backtest, stops
        As in `Results`; the second are as the sweep decided them.
    prospects : tuple of Prospect
        What every rung from the seventh on said of those above it, and the rungs of a stopped track of those
        that were skipped.
    """

    task: Mapping[str, Any]
    tracks: tuple[str, ...]
    records: tuple[CellRecord, ...]
    stacks: Mapping[StackKey, Scored]
    drawn: Mapping[StackKey, ScoreDraws]
    scores: Mapping[StackKey, Mapping[str, Interval]]
    choices: Mapping[StackKey, RungChoices]
    decisions: Mapping[StackKey, Decision]
    curves: tuple[Curve, ...]
    labels_saved: tuple[LabelsSaved, ...]
    statements: tuple[Statement, ...]
    findings: tuple[Finding, ...]
    evidence: Mapping[CellKey, Evidence]
    pairs: Mapping[tuple[StackKey, ...], tuple[Pair, ...]] = field(default_factory=dict)
    fronts: tuple[Front, ...] = ()
    equal_errors: tuple[EqualError, ...] = ()
    backtest: BackTest = field(default_factory=BackTest)
    stops: tuple[EarlyStop, ...] = ()
    prospects: tuple[Prospect, ...] = ()

    @property
    def cells(self) -> tuple[CellRecord, ...]:
        """The records that are cells, as recorded."""
        return tuple(record for record in self.records if record.repeat == 0)

    @cached_property
    def machine(self) -> OneMachine:
        """What finished, in the order of tracks, with the costs of one machine.

        Further readings of a cell that was trained anew are left out.
        """
        order = {track: place for place, track in enumerate(self.tracks)}
        finished = sorted(
            of_cells(record for record in self.records if record.status == "finished"),
            key=lambda one: (order[one.track], one.rung, one.seed, one.repeat, one.started_at),
        )
        return on_one_machine(finished)

    @cached_property
    def readings(self) -> Mapping[StackKey, RungReadings]:
        """What each track spent at each rung."""
        return by_rung(self.machine.records, self.machine.log_widths)
