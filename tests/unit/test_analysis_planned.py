"""What was planned beside what there is, and work that waits."""

from __future__ import annotations

import pytest

from toolkit.analysis.planned import check_planned, trained_part
from toolkit.analysis.readings import RungReadings
from toolkit.analysis.waiting import check_waiting
from toolkit.records import CellRecord


def cell(track: str, **costs: float) -> CellRecord:
    return CellRecord(
        experiment="e",
        task="t",
        track=track,
        rung=0,
        seed=0,
        n_train=10,
        fingerprint=track,
        status="finished",
        costs={f"cost_{name}": value for name, value in costs.items()},
    )


def found(experiment, cells, planned, trained=None) -> dict[str, str]:
    findings = check_planned(experiment, cells, fingerprints=planned, trained=trained)
    return {one.code: one.sentence for one in findings}


def test_all_is_well_when_all_has_run(declare_experiment):
    experiment = declare_experiment(["rules", "classical"])
    cells = [cell("rules"), cell("classical")]
    assert found(experiment, cells, ["rules", "classical"], trained_part(experiment)) == {}


def test_cells_that_never_ran_are_told(declare_experiment):
    experiment = declare_experiment(["rules", "classical"])
    told = found(experiment, [cell("rules")], ["rules", "classical", "more"])
    assert "2 of the 3 cells" in told["cells_not_run"]


def test_a_track_that_is_gone_is_told_and_is_no_change_of_the_file(declare_experiment):
    before = trained_part(declare_experiment(["rules", "neural"]))
    told = found(declare_experiment(["rules"]), [cell("rules"), cell("neural")], ["rules", "neural"], before)
    assert list(told) == ["track_not_in_file"]
    assert "neural is no longer in the experiment file, so 1 finished cells are left out" in told.popitem()[1]


@pytest.mark.parametrize(
    ("change", "named"),
    [({"search": 3.0}, "(search)"), ({"ladder": {"rungs": [{"share": 0.5}]}}, "(ladder)")],
)
def test_a_changed_file_is_told_with_what_has_changed(declare_experiment, change, named):
    experiment = declare_experiment(["rules"])
    trained = {**trained_part(experiment), **change}
    assert named in found(experiment, [cell("rules")], ["rules"], trained)["file_changed"]


def test_prices_are_no_change_and_old_contexts_tell_nothing(declare_experiment):
    trained = trained_part(declare_experiment(["rules"]))
    other = declare_experiment(["rules"], volume_per_year=7, hardware="own-server")
    assert found(other, [cell("rules")], ["rules"], trained) == {}
    assert found(other, [cell("rules")], ["rules"], None) == {}


@pytest.mark.parametrize(
    ("wall", "cpu", "queued", "waits"),
    [(2.0, 0.001, 0.0, True), (2.0, 1.9, 0.0, False), (2.0, 0.5, 1.4, False), (0.3, 0.001, 0.0, False)],
)
def test_work_that_waits_without_a_processor_is_told(wall, cpu, queued, waits):
    record = cell("remote", fit_wall_seconds=wall, fit_cpu_seconds=cpu, fit_run_queue_seconds=queued)
    told = [one.sentence for one in check_waiting([RungReadings([record])])]
    assert bool(told) == waits
    if waits:
        assert told[0].startswith("remote waits in fit: 2 s elapsed, of which 2 s without a processor")
