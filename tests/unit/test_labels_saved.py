from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from toolkit import scores
from toolkit.analysis.few_labels import few_labels, kind_of, told
from toolkit.analysis.intervals import draw_scores, draw_weights
from toolkit.analysis.labels_saved import Ladder, labels_needed, labels_saved, percentiles
from toolkit.analysis.results import Interval
from toolkit.analysis.stacks import stack_evidence
from toolkit.config import Experiment

LABELS = np.array([100.0, 1000.0, 10_000.0])


class TestNeeded:
    @pytest.mark.parametrize(
        ("target", "needed"),
        [
            (0.70, 100.0),
            (0.60, 100.0),
            (0.80, 1000.0),
            (0.75, math.sqrt(100 * 1000)),
            (0.825, 1000 * math.sqrt(10)),
            (0.85, 10_000.0),
            (0.86, math.inf),
        ],
    )
    def test_it_lies_on_straight_lines_over_the_logarithm(self, target, needed):
        assert labels_needed(LABELS, np.array([0.70, 0.80, 0.85]), target) == pytest.approx(needed)

    def test_a_dip_is_smoothed_away(self):
        # 0.80 and 0.70 are pooled to 0.75, the place of a plateau is where it begins
        dipped = np.array([0.80, 0.70, 0.85])
        assert labels_needed(LABELS, dipped, 0.75) == 100.0
        assert labels_needed(LABELS, dipped, 0.80) == pytest.approx(1000 * math.sqrt(10))

    def test_more_is_never_reached_with_fewer(self):
        generator = np.random.default_rng(0)
        for _ in range(50):
            quality = generator.normal(size=3)
            targets = np.sort(generator.normal(size=20))
            needed = [labels_needed(LABELS, quality, target) for target in targets]
            assert all(low <= high for low, high in itertools.pairwise(needed))


def ladder(track: str, labels: list[float], quality: list[float], spread: float = 0.0) -> Ladder:
    noise = np.random.default_rng(3).normal(size=(201, 1)) * spread
    noise[0] = 0.0
    tables = (np.array(quality) + noise).T[:, :, None]
    return Ladder(track, np.array(labels), tables, np.ones((201, 1)))


class TestSaved:
    def test_a_known_gap_is_found(self):
        hybrid = ladder("hybrid", [0, 100], [0.75, 0.80])
        (at_none, at_hundred) = labels_saved(
            hybrid, [ladder("neural", list(LABELS), [0.70, 0.80, 0.85])], "score_x"
        )
        assert at_none.needed.estimate == pytest.approx(math.sqrt(100 * 1000))
        assert at_hundred.needed.estimate == pytest.approx(1000)
        assert (at_hundred.track, at_hundred.against, at_hundred.labels) == ("hybrid", "neural", 100)
        assert (at_hundred.fewest, at_hundred.most) == (100, 10_000)
        assert at_hundred.needed.low == at_hundred.needed.high == at_hundred.needed.estimate

    def test_noise_that_tracks_share_does_not_widen_the_interval(self):
        hybrid = ladder("hybrid", [0], [0.75], spread=0.05)
        shared = ladder("neural", list(LABELS), [0.70, 0.80, 0.85], spread=0.05)
        (one,) = labels_saved(hybrid, [shared], "score_x")
        assert one.needed.high == pytest.approx(one.needed.low)
        own = replace(shared, tables=shared.tables[:, [0, *range(200, 0, -1)]])
        (two,) = labels_saved(hybrid, [own], "score_x")
        assert two.needed.high > 2 * two.needed.low

    def test_what_is_not_reached_is_infinite_in_part_of_the_draws_too(self):
        hybrid = ladder("hybrid", [0], [0.849])
        own = ladder("neural", list(LABELS), [0.70, 0.80, 0.85], spread=0.01)
        (one,) = labels_saved(hybrid, [own], "score_x")
        assert math.isfinite(one.needed.estimate)
        assert one.needed.high == math.inf
        assert math.isfinite(one.needed.low)

    def test_errors_keep_their_sign(self):
        hybrid = ladder("hybrid", [0], [-0.27], spread=0.01)
        (one,) = labels_saved(hybrid, [ladder("neural", [10.0], [-0.30])], "error_log_loss")
        assert one.quality.estimate == pytest.approx(0.27)
        assert one.quality.low < 0.27 < one.quality.high

    def test_between_rungs_quality_follows_the_logarithm_and_none_counts_as_one(self):
        own = ladder("hybrid", [0, 100], [0.5, 0.7])
        assert own.at(10)[0, 0] == pytest.approx(0.6)
        assert own.at(0)[0, 0] == pytest.approx(0.5)
        assert own.at(1e6)[0, 0] == pytest.approx(0.7)

    def test_percentiles_survive_infinity(self):
        found = percentiles(np.array([3.0, *range(1, 100), math.inf]))
        assert (found.estimate, found.low) == (3.0, 3.0)
        assert math.isfinite(found.high)


