"""The few things the store asks of MLflow about experiments and runs."""

from __future__ import annotations

import json
import logging
import math
import os
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from toolkit.analysis.boards.values import Board
from toolkit.errors import StoreError
from toolkit.store.database import DATABASE, make_portable
from toolkit.store.models import Models

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

__all__ = ["Kind", "Runs", "connect", "now_ms"]

Kind = Literal["cell", "track", "report", "published"]


def now_ms() -> int:
    """Return milliseconds since 1970-01-01 UTC, MLflow's time."""
    return time.time_ns() // 1_000_000


def connect(database: Path) -> MlflowClient:
    """Open MLflow on a database, making its tables if there are none. The import takes a second."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    # A file uv.lock where the sweep is started has nothing to do with its models.
    os.environ.setdefault("MLFLOW_UV_AUTO_DETECT", "false")
    # No connection outlives its statement: nothing to close, and the file may be moved at any time.
    os.environ.setdefault("MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "NullPool")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow.tracking import MlflowClient

        # All that goes wrong is raised as an error; the log would only repeat it with a traceback.
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        address = f"sqlite:///{database}"
        client = MlflowClient(tracking_uri=address, registry_uri=address)
        client.search_experiments(max_results=1)
    return client


class Runs:
    """Experiments and runs of one database.

    Parameters
    ----------
    root : Path
        Absolute path of the results.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._client = connect(root / DATABASE)
        self.models = Models(root, self._client)

    def find(self, experiment: str) -> str | None:
        """Return the experiment's identifier, or None when there is none of that name."""
        found = self._client.get_experiment_by_name(experiment)
        return None if found is None else str(found.experiment_id)

    def find_or_make(self, experiment: str, description: str = "") -> str:
        """Return the experiment's identifier; made when there is none.

        Raises
        ------
        StoreError
            It was deleted in the UI.
        """
        found = self._client.get_experiment_by_name(experiment)
        if found is None:
            tags = {"toolkit": "costcurves", "mlflow.experimentKind": "custom_model_development"}
            if description:
                tags["mlflow.note.content"] = description
            location = f"{self.root}/artifacts/{experiment}"
            identifier = self._client.create_experiment(experiment, location, tags)
            make_portable(self.root)
            return str(identifier)
        if found.lifecycle_stage == "deleted":
            database = self.root / DATABASE
            raise StoreError(
                f"the experiment '{experiment}' was deleted in MLflow; bring it back with: "
                f"MLFLOW_TRACKING_URI=sqlite:///{database} "
                f"mlflow experiments restore --experiment-id {found.experiment_id}, "
                "or give it another name in the experiment file",
                where=str(database),
            )
        return str(found.experiment_id)

    def experiments(self) -> list[str]:
        """Return the names of the experiments made by this toolkit, the latest first."""
        found = self._client.search_experiments(filter_string="tags.toolkit = 'costcurves'")
        return [str(one.name) for one in found]

    def set_note(self, experiment_id: str, text: str) -> None:
        """Set the Markdown text of the experiment's page."""
        self._client.set_experiment_tag(experiment_id, "mlflow.note.content", text[:20_000])

    def tag_experiment(self, experiment_id: str, key: str, value: str) -> None:
        """Set a tag of the experiment."""
        self._client.set_experiment_tag(experiment_id, key, value)

    def experiment_tags(self, experiment_id: str) -> dict[str, str]:
        """Return the tags of the experiment."""
        return dict(self._client.get_experiment(experiment_id).tags)

    def search(self, experiment_id: str, kind: Kind, *, status: str | None = None) -> list[Run]:
        """Return all runs of a kind that are not deleted, the latest start first."""
        condition = f"tags.kind = '{kind}'" + (f" and attributes.status = '{status}'" if status else "")
        runs: list[Run] = []
        token = None
        while True:
            page = self._client.search_runs(
                [experiment_id],
                condition,
                max_results=10_000,
                order_by=["attributes.start_time DESC"],
                page_token=token,
            )
            runs += page
            token = page.token
            if not token:
                return runs

    def by_end(self, experiment_id: str, kind: Kind) -> list[Run]:
        """Return all runs of a kind that are not deleted, the latest end first."""
        return sorted(self.search(experiment_id, kind), key=lambda run: -(run.info.end_time or 0))

    def tracks(self, experiment_id: str) -> dict[str, Run]:
        """Return the latest run of each track, in the order of the UI."""
        latest: dict[str, Run] = {}
        for run in self.search(experiment_id, "track"):
            latest.setdefault(run.data.tags["track"], run)
        return latest

    def create(
        self, experiment_id: str, kind: Kind, name: str, start_ms: int, tags: Mapping[str, str]
    ) -> Run:
        """Create a running run."""
        tags = {"kind": kind, "mlflow.source.name": "toolkit", "mlflow.source.type": "LOCAL", **tags}
        return self._client.create_run(experiment_id, start_time=start_ms, tags=tags, run_name=name)

    def log(self, run: Run, board: Board) -> None:
        """Log points and parameters in as few calls as MLflow's limits allow."""
        from mlflow.entities import Metric, Param

        metrics = [
            Metric(point.name, float(point.value), run.info.start_time, point.step)
            for point in board.points
            if math.isfinite(point.value)
        ]
        params = [Param(key, value) for key, value in board.params.items()]
        while metrics or params:
            # At most 1,000 metrics, 100 parameters and 1,000 of both in one call.
            self._client.log_batch(run.info.run_id, metrics[:900], params[:100])
            metrics, params = metrics[900:], params[100:]

    def log_data(
        self, run: Run, *, name: str, version: str, title: str, facts: Mapping[str, object] | None = None
    ) -> None:
        """Log the data as MLflow's input of a run, told apart by our own hash of its content.

        The facts are the profile that MLflow shows; of data that it has seen before it keeps the old one.
        """
        from mlflow.entities import Dataset, DatasetInput, InputTag

        source = json.dumps({"title": title})
        profile = json.dumps({"what": title, **(facts or {})}, default=str)
        dataset = Dataset(name=name, digest=version[:36], source_type="code", source=source, profile=profile)
        context = InputTag("mlflow.data.context", "training and evaluation")
        self._client.log_inputs(run.info.run_id, [DatasetInput(dataset, [context])])

    def tag(self, run: Run, key: str, value: str) -> None:
        """Set a tag."""
        self._client.set_tag(run.info.run_id, key, value)

    def tag_all(self, run: Run, tags: Mapping[str, str]) -> None:
        """Set several tags in one call."""
        from mlflow.entities import RunTag

        self._client.log_batch(run.info.run_id, tags=[RunTag(key, value) for key, value in tags.items()])

    def end(self, run: Run, status: str, end_ms: int) -> None:
        """End a run as ``FINISHED``, ``FAILED`` or ``KILLED``."""
        self._client.set_terminated(run.info.run_id, status, end_ms)

    def end_orphans(self, experiment_id: str, kinds: Sequence[Kind]) -> None:
        """Mark running runs as killed; only for one who holds the lock, so that nobody writes them."""
        for kind in kinds:
            for run in self.search(experiment_id, kind, status="RUNNING"):
                self.tag(run, "reason", "the sweep was stopped before this run ended")
                self.end(run, "KILLED", now_ms())

    def delete(self, run: Run) -> None:
        """Move a run to MLflow's bin."""
        self._client.delete_run(run.info.run_id)

    def folder(self, run: Run) -> Path:
        """Return the run's artifact folder; a stored path is relative to the folder above the root."""
        location = str(run.info.artifact_uri).removeprefix("file://")
        return self.root.parent / location
