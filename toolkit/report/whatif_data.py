"""What the sliders need: the sheet of a verdict with its draws as plain data.

Means are written out in full, draws with nine digits, counts as differences from one threshold to the next,
which deflate well. Thresholds that no position of a slider would choose are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from toolkit.amounts import Range
from toolkit.analysis.choices import Choices, RungChoices, yes_gains
from toolkit.analysis.decisions import seed_scale
from toolkit.analysis.draws import draw_band
from toolkit.analysis.flows import Flow
from toolkit.analysis.stacks import Floats
from toolkit.analysis.verdict import CLEAR, DEEP, HYBRID, PLAIN, SURE
from toolkit.analysis.verdict_words import SENTENCES, without_deep
from toolkit.analysis.whatif.book import MARGIN_SHARE
from toolkit.analysis.whatif.levers import HIT, VOLUME, Lever, levers_of
from toolkit.analysis.whatif.sheet import Sheet
from toolkit.analysis.work import Occasion
from toolkit.prices import JOULES_PER_KWH

__all__ = ["Slider", "model_of", "sliders_of"]

_OCCASIONS: Mapping[Occasion, int] = {"training": 0, "search": 1, "decision": 2}
_YEAR = 365.0


@dataclass(frozen=True)
class Slider:
    """An assumption that the page lets its reader move.

    Parameters
    ----------
    key : str
        Of the economics.
    title, unit : str
    now : Range
    low, high : float
        Its ends; logarithmic in between where `low` is above zero.
    """

    key: str
    title: str
    unit: str
    now: Range
    low: float
    high: float


def sliders_of(sheet: Sheet) -> list[Slider]:
    """Return the sliders of a sheet: those whose assumption is declared above zero, or may be zero."""
    levers = {lever.key: lever for lever in levers_of(sheet.inputs, sheet.book)}
    tonne = levers["carbon_price_per_tonne"].now.likely
    retrains = levers["retrains_per_year"].now.likely
    found = [
        *_around(levers[HIT], "value of a hit", 10.0, 10.0),
        *_around(levers[VOLUME], "decisions", 1e4, 1e2),
        *_around(levers["hardware"], "price of computing", 10.0, 10.0),
        *_around(levers["wage_per_hour"], "wage", 10.0, 10.0),
        _slider(levers["carbon_price_per_tonne"], "price of carbon", 0.0, max(1000.0, 5 * tonne)),
    ]
    if retrains > 0:
        ends = min(1.0, retrains / 2), max(_YEAR, retrains * 2)
        found.append(_slider(levers["retrains_per_year"], "retrains", *ends))
    return found


def _around(lever: Lever, title: str, down: float, up: float) -> list[Slider]:
    likely = lever.now.likely
    return [_slider(lever, title, likely / down, likely * up)] if likely > 0 else []


def _slider(lever: Lever, title: str, low: float, high: float) -> Slider:
    # A slider says its amounts with three digits: its ends have to be among them.
    ends = (float(f"{end:.2e}") for end in (low, high))
    return Slider(lever.key, title, lever.unit, lever.now, *ends)


class _Pool:
    """Arrays of draws, each written once."""

    def __init__(self) -> None:
        self.written: list[Any] = []
        self._places: dict[int, int] = {}
        self._kept: list[Floats] = []

    def add(self, draws: Floats) -> int:
        """Return the place of an array of shape (1 + n_draws,)."""
        if id(draws) not in self._places:
            self._kept.append(draws)  # an id is good for as long as its array lives
            self._places[id(draws)] = len(self.written)
            mean = float(draws[0])
            constant = bool((draws == mean).all())
            self.written.append(mean if constant else {"mean": mean, "draws": _nine_digits(draws[1:])})
        return self._places[id(draws)]


def _nine_digits(values: Floats) -> list[float]:
    return [float(f"{value:.9g}") for value in values.tolist()]


def model_of(sheet: Sheet, excluded_nets: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return everything that the page's arithmetic needs, as plain data.

    Parameters
    ----------
    sheet : Sheet
    excluded_nets : mapping of str to str, optional
        Net -> why a constraint forbids it.
    """
    pool, inputs, book, shared = _Pool(), sheet.inputs, sheet.book, sheet.outcomes
    tracks = list(dict.fromkeys(track for track, _ in book.keys))
    sliders = sliders_of(sheet)
    noise: dict[tuple[str, str], int] = {}
    seeds = sorted(shared.seed_normals)
    counts = sorted({len(one.seeds) for one in book.choices} - {1})
    economics = inputs.economics
    deep = [track for track in tracks if sheet.plugins[track] == DEEP]
    unknown = without_deep({} if deep else excluded_nets or {})
    model = {
        "size": inputs.n,
        "currency": economics.currency,
        "tracks": tracks,
        "deep": deep,
        "plain": [track for kind in PLAIN for track in tracks if sheet.plugins[track] == kind],
        "hybrids": [track for track in tracks if sheet.plugins[track] == HYBRID],
        "margin": economics.margin,
        "marginShare": MARGIN_SHARE,
        "sure": SURE,
        "clear": CLEAR,
        "nothingEarnsNothing": book.nothing_earns_nothing,
        "horizon": economics.horizon_years,
        "searchesEachTraining": book.searches_each_training,
        "gridKg": book.grid_kg,
        "sentences": {**SENTENCES, "deep is not known": unknown},
        "sliders": [
            {"key": one.key, "likely": one.now.likely, "low": one.low, "high": one.high} for one in sliders
        ],
        "draws": {
            "values": [pool.add(np.ascontiguousarray(column)) for column in shared.values.T],
            "volume": pool.add(inputs.volume),
            "retrains": pool.add(inputs.retrains),
            "wage": pool.add(inputs.wage),
            "carbon": pool.add(inputs.carbon_price_per_kg),
            "kwh": pool.add(inputs.price_per_kwh),
            "label": pool.add(inputs.price_per_label),
            "speed": pool.add(inputs.speed),
            "energyPlace": pool.add(inputs.energy_place),
            "acceleratorPlace": pool.add(inputs.accelerator_place),
            "seeds": [pool.add(shared.seed_normals[seed]) for seed in seeds],
            "seedScale": {str(n): pool.add(seed_scale(n, inputs.n - 1)) for n in counts},
        },
        "weights": shared.weights[1:].astype(int).ravel().tolist(),
        "validation": list(book.choices[0].validation),
        "test": book.choices[0].test.tolist(),
    }
    rungs = []
    for place, (track, rung) in enumerate(book.keys):
        flows = sheet.flows[place]
        for flow in flows:
            if flow.on_processor and (flow.track, flow.phase) not in noise:
                noise[flow.track, flow.phase] = pool.add(inputs.cost_noise(flow.track, flow.phase))
        rungs.append(
            {
                "track": tracks.index(track),
                "rung": rung,
                "labels": float(book.labels[place]),
                "build": [[pool.add(one.declared), one.share] for one in sheet.build[place]],
                "upkeep": [pool.add(sheet.upkeep[place].declared), sheet.upkeep[place].share],
                "flows": [_flow(flow, noise, sheet) for flow in flows],
                "seeds": _seeds(book.choices[place], seeds, book.money.values, sliders),
            }
        )
    return {**model, "rungs": rungs, "arrays": pool.written}


