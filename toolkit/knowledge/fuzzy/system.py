"""Compiler B: a knowledge base becomes a differentiable module in torch.

Every comparison becomes soft, ``t = sigmoid(sharpness (x - cut) / scale)``; ``and`` multiplies truths,
``or`` multiplies what is left to 1, and ``not`` stands inside the comparisons already. All of it is done
with logarithms (product logic in log space, as in E. van Krieken, E. Acar and F. van Harmelen, "Analyzing
differentiable fuzzy logic operators", 2022), so that rules of twenty comparisons neither vanish nor give
infinite gradients in 32 bits. As `sharpness` grows the module becomes compiler A (`symbolic`): the cuts
stand between the values of a column, so no row is left undecided.

Antecedents are observed columns, and no gradient flows into them unless asked for. What can be learned is
said by name: the experts' numbers (``thresholds``), their weights, a common ``scale`` of the weights, a
``bias`` and the ``sharpness``. `FuzzySystem.prior_penalty` pulls all of them back to the experts.

>>> from toolkit.knowledge.base import KnowledgeBase
>>> from toolkit.knowledge.fuzzy.system import CRISP, compile_fuzzy
>>> from toolkit.tasks.base import Column, Schema
>>> import pandas as pd
>>> rule = {"id": "due", "when": "gap >= 0.5", "then": "buys", "certainty": 0.5, "because": "It ran out."}
>>> knowledge = KnowledgeBase.model_validate(
...     {"knowledge_base": "k", "predicts": "y", "prior": "50 %", "columns": {"gap": {}}, "rules": [rule]}
... )
>>> rows = pd.DataFrame({"gap": [0.25, 0.5, 0.625]}, dtype="float32")
>>> soft = compile_fuzzy(knowledge, Schema((Column("gap"),)), spread={"gap": 1.0}, learn=["thresholds"])
>>> soft.truth(soft.inputs(rows)).exp().round(decimals=2).T.tolist()
[[0.009999999776482582, 0.5, 0.9200000166893005]]
>>> crisp = compile_fuzzy(knowledge, Schema((Column("gap"),)), sharpness=CRISP)
>>> crisp.predict_proba(rows).round(3).tolist()
[0.5, 0.667, 0.667]
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from toolkit.errors import ParameterError, did_you_mean
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.condition import join
from toolkit.knowledge.fuzzy.graph import Graph, Reader, soft_graph
from toolkit.knowledge.fuzzy.logic import Junctions, Leaves
from toolkit.knowledge.schema import Schema, check_schema, stand_ins
from toolkit.knowledge.symbolic import ExpertSystem, compile_knowledge

__all__ = ["CRISP", "FuzzySystem", "Inputs", "Learned", "Prior", "compile_fuzzy"]

CRISP = 1e60
"""A sharpness at which a soft comparison is a crisp one on every 32-bit number."""

SHARPNESS = 20.0
"""A tenth of a column's scale beyond the cut is .88 true, a quarter .993."""

LEARNABLE = ("thresholds", "weights", "scale", "bias", "sharpness")

SHARPEST_SLOPE = 1e6
"""Above it a step has no slope that 32 bits could learn a threshold or a sharpness from."""


class Inputs(NamedTuple):
    """Rows as the module takes them; made by `FuzzySystem.inputs`.

    Parameters
    ----------
    numbers : Tensor of shape (n_rows, n_numbers)
        NaN where missing.
    codes : Tensor of shape (n_rows, n_choices), int64
        -1 where missing.
    prior : Tensor of shape (n_rows,)
        Log-odds before any rule.
    """

    numbers: Tensor
    codes: Tensor
    prior: Tensor

    def take(self, rows: Tensor | slice) -> Inputs:
        """Return some of the rows, e.g. a batch."""
        return Inputs(self.numbers[rows], self.codes[rows], self.prior[rows])


class Learned(NamedTuple):
    """One of the experts' numbers, as written and as learned."""

    column: str
    written: float
    learned: float


@dataclass(frozen=True)
class Prior:
    """How far the experts are trusted: Gaussians around what they wrote, for `prior_penalty`.

    Parameters
    ----------
    threshold_spread : float
        Standard deviation of a number, in scales of its column.
    tau : float
        Precision of the corrections of single weights.
    scale, scale_precision : float
        Mean and precision of the common factor of the weights.
    bias_precision : float
    sharpness_spread : float
        Standard deviation of the logarithm of the sharpness.
    """

    threshold_spread: float = 0.05
    tau: float = 4.0
    scale: float = 0.6
    scale_precision: float = 4.0
    bias_precision: float = 0.1
    sharpness_spread: float = 0.5

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 < value < math.inf:
                raise ParameterError(
                    f"{name} must be a number above 0, got {value:g}; leave out of learn what is not to move",
                    path=("prior", name),
                )


