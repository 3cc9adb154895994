"""What the same error takes, on ladders made by hand, and the front with its volumes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.analysis.comparison.equal_error import equal_errors
from toolkit.analysis.comparison.front_odds import find_front
from toolkit.analysis.comparison.rung_errors import RungErrors
from toolkit.analysis.readings import RungReadings

N_DRAWS = 400


def ladder(cell, track: str, costs, errors, *, rules=None, seeds: int = 3, noise: float = 0.0):
    """Rungs of one track: readings, and errors of seeds around `errors`."""
    generator = np.random.default_rng([len(track), *track.encode()])
    found = []
    for rung, (cost, error) in enumerate(zip(costs, errors, strict=True)):
        cells = [
            cell(
                track,
                rung,
                seed,
                n_train=0 if rules or len(costs) == 1 else 100 * 2**rung,
                n_rules=rules[rung] if rules else None,
                costs={"cost_fit_cpu_seconds": cost},
            )
            for seed in range(seeds)
        ]
        by_seed = {seed: float(error + noise * generator.normal()) for seed in range(seeds)}
        found.append((RungReadings(cells), by_seed))
    return found


def put_together(*tracks, spread: float = 1e-5) -> RungErrors:
    rungs = [one for track in tracks for one in track]
    estimate = np.array([np.mean(list(by_seed.values())) for _, by_seed in rungs])
    noise = np.random.default_rng(0).normal(size=(N_DRAWS, len(rungs)))
    return RungErrors(
        error="error_log_loss",
        readings=tuple(readings for readings, _ in rungs),
        cpu_seconds=np.array([readings.median("cost_fit_cpu_seconds") for readings, _ in rungs]),
        estimate=estimate,
        draws=estimate + spread * noise,
        by_seed=tuple(by_seed for _, by_seed in rungs),
    )


COSTS = np.geomspace(1, 100, 9)


def power(floor: float, gain: float, costs=COSTS):
    return floor + gain * (costs / costs[-1]) ** -0.4


def asked(rungs: RungErrors, of: str, track: str):
    return next(one for one in equal_errors(rungs) if (one.of, one.track) == (of, track))


@pytest.fixture
def rungs(cell) -> RungErrors:
    """`good` reaches 0.20 + 0.01 at 100 s; `late` takes four times as much for any error."""
    return put_together(
        ladder(cell, "baseline", [0.01], [0.26], seeds=1),
        ladder(cell, "rules", [0.1] * 4, [0.26, 0.27, 0.25, 0.24], rules=[0, 2, 5, 9], seeds=1),
        ladder(cell, "good", COSTS, power(0.20, 0.01), noise=2e-5),
        ladder(cell, "late", COSTS, power(0.20, 0.01 * 4**0.4), noise=2e-5),
    )


def test_every_track_is_asked_for_every_target_the_hardest_last(rungs: RungErrors) -> None:
    found = equal_errors(rungs)
    assert [(one.of, one.track) for one in found[:4]] == [
        ("baseline", track) for track in ("baseline", "rules", "good", "late")
    ]
    assert list(dict.fromkeys(one.of for one in found)) == ["baseline", "rules", "late", "good"]
    assert all(one.reach == "own" for one in found if one.of == one.track)
    own = asked(rungs, "good", "good")
    assert own.cpu_seconds is not None
    assert own.cpu_seconds.low < 100 == own.cpu_seconds.estimate < own.cpu_seconds.high
    assert own.of_cpu_seconds == 100


def test_within_what_was_measured_it_is_read_off_the_curve(rungs: RungErrors) -> None:
    one = asked(rungs, "late", "good")
    assert one.reach == "measured"
    assert one.probability == 1
    assert one.cpu_seconds is not None
    assert one.cpu_seconds.low < 25 < one.cpu_seconds.high
    assert one.cpu_seconds.estimate == pytest.approx(25, rel=0.05)
    assert one.cpu_seconds.high < 1.2 * one.cpu_seconds.low


def test_beyond_what_was_measured_it_is_a_forecast(rungs: RungErrors) -> None:
    one = asked(rungs, "good", "late")
    assert one.reach == "forecast"
    assert one.probability == 0
    assert one.cpu_seconds is not None
    assert one.cpu_seconds.low < 400 < one.cpu_seconds.high
    assert one.cpu_seconds.estimate == pytest.approx(400, rel=0.1)


def test_an_unsure_target_makes_the_cost_unsure(cell) -> None:
    tracks = [
        ladder(cell, name, COSTS, power(0.20, gain), noise=2e-5) for name, gain in (("a", 0.01), ("b", 0.016))
    ]
    sure, unsure = (
        asked(put_together(*tracks, spread=spread), "b", "a").cpu_seconds for spread in (1e-6, 1e-3)
    )
    assert sure is not None
    assert unsure is not None
    assert unsure.high / unsure.low > 1.3 * sure.high / sure.low


def test_what_the_cheapest_rung_reaches_is_at_most_its_cost(cell) -> None:
    found = put_together(
        ladder(cell, "baseline", [0.01], [0.27], seeds=1),
        ladder(cell, "good", COSTS, power(0.20, 0.01), noise=2e-5),
    )
    one = asked(found, "baseline", "good")
    assert one.reach == "at_most"
    assert one.cpu_seconds is not None
    assert (one.cpu_seconds.estimate, one.cpu_seconds.low) == (1, 0)
    # The bound holds how unsure the cost of that rung is: 10 % a reading, three seeds.
    assert one.cpu_seconds.high == pytest.approx(math.exp(1.96 * 0.1 / math.sqrt(3)), rel=0.02)


def test_a_target_under_the_floor_cannot_be_reached(cell) -> None:
    one = asked(
        put_together(
            ladder(cell, "deep", COSTS, power(0.10, 0.01), noise=2e-5),
            ladder(cell, "flat", COSTS, power(0.20, 0.01), noise=2e-5),
        ),
        "deep",
        "flat",
    )
    assert (one.reach, one.cpu_seconds, one.probability) == ("cannot", None, 0)


def test_far_beyond_there_is_a_bound_only(cell) -> None:
    one = asked(
        put_together(
            ladder(cell, "deep", COSTS, power(0.2, 0.002), noise=2e-5),
            ladder(cell, "flat", COSTS, power(0.2, 0.01), noise=2e-5),
        ),
        "deep",
        "flat",
    )
    assert one.reach in ("at_least", "not_shown")
    assert one.cpu_seconds is not None
    assert one.cpu_seconds.low > 1_000
    assert math.isinf(one.cpu_seconds.high)


def test_what_no_rung_has_reached_is_not_read_among_them(cell) -> None:
    """The curve comes down to it before the largest rung, whose error lies above the curve."""
    rungs = ladder(cell, "a", COSTS, power(0.20, 0.01) + 1e-4 * (COSTS == 100), noise=3e-4)
    lowest = min(np.mean(list(by_seed.values())) for _, by_seed in rungs)
    found = put_together(ladder(cell, "easy", [1], [lowest - 1e-5], seeds=1), rungs, spread=1e-4)
    one = asked(found, "easy", "a")
    assert one.reach == "forecast"
    assert one.cpu_seconds is not None
    assert one.cpu_seconds.estimate < 100


def test_what_the_cheapest_rung_has_reached_is_at_most_though_its_curve_has_not(cell) -> None:
    errors = power(0.20, 0.01)
    errors[0] -= 3e-3
    target = float(errors[0]) + 1e-3
    found = put_together(ladder(cell, "easy", [0.5], [target], seeds=1), ladder(cell, "a", COSTS, errors))
    one = asked(found, "easy", "a")
    assert one.reach == "at_most"
    assert one.cpu_seconds is not None
    assert one.cpu_seconds.estimate == 1


def test_tracks_that_end_at_one_error_have_one_price_each(cell) -> None:
    bumpy = power(0.20, 0.01)
    bumpy[5:] = bumpy[-1] + 3e-4, bumpy[-1] + 2e-4, bumpy[-1] + 1e-4, bumpy[-1]
    found = put_together(ladder(cell, "a", COSTS, bumpy), ladder(cell, "b", 1.1 * COSTS, bumpy))
    own, other = asked(found, "a", "a"), asked(found, "b", "a")
    assert own.target == other.target
    assert (other.reach, other.cpu_seconds) == ("own", own.cpu_seconds)
    assert other.of_cpu_seconds == pytest.approx(110)


def test_a_refused_curve_forecasts_nothing_and_its_rungs_are_read(cell) -> None:
    few = COSTS[:4]
    found = put_together(
        ladder(cell, "a", few, [0.26, 0.24, 0.23, 0.22]), ladder(cell, "b", few, [0.25, 0.235, 0.23, 0.225])
    )
    below = asked(found, "a", "b")
    assert below.reach == "at_least"
    assert below.cpu_seconds is not None
    assert 0.85 * few[-1] < below.cpu_seconds.low < 0.92 * few[-1]  # how unsure the largest rung's cost is
    between = asked(found, "b", "a")
    assert between.reach == "measured"
    assert between.cpu_seconds is not None
    assert few[2] < between.cpu_seconds.estimate < few[3]


def test_a_rung_that_measured_the_target_reached_it_and_perhaps_by_luck(cell) -> None:
    errors = power(0.20, 0.01)
    bumpy = errors.copy()
    bumpy[-2:] = errors[-1] - 4e-4, errors[-1] + 6e-4  # smoothed until they fall, both miss the target
    found = put_together(
        ladder(cell, "good", COSTS, errors), ladder(cell, "bumpy", COSTS, bumpy), spread=3e-4
    )
    one = asked(found, "good", "bumpy")
    assert one.reach == "measured"
    assert one.cpu_seconds is not None
    assert one.cpu_seconds.low <= one.cpu_seconds.estimate == COSTS[-2]
    assert math.isinf(one.cpu_seconds.high)


def test_rules_reach_a_target_with_so_many_of_them_or_not(rungs: RungErrors) -> None:
    one = asked(rungs, "baseline", "rules")
    assert one.reach == "measured"
    assert one.n_rules is not None
    assert (one.n_rules.low, one.n_rules.estimate, one.n_rules.high) == (5, 5, 5)
    # None is no expert system, although its error is the baseline's own.
    assert asked(rungs, "good", "rules").reach == "does_not"
    assert asked(rungs, "good", "rules").cpu_seconds is None
    assert asked(rungs, "rules", "baseline").reach == "does_not"


def test_a_cheaper_rung_as_good_as_the_largest_is_what_the_error_took(cell) -> None:
    errors = power(0.20, 0.01)
    errors[-2] = errors[-1] - 1e-4
    found = put_together(ladder(cell, "good", COSTS, errors), ladder(cell, "late", COSTS, errors + 0.001))
    own = asked(found, "good", "good")
    assert own.reach == "own"
    assert (own.of_rung, own.of_cpu_seconds) == (7, COSTS[-2])
    assert own.cpu_seconds is not None
    assert own.cpu_seconds.estimate == COSTS[-2]
    assert 0.85 * COSTS[-2] < own.cpu_seconds.low < own.cpu_seconds.high < 1.15 * COSTS[-2]
    assert asked(found, "good", "late").of_cpu_seconds == COSTS[-2]


def test_a_cheaper_rung_that_may_be_as_good_by_luck_leaves_the_largest_in_the_interval(cell) -> None:
    errors = power(0.20, 0.01)
    errors[-2] = errors[-1] - 1e-6
    own = asked(put_together(ladder(cell, "good", COSTS, errors), spread=1e-4), "good", "good")
    assert own.cpu_seconds is not None
    assert own.cpu_seconds.low < own.cpu_seconds.estimate == COSTS[-2] < 100 < own.cpu_seconds.high


def test_a_curve_above_a_rung_that_reached_it_does_not_charge_more_than_that_rung(cell) -> None:
    errors = power(0.20, 0.01)
    lucky = errors.copy()
    lucky[4] -= 2e-4
    found = put_together(
        ladder(cell, "lucky", COSTS, lucky, noise=2e-5), ladder(cell, "b", [1], [lucky[4] + 4e-5])
    )
    one = asked(found, "b", "lucky")
    assert one.reach == "measured"
    assert one.cpu_seconds is not None
    assert one.cpu_seconds.low < one.cpu_seconds.estimate == COSTS[4] < one.cpu_seconds.high


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.floats(-0.5, 0.5), min_size=6, max_size=6),
    st.lists(st.floats(-0.5, 0.5), min_size=4, max_size=4),
    st.permutations(range(6)),
)
def test_no_track_is_told_to_need_more_than_a_rung_of_its_own_that_reached_it(
    cell, bumps: list[float], more: list[float], order: list[int]
) -> None:
    costs = COSTS[:6][order]
    rules = ladder(cell, "rules", [0.1, 0.3, 0.2, 0.4], 0.24 + 0.01 * np.array(more), rules=[1, 2, 3, 4])
    found = put_together(
        ladder(cell, "a", costs, power(0.20, 0.01)[:6] + 0.01 * np.array(bumps)),
        ladder(cell, "b", COSTS[:6], power(0.21, 0.01)[:6]),
        rules,
        spread=1e-3,
    )
    for one in equal_errors(found):
        reached = [
            place for place in found.places(one.track) if found.estimate[place] <= one.target * (1 + 1e-9)
        ]
        if not reached:
            assert one.reach in ("at_least", "not_shown", "forecast", "cannot", "does_not")
            continue
        assert one.cpu_seconds is not None
        assert one.cpu_seconds.low <= one.cpu_seconds.estimate <= one.cpu_seconds.high
        if one.track == "rules":  # whose cost is their number
            fewest = min(found.readings[place].cells[0].n_rules for place in reached)
            assert one.n_rules is not None
            assert one.n_rules.estimate == fewest
        else:
            assert one.cpu_seconds.estimate <= min(found.cpu_seconds[reached])


def test_what_rules_cost_is_as_unsure_as_their_readings(cell) -> None:
    found = put_together(
        ladder(cell, "baseline", [0.01], [0.26], seeds=1),
        ladder(cell, "rules", [0.1, 0.1, 0.1], [0.27, 0.25, 0.24], rules=[2, 5, 9], seeds=1),
    )
    one = asked(found, "baseline", "rules")
    assert one.cpu_seconds is not None
    assert one.cpu_seconds.low == pytest.approx(0.1 * math.exp(-1.96 * 0.1), rel=0.03)
    assert one.cpu_seconds.high == pytest.approx(0.1 * math.exp(1.96 * 0.1), rel=0.03)


def test_the_fewest_rules_that_reached_it_count_though_more_miss_it(cell) -> None:
    found = put_together(
        ladder(cell, "baseline", [0.01], [0.26], seeds=1),
        ladder(cell, "rules", [0.1] * 3, [0.25, 0.27, 0.255], rules=[2, 5, 9], seeds=1),
    )
    one = asked(found, "baseline", "rules")
    assert one.n_rules is not None
    assert (one.n_rules.low, one.n_rules.estimate, one.n_rules.high) == (2, 2, 2)
    assert one.probability == 1
    own = asked(found, "rules", "rules")
    assert own.n_rules is not None
    assert own.n_rules.estimate == 2


def test_rules_that_hardly_reach_it_may_never(cell) -> None:
    found = put_together(
        ladder(cell, "baseline", [0.01], [0.26], seeds=1),
        ladder(cell, "rules", [0.1, 0.1], [0.27, 0.2599], rules=[2, 5], seeds=1),
        spread=1e-3,
    )
    one = asked(found, "baseline", "rules")
    assert one.n_rules is not None
    assert one.cpu_seconds is not None
    assert (one.n_rules.estimate, one.n_rules.high) == (5, math.inf)
    assert one.cpu_seconds.high == math.inf
    assert 0.4 < (one.probability or 0) < 0.7


def test_the_front_is_told_with_what_each_track_adds(rungs: RungErrors) -> None:
    front = find_front(rungs, ["baseline"])
    assert (front.reference_track, front.reference_error) == ("baseline", pytest.approx(0.26))
    assert front.reference_cpu_seconds == 1000
    chance = {(point.track, point.rung): point.probability for point in front.points}
    assert chance["baseline", 0] == 1
    assert chance["good", 8] == 1
    assert chance["late", 8] == 0
    volumes = {one.track: one for one in front.volumes}
    assert volumes[""].exclusive is None
    assert volumes["baseline"].volume.estimate == 0
    late, good = volumes["late"], volumes["good"]
    assert late.exclusive is not None
    assert late.exclusive.high < 1e-3
    assert late.volume.estimate < good.volume.estimate < volumes[""].volume.estimate
    assert good.share is not None
    assert 0 < good.share.low <= good.share.estimate <= good.share.high < 1


def test_without_a_baseline_the_worst_rung_is_the_reference(rungs: RungErrors) -> None:
    front = find_front(rungs, [])
    assert (front.reference_track, front.reference_rung) == ("late", 0)
