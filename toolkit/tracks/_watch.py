"""Early stopping by held-out clusters, when it is clearly better."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from toolkit.tracks._encode import Encoded, Encoder
from toolkit.tracks._judge import clearly_below_zero, telling_clusters
from toolkit.tracks._module import TrainingModule, tensors
from toolkit.tracks._net import Net

__all__ = ["HeldOut", "Watch"]

PATIENCE = 0.2
"""Share of the epochs, at least 2, that may end clearly above the best before training stops."""

HELD_OUT_BLOCK = 8192


@dataclass(frozen=True)
class HeldOut:
    """Labelled rows of other clusters that training is watched by.

    Parameters
    ----------
    rows : Encoded
    labels : ndarray of shape (n_rows,)
    clusters : ndarray of shape (n_rows,)
    offset : ndarray of shape (n_rows,), optional
        Log-odds to which the net's are added.
    """

    rows: Encoded
    labels: NDArray[np.int8]
    clusters: NDArray[np.int32]
    offset: NDArray[np.float64] | None = None


class Watch:
    """Tells by held-out rows whether training has gone on for too long, and keeps the best net on the way.

    An epoch counts as worse than the best one only when it is so by more than luck: with few clusters the
    lowest point of a curve says little, and a net there has not come to rest.
    """

    def __init__(self, held_out: HeldOut, encoder: Encoder, epochs: int, device: str) -> None:
        self._encoder = encoder
        self._patience = max(2, math.ceil(PATIENCE * epochs))
        self._inputs = tensors(held_out.rows, device)
        offset = np.zeros(len(held_out.labels)) if held_out.offset is None else held_out.offset
        self._offset = torch.from_numpy(offset.astype(np.float32)).to(device)
        self._wanted = torch.from_numpy(held_out.labels.astype(np.float32)).to(device)
        self._clusters = np.unique(held_out.clusters, return_inverse=True)[1]
        self._telling = telling_clusters(held_out.labels, held_out.clusters)
        self.best: Net | None = None
        self._least = np.zeros(0)
        self._worse = 0

    def ends(self, module: TrainingModule) -> bool:
        """Look at the module after an epoch; tell whether it has clearly become worse for some time."""
        losses = self._losses(module)
        if self.best is None or losses.sum() < self._least.sum():
            self._least, self.best = losses, module.net(self._encoder)
        is_worse = clearly_below_zero(self._least - losses, self._telling)
        self._worse = self._worse + 1 if is_worse else 0
        return self._worse >= self._patience

    @torch.no_grad()
    def _losses(self, module: TrainingModule) -> NDArray[np.float64]:
        """Return the summed log loss of every cluster, shape (n_clusters,)."""
        module.eval()
        parts = []
        for start in range(0, len(self._wanted), HELD_OUT_BLOCK):
            rows = slice(start, start + HELD_OUT_BLOCK)
            chances = torch.sigmoid(module(*(part[rows] for part in self._inputs)) + self._offset[rows])
            # an ensemble is judged by its mean probability, which is what it predicts
            mean = chances if chances.dim() == 1 else chances.mean(dim=0)
            parts.append(functional.binary_cross_entropy(mean, self._wanted[rows], reduction="none"))
        losses = torch.cat(parts).cpu().numpy()
        return np.bincount(self._clusters, weights=losses).astype(np.float64)
