"""How far the costs behind the verdict can be trusted: readings, what was withheld, machines."""

from __future__ import annotations

import math
from collections.abc import Mapping

from markupsafe import Markup

from toolkit.analysis.results import Results
from toolkit.analysis.spending import CostReadings, MachineUsed
from toolkit.report import costs, elements, formats
from toolkit.report.elements import Column
from toolkit.report.looks import label, track_names

__all__ = ["machines", "metered_share", "readings", "withheld"]

_SPACE = "\u00a0"


def describe(column: str) -> str:
    """Return phase and quantity of a cost column in words."""
    cost = costs.parse(column)
    phase = costs.PHASES.get(cost.phase, "")
    return f"{phase}, {cost.quantity}" if phase else cost.quantity


def readings(results: Results) -> Markup:
    """Return on how many readings the verdict's figures rest; empty where nobody counted."""
    found = results.spending.readings
    if not found:
        return Markup("")
    known = track_names(results)
    phases = list(costs.PHASES)

    def place(one: CostReadings) -> tuple[int, int]:
        phase = costs.parse(one.cost).phase
        return (
            known.index(one.track) if one.track in known else len(known),
            phases.index(phase) if phase in phases else len(phases),
        )

    return elements.join(
        elements.table(
            "How often the figures behind the verdict were read, and how far the readings lie apart",
            [
                Column("Track"),
                Column("Cost"),
                Column("Median", numeric=True, note="lowest to highest reading"),
                Column("Readings"),
                Column("One reading is within", numeric=True, note="standard deviation"),
            ],
            [
                [
                    label(one.track, known),
                    describe(one.cost),
                    _median(one),
                    _count(one),
                    _spread(one.spread),
                ]
                for one in sorted(found, key=place)
            ],
        ),
        elements.paragraph(
            "Readings are of all seeds and repeats at the rung of the verdict. Medians, ends and spread are "
            "of clean readings where there is one. The spread is that of the same work read again (same "
            "seed): about two readings in three are within it. Where no work was read twice, it is not told.",
            quiet=True,
        ),
    )


def _median(one: CostReadings) -> Markup:
    cost = costs.parse(one.cost)
    median = costs.show(cost, one.median)
    if one.n < 2 or one.low == one.high:
        return elements.fragment("estimate", main=median, ends="")
    ends = f"{costs.show(cost, one.low)} to {costs.show(cost, one.high)}"
    return elements.fragment("estimate", main=median, ends=ends)


def _count(one: CostReadings) -> str | Markup:
    if one.n_clean == 0:
        return elements.join(f"{one.n}, ", elements.badge("none clean", "open"))
    clean = f"{one.n_clean} clean"
    return clean if one.n_clean == one.n else f"{clean} of {one.n}"


def _spread(spread: float | None) -> str:
    """Return a spread on the log scale as per cent; upwards it reaches further where it is wide."""
    if spread is None:
        return "read once"
    if spread < 0.3:
        return f"±{_SPACE}{formats.ratio(spread, 2)}"
    return f"a factor of {formats.number(math.exp(spread), 2)}"


def withheld(results: Results) -> Markup:
    """Return costs that are not there, with the reason and whom it concerns; empty when there is none."""
    known = track_names(results)
    cases: dict[tuple[str, str], list[str]] = {}
    for track, reasons in results.spending.withheld.items():
        for column, why in reasons.items():
            cases.setdefault((column, why), []).append(track)
    if not cases:
        return Markup("")
    return elements.table(
        "Costs that were withheld, and why",
        [Column("Cost"), Column("Tracks"), Column("Why")],
        [
            [
                describe(column),
                ", ".join(sorted(tracks, key=lambda track: known.index(track) if track in known else 99)),
                formats.sentence(why),
            ]
            for (column, why), tracks in cases.items()
        ],
    )


def machines(results: Results) -> Markup:
    """Return the machines that cells ran on; empty with one machine, which the environment names."""
    found = results.spending.machines
    if len(found) < 2:
        return Markup("")
    return elements.join(
        elements.table(
            "Machines that cells ran on, and what their seconds are multiplied by",
            [
                Column("Machine"),
                Column("Cells", numeric=True),
                Column("Factor", numeric=True, note="lowest to highest kernel"),
                Column("Seconds of the calibration kernels"),
            ],
            [[one.name, formats.count(one.cells), _factor(one), _kernels(one.kernels)] for one in found],
        ),
        elements.paragraph(
            "All times are told for the machine with most cells. Those of the others are multiplied by the "
            "geometric mean of the ratios of fixed pieces of work (kernels) that every cell times before its "
            "own; without them a machine's costs are left out and its scores stay.",
            quiet=True,
        ),
    )


def _factor(one: MachineUsed) -> str | Markup:
    if one.is_reference:
        return "1, the reference"
    if one.factor is None:
        return elements.badge("costs left out", "open")
    ends = f"{formats.number(one.factor.low)} to {formats.number(one.factor.high)}"
    return elements.fragment("estimate", main=formats.number(one.factor.mid), ends=ends)


def _kernels(kernels: Mapping[str, float]) -> str:
    told = ", ".join(f"{formats.words(name)} {formats.seconds(value)}" for name, value in kernels.items())
    return told or "not measured"


def metered_share(results: Results) -> Markup:
    """Return one sentence on the part of the sweep that the costs account for; empty when not known."""
    share = results.spending.metered_share
    if share is None:
        return Markup("")
    return elements.paragraph(
        f"Metered phases took {formats.ratio(share, 2)} of the cells' wall-clock time. The rest is charged "
        "to no track: starting processes, the warm-up, scoring and writing down results.",
        quiet=True,
    )
