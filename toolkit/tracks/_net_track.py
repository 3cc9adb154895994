"""What the neural and the hybrid track share: the parameters of a net, their search, what is told of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field

from toolkit.errors import ParameterError
from toolkit.operations.counts import NOTHING, Operations
from toolkit.tasks.base import Schema, TrainingData
from toolkit.tracks._encode import CLUSTER_ROWS
from toolkit.tracks._net import STRENGTHS, Net, Recipe, Strength
from toolkit.tracks._net_operations import NetWork, net_operations, rows_of_steps
from toolkit.tracks._search import Attempt, SearchedTrack, Value
from toolkit.tracks._trial import Trial
from toolkit.tracks._work import net_seconds

if TYPE_CHECKING:
    import optuna

    from toolkit.tracks._torch import HeldOut, Target, Trained

__all__ = ["NetTrack"]

HELD_OUT_SHARE = 0.2
"""Of the rows, about, what an inner split holds out."""

CHOICES: dict[str, list[Any]] = {
    "depth": [2, 1, 3],
    "members": [1, 8],
    "dropout": [0.0, 0.1, 0.25],
    "penalty_factor": [1.0, 0.4, 2.5],
    "learning_rate_factor": [1.0, 0.5, 2.0],
    "epochs_factor": [1.0, 0.5, 2.0],
    "early_stopping": [False, True],
}
"""What is searched besides the strength, the usual value first."""

_WITH_FACTOR = ("penalty", "learning_rate", "epochs")

_AS_IN_RECIPE = ("width", "depth", "members", "dropout", "penalty", "learning_rate", "epochs", "batch_rows")


@dataclass
class NetTrack(SearchedTrack):
    """Parameters of a net. What is not given follows from the number of rows, and is searched around that.

    Parameters
    ----------
    strength : {"strong", "medium", "weak"}, optional
        Of the regularisation; strong where nothing is said and nothing searched.
    width, depth, members, dropout, penalty, learning_rate, epochs, batch_rows : optional
        As in `toolkit.tracks._net.Recipe`.
    penalty_factor, learning_rate_factor, epochs_factor : float, optional
        Factors on what follows from the rows; 1 where nothing is said and nothing searched.
    early_stopping : bool, optional
        Hold a fifth of the clusters out of the fit, and keep the net of the epoch that did best on them.
    """

    strength: Strength | None = None
    width: Annotated[int, Field(ge=1, le=4096)] | None = None
    depth: Annotated[int, Field(ge=1, le=16)] | None = None
    members: Annotated[int, Field(ge=1, le=64)] | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    penalty: Annotated[float, Field(ge=0)] | None = None
    learning_rate: Annotated[float, Field(gt=0)] | None = None
    epochs: Annotated[int, Field(ge=1)] | None = None
    batch_rows: Annotated[int, Field(ge=1)] | None = None
    penalty_factor: Annotated[float, Field(gt=0)] | None = None
    learning_rate_factor: Annotated[float, Field(gt=0)] | None = None
    epochs_factor: Annotated[float, Field(gt=0)] | None = None
    early_stopping: bool | None = None

    net_: Net | None = field(init=False, repr=False, compare=False)
    recipe_: Recipe = field(init=False, repr=False, compare=False)
    steps_: int = field(init=False, repr=False, compare=False)
    epochs_: int = field(init=False, repr=False, compare=False)
    work_: NetWork = field(init=False, repr=False, compare=False)

    def check(self, schema: Schema, folder: Path) -> Self:
        """Refuse a factor on what is given.

        Raises
        ------
        ParameterError
        """
        for name in _WITH_FACTOR:
            factor = f"{name}_factor"
            if getattr(self, name) is not None and getattr(self, factor) is not None:
                raise ParameterError(
                    f"'{name}' is given, which leaves '{factor}' nothing to do", path=(factor,)
                )
        return self

    def recipe(self, n_rows: int, cluster_rows: float = CLUSTER_ROWS) -> Recipe:
        """Return what is trained on `n_rows` labelled rows, so many of each cluster."""
        given: dict[str, Any] = {name: getattr(self, name) for name in _AS_IN_RECIPE}
        recipe = Recipe.for_rows(n_rows, self.strength or "strong", cluster_rows, **given)
        changes: dict[str, Any] = {}
        if self.penalty is None:
            changes["penalty"] = recipe.penalty * (self.penalty_factor or 1.0)
        if self.learning_rate is None:
            changes["learning_rate"] = recipe.learning_rate * (self.learning_rate_factor or 1.0)
        if self.epochs is None:
            changes["epochs"] = max(1, round(recipe.epochs * (self.epochs_factor or 1.0)))
        return replace(recipe, **changes)

    def fit_seconds(self, n_rows: int, schema: Schema, n_unlabelled: int = 0) -> float:
        """Return the nominal CPU-seconds of a fit that held-out rows watch, as those of a trial do."""
        if self.early_stopping:
            # a part of its own watches, the trial's held-out rows only judge
            n_watched = round(HELD_OUT_SHARE * n_rows)
            n_rows -= n_watched
        else:
            n_watched = round(n_rows * HELD_OUT_SHARE / (1 - HELD_OUT_SHARE))
        return net_seconds(self.recipe(n_rows), n_rows, schema, n_watched)

    def first(self) -> Sequence[Mapping[str, Value]]:
        """Return the strengths, the strong one first: it hurts least where it is wrong."""
        usual = {name: values[0] for name, values in self._choices().items()}
        if not self._strength_is_open:
            return [usual]
        return [{**usual, "strength": strength} for strength in STRENGTHS]

    def suggest(self, trial: optuna.Trial) -> Self:
        """Return this track with a drawn recipe."""
        changes: dict[str, Any] = {}
        if self._strength_is_open:
            changes["strength"] = trial.suggest_categorical("strength", list(STRENGTHS))
        for name, values in self._choices().items():
            changes[name] = trial.suggest_categorical(name, values)
        return replace(self, **changes)

    @property
    def _strength_is_open(self) -> bool:
        """Whether it is not given and has something to decide."""
        return self.strength is None and None in (self.width, self.penalty, self.epochs)

    def _choices(self) -> dict[str, list[Any]]:
        """Return what is searched besides the strength: its values, the usual one first."""
        parameters = [each.name for each in fields(NetTrack) if each.init]
        given = {name for name in parameters if getattr(self, name) is not None}
        given |= {f"{name}_factor" for name in given}
        return {name: values for name, values in CHOICES.items() if name not in given}

    def fit(self, train: TrainingData, *, seed: int) -> Self:
        """Learn from the rung's rows and return self.

        Raises
        ------
        TooFewLabelsError, OneClassError, MissingColumnError
        """
        self._require_labels(train)
        self.schema_ = train.schema
        trial = Trial.of(train, len(train), seed) if self.early_stopping and len(train) else None
        if trial is not None and not trial.obstacle(self.min_labels):
            self._learn(trial.fitting, seed, held_out=trial.held_out)
        else:
            self._learn(train, seed)
        return self

    def attempt(self, trial: Trial) -> Attempt[Self]:
        """Train on the trial's rows; what clearly becomes worse on its held-out ones is ended.

        With early stopping, the rows that choose the epoch are held out of those to fit: chosen by the rows
        that judge, the best of many epochs would look better than it is.
        """
        track = replace(self)
        if self.early_stopping:
            track.fit(trial.fitting, seed=trial.seed)
        else:
            track.schema_ = trial.fitting.schema
            track._learn(trial.fitting, trial.seed, held_out=trial.held_out)
        chances = track.predict_proba(trial.held_out.features, trial.held_out.sequence)
        # a hybrid whose net has nothing to learn has no epochs, and pays for what it might have had
        used = track.epochs_ / track.recipe_.epochs if track.epochs_ else 1.0
        return Attempt(chances, replace(self), used)

    @abstractmethod
    def _learn(self, train: TrainingData, seed: int, held_out: TrainingData | None = None) -> Trained | None:
        """Learn from rows, watched by held-out ones; return what training gave, None where there was none."""

    def _keep(self, trained: Trained, targets: Sequence[Target], watched: HeldOut | None) -> Trained:
        """Keep what training gave, and how much it was."""
        best = trained.best if self.early_stopping else None
        self.net_ = trained.net if best is None else best
        self.steps_ = trained.steps
        self.epochs_ = trained.epochs
        from toolkit.tracks._torch import SETTLE_ROWS

        batch_rows = min(self.recipe_.batch_rows, len(targets[0].rows))
        n_watched = 0 if watched is None else len(watched.rows)
        self.work_ = NetWork(
            steps=trained.steps,
            batches=trained.steps * len(targets),
            rows=sum(rows_of_steps(len(each.rows), batch_rows, trained.steps) for each in targets),
            encoded_rows=n_watched + sum(len(each.rows) for each in targets),
            watched_rows=n_watched * trained.epochs,
            settled_rows=0 if trained.net.bank is None else min(len(targets[0].rows), SETTLE_ROWS),
        )
        return trained

    def warm_up(self, few: TrainingData) -> None:
        """Train for one epoch: what a first training initialises does not grow with its length."""
        replace(self, epochs=1, early_stopping=False).fit(few, seed=0)

    def chosen(self) -> dict[str, str | float | int | bool | None]:
        """Return the recipe and the number of parameters."""
        net: Net | None = getattr(self, "net_", None)
        if net is None:
            return {}
        return {
            "strength": self.strength or "strong",
            **self.recipe_.__dict__,
            "early_stopping": bool(self.early_stopping),
            "n_parameters": net.n_parameters,
            "steps": self.steps_,
        }

    def operations(self) -> Operations:
        """Return what fit and predicting a row took, from probes of the net; nothing without a net."""
        net: Net | None = getattr(self, "net_", None)
        if net is None or not hasattr(self, "work_"):
            return NOTHING
        return net_operations(net, self.recipe_, self.work_)
