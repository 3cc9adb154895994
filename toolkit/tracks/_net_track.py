"""What the neural and the hybrid track share: the parameters of a net, their search, what is told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field

from toolkit.tasks.base import Schema, TrainingData
from toolkit.tracks._encode import CLUSTER_ROWS
from toolkit.tracks._net import STRENGTHS, Net, Recipe, Strength
from toolkit.tracks._search import SearchedTrack, Value
from toolkit.tracks._work import net_seconds

if TYPE_CHECKING:
    import optuna

    from toolkit.tracks._torch import Trained

__all__ = ["NetTrack"]

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
    penalty_factor, learning_rate_factor : float
        Factors on the penalty and the learning rate that follow from the rows.
    epochs_factor : float
        Factor on the epochs that follow from the rows; early stopping in the search finds a smaller one.
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
    penalty_factor: Annotated[float, Field(gt=0)] = 1.0
    learning_rate_factor: Annotated[float, Field(gt=0)] = 1.0
    epochs_factor: Annotated[float, Field(gt=0)] = 1.0

    net_: Net | None = field(init=False, repr=False, compare=False)
    recipe_: Recipe = field(init=False, repr=False, compare=False)
    steps_: int = field(init=False, repr=False, compare=False)
    step_rows_: int = field(init=False, repr=False, compare=False)

    def recipe(self, n_rows: int, cluster_rows: float = CLUSTER_ROWS) -> Recipe:
        """Return what is trained on `n_rows` labelled rows, so many of each cluster."""
        given: dict[str, Any] = {name: getattr(self, name) for name in _AS_IN_RECIPE}
        recipe = Recipe.for_rows(n_rows, self.strength or "strong", cluster_rows, **given)
        changes: dict[str, Any] = {}
        if self.penalty is None:
            changes["penalty"] = recipe.penalty * self.penalty_factor
        if self.learning_rate is None:
            changes["learning_rate"] = recipe.learning_rate * self.learning_rate_factor
        if self.epochs is None:
            changes["epochs"] = max(1, round(recipe.epochs * self.epochs_factor))
        return replace(recipe, **changes)

    def fit_seconds(self, n_rows: int, schema: Schema) -> float:
        """Return the nominal CPU-seconds of a fit."""
        return net_seconds(self.recipe(n_rows), n_rows, schema)

    def first(self) -> Sequence[Mapping[str, Value]]:
        """Return the strengths, the strong one first: it hurts least where it is wrong."""
        usual = {name: values[0] for name, values in self._choices().items()}
        strengths: Sequence[Strength] = tuple(STRENGTHS) if self.strength is None else (self.strength,)
        varied = {"strength": strengths} if self.strength is None else {}
        return [{**usual, **dict.fromkeys(varied, strength)} for strength in strengths]

    def suggest(self, trial: optuna.Trial) -> Self:
        """Return this track with a drawn recipe."""
        changes: dict[str, Any] = {}
        if self.strength is None:
            changes["strength"] = trial.suggest_categorical("strength", list(STRENGTHS))
        for name, values in self._choices().items():
            changes[name] = trial.suggest_categorical(name, values)
        return replace(self, **changes)

    def _choices(self) -> dict[str, list[Any]]:
        """Return what is searched besides the strength: its values, the usual one first."""
        choices: dict[str, list[Any]] = {
            "depth": [2, 1, 3],
            "members": [1, 8],
            "dropout": [0.0, 0.1, 0.25],
            "penalty_factor": [1.0, 0.4, 2.5],
            "learning_rate_factor": [1.0, 0.5, 2.0],
        }
        given = {name for name in _AS_IN_RECIPE if getattr(self, name) is not None}
        for absolute in ("penalty", "learning_rate"):
            if absolute in given or getattr(self, f"{absolute}_factor") != 1.0:
                given.add(f"{absolute}_factor")
        return {name: values for name, values in choices.items() if name not in given}

    def warm_up(self, few: TrainingData) -> None:
        """Train for one epoch: what a first training initialises does not grow with its length."""
        replace(self, epochs=1).fit(few, seed=0)

    def chosen(self) -> dict[str, str | float | int | bool | None]:
        """Return the recipe and the number of parameters."""
        net: Net | None = getattr(self, "net_", None)
        if net is None:
            return {}
        return {
            "strength": self.strength or "strong",
            **self.recipe_.__dict__,
            "n_parameters": net.n_parameters,
            "steps": self.steps_,
        }

    def flop_counts(self) -> dict[str, float]:
        """Return matrix FLOPs of the fit and of predicting a row, from one probe step."""
        from toolkit.tracks import _torch

        net: Net | None = getattr(self, "net_", None)
        if net is None:
            return {}
        signal = None if net.bank is None else (len(net.bank.rates), net.bank.n_steps)
        step_flop, row_flop = _torch.count_flops(net.encoder, self.recipe_, self.step_rows_, signal)
        return {"fit_flop": step_flop * self.steps_, "predict_flop_per_row": row_flop}

    def _settled(self, trained: Trained) -> Self:
        """Return this track with the epochs that early stopping found."""
        if self.epochs is not None or trained.best_epoch >= self.recipe_.epochs:
            return replace(self)
        share = trained.best_epoch / self.recipe_.epochs
        return replace(self, epochs_factor=self.epochs_factor * share)