def _flow(flow: Flow, noise: Mapping[tuple[str, str], int], sheet: Sheet) -> dict[str, Any]:
    inputs = sheet.inputs
    kwh = [joules / JOULES_PER_KWH for joules in flow.joules]
    idle_kwh = [joules / JOULES_PER_KWH for joules in flow.idle_joules]
    return {
        "occasion": _OCCASIONS[flow.occasion],
        "noise": noise[flow.track, flow.phase] if flow.on_processor else None,
        "spread": flow.spread,
        "band": None if flow.band is None else list(flow.band),
        "seconds": flow.seconds,
        "price": flow.price,
        "idleShare": flow.idle_share,
        "alwaysOn": flow.always_on_seconds,
        "kwh": kwh,
        "idleKwh": idle_kwh,
        "inPrice": flow.energy_in_price,
        # means that the page could take from its draws only to the digits that these have
        "meanQuantity": float(flow.quantity(inputs)[0]),
        "meanKwh": float(draw_band(kwh, inputs.energy_place)[0]),
        "meanIdleKwh": float(draw_band(idle_kwh, inputs.energy_place)[0]),
    }


def _seeds(
    choices: RungChoices,
    seeds: list[int],
    values: tuple[float, float, float, float],
    sliders: list[Slider],
) -> list[dict[str, Any]]:
    return [
        _seed(seeds.index(seed), _within_reach(one, values, sliders))
        for seed, one in zip(choices.seeds, choices.choices, strict=True)
    ]


def _within_reach(one: Choices, values: tuple[float, float, float, float], sliders: list[Slider]) -> Choices:
    """Return the choices that some position of the slider of a hit would make."""
    hit = next((slider for slider in sliders if slider.key == HIT), None)
    ends = (1.0, 1.0) if hit is None else (hit.low / hit.now.likely, hit.high / hit.now.likely)
    first, last = sorted(one.best(*yes_gains(np.array([values[0] * end, *values[1:]]))) for end in ends)
    kept = slice(first, last + 1)
    return Choices(one.thresholds[kept], one.validation[kept], one.test[kept])


def _seed(place: int, one: Choices) -> dict[str, Any]:
    """Return a seed's choices; the counts of the first, then how much fewer each next one has."""
    fewer = np.concatenate([one.test[:1], one.test[:-1] - one.test[1:]])
    return {"seed": place, "validation": one.validation.tolist(), "test": fewer.ravel().tolist()}
