from __future__ import annotations

import doctest
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch.func import functional_call

from toolkit.errors import ParameterError
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.fuzzy import system as fuzzy
from toolkit.knowledge.fuzzy.logic import log1mexp
from toolkit.knowledge.fuzzy.system import CRISP, LEARNABLE, FuzzySystem, Prior, compile_fuzzy
from toolkit.knowledge.symbolic import ExpertSystem, compile_knowledge
from toolkit.tasks.base import Column, Schema

SCHEMA = Schema(
    (
        *(Column(name) for name in ("p", "n", "m", "x", "y", "z", "live")),
        Column("goods", kind="category", levels=("milk", "beer", "rice")),
    )
)
COLUMNS: dict[str, Any] = {
    "p": {},
    "n": {"type": "whole number", "min": 0, "max": 30},
    "m": {"type": "whole number"},
    "x": {},
    "y": {"missing": 0.3},
    "z": {},
    "live": {"type": "yes/no"},
    "goods": {"type": "choice"},
}
EVERY_KIND = (
    ("n >= 5", 0.5, "g"),
    ("n > 5", -0.6, "g"),
    ("n < 5 or n <= 2", 0.3, "g"),
    ("n == 7", 0.4, None),
    ("n != 7", 0.4, None),
    ("m in [1, 4, 9]", -0.2, None),
    ("m not in [1, 4, 9]", -0.2, None),
    ("x >= 0.3", 0.7, "h"),
    ("x > 0.3", 0.1, "h"),
    ("x <= 0", 0.2, "h"),
    ("x < 0", -0.2, None),
    ("x == 0.3", 0.6, None),
    ("x != 0.3", 0.6, None),
    ("0.1 <= x <= 0.3", 0.5, None),
    ("not (0.1 <= x <= 0.3)", 0.5, None),
    ("y > 0.1 and not y > 0.5", 0.2, None),
    ("13 * n >= 4 * m", 0.2, None),
    ("n > m or 2 * n == m", 0.2, None),
    ("3 * x >= z", -0.8, None),
    ("x != z", 0.1, None),
    ("x < z and 0.3 * y <= 0.7 * x", 0.1, None),
    ("live", 0.2, None),
    ("not live", 0.2, None),
    ('goods in ["milk", "rice"]', 0.2, "i"),
    ('goods != "beer"', 0.3, "i"),
    ('(n >= 3 or (x > 0.2 and live)) and (goods == "beer" or not (m > 4 and z > 0))', 0.9, None),
)
NEVER = [
    {"id": "law", "when": 'goods == "beer" and not live', "because": "law"},
    {"id": "empty", "when": "m == 11", "because": "so"},
]
ALWAYS = [{"id": "standing", "when": "n >= 28", "because": "order"}]


def rule(when: str, certainty: float = 0.5, group: str | None = None, **more: Any) -> dict[str, Any]:
    return {"id": when, "when": when, "then": "buys", "certainty": certainty, "because": "so"} | (
        {"group": group} | more
    )


def base(*rules: dict[str, Any], **more: Any) -> KnowledgeBase:
    entries = {"knowledge_base": "k", "predicts": "y", "prior": "20 %", "columns": COLUMNS, "rules": rules}
    return KnowledgeBase.model_validate({**entries, **more})


def every_kind() -> KnowledgeBase:
    return base(*(rule(*each) for each in EVERY_KIND), prior="p", never=NEVER, always=ALWAYS)


def soft(*whens: str, **more: Any) -> FuzzySystem:
    return compile_fuzzy(base(*map(rule, whens)), SCHEMA, **more)


def frame(**columns: Any) -> pd.DataFrame:
    n_rows = len(next(iter(columns.values())))
    data = {column.name: columns.get(column.name, [0.0] * n_rows) for column in SCHEMA.columns}
    return pd.DataFrame(data).astype(dict.fromkeys(SCHEMA.numbers, "float32") | {"goods": "int32"})


def truths(module: FuzzySystem, **columns: Any) -> np.ndarray:
    with torch.no_grad():
        return module.truth(module.inputs(frame(**columns))).exp().numpy()


