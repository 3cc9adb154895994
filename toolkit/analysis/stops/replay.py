"""What ``--stop-early`` would have done on cells that all ran: the same questions, asked again in order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial

from toolkit.analysis.analysed import Analysed
from toolkit.analysis.economics import RungEconomics, draw_interval
from toolkit.analysis.forecast_record import EarlyStop, Replay
from toolkit.analysis.inputs import Inputs
from toolkit.analysis.stacks import StackKey
from toolkit.analysis.stops.prospect_record import Prospect
from toolkit.analysis.stops.question import ask
from toolkit.analysis.stops.saved import cell_cpu_seconds, measured_saved
from toolkit.analysis.verdict import deployed
from toolkit.records import CellRecord

__all__ = ["replay"]


def replay(analysed: Analysed, priced: Mapping[StackKey, RungEconomics], inputs: Inputs) -> Replay:
    """Ask every track after every rung from the seventh on, in the order in which a sweep climbs.

    Parameters
    ----------
    analysed : Analysed
    priced : mapping of (track, rung) to RungEconomics
    inputs : Inputs
    """
    asked: dict[int, list[Prospect]] = {}
    for prospect in analysed.prospects:
        asked.setdefault(prospect.reached, []).append(prospect)
    if not asked:
        return Replay()
    levels = _levels(list(priced))
    skipped: set[StackKey] = set()
    stops: list[EarlyStop] = []
    climbed_on: dict[str, str] = {}
    n_asked = 0
    for reached in sorted(asked):
        for prospect in asked[reached]:
            key = (prospect.track, reached)
            if key in skipped or key not in priced:
                continue
            n_asked += 1
            ahead = levels.get((prospect.track, prospect.left[0]), math.inf)
            known = {one for one in priced if levels[one] < ahead and one not in skipped}
            cells = _cells_of(analysed.cells, {(prospect.track, rung) for rung in prospect.left})
            stop = ask(
                prospect,
                {one: priced[one] for one in known},
                inputs,
                n_cells=len(cells),
                saved=partial(measured_saved, cells, inputs),
            )
            if isinstance(stop, str):
                climbed_on[prospect.track] = stop
                continue
            stops.append(stop)
            skipped |= {(stop.track, rung) for rung in stop.skipped}
            climbed_on.pop(prospect.track, None)
    return _judged(n_asked, stops, climbed_on, skipped, analysed, priced)


def _levels(keys: Sequence[StackKey]) -> dict[StackKey, float]:
    """Return how far up its ladder each rung is, 0 to 1: tracks climb side by side."""
    top: dict[str, int] = {}
    for track, rung in keys:
        top[track] = max(top.get(track, 0), rung)
    return {(track, rung): rung / top[track] if top[track] else 0.0 for track, rung in keys}


def _cells_of(cells: Sequence[CellRecord], keys: set[StackKey]) -> list[CellRecord]:
    return [cell for cell in cells if cell.status == "finished" and (cell.track, cell.rung) in keys]


def _judged(
    n_asked: int,
    stops: Sequence[EarlyStop],
    climbed_on: Mapping[str, str],
    skipped: set[StackKey],
    analysed: Analysed,
    priced: Mapping[StackKey, RungEconomics],
) -> Replay:
    """Hold the verdict without the skipped cells against that with all of them."""
    spent = [cell_cpu_seconds(cell) for cell in analysed.cells if cell.status == "finished"]
    whole = _best(priced)
    kept = _best({key: one for key, one in priced.items() if key not in skipped})
    forgone = None if whole is None or kept is None else draw_interval(whole.net - kept.net)
    return Replay(
        asked=n_asked,
        stops=tuple(stops),
        climbed_on=dict(climbed_on),
        cpu_seconds=sum(one for one in spent if one is not None) if any(spent) else None,
        best=None if whole is None else whole.track,
        best_then=None if kept is None else kept.track,
        forgone_per_year=forgone,
    )


def _best(priced: Mapping[StackKey, RungEconomics]) -> RungEconomics | None:
    """Return what the verdict would name: of the rungs that enter, the one of the highest net value."""
    return max(deployed(list(priced.values())).values(), key=lambda one: float(one.net[0]), default=None)
