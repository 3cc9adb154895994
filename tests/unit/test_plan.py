from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.config import load
from toolkit.errors import ConfigError
from toolkit.records import CellRecord
from toolkit.sweep.estimate import Estimate
from toolkit.sweep.plan import QUICK_ROWS, Plan, cell_fingerprint, make_plan

HEAD = """\
experiment: tiny
task: {name: synthetic, n_clusters: 100, rows_per_cluster: 10}
ladder: {seeds: 3, rungs: [{share: .1}, {share: .2}, {share: .4}, {share: .6}, {share: 1}]}
economics: {value: {true_positive: 1, false_positive: -1}, volume_per_year: 1000}
tracks:
"""
TRACKS = """\
  baseline: {column: habit_probability}
  rules: {knowledge: smoke.yaml}
  classical: {}
  neural: {}
"""


def write(folder: Path, tracks: str = TRACKS, head: str = HEAD) -> Path:
    knowledge = Path(__file__).parents[2] / "experiments" / "knowledge" / "smoke.yaml"
    (folder / "smoke.yaml").write_bytes(knowledge.read_bytes())
    file = folder / "tiny.yaml"
    file.write_text(head + tracks)
    return file


def plan_of(file: Path, **options) -> Plan:
    return make_plan(load(file), progress=lambda text, share: None, **options)


def cells(plan: Plan, track: str) -> list[tuple[int, int]]:
    return sorted((spec.rung, spec.seed) for spec in plan.specs if spec.track == track)


def test_rungs_and_seeds_of_each_kind_of_track(tmp_path):
    plan = plan_of(write(tmp_path))
    assert cells(plan, "baseline") == [(0, 0)]
    rules = [spec for spec in plan.specs if spec.track == "rules"]
    assert {spec.seed for spec in rules} == {0}
    assert [(spec.rung, spec.n_rules, spec.n_train, spec.data_rung) for spec in rules] == [
        (count, count, 0, None) for count in range(len(rules))
    ]
    assert len(rules) > 2
    assert cells(plan, "neural") == [(rung, seed) for rung in range(5) for seed in range(3)]
    rows = {spec.rung: spec.n_train for spec in plan.specs if spec.track == "neural"}
    assert list(rows.values()) == sorted(rows.values())
    assert plan.left_out == ""
    assert all(spec.fingerprint for spec in plan.specs)


def test_a_single_cells_fingerprint_is_that_of_the_plan(tmp_path):
    plan = plan_of(write(tmp_path))
    for spec in plan.specs[::3]:
        track = plan.tracks[spec.track]
        step = track.steps(5)[spec.rung]
        found = cell_fingerprint(plan.experiment, plan.task, spec.track, track, step, seed=spec.seed)
        assert found == spec.fingerprint


def test_small_rungs_of_all_tracks_come_first_and_seeds_are_interleaved(tmp_path):
    plan = plan_of(write(tmp_path))
    learned = [spec for spec in plan.specs if spec.track in ("classical", "neural")]
    assert [(spec.rung, spec.seed, spec.track) for spec in learned[:6]] == [
        (0, 0, "classical"),
        (0, 0, "neural"),
        (0, 1, "classical"),
        (0, 1, "neural"),
        (0, 2, "classical"),
        (0, 2, "neural"),
    ]
    assert [spec.rung for spec in learned] == sorted(spec.rung for spec in learned)
    assert plan.specs[0].track == "baseline"


def test_a_rung_is_what_the_ladder_says(tmp_path):
    plan = plan_of(write(tmp_path))
    for spec in plan.specs:
        rung = plan.rung(spec)
        if spec.track == "rules":
            assert rung is None
        if spec.track == "neural":
            assert rung == plan.experiment.ladder.rungs[spec.rung]


def test_only_some_tracks(tmp_path):
    plan = plan_of(write(tmp_path), only=["neural", "baseline"])
    assert {spec.track for spec in plan.specs} == {"baseline", "neural"}
    assert {spec.fingerprint for spec in plan.whole} == {
        spec.fingerprint for spec in plan_of(write(tmp_path)).specs
    }
    assert "rules, classical" in plan.left_out
    with pytest.raises(ConfigError, match=r"tiny.yaml:5:\d+: .*'neurl'; did you mean 'neural'\?"):
        plan_of(write(tmp_path), only=["neurl"])


