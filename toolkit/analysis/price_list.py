"""Every price and constant behind the money, the energy and the carbon, with its origin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.amounts import Range
from toolkit.analysis.inputs import Inputs
from toolkit.analysis.validation import OUTCOMES
from toolkit.business import Economics, Hours
from toolkit.prices import Accelerator, Hardware

__all__ = ["price_list"]

Row = dict[str, Any]
Origin = Mapping[str, str]

_MEMORY = {
    "source": "Cloud Carbon Footprint, methodology, memory",
    "date": "2021-05-01",
    "basis": "published",
}

_SPENT = {
    "build": "to build {}",
    "features": "on features for {}",
    "rules": "to write down the rules of {}",
    "modelling": "on the model of {}",
}

_VCPU_HOUR = "USD a vCPU-hour"
_SHARE = "share of paid hours that work"
_IDLE = "power of an idle vCPU{} (low, mid, high)"
_BUSY = "power of a busy vCPU{} (low, mid, high)"


def _row(name: str, value: Any, unit: str, origin: Origin) -> Row:
    return {"name": name, "value": value, "unit": unit, **origin}


def _own(economics: Economics, key: str, name: str, value: Any, unit: str) -> Row:
    """Return the row of what the user may declare, with its dotted key and the origin that the file gives."""
    shown = _span(value) if isinstance(value, Range) else value
    return {"key": key, **_row(name, shown, unit, economics.origin(key).model_dump())}


def _span(amount: Range) -> float | list[float]:
    return amount.likely if amount.low == amount.high else [amount.low, amount.likely, amount.high]


def price_list(inputs: Inputs) -> tuple[Row, ...]:
    """Return every price and constant in use: name, value, unit, source, date and basis."""
    return (*_machines(inputs), *_grid(inputs), *_business(inputs))


def _machines(inputs: Inputs) -> Iterator[Row]:
    machine, host, economics = inputs.hardware, inputs.host, inputs.economics
    if machine.accelerator is not None:
        yield from _accelerators(machine, machine.accelerator)
    yield from _processor(host) if economics.own_hardware is None else _own_machine(host, economics)
    speed = "speed of the processor, relative to the one that was measured"
    yield _own(economics, "speed", speed, economics.speed, "ratio")
    pue = "power of the building over that of the machines (PUE)"
    yield _own(economics, "pue", pue, economics.pue, "ratio")


def _processor(profile: Hardware) -> Iterator[Row]:
    price = {"source": profile.source, "date": profile.date, "basis": profile.basis}
    yield _row(profile.title, profile.usd_per_hour / profile.vcpus, _VCPU_HOUR, price)
    yield from _shared(profile)


def _own_machine(machine: Hardware, economics: Economics) -> Iterator[Row]:
    """Yield the lines of a machine that is in no table: all but the power of memory is the user's."""
    price = machine.usd_per_hour / machine.vcpus
    yield _own(economics, "own_hardware.usd_per_hour", machine.title, price, _VCPU_HOUR)
    yield _own(economics, "own_hardware.utilisation", _SHARE, machine.utilisation, "share")
    for key, name, watts in (
        ("idle_watts", _IDLE, machine.idle_watts),
        ("max_watts", _BUSY, machine.max_watts),
    ):
        yield _own(economics, f"own_hardware.{key}", name.format(""), list(watts), "W")
    yield from _memory(machine)


def _shared(profile: Hardware, whose: str = "") -> Iterator[Row]:
    """Yield what both kinds of machines have: the share that works, the watts of vCPUs and of memory."""
    power = {"source": profile.power_source, "date": profile.power_date, "basis": profile.power_basis}
    share = {"source": "hardware.yaml", "date": profile.date, "basis": "assumed"}
    yield _row(f"{_SHARE}{whose}", profile.utilisation, "share", share)
    yield _row(_IDLE.format(whose), list(profile.idle_watts), "W", power)
    yield _row(_BUSY.format(whose), list(profile.max_watts), "W", power)
    yield from _memory(profile, whose)


def _memory(profile: Hardware, whose: str = "") -> Iterator[Row]:
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
    tonne = economics.carbon_price_per_tonne
    yield _own(economics, "carbon_price_per_tonne", "price of carbon", tonne, f"{money} a tonne")
    if inputs.hardware.energy_in_price and inputs.host.energy_in_price:
        return
    if economics.price_per_kwh is not None:
        yield _own(economics, "price_per_kwh", "electricity", economics.price_per_kwh, f"{money} a kWh")
        return
    origin = {"source": here.price_source, "date": here.price_date, "basis": here.price_basis}
    yield _row(f"electricity, {here.title}", here.usd_per_kwh, "USD a kWh", origin)


def _business(inputs: Inputs) -> Iterator[Row]:
    economics, money = inputs.economics, inputs.economics.currency
    yield _own(economics, "currency_per_usd", "exchange rate", economics.currency_per_usd, f"{money} a USD")
    for name in OUTCOMES:
        title = f"value of a {name.replace('_', ' ')}"
        yield _own(economics, f"value.{name}", title, getattr(economics.value, name), money)
    yield _own(economics, "volume_per_year", "decisions", economics.volume_per_year, "a year")
    served = {"batch": "in batches", "single": "one at a time"}[economics.serving]
    yield _own(economics, "serving", "decisions are made", served, "")
    if economics.serving == "single":
        on = economics.always_on_vcpus
        yield _own(economics, "always_on_vcpus", "always on for decisions", on, "vCPUs")
    yield _own(economics, "retrains_per_year", "retrains", economics.retrains_per_year, "a year")
    yield _own(economics, "horizon_years", "horizon", economics.horizon_years, "years")
    yield _own(economics, "price_per_label", "a training label", economics.price_per_label, money)
    if economics.margin is not None:
        yield _own(
            economics, "margin", "difference that counts as a tie", economics.margin, f"{money} a year"
        )
    yield _own(economics, "wage_per_hour", "wage", economics.wage_per_hour, f"{money} an hour")
    for track in inputs.hours_per_year:
        yield from _hours(economics, track)


def _hours(economics: Economics, track: str) -> Iterator[Row]:
    declared = economics.hours.get(track, Hours())
    for part, hours in (declared.parts or {"build": declared.to_build}).items():
        spent = _SPENT[part].format(track)
        yield _own(economics, f"hours.{track}.{part}", f"hours {spent}", hours, "hours")
    upkeep = f"hours to keep {track} running"
    yield _own(economics, f"hours.{track}.per_year", upkeep, declared.per_year, "hours a year")