def awkward(n_rows: int, seed: int = 0) -> pd.DataFrame:
    """Rows of which most lie on a threshold of `EVERY_KIND` or next to it."""
    generator = np.random.default_rng(seed)
    on = np.array([0.1, 0.2, 0.3, 0.5, 0.0, -0.0, 1e-45, -1e-45, 1e-38, 1e38, -1e38, np.nan], np.float32)
    near = np.concatenate([on, np.nextafter(on[:5], np.float32(9)), np.nextafter(on[:5], np.float32(-9))])
    reals = {name: generator.choice(near, n_rows) for name in ("x", "y", "z")}
    reals["z"] = np.where(generator.random(n_rows) < 0.3, 3 * reals["x"], reals["z"])
    reals["y"] = np.where(generator.random(n_rows) < 0.3, generator.random(n_rows), reals["y"])
    wholes = {name: generator.integers(0, 31, n_rows).astype(float) for name in ("n", "m")}
    wholes["n"][generator.random(n_rows) < 0.05] = np.nan
    return frame(
        **reals,
        **wholes,
        p=generator.random(n_rows),
        live=generator.choice([0, 1, np.nan], n_rows),
        goods=generator.integers(-1, 3, n_rows),
    )


def differences(
    expert: ExpertSystem, module: FuzzySystem, features: pd.DataFrame, batch_rows: int = 10_000
) -> tuple[int, float]:
    """Count firings that differ, and give the largest difference in log-odds where no hard fact holds."""
    logit, firings = expert.score(features)
    free = ~(expert.forbidden(features) | expert.required(features))
    inputs = module.inputs(features)
    count, worst = 0, 0.0
    with torch.no_grad():
        for start in range(0, len(features), batch_rows):
            rows = slice(start, start + batch_rows)
            truth = module.truth(inputs.take(rows)).exp().numpy()
            assert ((truth < 1e-20) | (truth > 1 - 1e-6)).all()
            count += int(((truth > 0.5) != firings[rows]).sum())
            away = np.abs(module(inputs.take(rows)).numpy() - logit[rows])[free[rows]]
            worst = max(worst, float(away.max(initial=0.0)))
    return count, worst


class TestCrispLimit:
    @pytest.mark.parametrize("sharpness", [CRISP, 1e50])
    def test_it_is_compiler_a_on_every_kind_of_comparison(self, sharpness: float) -> None:
        knowledge = every_kind()
        expert, module = (
            compile_knowledge(knowledge, SCHEMA),
            compile_fuzzy(knowledge, SCHEMA, sharpness=sharpness),
        )
        count, worst = differences(expert, module, awkward(50_000))
        assert count == 0
        assert worst < 1e-5

    def test_hard_facts_settle_the_same_rows(self) -> None:
        knowledge, features = every_kind(), awkward(20_000, seed=1)
        probability = compile_fuzzy(knowledge, SCHEMA, sharpness=CRISP).predict_proba(features)
        expected = compile_knowledge(knowledge, SCHEMA).predict_proba(features)
        assert set(np.unique(expected[(expected == 0) | (expected == 1)])) == {0.0, 1.0}
        assert probability == pytest.approx(expected, abs=1e-6)

    @pytest.mark.slow
    def test_no_difference_on_a_million_rows(self) -> None:
        knowledge = every_kind()
        expert = compile_knowledge(knowledge, SCHEMA)
        module = compile_fuzzy(knowledge, SCHEMA, sharpness=CRISP)
        for seed in range(10):
            count, worst = differences(expert, module, awkward(100_000, seed=seed))
            assert count == 0
            assert worst < 1e-5

    def test_changing_the_module_to_32_or_64_bits_moves_no_cut(self) -> None:
        knowledge, features = every_kind(), awkward(5_000, seed=2)
        expert = compile_knowledge(knowledge, SCHEMA)
        for module in (
            compile_fuzzy(knowledge, SCHEMA, sharpness=CRISP).double(),
            compile_fuzzy(knowledge, SCHEMA, sharpness=CRISP).double().float(),
        ):
            assert differences(expert, module, features)[0] == 0

    def test_truth_comes_nearer_as_it_grows_sharper(self) -> None:
        knowledge = every_kind()
        expert = compile_knowledge(knowledge, SCHEMA)
        generator = np.random.default_rng(0)
        features = frame(n=generator.integers(0, 30, 500), x=generator.random(500), m=[3.0] * 500)
        fired = expert.firings(features)
        away = []
        for sharpness in (1.0, 10.0, 1e3, 1e12):
            module = compile_fuzzy(knowledge, SCHEMA, sharpness=sharpness)
            with torch.no_grad():
                truth = module.truth(module.inputs(features)).exp().numpy()
            away.append(float(np.abs(truth - fired).mean()))
        assert away == sorted(away, reverse=True)
        assert away[-1] < 0.1 * away[0]


