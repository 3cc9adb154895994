"""Sharp enough, the fuzzy system is the expert system."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from toolkit.knowledge.fuzzy.system import CRISP, FuzzySystem, compile_fuzzy
from toolkit.knowledge.symbolic import ExpertSystem, compile_knowledge


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
    def test_it_is_compiler_a_on_every_kind_of_comparison(
        self, schema, every_kind, awkward, sharpness: float
    ) -> None:
        expert, module = (
            compile_knowledge(every_kind, schema),
            compile_fuzzy(every_kind, schema, sharpness=sharpness),
        )
        count, worst = differences(expert, module, awkward(50_000))
        assert count == 0
        assert worst < 1e-5

    def test_hard_facts_settle_the_same_rows(self, schema, every_kind, awkward) -> None:
        features = awkward(20_000, seed=1)
        probability = compile_fuzzy(every_kind, schema, sharpness=CRISP).predict_proba(features)
        expected = compile_knowledge(every_kind, schema).predict_proba(features)
        assert set(np.unique(expected[(expected == 0) | (expected == 1)])) == {0.0, 1.0}
        assert probability == pytest.approx(expected, abs=1e-6)

    @pytest.mark.slow
    def test_no_difference_on_a_million_rows(self, schema, every_kind, awkward) -> None:
        expert = compile_knowledge(every_kind, schema)
        module = compile_fuzzy(every_kind, schema, sharpness=CRISP)
        for seed in range(10):
            count, worst = differences(expert, module, awkward(100_000, seed=seed))
            assert count == 0
            assert worst < 1e-5

    def test_changing_the_module_to_32_or_64_bits_moves_no_cut(self, schema, every_kind, awkward) -> None:
        features = awkward(5_000, seed=2)
        expert = compile_knowledge(every_kind, schema)
        for module in (
            compile_fuzzy(every_kind, schema, sharpness=CRISP).double(),
            compile_fuzzy(every_kind, schema, sharpness=CRISP).double().float(),
        ):
            assert differences(expert, module, features)[0] == 0

    def test_truth_comes_nearer_as_it_grows_sharper(self, schema, every_kind, frame) -> None:
        expert = compile_knowledge(every_kind, schema)
        generator = np.random.default_rng(0)
        features = frame(n=generator.integers(0, 30, 500), x=generator.random(500), m=[3.0] * 500)
        fired = expert.firings(features)
        away = []
        for sharpness in (1.0, 10.0, 1e3, 1e12):
            module = compile_fuzzy(every_kind, schema, sharpness=sharpness)
            with torch.no_grad():
                truth = module.truth(module.inputs(features)).exp().numpy()
            away.append(float(np.abs(truth - fired).mean()))
        assert away == sorted(away, reverse=True)
        assert away[-1] < 0.1 * away[0]
