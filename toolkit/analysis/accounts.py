"""What was spent, put together for the report: readings, footprints, machines, and a second opinion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from toolkit.analysis.footprints import footprints
from toolkit.analysis.inputs import Inputs
from toolkit.analysis.readings import TOLD_COSTS, RungReadings
from toolkit.analysis.results import Finding
from toolkit.analysis.spending import MachineUsed, SecondOpinion, Spending, Spread
from toolkit.analysis.work import SECONDS_A_YEAR, single_is_known
from toolkit.prices import energy_joules, hardware
from toolkit.records import CellRecord

REFERENCE = "cloud-vcpu"
"""The profile that the second opinion is held against: the mean of what clouds rent, whatever is priced."""

__all__ = ["check_hours", "check_serving", "second_opinion", "spending"]


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
        second_opinion=second_opinion(cells),
        metered_share=_metered_share(cells),
        withheld={track: reasons for track, readings in entering.items() if (reasons := _withheld(readings))},
    )


def second_opinion(cells: Sequence[CellRecord]) -> SecondOpinion | None:
    """Return the energy of the same cells by our model and by codecarbon; None where no cell has both.

    Codecarbon tells of the machine that ran, whose power we do not know: ours is of a mean cloud vCPU
    (`REFERENCE`), and not of the machine that is priced. Neither holds the building (PUE 1), and idle
    capacity is left out.
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
    ours = energy_joules(
        sum(cpu for cpu, _, _ in asked), sum(wall for _, wall, _ in asked), hardware(REFERENCE)
    )
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


def check_hours(tracks: Sequence[str], inputs: Inputs) -> Iterator[Finding]:
    """Yield which tracks have no hours of people, though they may need some as others do.

    Parameters
    ----------
    tracks : sequence of str
        Those that are priced.
    inputs : Inputs
        With the hours of knowledge bases.
    """
    with_hours = [track for track in tracks if track in inputs.economics.hours]
    without = [track for track in tracks if track not in inputs.economics.hours]
    if not with_hours and tracks:
        told = "no hours of people are declared, so all of them work for nothing"
        yield Finding("hours_not_declared", "info", f"{told} (economics: hours)")
    elif without:
        them = "it" if len(without) == 1 else "them"
        own = "has its own" if len(with_hours) == 1 else "have theirs"
        yield Finding(
            "hours_not_declared",
            "warning",
            f"no hours of people are declared for {', '.join(without)}, so people work on {them} for "
            f"nothing; {', '.join(with_hours)} {own} (economics: hours)",
        )


def check_serving(entering: Mapping[str, RungReadings], inputs: Inputs) -> Iterator[Finding]:
    """Yield what is not as declared where decisions are made one at a time.

    Tracks whose single calls were not timed are priced as if in batches, and a vCPU that waits for decisions
    is paid only where it is declared to be always on.
    """
    if inputs.economics.serving != "single":
        return
    if inputs.economics.always_on_vcpus == 0:
        year = inputs.host.usd_per_cpu_second * SECONDS_A_YEAR * inputs.economics.currency_per_usd
        yield Finding(
            "capacity_shared",
            "info",
            "decisions are made one at a time by a machine that does other work meanwhile: only the time of "
            f"calls and its idle share are paid; a vCPU that is always on would cost {year:,.0f} "
            f"{inputs.economics.currency} a year (always_on_vcpus: 1)",
        )
    unknown = [track for track, readings in entering.items() if not single_is_known(readings)]
    if unknown:
        yield Finding(
            "single_not_measured",
            "warning",
            f"decisions are made one at a time, but no single call of {', '.join(unknown)} was timed; "
            "their predictions are priced as in a batch, which costs less",
        )
