"""codecarbon, where it is installed and asked for: the energy of a cell as another tool tells it.

It stands beside ours, never in its place: on a machine without energy counters it is the time, times a
constant for the processor and one for the memory. It runs in the driver, never in a cell, where its import
and its own measurements would be charged to the track.
"""

from __future__ import annotations

import importlib.util
import logging
from typing import Any

from toolkit.config import Experiment
from toolkit.errors import ConfigError
from toolkit.prices import JOULES_PER_KWH

__all__ = ["CODECARBON_COST", "CodeCarbon", "check"]

CODECARBON_COST = "cost_cell_codecarbon_joules"
"""Of the whole cell, from its start to its end."""

PACKAGE = "codecarbon"


def check(experiment: Experiment) -> None:
    """Refuse an experiment that asks for codecarbon where it cannot be had.

    Raises
    ------
    ConfigError
        With the line.
    """
    if not experiment.engine.codecarbon:
        return
    where = experiment.where("engine", "codecarbon")
    if experiment.engine.slots > 1:
        raise ConfigError(
            "codecarbon tells the energy of the whole machine, not of cells side by side; got "
            f"slots: {experiment.engine.slots}; set slots: 1",
            where=where,
        )
    if importlib.util.find_spec(PACKAGE) is None:
        raise ConfigError(
            "codecarbon is not installed; install it (pip install codecarbon) or set codecarbon: false",
            where=where,
        )


class CodeCarbon:
    """Asks codecarbon for the energy of one cell at a time; it needs no network.

    Parameters
    ----------
    tracker : object, optional
        Has `start_task` and `stop_task` as codecarbon's trackers have.
    """

    def __init__(self, tracker: Any = None) -> None:
        self._tracker = tracker if tracker is not None else _tracker()
        self._running: str | None = None

    def begin(self, key: str) -> None:
        """Begin a cell."""
        self._tracker.start_task(key)
        self._running = key

    def end(self, key: str) -> float | None:
        """End a cell and return its energy in joules; None when it was not begun."""
        if self._running != key:
            return None
        self._running = None
        return float(self._tracker.stop_task(key).energy_consumed) * JOULES_PER_KWH

    def close(self) -> None:
        """Let codecarbon end; a cell that was cut short counts for nothing."""
        self._tracker.stop()


def _tracker() -> Any:
    from codecarbon import OfflineEmissionsTracker

    logging.getLogger(PACKAGE).setLevel(logging.ERROR)  # importing it sets the level too
    # the country shapes its carbon, which is not asked for; the energy is the same everywhere
    return OfflineEmissionsTracker(
        country_iso_code="USA", save_to_file=False, log_level="error", allow_multiple_runs=True
    )