def compile_fuzzy(
    knowledge: KnowledgeBase,
    schema: Schema,
    *,
    sharpness: float = SHARPNESS,
    spread: Mapping[str, float] | None = None,
    learn: Collection[str] = (),
    prior: Prior | None = None,
    detach_inputs: bool = True,
) -> FuzzySystem:
    """Compile a knowledge base to a differentiable module.

    Parameters
    ----------
    knowledge : KnowledgeBase
    schema : Schema
        Names, kinds and levels; columns of numbers hold 32-bit numbers.
    sharpness : float
        How steep comparisons are, in log-odds for one scale of the column; `CRISP` for compiler A.
    spread : mapping of str to float, optional
        The range that values of a column usually have, for columns that declare none.
    learn : collection of str
        Some of ``thresholds``, ``weights``, ``scale``, ``bias`` and ``sharpness``; the rest stays.
    prior : Prior, optional
        How far the experts are trusted.
    detach_inputs : bool
        Let no gradient flow into the columns.

    Raises
    ------
    KnowledgeError
        The knowledge base does not fit the columns.
    ParameterError
        `learn` names something else, or `sharpness` is out of range.
    """
    for name in learn:
        if name not in LEARNABLE:
            raise ParameterError(f"cannot learn '{name}'{did_you_mean(name, LEARNABLE)}", path=("learn",))
    sharpest = SHARPEST_SLOPE if {"thresholds", "sharpness"} & {*learn} else CRISP
    if not 0 < sharpness <= sharpest:
        raise ParameterError(
            f"sharpness must lie above 0 and be at most {sharpest:g} here, got {sharpness:g}",
            path=("sharpness",),
        )
    expert = compile_knowledge(knowledge, schema)
    conditions = knowledge.conditions()
    # after the rules, what always happens, then what never does, which overrules it
    facts = [(True, conditions.always), (False, conditions.never)]
    joined = [*conditions.rules, *(join("or", part) for _, part in facts if part)]
    levels = check_schema(knowledge, conditions, schema)
    graph = soft_graph(joined, knowledge.columns, levels, stand_ins(knowledge))
    return FuzzySystem(
        expert,
        graph,
        Reader.of(knowledge, graph, spread or {}),
        settles=tuple(outcome for outcome, part in facts if part),
        sharpness=sharpness,
        learn=frozenset(learn),
        prior=prior or Prior(),
        detach_inputs=detach_inputs,
    )