def declare(tracks: dict[str, dict[str, object]], rungs: list[dict[str, object]], seeds: int) -> Experiment:
    return Experiment.model_validate(
        {
            "experiment": "made_up",
            "task": {"name": "made_up"},
            "ladder": {"rungs": rungs, "seeds": seeds},
            "tracks": tracks,
            "economics": {"value": {"true_positive": 1.0, "false_positive": -1.0}, "volume_per_year": 1.0},
        }
    )


TRACKS: dict[str, dict[str, object]] = {
    "baseline": {},
    "rules": {},
    "neural": {},
    "hybrid": {},
    "misled": {"track": "hybrid", "flip_signs": 0.5},
}
RUNGS: list[dict[str, object]] = [{"labels": 0}, {"labels": 100}, {"labels": 1000}]


def world(skills: dict[str, list[float | None]], n_seeds: int = 4):
    """Draw evidence of tracks whose scores hold that much signal at each rung; None is no cell."""
    generator = np.random.default_rng(1)
    clusters = np.repeat(np.arange(120), 30)
    signal = generator.normal(size=len(clusters))
    labels = (generator.random(len(clusters)) < 1 / (1 + np.exp(2 - 1.5 * signal))).astype(np.int8)
    evidence = {}
    for track, rungs in skills.items():
        for rung, skill in enumerate(rungs):
            for seed in range(1 if track == "rules" else n_seeds):
                if skill is None:
                    continue
                noise = generator.normal(size=len(clusters))
                seen = skill * signal + math.sqrt(1 - skill**2) * noise
                chances = 1 / (1 + np.exp(2 - 1.5 * skill * seen))
                evidence[track, rung, seed] = scores.make_evidence(
                    labels=labels,
                    probabilities=chances,
                    clusters=clusters,
                    strata={},
                    valid_labels=labels,
                    valid_probabilities=chances,
                    valid_clusters=clusters,
                )
    stacks, _ = stack_evidence(evidence)
    weights = draw_weights(120, 100, "test")
    return stacks, {key: draw_scores(stack, weights) for key, stack in stacks.items()}, weights


def analysed(skills: dict[str, list[float | None]], tracks=TRACKS, rungs=RUNGS):
    experiment = declare(tracks, rungs, 4)
    return few_labels(experiment, "error_log_loss", *world(skills))


