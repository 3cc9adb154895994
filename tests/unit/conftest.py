"""Made-up experiments with a known truth, for the tests of the analysis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from toolkit import scores
from toolkit.config import Experiment
from toolkit.records import CellRecord, Evidence

World = tuple[list[CellRecord], dict[tuple[str, int, int], Evidence]]


@dataclass(frozen=True)
class Truth:
    """How good a track really is, and what it costs.

    `skill` 1 knows all that can be known, 0 nothing; `gain` is the skill that is still missing at rung 0
    and halves with every second rung; tracks without gain see no rows and have one seed.
    """

    skill: float
    gain: float = 0.0
    cpu_seconds: float = 0.01
    seed_noise: float = 0.02
    costs: Mapping[str, float | None] = field(default_factory=dict)


def make_cell(track: str, rung: int, seed: int, **changes: Any) -> CellRecord:
    plain: dict[str, Any] = {
        "experiment": "made_up",
        "task": "made_up",
        "fingerprint": f"{track}{rung}{seed}",
        "n_train": 1000 * 2**rung,
        "status": "finished",
        "quality": "clean",
    }
    return CellRecord(track=track, rung=rung, seed=seed, **{**plain, **changes})


def draw(
    truths: Mapping[str, Truth],
    *,
    rungs: int = 3,
    seeds: int = 3,
    n_clusters: int = 150,
    rows: int = 40,
    draw_seed: int = 0,
) -> World:
    generator = np.random.default_rng(draw_seed)
    clusters = np.repeat(np.arange(n_clusters), rows)
    signal = generator.normal(size=n_clusters)[clusters] * 0.5 + generator.normal(size=len(clusters)) * 1.5
    truth_of_rows = 1 / (1 + np.exp(1.5 - signal))
    labels, valid_labels = (
        (generator.random(len(clusters)) < truth_of_rows).astype(np.int8) for _ in range(2)
    )
    cells, evidence = [], {}
    for track, truth in truths.items():
        own = generator.normal(size=len(clusters))
        for rung in range(rungs if truth.gain else 1):
            for seed in range(seeds if truth.gain else 1):
                skill = truth.skill - truth.gain * 2 ** (-rung / 2)
                skill = np.clip(
                    skill + (truth.seed_noise * generator.normal() if truth.gain else 0.0), 0.0, 1.0
                )
                noise = 0.9 * own + 0.44 * generator.normal(size=len(clusters))
                seen = skill * signal + np.sqrt(1 - skill**2) * signal.std() * noise
                # The best guess from what was seen: calibrated.
                probabilities = 1 / (1 + np.exp(1.5 - skill * seen))
                evidence[track, rung, seed] = scores.make_evidence(
                    labels=labels,
                    probabilities=probabilities,
                    clusters=clusters,
                    strata={},
                    valid_labels=valid_labels,
                    valid_probabilities=probabilities,
                    valid_clusters=clusters,
                )
                cpu = truth.cpu_seconds * 2**rung
                cells.append(
                    make_cell(
                        track,
                        rung,
                        seed,
                        n_train=1000 * 2**rung if truth.gain else 0,
                        n_rules=None if truth.gain else 5,
                        scores=scores.score_probabilities(labels, probabilities),
                        costs={
                            "cost_load_cpu_seconds": 0.1,
                            "cost_fit_cpu_seconds": cpu,
                            "cost_fit_wall_seconds": cpu,
                            "cost_fit_peak_bytes": 1e8,
                            "cost_search_cpu_seconds": cpu,
                            "cost_predict_batch_cpu_seconds_per_row": cpu * 1e-6,
                            **truth.costs,
                        },
                    )
                )
    return cells, evidence


def declare(tracks: list[str], **economics: Any) -> Experiment:
    return Experiment.model_validate(
        {
            "experiment": "made_up",
            "task": {"name": "made_up"},
            "ladder": {"rungs": [{"share": 0.1}, {"share": 0.5}, {"share": 1.0}], "seeds": 3},
            "tracks": {track: {} for track in tracks},
            "economics": {
                "value": {"true_positive": 10.0, "false_positive": -3.0},
                "volume_per_year": 1e6,
                **economics,
            },
        }
    )


@pytest.fixture(scope="session")
def truth() -> type[Truth]:
    return Truth


@pytest.fixture(scope="session")
def draw_world() -> Callable[..., World]:
    return draw


@pytest.fixture(scope="session")
def equals_world() -> World:
    """Two learned tracks of one truth over ten rungs, and rules below them."""
    learned = {
        name: Truth(0.9, gain=0.4, cpu_seconds=0.1, seed_noise=0.003) for name in ("classical", "neural")
    }
    return draw({"rules": Truth(0.5), **learned}, rungs=10, n_clusters=60, rows=20)


@pytest.fixture(scope="session")
def declare_experiment() -> Callable[..., Experiment]:
    return declare


@pytest.fixture(scope="session")
def cell() -> Callable[..., CellRecord]:
    return make_cell
