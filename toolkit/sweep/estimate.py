"""How long cells will take: a line a track, drawn from the cells that have finished.

The model is ``seconds = a + b * n_train`` for each track, with a and b not negative, fitted to
relative errors. Before a track has finished cells at two sizes, the line of `_FIRST` is scaled to
what it has done.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from toolkit.records import CellRecord, CellSpec

__all__ = ["Estimate"]

_FIRST = (4.0, 1e-4)
"""Seconds a cell and seconds a labelled row, fit and search together, on a 2-core cloud machine."""


class Estimate:
    """Expected wall seconds of cells; learns from finished ones."""

    def __init__(self) -> None:
        self._done: dict[str, list[tuple[int, float]]] = {}

    def observe(self, record: CellRecord) -> None:
        """Take a finished cell into account; others tell nothing about a whole one."""
        seconds = record.ended_at - record.started_at
        if record.status == "finished" and seconds > 0:
            self._done.setdefault(record.track, []).append((record.n_train, seconds))

    def seconds(self, spec: CellSpec) -> float:
        """Return the expected wall seconds of one cell."""
        fixed, per_row = self._line(spec.track)
        return fixed + per_row * spec.n_train

    def _line(self, track: str) -> tuple[float, float]:
        done = self._done.get(track, [])
        if not done:
            return _FIRST
        rows = np.array([n_train for n_train, _ in done], dtype=float)
        seconds = np.array([value for _, value in done])
        if len(set(rows)) < 2:
            scale = float(np.mean(seconds / (_FIRST[0] + _FIRST[1] * rows)))
            return _FIRST[0] * scale, _FIRST[1] * scale
        design = np.column_stack([np.ones_like(rows), rows]) / seconds[:, None]
        (fixed, per_row), _ = nnls(design, np.ones(len(rows)))
        return float(fixed), float(per_row)
