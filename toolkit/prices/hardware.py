"""Machines to run on: what an hour of them costs, what they draw, and their accelerators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toolkit.errors import ConfigError, did_you_mean
from toolkit.prices.bands import Band, Basis
from toolkit.prices.lines import HardwareLine
from toolkit.prices.loading import accelerator_table, hardware_lines, processor_table

__all__ = ["Accelerator", "Hardware", "hardware", "profiles"]


@dataclass(frozen=True)
class Accelerator:
    """The accelerators of one machine, all devices together.

    Parameters
    ----------
    title : str
    count : int
        Devices.
    peak_flops : float
        FLOP/s, dense (no sparsity), at `precision`.
    precision : str
        Number format of `peak_flops`, e.g. ``tf32`` or ``bf16``.
    idle_watts, max_watts : Band
        Power at rest, and while a net trains.
    achieved : Band
        Share of the peak that training a net reaches; small nets reach little.
    step_seconds : Band
        Time that starting the kernels of one optimiser step takes, whatever its size.
    host_share : Band
        Share of the CPU time of a training that stays on the machine's own processor: encoding, shuffling,
        the rules that teach a net.
    source, date, basis : str
        Where the peak is from.
    power_source, power_basis : str
        Where the watts are from.
    speed_source, speed_basis : str
        Where `achieved`, `step_seconds` and `host_share` are from.
    """

    title: str
    count: int
    peak_flops: float
    precision: str
    idle_watts: Band
    max_watts: Band
    achieved: Band
    step_seconds: Band
    host_share: Band
    source: str
    date: str
    basis: Basis
    power_source: str = ""
    power_basis: Basis = "assumed"
    speed_source: str = ""
    speed_basis: Basis = "assumed"


@dataclass(frozen=True)
class Hardware:
    """A machine to run on, with its price and power.

    Parameters
    ----------
    name, title : str
        The name in the experiment file, and words for people.
    usd_per_hour : float
        Price of the whole machine, accelerators included.
    vcpus : int
    memory_gb : float
    idle_watts, max_watts : Band
        Power of one vCPU at rest and at full load.
    memory_watts_per_gb : float
        0 where the watts of the vCPUs hold the memory's.
    utilisation : float
        Share of the paid hours that do work.
    energy_in_price : bool
        Whether `usd_per_hour` already pays for electricity.
    basis, source, date : str
        Where the price is from.
    power_source, power_date, power_basis : str
        Where the watts of the vCPUs are from.
    kind : {"cpu", "gpu", "tpu"}
        ``tpu`` stands for every chip that is made for nets and is no GPU.
    accelerator : Accelerator or None
        None for kind ``cpu``.
    host : str or None
        Of a machine with accelerators: the profile that a track without a net would rent instead.
    """

    name: str
    title: str
    usd_per_hour: float
    vcpus: int
    memory_gb: float
    idle_watts: Band
    max_watts: Band
    memory_watts_per_gb: float
    utilisation: float
    energy_in_price: bool
    basis: Basis
    source: str
    date: str
    power_source: str
    power_date: str
    power_basis: Basis = "published"
    kind: Literal["cpu", "gpu", "tpu"] = "cpu"
    accelerator: Accelerator | None = None
    host: str | None = None

    @property
    def usd_per_second(self) -> float:
        """Price of the whole machine for one second of work, idle capacity left out."""
        return self.usd_per_hour / 3600

    @property
    def usd_idle_per_second(self) -> float:
        """Price of the idle capacity that is paid for with each second of the whole machine's work."""
        return self.usd_per_second * (1 / self.utilisation - 1)

    @property
    def usd_per_cpu_second(self) -> float:
        """Price of one vCPU for one second of work, idle capacity left out."""
        return self.usd_per_hour / self.vcpus / 3600

    @property
    def usd_idle_per_cpu_second(self) -> float:
        """Price of the idle capacity that is paid for with each second of work."""
        return self.usd_per_cpu_second * (1 / self.utilisation - 1)


def profiles() -> list[str]:
    """Return the names of all hardware profiles, in the order of the tables."""
    return list(hardware_lines())


def hardware(name: str) -> Hardware:
    """Return the hardware profile called `name`.

    Raises
    ------
    ConfigError
        No such profile; the message names the nearest.
    """
    lines = hardware_lines()
    if name not in lines:
        raise ConfigError(
            f"there is no hardware profile '{name}'{did_you_mean(name, lines)} (toolkit prices lists them)"
        )
    line, power = lines[name], processor_table()
    processor = power.processors[line.processor]
    return Hardware(
        name=name,
        memory_watts_per_gb=0.0 if processor.memory_included else power.memory_watts_per_gb.value,
        idle_watts=processor.idle_watts,
        max_watts=processor.max_watts,
        power_source=processor.source,
        power_date=processor.date,
        power_basis=processor.basis,
        accelerator=_accelerator(line),
        **line.model_dump(exclude={"processor", "accelerator"}),
    )


def _accelerator(line: HardwareLine) -> Accelerator | None:
    if line.accelerator is None:
        return None
    table, count = accelerator_table(), line.accelerator.count
    device = table.accelerators[line.accelerator.device]
    return Accelerator(
        title=device.title if count == 1 else f"{count} × {device.title}",
        count=count,
        peak_flops=count * device.peak_flops,
        precision=device.precision,
        idle_watts=device.idle_watts.times(count),
        max_watts=device.max_watts.times(count),
        achieved=device.achieved,
        step_seconds=device.step_seconds,
        host_share=table.speed.host_share,
        source=device.source,
        date=device.date,
        basis=device.basis,
        power_source=device.power_source,
        power_basis=device.power_basis,
        speed_source=table.speed.source,
        speed_basis=table.speed.basis,
    )
