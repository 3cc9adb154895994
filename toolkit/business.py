"""What a business declares of itself: values of outcomes, volumes, hours, and the prices it pays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal
from unicodedata import category

from pydantic import AfterValidator, Field, model_validator

from toolkit.amounts import (
    AboveZero,
    Amount,
    Count,
    FromZero,
    Frozen,
    NonNegative,
    PositiveAmount,
    Range,
    Share,
)
from toolkit.errors import did_you_mean, shorten
from toolkit.sources import DEFAULT, UNSOURCED, Origin, Sources, given_keys, origin_in

__all__ = ["Economics", "Hours", "OutcomeValue", "OwnHardware"]

_NOTHING = Range(low=0, likely=0, high=0)


def _is_written_as_money(currency: str) -> str:
    # Signs that are markup in a page, a table or a chart's name would have to be escaped in each otherwise;
    # a dot would stand beside the full stop of a sentence.
    if not all(sign.isalpha() or category(sign) == "Sc" for sign in currency):
        raise ValueError(
            "a currency is its code, name or sign, such as USD, kr or €: letters, no spaces or dots, "
            "at most 8"
        )
    return "USD" if currency.upper() == "USD" else currency


Currency = Annotated[str, Field(min_length=1, max_length=8), AfterValidator(_is_written_as_money)]


class OutcomeValue(Frozen):
    """Money gained (or, negative, lost) by each outcome of one decision."""

    true_positive: Amount
    false_positive: Amount
    true_negative: Amount = _NOTHING
    false_negative: Amount = _NOTHING


class Hours(Frozen):
    """People's declared hours for one track.

    Parameters
    ----------
    build : Range, optional
        Until it first runs. Either this total or its parts.
    features, rules, modelling : Range, optional
        Parts of the hours to build: preparing the data, writing down what experts know, making the model.
    per_year : Range
        Upkeep.
    """

    build: NonNegative | None = None
    features: NonNegative | None = None
    rules: NonNegative | None = None
    modelling: NonNegative | None = None
    per_year: NonNegative = _NOTHING

    @model_validator(mode="after")
    def _total_or_parts(self) -> Hours:
        if self.build is not None and self.parts:
            raise ValueError(
                f"give the hours to build in all or in parts, got 'build' and {', '.join(self.parts)}"
            )
        return self

    @property
    def parts(self) -> dict[str, Range]:
        """The parts of the hours to build that are given."""
        found = {name: getattr(self, name) for name in ("features", "rules", "modelling")}
        return {name: hours for name, hours in found.items() if hours is not None}

    @property
    def to_build(self) -> Range:
        """The hours to build in all: where parts are given, the sum of their ends."""
        if self.build is not None:
            return self.build
        parts = self.parts.values()
        return Range(
            low=sum(part.low for part in parts),
            likely=sum(part.likely for part in parts),
            high=sum(part.high for part in parts),
        )


class OwnHardware(Frozen):
    """A machine that is in no table, with its price and power.

    Parameters
    ----------
    title : str
    usd_per_hour : float
        Of the whole machine, in US dollars.
    vcpus : int
    memory_gb : float
    idle_watts, max_watts : Range
        Power of one vCPU at rest and at full load.
    utilisation : float
        Share of the paid hours that do work.
    energy_in_price : bool
        Whether the price already pays for electricity.
    """

    title: Annotated[str, Field(min_length=1, max_length=120)] = "our own machine"
    usd_per_hour: FromZero
    vcpus: Annotated[Count, Field(le=100_000)]
    memory_gb: AboveZero
    idle_watts: PositiveAmount
    max_watts: PositiveAmount
    utilisation: Share = 0.5
    energy_in_price: bool = False

    @model_validator(mode="after")
    def _power_rises(self) -> OwnHardware:
        for end in ("low", "likely", "high"):
            if getattr(self.idle_watts, end) > getattr(self.max_watts, end):
                raise ValueError("a vCPU draws no less at full load (max_watts) than at rest (idle_watts)")
        return self


class Economics(Frozen):
    """What the business knows: values, volumes and prices. Money is in `currency`.

    Parameters
    ----------
    serving : {"batch", "single"}
        Whether decisions are made in batches or one at a time, which costs more.
    always_on_vcpus : float
        vCPUs that wait for decisions all year, where these are made one at a time; 0 where the machine does
        other work meanwhile.
    price_per_label : Range
        Of one training label; 0 where labels come by themselves, as sales do.
    hardware : str
        A profile of the table; `own_hardware` takes its place where it is given.
    speed : Range
        Of that hardware's processor, relative to the machine that was measured: 2 halves the seconds.
    sources : mapping of str to Origin
        Key, dotted below the first level (``value.true_positive``), -> where its number is from. That of a
        group (``hours``) holds for all in it that has none of its own.
    """

    currency: Currency = "USD"
    currency_per_usd: AboveZero = 1.0
    value: OutcomeValue
    volume_per_year: NonNegative
    serving: Literal["batch", "single"] = "batch"
    always_on_vcpus: FromZero = 0.0
    retrains_per_year: NonNegative = Range(low=1, likely=1, high=1)
    search_each_retrain: bool = False
    horizon_years: AboveZero = 3.0
    wage_per_hour: NonNegative = Range(low=60, likely=60, high=60)
    hours: dict[str, Hours] = Field(default_factory=dict)
    price_per_label: NonNegative = _NOTHING
    hardware: str = "cloud-vcpu"
    own_hardware: OwnHardware | None = None
    speed: PositiveAmount = Range(low=1, likely=1, high=1)
    country: str = "US"
    price_per_kwh: NonNegative | None = None
    pue: Annotated[float, Field(strict=True, ge=1, le=10)] = 1.2
    carbon_price_per_tonne: NonNegative = _NOTHING
    margin: FromZero | None = None
    sources: Sources

    @model_validator(mode="after")
    def _complete(self) -> Economics:
        if self.currency == "USD" and self.currency_per_usd != 1:
            raise ValueError(
                f"a US dollar costs 1 USD, got currency_per_usd: {self.currency_per_usd:g}; say which "
                "currency it is, or leave the rate out"
            )
        if self.currency != "USD" and "currency_per_usd" not in self.model_fields_set:
            raise ValueError(
                f"prices are in USD: with currency {self.currency} give currency_per_usd too, what a US "
                "dollar costs"
            )
        if self.own_hardware is not None and "hardware" in self.model_fields_set:
            raise ValueError("give the name of a hardware profile or own_hardware, not both")
        return self

    def origin(self, key: str) -> Origin:
        """Return where the number of a dotted key is from, if only from our defaults."""
        if key not in given_keys(self):
            return DEFAULT
        return origin_in(self.sources, key) or UNSOURCED

    def unfit_source(self, tracks: Iterable[str]) -> tuple[str, str] | None:
        """Return the first source that belongs to no number: its key, and the sentence about it.

        Parameters
        ----------
        tracks : iterable of str
            Those of the experiment, which hours may be declared for.
        """
        given = given_keys(self)
        for key in self.sources:
            if key in given:
                continue
            known = dict.fromkeys([*given, *_possible_keys(tracks)])
            if key in known:
                return (
                    key,
                    f"a source for '{key}', which the economics do not give; give it, or remove its source",
                )
            return key, f"unknown key 'economics.sources.{shorten(key)}'{did_you_mean(key, known)}"
        return None


def _possible_keys(tracks: Iterable[str]) -> Iterator[str]:
    """Yield the dotted keys that economics may have."""
    yield from (name for name in Economics.model_fields if name != "sources")
    yield from (f"value.{name}" for name in OutcomeValue.model_fields)
    yield from (f"own_hardware.{name}" for name in OwnHardware.model_fields)
    for track in tracks:
        yield from (f"hours.{track}", *(f"hours.{track}.{part}" for part in Hours.model_fields))
