"""Gradients are finite and right, also where truth is nearly 0 or 1."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.func import functional_call

from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.fuzzy.logic import log1mexp
from toolkit.knowledge.fuzzy.system import LEARNABLE, compile_fuzzy

EXTREME = [0.0, 1.0, 3.0, 5.0, -7.0, 40.0, 1e4, -1e4, 1e20, -1e20, 3e38, -3e38, math.inf, -math.inf, math.nan]


@pytest.fixture
def long_rules(rule, base) -> KnowledgeBase:
    literals = [f"{name} {op} {value}" for value in (1, 2, 3, 4, 5) for name in "xz" for op in (">=", "<")]
    literals = literals[:20]
    assert len(literals) == 20
    return base(
        rule(" and ".join(literals), 0.9, "g"),
        rule(" or ".join(literals), 0.8, "g"),
        rule(
            " and ".join(f"({one} or {two})" for one, two in zip(literals, literals[3:], strict=False)), 0.7
        ),
        rule(
            " or ".join(f"({one} and {two})" for one, two in zip(literals, literals[2:], strict=False)), 0.95
        ),
        rule("not (" + " or ".join(literals[:10]) + " and (" + " or ".join(literals[10:]) + "))", 0.6, "g"),
        rule("13 * x >= 4 * z and (x != z or 3 * x < z)", 0.5),
        never=[{"id": "never", "when": " and ".join(literals[::2]), "because": "so"}],
        always=[{"id": "always", "when": " or ".join(literals[:3]), "because": "so"}],
    )


class TestGradients:
    @pytest.mark.parametrize("sharpness", [0.1, 20.0, 1e6])
    @pytest.mark.parametrize("what", ["logit", "truth"])
    def test_they_are_finite_for_rules_of_twenty_comparisons(
        self, schema, frame, long_rules, sharpness: float, what: str
    ) -> None:
        module = compile_fuzzy(long_rules, schema, sharpness=sharpness, learn=LEARNABLE, detach_inputs=False)
        values = np.array([(x, z) for x in EXTREME for z in EXTREME])
        inputs = module.inputs(frame(x=values[:, 0], z=values[:, 1]))
        inputs = inputs._replace(numbers=inputs.numbers.requires_grad_())
        out = module(inputs) if what == "logit" else module.truth(inputs)
        assert out.dtype == torch.float32
        assert torch.isfinite(out).all()
        # one row after the other: a sum could hide what a row does
        for row in out.unbind():
            module.zero_grad()
            row.sum().backward(retain_graph=True)
            for name, parameter in module.named_parameters():
                if parameter.grad is not None:
                    assert torch.isfinite(parameter.grad).all(), name
        assert torch.isfinite(inputs.numbers.grad).all()
        assert all(parameter.grad is not None for parameter in module.parameters()) == (what == "logit")

    def test_log_loss_on_contradicted_hard_facts_stays_finite(self, schema, every_kind, awkward) -> None:
        module = compile_fuzzy(every_kind, schema, learn=LEARNABLE)
        features = awkward(2_000)
        for label in (0.0, 1.0):
            module.zero_grad()
            logit = module(module.inputs(features))
            labels = torch.full_like(logit, label)
            torch.nn.functional.binary_cross_entropy_with_logits(logit, labels).backward()
            assert all(torch.isfinite(parameter.grad).all() for parameter in module.parameters())

    @pytest.mark.parametrize("sharpness", [3.0, 20.0])
    def test_they_are_right(self, schema, rule, base, frame, sharpness: float) -> None:
        knowledge = base(
            rule("x > 0.3 and z < 0.7 or n == 4", 0.6, "g"),
            rule("0.2 <= x <= 0.8", -0.5, "g"),
            rule("2 * x >= z", 0.3),
            rule("x != 0.5 and (z > 0.1 or live)", 0.4),
            never=[{"id": "never", "when": "z > 2 and x > 0.9", "because": "so"}],
            always=[{"id": "always", "when": "z < -1", "because": "so"}],
        )
        module = compile_fuzzy(
            knowledge,
            schema,
            sharpness=sharpness,
            spread={"x": 1.0, "z": 1.5},
            learn=LEARNABLE,
            detach_inputs=False,
        ).double()
        generator = torch.Generator().manual_seed(0)
        names = [name for name, _ in module.named_parameters()]
        values = [
            (parameter + 0.1 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
            .detach()
            .requires_grad_()
            for parameter in module.parameters()
        ]
        rows = np.random.default_rng(0).random((6, 3))
        inputs = module.inputs(frame(x=rows[:, 0], z=2 * rows[:, 1] - 0.5, n=[3, 4, 5, 4, 3, 9]))
        numbers = inputs.numbers.double().requires_grad_()

        def logit(numbers: torch.Tensor, *parameters: torch.Tensor) -> torch.Tensor:
            state = dict(zip(names, parameters, strict=True))
            return functional_call(module, state, (inputs._replace(numbers=numbers),))

        assert torch.autograd.gradcheck(logit, (numbers, *values))

    def test_no_gradient_flows_into_observed_columns(self, schema, every_kind, awkward) -> None:
        module = compile_fuzzy(every_kind, schema, learn=["weights"])
        inputs = module.inputs(awkward(20))
        inputs = inputs._replace(numbers=inputs.numbers.requires_grad_())
        module(inputs).sum().backward()
        assert inputs.numbers.grad is None
        assert module.deltas.grad is not None
        assert [name for name, each in module.named_parameters() if each.requires_grad] == ["deltas"]

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_log1mexp_is_right_on_both_sides_of_log_2(self, dtype: torch.dtype) -> None:
        exact = torch.tensor([-1e-12, -1e-6, -0.1, -0.6931, -0.6932, -1.0, -30.0, -80.0], dtype=torch.float64)
        x = exact.to(dtype).requires_grad_()
        out = log1mexp(x)
        expected = [
            math.log(-math.expm1(value)) if value > -1 else math.log1p(-math.exp(value))
            for value in x.tolist()
        ]
        tolerance = 1e-6 if dtype == torch.float32 else 1e-14
        assert out.tolist() == pytest.approx(expected, rel=tolerance, abs=1e-40)
        out.sum().backward()
        slopes = [-1 / math.expm1(-value) for value in x.tolist()]
        assert x.grad is not None
        assert x.grad.tolist() == pytest.approx(slopes, rel=10 * tolerance, abs=1e-40)

    def test_log1mexp_has_a_floor_without_a_slope(self) -> None:
        x = torch.tensor([0.0, -1e-38, -math.inf], requires_grad=True)
        out = log1mexp(x)
        out.sum().backward()
        assert out.tolist() == pytest.approx([math.log(1e-30), math.log(1e-30), 0.0])
        assert x.grad is not None
        assert x.grad.tolist() == [0.0, 0.0, 0.0]
