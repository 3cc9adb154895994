"""The fitted track that a cell leaves in the spool, after all that is metered.

It shapes no result, so this file is no part of a cell's fingerprint.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from toolkit.errors import ToolkitError
from toolkit.models.folder import write_folder
from toolkit.models.frames import typical_row
from toolkit.models.saving import pack
from toolkit.records import CellSpec
from toolkit.sweep.spool import model_path
from toolkit.tasks.base import TaskData
from toolkit.tracks.base import Track

__all__ = ["MAX_MODEL_BYTES", "leave_model"]

MAX_MODEL_BYTES = 64_000_000
"""A larger model is measured and not kept."""

MODEL_SEED = 0
"""The seed whose model is kept: one is enough to predict with."""


def leave_model(fitted: Track, spec: CellSpec, data: TaskData, spool: Path) -> tuple[float | None, str]:
    """Save a cell's fitted track in the spool, and return how large it is.

    What goes wrong is noted on standard error, and so in the cell's log; the cell has finished all the same.

    Parameters
    ----------
    fitted : Track
    spec : CellSpec
    data : TaskData
        A typical row of the validation block, which is the same for all cells, becomes the example.
    spool : Path

    Returns
    -------
    n_bytes : float or None
        None for other seeds than the first, and where it cannot be saved.
    why : str
        Why there is no size; empty where there is one.
    """
    if spec.seed != MODEL_SEED:
        return None, "saved with seed 0 only"
    try:
        files = pack(fitted, example=typical_row(data.valid.features, data.train.schema, data.valid.sequence))
        size = sum(map(len, files.values()))
        if size > MAX_MODEL_BYTES:
            print(
                f"the model was not kept: it has {size:,} bytes, and up to {MAX_MODEL_BYTES:,} are kept",
                file=sys.stderr,
            )
            return float(size), ""
        folder = model_path(spool, spec.fingerprint)
        shutil.rmtree(folder, ignore_errors=True)
        write_folder(folder, files)
    except Exception as error:
        # hours of training must not be lost for a track that cannot be saved
        kind = "" if isinstance(error, ToolkitError) else f"{type(error).__name__}: "
        print(f"the model was not kept: {kind}{error}", file=sys.stderr)
        return None, "it cannot be saved"
    return float(size), ""