class TestTruth:
    def test_a_comparison_is_a_sigmoid_around_its_cut(self) -> None:
        module = soft("n >= 6", "n < 6", "x > 0.5", sharpness=10.0, spread={"x": 2.0})
        truth = truths(module, n=[4, 6, 30], x=[0.5, 0.7, -4])
        above = 1 / (1 + np.exp(-10 * (np.array([4, 6, 30]) - 5.5) / 30))
        assert truth[:, 0] == pytest.approx(above, rel=1e-5)
        assert truth[:, 1] == pytest.approx(1 - above, rel=1e-5)
        assert truth[:, 2] == pytest.approx(
            1 / (1 + np.exp(-10 * (np.array([0.5, 0.7, -4]) - 0.5) / 2)), rel=1e-4
        )

    def test_and_multiplies_and_or_multiplies_what_is_left(self) -> None:
        module = soft("x > 0.5", "z > 0.2", "x > 0.5 and z > 0.2", "x > 0.5 or z > 0.2")
        a, b, both, either = truths(module, x=[0.4, 0.6, 0.1], z=[0.3, 0.1, 0.2]).T
        assert both == pytest.approx(a * b, rel=1e-5)
        assert either == pytest.approx(1 - (1 - a) * (1 - b), rel=1e-5)

    def test_missing_meets_nothing_negated_or_not(self) -> None:
        whens = ("x > 1", "not x > 1", "x == 1", "x != 1", "x > z", "not x > z", 'goods == "milk"')
        truth = truths(soft(*whens, 'goods != "milk"'), x=[math.nan], goods=[-1])
        assert truth.max() < 1e-20
        (either,) = truths(soft("x > 1 or n >= 0", sharpness=CRISP), x=[math.nan])[0]
        assert either == 1.0

    def test_what_missing_stands_for_is_used(self) -> None:
        module = soft("y > 0.25", sharpness=CRISP)
        assert truths(module, y=[math.nan, 0.2, 0.26])[:, 0].tolist() == [1, 0, 1]

    def test_truth_rises_with_a_column_above_and_falls_below(self) -> None:
        module = soft("x >= 0.3", "x < 0.3", "x > 0.3 and n > 4", "x > 0.3 or n > 4", "n > x")
        truth = truths(module, x=np.linspace(-3, 3, 400), n=[4.0] * 400)
        steps = np.diff(truth, axis=0)
        assert (steps[:, [0, 2, 3]] >= 0).all()
        assert (steps[:, [1, 4]] <= 0).all()
        assert (np.ptp(truth[:, :4], axis=0) > 0.3).all()

    def test_a_rule_that_always_holds_is_true(self) -> None:
        truth = truths(soft("true", "not true", "true and x > 1"), x=[9, math.nan])
        assert truth == pytest.approx(np.array([[1, 0, 1], [1, 0, 0]]), abs=1e-6)


