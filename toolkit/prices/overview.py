"""All tables at a glance, as rows of text for a terminal."""

from __future__ import annotations

from toolkit.prices.grid import Grid, countries, grid
from toolkit.prices.hardware import Hardware, hardware, profiles

__all__ = ["tables"]


def tables() -> dict[str, list[dict[str, str]]]:
    """Return the hardware and the electricity that experiments can name.

    Returns
    -------
    dict of str to list of dict of str to str
        ``hardware`` and ``grid``: one row a profile or country, in the order of the tables; the keys of a
        row are the headings of the columns, the same in every row.
    """
    return {
        "hardware": [_machine(hardware(name)) for name in profiles()],
        "grid": [_country(grid(name)) for name in countries()],
    }


def _machine(profile: Hardware) -> dict[str, str]:
    accelerator = profile.accelerator
    idle, full = (profile.vcpus * band.mid for band in (profile.idle_watts, profile.max_watts))
    memory = profile.memory_gb * profile.memory_watts_per_gb
    idle, full, peak = idle + memory, full + memory, ""
    if accelerator is not None:
        idle, full = idle + accelerator.idle_watts.mid, full + accelerator.max_watts.mid
        peak = f"{accelerator.peak_flops / 1e12:,.4g} T {accelerator.precision}"
    return {
        "name": profile.name,
        "title": profile.title,
        "USD/h": f"{profile.usd_per_hour:.4g}",
        "vCPUs": str(profile.vcpus),
        "GB": f"{profile.memory_gb:g}",
        "W idle": f"{idle:,.0f}",
        "W busy": f"{full:,.0f}",
        "peak FLOP/s": peak,
        "basis": profile.basis,
        "source": profile.source,
        "date": profile.date,
    }


def _country(here: Grid) -> dict[str, str]:
    return {
        "name": here.name,
        "title": here.title,
        "g CO2e/kWh": f"{here.g_co2e_per_kwh:.0f}",
        "USD/kWh": f"{here.usd_per_kwh:.3f}",
        "basis": here.price_basis,
        "source": f"{here.carbon_source}; {here.price_source}",
        "date": f"{here.carbon_date}; {here.price_date}",
    }
