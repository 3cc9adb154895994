"""What the phases of a cell cost, written down as they end: figures, trust in them, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from toolkit.meters._window import Window
from toolkit.meters.base import Meter, Phase, Reading
from toolkit.records import Quality

__all__ = ["Costs", "Ledger"]

Costs = dict[str, float | None]


class Ledger:
    """The costs of one cell.

    Parameters
    ----------
    meters : sequence of Meter
        Around every phase.
    alone : bool
        False when other cells may run beside this one.

    Attributes
    ----------
    costs : dict of str to float or None
        ``cost_<phase>_<quantity>``.
    qualities : dict of str to str
        Phase -> how far its figures can be trusted.
    disturbances : dict of str to str
        Phase -> why it is not clean.
    withheld : dict of str to str
        Cost -> why it is not there, where that is more than that the machine does not tell.
    metered_seconds : float
        Wall time inside phases.
    """

    def __init__(self, meters: Sequence[Meter], *, alone: bool = True) -> None:
        self._meters = meters
        self._alone = alone
        self.costs: Costs = {}
        self.qualities: dict[str, Quality] = {}
        self.disturbances: dict[str, str] = {}
        self.withheld: dict[str, str] = {}
        self.metered_seconds = 0.0

    @contextmanager
    def phase(self, name: Phase) -> Iterator[Window]:
        """Meter what is done inside, and charge it; `Window.reading` is there afterwards."""
        with self.window(name) as window:
            yield window
        self.charge(window.reading)

    def window(self, name: Phase) -> Window:
        """Return the meters of a phase, to be charged by hand."""
        return Window(name, self._meters, alone=self._alone)

    def charge(self, reading: Reading, *, n_rows: int | None = None) -> None:
        """Write down a reading.

        Parameters
        ----------
        reading : Reading
        n_rows : int, optional
            Rows that were predicted: what the work took is then told a row, ``…_seconds_per_row``.
        """
        self._judge(reading)
        for name, value in reading.quantities.items():
            is_shared, each = _shared(name, value, n_rows or 1)
            tail = "_per_row" if n_rows is not None and is_shared else ""
            self.tell(f"{reading.phase}_{name}{tail}", each)

    def charge_calls(self, reading: Reading, *, n_calls: int, seconds: dict[str, float | str]) -> None:
        """Write down a reading of many calls: what one took, and what is known of the time of single calls.

        Parameters
        ----------
        reading : Reading
        n_calls : int
        seconds : dict of str to float or str
            Name -> seconds of a call, or why they are withheld.
        """
        self._judge(reading)
        for name, value in reading.quantities.items():
            self.tell(f"{reading.phase}_{name}", _shared(name, value, n_calls)[1])
        for name, told in seconds.items():
            if isinstance(told, str):
                self.withhold([f"{reading.phase}_{name}_seconds"], told)
            else:
                self.tell(f"{reading.phase}_{name}_seconds", told)

    def tell(self, name: str, value: float | None, why: str = "") -> None:
        """Write down one cost, ``cost_`` left out of its name; None may be withheld for a reason.

        What a machine cannot read has none: every phase would repeat it.
        """
        self.costs[f"cost_{name}"] = value
        if value is None and why:
            self.withheld[f"cost_{name}"] = why

    def withhold(self, names: Iterable[str], why: str) -> None:
        """Say why costs are not there."""
        for name in names:
            self.tell(name, None, why)

    def _judge(self, reading: Reading) -> None:
        self.qualities[reading.phase] = reading.quality
        if reading.why:
            self.disturbances[reading.phase] = reading.why
        self.metered_seconds += reading.quantities.get("wall_seconds") or 0.0


def _shared(name: str, value: float | None, n: int) -> tuple[bool, float | None]:
    """Tell whether a quantity is what work took, which many pieces share, and return one's part of it."""
    is_shared = name in ("cpu_seconds", "wall_seconds") or name.endswith("_joules")
    return is_shared, value / n if is_shared and value is not None else value
