"""From outcomes to money: the assumptions, the yearly costs by part, and what is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from markupsafe import Markup

from toolkit.analysis.results import Results
from toolkit.report import elements, figures, formats
from toolkit.report.base import NotApplicable, Section
from toolkit.report.cost_parts import basis, drawn_parts, ordered, part_title
from toolkit.report.elements import Column
from toolkit.report.looks import label, track_names
from toolkit.report.price_rows import origin, origins_told, told_once
from toolkit.report.priced_machine import priced_machine
from toolkit.sources import origin_in

__all__ = ["EconomicsSection"]

_SILENT_WITHOUT = ("own_hardware", "build", "features", "rules", "modelling")
"""Assumptions that are not shown where the experiment file does not make them."""


class EconomicsSection(Section):
    """Yearly costs and values of every track, and the numbers they rest on."""

    order: ClassVar[int] = 60
    title: ClassVar[str] = "Economics"

    def render(self, results: Results) -> Markup:
        """Return the breakdown and the assumptions; not applicable without either."""
        economics = results.experiment.get("economics")
        tracks = results.verdict.tracks
        if not economics and not tracks:
            raise NotApplicable("The experiment declares no economics, so nothing is priced.")
        parts: list[Markup] = []
        if tracks:
            parts += [_costs_figure(results), _values(results)]
        if economics:
            parts += [priced_machine(results), _assumptions(economics, results.prices)]
        return elements.join(*parts)


def _costs_figure(results: Results) -> Markup:
    verdict = results.verdict
    known = track_names(results)
    tracks = sorted(verdict.tracks, key=lambda entry: known.index(entry.track))
    serving = _serving(results)
    show = formats.in_money(verdict.currency)
    unit, scale = formats.money_scale(sum(entry.yearly_costs.values()) for entry in tracks)
    figure = figures.stacked(
        [entry.track for entry in tracks],
        drawn_parts(tracks, verdict.currency, serving),
        f"Cost a year ({scale} {verdict.currency})".replace("( ", "("),
        unit,
    )
    total = {
        kind: [sum(v for k, v in entry.yearly_costs.items() if basis(k) == kind) for entry in tracks]
        for kind in ("declared", "modelled")
    }
    rows: list[list[str | Markup]] = []
    for kind in ("declared", "modelled"):
        rows += [
            [part_title(part, serving), kind, *(show(entry.yearly_costs.get(part, 0.0)) for entry in tracks)]
            for part in ordered(tracks)
            if basis(part) == kind
        ]
        rows.append([Markup("<em>{}</em>").format(f"all {kind}"), kind, *map(show, total[kind])])
    table = elements.table(
        "Costs a year by part",
        [Column("Part"), Column("Basis"), *(Column(entry.track, numeric=True) for entry in tracks)],
        rows,
    )
    told = "; ".join(
        f"{entry.track} {show(declared)} declared and {show(modelled)} modelled"
        for entry, declared, modelled in zip(tracks, total["declared"], total["modelled"], strict=True)
    )
    return figures.embed(
        figure,
        name="yearly-costs",
        title="What a year of every track costs",
        description="Declared: hours of people and labels from the experiment file. Modelled: seconds times "
        f"a price. {told}.",
        table=table,
    )


def _serving(results: Results) -> str:
    return str((results.experiment.get("economics") or {}).get("serving", ""))


def _values(results: Results) -> Markup:
    verdict = results.verdict
    known = track_names(results)
    show = formats.in_money(verdict.currency)

    return elements.table(
        "From the value of decisions to what is left, a year",
        [
            Column("Track"),
            Column("Value of decisions", numeric=True),
            Column("Costs", numeric=True, note="declared + modelled"),
            Column("Costs as share of value", numeric=True),
            Column("Net value", numeric=True, note="95 % interval"),
        ],
        [
            [
                label(entry.track, known),
                show(entry.gross_value_per_year),
                show(spent := sum(entry.yearly_costs.values())),
                formats.ratio(spent / abs(entry.gross_value_per_year), 2)
                if entry.gross_value_per_year
                else "",
                elements.estimate(entry.net_value_per_year, show),
            ]
            for entry in verdict.tracks
        ],
    )


def _assumptions(economics: Mapping[str, Any], prices: Sequence[Mapping[str, Any]]) -> Markup:
    listed = {key: price for price in prices if (key := price.get("key"))}
    shown = list(_flat(_made(economics)))
    origins = [listed.get(key) or _unused(economics, key) for key, _ in shown]
    sources = told_once(origin(one) if one else "" for one in origins)
    table = elements.table(
        "Assumptions from the experiment file; [lowest, highest] where a range was given",
        [Column("Assumption"), Column("Value", numeric=True), Column("Basis"), Column("Source")],
        [
            [_title(key), value, str(one.get("basis", "")), source]
            for (key, value), one, source in zip(shown, origins, sources, strict=True)
        ],
    )
    counted = origins_told(prices)
    return elements.join(elements.paragraph(counted) if counted else Markup(""), table)


def _unused(economics: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the source of what no figure rests on, or what is a choice: the file's, where it has one."""
    sources: Mapping[str, Mapping[str, Any]] = economics.get("sources") or {}
    return origin_in(sources, key) or {}


def _made(economics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the assumptions that are made: a machine of one's own takes the place of a profile."""
    hidden = {"sources", *(("hardware",) if economics.get("own_hardware") is not None else ())}
    return {key: value for key, value in economics.items() if key not in hidden}


def _title(key: str) -> str:
    return ": ".join(formats.words(part) for part in key.split("."))


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the dotted key and the value of each assumption."""
    for key, value in values.items():
        if value is None and key in _SILENT_WITHOUT:
            continue
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and {"low", "likely", "high"} <= set(value):
            yield name, _amount(value)
        elif isinstance(value, Mapping):
            yield from _flat(value, f"{name}.")
        else:
            yield name, _plain(value)


def _amount(value: Mapping[str, Any]) -> str:
    likely = formats.plain(value["likely"])
    if value["low"] == value["high"]:
        return likely
    return f"{likely} [{formats.plain(value['low'])}, {formats.plain(value['high'])}]"


def _plain(value: object) -> str:
    if value is None:
        return "default"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return formats.plain(value)
    return str(value)
