from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.analysis.analyse import analyse
from toolkit.analysis.curve_record import Curve, Refusal
from toolkit.analysis.whatif.steps import next_points

ERROR = "error_log_loss"
COSTS = np.geomspace(1.0, 1000.0, 10)


@pytest.fixture(scope="module")
def results(truth, draw_world, declare_experiment):
    cells, evidence = draw_world(
        {"rules": truth(0.5), "classical": truth(0.8, gain=0.3), "neural": truth(0.85, gain=0.5)},
        rungs=4,
        n_clusters=60,
    )
    experiment = declare_experiment(["rules", "classical", "neural"], price_per_label=0.02, wage_per_hour=60)
    return analyse(experiment, task={"name": "made_up"}, cells=cells, evidence=evidence)


def test_steps_add_up_to_the_whole_climb(results) -> None:
    net = {(one.track, one.rung): one.net_value.estimate for one in results.summaries}
    for track in ("classical", "neural"):
        own = [step for step in results.steps if step.track == track]
        assert [(step.below, step.rung) for step in own] == [(0, 1), (1, 2), (2, 3)]
        assert sum(step.net.estimate for step in own) == pytest.approx(net[track, 3] - net[track, 0])
        for step in own:
            assert step.net.estimate == pytest.approx(step.gross.estimate - step.cost.estimate)
            assert step.net.low <= step.net.estimate <= step.net.high
    assert not [step for step in results.steps if step.track == "rules"]  # one rung has no step


def test_at_most_one_step_leads_to_the_rung_that_is_deployed(results) -> None:
    rungs = {entry.track: entry.rung for entry in results.verdict.tracks}
    for track in ("classical", "neural"):
        marked = [step.rung for step in results.steps if step.track == track and step.deployed]
        assert marked == ([rungs[track]] if rungs[track] else [])


def curve(cost: str = "cost_train_cpu_seconds", *, b: float = 0.3, refused: bool = False) -> Curve:
    """A power law without a floor, drawn to ten times the largest cost."""
    grid = np.geomspace(1.0, 10_000.0, 400)
    return Curve(
        track="classical",
        error=ERROR,
        cost=cost,
        form="power",
        exponent=None,
        floor=None,
        elasticity=None,
        k_half=None,
        refusals=(Refusal("short", "too short a ladder"),) if refused else (),
        points=tuple((cost, cost**-b) for cost in COSTS.tolist()),
        grid_cost=tuple(grid.tolist()),
        grid_error=tuple((grid**-b).tolist()),
        grid_low=tuple((0.99 * grid**-b).tolist()),
        grid_high=tuple((1.01 * grid**-b).tolist()),
        rungs=tuple(range(len(COSTS))),
    )


def point(*curves: Curve, rung: int = 9, step: float = 0.01, training: float = 100.0, labels: float = 0.0):
    book = SimpleNamespace(
        keys=(("classical", rung),),
        money=None,
        training_costs=lambda money: np.array([training]),
        label_costs=lambda money: np.array([labels]),
    )
    chosen = {"classical": SimpleNamespace(rung=rung)}
    (found,) = next_points(curves, chosen, book, ERROR, step)  # type: ignore[arg-type]
    return found


@given(st.integers(3, 9), st.floats(0.15, 0.8), st.floats(0.001, 0.2))
def test_the_price_of_the_next_point_is_that_of_the_power_law(rung: int, b: float, share: float) -> None:
    now = float(COSTS[rung] ** -b)
    found = point(curve(b=b), rung=rung, step=share * now)
    exact = (1 - share) ** (-1 / b)
    assert found.now == pytest.approx(now)
    if exact * COSTS[rung] > 0.99 * 10_000:
        return
    assert found.times.estimate == pytest.approx(exact, rel=1e-3)
    assert found.money.estimate == pytest.approx((exact - 1) * 100.0, rel=0.05, abs=0.2)
    assert found.times.low <= found.times.estimate <= found.times.high


def test_what_a_curve_does_not_reach_has_no_price_and_says_why() -> None:
    assert point(curve(), step=0.5).times is None
    assert point(curve(), step=0.5).why == "not within 10 times what that rung takes"
    assert point(curve(), rung=6, step=0.5).why == "not within 100 times what that rung takes"
    assert point(curve(refused=True)).why == "too short a ladder"
    assert point(curve(refused=True)).money is None


def test_an_end_that_the_band_does_not_reach_is_open() -> None:
    # The upper edge of the band reaches the target beyond ten times the largest cost.
    low = float((9_900.0) ** -0.3)
    found = point(curve(), step=float(COSTS[9] ** -0.3) - low)
    assert found.times.estimate == pytest.approx(9.9, rel=1e-3)
    assert math.isinf(found.times.high)


def test_labels_with_a_price_are_paid_too() -> None:
    rows = curve("n_train", b=0.3)
    bare, labelled = point(curve(), rows), point(curve(), rows, labels=50.0)
    assert labelled.money.estimate == pytest.approx(bare.money.estimate * 1.5)
    assert point(curve(), labels=50.0).money is None
    assert point(curve(), labels=50.0).why == "labels have a price, and no curve over rows"


def test_tracks_without_a_curve_have_no_entry() -> None:
    chosen = {"rules": SimpleNamespace(rung=0)}
    book = SimpleNamespace(
        keys=(("rules", 0),),
        money=None,
        training_costs=lambda _: np.ones(1),
        label_costs=lambda _: np.ones(1),
    )
    assert next_points([curve()], chosen, book, ERROR, 0.1) == ()  # type: ignore[arg-type]
