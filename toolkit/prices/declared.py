"""The prices an experiment asks for: a profile of the table, or the user's own machine."""

from __future__ import annotations

from toolkit.amounts import Range
from toolkit.business import Economics, OwnHardware
from toolkit.config import Experiment
from toolkit.errors import ConfigError
from toolkit.prices.bands import Band
from toolkit.prices.grid import grid
from toolkit.prices.hardware import Hardware, hardware
from toolkit.prices.loading import processor_table

__all__ = ["check", "of", "own"]

OWN = "own_hardware"
SOURCE = "the experiment file"


def _band(amount: Range) -> Band:
    return Band(amount.low, amount.likely, amount.high)


def own(declared: OwnHardware) -> Hardware:
    """Return a user's own machine; its price and power are declared, the power of memory is the table's."""
    return Hardware(
        name=OWN,
        title=declared.title,
        usd_per_hour=declared.usd_per_hour,
        vcpus=declared.vcpus,
        memory_gb=declared.memory_gb,
        idle_watts=_band(declared.idle_watts),
        max_watts=_band(declared.max_watts),
        memory_watts_per_gb=processor_table().memory_watts_per_gb.value,
        utilisation=declared.utilisation,
        energy_in_price=declared.energy_in_price,
        basis="declared",
        source=SOURCE,
        date="",
        power_source=SOURCE,
        power_date="",
        power_basis="declared",
    )


def of(economics: Economics) -> Hardware:
    """Return the machine that an experiment is priced on.

    Raises
    ------
    ConfigError
        No such profile; the message names the nearest.
    """
    return hardware(economics.hardware) if economics.own_hardware is None else own(economics.own_hardware)


def check(experiment: Experiment) -> None:
    """Refuse an experiment whose prices cannot be found, before anything is trained.

    Raises
    ------
    ConfigError
        With the file and line of the name.
    """
    economics = experiment.economics
    for key, look_up in (("hardware", lambda: of(economics)), ("country", lambda: grid(economics.country))):
        try:
            look_up()
        except ConfigError as error:
            raise ConfigError(error.problem, where=experiment.where("economics", key)) from error