class FuzzySystem(nn.Module):
    """A knowledge base as a differentiable function of its columns, on the CPU; see `compile_fuzzy`.

    The log-odds are ``prior + bias + sum over rules of (scale w + delta) t``, where t is the truth of the
    rule's condition times, in a group, the falsehood of every rule that goes before it. What the
    knowledge base says never or always to do overrules them.

    Attributes
    ----------
    shifts : Parameter of shape (n_written,)
        How far the experts' numbers have moved, in scales of their columns.
    deltas : Parameter of shape (n_rules,)
        Corrections of single weights, in log-odds.
    scale, bias, log_sharpness : Parameter
    """

    def __init__(
        self,
        expert: ExpertSystem,
        graph: Graph,
        reader: Reader,
        *,
        settles: tuple[bool, ...],
        sharpness: float,
        learn: frozenset[str],
        prior: Prior,
        detach_inputs: bool,
    ) -> None:
        super().__init__()
        self.learn = learn
        self.prior = prior
        self.detach_inputs = detach_inputs
        self._expert = expert
        self._graph = graph
        self._reader = reader
        self._log_sharpness = math.log(sharpness)
        self._leaves = Leaves(graph, reader)
        self._stages = [Junctions(stage) for stage in graph.stages]
        self._outputs = torch.tensor(graph.outputs, dtype=torch.int64)
        self._groups = [torch.tensor(members) for members in expert.groups]
        self._settles = settles
        self._weights = torch.tensor(expert.weights)

        def parameter(name: str, start: Tensor) -> nn.Parameter:
            return nn.Parameter(start, requires_grad=name in learn)

        self.shifts = parameter("thresholds", torch.zeros(len(graph.written)))
        self.deltas = parameter("weights", torch.zeros(expert.n_rules))
        self.scale = parameter("scale", torch.ones(()))
        self.bias = parameter("bias", torch.zeros(()))
        self.log_sharpness = parameter("sharpness", torch.tensor(self._log_sharpness))

    def inputs(self, features: pd.DataFrame) -> Inputs:
        """Return rows as tensors.

        Parameters
        ----------
        features : DataFrame of shape (n_rows, n_columns)
            The task's columns, unscaled.

        Raises
        ------
        KnowledgeError
            A whole column holds other numbers, where soft cuts would stand wrongly; or the prior's
            column holds values that are no probabilities.
        """
        numbers, codes = self._reader.read(features)
        prior = torch.from_numpy(self._expert.prior_logit(features))
        return Inputs(torch.from_numpy(numbers), torch.from_numpy(codes), prior)

    def truth(self, inputs: Inputs) -> Tensor:
        """Return the logarithm of the truth of every rule's condition, shape (n_rows, n_rules)."""
        log_true, _ = self._decide(inputs)
        return log_true[: self._expert.n_rules].T

    def forward(self, inputs: Inputs) -> Tensor:
        """Return log-odds, shape (n_rows,), with the hard facts over them."""
        log_true, log_false = self._decide(inputs)
        return self._shield(self._add_up(log_true, log_false, inputs.prior), log_true, log_false)

    def unshielded(self, inputs: Inputs) -> Tensor:
        """Return log-odds without the hard facts, shape (n_rows,): what labels are fitted with."""
        return self._add_up(*self._decide(inputs), inputs.prior)

    def predict_proba(self, features: pd.DataFrame, batch_rows: int = 4_096) -> NDArray[np.float64]:
        """Return the probability of the positive outcome, shape (n_rows,), in batches, without gradients."""
        inputs = self.inputs(features)
        probability = np.empty(len(features))
        with torch.no_grad():
            for start in range(0, len(features), batch_rows):
                rows = slice(start, start + batch_rows)
                probability[rows] = self(inputs.take(rows)).double().sigmoid().numpy()
        return probability

    def learned(self) -> tuple[Learned, ...]:
        """Return the experts' numbers as written and as learned."""
        shifts = self.shifts.detach().tolist()
        return tuple(
            Learned(column, value, value + shift * self._reader.scales[column])
            for (column, value), shift in zip(self._graph.written, shifts, strict=True)
        )

    def prior_penalty(self) -> Tensor:
        """Return the penalty on what is learned: minus the logarithm of `Prior`, without its constant.

        Add it to the *sum* of the rows' log losses; divide it by the number of rows beside a mean. It
        is 0 where everything stands as written, but for the scale, whose mean is the prior's.
        """
        prior = self.prior
        precisions = {
            "thresholds": (self.shifts, prior.threshold_spread**-2),
            "weights": (self.deltas, prior.tau),
            "scale": (self.scale - prior.scale, prior.scale_precision),
            "bias": (self.bias, prior.bias_precision),
            "sharpness": (self.log_sharpness - self._log_sharpness, prior.sharpness_spread**-2),
        }
        terms = [0.5 * precision * away.square().sum() for away, precision in self._learning(precisions)]
        return torch.stack(terms).sum() if terms else torch.zeros_like(self.bias)

    def _learning(self, precisions: dict[str, tuple[Tensor, float]]) -> list[tuple[Tensor, float]]:
        return [value for name, value in precisions.items() if name in self.learn]

    def _decide(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Return log truth and log falsehood of all conditions, (n_conditions, n_rows) each."""
        numbers = inputs.numbers.detach() if self.detach_inputs else inputs.numbers
        logits = self._leaves(numbers, inputs.codes, self.shifts, self.log_sharpness)
        # both are carried along: a truth near 1 has no digits left to tell its falsehood from
        log_true, log_false = functional.logsigmoid(logits), functional.logsigmoid(-logits)
        for stage in self._stages:
            joined_true, joined_false = stage.join(log_true, log_false)
            log_true, log_false = torch.cat([log_true, joined_true]), torch.cat([log_false, joined_false])
        return log_true[self._outputs], log_false[self._outputs]

    def _add_up(self, log_true: Tensor, log_false: Tensor, prior: Tensor) -> Tensor:
        counted = log_true[: self._expert.n_rules]
        if self._groups:
            # a rule counts as far as all that go before it in its group are false
            before = [torch.cumsum(log_false[members[:-1]], dim=0) for members in self._groups]
            weaker = torch.cat([members[1:] for members in self._groups])
            counted = counted.index_add(0, weaker, torch.cat(before))
        weights = self.scale * self._weights.to(self.deltas.dtype) + self.deltas
        return prior.to(weights.dtype) + self.bias + weights @ counted.exp()

    def _shield(self, logit: Tensor, log_true: Tensor, log_false: Tensor) -> Tensor:
        if not self._settles:
            return logit
        yes, no = functional.logsigmoid(logit), functional.logsigmoid(-logit)
        facts = zip(log_true[self._expert.n_rules :], log_false[self._expert.n_rules :], strict=True)
        for (holds, fails), outcome in zip(facts, self._settles, strict=True):
            if outcome:
                yes, no = torch.logaddexp(holds, fails + yes), fails + no
            else:
                yes, no = fails + yes, torch.logaddexp(holds, fails + no)
        return yes - no
