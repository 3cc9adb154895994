"""A store on a real MLflow database, and what is written to it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from toolkit.analysis.results import Results, Verdict
from toolkit.records import N_BINS, N_VALID_GROUPS, CellRecord, Evidence, without_repeats
from toolkit.store import Store


def make_cell(track: str = "neural", rung: int = 0, seed: int = 0, **changes: Any) -> CellRecord:
    values: dict[str, Any] = {
        "experiment": "toy",
        "task": "toy",
        "track": track,
        "rung": rung,
        "seed": seed,
        "n_train": 100 * 2**rung,
        "n_clusters": 10,
        "fingerprint": f"{track}-{rung}-{seed}",
        "status": "finished",
        "quality": "clean",
        "scores": {"error_log_loss": 0.5 - 0.1 * rung, "score_roc_auc": 0.75},
        "costs": {"cost_fit_cpu_seconds": 2.0**rung, "cost_fit_joules": None},
        "chosen": {"width": 8, "dropout": 0.1, "why": None},
        "machine": {"processor": "abacus"},
        "started_at": 1_700_000_000.0,
        "ended_at": 1_700_000_002.5,
    }
    return CellRecord.model_validate(values | changes)


def make_evidence(seed: int = 0) -> Evidence:
    generator = np.random.default_rng(seed)
    return Evidence(
        cluster=np.arange(5, dtype=np.int32),
        bin=generator.integers(0, N_BINS, 5).astype(np.int16),
        positives=generator.integers(0, 9, 5).astype(np.int32),
        negatives=generator.integers(0, 9, 5).astype(np.int32),
        cluster_rows=np.full(5, 9),
        cluster_log_loss=generator.random(5),
        cluster_brier=generator.random(5),
        valid_positives=generator.integers(0, 9, (N_VALID_GROUPS, N_BINS)),
        valid_negatives=generator.integers(0, 9, (N_VALID_GROUPS, N_BINS)),
        valid_log_loss=0.25,
        strata={"new": generator.integers(0, 9, (2, N_BINS))},
    )


def make_results(store: Store, sentence: str = "Too close to call.") -> Results:
    return Results(
        experiment={"experiment": "toy", "tracks": {"rules": {}, "neural": {"depth": 3}}},
        task={"name": "toy", "title": "A toy", "data_version": "d" * 64, "notices": []},
        cells=without_repeats(record for record, _ in store.read("toy", evidence=False)),
        evidence={},
        summaries=(),
        curves=(),
        pairs=(),
        verdict=Verdict(None, None, True, None, None, None, sentence, None, "USD", 1.0),
        knowledge=({"tracks": ["rules"], "name": "toy rules", "hash": "abc", "rules": []},),
        environment={"git commit": "0123456"},
    )


def open_client(root: Path) -> Any:
    from mlflow.tracking import MlflowClient

    return MlflowClient(f"sqlite:///{root / 'mlflow.db'}")


def runs_of_kind(root: Path, kind: str) -> list[Any]:
    return list(
        open_client(root).search_runs(["1"], f"tags.kind = '{kind}'", order_by=["attributes.start_time DESC"])
    )


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Making a database takes MLflow seconds: one is made and copied."""
    root = tmp_path_factory.mktemp("template") / "mlruns"
    Store.open(root).close()
    return root / "mlflow.db"


@pytest.fixture
def root(tmp_path: Path, empty_database: Path) -> Path:
    folder = tmp_path / "a place with spaces" / "mlruns"
    folder.mkdir(parents=True)
    shutil.copy(empty_database, folder / "mlflow.db")
    return folder


@pytest.fixture
def store(root: Path) -> Iterator[Store]:
    with Store.open(root) as opened:
        yield opened


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    html, data = tmp_path / "any.html", tmp_path / "any.json"
    html.write_text("<p>report</p>")
    data.write_text("{}")
    return {"report_html": html, "results_json": data}


@pytest.fixture(scope="session")
def cell() -> Callable[..., CellRecord]:
    return make_cell


@pytest.fixture(scope="session")
def evidence() -> Callable[..., Evidence]:
    return make_evidence


@pytest.fixture(scope="session")
def results_of() -> Callable[..., Results]:
    return make_results


@pytest.fixture(scope="session")
def client() -> Callable[[Path], Any]:
    """MLflow's own client of the database in a folder."""
    return open_client


@pytest.fixture(scope="session")
def runs() -> Callable[[Path, str], list[Any]]:
    """MLflow's runs of a kind, the latest first."""
    return runs_of_kind
