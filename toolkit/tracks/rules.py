"""The track of expert rules: knowledge written down once, no labels, nothing learned."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from toolkit.errors import ParameterError
from toolkit.knowledge.base import KnowledgeBase, load
from toolkit.knowledge.spread import column_spread
from toolkit.knowledge.symbolic import ExpertSystem, compile_knowledge
from toolkit.operations.counts import NOTHING, Operations, added, times
from toolkit.operations.rules import fact_counts, rule_counts
from toolkit.tasks.base import Schema, TrainingData
from toolkit.tracks.base import Step, Track

if TYPE_CHECKING:
    from toolkit.knowledge.explain.explainer import Explanations

__all__ = ["Rules"]


@dataclass
class Rules(Track):
    """An expert system compiled from a knowledge base.

    Parameters
    ----------
    knowledge : Path
        The knowledge base, relative to the experiment file.
    n_rules : int, optional
        Use only the first so many rules, in the order written; None uses all.
    scale : float
        Factor on the sum of the rules' log-odds; 1 takes the experts at their word, less allows
        for rules that say the same thing twice.
    """

    knowledge: Path
    n_rules: Annotated[int, Field(ge=0)] | None = None
    scale: Annotated[float, Field(ge=0)] = 1.0

    system_: ExpertSystem = field(init=False, repr=False, compare=False)
    knowledge_: KnowledgeBase = field(init=False, repr=False, compare=False)
    levels_: dict[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)
    spread_: dict[str, float] = field(init=False, repr=False, compare=False)

    title: ClassVar[str] = "expert rules"
    seeded: ClassVar[bool] = False
    imports: ClassVar[tuple[str, ...]] = ("numpy", "pandas", "pydantic", "yaml")

    def steps(self, n_rungs: int) -> tuple[Step, ...]:
        """Return one rung for each number of rules, from the bare prior to all; none takes labels.

        Call it after `check`, which makes the path to the knowledge base absolute.
        """
        n_rules = len(load(self.knowledge).all_rules) if self.n_rules is None else self.n_rules
        return tuple(Step(rung=count, data_rung=None, n_rules=count) for count in range(n_rules + 1))

    def at(self, step: Step) -> Self:
        """Return the track with as many rules as the rung has."""
        return replace(self, n_rules=step.n_rules)

    def check(self, schema: Schema, folder: Path) -> Self:
        """Read and compile the knowledge base; return a copy with an absolute path.

        Raises
        ------
        KnowledgeError
            The file cannot be read or does not fit the task, with ``file:line``.
        ParameterError
            `n_rules` is more than the file holds.
        """
        # Here and not above: checks shape no result, so they are no part of a cell's fingerprint.
        from toolkit.knowledge.checks.gate import load_checked

        path = folder / self.knowledge
        knowledge, _ = load_checked(path, schema)
        if self.n_rules is not None and self.n_rules > len(knowledge.all_rules):
            raise ParameterError(
                f"n_rules is {self.n_rules}, but {path} holds {len(knowledge.all_rules)} rules",
                path=("n_rules",),
            )
        return replace(self, knowledge=path.resolve())

    def fit(self, train: TrainingData, *, seed: int) -> Self:
        """Compile the knowledge base; labels are not looked at."""
        knowledge = load(self.knowledge)
        if self.n_rules is not None:
            knowledge = knowledge.head(self.n_rules)
        self.schema_ = train.schema
        self.system_ = compile_knowledge(knowledge, train.schema)
        self.knowledge_ = knowledge
        self.levels_ = {column.name: column.levels for column in train.schema.categories}
        self.spread_ = column_spread(train.features, list(knowledge.columns))
        return self

    def predict_proba(
        self, features: pd.DataFrame, sequence: NDArray[np.uint8] | None = None
    ) -> NDArray[np.float64]:
        """Return the prior moved by the rules that fire, shape (n_rows,)."""
        self._require_fitted("system_")
        self._require_columns(features, self.system_.columns)
        return self.system_.predict_proba(features, scale=self.scale)

    def explain(self, features: pd.DataFrame) -> Explanations:
        """Explain every row: the prior, what every rule adds, and the nearest rule that does not fire."""
        # explaining is no part of a cell: neither its imports nor its program text
        from toolkit.knowledge.explain.explainer import Explainer

        self._require_fitted("system_")
        self._require_columns(features, self.system_.columns)
        explainer = Explainer.of(
            self.knowledge_, self.system_, self.levels_, scale=self.scale, spread=self.spread_
        )
        return explainer.explain(features)

    def chosen(self) -> dict[str, str | float | int | bool | None]:
        """Return the number of rules, their scale, and the hash of the knowledge that was compiled."""
        self._require_fitted("system_")
        return {
            "n_rules": self.system_.n_rules,
            "scale": self.scale,
            "knowledge_hash": self.system_.content_hash,
        }

    def operations(self) -> Operations:
        """Return the conditions and rules that a row decides; compiling reads no row."""
        if not hasattr(self, "system_"):
            return NOTHING
        decided = added(rule_counts(self.system_), fact_counts(self.system_))
        return Operations(times(decided, 0.0), decided)
