"""Evidence, cell records and declared economics drawn of a business."""

from __future__ import annotations

from dataclasses import asdict
from typing import NamedTuple

import numpy as np

from toolkit import scores
from toolkit.analysis.results import CellKey
from toolkit.config import Experiment
from toolkit.records import CellRecord, Evidence

from .business import Business, Seconds, Step
from .skill import scores_of

OF_CLUSTER = 0.2
"""Share of what a track overlooks that a customer's rows have in common."""
COSTS = {
    "fit": "cost_fit_cpu_seconds",
    "search": "cost_search_cpu_seconds",
    "load": "cost_load_cpu_seconds",
    "start": "cost_import_cpu_seconds",
    "row": "cost_predict_batch_cpu_seconds_per_row",
    "single": "cost_predict_single_cpu_seconds",
}


class Block(NamedTuple):
    """Rows of whole customers, with what moves their labels."""

    clusters: np.ndarray
    moved: np.ndarray
    labels: np.ndarray


class Drawn(NamedTuple):
    """What an analysis sees of a business."""

    experiment: Experiment
    cells: tuple[CellRecord, ...]
    evidence: dict[CellKey, Evidence]


def draw(business: Business, generator: np.random.Generator) -> Drawn:
    """Draw one look at a business."""
    sizes = business.n_test, business.n_valid
    blocks = [_draw_block(business, n_clusters, generator) for n_clusters in sizes]
    common = [_noise(block, generator) for block in blocks]
    cells, evidence = [], {}
    for name, track in business.tracks.items():
        seeds = range(business.seeds if track.seeded else 1)
        of_track = [_noise(block, generator) for block in blocks]
        for rung, step in enumerate(track.steps):
            for seed in seeds:
                skill = step.skill.draw(generator)
                told = [
                    _told(business, step, skill, block, (shared, own, _noise(block, generator)))
                    for block, shared, own in zip(blocks, common, of_track, strict=True)
                ]
                evidence[name, rung, seed] = _evidence(blocks, told)
                cells.append(_cell(business, name, rung, seed, generator))
    return Drawn(declare(business, generator), tuple(cells), evidence)


def _draw_block(business: Business, n_clusters: int, generator: np.random.Generator) -> Block:
    rows = np.clip(np.rint(generator.gamma(3.0, business.rows / 3, n_clusters)), 2, 4 * business.rows)
    clusters = np.repeat(np.arange(n_clusters), rows.astype(int))
    moved = _normal(clusters, business.labels.of_cluster, generator)
    score = business.labels.mean + business.labels.slope * moved
    return Block(clusters, moved, (generator.standard_normal(len(moved)) < score).astype(np.int8))


def _normal(clusters: np.ndarray, of_cluster: float, generator: np.random.Generator) -> np.ndarray:
    """Draw a standard normal a row, of which rows of a cluster have a share in common."""
    shared = generator.standard_normal(clusters[-1] + 1)[clusters]
    own = generator.standard_normal(len(clusters))
    return np.sqrt(of_cluster) * shared + np.sqrt(1 - of_cluster) * own


def _noise(block: Block, generator: np.random.Generator) -> np.ndarray:
    return _normal(block.clusters, OF_CLUSTER, generator)


def _told(
    business: Business, step: Step, skill: float, block: Block, noises: tuple[np.ndarray, ...]
) -> np.ndarray:
    """Return the probabilities of a cell on a block."""
    shares = business.common, business.of_track, 1 - business.common - business.of_track
    overlooked = sum(np.sqrt(share) * noise for share, noise in zip(shares, noises, strict=True))
    seen = skill * block.moved + np.sqrt(1 - skill**2) * overlooked
    # without seeds a track is the same every time, and what it makes of a level is known
    return scores_of(business.labels, skill, step.skill.levels, seen)


def _evidence(blocks: list[Block], told: list[np.ndarray]) -> Evidence:
    (test, valid), (probabilities, valid_probabilities) = blocks, told
    return scores.make_evidence(
        labels=test.labels,
        probabilities=probabilities,
        clusters=test.clusters,
        strata={},
        valid_labels=valid.labels,
        valid_probabilities=valid_probabilities,
        valid_clusters=valid.clusters,
    )


def _cell(business: Business, name: str, rung: int, seed: int, generator: np.random.Generator) -> CellRecord:
    step = business.tracks[name].steps[rung]
    seconds: Seconds = step.seconds
    noise = np.exp(business.cost_spread * generator.standard_normal(len(COSTS)))
    costs = {
        COSTS[key]: float(median * factor)
        for (key, median), factor in zip(asdict(seconds).items(), noise, strict=True)
    }
    return CellRecord(
        experiment="made_up",
        task="made_up",
        track=name,
        rung=rung,
        seed=seed,
        n_train=step.n_train,
        n_rules=step.n_rules,
        fingerprint=f"{name}-{rung}-{seed}",
        status="finished",
        quality="clean",
        costs=costs,
    )


def declare(business: Business, generator: np.random.Generator) -> Experiment:
    """Return the experiment as its people declare it, unsure where the business is."""

    def said(true: float, kind: str) -> float | list[float]:
        if kind not in business.unsure or true == 0:
            return true
        low, high = business.unsure[kind]
        # The truth stands in the range where a draw of it would.
        above, below = 1 + 4 * (1 - low) / (high - low), 1 + 4 * (high - 1) / (high - low)
        place = low + (high - low) * generator.beta(above, below)
        return sorted(float(true / place * end) for end in (low, 1.0, high))

    names = ("true_positive", "false_positive", "true_negative", "false_negative")
    economics = {
        "currency": business.currency,
        "currency_per_usd": business.rate,
        "value": {name: said(value, "value") for name, value in zip(names, business.values, strict=True)},
        "volume_per_year": said(business.volume, "volume"),
        "serving": business.serving,
        "retrains_per_year": business.retrains,
        "search_each_retrain": business.search_each_retrain,
        "horizon_years": business.horizon,
        "wage_per_hour": said(business.wage, "wage"),
        "hours": {
            name: {"build": said(track.build, "hours"), "per_year": said(track.upkeep, "hours")}
            for name, track in business.tracks.items()
        },
        "price_per_label": business.per_label,
        "margin": business.margin,
    }
    return Experiment.model_validate(
        {
            "experiment": "made_up",
            "task": {"name": "made_up"},
            "ladder": {"rungs": [{"share": 0.3}, {"share": 1.0}], "seeds": business.seeds},
            "tracks": {name: {"track": track.plugin} for name, track in business.tracks.items()},
            "economics": economics,
        }
    )