def test_cells_are_the_same_cells_whatever_else_runs(tmp_path):
    whole = {spec.fingerprint for spec in plan_of(write(tmp_path)).specs}
    some = {spec.fingerprint for spec in plan_of(write(tmp_path), only=["neural"], seeds=1).specs}
    assert len(some) == 5
    assert some < whole


def test_number_of_seeds(tmp_path):
    plan = plan_of(write(tmp_path), seeds=1)
    assert {spec.seed for spec in plan.specs} == {0}
    assert "2 of 3 seeds" in plan.left_out
    assert {spec.seed for spec in plan_of(write(tmp_path), seeds=5).specs} == set(range(5))
    with pytest.raises(ConfigError, match="at least 1"):
        plan_of(write(tmp_path), seeds=0)


def test_quick_takes_about_every_third_rung_the_last_and_one_seed(tmp_path):
    whole = {spec.fingerprint for spec in plan_of(write(tmp_path)).specs}
    plan = plan_of(write(tmp_path), quick=True)
    assert cells(plan, "neural") == [(0, 0), (3, 0), (4, 0)]
    rules = [rung for rung, _ in cells(plan, "rules")]
    assert rules[0] == 0
    assert rules[-1] == len([spec for spec in plan_of(write(tmp_path)).specs if spec.track == "rules"]) - 1
    assert {spec.fingerprint for spec in plan.specs} < whole, "what a quick look has done need not run again"
    assert "2 of 5 rungs of neural" in plan.left_out
    assert "2 of 3 seeds" in plan.left_out


def test_quick_keeps_to_small_rungs(tmp_path):
    head = HEAD.replace("n_clusters: 100, rows_per_cluster: 10", "n_clusters: 2000, rows_per_cluster: 160")
    plan = plan_of(write(tmp_path, head=head), quick=True)
    assert max(spec.n_train for spec in plan.specs if spec.track != "baseline") <= QUICK_ROWS
    assert cells(plan, "neural") == [(0, 0), (1, 0)]
    assert cells(plan, "baseline") == [(0, 0)]


def test_quick_with_nothing_small_climbs_the_first_rung(tmp_path):
    head = HEAD.replace("n_clusters: 100, rows_per_cluster: 10", "n_clusters: 2000, rows_per_cluster: 700")
    plan = plan_of(write(tmp_path, head=head), quick=True)
    assert cells(plan, "classical") == [(0, 0)]


@pytest.mark.parametrize(
    ("tracks", "head", "message"),
    [
        ("  clasical: {}\n", HEAD, r"tiny.yaml:6:\d+: .*no track 'clasical'; did you mean 'classical'"),
        (
            "  baseline: {}\n  classical:\n    famly: boosting\n",
            HEAD,
            r"tiny.yaml:8:\d+: classical has no parameter 'famly'; did you mean 'family'",
        ),
        (
            "  classical:\n    n_trees: 0\n",
            HEAD,
            r"tiny.yaml:7:\d+: parameter 'n_trees' of classical: .*\(got 0\)",
        ),
        ("  baseline: {column: habit}\n", HEAD, r"tiny.yaml:6:\d+: 'habit' is not a column"),
        (
            "  baseline: {}\n",
            HEAD.replace(
                "[{share: .1}, {share: .2}, {share: .4}, {share: .6}, {share: 1}]",
                "[{labels: 9}, {labels: 9999}]",
            ),
            r"tiny.yaml:3:\d+: the rung asks for 9,999 labels, but there are \d+ training rows",
        ),
        (
            "  baseline: {}\n",
            HEAD.replace("synthetic", "synthtic"),
            r"tiny.yaml:2:\d+: there is no task 'synthtic'; did you mean 'synthetic'",
        ),
        (
            "  baseline: {}\n",
            HEAD.replace("n_clusters", "n_cluster"),
            r"tiny.yaml:2:\d+: synthetic has no parameter 'n_cluster'; did you mean 'n_clusters'",
        ),
    ],
)
def test_mistakes_are_told_with_file_and_line(tmp_path, tracks, head, message):
    with pytest.raises(ConfigError, match=message):
        plan_of(write(tmp_path, tracks, head))


