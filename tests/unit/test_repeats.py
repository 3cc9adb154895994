"""Which cells are measured again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.records import REPEAT_MARK, CellRecord, CellSpec
from toolkit.sweep.repeats import PRICED_PHASES, missing_readings, n_clean


def spec(track: str = "neural", rung: int = 2, seed: int = 0) -> CellSpec:
    return CellSpec(
        experiment="e",
        task="t",
        track=track,
        rung=rung,
        data_rung=rung,
        n_rules=None,
        seed=seed,
        n_train=100,
        fingerprint=f"{track}{rung}{seed}",
    )


def record(of: CellSpec, *, status: str = "finished", **qualities: str) -> CellRecord:
    found = {"search": "clean", "fit": "clean", "predict_batch": "clean", **qualities}
    return CellRecord(
        **of.model_dump(exclude={"data_rung"}), status=status, quality=found["fit"], qualities=found
    )


SPECS = [spec(seed=seed) for seed in range(3)]
RUNG = [("neural", 2)]


def test_clean_cells_of_the_seeds_count_and_seeds_take_turns():
    found = missing_readings(SPECS, map(record, SPECS), RUNG, wanted=5)
    assert [(one.seed, one.repeat) for one in found] == [(0, 1), (1, 1)]
    assert [one.fingerprint for one in found] == [f"neural2{seed}{REPEAT_MARK}1" for seed in (0, 1)]
    more = missing_readings(SPECS, [*map(record, SPECS), *map(record, found)], RUNG, wanted=9)
    assert [(one.seed, one.repeat) for one in more] == [(2, 1), (0, 2), (1, 2), (2, 2)]


def test_nothing_is_measured_again_when_there_are_enough():
    assert missing_readings(SPECS, map(record, SPECS), RUNG, wanted=3) == []
    assert missing_readings(SPECS, map(record, SPECS), RUNG, wanted=0) == []


@pytest.mark.parametrize("phase", PRICED_PHASES)
def test_contended_readings_do_not_count_in_any_phase_that_is_priced(phase):
    disturbed = [record(SPECS[0], **{phase: "contended"}), record(SPECS[1]), record(SPECS[2])]
    assert n_clean(disturbed, phase) == 2
    assert len(missing_readings(SPECS, disturbed, RUNG, wanted=3)) == 1


def test_the_worst_phase_says_how_many_are_missing():
    one = record(SPECS[0], fit="contended", predict_batch="contended")
    two = record(SPECS[1], predict_batch="contended")
    assert len(missing_readings(SPECS, [one, two, record(SPECS[2])], RUNG, wanted=3)) == 2


def test_single_calls_count_where_decisions_are_made_one_at_a_time():
    cells = [record(SPECS[0], predict_single="clean"), record(SPECS[1]), record(SPECS[2])]
    assert missing_readings(SPECS, cells, RUNG, wanted=3) == []
    phases = (*PRICED_PHASES, "predict_single")
    found = missing_readings(SPECS, cells, RUNG, wanted=3, phases=phases)
    assert [(one.seed, one.repeat) for one in found] == [(0, 1), (1, 1)]


def test_what_is_too_short_to_time_well_is_not_repeated_for_that_nor_what_is_not_there():
    short = [record(one, fit="too_short") for one in SPECS]
    assert missing_readings(SPECS, short, RUNG, wanted=3) == []
    without_search = [one.model_copy(update={"qualities": {"fit": "clean"}}) for one in short]
    assert missing_readings(SPECS, without_search, RUNG, wanted=3) == []


def test_a_machine_that_is_never_idle_does_not_get_an_endless_sweep():
    known = [record(one, fit="contended") for one in SPECS]
    for _ in range(10):
        found = missing_readings(SPECS, known, RUNG, wanted=4)
        known += [record(one, fit="contended") for one in found]
    assert sum(one.repeat > 0 for one in known) == 4


def test_only_cells_that_have_finished_are_repeated():
    known = [record(SPECS[0], status="failed"), record(SPECS[1])]
    assert {one.seed for one in missing_readings(SPECS, known, RUNG, wanted=4)} == {1}
    assert missing_readings(SPECS, [], RUNG, wanted=4) == []


def test_tracks_take_turns():
    specs = [spec("a"), spec("b")]
    found = missing_readings(specs, map(record, specs), [("a", 2), ("b", 2)], wanted=3)
    assert [one.track for one in found] == ["a", "b", "a", "b"]


def test_other_rungs_and_tracks_that_are_not_in_the_plan_are_left_alone():
    known = [record(one) for one in (*SPECS, spec(rung=1), spec("rules"))]
    found = missing_readings(SPECS, known, [*RUNG, ("rules", 2)], wanted=5)
    assert {(one.track, one.rung) for one in found} == {("neural", 2)}


@given(
    qualities=st.lists(st.sampled_from(["clean", "contended", "too_short"]), min_size=1, max_size=6),
    wanted=st.integers(0, 8),
)
def test_going_on_ends_with_enough_readings_or_with_as_many_repeats_as_were_wanted(qualities, wanted):
    specs = [spec(seed=seed) for seed in range(len(qualities))]
    known = [record(one, fit=quality) for one, quality in zip(specs, qualities, strict=True)]
    while found := missing_readings(specs, known, RUNG, wanted=wanted):
        known += [record(one) for one in found]
    n_repeats = sum(one.repeat > 0 for one in known)
    assert n_clean(known, "fit") >= wanted
    assert n_repeats <= wanted
    assert len({one.fingerprint for one in known}) == len(known)


def test_the_seed_without_a_clean_reading_comes_first():
    known = [record(SPECS[0]), record(SPECS[1]), record(SPECS[2], fit="contended")]
    found = missing_readings(SPECS, known, RUNG, wanted=3)
    assert [(one.seed, one.repeat) for one in found] == [(2, 1)]


def test_repeats_of_what_a_cell_was_before_it_was_trained_anew_do_not_count():
    known = [record(one).model_copy(update={"started_at": 10.0}) for one in SPECS]
    old = [record(one.again(1)).model_copy(update={"started_at": 5.0}) for one in SPECS]
    found = missing_readings(SPECS, [*known, *old], RUNG, wanted=4)
    assert [(one.seed, one.repeat) for one in found] == [(0, 1)]
