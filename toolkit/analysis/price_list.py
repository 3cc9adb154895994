"""Every price and constant behind the money, the energy and the carbon, with its origin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from toolkit.amounts import Frozen, Range
from toolkit.analysis.inputs import Inputs
from toolkit.analysis.validation import OUTCOMES
from toolkit.prices import Accelerator, Hardware

__all__ = ["price_list"]

Row = dict[str, Any]
Origin = Mapping[str, str]

_DECLARED = {"source": "the experiment file, or the command", "date": "", "basis": "declared"}
_DEFAULT = {"source": "our default; say otherwise in the experiment file", "date": "", "basis": "assumed"}
_MEMORY = {
    "source": "Cloud Carbon Footprint, methodology, memory",
    "date": "2021-05-01",
    "basis": "published",
}


def _row(name: str, value: Any, unit: str, origin: Origin) -> Row:
    return {"name": name, "value": value, "unit": unit, **origin}


def _said(declared: Frozen, key: str) -> Origin:
    """Return the origin of what the user may declare: theirs where they did, else our default."""
    return _DECLARED if key in declared.model_fields_set else _DEFAULT


def _span(amount: Range) -> float | list[float]:
    return amount.likely if amount.low == amount.high else [amount.low, amount.likely, amount.high]


def price_list(inputs: Inputs) -> tuple[Row, ...]:
    """Return every price and constant in use: name, value, unit, source, date and basis."""
    return (*_machines(inputs), *_grid(inputs), *_business(inputs))


def _machines(inputs: Inputs) -> Iterator[Row]:
    machine, host = inputs.hardware, inputs.host
    if machine.accelerator is not None:
        yield from _accelerators(machine, machine.accelerator)
    yield from _processor(host)
    speed = "speed of the processor, relative to the one that was measured"
    yield _row(speed, _span(inputs.economics.speed), "ratio", _said(inputs.economics, "speed"))
    pue = "power of the building over that of the machines (PUE)"
    yield _row(pue, inputs.economics.pue, "ratio", _said(inputs.economics, "pue"))


def _processor(profile: Hardware) -> Iterator[Row]:
    price = {"source": profile.source, "date": profile.date, "basis": profile.basis}
    yield _row(profile.title, profile.usd_per_hour / profile.vcpus, "USD a vCPU-hour", price)
    yield from _shared(profile)


def _shared(profile: Hardware, whose: str = "") -> Iterator[Row]:
    """Yield what both kinds of machines have: the share that works, the watts of vCPUs and of memory."""
    power = {"source": profile.power_source, "date": profile.power_date, "basis": profile.power_basis}
    share = (
        _DECLARED
        if profile.basis == "declared"
        else {"source": "hardware.yaml", "date": profile.date, "basis": "assumed"}
    )
    yield _row(f"share of paid hours that work{whose}", profile.utilisation, "share", share)
    yield _row(f"power of an idle vCPU{whose} (low, mid, high)", list(profile.idle_watts), "W", power)
    yield _row(f"power of a busy vCPU{whose} (low, mid, high)", list(profile.max_watts), "W", power)
    if profile.memory_watts_per_gb > 0:
        yield _row(f"power of memory{whose}", profile.memory_watts_per_gb, "W a GB", _MEMORY)


def _accelerators(profile: Hardware, device: Accelerator) -> Iterator[Row]:
    price = {"source": profile.source, "date": profile.date, "basis": profile.basis}
    peak = {"source": device.source, "date": device.date, "basis": device.basis}
    speed = {"source": device.speed_source, "date": "", "basis": device.speed_basis}
    title = f"{profile.title}: {device.title}"
    yield _row(f"{title}, the whole machine", profile.usd_per_hour, "USD an hour", price)
    yield _row(f"peak of {device.title}, {device.precision}", device.peak_flops, "FLOP a second", peak)
    yield _row("share of the peak that nets reach (low, mid, high)", list(device.achieved), "share", speed)
    yield _row("time to start an optimiser step (low, mid, high)", list(device.step_seconds), "s", speed)
    watts = {"source": device.power_source, "date": device.date, "basis": device.power_basis}
    yield _row(f"power of {device.title} at rest (low, mid, high)", list(device.idle_watts), "W", watts)
    yield _row(f"power of {device.title} at work (low, mid, high)", list(device.max_watts), "W", watts)
    stays = "share of a training's CPU time that stays on the processor (low, mid, high)"
    yield _row(stays, list(device.host_share), "share", speed)
    yield from _shared(profile, f" of the machine with {device.title}")


def _grid(inputs: Inputs) -> Iterator[Row]:
    economics, here = inputs.economics, inputs.grid
    carbon = {
        "source": here.carbon_source,
        "date": here.carbon_date,
        "basis": "published",
        "attribution": here.attribution,
    }
    yield _row(f"carbon of electricity, {here.title}", here.g_co2e_per_kwh, "g CO2e a kWh", carbon)
    money = economics.currency
    tonne = _span(economics.carbon_price_per_tonne)
    yield _row("price of carbon", tonne, f"{money} a tonne", _said(economics, "carbon_price_per_tonne"))
    if inputs.hardware.energy_in_price and inputs.host.energy_in_price:
        return
    if economics.price_per_kwh is not None:
        yield _row("electricity", _span(economics.price_per_kwh), f"{money} a kWh", _DECLARED)
        return
    origin = {"source": here.price_source, "date": here.price_date, "basis": here.price_basis}
    yield _row(f"electricity, {here.title}", here.usd_per_kwh, "USD a kWh", origin)


def _business(inputs: Inputs) -> Iterator[Row]:
    economics, money = inputs.economics, inputs.economics.currency
    said = partial(_said, economics)
    yield _row("exchange rate", economics.currency_per_usd, f"{money} a USD", said("currency_per_usd"))
    yield _row("wage", _span(economics.wage_per_hour), f"{money} an hour", said("wage_per_hour"))
    for name in OUTCOMES:
        value = _span(getattr(economics.value, name))
        yield _row(f"value of a {name.replace('_', ' ')}", value, money, _said(economics.value, name))
    yield _row("decisions", _span(economics.volume_per_year), "a year", _DECLARED)
    served = {"batch": "in batches", "single": "one at a time"}[economics.serving]
    yield _row("decisions are made", served, "", said("serving"))
    if economics.serving == "single":
        on = economics.always_on_vcpus
        yield _row("always on for decisions", on, "vCPUs", said("always_on_vcpus"))
    yield _row("a training label", _span(economics.price_per_label), money, said("price_per_label"))
    yield _row("retrains", _span(economics.retrains_per_year), "a year", said("retrains_per_year"))
    yield _row("horizon", economics.horizon_years, "years", said("horizon_years"))
