"""What a line of each table may say: strict models, so that a slip in a YAML file is told and not used."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from toolkit.amounts import Count, Frozen, Positive, Share
from toolkit.prices.bands import Band

__all__ = [
    "AcceleratorLine",
    "AcceleratorTable",
    "CountryLine",
    "GridTable",
    "HardwareLine",
    "HardwareTable",
    "ProcessorLine",
    "ProcessorTable",
]

MAX_FLOPS = 1e16
"""Of one device, in FLOP/s: no chip of the day reaches it in dense arithmetic, so more is a slip of units."""

MAX_ACCELERATOR_WATTS = 3000.0
MAX_VCPU_WATTS = 50.0
MIN_CARBON, MAX_CARBON = 5.0, 1500.0
"""g CO2e a kWh: wind alone has more than the one, no coal plant the other."""


def _band(value: object) -> object:
    if not isinstance(value, list) or len(value) != 3:
        raise ValueError("expected [low, mid, high]")
    if any(isinstance(each, bool) or not isinstance(each, int | float) for each in value):
        raise ValueError("expected three numbers")
    return Band(*value)


def _rising(band: Band) -> Band:
    if not 0 < band.low <= band.mid <= band.high:
        raise ValueError(f"a band is [low, mid, high] in rising order and above zero, got {list(band)}")
    return band


BandOf = Annotated[Band, BeforeValidator(_band), AfterValidator(_rising)]
Text = Annotated[str, Field(strict=True, min_length=3)]
Date = Annotated[str, Field(strict=True, pattern=r"^20\d\d-[01]\d-[0-3]\d$")]
Year = Annotated[int, Field(strict=True, ge=2015, le=2100)]
InTable = Literal["published", "assumed"]
"""A table holds no declared figures: those stand in the experiment file."""


def _power_rises(idle: Band, full: Band, most: float) -> None:
    if any(low >= high for low, high in zip(idle, full, strict=True)):
        raise ValueError(f"idle_watts lie below max_watts, got {list(idle)} and {list(full)}")
    if full.high > most:
        raise ValueError(f"max_watts are at most {most:g} W, got {full.high:g}")


class ProcessorLine(Frozen):
    """Power of one vCPU of one generation of processors."""

    title: Text
    idle_watts: BandOf
    max_watts: BandOf
    memory_included: Annotated[bool, Field(strict=True)] = False
    basis: InTable
    source: Text
    date: Date

    @model_validator(mode="after")
    def _power(self) -> ProcessorLine:
        _power_rises(self.idle_watts, self.max_watts, MAX_VCPU_WATTS)
        return self


class AcceleratorLine(Frozen):
    """One device: what it computes, what it draws and what of that a net gets."""

    title: Text
    peak_flops: Annotated[float, Field(strict=True, ge=1e10, le=MAX_FLOPS)]
    precision: Literal["fp32", "tf32", "bf16", "fp16", "int8"]
    idle_watts: BandOf
    max_watts: BandOf
    achieved: BandOf
    step_seconds: BandOf
    basis: InTable
    source: Text
    date: Date
    power_basis: InTable
    power_source: Text

    @model_validator(mode="after")
    def _sane(self) -> AcceleratorLine:
        _power_rises(self.idle_watts, self.max_watts, MAX_ACCELERATOR_WATTS)
        if self.achieved.high > 1:
            raise ValueError(f"achieved is a share of the peak, at most 1, got {self.achieved.high:g}")
        return self


class Devices(Frozen):
    """The accelerators of a profile: the name of a line of ``accelerators.yaml``, and how many."""

    device: Text
    count: Count


class HardwareLine(Frozen):
    """One machine to rent or to own."""

    title: Text
    kind: Literal["cpu", "gpu", "tpu"] = "cpu"
    usd_per_hour: Positive
    vcpus: Count
    memory_gb: Positive
    processor: Text
    accelerator: Devices | None = None
    host: Text | None = None
    utilisation: Share
    energy_in_price: Annotated[bool, Field(strict=True)]
    basis: InTable
    source: Text
    date: Date

    @model_validator(mode="after")
    def _accelerated(self) -> HardwareLine:
        given = [name for name in ("accelerator", "host") if getattr(self, name) is not None]
        if self.kind == "cpu" and given:
            raise ValueError(f"a profile of kind cpu has no {given[0]}")
        if self.kind != "cpu" and len(given) < 2:
            raise ValueError(f"a profile of kind {self.kind} gives accelerator: {{device, count}} and host")
        return self


class CountryLine(Frozen):
    """Electricity of one country."""

    title: Text
    g_co2e_per_kwh: Annotated[float, Field(strict=True, ge=MIN_CARBON, le=MAX_CARBON)]
    carbon_year: Year | None = None
    usd_per_kwh: Annotated[float, Field(strict=True, ge=0.01, le=1)]
    price_basis: InTable
    price_source: Text
    price_date: Date


class Origin(Frozen):
    """Where figures are from that a whole table shares."""

    basis: InTable
    source: Text
    date: Date


class MemoryLine(Origin):
    """Power of one gigabyte of memory."""

    value: Positive


class SpeedLine(Origin):
    """What training a net on accelerators takes beside them, and where all figures of speed are from."""

    host_share: BandOf

    @model_validator(mode="after")
    def _share(self) -> SpeedLine:
        if self.host_share.high > 1:
            raise ValueError(f"host_share is a share of the work, at most 1, got {self.host_share.high:g}")
        return self


class ProcessorTable(Frozen):
    """``processors.yaml``."""

    memory_watts_per_gb: MemoryLine
    processors: dict[str, ProcessorLine]


class AcceleratorTable(Frozen):
    """``accelerators.yaml``; `speed` tells where `achieved` and `step_seconds` are from too."""

    speed: SpeedLine
    accelerators: dict[str, AcceleratorLine]


class HardwareTable(Frozen):
    """``hardware.yaml`` and the files of the clouds."""

    profiles: dict[str, HardwareLine]


class GridTable(Frozen):
    """``grid.yaml``."""

    attribution: Text
    carbon_source: Text
    carbon_year: Year
    carbon_date: Date
    countries: dict[str, CountryLine]
