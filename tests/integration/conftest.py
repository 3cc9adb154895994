"""A net on the raw signal as an MLflow model, for those who load it and those who ask it over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from toolkit.models.frames import typical_row
from toolkit.store.models import _save
from toolkit.tasks.base import Column, Schema, TrainingData
from toolkit.tracks.base import load_track
from toolkit.tracks.neural import Neural

SCHEMA = Schema((Column("age"), Column("kind", "category", ("a", "b"))), ("bought", "visited"))


@dataclass(frozen=True)
class SignalModel:
    """Where the model is; five rows as a caller has them, with nothing that it does not read; its answers."""

    path: Path
    track: Path
    rows: list[dict[str, Any]]
    answers: np.ndarray


def signal_rows() -> TrainingData:
    generator = np.random.default_rng(0)
    sequence = (generator.random((300, 2, 30)) < 0.2).astype(np.uint8)
    features = pd.DataFrame(
        {
            "age": generator.normal(50, 9, 300).astype(np.float32),
            "kind": generator.integers(0, 2, 300).astype(np.int32),
        }
    )
    return TrainingData(
        features=features,
        labels=sequence[:, 0, -7:].any(axis=1).astype(np.int8),
        clusters=np.arange(300, dtype=np.int32),
        time=np.zeros(300, np.int32),
        unlabelled=features.iloc[:0],
        schema=SCHEMA,
        sequence=sequence,
        unlabelled_sequence=sequence[:0],
    )


@pytest.fixture(scope="module", params=["sequence", "both"])
def signal_model(request, tmp_path_factory) -> SignalModel:
    folder = tmp_path_factory.mktemp(request.param)
    rows = signal_rows()
    assert rows.sequence is not None
    fitted = Neural(inputs=request.param, strength="medium", epochs=5).fit(rows, seed=0)
    fitted.save(folder / "track", example=typical_row(rows.features, SCHEMA, rows.sequence))
    logged = SimpleNamespace(artifact_location=str(folder / "model"), model_id="m-1")
    _save(folder / "model", folder / "track", logged, "run")  # type: ignore[arg-type]
    asked: list[dict[str, Any]] = [
        {channel: signal.tolist() for channel, signal in zip(SCHEMA.channels, row, strict=True)}
        for row in rows.sequence[:5]
    ]
    for row, kind, age in zip(asked, rows.features["kind"], rows.features["age"], strict=False):
        row["kind"] = "ab"[kind]
        if request.param == "both":
            row["age"] = float(age)
    saved = folder / "model" / "data" / "track"
    answers = load_track(saved).predict_proba(rows.features[:5], rows.sequence[:5])
    return SignalModel(folder / "model", saved, asked, answers)
