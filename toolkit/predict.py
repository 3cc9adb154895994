"""``toolkit predict``: probabilities for the rows of a CSV file, by a stored model. Wiring only."""

from __future__ import annotations

import csv
import json
import shlex
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from rich.console import Console

from toolkit import config
from toolkit.config import Experiment
from toolkit.errors import ConfigError, DataError, StoreError, did_you_mean
from toolkit.finished import report_folder
from toolkit.models.frames import coded
from toolkit.models.pyfunc import PROBABILITY
from toolkit.store.models import track_folder
from toolkit.tasks.base import Schema
from toolkit.tracks.base import load_track

__all__ = ["predict"]

_MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"]
"""What stands for a missing number; a category may have a level of such a name."""


@dataclass(frozen=True)
class _Asked:
    """The model that is to predict, and how it came to be that one."""

    track: str
    folder: Path
    rung: int | None
    is_best: bool


def predict(path: Path, data: Path, *, track: str | None = None, store_folder: Path, console: Console) -> int:
    """Write the probability of label 1 for every row of a file to standard output, as CSV.

    Parameters
    ----------
    path : Path
        The experiment file.
    data : Path
        A CSV file with the columns of the task: numbers, and levels by name.
    track : str, optional
        By default the one that the verdict says to use.
    store_folder : Path
        Where all results are.
    console : Console
        For what is not a probability.

    Returns
    -------
    int
        0.

    Raises
    ------
    UserError
        There is no model, or the file cannot be read or does not fit it.
    """
    experiment = config.load(path)
    asked = _choose(experiment, track, store_folder)
    fitted = load_track(asked.folder)
    table = _read(data, fitted.reads())
    try:
        found = coded(table, fitted.reads())
    except DataError as error:
        raise DataError(error.problem, where=str(data)) from error
    source = f"{asked.track} of {experiment.experiment}"
    source += "" if asked.rung is None else f", rung {asked.rung}"
    source += ", which the verdict says to use" if asked.is_best else ""
    console.print(f"{len(table):,} rows, by {source}", highlight=False, markup=False)
    for name, values in found.unknown.items():
        console.print(
            f"'{name}' holds what the model does not know, e.g. '{values[0]}': it counts as missing "
            f"({len(values):,} such value{'s' if len(values) > 1 else ''})",
            highlight=False,
            markup=False,
        )
    probabilities = pd.DataFrame({PROBABILITY: fitted.predict_proba(found.features, found.sequence)})
    sys.stdout.buffer.write(probabilities.to_csv(index=False, lineterminator="\n").encode())
    sys.stdout.buffer.flush()
    return 0


def _choose(experiment: Experiment, wanted: str | None, root: Path) -> _Asked:
    if wanted is not None and wanted not in experiment.tracks:
        raise ConfigError(
            f"the experiment has no track '{wanted}'{did_you_mean(wanted, experiment.tracks)}",
            where=experiment.where("tracks"),
        )
    folders = {name: track_folder(root, experiment.experiment, name) for name in experiment.tracks}
    known = {name: folder for name, folder in folders.items() if folder is not None}
    places = (shlex.quote(str(place)) for place in (experiment.path, root))
    command = f"python -m toolkit.run {' --store '.join(places)}"
    if not known:
        raise StoreError(
            f"there is no model of '{experiment.experiment}' here; run: {command}", where=str(root)
        )
    best, rungs = _verdict(experiment, root)
    name = wanted or best or (next(iter(known)) if len(known) == 1 else None)
    if name is None:
        raise ConfigError(f"the verdict names no track; choose one with --track: {', '.join(known)}")
    if name not in known:
        raise StoreError(
            f"there is no model of {name} here: its cell has not finished, or could not save it (its log "
            f"says why); there are models of {', '.join(known)}; "
            f"to train it anew: {command} --fresh --only {name}",
            where=str(root),
        )
    return _Asked(name, known[name], rungs.get(name), wanted is None and name == best)


def _verdict(experiment: Experiment, root: Path) -> tuple[str | None, dict[str, int]]:
    """Return the best track and the rungs that the verdict is about, as the last report has them."""
    path = report_folder(root, experiment) / "results.json"
    try:
        verdict = json.loads(path.read_text(encoding="utf-8"))["verdict"]
        rungs = {str(name): int(entry["rung"]) for name, entry in verdict["tracks"].items()}
        return verdict["best"], rungs
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None, {}


def _refuse_short_rows(data: Path) -> None:
    """Raise where a row ends early, as in a file that was cut off: its cells would count as missing."""
    if not data.is_file():
        return
    with data.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines)
        n_names = len(next(rows, []))
        for row in rows:
            if row and len(row) < n_names:
                raise DataError(
                    f"the row on line {rows.line_num} has {len(row)} of {n_names} values; "
                    "is the file cut off?",
                    where=str(data),
                )


def _read(data: Path, schema: Schema) -> pd.DataFrame:
    """Read a CSV file; categories as text, whatever they look like."""
    missing = dict.fromkeys(schema.numbers, _MISSING) | {column.name: [""] for column in schema.categories}
    texts = {column.name: str for column in schema.categories} | dict.fromkeys(schema.channels, str)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                data,
                dtype=texts,
                na_values=missing,
                keep_default_na=False,
                encoding="utf-8-sig",
                low_memory=False,
                index_col=False,  # else one value too many in every row shifts all columns, silently
            )
        _refuse_short_rows(data)
        return table
    except UnicodeDecodeError as error:
        raise DataError("the file is not UTF-8 text; give a CSV file", where=str(data)) from error
    except pd.errors.ParserWarning as error:
        raise DataError(
            "rows have more values than the heading has names; a comma too many at the end of rows?",
            where=str(data),
        ) from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataError(f"the file is no CSV with a heading: {error}", where=str(data)) from error
    except OSError as error:
        raise DataError(
            f"cannot read the file ({error.strerror}); give a CSV file", where=str(data)
        ) from error