def test_a_broken_knowledge_base_is_told_with_its_own_place(tmp_path):
    file = write(tmp_path)
    (tmp_path / "smoke.yaml").write_text("nonsense: 1\n")
    with pytest.raises(Exception, match=r"smoke\.yaml"):
        plan_of(file)


def record(n_train: int, seconds: float, *, status: str = "finished") -> CellRecord:
    return CellRecord(
        experiment="e",
        task="t",
        track="neural",
        rung=0,
        seed=0,
        n_train=n_train,
        fingerprint="f",
        status=status,
        started_at=100.0,
        ended_at=100.0 + seconds,
    )


def test_estimates_follow_the_cells_that_have_finished(tmp_path):
    plan = plan_of(write(tmp_path), only=["neural"])
    spec = plan.specs[0].model_copy(update={"n_train": 10_000})
    estimate = Estimate()
    first = estimate.seconds(spec)
    assert first > 0
    estimate.observe(record(10_000, 10 * first))
    assert estimate.seconds(spec) == pytest.approx(10 * first)
    estimate.observe(record(10_000, 1e-3, status="failed"))
    assert estimate.seconds(spec) == pytest.approx(10 * first)


def test_two_sizes_give_a_line(tmp_path):
    plan = plan_of(write(tmp_path), only=["neural"])
    estimate = Estimate()
    estimate.observe(record(1_000, 3.0))
    estimate.observe(record(5_000, 7.0))
    for rows, seconds in ((0, 2.0), (10_000, 12.0)):
        spec = plan.specs[0].model_copy(update={"n_train": rows})
        assert estimate.seconds(spec) == pytest.approx(seconds)
    other = plan.specs[0].model_copy(update={"track": "classical"})
    assert estimate.seconds(other) == Estimate().seconds(other)


def test_the_sum_of_cells_is_the_sum_of_tracks(tmp_path):
    plan = plan_of(write(tmp_path))
    parts = [plan.estimate_seconds(name) for name in plan.tracks]
    assert plan.estimate_seconds() == pytest.approx(sum(parts))
    assert all(part > 0 for part in parts)


TWICE = """\
  neural: {}
  neural_small: {track: neural, width: 8}
"""


def test_one_plugin_may_give_several_tracks(tmp_path):
    plan = plan_of(write(tmp_path, TWICE))
    assert (plan.tracks["neural"].width, plan.tracks["neural_small"].width) == (None, 8)
    assert cells(plan, "neural_small") == cells(plan, "neural")
    assert len({spec.fingerprint for spec in plan.specs}) == len(plan.specs)
    assert {spec.track for spec in plan_of(write(tmp_path, TWICE), only=["neural_small"]).specs} == {
        "neural_small"
    }


def test_what_a_second_track_is_made_of_counts_in_its_fingerprint(tmp_path):
    def prints(tracks: str) -> set[str]:
        return {spec.fingerprint for spec in plan_of(write(tmp_path, tracks)).specs}

    assert prints("  one: {track: neural, width: 8}\n") == prints("  one: {width: 8, track: neural}\n")
    assert not prints("  one: {track: neural, width: 8}\n") & prints("  one: {track: neural, width: 9}\n")
    assert not prints("  one: {track: neural}\n") & prints("  one: {track: classical}\n")


@pytest.mark.parametrize(
    ("line", "where", "sentence"),
    [
        ("one: {track: neura}", ":6:9: ", "there is no track 'neura'; did you mean 'neural'?"),
        ("neurall: {}", ":6:3: ", "there is no track 'neurall'; did you mean 'neural'?"),
        ("one: {track: neural, widht: 8}", ":6:24: ", "neural has no parameter 'widht'"),
        ("classical: {track: neural}", ":6:15: ", "'classical' is a track of its own"),
    ],
)
def test_a_wrong_name_of_a_plugin_is_told_with_its_place(tmp_path, line, where, sentence):
    with pytest.raises(ConfigError) as caught:
        plan_of(write(tmp_path, f"  {line}\n"))
    assert where in str(caught.value)
    assert sentence in str(caught.value)
