"""Which machine the seconds are priced on, and whether they were measured there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from toolkit.analysis.results import Results
from toolkit.report import elements, formats
from toolkit.report.cost_parts import ACCELERATORS
from toolkit.report.price_rows import amount, origin

__all__ = ["priced_machine"]

_HOURLY = re.compile(r"^\S+ an? (\S+[- ])?hour$")
_ACCELERATOR_UNIT = "FLOP/s"


def priced_machine(results: Results) -> Markup:
    """Return facts and sentences on the machine that is priced; empty without economics."""
    economics = results.experiment.get("economics")
    if not economics:
        return Markup("")
    parts: list[Markup] = [
        Markup("<h3>{}</h3>").format("The machine that is priced"),
        elements.facts(_facts(results, economics)),
        elements.paragraph(_seconds(results, economics)),
    ]
    runs_where = _runs_where(results)
    if runs_where:
        parts.append(elements.paragraph(runs_where))
    return elements.join(*parts)


def _hourly(results: Results) -> list[Mapping[str, Any]]:
    """Return the prices of machines: those by the hour that are not people's."""
    return [
        price
        for price in results.prices
        if _HOURLY.match(str(price.get("unit", ""))) and price.get("name") != "wage"
    ]


def _facts(results: Results, economics: Mapping[str, Any]) -> list[tuple[str, str | Markup]]:
    own = economics.get("own_hardware")
    name = "own_hardware in the experiment file" if own else str(economics.get("hardware", ""))
    pairs: list[tuple[str, str | Markup]] = [("profile", name)]
    for price in _hourly(results):
        pairs += [
            (str(price.get("name", "")), f"{amount(price.get('value'))} {price.get('unit', '')}"),
            ("price from", f"{origin(price)} ({price.get('basis', 'not given')})"),
        ]
    served = {"batch": "in batches", "single": "one row at a time"}.get(str(economics.get("serving", "")))
    return [*pairs, *([("predictions are made", served)] if served else [])]


def _seconds(results: Results, economics: Mapping[str, Any]) -> str:
    """Return how seconds of the machine that was measured became seconds of the one that is priced."""
    reference = next((one.name for one in results.spending.machines if one.is_reference), None)
    measured = reference or results.environment.get("processor") or "the machine that ran the cells"
    speed = economics.get("speed") or {"low": 1, "likely": 1, "high": 1}
    converted = (
        " (seconds of other machines were converted to it)"
        if any(not one.is_reference and one.factor is not None for one in results.spending.machines)
        else ""
    )
    begin = f"CPU-seconds were measured on {measured}{converted}"
    if not speed["low"] == speed["likely"] == speed["high"] == 1:
        told = formats.plain(speed["likely"])
        if speed["low"] != speed["high"]:
            told += f" [{formats.plain(speed['low'])}, {formats.plain(speed['high'])}]"
        return f"{begin} and divided by the declared speed of the priced machine, {told} times as fast."
    if any(one.basis == "measured" for one in results.spending.footprints):
        return f"{begin}, which is the machine that is priced."
    return (
        f"{begin}. One of them is assumed to be one CPU-second of the priced machine; nothing was run there. "
        "Where it is known to be faster or slower, say so with speed in the experiment file."
    )


def _runs_where(results: Results) -> str:
    """Return what runs on an accelerator and what beside it; empty where none is priced."""
    found = [
        str(price.get("name", ""))
        for price in results.prices
        if str(price.get("unit", "")).startswith(_ACCELERATOR_UNIT)
    ]
    on_it = [entry.track for entry in results.verdict.tracks if _pays_accelerator(entry.yearly_costs)]
    if not found and not on_it:
        return ""
    device = found[0] if found else "the accelerator"
    who = " and ".join(on_it) if on_it else "No track"
    verb = "train and predict" if len(on_it) > 1 else "trains and predicts"
    return (
        f"{who} {verb} on {device}: the seconds there are modelled from counted operations, a share of the "
        "peak that nets reach, and a fixed time for each step, and the whole machine is paid while it works. "
        "Loading the data, and all work of the other tracks, runs on ordinary vCPUs at the price of those. A "
        "small net need not be faster on an accelerator."
    )


def _pays_accelerator(costs: Mapping[str, float]) -> bool:
    return any(value > 0 and part.startswith(ACCELERATORS[:-1]) for part, value in costs.items())
