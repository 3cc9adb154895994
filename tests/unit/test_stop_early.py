from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from toolkit.analysis.forecast_record import EarlyStop, Saved, SkippedCell
from toolkit.config import load
from toolkit.records import CellSpec
from toolkit.sweep import stop_early
from toolkit.sweep.plan import Plan, make_plan
from toolkit.sweep.spool import CellOutcome
from toolkit.sweep.stop_early import StopEarly, levels

TRACKS = """\
  baseline: {column: habit_probability}
  rules: {knowledge: smoke.yaml}
  classical: {}
  neural: {}
"""
NOTHING = Saved(None, None, None, None)


@pytest.fixture(scope="module")
def plan(tmp_path_factory) -> Plan:
    folder = tmp_path_factory.mktemp("plan")
    knowledge = Path(__file__).parents[2] / "experiments" / "knowledge" / "smoke.yaml"
    (folder / "smoke.yaml").write_bytes(knowledge.read_bytes())
    rungs = ", ".join(f"{{share: {0.1 * rung:.1f}}}" for rung in range(1, 11))
    (folder / "tiny.yaml").write_text(
        "experiment: tiny\n"
        "task: {name: synthetic, n_clusters: 200, rows_per_cluster: 10}\n"
        f"ladder: {{seeds: 2, rungs: [{rungs}]}}\n"
        "economics: {value: {true_positive: 1, false_positive: -1}, volume_per_year: 1000}\n"
        f"tracks:\n{TRACKS}"
    )
    return make_plan(load(folder / "tiny.yaml"), progress=lambda text, share: None)


def finished(spec: CellSpec, cell) -> CellOutcome:
    record = cell(
        spec.track,
        spec.rung,
        spec.seed,
        fingerprint=spec.fingerprint,
        n_train=spec.n_train,
        n_rules=spec.n_rules,
    )
    return CellOutcome(record, SimpleNamespace())  # type: ignore[arg-type]


class Answers:
    """Stands for what is known: neural stops after rung 7, all others climb."""

    asked: list[tuple[str, int]]
    known: list[set[tuple[str, int]]]
    """The rungs of each standpoint, of cells and evidence alike."""

    def __init__(self, experiment, records, evidence, knowledge) -> None:
        self.records = records
        rungs = {(record.track, record.rung) for record in records}
        assert rungs == {(track, rung) for track, rung, _ in evidence}
        Answers.known.append(rungs)

    def highest(self, track: str) -> int:
        return max(record.rung for record in self.records if record.track == track)

    def ask(self, track: str, left) -> EarlyStop | str:
        Answers.asked.append((track, self.highest(track)))
        rungs = tuple(sorted({spec.rung for spec in left}))
        if track != "neural" or self.highest(track) < 7:
            return "it pays"
        keys = tuple(SkippedCell(spec.fingerprint, spec.rung, spec.n_train) for spec in left)
        return EarlyStop(
            track, 7, 8, rungs, len(left), "behind_leader", "rules", 0.0, 0.0, 0.0, "USD", NOTHING, cells=keys
        )


@pytest.fixture(autouse=True)
def answers(monkeypatch) -> type[Answers]:
    Answers.asked, Answers.known = [], []
    monkeypatch.setattr(stop_early, "Standpoint", Answers)
    return Answers


def climb(early: StopEarly, waiting, cell) -> tuple[list[CellSpec], list[str]]:
    """Run every wave; return the cells that ran, and what was told."""
    ran: list[CellSpec] = []
    told: list[str] = []
    for wave in early.waves(
        waiting,
        on_stop=lambda stop, cells: told.append(f"{stop.track} stops, {len(cells)} cells"),
        on_climb=lambda track, why: told.append(f"{track}: {why}"),
    ):
        for spec in wave:
            early.observe(finished(spec, cell))
        ran += wave
    return ran, told


def test_a_level_is_one_rung_of_data_and_all_cells_are_in_one(plan: Plan) -> None:
    found = list(levels(plan.specs, ["classical", "neural"]))
    assert [spec for level in found for spec in level] == list(plan.specs)
    assert len(found) == 10
    for rung, level in enumerate(found):
        own = {spec.data_rung for spec in level if spec.track in ("classical", "neural")}
        assert own == {rung}
    assert list(levels([], ["classical"])) == []


