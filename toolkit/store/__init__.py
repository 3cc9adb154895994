"""The store of record: cells, tracks and the report in MLflow, below ``mlruns/``.

Only ``runs.py`` and ``models.py`` import MLflow, and only when a store is opened.
"""

from __future__ import annotations

from toolkit.store.store import Store

__all__ = ["Store"]
