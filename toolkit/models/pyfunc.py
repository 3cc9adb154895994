"""A saved track as MLflow's Python function: ``MLmodel`` names this module, and MLflow calls `_load_pyfunc`.

MLflow itself is not imported here, and nothing is unpickled.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from toolkit.models.frames import coded
from toolkit.models.loading import load

__all__ = ["PROBABILITY", "ServedTrack"]

PROBABILITY = "probability"
"""The column that is returned."""


class ServedTrack:
    """A fitted track that reads tables with levels by name.

    Parameters
    ----------
    track : Track
        Fitted.
    """

    def __init__(self, track: Any) -> None:
        self.track = track

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return the probability of label 1 of every row.

        Parameters
        ----------
        model_input : DataFrame of shape (n_rows, n_columns)
            The columns of the signature: numbers, NaN where missing, names of levels (unknown ones count as
            missing), and lists of counts for channels of a raw signal.
        params : dict, optional
            Not used; MLflow passes it.

        Returns
        -------
        DataFrame of shape (n_rows, 1)
            The column ``probability``.

        Raises
        ------
        DataError
            A column is missing, or a column of numbers holds something else.
        """
        found = coded(model_input, self.track.reads())
        probabilities = self.track.predict_proba(found.features, found.sequence)
        return pd.DataFrame({PROBABILITY: probabilities}, index=model_input.index)


def _load_pyfunc(path: str) -> ServedTrack:
    """Return the model in a folder; MLflow looks for this name."""
    return ServedTrack(load(Path(path)))