def test_what_stops_is_left_out_and_all_else_runs(plan: Plan, cell, answers) -> None:
    early = StopEarly(plan, (), ())
    ran, told = climb(early, plan.specs, cell)
    left_out = [spec for spec in plan.specs if spec not in ran]
    assert [(spec.track, spec.rung) for spec in left_out] == [("neural", 8), ("neural", 8)] + [
        ("neural", 9)
    ] * 2
    assert set(early.stops) == {"neural"}
    assert early.stops["neural"].fingerprints == {spec.fingerprint for spec in left_out}
    assert told.count("neural stops, 4 cells") == 1
    assert answers.asked == [
        *[(track, 6) for track in ("classical", "neural")],
        *[(track, 7) for track in ("classical", "neural")],
        ("classical", 8),
    ]


def test_cells_that_ran_before_count(plan: Plan, cell, answers) -> None:
    done = [spec for spec in plan.specs if spec.track == "neural" and spec.rung <= 7]
    known = [(finished(spec, cell).record, finished(spec, cell).evidence) for spec in done]
    early = StopEarly(plan, (), known)
    waiting = [spec for spec in plan.specs if spec not in done]
    ran, told = climb(early, waiting, cell)
    assert not any(spec.track == "neural" for spec in ran)
    assert told.count("neural stops, 4 cells") == 1


@pytest.mark.parametrize("seeds_before", [(0,), (1,)])
def test_lone_cells_of_higher_rungs_keep_no_track_from_being_asked(
    plan: Plan, cell, answers, seeds_before
) -> None:
    """As a quick look or a run of one seed leaves them."""
    climb(StopEarly(plan, (), ()), plan.specs, cell)
    fresh, answers.asked = answers.asked, []
    done = [spec for spec in plan.specs if spec.rung in (0, 4, 8, 9) and spec.seed in seeds_before]
    known = [(finished(spec, cell).record, finished(spec, cell).evidence) for spec in done]
    early = StopEarly(plan, (), known)
    ran, told = climb(early, [spec for spec in plan.specs if spec not in done], cell)
    assert answers.asked == fresh
    assert told.count("neural stops, 2 cells") == 1
    left_out = [spec for spec in plan.specs if spec not in [*ran, *done]]
    assert [(spec.track, spec.rung) for spec in left_out] == [("neural", 8), ("neural", 9)]
    assert early.stops["neural"].skipped == (8, 9)


def test_rungs_with_cells_that_wait_or_were_skipped_are_not_known(plan: Plan, cell, answers) -> None:
    done = [spec for spec in plan.specs if spec.seed == 0 and spec.rung >= 5]
    known = [(finished(spec, cell).record, finished(spec, cell).evidence) for spec in done]
    climb(StopEarly(plan, (), known), [spec for spec in plan.specs if spec not in done], cell)
    highest = [
        {name: max(rung for track, rung in rungs if track == name) for name in ("classical", "neural")}
        for rungs in answers.known
    ]
    assert highest == [
        {"classical": 6, "neural": 6},
        {"classical": 7, "neural": 7},
        {"classical": 8, "neural": 7},
    ]


def test_a_gap_below_is_filled_first(plan: Plan, cell, answers) -> None:
    done = [spec for spec in plan.specs if spec.track == "neural" and spec.rung != 3]
    early = StopEarly(
        plan, (), [(finished(spec, cell).record, finished(spec, cell).evidence) for spec in done]
    )
    waiting = [spec for spec in plan.specs if spec.track == "neural" and spec.rung == 3]
    ran, told = climb(early, waiting, cell)
    assert ran == waiting
    assert told == ["neural: cells of lower rungs are missing"]


def test_failed_cells_are_not_counted_as_rungs(plan: Plan, cell, answers) -> None:
    early = StopEarly(plan, (), ())
    for wave in early.waves(plan.specs, on_stop=lambda *_: None, on_climb=lambda *_: None):
        for spec in wave:
            outcome = finished(spec, cell)
            if spec.track == "neural" and spec.rung < 4:
                failed = outcome.record.model_copy(update={"status": "failed"})
                outcome = replace(outcome, record=failed, evidence=None)
            early.observe(outcome)
    assert [track for track, _ in answers.asked] == ["classical"] * 3


def test_a_ladder_of_seven_rungs_is_never_asked(plan: Plan) -> None:
    few = replace(plan, specs=tuple(spec for spec in plan.specs if spec.rung < 7))
    assert StopEarly(few, (), ()).is_idle()
    assert not StopEarly(plan, (), ()).is_idle()
