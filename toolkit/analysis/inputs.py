"""What the business declared, drawn: one set of samples that all tracks share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from toolkit.amounts import Range
from toolkit.analysis.intervals import draw_weights
from toolkit.analysis.stacks import Floats
from toolkit.business import Economics, Hours
from toolkit.prices import Grid, Hardware, grid, hardware
from toolkit.seeding import derive_seed

__all__ = ["N_DRAWS", "OUTCOMES", "Inputs", "draw_inputs", "mean_of"]

N_DRAWS = 2000
OUTCOMES = ("true_positive", "false_positive", "true_negative", "false_negative")


def mean_of(amount: Range) -> float:
    """Return the mean of a declared range: (low + 4 likely + high) / 6, as PERT has it."""
    return (amount.low + 4 * amount.likely + amount.high) / 6


def _pert(amount: Range, uniform_names: tuple[str, ...], n_draws: int) -> Floats:
    """Draw from the PERT distribution of a range; the draw depends on the names only."""
    width = amount.high - amount.low
    if width == 0:
        return np.full(n_draws, amount.likely)
    generator = np.random.default_rng(derive_seed("declared", *uniform_names))
    above = 1 + 4 * (amount.likely - amount.low) / width
    below = 1 + 4 * (amount.high - amount.likely) / width
    return np.asarray(amount.low + width * generator.beta(above, below, n_draws))


@dataclass(frozen=True)
class Inputs:
    """Declared amounts: entry 0 of every array is the mean, the rest are draws.

    All arrays have shape (1 + n_draws,), `values` (1 + n_draws, 4) in the order of `OUTCOMES`,
    `weights` (1 + n_draws, n_clusters) with a first row of ones.

    Money is in the experiment's currency.
    """

    values: Floats
    volume: Floats
    retrains: Floats
    wage: Floats
    hours_build: Mapping[str, Floats]
    hours_per_year: Mapping[str, Floats]
    carbon_price_per_kg: Floats
    price_per_kwh: Floats
    energy_place: Floats
    weights: Floats
    seed_normals: Mapping[int, Floats]
    scale_uniforms: Floats
    hardware: Hardware
    grid: Grid
    economics: Economics
    n_rules: Mapping[str, int]
    """Track -> the rules of its full effort, which its declared hours are for."""

    @property
    def n(self) -> int:
        """Number of entries: the mean and the draws."""
        return len(self.volume)

    def cost_noise(self, track: str, part: str) -> Floats:
        """Return standard normal draws for one measured cost of one track, entry 0 is 0."""
        generator = np.random.default_rng(derive_seed("cost", track, part))
        return np.concatenate([[0.0], generator.standard_normal(self.n - 1)])


def draw_inputs(
    economics: Economics,
    tracks: list[str],
    seeds: list[int],
    n_clusters: int,
    *,
    n_rules: Mapping[str, int] | None = None,
    n_draws: int = N_DRAWS,
) -> Inputs:
    """Draw everything that tracks share.

    Parameters
    ----------
    economics : Economics
    tracks : list of str
    seeds : list of int
        All seeds of the experiment.
    n_clusters : int
        Test clusters.
    n_rules : mapping of str to int, optional
        Track -> the rules of its full effort, where its rungs are numbers of rules.
    n_draws : int

    Raises
    ------
    ConfigError
        Unknown hardware or country.
    """

    def drawn(amount: Range, *names: str) -> Floats:
        return np.concatenate([[mean_of(amount)], _pert(amount, names, n_draws)])

    nobody = Hours()
    rate = economics.currency_per_usd
    here = grid(economics.country)
    price_per_kwh = economics.price_per_kwh
    uniforms = np.random.default_rng(derive_seed("seed scale")).random(n_draws)
    energy = np.random.default_rng(derive_seed("energy")).triangular(0, 0.5, 1, n_draws)
    return Inputs(
        values=np.stack(
            [drawn(getattr(economics.value, outcome), "value", outcome) for outcome in OUTCOMES], axis=1
        ),
        volume=drawn(economics.volume_per_year, "volume"),
        retrains=drawn(economics.retrains_per_year, "retrains"),
        wage=drawn(economics.wage_per_hour, "wage"),
        hours_build={t: drawn(economics.hours.get(t, nobody).to_build, "build", t) for t in tracks},
        hours_per_year={t: drawn(economics.hours.get(t, nobody).per_year, "upkeep", t) for t in tracks},
        carbon_price_per_kg=drawn(economics.carbon_price_per_tonne, "carbon") / 1000,
        price_per_kwh=drawn(price_per_kwh, "electricity")
        if price_per_kwh is not None
        else np.full(n_draws + 1, here.usd_per_kwh * rate),
        energy_place=np.concatenate([[0.5], energy]),
        weights=np.vstack([np.ones(n_clusters), draw_weights(n_clusters, n_draws, "economics")]),
        seed_normals={
            seed: np.concatenate(
                [[0.0], np.random.default_rng(derive_seed("seed effect", seed)).standard_normal(n_draws)]
            )
            for seed in seeds
        },
        scale_uniforms=np.concatenate([[0.5], uniforms]),
        hardware=hardware(economics.hardware),
        grid=here,
        economics=economics,
        n_rules=dict(n_rules or {}),
    )