class TestStatements:
    def test_they_hold_in_a_world_where_knowledge_helps(self):
        saved, statements = analysed(
            {
                "rules": [0.5],
                "neural": [None, 0.3, 0.7],
                "hybrid": [0.7, 0.75, 0.8],
                "misled": [0.2, 0.6, 0.9],
            }
        )
        assert {one.code: one.holds for one in statements} == {
            "above_rules": True,
            "as_good_as_many": True,
            "never_worse": True,
            "misled": True,
        }
        assert {one.score for one in saved} == {"score_roc_auc", "score_average_precision", "error_log_loss"}
        assert {one.against for one in saved} == {"neural"}
        at_none = next(one for one in saved if one.score == "score_roc_auc" and one.labels == 0)
        assert at_none.needed.estimate > 700
        assert "50 %" in next(one.sentence for one in statements if one.code == "misled")
        assert {finding.severity for finding in told(statements)} == {"info"}

    def test_nothing_is_said_of_labels_beyond_the_ladder(self):
        skills = {"rules": [0.5], "neural": [None, 0.3, 0.7], "hybrid": [0.7, 0.75, 0.8]}
        _, statements = analysed(skills, rungs=[{"labels": 0}, {"labels": 100}, {"labels": 300}])
        assert {one.code for one in statements} == {"above_rules", "never_worse"}

    def test_they_do_not_hold_where_it_harms(self):
        _, statements = analysed(
            {
                "rules": [0.6],
                "neural": [None, 0.7, 0.8],
                "hybrid": [0.3, 0.4, 0.5],
                "misled": [0.1, 0.2, 0.3],
            }
        )
        assert not any(one.holds for one in statements)
        below = next(one for one in statements if one.code == "above_rules")
        assert "with no labels, hybrid lies below rules" in below.sentence
        assert below.difference is not None
        assert below.difference.high < 0
        worst = next(one for one in statements if one.code == "never_worse")
        assert "neural" in worst.sentence
        assert {finding.severity for finding in told(statements)} == {"warning"}

    def test_nothing_is_said_of_a_ladder_of_shares_or_without_a_hybrid(self):
        skills: dict[str, list[float | None]] = {"rules": [0.5], "neural": [0.3, 0.4], "hybrid": [0.5, 0.6]}
        shares: list[dict[str, object]] = [{"share": 0.1}, {"share": 0.5}]
        assert analysed(skills, rungs=shares) == ((), ())
        assert analysed(skills, tracks={"rules": {}, "neural": {}}) == ((), ())

    def test_what_is_missing_is_left_out(self):
        saved, statements = analysed({"hybrid": [0.5, 0.6, 0.7]})
        assert (saved, statements) == ((), ())

    def test_rungs_that_no_two_tracks_share_say_nothing(self):
        # a sweep that was interrupted
        saved, statements = analysed({"neural": [None, None, 0.7], "hybrid": [0.6, None, None]})
        assert [one.needed.estimate for one in saved if one.score == "score_roc_auc"] == [1000.0]
        assert statements == ()
        _, statements = analysed({"neural": [None, 0.7], "hybrid": [0.6, 0.7], "misled": [0.4, None]})
        assert "misled" not in {one.code for one in statements}

    def test_a_tie_seen_through_noise_is_left_open(self):
        _, statements = analysed({"neural": [None, 0.6, 0.6], "hybrid": [None, 0.6, 0.6]})
        never = next(one for one in statements if one.code == "never_worse")
        assert never.holds is None
        assert "for all 2 comparisons at once" in never.sentence
        assert {one.severity for one in told(statements)} == {"info"}

    def test_what_is_read_between_rungs_says_so(self):
        skills: dict[str, list[float | None]] = {"neural": [None, 0.3, 0.7], "hybrid": [0.7, 0.75, 0.8]}
        rungs: list[dict[str, object]] = [{"labels": 0}, {"labels": 100}, {"labels": 3200}]
        _, statements = analysed(skills, rungs=rungs)
        many = next(one for one in statements if one.code == "as_good_as_many")
        assert many.sentence.endswith("(neural with 1,000 labels: between its rungs)")

    def test_seeds_that_a_small_rung_lacks_are_left_out_of_both(self):
        # two tracks that say the same; one lacks a seed
        stacks, _, weights = world({"neural": [None, 0.5, 0.7], "rules": [0.5]})
        for rung in (1, 2):
            same = stacks["neural", rung]
            stacks["hybrid", rung] = replace(same, track="hybrid")
            stacks["neural", rung] = replace(same, seeds=same.seeds[1:], evidence=same.evidence[1:])
        drawn = {key: draw_scores(stack, weights) for key, stack in stacks.items()}
        tracks: dict[str, dict[str, object]] = {"neural": {}, "hybrid": {}}
        saved, statements = few_labels(declare(tracks, RUNGS, 4), "error_log_loss", stacks, drawn, weights)
        never = next(one for one in statements if one.code == "never_worse")
        assert never.difference == Interval(0.0, 0.0, 0.0)
        assert never.holds
        exact = [one.needed for one in saved if one.labels == 100]
        assert exact
        assert all(needed == Interval(100.0, 100.0, 100.0) for needed in exact)

    def test_without_a_finished_cell_nothing_is_said(self):
        assert analysed({}) == ((), ())

    def test_the_plug_in_of_a_track_is_its_name_or_what_it_says(self):
        experiment = declare(TRACKS, RUNGS, 4)
        assert kind_of(experiment, "misled") == "hybrid"
        assert kind_of(experiment, "neural") == "neural"
