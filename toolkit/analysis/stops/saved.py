"""What skipped cells did not spend: forecast from cells that ran, or measured where they ran after all."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from toolkit.analysis.economics import draw_interval
from toolkit.analysis.forecast_record import LabelsNotBought, Saved
from toolkit.analysis.inputs import Inputs
from toolkit.analysis.interval import Interval
from toolkit.analysis.stops.growth import fit_growth
from toolkit.prices import JOULES_PER_KWH, energy_joules
from toolkit.records import CellRecord

__all__ = ["cell_cpu_seconds", "forecast_saved", "labels_not_bought", "measured_saved", "repriced_saved"]


def cell_cpu_seconds(cell: CellRecord) -> float | None:
    """Return the CPU-seconds of a whole cell, else those of its search and fit; None without either."""
    whole = cell.costs.get("cost_cell_cpu_seconds")
    if whole is not None:
        return whole
    parts = [cell.costs.get(f"cost_{phase}_cpu_seconds") for phase in ("search", "fit")]
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def _wall_seconds(cell: CellRecord) -> float | None:
    took = cell.ended_at - cell.started_at
    return took if took > 0 else None


def forecast_saved(cells: Sequence[CellRecord], skipped_rows: Sequence[float], inputs: Inputs) -> Saved:
    """Forecast what the skipped cells of a track would have spent.

    Parameters
    ----------
    cells : sequence of CellRecord
        Of the track, that finished.
    skipped_rows : sequence of float
        Labelled rows of each skipped cell.
    inputs : Inputs
    """
    rows = [float(cell.n_train) for cell in cells]
    cpu = fit_growth(rows, [cell_cpu_seconds(cell) for cell in cells])
    wall = fit_growth(rows, [_wall_seconds(cell) for cell in cells])
    return _priced(
        None if cpu is None else cpu.total(skipped_rows),
        None if wall is None else wall.total(skipped_rows),
        inputs,
        measured=False,
    )


def measured_saved(cells: Sequence[CellRecord], inputs: Inputs) -> Saved:
    """Return what cells spent that would have been skipped; one that does not tell counts as the median."""
    return _priced(
        _sum([cell_cpu_seconds(cell) for cell in cells]),
        _sum([_wall_seconds(cell) for cell in cells]),
        inputs,
        measured=True,
    )


def repriced_saved(saved: Saved, inputs: Inputs, *, share: float = 1.0) -> Saved:
    """Return part of what was saved, at other prices; the seconds are as they were told.

    Parameters
    ----------
    saved : Saved
    inputs : Inputs
    share : float
        Of the skipped cells, those that are meant.
    """
    cpu, wall = (
        None if one is None else Interval(share * one.estimate, share * one.low, share * one.high)
        for one in (saved.cpu_seconds, saved.wall_seconds)
    )
    return _priced(cpu, wall, inputs, measured=saved.measured)


def labels_not_bought(
    trained: Sequence[tuple[int, float]], skipped: Sequence[tuple[int, float]], inputs: Inputs
) -> LabelsNotBought | None:
    """Return the labels of skipped rungs beyond those that were bought; None where there are none to pay.

    Rungs are nested, so that the highest holds the labels of all, and one cell of a rung takes the labels of
    all its seeds. Their price is declared, not modelled.

    Parameters
    ----------
    trained, skipped : sequence of (int, float)
        Rungs of which some cell ran, and of which some was skipped, at least one of each; their labelled
        rows, of skipped ones as planned.
    inputs : Inputs
    """
    (highest, rows), (reached, bought) = max(skipped), max(trained)
    # Planned rows are a few more than a cell trains on: what is left of a rung that ran would be no labels.
    more = round(rows - bought) if highest > reached else 0
    if inputs.economics.price_per_label.high <= 0 or more <= 0:
        return None
    return LabelsNotBought(more, draw_interval(more * inputs.price_per_label))


def _sum(values: Sequence[float | None]) -> Interval | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    total = sum(known) + (len(values) - len(known)) * median(known)
    return Interval(total, total, total)


def _priced(cpu: Interval | None, wall: Interval | None, inputs: Inputs, *, measured: bool) -> Saved:
    """Put the price, and the modelled carbon, of the processor that is priced on CPU-seconds."""
    if cpu is None:
        return Saved(cpu, wall, None, None, measured)
    speed, host, economics = float(inputs.speed[0]), inputs.host, inputs.economics
    usd = host.usd_per_cpu_second / speed * economics.currency_per_usd
    waits = (wall or cpu).estimate / cpu.estimate if cpu.estimate else 1.0
    joules = energy_joules(1 / speed, max(waits, 1.0) / speed, host, pue=economics.pue)
    low, mid, high = (one / JOULES_PER_KWH * inputs.grid.g_co2e_per_kwh / 1000 for one in joules)
    return Saved(
        cpu_seconds=cpu,
        wall_seconds=wall,
        money=Interval(*(usd * one for one in (cpu.estimate, cpu.low, cpu.high))),
        kg_co2e=Interval(mid * cpu.estimate, low * cpu.low, high * cpu.high),
        measured=measured,
    )
