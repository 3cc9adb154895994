"""What a meter is: started and stopped around a phase, it returns quantities with units."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from toolkit.records import Quality

__all__ = ["Basis", "Meter", "Phase", "Quality", "Reading"]

Basis = Literal["measured", "modelled", "declared"]
Phase = Literal["import", "load", "search", "fit", "predict_first", "predict_batch", "predict_single"]

METER_VERSION = 3
"""Part of every fingerprint: raise it when a reading changes its meaning.

1. first version
2. freed memory is given back before a phase, so that `growth_bytes` is the phase's own
3. `cpu_seconds` counts processes that nobody waited for; busy neighbours and a hypervisor that takes the core
   make a phase ``contended``; `import` includes the packages that the meters themselves need; of freed memory
   1 MiB stays before a phase
"""


@dataclass(frozen=True)
class Reading:
    """What one phase cost.

    Parameters
    ----------
    phase : str
        One of the phases of a cell.
    quantities : mapping of str to float or None
        Unit in the name, e.g. ``cpu_seconds``; None means not measured, zero is a reading.
    quality : {"clean", "contended", "too_short"}
    why : str
        Why the quality is not clean, as the end of a sentence; empty when it is.
    """

    phase: Phase
    quantities: Mapping[str, float | None] = field(default_factory=dict)
    quality: Quality = "clean"
    why: str = ""


class Meter(ABC):
    """Measures one kind of quantity between `start` and `stop`, in the process it runs in."""

    basis: ClassVar[Basis] = "measured"

    order: ClassVar[int] = 50
    """Meters start by rising order and stop in reverse; the clocks have 100 and are innermost."""

    @abstractmethod
    def start(self) -> None:
        """Begin a window."""

    @abstractmethod
    def stop(self) -> dict[str, float | None]:
        """End the window and return its quantities, unit in the name; None when not available."""
