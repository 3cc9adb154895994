"""What the business declared and what its machines cost, drawn: one set of samples that all tracks share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from toolkit import prices
from toolkit.analysis.draws import N_DRAWS, draw_ratio, drawn, mean_of, place_in_band
from toolkit.analysis.stacks import Floats
from toolkit.business import Economics, Hours
from toolkit.prices import Grid, Hardware
from toolkit.seeding import derive_seed

__all__ = ["Inputs", "draw_inputs", "mean_of"]


@dataclass(frozen=True)
class Inputs:
    """Declared amounts and prices: entry 0 of every array is the mean, the rest are draws.

    All arrays have shape (1 + n_draws,). Money is in the experiment's currency.

    Parameters
    ----------
    volume, retrains, wage, carbon_price_per_kg, price_per_kwh, price_per_label : ndarray
    speed : ndarray
        Of the priced processor, relative to the one that was measured; entry 0 is the harmonic mean, since
        seconds are divided by it.
    hours_build : mapping of str to mapping
        Track -> part -> hours; the part is ``build`` where they are declared in all.
    hours_per_year : mapping of str to ndarray
    energy_place, accelerator_place : ndarray
        Where in the bands of modelled energy and of accelerators a draw lies, 0 to 1; see `draw_band`, whose
        entry 0 is the mean.
    hardware : Hardware
        What is priced.
    host : Hardware
        Where work runs that is no net's: the same, but for a machine with accelerators.
    n_rules : mapping of str to int
        Track -> the rules of its full effort, which its declared hours are for.
    """

    volume: Floats
    retrains: Floats
    wage: Floats
    hours_build: Mapping[str, Mapping[str, Floats]]
    hours_per_year: Mapping[str, Floats]
    carbon_price_per_kg: Floats
    price_per_kwh: Floats
    price_per_label: Floats
    speed: Floats
    energy_place: Floats
    accelerator_place: Floats
    hardware: Hardware
    host: Hardware
    grid: Grid
    economics: Economics
    n_rules: Mapping[str, int]
    _noise: dict[tuple[str, str], Floats] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def n(self) -> int:
        """Number of entries: the mean and the draws."""
        return len(self.volume)

    @property
    def trainings(self) -> Floats:
        """Trainings a year: at least one in the horizon."""
        return np.maximum(self.retrains, 1 / self.economics.horizon_years)

    @property
    def times(self) -> Mapping[str, Floats]:
        """How often a year there is a training, a search and a decision."""
        once = np.full(self.n, 1 / self.economics.horizon_years)
        searches = self.trainings if self.economics.search_each_retrain else once
        return {"training": self.trainings, "search": searches, "decision": self.volume}

    def cost_noise(self, track: str, part: str) -> Floats:
        """Return standard normal draws for one measured cost of one track, entry 0 is 0."""
        if (track, part) not in self._noise:  # the same for all rungs of the track
            generator = np.random.default_rng(derive_seed("cost", track, part))
            self._noise[track, part] = np.concatenate([[0.0], generator.standard_normal(self.n - 1)])
        return self._noise[track, part]


def draw_inputs(
    economics: Economics,
    tracks: Sequence[str],
    *,
    n_rules: Mapping[str, int] | None = None,
    n_draws: int = N_DRAWS,
) -> Inputs:
    """Draw everything that tracks share.

    Parameters
    ----------
    economics : Economics
    tracks : sequence of str
    n_rules : mapping of str to int, optional
        Track -> the rules of its full effort, where its rungs are numbers of rules.
    n_draws : int

    Raises
    ------
    ConfigError
        Unknown hardware or country.
    """
    rate = economics.currency_per_usd
    here = prices.grid(economics.country)
    hardware = prices.of(economics)
    hours = {track: economics.hours.get(track, Hours()) for track in tracks}
    declared_kwh = economics.price_per_kwh
    return Inputs(
        volume=drawn(economics.volume_per_year, "volume", n_draws=n_draws),
        retrains=drawn(economics.retrains_per_year, "retrains", n_draws=n_draws),
        wage=drawn(economics.wage_per_hour, "wage", n_draws=n_draws),
        hours_build={track: _hours(track, hours[track], n_draws) for track in tracks},
        hours_per_year={t: drawn(hours[t].per_year, "upkeep", t, n_draws=n_draws) for t in tracks},
        carbon_price_per_kg=drawn(economics.carbon_price_per_tonne, "carbon", n_draws=n_draws) / 1000,
        price_per_kwh=np.full(n_draws + 1, here.usd_per_kwh * rate)
        if declared_kwh is None
        else drawn(declared_kwh, "electricity", n_draws=n_draws),
        price_per_label=drawn(economics.price_per_label, "label", n_draws=n_draws),
        speed=draw_ratio(economics.speed, "speed", n_draws=n_draws),
        energy_place=place_in_band("energy", n_draws=n_draws),
        accelerator_place=place_in_band("accelerator", n_draws=n_draws),
        hardware=hardware,
        host=hardware if hardware.host is None else prices.hardware(hardware.host),
        grid=here,
        economics=economics,
        n_rules=dict(n_rules or {}),
    )


def _hours(track: str, hours: Hours, n_draws: int) -> dict[str, Floats]:
    """Draw the hours to build, each part by itself where parts are declared."""
    parts = hours.parts or {"build": hours.to_build}
    return {
        part: drawn(amount, "build", track, *(() if part == "build" else (part,)), n_draws=n_draws)
        for part, amount in parts.items()
    }
