"""What was spent, put together for the report: readings, footprints, machines, and a second opinion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from toolkit.analysis.footprints import footprints
from toolkit.analysis.inputs import Inputs
from toolkit.analysis.readings import TOLD_COSTS, RungReadings
from toolkit.analysis.results import Finding
from toolkit.analysis.spending import MachineUsed, SecondOpinion, Spending, Spread
from toolkit.analysis.work import single_is_known
from toolkit.prices import energy_joules
from toolkit.records import CellRecord

__all__ = ["check_serving", "second_opinion", "spending"]


def spending(
    entering: Mapping[str, RungReadings],
    cells: Sequence[CellRecord],
    machines: Sequence[MachineUsed],
    inputs: Inputs,
) -> Spending:
    """Return all that was spent.

    Parameters
    ----------
    entering : mapping of str to RungReadings
        Track -> the rung of the verdict.
    cells : sequence of CellRecord
        As they were recorded, without further readings.
    machines : sequence of MachineUsed
    inputs : Inputs
    """
    told = (readings.told(cost) for readings in entering.values() for cost in TOLD_COSTS)
    return Spending(
        readings=tuple(one for one in told if one is not None),
        footprints=tuple(one for readings in entering.values() for one in footprints(readings, inputs)),
        machines=tuple(machines),
        second_opinion=second_opinion(cells, inputs),
        metered_share=_metered_share(cells),
        withheld={track: reasons for track, readings in entering.items() if (reasons := _withheld(readings))},
    )


def second_opinion(cells: Sequence[CellRecord], inputs: Inputs) -> SecondOpinion | None:
    """Return the energy of the same cells by our model and by codecarbon; None where no cell has both.

    Neither holds the building (PUE 1), and idle capacity is left out.
    """
    asked = [
        (cpu, wall, theirs)
        for cell in cells
        if (cpu := cell.costs.get("cost_cell_cpu_seconds")) is not None
        and (wall := cell.costs.get("cost_cell_wall_seconds")) is not None
        and (theirs := cell.costs.get("cost_cell_codecarbon_joules")) is not None
    ]
    if not asked:
        return None
    ours = energy_joules(sum(cpu for cpu, _, _ in asked), sum(wall for _, wall, _ in asked), inputs.host)
    return SecondOpinion("codecarbon", len(asked), Spread(*ours), sum(theirs for _, _, theirs in asked))


def _metered_share(cells: Sequence[CellRecord]) -> float | None:
    """Return the share of the cells' wall time inside metered phases, of the cells that tell both."""
    known = [
        (metered, wall)
        for cell in cells
        if (metered := cell.costs.get("cost_cell_metered_wall_seconds")) is not None
        and (wall := cell.costs.get("cost_cell_wall_seconds")) is not None
    ]
    whole = sum(wall for _, wall in known)
    return sum(metered for metered, _ in known) / whole if whole > 0 else None


def _withheld(readings: RungReadings) -> dict[str, str]:
    """Return why costs are not there, of those that no reading has."""
    return {
        cost: reason
        for record in readings.records
        for cost, reason in sorted(record.withheld.items())
        if readings.median(cost) is None
    }


def check_serving(entering: Mapping[str, RungReadings], inputs: Inputs) -> Iterator[Finding]:
    """Yield which tracks are priced as if in batches although decisions are made one at a time."""
    if inputs.economics.serving != "single":
        return
    unknown = [track for track, readings in entering.items() if not single_is_known(readings)]
    if unknown:
        yield Finding(
            "single_not_measured",
            "warning",
            f"decisions are made one at a time, but no single call of {', '.join(unknown)} was timed; "
            "their predictions are priced as in a batch, which costs less",
        )
