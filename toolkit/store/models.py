"""The model of each track's deployed rung as an MLflow model: signature, example, requirements, no pickle.

The model folder holds the saved track as the cell left it, and this package's program text: it can be served
where the package is not installed. MLflow is imported here when a model is logged, and not before.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import shutil
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

import toolkit
from toolkit.errors import ModelError
from toolkit.models.estimators import BOOSTER, LIGHTGBM, SKOPS, XGBOOST
from toolkit.models.loading import read_example
from toolkit.models.pyfunc import PROBABILITY
from toolkit.places import store_option
from toolkit.store.files import MODEL
from toolkit.tasks.base import Schema
from toolkit.tracks.base import load_track

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel
    from mlflow.tracking import MlflowClient

__all__ = ["LOADER", "Deployed", "Models", "requirements", "track_folder"]

LOADER = "toolkit.models.pyfunc"
"""The module that MLflow asks for the model."""

LINKS = "models"
"""Folder below the results with a link to each track's model: MLflow's own names say nothing."""

NOTE = "mlflow.note.content"
"""Tag that MLflow shows as the description."""

_ALWAYS = ("mlflow", "numpy", "pandas", "pydantic", "pyyaml", "safetensors", "scipy")
_FOR = {
    SKOPS: ("scikit-learn", "skops"),
    LIGHTGBM: ("lightgbm",),
    BOOSTER: ("lightgbm",),
    XGBOOST: ("scikit-learn", "xgboost"),
}


@dataclass(frozen=True)
class Deployed:
    """The cell whose model speaks for a track.

    Parameters
    ----------
    track : str
    rung, seed : int
    n_train : int
    fingerprint : str
    folder : Path
        The saved track.
    scores : mapping of str to float
        On the test rows.
    """

    track: str
    rung: int
    seed: int
    n_train: int
    fingerprint: str
    folder: Path
    scores: Mapping[str, float] = field(default_factory=dict)


def track_folder(root: Path, experiment: str, track: str) -> Path | None:
    """Return the saved track inside a track's model, or None where there is none; MLflow is not asked.

    Parameters
    ----------
    root : Path
        The folder of the results.
    experiment, track : str
    """
    folder = root / LINKS / experiment / track / "artifacts" / "data" / MODEL
    return folder if folder.is_dir() else None


def requirements(files: Iterable[str]) -> list[str]:
    """Return what predicting with a saved track needs, in the versions that are installed.

    Parameters
    ----------
    files : iterable of str
        Names of the saved track's files.
    """
    names = list(files)
    packages = [*_ALWAYS]
    for end, needed in _FOR.items():
        packages += needed if any(name.endswith(end) for name in names) else ()
    return [f"{package}=={importlib.metadata.version(package)}" for package in packages]


class Models:
    """Logged models of one database.

    Parameters
    ----------
    root : Path
        Absolute path of the results.
    client : MlflowClient
    """

    def __init__(self, root: Path, client: MlflowClient) -> None:
        self.root = root
        self._client = client

    def renew(self, experiment: str, experiment_id: str, wanted: Mapping[str, Deployed]) -> None:
        """Make the logged models those of the deployed cells, and link them by the names of their tracks.

        What is there and right is left alone.

        Parameters
        ----------
        experiment, experiment_id : str
        wanted : mapping of str to Deployed
            Identifier of a track's run -> its cell.

        Raises
        ------
        ModelError
            A saved track is damaged.
        """
        kept: dict[str, LoggedModel] = {}
        for model in self._mine(experiment_id):
            cell = wanted.get(str(model.source_run_id))
            whole = model.status == "READY" and (self._folder(model) / "MLmodel").is_file()
            if cell is not None and whole and model.tags.get("fingerprint") == cell.fingerprint:
                kept[cell.track] = model
                text = _description(self.root.name, experiment, cell)
                if model.tags.get(NOTE) != text:
                    self._client.set_logged_model_tags(model.model_id, {NOTE: text})
            else:
                self._client.delete_logged_model(model.model_id)
        for run_id, cell in wanted.items():
            if cell.track not in kept:
                kept[cell.track] = self._log(experiment, experiment_id, run_id, cell)
        self._link(experiment, kept)

    def _mine(self, experiment_id: str) -> list[LoggedModel]:
        found: list[LoggedModel] = []
        token = None
        while True:
            page = self._client.search_logged_models(
                [experiment_id], "tags.toolkit = 'costcurves'", page_token=token
            )
            found += page
            token = page.token
            if not token:
                return found

    def _log(self, experiment: str, experiment_id: str, run_id: str, cell: Deployed) -> LoggedModel:
        from mlflow.entities import LoggedModelOutput

        facts = {name: str(getattr(cell, name)) for name in ("track", "rung", "seed", "n_train")}
        model = self._client.create_logged_model(
            experiment_id,
            name=cell.track,
            source_run_id=run_id,
            tags={
                "toolkit": "costcurves",
                "fingerprint": cell.fingerprint,
                "track": cell.track,
                NOTE: _description(self.root.name, experiment, cell),
            },
            params=facts,
            model_type="costcurves track",
        )
        try:
            _save(self._folder(model), cell.folder, model, run_id)
        except BaseException:
            self._client.finalize_logged_model(model.model_id, "FAILED")
            raise
        ready = self._client.finalize_logged_model(model.model_id, "READY")
        self._client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
        return ready

    def _folder(self, model: LoggedModel) -> Path:
        # a stored path is relative to the folder above the root
        return self.root.parent / str(model.artifact_location).removeprefix("file://")

    def _link(self, experiment: str, models: Mapping[str, LoggedModel]) -> None:
        folder = self.root / LINKS / experiment
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            if old.is_symlink():
                if old.name not in models:
                    old.unlink()
            elif (old / "artifacts" / "MLmodel").is_file():
                shutil.rmtree(old)  # what a copy of the results has made of a link
        for track, model in models.items():
            draft = folder / f".{track}.{os.getpid()}"
            with contextlib.suppress(FileNotFoundError):
                draft.unlink()
            # to the folder above the model: MLflow follows a link on the way, and not the last one
            draft.symlink_to(os.path.relpath(self._folder(model).parent, folder), target_is_directory=True)
            draft.replace(folder / track)


def _description(root: str, experiment: str, cell: Deployed) -> str:
    """Return in Markdown what the model is and how to use it."""
    place = f"{root}/{LINKS}/{experiment}/{cell.track}/artifacts"
    rows = [f"| `{name}` | {value:.4g} |" for name, value in cell.scores.items()]
    table = "\n".join(["| on the test rows | |", "|---|---|", *rows]) if rows else ""
    blocks = (
        f"**The track {cell.track} as it enters the verdict:** rung {cell.rung}, seed {cell.seed}, "
        f"{cell.n_train:,} training rows. It returns the probability of a yes for each row.",
        table,
        f"Rows of your own: `toolkit predict EXPERIMENT.yaml ROWS.csv --track {cell.track}"
        f"{store_option(Path(root))}`; over HTTP: "
        f"`mlflow models serve -m {place} --env-manager local`.",
    )
    return "\n\n".join(block for block in blocks if block)


def _save(path: Path, saved: Path, model: LoggedModel, run_id: str) -> None:
    """Write an MLflow model."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow.pyfunc
        from mlflow.models import Model

        schema, example = load_track(saved).reads(), read_example(saved)[1]
        mlflow.pyfunc.save_model(
            path,
            loader_module=LOADER,
            data_path=str(saved),
            code_paths=[str(Path(toolkit.__file__).parent)],
            signature=_signature(schema),
            input_example=_frame(schema, example),
            # given, since MLflow would load the model in another process to find out
            pip_requirements=requirements(file.name for file in saved.iterdir()),
            mlflow_model=Model(
                artifact_path=model.artifact_location,
                model_uuid=model.model_id,
                run_id=run_id,
                model_id=model.model_id,
            ),
        )
    if not (path / "data" / saved.name).is_dir():
        raise ModelError("MLflow has put the saved track somewhere else", where=str(path))


def _signature(schema: Schema) -> Any:
    """Return numbers as doubles, categories as texts, channels as lists in; a probability out."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec
    from mlflow.types import Schema as Columns
    from mlflow.types.schema import Array, DataType

    inputs: list[Any] = [
        ColSpec("double" if column.kind == "number" else "string", column.name) for column in schema.columns
    ]
    inputs += [ColSpec(Array(DataType.long), channel) for channel in schema.channels]
    return ModelSignature(Columns(inputs), Columns([ColSpec("double", PROBABILITY)]))


def _frame(schema: Schema, example: Mapping[str, Any]) -> pd.DataFrame:
    columns = {
        column.name: pd.Series([example[column.name]], dtype=float if column.kind == "number" else object)
        for column in schema.columns
    }
    columns |= {channel: pd.Series([example[channel]], dtype=object) for channel in schema.channels}
    return pd.DataFrame(columns)
