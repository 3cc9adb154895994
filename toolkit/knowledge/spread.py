"""How widely columns are spread: all that explanations need to know of the rows that were seen."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["column_spread"]


def column_spread(features: pd.DataFrame, names: list[str]) -> dict[str, float]:
    """Return the size of a usual difference of number columns: from the 5th to the 95th percentile.

    Parameters
    ----------
    features : DataFrame of shape (n_rows, n_columns)
        A few thousand rows are enough; every k-th is looked at.
    names : list of str
        Columns; those that hold no numbers or do not vary are left out.
    """
    found = {}
    some = features.iloc[:: max(1, len(features) // 5_000)]
    for name in names:
        values = some[name].to_numpy()
        if values.dtype.kind not in "fiu":
            continue
        known = values[np.isfinite(values)]
        low, high = np.quantile(known, (0.05, 0.95)) if len(known) else (0.0, 0.0)
        if high > low:
            found[name] = float(high - low)
    return found