class TestLogit:
    def test_in_a_group_a_rule_counts_as_far_as_stronger_ones_are_false(self) -> None:
        knowledge = base(rule("x > 1", 0.3, "g"), rule("z > 1", -0.5, "g"), rule("n > 1", 0.2, "g"))
        module = compile_fuzzy(knowledge, SCHEMA)
        features = frame(x=[1.1, 0.2, 3], z=[0.9, 1.2, 1], n=[1, 4, 0])
        weights = compile_knowledge(knowledge, SCHEMA).weights
        weak, strong, weakest = truths(module, x=[1.1, 0.2, 3], z=[0.9, 1.2, 1], n=[1, 4, 0]).T
        counted = np.stack([weak * (1 - strong), strong, weakest * (1 - strong) * (1 - weak)], axis=1)
        with torch.no_grad():
            logit = module(module.inputs(features)).numpy()
        assert logit == pytest.approx(math.log(0.25) + counted @ weights, rel=1e-4)

    def test_hard_facts_mix_probabilities_and_never_comes_last(self) -> None:
        knowledge = base(
            rule("n >= 5"),
            never=[{"id": "never", "when": "x > 0.5", "because": "so"}],
            always=[{"id": "always", "when": "z > 0.5", "because": "so"}],
        )
        module = compile_fuzzy(knowledge, SCHEMA).double()
        features = frame(x=[0.45, 0.6, 0.5, -9], z=[0.5, 0.45, 9, -9], n=[1, 9, 5, 5])
        probability = module.predict_proba(features)
        with torch.no_grad():
            plain = module.unshielded(module.inputs(features)).sigmoid().numpy()
        never, always = (
            1 / (1 + np.exp(-20 * (features[name].to_numpy(float) - 0.5) / 0.5)) for name in "xz"
        )
        expected = (1 - never) * (always + (1 - always) * plain)
        assert probability == pytest.approx(expected, rel=1e-5)

    def test_batches_and_slices_change_nothing(self) -> None:
        module, features = compile_fuzzy(every_kind(), SCHEMA), awkward(300)
        whole = module.predict_proba(features)
        assert module.predict_proba(features, batch_rows=7) == pytest.approx(whole, abs=1e-7)
        some = torch.tensor([5, 2, 200])
        picked = module(module.inputs(features).take(some)).sigmoid()
        assert picked.detach().numpy() == pytest.approx(whole[some.numpy()], abs=1e-6)
        assert module.predict_proba(features.iloc[:0]).shape == (0,)


def long_rules() -> KnowledgeBase:
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


EXTREME = [0.0, 1.0, 3.0, 5.0, -7.0, 40.0, 1e4, -1e4, 1e20, -1e20, 3e38, -3e38, math.inf, -math.inf, math.nan]


