"""Cells of several machines: their seconds told for one of them, or left out where that cannot be done.

Every cell times fixed pieces of work (calibration kernels) in its own process. The ratios of two machines'
medians convert seconds of the one to seconds of the other; how far the ratios differ from kernel to kernel is
how rough that is. Bytes and counts are the same everywhere and stay as they are; so do budgets and nominal
seconds, which are counted and not timed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from toolkit.analysis.results import Finding
from toolkit.analysis.spending import MachineUsed, Spread
from toolkit.machine import machine_name
from toolkit.records import CellRecord

__all__ = ["OneMachine", "is_timed", "on_one_machine"]

_COUNTED = ("_nominal_cpu_seconds", "_budget_cpu_seconds")
"""Seconds that are counted work at a fixed rate, and no time that passed."""

_SAME = Spread(1.0, 1.0, 1.0)


@dataclass(frozen=True)
class OneMachine:
    """Records with the costs of one machine.

    Parameters
    ----------
    records : tuple of CellRecord
        In the order given. Costs are None where they could not be converted.
    machines : tuple of MachineUsed
        The one with most cells first, which is the reference where the figures are from one machine at least.
    findings : tuple of Finding
    log_widths : tuple of float
        Of each record: half of the width of the factor that converted its seconds, on the log scale; 0 for
        those of the reference.
    """

    records: tuple[CellRecord, ...]
    machines: tuple[MachineUsed, ...]
    findings: tuple[Finding, ...]
    log_widths: tuple[float, ...] = ()


def is_timed(cost: str) -> bool:
    """Tell whether a cost is time that passed; bytes, operations and budgets are not."""
    return "_seconds" in cost and not cost.endswith(_COUNTED)


def _names(records: Sequence[CellRecord]) -> list[str]:
    """Return the name of the machine that each record is from.

    Old records do not tell the model of their processor: they are of the one machine that else is like
    them, and of a machine of their own where there are several such, or none.
    """
    models: dict[str, set[str]] = {}
    for record in records:
        models.setdefault(_bare_name(record), set()).add(machine_name(record.machine))
    found = []
    for record in records:
        name, bare = machine_name(record.machine), _bare_name(record)
        others = models[bare] - {bare}
        found.append(others.pop() if name == bare and len(others) == 1 else name)
    return found


def _bare_name(record: CellRecord) -> str:
    return machine_name({**record.machine, "processor_model": ""})


def on_one_machine(records: Sequence[CellRecord]) -> OneMachine:
    """Convert the costs of all records to those of the machine that most cells ran on.

    Parameters
    ----------
    records : sequence of CellRecord
        Finished ones, further readings (`repeat` from 1) included; they do not count as cells.
    """
    names = _names(records)
    groups: dict[str, list[CellRecord]] = {}
    for name, record in zip(names, records, strict=True):
        groups.setdefault(name, []).append(record)
    cells = Counter({name: sum(one.repeat == 0 for one in group) for name, group in groups.items()})
    order = sorted(groups, key=lambda name: (-cells[name], name))
    kernels = {name: _kernels(groups[name]) for name in order}
    machines = tuple(
        MachineUsed(
            name=name,
            cells=cells[name],
            factor=_SAME if place == 0 else _factor(kernels[order[0]], kernels[name]),
            is_reference=place == 0,
            kernels=kernels[name],
        )
        for place, name in enumerate(order)
    )
    factors = {machine.name: machine.factor for machine in machines}
    widths = {name: _log_width(factor) for name, factor in factors.items()}
    return OneMachine(
        records=tuple(
            record if name == order[0] else _converted(record, factors[name])
            for name, record in zip(names, records, strict=True)
        ),
        machines=machines,
        findings=_findings(machines, groups),
        log_widths=tuple(widths[name] for name in names),
    )


def _log_width(factor: Spread | None) -> float:
    return 0.0 if factor is None else math.log(factor.high / factor.low) / 2


def _kernels(records: Sequence[CellRecord]) -> dict[str, float]:
    """Return the median CPU-seconds of each kernel, of undisturbed cells where there are any."""
    calm = [
        one
        for one in records
        if one.calibration and "contended" not in (one.quality, *one.qualities.values())
    ]
    found: dict[str, list[float]] = {}
    for record in calm or records:
        for kernel, seconds in record.calibration.items():
            if seconds > 0 and math.isfinite(seconds):
                found.setdefault(kernel, []).append(seconds)
    return {kernel: median(seconds) for kernel, seconds in sorted(found.items())}


def _factor(reference: Mapping[str, float], other: Mapping[str, float]) -> Spread | None:
    """Return what seconds of the other machine are multiplied by; None without a kernel in common."""
    ratios = [reference[kernel] / other[kernel] for kernel in reference if kernel in other]
    if not ratios:
        return None
    middle = math.exp(sum(math.log(ratio) for ratio in ratios) / len(ratios))
    # the mean of equal ratios may differ from them in the last digit
    return Spread(min(*ratios, middle), middle, max(*ratios, middle))


def _converted(record: CellRecord, factor: Spread | None) -> CellRecord:
    """Return a record whose seconds are those of the reference; None for what cannot be converted."""
    costs = dict(record.costs)
    for name, value in record.costs.items():
        if "_joules" in name or (factor is None and is_timed(name)):
            costs[name] = None
        elif value is not None and factor is not None and is_timed(name):
            costs[name] = value * factor.mid
    return record.model_copy(update={"costs": costs})


def _findings(
    machines: Sequence[MachineUsed], groups: Mapping[str, Sequence[CellRecord]]
) -> tuple[Finding, ...]:
    if len(machines) < 2:
        return ()
    reference = machines[0].name
    found = []
    converted = [machine for machine in machines[1:] if machine.factor is not None]
    if converted:
        told = ", ".join(
            f"{machine.cells} cells of {machine.name}: their seconds times {machine.factor.mid:.2f} "
            f"({machine.factor.low:.2f} to {machine.factor.high:.2f} by kernel)"
            for machine in converted
            if machine.factor is not None
        )
        found.append(
            Finding(
                "machines_converted",
                "info",
                f"costs are told for {reference}; those of other machines are converted by their calibration "
                f"({told})",
            )
        )
    unlike = [machine for machine in machines[1:] if machine.factor is None]
    if unlike:
        tracks = sorted({one.track for machine in unlike for one in groups[machine.name]})
        told = ", ".join(f"{machine.cells} of {machine.name}" for machine in unlike)
        found.append(
            Finding(
                "machines_unlike",
                "warning",
                f"{sum(machine.cells for machine in unlike)} cells ({', '.join(tracks)}) ran on another "
                f"machine than the rest ({told}; the rest on {reference}) and cannot be converted, because "
                "one of the two has no calibration; their scores count and their costs are left out: run "
                "them again on the machine of the rest with --fresh",
            )
        )
    return tuple(found)
