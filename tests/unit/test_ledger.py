"""What a cell writes down of its phases, with meters that tell what they are told to."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from toolkit.meters.base import Meter, Reading
from toolkit.sweep.ledger import Ledger


@dataclass
class Told(Meter):
    """Returns the next of its readings."""

    readings: list[dict[str, float | None]] = field(default_factory=list)

    def start(self) -> None:
        pass

    def stop(self) -> dict[str, float | None]:
        return self.readings.pop(0)


def phase(seconds: float | None, **more: float | None) -> dict[str, float | None]:
    return {"cpu_seconds": seconds, "wall_seconds": seconds, **more}


def test_every_phase_is_charged_under_its_name_with_its_own_quality():
    ledger = Ledger([Told(readings=[phase(2.0), phase(0.001)])])
    with ledger.phase("load"):
        pass
    with ledger.phase("fit"):
        pass
    assert ledger.costs == {
        "cost_load_cpu_seconds": 2.0,
        "cost_load_wall_seconds": 2.0,
        "cost_fit_cpu_seconds": 0.001,
        "cost_fit_wall_seconds": 0.001,
    }
    assert ledger.qualities == {"load": "clean", "fit": "too_short"}
    assert ledger.metered_seconds == pytest.approx(2.001)
    assert ledger.withheld == {}


def test_beside_other_cells_nothing_is_clean():
    ledger = Ledger([Told(readings=[phase(2.0)])], alone=False)
    with ledger.phase("fit"):
        pass
    assert ledger.qualities == {"fit": "contended"}
    assert ledger.disturbances == {"fit": "other cells may have run beside it"}


def test_what_the_machine_does_not_tell_is_none_and_never_zero():
    ledger = Ledger([Told(readings=[phase(1.0, peak_bytes=None, gpu_joules=0.0)])])
    with ledger.phase("fit"):
        pass
    assert ledger.costs["cost_fit_peak_bytes"] is None
    assert ledger.withheld == {}, "every phase would repeat it"
    assert ledger.costs["cost_fit_gpu_joules"] == 0.0, "zero is a reading"


def test_what_the_work_took_is_told_a_row_and_what_disturbed_it_as_it_is():
    ledger = Ledger([])
    ledger.charge(
        Reading("predict_batch", phase(8.0, peak_bytes=100.0, run_queue_seconds=None, gpu_joules=2.0)),
        n_rows=4,
    )
    assert ledger.costs == {
        "cost_predict_batch_cpu_seconds_per_row": 2.0,
        "cost_predict_batch_wall_seconds_per_row": 2.0,
        "cost_predict_batch_peak_bytes": 100.0,
        "cost_predict_batch_run_queue_seconds": None,
        "cost_predict_batch_gpu_joules_per_row": 0.5,
    }
    assert ledger.metered_seconds == 8.0, "the phase took what it took"


def test_calls_are_told_a_call_and_what_is_withheld_says_why():
    ledger = Ledger([])
    ledger.charge_calls(
        Reading("predict_single", phase(3.0, peak_bytes=9.0)),
        n_calls=6,
        seconds={"p50": 0.4, "p99": "too few calls"},
    )
    assert ledger.costs == {
        "cost_predict_single_cpu_seconds": 0.5,
        "cost_predict_single_wall_seconds": 0.5,
        "cost_predict_single_peak_bytes": 9.0,
        "cost_predict_single_p50_seconds": 0.4,
        "cost_predict_single_p99_seconds": None,
    }
    assert ledger.withheld == {"cost_predict_single_p99_seconds": "too few calls"}


def test_an_error_in_a_phase_is_not_swallowed_and_not_charged():
    ledger = Ledger([Told(readings=[phase(1.0)])])
    with pytest.raises(RuntimeError, match="broken"), ledger.phase("fit"):
        raise RuntimeError("broken")
    assert ledger.costs == {}
