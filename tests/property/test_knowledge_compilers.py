"""Both compilers against the plain meaning of rules, and against one another."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.fuzzy.system import CRISP, compile_fuzzy
from toolkit.knowledge.symbolic import ExpertSystem, compile_knowledge, log_odds
from toolkit.tasks.base import Column, Schema

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

FLAGS = tuple(f"f{index}" for index in range(40))


def base(columns: dict[str, Any], rules: list[dict[str, Any]], **more: Any) -> KnowledgeBase:
    rules = [{"id": str(index), "then": "buys", "because": "so", **rule} for index, rule in enumerate(rules)]
    entries = {"knowledge_base": "k", "predicts": "y", "prior": "50 %", "columns": columns, "rules": rules}
    return KnowledgeBase.model_validate({**entries, **more})


# EMYCIN's combination, pair by pair in the order of the rules, in exact fractions.


def combine(first: Fraction, second: Fraction) -> Fraction:
    if first >= 0 and second >= 0:
        return first + second - first * second
    if first < 0 and second < 0:
        return first + second + first * second
    return (first + second) / (1 - min(abs(first), abs(second)))


CERTAINTIES = st.one_of(
    st.floats(-0.999, 0.999, exclude_min=True, exclude_max=True, allow_subnormal=False),
    st.sampled_from([0.95, 0.8, 0.6, 0.4, 0.2, -0.95, -0.2, 1e-9, -1e-9, 0.999, -0.999, 1e-300]),
).filter(bool)


def flagged(certainties: list[float]) -> ExpertSystem:
    """Compile one rule a certainty, each with a yes/no column of its own."""
    rules = [
        {"when": flag, "certainty": certainty} for flag, certainty in zip(FLAGS, certainties, strict=False)
    ]
    columns = {flag: {"type": "yes/no"} for flag in FLAGS}
    return compile_knowledge(base(columns, rules), Schema(tuple(Column(flag) for flag in FLAGS)))


@unhurried
@given(st.data())
def test_the_compiled_evidence_is_emycins_sequential_combination_in_any_order(data: st.DataObject) -> None:
    certainties = data.draw(st.lists(CERTAINTIES, min_size=1, max_size=len(FLAGS)))
    rows = data.draw(
        st.lists(st.lists(st.booleans(), min_size=len(FLAGS), max_size=len(FLAGS)), min_size=1, max_size=4)
    )
    features = pd.DataFrame(np.array(rows, np.float32), columns=list(FLAGS))
    evidence = flagged(certainties).evidence(features)
    factors = np.where(evidence >= 0, -np.expm1(-evidence), np.expm1(evidence))
    for row, factor in zip(rows, factors, strict=True):
        fired = [Fraction(each) for each, fires in zip(certainties, row, strict=False) if fires]
        expected = reduce(combine, fired, Fraction(0))
        assert abs(float(Fraction(float(factor)) - expected)) < 1e-12
        shuffled = data.draw(st.permutations(fired))
        assert reduce(combine, shuffled, Fraction(0)) == expected


@unhurried
@given(st.lists(CERTAINTIES, min_size=1, max_size=len(FLAGS)), st.integers(0, 2**31))
def test_scores_firings_and_bits_agree_with_a_plain_sum(certainties: list[float], seed: int) -> None:
    features = pd.DataFrame(
        np.random.default_rng(seed).integers(0, 2, (50, len(FLAGS))).astype(np.float32), columns=list(FLAGS)
    )
    system = flagged(certainties)
    scored = system.score(features)
    fired = features.to_numpy()[:, : len(certainties)] > 0
    assert (scored.firings == fired).all()
    assert (system.firings_packed(features) == np.packbits(fired, axis=1)).all()
    assert (system.firing_counts(features) == fired.sum(axis=0)).all()
    weights = [log_odds(certainty) for certainty in certainties]
    for row, logit in zip(fired, scored.logit, strict=True):
        exact = math.fsum(weight for weight, fires in zip(weights, row, strict=True) if fires)
        assert math.isclose(logit, exact, rel_tol=1e-13, abs_tol=1e-12)


# Compiler B, made sharp, is compiler A.

REALS, WHOLES = ("a", "b"), ("n", "m")
LEVELS = ("red", "green", "blue")
COLUMNS: dict[str, Any] = {
    **{name: {} for name in REALS},
    **{name: {"type": "whole number"} for name in WHOLES},
    "flag": {"type": "yes/no"},
    "kind": {"type": "choice"},
}
SCHEMA = Schema(
    (
        *(Column(name) for name in (*REALS, *WHOLES, "flag")),
        Column("kind", kind="category", levels=LEVELS),
    )
)
OPS = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
VALUES = st.sampled_from([0.0, 0.1, 0.3, 1.0, -0.1, 2.5, 1e-9, 123456.789])
WHOLE_VALUES = st.sampled_from([-2, 0, 1, 2, 3, 7]) | st.sampled_from([0.5, 2.25])
ATOMS = st.one_of(
    st.builds("{} {} {!r}".format, st.sampled_from(REALS), OPS, VALUES),
    st.builds("{} {} {!r}".format, st.sampled_from(WHOLES), OPS, WHOLE_VALUES),
    st.builds(
        "{} * {} {} {} * {}".format,
        st.integers(1, 13),
        st.sampled_from(["a", "n"]),
        OPS,
        st.integers(-3, 13).filter(bool),
        st.sampled_from(["b", "m"]),
    ),
    st.builds('kind {} "{}"'.format, st.sampled_from(["==", "!="]), st.sampled_from(LEVELS)),
    st.just("flag"),
    st.just("0.1 <= a <= 0.3"),
    st.just("n in [1, 2, 7]"),
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("not ({})".format, inner),
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
    ),
    max_leaves=6,
)
RULES = st.lists(
    st.fixed_dictionaries(
        {
            "when": CONDITIONS,
            "certainty": st.integers(-19, 19).filter(bool).map(lambda twentieths: twentieths / 20),
            "group": st.none() | st.sampled_from("gh"),
        }
    ),
    min_size=1,
    max_size=6,
)
FLOATS = np.array([0.0, 0.1, 0.3, 1.0, -0.1, 2.5, 1e-9, 123456.789, 1e-45], np.float32)
NEAR = [
    float(near(value))
    for value in FLOATS
    for near in (
        lambda value: value,
        lambda value: np.nextafter(value, np.float32(np.inf)),
        lambda value: np.nextafter(value, np.float32(-np.inf)),
    )
]
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            **{name: st.sampled_from([*NEAR, math.nan]) for name in REALS},
            **{name: st.sampled_from([*range(-3, 9), math.nan]) for name in WHOLES},
            "flag": st.sampled_from([0, 1, math.nan]),
            "kind": st.integers(-1, len(LEVELS) - 1),
        }
    ),
    min_size=1,
    max_size=20,
)


@unhurried
@given(RULES, st.none() | CONDITIONS, st.none() | CONDITIONS, ROWS)
def test_the_sharp_fuzzy_system_is_the_expert_system(
    rules: list[dict[str, Any]], never: str | None, always: str | None, rows: list[dict[str, float]]
) -> None:
    facts = {
        name: [{"id": name, "when": when, "because": "so"}] if when else []
        for name, when in (("never", never), ("always", always))
    }
    knowledge = base(COLUMNS, rules, **facts)
    features = pd.DataFrame(rows).astype(dict.fromkeys((*REALS, *WHOLES, "flag"), np.float32))
    features["kind"] = features["kind"].astype(np.int32)
    expert = compile_knowledge(knowledge, SCHEMA)
    module = compile_fuzzy(knowledge, SCHEMA, sharpness=CRISP)
    with torch.no_grad():
        inputs = module.inputs(features)
        truth, unshielded = module.truth(inputs).exp().numpy(), module.unshielded(inputs).numpy()
    assert ((truth > 0.5) == expert.firings(features)).all()
    assert np.abs(unshielded - expert.logit(features)).max() < 1e-5
    assert np.abs(module.predict_proba(features) - expert.predict_proba(features)).max() < 1e-6


@unhurried
@given(RULES, ROWS, st.floats(0.01, 1e6))
def test_soft_truths_and_gradients_are_finite_and_truths_lie_between_0_and_1(
    rules: list[dict[str, Any]], rows: list[dict[str, float]], sharpness: float
) -> None:
    learn = ["thresholds", "weights", "scale", "bias", "sharpness"]
    module = compile_fuzzy(base(COLUMNS, rules), SCHEMA, sharpness=sharpness, learn=learn)
    features = pd.DataFrame(rows).astype(dict.fromkeys((*REALS, *WHOLES, "flag"), np.float32))
    inputs = module.inputs(features.astype({"kind": np.int32}))
    log_truth = module.truth(inputs)
    assert torch.isfinite(log_truth).all()
    assert (log_truth <= 0).all()
    (module(inputs).square().sum() + log_truth.sum()).backward()
    assert all(
        torch.isfinite(parameter.grad).all()
        for parameter in module.parameters()
        if parameter.grad is not None
    )
