"""Scores whose worth is known: how well a track sees what moves the labels.

A row's label is 1 with probability Φ(mean + slope z), z standard normal. A track of skill r sees
y = r z + √(1 − r²) e, with e standard normal and nothing to do with z, and tells the chance of label 1 given
y, so it is calibrated. What a decision is worth then is an integral over y alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import ndtr, ndtri

NODES = 4000
SEED_NODES = 9
LEAST, MOST = 0.01, 0.99


@dataclass(frozen=True)
class Labels:
    """What moves a label, and how far customers differ in it.

    Parameters
    ----------
    mean, slope : float
    of_cluster : float
        Share of the variance of z that a customer's rows have in common.
    """

    mean: float = -1.4
    slope: float = 1.4
    of_cluster: float = 0.3


@dataclass(frozen=True)
class Skill:
    """How well a track sees it at one rung.

    Parameters
    ----------
    mean : float
        Correlation of what it sees with what moves the labels.
    of_seeds : float
        Standard deviation of that over seeds, normal.
    levels : int
        So many different scores, each of as many rows, as a few rules give; 0 tells every row apart.
    """

    mean: float
    of_seeds: float = 0.0
    levels: int = 0

    def draw(self, generator: np.random.Generator) -> float:
        return float(np.clip(self.mean + self.of_seeds * generator.normal(), LEAST, MOST))


def chance(labels: Labels, skill: float, seen: np.ndarray) -> np.ndarray:
    """Return the chance of label 1 given what a track sees."""
    scale = np.sqrt(1 + labels.slope**2 * (1 - skill**2))
    return np.asarray(ndtr((labels.mean + labels.slope * skill * seen) / scale))


@cache
def level_chances(labels: Labels, skill: float, levels: int) -> np.ndarray:
    """Return the chance of label 1 in each of the levels, from low to high."""
    places = (np.arange(NODES) + 0.5) / NODES
    inside = ndtri((np.arange(levels)[:, None] + places) / levels)
    return chance(labels, skill, inside).mean(axis=1)


def scores_of(labels: Labels, skill: float, levels: int, seen: np.ndarray) -> np.ndarray:
    """Return the probabilities that a track tells."""
    if levels == 0:
        return chance(labels, skill, seen)
    level = np.minimum((ndtr(seen) * levels).astype(int), levels - 1)
    return level_chances(labels, skill, levels)[level]


def _worth_at(labels: Labels, skill: float, levels: int, values: tuple[float, ...]) -> float:
    """Return the value of a decision at the best threshold; calibrated scores say where that is."""
    true_positive, false_positive, true_negative, false_negative = values
    if levels == 0:
        y = np.linspace(-8.5, 8.5, NODES)
        p, weights = chance(labels, skill, y), np.exp(-(y**2) / 2)
    else:
        p, weights = level_chances(labels, skill, levels), np.ones(levels)
    yes = p * true_positive + (1 - p) * false_positive
    no = p * false_negative + (1 - p) * true_negative
    return float(np.maximum(yes, no) @ weights / weights.sum())


@cache
def worth(labels: Labels, skill: Skill, values: tuple[float, ...]) -> float:
    """Return the expected value of a decision over all customers and seeds, at the best threshold.

    Parameters
    ----------
    values : tuple of 4 float
        Money of a true positive, a false positive, a true and a false negative.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(SEED_NODES)
    skills = np.clip(skill.mean + skill.of_seeds * nodes, LEAST, MOST) if skill.of_seeds else [skill.mean]
    weights = weights if skill.of_seeds else np.ones(1)
    found = [_worth_at(labels, float(one), skill.levels, values) for one in skills]
    return float(np.dot(found, weights) / weights.sum())
