"""Early stops under the economics of a report, which may not be those that they were decided under.

A stop that was decided under other economics is asked again under these, on validation rows, with all rungs
that are complete by now: one of which some cells are still skipped counts as little as it did for the sweep.
What it was decided on is never told as if it were of today.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from toolkit.analysis.analysed import Analysed
from toolkit.analysis.economics import RungEconomics
from toolkit.analysis.forecast_record import AskedAgain, EarlyStop, LabelsNotBought, Saved, rungs_of
from toolkit.analysis.inputs import Inputs
from toolkit.analysis.stacks import StackKey
from toolkit.analysis.stops.prospect_record import Prospect
from toolkit.analysis.stops.question import Answer, weigh
from toolkit.analysis.stops.saved import forecast_saved, labels_not_bought, repriced_saved
from toolkit.analysis.stops.terms import changed, terms_of

__all__ = ["joined", "review", "still_missing"]


def still_missing(
    stops: Iterable[EarlyStop], *, asked: Collection[str], absent: Collection[str]
) -> list[EarlyStop]:
    """Return the stops some of whose cells are missing, with those cells alone.

    Parameters
    ----------
    stops : iterable of EarlyStop
    asked, absent : collection of str
        Fingerprints of all cells that an experiment asks for, and of those that are missing because nobody
        has run them. Cells that are no longer asked for do not count as skipped.
    """
    found = []
    for stop in stops:
        cells = tuple(one for one in stop.cells if one.fingerprint in absent)
        n_gone = sum(one.fingerprint not in asked for one in stop.cells)
        rungs = tuple(rung for rung, _ in rungs_of(cells))
        if cells:
            skipped = rungs or stop.skipped
            found.append(replace(stop, cells=cells, n_cells=stop.n_cells - n_gone, skipped=skipped))
    return found


def joined(before: Sequence[EarlyStop], now: Sequence[EarlyStop]) -> list[EarlyStop]:
    """Return the stops of two sweeps, one a track: the later decision, over the cells of both.

    Parameters
    ----------
    before : sequence of EarlyStop
        With the cells that the later sweep did not ask for.
    now : sequence of EarlyStop
    """
    found = {stop.track: stop for stop in before}
    for stop in now:
        old = found.get(stop.track)
        if old is not None:
            cells = (*old.cells, *stop.cells)
            skipped = tuple(sorted({*old.skipped, *stop.skipped}))
            stop = replace(stop, cells=cells, skipped=skipped, n_cells=max(old.n_cells, len(cells)))
        found[stop.track] = stop
    return list(found.values())


def review(
    stop: EarlyStop, analysed: Analysed, known: Mapping[StackKey, RungEconomics], inputs: Inputs
) -> EarlyStop:
    """Return a stop with its figures under these economics.

    Parameters
    ----------
    stop : EarlyStop
        As it was decided.
    analysed : Analysed
    known : mapping of (track, rung) to RungEconomics
        All rungs that may enter the verdict.
    inputs : Inputs
    """
    saved, labels = _saved(stop, analysed, inputs)
    now = replace(stop, saved=saved, labels_saved=labels, currency=inputs.economics.currency)
    differ = () if stop.terms is None else changed(stop.terms, terms_of(inputs))
    if stop.terms is not None and not differ:
        return now
    open_rungs = {(one.track, rung) for one in analysed.stops for rung in one.skipped}
    complete = {key: one for key, one in known.items() if key not in open_rungs}
    answer = _answer(stop, analysed.prospects, complete, inputs)
    if not isinstance(answer, Answer):
        again = AskedAgain(differ, why=answer)
        return replace(
            now,
            probability=None,
            probability_leader_changes=None,
            forgone_per_year=None,
            asked_again=again,
        )
    why = "" if answer.reason else answer.told
    return replace(
        now,
        probability=answer.probability,
        probability_leader_changes=answer.overtakes,
        forgone_per_year=answer.forgone,
        asked_again=AskedAgain(differ, answer.reason is not None, answer.reason, answer.leader, why),
    )


def _answer(
    stop: EarlyStop, prospects: Sequence[Prospect], known: Mapping[StackKey, RungEconomics], inputs: Inputs
) -> Answer | str:
    left = tuple(rung for rung, _ in stop.left)
    if not left:
        return "how many rows the skipped rungs have was not kept"
    for one in prospects:
        if (one.track, one.left) == (stop.track, left) and stop.rung <= one.reached < left[0]:
            return weigh(one, known, inputs)
    return "cells of its rungs are missing"


def _saved(stop: EarlyStop, analysed: Analysed, inputs: Inputs) -> tuple[Saved, LabelsNotBought | None]:
    """Return what the cells that are still missing save; those of earlier versions a share of what was."""
    rows = dict(stop.left)
    skipped = [rows[one.rung] for one in stop.cells if one.rung in rows]
    own = [cell for cell in analysed.cells if cell.status == "finished" and cell.track == stop.track]
    if not skipped or not own:
        share = len(stop.cells) / stop.n_cells if stop.cells else 1.0
        return repriced_saved(stop.saved, inputs, share=share), None
    labels = labels_not_bought(sorted((cell.rung, float(cell.n_train)) for cell in own), stop.left, inputs)
    return forecast_saved(own, skipped, inputs), labels
