"""What the work of every track takes in electricity and emits in carbon, as ranges with their basis."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from markupsafe import Markup

from toolkit.analysis.results import Results
from toolkit.analysis.spending import Footprint, SecondOpinion
from toolkit.report import elements, formats, spans
from toolkit.report.base import NotApplicable, Section
from toolkit.report.elements import Column
from toolkit.report.energy_figures import WORK, by_time, energy_figure
from toolkit.report.looks import label, track_names
from toolkit.report.price_rows import origin, price_table
from toolkit.report.rungs import deployed

__all__ = ["EnergySection"]

_POWER_UNITS = ("W", "W a GB")
_CARBON_UNIT = "g CO2e a kWh"
_FEW = 2
"""Sources that are listed openly; more of them are folded away."""


class EnergySection(Section):
    """Energy and carbon at the rung of the verdict."""

    order: ClassVar[int] = 55
    title: ClassVar[str] = "Energy and carbon"

    def render(self, results: Results) -> Markup:
        """Return ranges, figures and coefficients; not applicable where nothing was modelled or measured."""
        footprints = results.spending.footprints
        if not footprints:
            raise NotApplicable("No track has costs at the rung of the verdict that energy can be told from.")
        known = track_names(results)
        parts = [
            _introduction(footprints),
            _overview(results, known),
            elements.paragraph(_no_ranking(footprints)),
            Markup('<div class="pair">{}</div>').format(
                elements.join(
                    *(
                        energy_figure(work, [one for one in footprints if one.work == work], known)
                        for work in WORK
                    )
                )
            ),
            _second_opinion(results.spending.second_opinion),
            _coefficients(results.prices, footprints),
        ]
        return elements.join(*parts)


def _introduction(footprints: Sequence[Footprint]) -> Markup:
    bases = {one.basis for one in footprints}
    if bases == {"modelled"}:
        told = (
            "No figure here was measured: energy is modelled from CPU time, elapsed time and memory, with a "
            "low and a high power of the hardware that is priced, and carbon from energy with the mean of a "
            "country's grid over a year."
        )
    elif bases == {"measured"}:
        told = "Energy was read from counters of the machine; carbon is modelled with a country's grid."
    else:
        told = (
            "Some figures were read from counters of the machine, the others are modelled from CPU time; "
            "each says which. Carbon is always modelled, with a country's grid."
        )
    return elements.paragraph(f"{told} All of it is for the rung of the verdict.", quiet=True)


def _overview(results: Results, known: Sequence[str]) -> Markup:
    footprints = results.spending.footprints
    searched = {
        track: summary.costs.get("cost_search_cpu_seconds") for track, summary in deployed(results).items()
    }
    found: dict[tuple[str, str], Footprint] = {(one.track, one.work): one for one in footprints}
    serving = str((results.experiment.get("economics") or {}).get("serving", ""))
    notes = {
        "training": "starting, loading and fit",
        "million_predictions": {"batch": "in batches", "single": "one row at a time"}.get(serving, ""),
        "year": "all work and idle capacity",
    }
    works = [work for work in WORK if any(one.work == work for one in footprints)]
    tracks = [track for track in known if any(one.track == track for one in footprints)]
    return elements.table(
        "Energy and carbon of every track, lowest to highest estimate",
        [
            Column("Track"),
            *(Column(formats.title(WORK[work]), numeric=True, note=notes.get(work, "")) for work in works),
        ],
        [
            [
                label(track, known),
                *(
                    "no search"
                    if work == "search" and searched.get(track) == 0
                    else _cell(found.get((track, work)))
                    for work in works
                ),
            ]
            for track in tracks
        ],
    )


def _cell(one: Footprint | None) -> str | Markup:
    if one is None:
        return formats.MISSING
    if one.joules.high <= 0:
        return "none"
    on_the_bill = spans.kilowatt_hours(one.joules)
    ends = [spans.carbon(one.kg_co2e), *([on_the_bill] if on_the_bill else [])]
    return elements.fragment(
        "estimate", main=f"{spans.joules(one.joules)}, {one.basis}", ends=" · ".join(ends)
    )


def _no_ranking(footprints: Sequence[Footprint]) -> str:
    """Return what the figures must not be used for, and where their middles would mislead."""
    told = (
        "Energy does not rank the tracks anew: where it is modelled, it follows CPU time, so the figures "
        "show tracks in the order of their CPU time. The bars share their coefficients and move together; "
        "two bars that overlap are neither a difference nor a tie."
    )
    if any(one.accelerator_seconds for one in footprints):
        told += (
            " Work on an accelerator is modelled with coefficients of its own and stands last; how it "
            "compares with the rest is as open as its bars are wide."
        )
    swapped = [
        f"{first.track} and {second.track} ({WORK[work]})"
        for work in WORK
        for first, second in itertools.pairwise(
            by_time([one for one in footprints if one.work == work and one.basis == "modelled"])
        )
        if first.joules.mid > second.joules.mid and not second.accelerator_seconds
    ]
    if not swapped:
        return told
    return (
        f"{told} The middles of {'; '.join(swapped)} stand the other way round than the CPU times: that is "
        "the model's memory or elapsed time, and not a finding."
    )


def _second_opinion(opinion: SecondOpinion | None) -> Markup:
    if opinion is None:
        return Markup("")
    table = elements.table(
        f"The same {formats.count(opinion.cells)} cells as told by another tool",
        [Column("Told by"), Column("Energy", numeric=True), Column("Basis")],
        [
            [
                "costcurves",
                elements.whole(spans.joules(opinion.ours)),
                "modelled, of a mean cloud vCPU whatever machine is priced",
            ],
            [opinion.tool, elements.whole(spans.one(opinion.theirs)), "modelled, unless it found a counter"],
        ],
    )
    low, _, high = opinion.ours
    if low <= opinion.theirs <= high:
        place = f"{opinion.tool} lies within our range."
    else:
        times = opinion.theirs / opinion.ours.mid if opinion.ours.mid > 0 else float("inf")
        place = f"{opinion.tool} tells {formats.number(times, 2)} times our middle."
    why = (
        f"Why they differ: where no energy counter can be read, as on a virtual machine, {opinion.tool} "
        "multiplies elapsed time by a constant power that it guesses for processor and memory; we multiply "
        "CPU time by the power of a vCPU. Then neither measures, and the difference is that of the constants."
    )
    return elements.join(table, elements.paragraph(f"{place} {why}"))


def _coefficients(prices: Sequence[Mapping[str, Any]], footprints: Sequence[Footprint]) -> Markup:
    """Return what the figures were computed with, and whose data that is."""
    used = [price for price in prices if _is_coefficient(price)]
    tracks: dict[str, dict[str, None]] = {}
    for one in footprints:
        tracks.setdefault(f"{one.basis}: {one.source}", {})[one.track] = None
    sources = elements.items(
        formats.sentence(source if len(tracks) == 1 else f"{', '.join(names)} {source}")
        for source, names in tracks.items()
    )
    if len(tracks) > _FEW:
        sources = Markup("<details><summary>{}</summary>{}</details>").format(
            f"What each figure rests on ({len(tracks)})", sources
        )
    carbon = [price for price in prices if price.get("unit") == _CARBON_UNIT]
    thanks = elements.join(
        *(elements.paragraph(formats.sentence(_thanks(price)), quiet=True) for price in carbon)
    )
    table = price_table("Coefficients of energy and carbon", used) if used else Markup("")
    return elements.join(Markup("<h3>{}</h3>").format("Basis and coefficients"), sources, table, thanks)


def _thanks(price: Mapping[str, Any]) -> str:
    return str(price.get("attribution") or f"Carbon of electricity: {origin(price)}")


def _is_coefficient(price: Mapping[str, Any]) -> bool:
    return price.get("unit") in (*_POWER_UNITS, _CARBON_UNIT) or "(PUE)" in str(price.get("name", ""))
