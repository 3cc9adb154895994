"""What the fuzzy system learns from data, and what its priors hold fast."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import torch

from toolkit.errors import ParameterError
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.fuzzy.system import CRISP, FuzzySystem, Prior, compile_fuzzy


def fit(module: FuzzySystem, features: pd.DataFrame, labels: np.ndarray, steps: int = 150) -> None:
    inputs, wanted = module.inputs(features), torch.from_numpy(labels).float()
    learning = [parameter for parameter in module.parameters() if parameter.requires_grad]
    optimizer = torch.optim.LBFGS(learning, max_iter=steps, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(module(inputs), wanted, reduction="sum")
        loss = (loss + module.prior_penalty()) / len(wanted)
        loss.backward()
        return loss

    optimizer.step(closure)


class TestLearning:
    @pytest.fixture
    def shifted(self, rule, base, frame) -> tuple[KnowledgeBase, pd.DataFrame, np.ndarray]:
        """The expert says 0.3; in truth it is 0.5, and the weight is right."""
        generator = np.random.default_rng(0)
        x = generator.random(6_000)
        chance = 1 / (1 + np.exp(-(math.log(0.25) - math.log(0.1) * (x >= 0.5))))
        labels = (generator.random(6_000) < chance).astype(np.int8)
        return base(rule("x >= 0.3", 0.9)), frame(x=x), labels

    def test_a_weak_prior_lets_the_data_move_a_threshold(self, schema, shifted) -> None:
        knowledge, features, labels = shifted
        module = compile_fuzzy(
            knowledge, schema, spread={"x": 1.0}, learn=["thresholds"], prior=Prior(threshold_spread=1.0)
        )
        fit(module, features, labels)
        ((column, written, learned),) = module.learned()
        assert (column, written) == ("x", float(np.float32(0.3)))
        assert learned == pytest.approx(0.5, abs=0.05)

    def test_a_strong_prior_keeps_the_experts_threshold(self, schema, shifted) -> None:
        knowledge, features, labels = shifted
        module = compile_fuzzy(
            knowledge, schema, spread={"x": 1.0}, learn=["thresholds"], prior=Prior(threshold_spread=1e-3)
        )
        fit(module, features, labels)
        assert module.learned()[0].learned == pytest.approx(0.3, abs=0.01)

    def test_weights_scale_and_bias_come_back_from_data(self, schema, rule, base, frame) -> None:
        generator = np.random.default_rng(1)
        live, n = generator.integers(0, 2, (2, 8_000)).astype(float)
        chance = 1 / (1 + np.exp(-(-1.0 + 1.5 * live - 0.5 * n)))
        labels = (generator.random(8_000) < chance).astype(np.int8)
        knowledge = base(rule("live", 0.5), rule("n >= 1", 0.5))
        learn = ["weights", "scale", "bias"]
        module = compile_fuzzy(knowledge, schema, sharpness=CRISP, learn=learn, prior=Prior(tau=0.01))
        fit(module, frame(live=live, n=n), labels)
        weights = module.scale * math.log(2) + module.deltas
        assert weights.tolist() == pytest.approx([1.5, -0.5], abs=0.15)
        assert module.bias.item() + math.log(0.25) == pytest.approx(-1.0, abs=0.1)

    def test_the_penalty_is_the_priors_and_only_of_what_is_learned(self, schema, rule, base) -> None:
        knowledge = base(rule("x > 1 and z > 2"), rule("n > 3"))
        prior = Prior(threshold_spread=0.1, tau=3.0, scale=0.6, scale_precision=4.0)
        assert compile_fuzzy(knowledge, schema, prior=prior).prior_penalty().item() == 0.0
        module = compile_fuzzy(knowledge, schema, learn=["thresholds", "weights"], prior=prior)
        assert module.prior_penalty().item() == 0.0
        with torch.no_grad():
            module.shifts += 0.2
            module.deltas -= 1.0
            module.bias += 5.0
        assert module.prior_penalty().item() == pytest.approx(3 * 0.5 * 4 + 2 * 0.5 * 3)
        scaled = compile_fuzzy(knowledge, schema, learn=["scale"], prior=prior)
        assert scaled.prior_penalty().item() == pytest.approx(2 * (1 - 0.6) ** 2)

    def test_opposite_comparisons_share_the_number_that_is_learned(self, soft, truths) -> None:
        module = soft("x >= 0.3", "x < 0.3", "x == 0.3", learn=["thresholds"], spread={"x": 1.0})
        with torch.no_grad():
            module.shifts += 0.1
        assert [each.learned for each in module.learned()] == [pytest.approx(0.4)]
        above, below, _ = truths(module, x=[0.4])[0]
        assert (above, below) == (pytest.approx(0.5, abs=1e-5), pytest.approx(0.5, abs=1e-5))


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.inf, math.nan])
def test_a_prior_is_finite_and_above_0(wrong: float) -> None:
    with pytest.raises(ParameterError, match="tau must be a number above 0"):
        Prior(tau=wrong)