class TestGradients:
    @pytest.mark.parametrize("sharpness", [0.1, 20.0, 1e6])
    @pytest.mark.parametrize("what", ["logit", "truth"])
    def test_they_are_finite_for_rules_of_twenty_comparisons(self, sharpness: float, what: str) -> None:
        module = compile_fuzzy(
            long_rules(), SCHEMA, sharpness=sharpness, learn=LEARNABLE, detach_inputs=False
        )
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

    def test_log_loss_on_contradicted_hard_facts_stays_finite(self) -> None:
        module = compile_fuzzy(every_kind(), SCHEMA, learn=LEARNABLE)
        features = awkward(2_000)
        for label in (0.0, 1.0):
            module.zero_grad()
            logit = module(module.inputs(features))
            labels = torch.full_like(logit, label)
            torch.nn.functional.binary_cross_entropy_with_logits(logit, labels).backward()
            assert all(torch.isfinite(parameter.grad).all() for parameter in module.parameters())

    @pytest.mark.parametrize("sharpness", [3.0, 20.0])
    def test_they_are_right(self, sharpness: float) -> None:
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
            SCHEMA,
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

    def test_no_gradient_flows_into_observed_columns(self) -> None:
        module = compile_fuzzy(every_kind(), SCHEMA, learn=["weights"])
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
    @staticmethod
    def shifted() -> tuple[KnowledgeBase, pd.DataFrame, np.ndarray]:
        """The expert says 0.3; in truth it is 0.5, and the weight is right."""
        generator = np.random.default_rng(0)
        x = generator.random(6_000)
        chance = 1 / (1 + np.exp(-(math.log(0.25) - math.log(0.1) * (x >= 0.5))))
        labels = (generator.random(6_000) < chance).astype(np.int8)
        return base(rule("x >= 0.3", 0.9)), frame(x=x), labels

    def test_a_weak_prior_lets_the_data_move_a_threshold(self) -> None:
        knowledge, features, labels = self.shifted()
        module = compile_fuzzy(
            knowledge, SCHEMA, spread={"x": 1.0}, learn=["thresholds"], prior=Prior(threshold_spread=1.0)
        )
        fit(module, features, labels)
        ((column, written, learned),) = module.learned()
        assert (column, written) == ("x", float(np.float32(0.3)))
        assert learned == pytest.approx(0.5, abs=0.05)

    def test_a_strong_prior_keeps_the_experts_threshold(self) -> None:
        knowledge, features, labels = self.shifted()
        module = compile_fuzzy(
            knowledge, SCHEMA, spread={"x": 1.0}, learn=["thresholds"], prior=Prior(threshold_spread=1e-3)
        )
        fit(module, features, labels)
        assert module.learned()[0].learned == pytest.approx(0.3, abs=0.01)

    def test_weights_scale_and_bias_come_back_from_data(self) -> None:
        generator = np.random.default_rng(1)
        live, n = generator.integers(0, 2, (2, 8_000)).astype(float)
        chance = 1 / (1 + np.exp(-(-1.0 + 1.5 * live - 0.5 * n)))
        labels = (generator.random(8_000) < chance).astype(np.int8)
        knowledge = base(rule("live", 0.5), rule("n >= 1", 0.5))
        learn = ["weights", "scale", "bias"]
        module = compile_fuzzy(knowledge, SCHEMA, sharpness=CRISP, learn=learn, prior=Prior(tau=0.01))
        fit(module, frame(live=live, n=n), labels)
        weights = module.scale * math.log(2) + module.deltas
        assert weights.tolist() == pytest.approx([1.5, -0.5], abs=0.15)
        assert module.bias.item() + math.log(0.25) == pytest.approx(-1.0, abs=0.1)

    def test_the_penalty_is_the_priors_and_only_of_what_is_learned(self) -> None:
        knowledge = base(rule("x > 1 and z > 2"), rule("n > 3"))
        prior = Prior(threshold_spread=0.1, tau=3.0, scale=0.6, scale_precision=4.0)
        assert compile_fuzzy(knowledge, SCHEMA, prior=prior).prior_penalty().item() == 0.0
        module = compile_fuzzy(knowledge, SCHEMA, learn=["thresholds", "weights"], prior=prior)
        assert module.prior_penalty().item() == 0.0
        with torch.no_grad():
            module.shifts += 0.2
            module.deltas -= 1.0
            module.bias += 5.0
        assert module.prior_penalty().item() == pytest.approx(3 * 0.5 * 4 + 2 * 0.5 * 3)
        scaled = compile_fuzzy(knowledge, SCHEMA, learn=["scale"], prior=prior)
        assert scaled.prior_penalty().item() == pytest.approx(2 * (1 - 0.6) ** 2)

    def test_opposite_comparisons_share_the_number_that_is_learned(self) -> None:
        module = soft("x >= 0.3", "x < 0.3", "x == 0.3", learn=["thresholds"], spread={"x": 1.0})
        with torch.no_grad():
            module.shifts += 0.1
        assert [each.learned for each in module.learned()] == [pytest.approx(0.4)]
        above, below, _ = truths(module, x=[0.4])[0]
        assert (above, below) == (pytest.approx(0.5, abs=1e-5), pytest.approx(0.5, abs=1e-5))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"learn": ["threshold"]}, "cannot learn 'threshold'; did you mean 'thresholds'"),
        ({"sharpness": 0.0}, "sharpness must lie above 0"),
        ({"sharpness": CRISP, "learn": ["thresholds"]}, r"at most 1e\+06 here, got 1e\+60"),
    ],
)
def test_what_cannot_be_is_an_error(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        soft("x > 1", **more)


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.inf, math.nan])
def test_a_prior_is_finite_and_above_0(wrong: float) -> None:
    with pytest.raises(ParameterError, match="tau must be a number above 0"):
        Prior(tau=wrong)


def test_the_example_of_the_module_is_true() -> None:
    result = doctest.testmod(fuzzy)
    assert result.attempted > 5
    assert result.failed == 0
