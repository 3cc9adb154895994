"""What shallow trees propose, before anything is weighed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from toolkit.knowledge.condition import to_text
from toolkit.knowledge.mining.candidates import Proposal, Proposer
from toolkit.knowledge.mining.cuts import Number, condition_of

N_ROWS = 6000
CLUSTERS = np.repeat(np.arange(600), 10)


def propose(
    score: NDArray[np.float64], limit: int = 5, least_rows: int = 50, **columns: NDArray[np.generic]
) -> tuple[Proposer, list[Proposal]]:
    rng = np.random.default_rng(0)
    features = pd.DataFrame(columns)
    cut: dict[str, Number | tuple[str, ...]] = {}
    for name, values in columns.items():
        if values.dtype.kind == "i":
            cut[name] = tuple(f"l{code}" for code in range(int(values.max()) + 1))
        else:
            kind = "number" if (values[np.isfinite(values)] % 1).any() else "whole number"
            cut[name] = Number.learn(name, kind, values)
    labels = (rng.random(N_ROWS) < expit(score)).astype(np.int8)
    proposer = Proposer(features, labels, CLUSTERS, cut, np.full(N_ROWS, -1.0), least_rows)
    return proposer, list(proposer.rounds(limit, seed=0))


def texts(proposals: list[Proposal]) -> list[str]:
    return [to_text(condition_of(box, columns)) for box, columns, _ in proposals]


def test_the_strongest_pattern_comes_first_and_the_next_is_found_beside_it() -> None:
    rng = np.random.default_rng(1)
    n = rng.integers(0, 30, N_ROWS).astype(np.float32)
    x = rng.random(N_ROWS).astype(np.float32)
    noise = rng.random(N_ROWS).astype(np.float32)
    _, found = propose(-1 + 2.0 * (n >= 20) - 1.2 * (x < 0.3), n=n, x=x, noise=noise)
    written = texts(found)
    assert any(text.startswith("n >= 20") for text in written[:2])
    assert any("x < 0.3" in text for text in written)
    assert {proposal.positive for proposal in found} == {True, False}


def test_an_interval_inside_a_column_is_found() -> None:
    n = np.random.default_rng(2).integers(0, 60, N_ROWS).astype(np.float32)
    _, found = propose(-1 + 2.0 * ((n >= 15) & (n <= 45)), n=n)
    assert texts(found)[0] == "n >= 15 and n <= 45"


def test_levels_of_a_large_choice_are_found_together() -> None:
    goods = np.random.default_rng(3).integers(0, 60, N_ROWS).astype(np.int32)
    _, found = propose(-1 + 2.0 * np.isin(goods, [4, 17, 40]), goods=goods)
    assert texts(found)[0] == 'goods in ["l17", "l4", "l40"]'
    assert found[0].positive


def test_noise_in_a_large_choice_names_few_levels() -> None:
    named = []
    for seed in range(5):
        goods = np.random.default_rng(seed).integers(0, 300, N_ROWS).astype(np.int32)
        _, found = propose(np.full(N_ROWS, -1.0), goods=goods, least_rows=20)
        named.append(len(found))
    assert sum(named) <= 5


def test_rows_whose_value_is_missing_are_no_part_of_a_proposal() -> None:
    rng = np.random.default_rng(4)
    x = rng.random(N_ROWS).astype(np.float32)
    x[rng.random(N_ROWS) < 0.3] = np.nan
    # the tree gains by sending missing values along with large ones
    proposer, found = propose(-1 + 1.5 * (~(x < 0.5)), x=x)
    assert found
    for box, columns, _ in found:
        assert not np.isnan(x[proposer.fires(box)]).any()
        assert condition_of(box, columns)


def test_that_a_value_is_missing_is_not_proposed() -> None:
    rng = np.random.default_rng(5)
    x = rng.random(N_ROWS).astype(np.float32)
    x[rng.random(N_ROWS) < 0.3] = np.nan
    proposer, found = propose(-1 + 1.5 * np.isnan(x), x=x)
    for box, _, positive in found:
        assert not np.isnan(x[proposer.fires(box)]).any()
        assert not positive


@pytest.mark.parametrize("least_rows", [50, 900])
def test_no_proposal_is_on_fewer_rows_than_asked_for(least_rows: int) -> None:
    rng = np.random.default_rng(6)
    n = rng.integers(0, 30, N_ROWS).astype(np.float32)
    proposer, found = propose(-1 + 2.0 * (n >= 28), n=n, least_rows=least_rows)
    assert found
    assert min(proposer.fires(box).sum() for box, *_ in found) >= least_rows


def test_the_limit_is_kept() -> None:
    rng = np.random.default_rng(7)
    columns = {f"c{index}": rng.random(N_ROWS).astype(np.float32) for index in range(6)}
    score = -3 + sum(1.0 * (values > 0.5) for values in columns.values())
    assert len(propose(np.asarray(score), limit=3, **columns)[1]) == 3


def test_columns_of_one_value_propose_nothing() -> None:
    assert propose(np.full(N_ROWS, -1.0), x=np.ones(N_ROWS, np.float32))[1] == []
