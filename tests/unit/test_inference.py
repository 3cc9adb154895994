"""Predictions in two scenarios, with meters and a clock that are told what to say."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest

from toolkit.config import Rung
from toolkit.meters.base import Meter
from toolkit.sweep import inference
from toolkit.sweep.ledger import Ledger
from toolkit.tasks.synthetic import Synthetic

TEST = Synthetic(n_clusters=60, rows_per_cluster=10).load(rung=Rung(share=1.0), seed=0).test


@dataclass
class Steady(Meter):
    """Every window takes as long as the fake clock says, with so much waiting."""

    clock: list[float]
    waiting: float = 0.0
    begun: float = field(default=0.0, init=False)

    def start(self) -> None:
        self.begun = self.clock[0]

    def stop(self) -> dict[str, float | None]:
        wall = self.clock[0] - self.begun
        return {"cpu_seconds": wall, "wall_seconds": wall, "run_queue_seconds": self.waiting * wall}


@dataclass
class Counting:
    """Counts calls and rows; a call takes `seconds`, every tenth ten times as long."""

    clock: list[float]
    seconds: float
    calls: int = 0
    rows: int = 0

    def predict_proba(self, features, sequence=None):
        self.calls += 1
        self.rows += len(features)
        self.clock[0] += self.seconds * (10 if self.calls % 10 == 0 else 1)
        return np.full(len(features), 0.5)


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    now = [0.0]
    fake = SimpleNamespace(perf_counter=lambda: now[0], process_time=lambda: now[0])
    monkeypatch.setattr(inference, "time", fake)
    return now


def test_a_batch_is_repeated_until_it_can_be_read_and_told_a_row(clock):
    track, ledger = Counting(clock, 0.02), Ledger([Steady(clock)])
    probabilities = inference.measure_batch(track, TEST, ledger)
    assert len(probabilities) == len(TEST)
    assert track.calls == 3, "two calls have used .04 s, which is under .05 s"
    assert ledger.costs["cost_predict_batch_cpu_seconds_per_row"] == pytest.approx(0.02 / len(TEST))


def test_a_very_quick_batch_ends_after_so_many_calls(clock):
    track = Counting(clock, 0.0)
    inference.measure_batch(track, TEST, Ledger([Steady(clock)]))
    assert track.calls == inference.BATCH_CALLS


def test_the_first_call_has_one_row_and_is_a_phase_of_its_own(clock):
    track, ledger = Counting(clock, 0.5), Ledger([Steady(clock)])
    inference.measure_first(track, TEST, ledger)
    assert (track.calls, track.rows) == (1, 1)
    assert ledger.costs["cost_predict_first_wall_seconds"] == 0.5


def test_a_thousand_calls_tell_all_percentiles(clock):
    track, ledger = Counting(clock, 0.001), Ledger([Steady(clock)])
    inference.measure_single(track, TEST, ledger)
    assert (track.calls, track.rows) == (1000, 1000)
    costs = ledger.costs
    assert costs["cost_predict_single_p50_seconds"] == pytest.approx(0.001)
    assert costs["cost_predict_single_p95_seconds"] == pytest.approx(0.010)
    assert costs["cost_predict_single_p99_seconds"] == pytest.approx(0.010)
    assert costs["cost_predict_single_cpu_seconds"] == pytest.approx(0.0019)
    assert ledger.withheld == {}


def test_too_few_calls_tell_a_median_or_nothing_and_say_so(clock):
    ledger = Ledger([Steady(clock)])
    inference.measure_single(Counting(clock, 0.01), TEST, ledger)
    assert ledger.costs["cost_predict_single_p50_seconds"] == pytest.approx(0.01)
    assert ledger.costs["cost_predict_single_p95_seconds"] is None
    why = ledger.withheld["cost_predict_single_p95_seconds"]
    assert why == "160 calls in 3 s tell too little: it takes 1,000"
    ledger = Ledger([Steady(clock)])
    inference.measure_single(Counting(clock, 0.1), TEST, ledger)
    assert ledger.costs["cost_predict_single_p50_seconds"] is None
    assert "it takes 100" in ledger.withheld["cost_predict_single_p50_seconds"]
    assert ledger.costs["cost_predict_single_cpu_seconds"] > 0


def test_a_busy_machine_tells_no_percentile_however_many_calls(clock):
    ledger = Ledger([Steady(clock, waiting=0.5)])
    inference.measure_single(Counting(clock, 0.001), TEST, ledger)
    for name in ("p50", "p95", "p99"):
        assert ledger.costs[f"cost_predict_single_{name}_seconds"] is None
        why = ledger.withheld[f"cost_predict_single_{name}_seconds"]
        assert why == "the machine was not idle: it waited for a core 50% of its time"
