"""The hybrid without one of its parts, or with knowledge brought in otherwise: what the parts are for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.symbolic import ExpertSystem
from toolkit.seeding import derive_seed
from toolkit.tasks.base import Column, Schema

if TYPE_CHECKING:
    from toolkit.tracks._encode import Encoder
    from toolkit.tracks._torch import Target

__all__ = ["Ablation", "FiringColumns", "flipped", "logic_target"]

Ablation = Literal["none", "no_certainties", "no_unlabelled", "firings_as_features", "logic_loss"]
"""
- ``no_certainties``: rules without the experts' numbers; the teacher learns every weight from labels.
- ``no_unlabelled``: the teacher speaks on the labelled rows only.
- ``firings_as_features``: no teacher; which rules fire are further inputs of the net.
- ``logic_loss``: no teacher; a penalty for contradicting soft rules, on unlabelled rows.
"""


def flipped(expert: ExpertSystem, share: float, seed: int) -> ExpertSystem:
    """Return an expert system that is wrong: the signs of a share of its certainties are turned.

    Parameters
    ----------
    expert : ExpertSystem
    share : float
        Of the rules, rounded, but one at least; which ones depends on the seed.
    seed : int
    """
    generator = np.random.default_rng(derive_seed("flipped", seed))
    signs = np.ones(expert.n_rules)
    n_turned = max(1, round(share * expert.n_rules)) if share > 0 else 0
    signs[generator.permutation(expert.n_rules)[:n_turned]] = -1.0
    return replace(expert, weights=expert.weights * signs)


@dataclass(frozen=True)
class FiringColumns:
    """Adds one column a rule to features: 1 where it counts, else 0."""

    expert: ExpertSystem

    @property
    def names(self) -> list[str]:
        """Names of the added columns."""
        return [f"rule {name}" for name in self.expert.rule_ids]

    def schema(self, schema: Schema) -> Schema:
        """Return the schema with the added columns."""
        return Schema((*schema.columns, *(Column(name) for name in self.names)))

    def add(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return a copy of the features with the added columns."""
        counted = self.expert.effective(self.expert.firings(features)).astype(np.float32)
        added = pd.DataFrame(counted, columns=pd.Index(self.names), index=features.index)
        return pd.concat([features, added], axis=1)


def logic_target(
    knowledge: KnowledgeBase,
    schema: Schema,
    encoder: Encoder,
    features: pd.DataFrame,
    *,
    expert: ExpertSystem,
    weight: float,
    seed: int,
) -> Target | None:
    """Return what makes a net pay for contradicting soft rules.

    A rule ``condition => outcome`` of truth t holds to the degree ``p ** t`` (Yager's implication), and
    ``(1 - p) ** t`` where it says no. The penalty is minus the logarithm of all of them, each to the
    power of its certainty's log-odds: ``- sum of |w| t log p``. That is a log loss with a target and a
    weight a row; rows are drawn by their weight, so that a mean of log losses is that penalty.

    Parameters
    ----------
    knowledge : KnowledgeBase
    schema : Schema
    encoder : Encoder
    features : DataFrame of shape (n_rows, n_columns)
        Unlabelled rows.
    expert : ExpertSystem
        Whose weights are taken, signs included.
    weight : float
        Of the penalty's mean over the rows.
    seed : int

    Returns
    -------
    Target or None
        None where no rule says anything.
    """
    from toolkit.knowledge.fuzzy.system import compile_fuzzy
    from toolkit.knowledge.spread import column_spread
    from toolkit.tracks._torch import Target

    soft = compile_fuzzy(knowledge, schema, spread=column_spread(features, list(knowledge.columns)))
    truth = soft.truth(soft.inputs(features)).exp().double().detach().numpy()
    said = expert.weights
    strength = truth @ np.abs(said)
    total = float(strength.sum())
    if total == 0:
        return None
    wanted = truth @ np.maximum(said, 0.0) / np.where(strength > 0, strength, 1.0)
    generator = np.random.default_rng(derive_seed("logic loss", seed))
    drawn = generator.choice(len(features), len(features), p=strength / total)
    rows = encoder.transform(features.iloc[drawn])
    return Target(rows, wanted[drawn], weight * total / len(features))
