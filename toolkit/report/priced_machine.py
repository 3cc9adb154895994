"""Which machine the seconds are priced on, and whether they were measured there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from toolkit.analysis.results import Results
from toolkit.report import elements, formats
from toolkit.report.price_rows import price_table

__all__ = ["priced_machine"]

_HOURLY = re.compile(r"^\S+ an? (\S+[- ])?hour$")
_PEAK = "FLOP a second"


def priced_machine(results: Results) -> Markup:
    """Return the machine, its price and where its seconds are from; empty without economics."""
    economics = results.experiment.get("economics")
    if not economics:
        return Markup("")
    machines = [price for price in results.prices if _is_machine(price)]
    notes = [_profile(economics), _seconds(results, economics), _runs_where(results)]
    return elements.join(
        Markup("<h3>{}</h3>").format("The machine that is priced"),
        price_table("Machines in use and their prices", machines) if machines else Markup(""),
        *(elements.paragraph(note) for note in notes if note),
        elements.items(
            formats.sentence(finding.sentence)
            for finding in results.findings
            if finding.code.startswith("accelerator")
        ),
    )


def _is_machine(price: Mapping[str, Any]) -> bool:
    """Tell whether a line is the hourly price of a machine, people's wage left out, or an accelerator."""
    unit = str(price.get("unit", ""))
    return unit == _PEAK or (_HOURLY.match(unit) is not None and price.get("name") != "wage")


def _profile(economics: Mapping[str, Any]) -> str:
    own = economics.get("own_hardware")
    name = f"your own, {own.get('title', '')}" if own else f"the profile {economics.get('hardware', '')}"
    served = {"batch": "in batches", "single": "one row at a time"}.get(str(economics.get("serving", "")))
    told = f"The machine in use is {name}"
    return f"{told}; predictions are made {served}." if served else f"{told}."


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
        return f"{begin}. That is taken to be the machine that is priced, which has as many vCPUs."
    return (
        f"{begin}. One of them is assumed to be one CPU-second of the priced machine; nothing was run there. "
        "Where it is known to be faster or slower, say so with speed in the experiment file, or with --speed."
    )


def _runs_where(results: Results) -> str:
    """Return what runs on an accelerator and what beside it; empty where none is priced."""
    if not any(price.get("unit") == _PEAK for price in results.prices):
        return ""
    on_it = dict.fromkeys(one.track for one in results.spending.footprints if one.accelerator_seconds > 0)
    who = f"The nets of {' and '.join(on_it)} are trained" if on_it else "No track's net is trained"
    return (
        f"{who} on the accelerator: the seconds there are modelled from counted operations, a share of the "
        "peak that nets reach, a fixed time for each step, and a share of the measured time that stays on "
        "that machine's processor, and the whole machine is paid while it works. Loading the data, all "
        "predictions, and all work of the other tracks run on ordinary vCPUs at the price of those. A small "
        "net need not be faster on an accelerator."
    )
