"""How true a rule is, what it adds to the log-odds, and what cannot be."""

from __future__ import annotations

import doctest
import math
from typing import Any

import numpy as np
import pytest
import torch

from toolkit.errors import ParameterError
from toolkit.knowledge.fuzzy import system as fuzzy
from toolkit.knowledge.fuzzy.system import CRISP, compile_fuzzy
from toolkit.knowledge.symbolic import compile_knowledge


class TestTruth:
    def test_a_comparison_is_a_sigmoid_around_its_cut(self, soft, truths) -> None:
        module = soft("n >= 6", "n < 6", "x > 0.5", sharpness=10.0, spread={"x": 2.0})
        truth = truths(module, n=[4, 6, 30], x=[0.5, 0.7, -4])
        above = 1 / (1 + np.exp(-10 * (np.array([4, 6, 30]) - 5.5) / 30))
        assert truth[:, 0] == pytest.approx(above, rel=1e-5)
        assert truth[:, 1] == pytest.approx(1 - above, rel=1e-5)
        assert truth[:, 2] == pytest.approx(
            1 / (1 + np.exp(-10 * (np.array([0.5, 0.7, -4]) - 0.5) / 2)), rel=1e-4
        )

    def test_and_multiplies_and_or_multiplies_what_is_left(self, soft, truths) -> None:
        module = soft("x > 0.5", "z > 0.2", "x > 0.5 and z > 0.2", "x > 0.5 or z > 0.2")
        a, b, both, either = truths(module, x=[0.4, 0.6, 0.1], z=[0.3, 0.1, 0.2]).T
        assert both == pytest.approx(a * b, rel=1e-5)
        assert either == pytest.approx(1 - (1 - a) * (1 - b), rel=1e-5)

    def test_missing_meets_nothing_negated_or_not(self, soft, truths) -> None:
        whens = ("x > 1", "not x > 1", "x == 1", "x != 1", "x > z", "not x > z", 'goods == "milk"')
        truth = truths(soft(*whens, 'goods != "milk"'), x=[math.nan], goods=[-1])
        assert truth.max() < 1e-20
        (either,) = truths(soft("x > 1 or n >= 0", sharpness=CRISP), x=[math.nan])[0]
        assert either == 1.0

    def test_what_missing_stands_for_is_used(self, soft, truths) -> None:
        module = soft("y > 0.25", sharpness=CRISP)
        assert truths(module, y=[math.nan, 0.2, 0.26])[:, 0].tolist() == [1, 0, 1]

    def test_truth_rises_with_a_column_above_and_falls_below(self, soft, truths) -> None:
        module = soft("x >= 0.3", "x < 0.3", "x > 0.3 and n > 4", "x > 0.3 or n > 4", "n > x")
        truth = truths(module, x=np.linspace(-3, 3, 400), n=[4.0] * 400)
        steps = np.diff(truth, axis=0)
        assert (steps[:, [0, 2, 3]] >= 0).all()
        assert (steps[:, [1, 4]] <= 0).all()
        assert (np.ptp(truth[:, :4], axis=0) > 0.3).all()

    def test_a_rule_that_always_holds_is_true(self, soft, truths) -> None:
        truth = truths(soft("true", "not true", "true and x > 1"), x=[9, math.nan])
        assert truth == pytest.approx(np.array([[1, 0, 1], [1, 0, 0]]), abs=1e-6)


class TestLogit:
    def test_in_a_group_a_rule_counts_as_far_as_stronger_ones_are_false(
        self, schema, rule, base, frame, truths
    ) -> None:
        knowledge = base(rule("x > 1", 0.3, "g"), rule("z > 1", -0.5, "g"), rule("n > 1", 0.2, "g"))
        module = compile_fuzzy(knowledge, schema)
        features = frame(x=[1.1, 0.2, 3], z=[0.9, 1.2, 1], n=[1, 4, 0])
        weights = compile_knowledge(knowledge, schema).weights
        weak, strong, weakest = truths(module, x=[1.1, 0.2, 3], z=[0.9, 1.2, 1], n=[1, 4, 0]).T
        counted = np.stack([weak * (1 - strong), strong, weakest * (1 - strong) * (1 - weak)], axis=1)
        with torch.no_grad():
            logit = module(module.inputs(features)).numpy()
        assert logit == pytest.approx(math.log(0.25) + counted @ weights, rel=1e-4)

    def test_hard_facts_mix_probabilities_and_never_comes_last(self, schema, rule, base, frame) -> None:
        knowledge = base(
            rule("n >= 5"),
            never=[{"id": "never", "when": "x > 0.5", "because": "so"}],
            always=[{"id": "always", "when": "z > 0.5", "because": "so"}],
        )
        module = compile_fuzzy(knowledge, schema).double()
        features = frame(x=[0.45, 0.6, 0.5, -9], z=[0.5, 0.45, 9, -9], n=[1, 9, 5, 5])
        probability = module.predict_proba(features)
        with torch.no_grad():
            plain = module.unshielded(module.inputs(features)).sigmoid().numpy()
        never, always = (
            1 / (1 + np.exp(-20 * (features[name].to_numpy(float) - 0.5) / 0.5)) for name in "xz"
        )
        expected = (1 - never) * (always + (1 - always) * plain)
        assert probability == pytest.approx(expected, rel=1e-5)

    def test_batches_and_slices_change_nothing(self, schema, every_kind, awkward) -> None:
        module, features = compile_fuzzy(every_kind, schema), awkward(300)
        whole = module.predict_proba(features)
        # Processors round the last rows of a batch otherwise than the others: by an ulp of float32 or two.
        assert module.predict_proba(features, batch_rows=7) == pytest.approx(whole, abs=1e-6)
        some = torch.tensor([5, 2, 200])
        picked = module(module.inputs(features).take(some)).sigmoid()
        assert picked.detach().numpy() == pytest.approx(whole[some.numpy()], abs=1e-6)
        assert module.predict_proba(features.iloc[:0]).shape == (0,)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"learn": ["threshold"]}, "cannot learn 'threshold'; did you mean 'thresholds'"),
        ({"sharpness": 0.0}, "sharpness must lie above 0"),
        ({"sharpness": CRISP, "learn": ["thresholds"]}, r"at most 1e\+06 here, got 1e\+60"),
    ],
)
def test_what_cannot_be_is_an_error(soft, more: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        soft("x > 1", **more)


def test_the_example_of_the_module_is_true() -> None:
    result = doctest.testmod(fuzzy)
    assert result.attempted > 5
    assert result.failed == 0
