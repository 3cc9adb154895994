"""Evidence of the same track and rung, stacked over seeds, on the same test clusters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from toolkit.analysis.results import CellKey, Finding
from toolkit.records import Evidence

__all__ = ["Floats", "Scored", "Stack", "StackKey", "pair_seeds", "stack_evidence"]

Floats = NDArray[np.float64]
StackKey = tuple[str, int]
"""(track, rung)."""


class Scored(Protocol):
    """What a comparison of two tracks needs to know of each, at one rung."""

    @property
    def track(self) -> str:
        """Its name."""

    @property
    def seeds(self) -> tuple[int, ...]:
        """Its seeds, rising."""

    @property
    def rows(self) -> Floats:
        """Test rows of each cluster, shape (n_clusters,)."""

    @property
    def n_clusters(self) -> int:
        """Number of test clusters."""

    def sums(self, score: str) -> Floats:
        """Return an additive error summed over each cluster's rows, shape (n_seeds, n_clusters)."""


@dataclass(frozen=True)
class Stack:
    """One track at one rung: its cells' evidence, in order of seed.

    Parameters
    ----------
    track : str
    rung : int
    seeds : tuple of int
        Rising.
    evidence : tuple of Evidence
        One a seed, on the same test clusters.
    """

    track: str
    rung: int
    seeds: tuple[int, ...]
    evidence: tuple[Evidence, ...]

    @property
    def rows(self) -> Floats:
        """Test rows of each cluster, shape (n_clusters,)."""
        return self.evidence[0].cluster_rows.astype(np.float64)

    @property
    def n_clusters(self) -> int:
        """Number of test clusters."""
        return self.evidence[0].n_clusters

    def sums(self, score: str) -> Floats:
        """Return an additive error summed over each cluster's rows, shape (n_seeds, n_clusters)."""
        name = {"error_log_loss": "cluster_log_loss", "error_brier": "cluster_brier"}[score]
        return np.stack([getattr(one, name) for one in self.evidence]).astype(np.float64)


def stack_evidence(
    evidence: Mapping[CellKey, Evidence],
) -> tuple[dict[StackKey, Stack], tuple[Finding, ...]]:
    """Stack evidence over seeds.

    Parameters
    ----------
    evidence : mapping of (track, rung, seed) to Evidence

    Returns
    -------
    stacks : dict of (track, rung) to Stack
    findings : tuple of Finding
        Cells left out because their test rows are not those of the others: they cannot be compared.
    """
    usable = {key: one for key, one in evidence.items() if one.n_clusters and one.cluster_rows.sum() > 0}
    if not usable:
        return {}, ()
    shapes = Counter(one.cluster_rows.tobytes() for one in usable.values())
    common = shapes.most_common(1)[0][0]
    grouped: dict[StackKey, dict[int, Evidence]] = {}
    findings = []
    for (track, rung, seed), one in sorted(usable.items(), key=lambda item: item[0]):
        if one.cluster_rows.tobytes() == common:
            grouped.setdefault((track, rung), {})[seed] = one
        else:
            findings.append(
                Finding(
                    "other_test_rows",
                    "error",
                    f"{track} rung {rung} seed {seed} was scored on other test rows than the rest and is "
                    "left out of every comparison; run the experiment again",
                )
            )
    stacks = {
        key: Stack(key[0], key[1], tuple(cells), tuple(cells.values())) for key, cells in grouped.items()
    }
    return stacks, tuple(findings)


def pair_seeds(first: Scored, second: Scored) -> tuple[list[int], list[int]]:
    """Return which seeds of two stacks to compare with each other, as positions.

    Equal seeds are paired: below the full share they saw the same rows. A stack with one seed (a track
    without chance, or one run) is held against every seed of the other.
    """
    if len(first.seeds) == 1:
        return [0] * len(second.seeds), list(range(len(second.seeds)))
    if len(second.seeds) == 1:
        return list(range(len(first.seeds))), [0] * len(first.seeds)
    common = [seed for seed in first.seeds if seed in second.seeds]
    if not common:
        length = min(len(first.seeds), len(second.seeds))
        return list(range(length)), list(range(length))
    return [first.seeds.index(seed) for seed in common], [second.seeds.index(seed) for seed in common]
