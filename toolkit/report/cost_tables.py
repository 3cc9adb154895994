"""How far the costs behind the verdict can be trusted: readings, what was withheld, machines."""

from __future__ import annotations

import math
from collections.abc import Mapping

from markupsafe import Markup

from toolkit.analysis.results import Results
from toolkit.analysis.spending import CostReadings, MachineUsed
from toolkit.report import costs, elements, formats
from toolkit.report.elements import Column
from toolkit.report.looks import track_names

__all__ = ["machines", "metered_share", "readings", "withheld"]

_WIDE = 0.3
"""From this spread on the log scale on, ± per cent would mislead."""


def describe(column: str) -> str:
    """Return phase and quantity of a cost column in words."""
    cost = costs.parse(column)
    phase = costs.PHASES.get(cost.phase, "")
    return f"{phase}, {cost.quantity}" if phase else cost.quantity


def readings(results: Results) -> Markup:
    """Return on how many readings the verdict's figures rest; empty where nobody counted."""
    found = {(one.cost, one.track): one for one in results.spending.readings}
    if not found:
        return Markup("")
    known = [track for track in track_names(results) if any(track == other for _, other in found)]
    phases = [*costs.PHASES, ""]
    columns = sorted(
        {cost for cost, _ in found}, key=lambda cost: (phases.index(costs.parse(cost).phase), cost)
    )
    return elements.join(
        elements.table(
            "How often the figures behind the verdict were read, and how far the readings lie apart",
            [Column("Cost"), *(Column(track, numeric=True) for track in known)],
            [[describe(cost), *(_read(found.get((cost, track))) for track in known)] for cost in columns],
        ),
        elements.paragraph(_legend(results), quiet=True),
    )


def _legend(results: Results) -> str:
    told = (
        "Readings of all seeds and repeats at the rung of the verdict, and from lowest to highest. Medians, "
        "ends and spread are of clean readings where there is one: those that nothing disturbed, very short "
        "ones included. ± is the standard deviation of the same work read again (same seed): about two "
        "readings in three are within it."
    )
    example = next(
        (
            one
            for one in results.spending.readings
            if one.spread is not None and one.n_clean and "_fit_" in one.cost
        ),
        None,
    )
    if example is None:
        return f"{told} No fit was read twice, so its spread is not known."
    return (
        f"{told} The fit of {example.track} is the median of {example.n_clean} clean readings; one reading "
        f"is within {_spread(example.spread or 0.0)}."
    )


def _read(one: CostReadings | None) -> str | Markup:
    """Return number, ends and spread of the readings of one cost."""
    if one is None:
        return formats.MISSING
    cost = costs.parse(one.cost)
    if one.low == one.high == 0:
        return costs.show(cost, 0.0)  # nothing was done, so there is nothing to trust
    if one.n_clean == 0:
        number: str | Markup = elements.join(f"{one.n} ", elements.badge("none clean", "open"))
    else:
        number = f"{one.n_clean} clean" if one.n_clean == one.n else f"{one.n_clean} clean of {one.n}"
    low, high = costs.show(cost, one.low), costs.show(cost, one.high)
    lines = [low if low == high else f"{low} to {high}"]
    if one.spread is not None:
        lines.append(_spread(one.spread))
    return elements.join(
        elements.whole(number),
        *(Markup('<span class="ends">{}</span>').format(line) for line in lines),
    )


def _spread(spread: float) -> str:
    """Return a spread on the log scale as per cent; upwards it reaches further where it is wide."""
    if spread < _WIDE:
        return f"±{formats.ratio(spread, 2)}"
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
