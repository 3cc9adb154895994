"""What was spent, and how well that is known: readings, energy and carbon, machines, a second opinion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

__all__ = ["CostReadings", "Footprint", "MachineUsed", "SecondOpinion", "Spending", "Spread", "TrainingPrice"]

Work = Literal["search", "training", "million_predictions", "year"]


class Spread(NamedTuple):
    """A figure that is not known exactly: lowest, middle and highest value."""

    low: float
    mid: float
    high: float


@dataclass(frozen=True)
class CostReadings:
    """How often one cost of one track was read at the rung of the verdict, and how far the readings differ.

    Parameters
    ----------
    track : str
    rung : int
    cost : str
        A ``cost_*`` column.
    n : int
        Readings, of all seeds and repeats.
    n_clean : int
        Those that nothing disturbed, ones too short to time well included; the figures below are theirs,
        unless there is none.
    median : float
        Over the seeds, of each seed's median reading.
    low, high : float
        Of the readings.
    spread : float or None
        Standard deviation of the logarithm of readings of the same work (same seed), pooled over seeds: about
        the relative error of one reading. None where no work was read twice.
    """

    track: str
    rung: int
    cost: str
    n: int
    n_clean: int
    median: float
    low: float
    high: float
    spread: float | None


@dataclass(frozen=True)
class Footprint:
    """Energy and carbon of one piece of work of a track, at the rung of the verdict.

    Parameters
    ----------
    track : str
    rung : int
    work : {"search", "training", "million_predictions", "year"}
        ``training`` starts a process, loads and fits once; ``year`` is all the work of a year and the idle
        capacity paid for, always modelled.
    cpu_seconds : float
        On the processor of the hardware that is priced.
    joules, kg_co2e : Spread
        Never zero where work was done. The middle is the mean.
    basis : {"measured", "modelled"}
    source : str
        Which counter, or which coefficients, in words.
    accelerator_seconds : float
        For which a machine with accelerators is held instead.
    """

    track: str
    rung: int
    work: Work
    cpu_seconds: float
    joules: Spread
    kg_co2e: Spread
    basis: Literal["measured", "modelled"]
    source: str
    accelerator_seconds: float = 0.0


@dataclass(frozen=True)
class TrainingPrice:
    """What search and fit of one rung cost where they are priced, all modelled.

    Parameters
    ----------
    track : str
    rung : int
    cpu_seconds : float
        As measured.
    money : float
        In the experiment's currency: the machine with the idle share of paid hours, and electricity where the
        machine's price does not hold it.
    joules, kg_co2e : Spread
        Of the work itself. The middle is the mean.
    on_accelerator : bool
        False: CPU-seconds times one price a second, the same for all tracks and rungs.
    """

    track: str
    rung: int
    cpu_seconds: float
    money: float
    joules: Spread
    kg_co2e: Spread
    on_accelerator: bool


@dataclass(frozen=True)
class MachineUsed:
    """A machine that cells ran on.

    Parameters
    ----------
    name : str
        Processor and cores.
    cells : int
    factor : Spread or None
        What its seconds are multiplied by to stand beside those of the machine with most cells: the
        calibration kernels' least ratio, their geometric mean and their largest. None without calibration:
        its costs are then left out.
    is_reference : bool
        Whether it is the machine that all costs are told for.
    kernels : mapping of str to float
        Median CPU-seconds of each calibration kernel.
    """

    name: str
    cells: int
    factor: Spread | None
    is_reference: bool
    kernels: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class SecondOpinion:
    """The energy of the same cells as told by us and by another tool.

    Parameters
    ----------
    tool : str
    cells : int
        That have both figures.
    ours : Spread
        Joules, modelled for a mean cloud vCPU whatever is priced, without its building (PUE 1) as theirs.
    theirs : float
        Joules.
    """

    tool: str
    cells: int
    ours: Spread
    theirs: float


@dataclass(frozen=True)
class Spending:
    """All of it.

    Parameters
    ----------
    readings : tuple of CostReadings
    footprints : tuple of Footprint
    machines : tuple of MachineUsed
        The one with most cells first.
    second_opinion : SecondOpinion or None
    metered_share : float or None
        Share of the wall time of the cells that was spent inside metered phases.
    withheld : mapping of str to mapping
        Track -> cost -> why it is not there.
    training_prices : tuple of TrainingPrice
        Of every rung whose fit was timed.
    """

    readings: tuple[CostReadings, ...] = ()
    footprints: tuple[Footprint, ...] = ()
    machines: tuple[MachineUsed, ...] = ()
    second_opinion: SecondOpinion | None = None
    metered_share: float | None = None
    withheld: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    training_prices: tuple[TrainingPrice, ...] = ()
