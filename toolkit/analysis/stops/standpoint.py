"""What a sweep knows while it runs: the complete rungs, priced as the validation block sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from toolkit.analysis.decisions import Decision, mean_values
from toolkit.analysis.economics import RungEconomics, price_rung
from toolkit.analysis.forecast_record import EarlyStop, SkippedCell, rungs_of
from toolkit.analysis.inputs import Inputs
from toolkit.analysis.machines import on_one_machine
from toolkit.analysis.pricing import declared_inputs, systems
from toolkit.analysis.readings import RungReadings, by_rung, of_cells
from toolkit.analysis.results import CellKey
from toolkit.analysis.stacks import StackKey
from toolkit.analysis.stops.prospects import ValidationRung, look_ahead
from toolkit.analysis.stops.question import ask
from toolkit.analysis.stops.saved import forecast_saved
from toolkit.analysis.validation import Validation, validate
from toolkit.config import Experiment
from toolkit.records import CellRecord, CellSpec, Evidence

__all__ = ["Standpoint"]


class Standpoint:
    """All that counts of what an experiment has run so far: its complete rungs.

    Parameters
    ----------
    experiment : Experiment
    records : sequence of CellRecord
        Finished ones count.
    evidence : mapping of (track, rung, seed) to Evidence
        Of which only what the validation block says is looked at.
    knowledge : sequence of mapping
        As in `Results`.
    """

    def __init__(
        self,
        experiment: Experiment,
        records: Sequence[CellRecord],
        evidence: Mapping[CellKey, Evidence],
        knowledge: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        tracks = list(experiment.tracks)
        finished = [one for one in records if one.status == "finished" and one.track in experiment.tracks]
        finished.sort(key=lambda one: (tracks.index(one.track), one.rung, one.seed, one.repeat))
        machine = on_one_machine(of_cells(finished))
        self._cells = tuple(record for record in finished if record.repeat == 0)
        readings = by_rung(machine.records, machine.log_widths)
        self._inputs = declared_inputs(experiment, tracks, self._cells, knowledge)
        self._seen: dict[str, list[ValidationRung]] = {}
        priced: dict[StackKey, RungEconomics] = {}
        for key, one in readings.items():
            seen = _seen(one, evidence, experiment)
            if seen is not None:
                self._seen.setdefault(one.track, []).append(ValidationRung(one.rung, one.n_train, seen))
                priced[key] = _priced(one, seen, self._inputs)
        self._priced = {key: priced[key] for key in systems(priced, readings)}

    def highest(self, track: str) -> int:
        """Return the highest rung of a track that has run; -1 where none has."""
        return max((cell.rung for cell in self._cells if cell.track == track), default=-1)

    def ask(self, track: str, left: Sequence[CellSpec]) -> EarlyStop | str:
        """Return the stop of a track that has run, or in words why it climbs on.

        Parameters
        ----------
        track : str
        left : sequence of CellSpec
            Its cells that are left, at least one.
        """
        cells = [SkippedCell(spec.fingerprint, spec.rung, spec.n_train) for spec in left]
        prospect = look_ahead(track, self._seen.get(track, []), rungs_of(cells))
        own = [cell for cell in self._cells if cell.track == track]
        return ask(
            prospect,
            self._priced,
            self._inputs,
            n_cells=len(left),
            saved=partial(forecast_saved, own, [spec.n_train for spec in left], self._inputs),
            cells=cells,
        )


def _seen(
    one: RungReadings, evidence: Mapping[CellKey, Evidence], experiment: Experiment
) -> Validation | None:
    keys = {cell.seed: (cell.track, cell.rung, cell.seed) for cell in one.cells}
    own = {seed: evidence[key] for seed, key in keys.items() if key in evidence}
    return validate(own, mean_values(experiment.economics.value))


def _priced(readings: RungReadings, seen: Validation, inputs: Inputs) -> RungEconomics:
    """Price a rung as the validation block values its decisions."""
    decision = Decision(readings.track, readings.rung, 0.5, seen, np.full(inputs.n, seen.value))
    return price_rung(decision, readings, inputs)
