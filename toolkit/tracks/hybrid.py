"""The hybrid track: experts' rules, what other columns agree to, and a net that learns what both miss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from toolkit.errors import OneClassError, TooFewLabelsError
from toolkit.knowledge import base as knowledge_base
from toolkit.knowledge.spread import column_spread
from toolkit.operations.counts import NOTHING, Operations, added
from toolkit.seeding import derive_seed
from toolkit.tasks.base import TrainingData
from toolkit.tracks._encode import Encoder
from toolkit.tracks._hybrid_ablations import FiringColumns, logic_target
from toolkit.tracks._hybrid_operations import Asked, fit_counts, predict_counts
from toolkit.tracks._hybrid_search import FEWEST_LABELS, TEACHER_ROWS, HybridParameters, recorded_tau
from toolkit.tracks._teacher import Evidence, Labels, Teacher
from toolkit.tracks._trial import sample_clusters

if TYPE_CHECKING:
    from toolkit.knowledge.explain.explainer import Explanations
    from toolkit.tracks._torch import Target, Trained

__all__ = ["Hybrid"]


@dataclass
class Hybrid(HybridParameters):
    """A teacher made of expert rules, and a net that adds what labels say against it.

    The log-odds are ``T(x) + r(x)``: the teacher's and the net's. The net's loss is ``BCE(labelled, T + r)
    + lambda BCE(unlabelled, T + r against T)``: on unlabelled rows it is held to what the teacher says. With
    ``lambda = 0`` there is no teacher and the track is the neural one; without labels it is the teacher
    alone. What the knowledge base says never or always to do overrules both.

    Parameters
    ----------
    knowledge : Path
        The knowledge base, relative to the experiment file.
    teacher_labels : float, optional
        How many labels the teacher's word is worth: ``lambda = teacher_labels / n_labels``. By
        default 40,000 (fewer with fewer than 70 rows a cluster, in proportion), or less where held-out
        clusters are surely better off with less.
    witnesses : float
        What columns that no rule reads are worth beside the experts, as far as they agree with them on
        unlabelled rows; 0 does not ask them, 1 takes both for independent views.
    tau : float, optional
        Precision that holds the teacher's corrections of single rules back; 1e9 allows as good as none.
    ablation : {"none", "no_certainties", "no_unlabelled", "firings_as_features", "logic_loss"}
        See `toolkit.tracks._hybrid_ablations.Ablation`.
    flip_signs : float
        Share of the certainties whose signs are turned, to see what wrong knowledge does.
    unlabelled_rows : int
        Most unlabelled rows that are used.

    The parameters of the net are those of `toolkit.tracks._net_track.NetTrack`.
    """

    title: ClassVar[str] = "hybrid (rules teach a net)"
    min_labels: ClassVar[int] = 0
    imports: ClassVar[tuple[str, ...]] = ("numpy", "pandas", "scipy.optimize", "torch")

    def _learn(self, train: TrainingData, seed: int, held_out: TrainingData | None = None) -> Trained | None:
        """Fit the teacher, then the net."""
        self.knowledge_ = knowledge_base.load(self.knowledge)
        self.expert_ = self._expert(self.knowledge_, train.schema, seed)
        self.levels_ = {column.name: column.levels for column in train.schema.categories}
        seen = train.features if len(train) else train.unlabelled
        self.spread_ = column_spread(seen, list(self.knowledge_.columns))
        unlabelled = self._unlabelled(train, seed)
        self.teacher_ = self._teach(train, unlabelled, seed)
        self.lambda_ = self.trust(len(train), train.cluster_rows) if len(train) else float("inf")
        self.taught_ = self.has_teacher and self.lambda_ > 0
        self.recipe_ = self.recipe(len(train) or len(unlabelled), train.cluster_rows)
        self.asked_ = self._asked(len(train), len(unlabelled), 0 if held_out is None else len(held_out))
        self.steps_ = self.epochs_ = 0
        self.net_ = None
        # a teacher without labels has nothing to learn from: the net would repeat what it says
        if not len(train) and self.ablation != "logic_loss":
            return None
        return self._train(train, unlabelled, seed, held_out)

    def _asked(self, n_labelled: int, n_unlabelled: int, n_held_out: int) -> Asked:
        """Return on how many rows the fit asks the rules and the teacher."""
        # for what witnesses agree to, the experts are asked first, and both then
        passes = 2 if self.witnesses > 0 else 1
        told = n_labelled + n_unlabelled + n_held_out if self.taught_ and n_labelled else 0
        combined = self.teacher_.fitted_rows + told
        firings = 2 * n_labelled + n_held_out if self.ablation == "firings_as_features" else 0
        return Asked(passes * n_unlabelled + self.teacher_.fitted_rows + told, combined, firings)

    def _require_labels(self, train: TrainingData) -> None:
        """Raise where there is nothing to learn from: no row, or too few labels without a teacher."""
        if not len(train) and not len(train.unlabelled):
            raise TooFewLabelsError(
                "Hybrid needs labelled or unlabelled rows to learn from, got neither "
                "(a rung of a ladder of labels has unlabelled rows with e.g. unlabelled: 5000)"
            )
        if self.ablation == "firings_as_features" or self.teacher_labels == 0:
            if len(train) < FEWEST_LABELS:
                raise TooFewLabelsError(
                    f"Hybrid without a teacher ({self._why_alone}) needs at least {FEWEST_LABELS} "
                    f"labelled rows, got {len(train)}"
                )
            if len(np.unique(train.labels)) < 2:
                raise OneClassError(
                    f"Hybrid without a teacher ({self._why_alone}) needs both classes, but every "
                    f"label is {int(train.labels[0])}"
                )

    @property
    def _why_alone(self) -> str:
        return "teacher_labels: 0" if self.teacher_labels == 0 else f"ablation: {self.ablation}"

    def _teach(self, train: TrainingData, unlabelled: pd.DataFrame, seed: int) -> Teacher:
        """Fit the teacher on labelled rows; without any it is the experts' word."""
        teacher = self._before_labels(self.expert_, unlabelled, train.schema)
        if not len(train):
            return teacher
        sample = sample_clusters(train, TEACHER_ROWS, seed)
        rows = Evidence.of(self.expert_, teacher.witnesses, sample.features)
        # without certainties a rule that must not move says nothing at all
        usual = self._taus[0] if self.ablation == "no_certainties" else self._taus[-1]
        return teacher.fit(
            rows, Labels(sample.labels, sample.clusters), usual if self.tau is None else self.tau
        )

    def _train(
        self, train: TrainingData, unlabelled: pd.DataFrame, seed: int, held_out: TrainingData | None
    ) -> Trained | None:
        from toolkit.tracks import _torch

        schema = train.schema
        if self.ablation == "firings_as_features":
            schema = FiringColumns(self.expert_).schema(schema)
        # few clusters do not show how far a column reaches: unlabelled rows set the scales if they are used
        seen = unlabelled if self.lambda_ > 0 else train.features
        encoder = Encoder.learn(self._inputs(seen), schema)
        targets = self._targets(encoder, train, unlabelled, seed)
        if not targets:
            return None
        watched = None
        if held_out is not None:
            rows = encoder.transform(self._inputs(held_out.features))
            watched = _torch.HeldOut(rows, held_out.labels, held_out.clusters, self._said(held_out.features))
        trained = _torch.train(
            encoder, self.recipe_, targets, seed=derive_seed("net", seed), held_out=watched
        )
        return self._keep(trained, targets, watched)

    def _said(self, features: pd.DataFrame) -> NDArray[np.float64] | None:
        """Return the teacher's log-odds, which the net adds to; None where it teaches nothing."""
        return self.teacher_.logit(self.expert_, features) if self.taught_ else None

    def _targets(
        self, encoder: Encoder, train: TrainingData, unlabelled: pd.DataFrame, seed: int
    ) -> list[Target]:
        """Return what the net learns from: labels, and unless lambda is 0 what the rules say."""
        from toolkit.tracks import _torch

        targets = []
        if len(train):
            rows = encoder.transform(self._inputs(train.features))
            targets.append(_torch.Target(rows, train.labels, offset=self._said(train.features)))
        if self.lambda_ == 0:
            return targets
        weight = self.lambda_ if len(train) else 1.0
        if self.taught_:
            said = self.teacher_.logit(self.expert_, unlabelled)
            targets.append(_torch.Target(encoder.transform(unlabelled), expit(said), weight, offset=said))
        else:
            schema = train.schema
            logic = logic_target(
                self.knowledge_, schema, encoder, unlabelled, expert=self.expert_, weight=weight, seed=seed
            )
            targets += [logic] if logic is not None else []
        return targets

    def _inputs(self, features: pd.DataFrame) -> pd.DataFrame:
        return (
            FiringColumns(self.expert_).add(features) if self.ablation == "firings_as_features" else features
        )

    def logit(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """Return the log-odds of label 1 before any hard fact, shape (n_rows,).

        Raises
        ------
        NotFittedError, MissingColumnError
        """
        self._require_fitted("teacher_")
        self._require_columns(features, self.expert_.columns)
        said = np.zeros(len(features))
        if self.taught_ or self.net_ is None:
            said = self.teacher_.logit(self.expert_, features)
        return said if self.net_ is None else said + self.net_.logit(self._inputs(features))

    def predict_proba(
        self, features: pd.DataFrame, sequence: NDArray[np.uint8] | None = None
    ) -> NDArray[np.float64]:
        """Return the probability of label 1, shape (n_rows,), with the experts' hard facts over it.

        Raises
        ------
        NotFittedError, MissingColumnError
        """
        chances: NDArray[np.float64] = expit(self.logit(features))
        return self.expert_.shield(features, chances)

    def explain(self, features: pd.DataFrame) -> Explanations:
        """Explain every row: the rules as the teacher weighs them, and what was learned on top.

        ``z(x) = b + s logit prior(x) + sum of (a w_r + delta_r) t_r(x) + c(x)``, with c what witnesses and
        net add; then the hard facts.

        Raises
        ------
        NotFittedError, MissingColumnError
        """
        # explaining is no part of a cell: neither its imports nor its program text
        from toolkit.knowledge.explain.explainer import Explainer

        logit = self.logit(features)
        explainer = Explainer.of(
            self.knowledge_,
            self.expert_,
            self.levels_,
            scale=self.teacher_.scale,
            shifts=self.teacher_.shifts,
            bias=self.teacher_.bias,
            prior_scale=self.teacher_.prior_scale,
            spread=self.spread_,
        )
        return explainer.explain(features, logit)

    def _state(self) -> Mapping[str, Any]:
        """Return what was learned, with the certainties that an ablation may have changed."""
        state = dict(super()._state())
        if "expert_" in state:
            state["certainties_"] = state["expert_"].weights
        return state

    def _restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `_state` returned; the knowledge base's file has the certainties as written."""
        rest = dict(state)
        certainties = rest.pop("certainties_", None)
        super()._restore(rest)
        if certainties is not None:
            self.expert_ = replace(self.expert_, weights=certainties)

    def chosen(self) -> dict[str, str | float | int | bool | None]:
        """Return lambda, the teacher and the recipe."""
        if not hasattr(self, "teacher_"):
            return {}
        said: dict[str, str | float | int | bool | None] = {
            "lambda": self.lambda_ if np.isfinite(self.lambda_) else None
        }
        if self.taught_ or self.net_ is None:
            said |= {
                "tau": recorded_tau(self.tau),
                "teacher_scale": self.teacher_.scale,
                "teacher_bias": self.teacher_.bias,
                "teacher_prior_scale": self.teacher_.prior_scale,
                "teacher_witness_scale": self.teacher_.witness_scale,
            }
        if self.net_ is None:
            return said
        return {**said, **super().chosen()}

    def operations(self) -> Operations:
        """Return what fit and predicting a row took: the net's operations and those of rules and teacher."""
        asked: Asked | None = getattr(self, "asked_", None)
        if asked is None:
            return NOTHING
        net = super().operations()
        fit = added(net.fit, fit_counts(self.expert_, self.teacher_, asked))
        predict = predict_counts(
            self.expert_,
            self.teacher_,
            is_asked=self.taught_ or self.net_ is None,
            is_input=self.net_ is not None and self.ablation == "firings_as_features",
        )
        uncounted = net.uncounted
        if self.ablation == "logic_loss":
            fit, uncounted = dict.fromkeys(fit), (*uncounted, "truth of soft rules")
        return Operations(fit, added(net.predict_per_row, predict), uncounted)
