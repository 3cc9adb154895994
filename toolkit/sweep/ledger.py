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
            if n_rows is not None and (name in ("cpu_seconds", "wall_seconds") or name.endswith("_joules")):
                self.tell(f"{reading.phase}_{name}_per_row", None if value is None else value / n_rows)
            else:
                self.tell(f"{reading.phase}_{name}", value)

    def charge_calls(self, reading: Reading, *, n_calls: int, seconds: dict[str, float | str]) -> None:
        """Write down a reading of many calls: CPU time a call, and what is known of a call's time.

        Parameters
        ----------
        reading : Reading
        n_calls : int
        seconds : dict of str to float or str
            Name -> seconds of a call, or why they are withheld.
        """
        self._judge(reading)
        cpu_seconds = reading.quantities.get("cpu_seconds")
        self.tell(f"{reading.phase}_cpu_seconds", None if cpu_seconds is None else cpu_seconds / n_calls)
        for name, value in seconds.items():
            if isinstance(value, str):
                self.withhold([f"{reading.phase}_{name}_seconds"], value)
            else:
                self.tell(f"{reading.phase}_{name}_seconds", value)

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
