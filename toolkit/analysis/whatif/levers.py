"""Levers: the assumptions of a verdict that can be moved, each with its declared range."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from toolkit.amounts import Range
from toolkit.analysis.inputs import Inputs
from toolkit.analysis.validation import OUTCOMES
from toolkit.analysis.whatif.book import Book, Money

__all__ = ["HIT", "VOLUME", "Lever", "levers_of"]

VOLUME = "volume_per_year"
HIT = "value.true_positive"

_REACH, _VOLUME_REACH = 1e3, 1e6
"""How many times smaller or larger an assumption is looked at."""


@dataclass(frozen=True)
class Lever:
    """One assumption.

    Parameters
    ----------
    key : str
        Of the economics in the experiment file.
    title, unit : str
    now : Range
        As declared. The whole range moves in proportion with its most likely value.
    move : callable
        ``move(money, factor, amount)``: the money where the likely value is `amount`, which is `factor` times
        what was declared; NaN for the factor where that is zero.
    scale : float
        An ordinary amount, where zero is declared.
    least : float or None
        Not below this; None where any amount has a meaning.
    reach : float
    points : int
        At which it is looked at, to a power of ten.
    """

    key: str
    title: str
    unit: str
    now: Range
    move: Callable[[Money, float, float], Money]
    scale: float = 1.0
    least: float | None = 0.0
    reach: float = _REACH
    points: int = 10

    def at(self, money: Money, amount: float) -> Money:
        """Return the money where the most likely value is `amount`."""
        likely = self.now.likely
        return self.move(money, amount / likely if likely else float("nan"), amount)


def levers_of(inputs: Inputs, book: Book) -> list[Lever]:
    """Return all assumptions that the verdict of a book hangs on, in the order of the economics."""
    tracks = list(dict.fromkeys(track for track, _ in book.keys))
    return [*_business(inputs, book), *_people(inputs, tracks), *_machines(inputs)]


def _scaled(name: str, per: float = 1.0) -> Callable[[Money, float, float], Money]:
    """Return a move of one field in proportion, or to an amount (by `per`) where it is zero."""

    def move(money: Money, factor: float, amount: float) -> Money:
        now = getattr(money, name)
        changed: dict[str, Any] = {name: now * factor if now else amount / per}
        return replace(money, **changed)

    return move


def _value(place: int) -> Callable[[Money, float, float], Money]:
    def move(money: Money, factor: float, amount: float) -> Money:
        values: Any = list(money.values)
        values[place] = values[place] * factor if values[place] else amount
        return replace(money, values=tuple(values))

    return move


def _hours(kind: str, track: str) -> Callable[[Money, float, float], Money]:
    def move(money: Money, factor: float, amount: float) -> Money:
        changed: dict[str, Any] = {kind: {**getattr(money, kind), track: factor}}
        return replace(money, **changed)

    return move


def _point(amount: float) -> Range:
    return Range(low=amount, likely=amount, high=amount)


def _business(inputs: Inputs, book: Book) -> Iterator[Lever]:
    economics, money = inputs.economics, inputs.economics.currency
    usual = max(abs(value) for value in book.money.values) or 1.0
    for place, name in enumerate(OUTCOMES):
        yield Lever(
            f"value.{name}",
            f"value of a {name.replace('_', ' ')}",
            money,
            getattr(economics.value, name),
            _value(place),
            scale=usual,
            least=None,
            points=100,
        )
    yield Lever(
        VOLUME,
        "decisions",
        "a year",
        economics.volume_per_year,
        _scaled("volume"),
        scale=1e6,
        reach=_VOLUME_REACH,
    )
    yield Lever("retrains_per_year", "retrains", "a year", economics.retrains_per_year, _scaled("retrains"))
    yield Lever("horizon_years", "horizon", "years", _point(economics.horizon_years), _scaled("horizon"))
    yield Lever("price_per_label", "a training label", money, economics.price_per_label, _scaled("label"))


def _people(inputs: Inputs, tracks: list[str]) -> Iterator[Lever]:
    economics = inputs.economics
    yield Lever(
        "wage_per_hour", "wage", f"{economics.currency} an hour", economics.wage_per_hour, _scaled("wage")
    )
    for track in tracks:
        hours = economics.hours.get(track)
        if hours is None:
            continue
        if hours.to_build.likely > 0:
            yield Lever(
                f"hours.{track}.build",
                f"hours to build {track}",
                "hours",
                hours.to_build,
                _hours("build", track),
            )
        if hours.per_year.likely > 0:
            yield Lever(
                f"hours.{track}.per_year",
                f"hours to keep {track}",
                "hours a year",
                hours.per_year,
                _hours("upkeep", track),
            )


def _machines(inputs: Inputs) -> Iterator[Lever]:
    economics, money, host = inputs.economics, inputs.economics.currency, inputs.host
    if inputs.hardware.accelerator is None:
        price, unit = host.usd_per_hour / host.vcpus * economics.currency_per_usd, f"{money} a vCPU-hour"
    else:
        price, unit = 1.0, "times the listed prices"
    yield Lever("hardware", "price of computing", unit, _point(price), _scaled("compute"))
    yield Lever(
        "speed", "speed of the processor", "times the measured one", economics.speed, _scaled("speed")
    )
    tonne = economics.carbon_price_per_tonne
    carbon = _scaled("carbon", per=1000.0)
    yield Lever("carbon_price_per_tonne", "price of carbon", f"{money} a tonne", tonne, carbon, scale=100.0)
    if not (inputs.hardware.energy_in_price and host.energy_in_price):
        declared = economics.price_per_kwh or _point(float(inputs.price_per_kwh[0]))
        yield Lever("price_per_kwh", "electricity", f"{money} a kWh", declared, _scaled("kwh"))
    yield Lever("pue", "PUE", "times the machines' energy", _point(economics.pue), _scaled("pue"), least=1.0)
