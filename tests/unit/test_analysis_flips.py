"""What is said to flip the verdict flips it: the whole pipeline is run again at those values."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from toolkit.amounts import Range
from toolkit.analysis.analyse import analyse
from toolkit.analysis.whatif.flips import _first, most_fragile_first, stay_ask
from toolkit.analysis.whatif.levers import HIT, VOLUME, Lever, levers_of
from toolkit.analysis.whatif.record import Assumption, Flip
from toolkit.analysis.whatif.words import amount, change_lines, change_sentence, side
from toolkit.config import Experiment

TRACKS = ["baseline", "rules", "classical", "neural"]
ECONOMICS = {
    "hours": {
        "rules": {"build": 20, "per_year": [10, 20, 40]},
        "classical": {"build": 60, "per_year": [20, 40, 80]},
        "neural": {"build": [80, 160, 320], "per_year": 120},
    },
    "volume_per_year": [1e5, 2e5, 4e5],
    "value": {"true_positive": [5, 10, 20], "false_positive": -3.0},
    "carbon_price_per_tonne": 80.0,
    "price_per_label": 0.01,
}


@pytest.fixture(scope="module")
def world(truth, draw_world):
    return draw_world(
        {
            "baseline": truth(0.2),
            "rules": truth(0.5),
            "classical": truth(0.8, gain=0.3, cpu_seconds=1.0),
            "neural": truth(0.85, gain=0.4, cpu_seconds=30.0),
        },
        n_clusters=80,
    )


@pytest.fixture(scope="module")
def experiment(declare_experiment):
    return declare_experiment(TRACKS, **ECONOMICS)


@pytest.fixture(scope="module")
def run(world):
    cells, evidence = world
    return lambda experiment: analyse(experiment, task={"name": "made_up"}, cells=cells, evidence=evidence)


@pytest.fixture(scope="module")
def results(run, experiment):
    return run(experiment)


def lever(likely: float) -> Lever:
    now = Range(low=likely, likely=likely, high=likely)
    return Lever("made_up", "made up", "USD", now, lambda money, amount: money)


@pytest.mark.parametrize(
    ("others", "found"),
    [
        ([(4.0, 4.3)], None),  # comes back within a tenth
        ([(4.0, 4.3), (6.1, 6.4), (7.0, 90.0)], 7.0),
        ([(4.0, 4.5)], 4.0),
        ([(9.5, 10.0)], 9.5),  # as far as is looked
        ([(4.0, 4.05), (4.2, 9.0)], 4.2),  # both between two points of the grid
    ],
)
def test_a_change_that_ends_again_at_once_is_no_flip(others, found) -> None:
    def look(amount):
        return (
            "other" if any(low <= amount < high or amount == high == 10 for low, high in others) else "today"
        )

    flip = _first(lever(1.0), look, lambda answer: answer, [1.9, 3.8, 4.2, 4.5, 6.2, 7.6, 10.0])
    assert (None if flip is None else flip.at) == (None if found is None else pytest.approx(found))


def with_amount(experiment: Experiment, key: str, value: float) -> Experiment | None:
    """Return the experiment with the likely value of an assumption moved, its range in proportion."""
    document = json.loads(experiment.model_dump_json())
    if key == "hardware":
        return None  # prices of machines stand in a table
    at = document["economics"]
    *path, last = key.split(".")
    for name in path:
        at = at[name]
    now = at[last]
    if isinstance(now, dict) and now["likely"]:
        at[last] = {end: amount * value / now["likely"] for end, amount in now.items()}
    else:
        at[last] = {"low": value, "likely": value, "high": value} if isinstance(now, dict) else value
    if "rules" in path:  # a knowledge base adds nothing here
        assert "hours" in path
    return Experiment.model_validate(document)


def behind(results, held: str) -> float:
    """Return by how much a track earns less than the best choice; nothing earns 0."""
    nets = {entry.track: entry.net_value_per_year.estimate for entry in results.verdict.tracks}
    nothing = [] if results.verdict.probability_none_pays is None else [0.0]
    return max([*nets.values(), *nothing]) - (nets[held] if held else 0.0)


def chosen(results) -> str:
    verdict = results.verdict
    best = next(entry for entry in verdict.tracks if entry.track == verdict.best)
    loses = verdict.probability_none_pays is not None and best.net_value_per_year.estimate < 0
    return "" if loses else verdict.best


def sides(one: Assumption) -> list[Flip]:
    return [flip for flip in (one.below, one.above) if flip is not None]


def printed(one: Assumption, flip: Flip) -> float:
    """Return the number that a reader sees."""
    text = side(one, flip).split(" ", 1)[1].replace(",", "").replace("−", "-")
    for word, scale in ((" trillion", 1e12), (" billion", 1e9), (" million", 1e6)):
        if text.endswith(word):
            return float(text.removesuffix(word)) * scale
    return float(text)


def test_there_is_something_to_test(results) -> None:
    assert results.sensitivity.best == results.verdict.best
    assert sum(len(sides(one)) for one in results.sensitivity.assumptions) >= 5
    assert any(one.within_range for one in results.sensitivity.assumptions) or results.sensitivity.fragile


def test_past_a_flip_value_as_printed_another_track_leads_by_over_the_margin(
    results, run, experiment
) -> None:
    held = results.sensitivity.best
    tried = 0
    for one in results.sensitivity.assumptions:
        for flip in sides(one):
            changed = with_amount(experiment, one.key, printed(one, flip))
            if changed is None:
                continue
            after = run(changed)
            assert behind(after, held) > after.verdict.margin, (one.key, flip)
            assert chosen(after) == flip.best, (one.key, flip)
            tried += 1
    assert tried >= 4


def test_short_of_it_the_leader_is_still_within_the_margin(results, run, experiment) -> None:
    held = results.sensitivity.best
    for one in results.sensitivity.assumptions:
        for flip in sides(one):
            short = flip.at + (one.likely - flip.at) * 1e-6
            changed = with_amount(experiment, one.key, short)
            if changed is not None:
                after = run(changed)
                assert behind(after, held) <= after.verdict.margin * (1 + 1e-9), (one.key, flip)


def test_by_a_hair_another_earns_more_before_it_is_worth_changing(results, run, experiment) -> None:
    held = results.sensitivity.best
    for one in results.sensitivity.assumptions:
        for hair, flip in ((one.hair_below, one.below), (one.hair_above, one.above)):
            if flip is not None:
                assert hair is not None
                assert abs(hair.at - one.likely) <= abs(flip.at - one.likely) * (1 + 1e-12)
            if hair is not None and (changed := with_amount(experiment, one.key, hair.at)) is not None:
                assert behind(run(changed), held) >= 0


@pytest.mark.parametrize(("regimes", "key"), [("volume", VOLUME), ("hit", HIT)])
def test_strips_ask_of_every_amount_what_the_map_asks(results, regimes: str, key: str) -> None:
    book, inputs = results.sheet.book, results.sheet.inputs
    ask = stay_ask(results.sensitivity.best, inputs.economics.margin)
    moved = next(one for one in levers_of(inputs, book) if one.key == key)
    for one in getattr(results.sensitivity, regimes):
        for share in (0.01, 0.5, 0.99):
            amount_ = one.low ** (1 - share) * one.high**share
            assert ask(book.stand(moved.at(book.money, amount_))) == one.best


@pytest.mark.parametrize(("regimes", "key"), [("volume", VOLUME), ("hit", HIT), ("deep_by_volume", VOLUME)])
def test_regimes_cover_the_reach_without_gaps(results, regimes: str, key: str) -> None:
    found = getattr(results.sensitivity, regimes)
    one = next(one for one in results.sensitivity.assumptions if one.key == key)
    assert found[0].low == pytest.approx(one.likely / one.reach)
    assert found[-1].high == pytest.approx(one.likely * one.reach)
    for before, after in pairwise(found):
        assert before.high == after.low
        assert before.best != after.best
        assert before.low < before.high
    here = [regime for regime in found if regime.low <= one.likely <= regime.high]
    assert len(here) == 1


def test_in_a_regime_no_other_track_is_ahead_by_over_the_margin(results, run, experiment) -> None:
    for regime in results.sensitivity.volume:
        for share in (0.05, 0.5, 0.95):
            at = regime.low ** (1 - share) * regime.high**share
            after = run(with_amount(experiment, VOLUME, at))
            assert behind(after, regime.best) <= after.verdict.margin * (1 + 1e-9), (regime, at)


def test_the_change_of_deep_learning_is_where_the_answer_changes(results) -> None:
    found = results.sensitivity
    now = next(one for one in found.deep_by_volume if one.low <= found.deep_volume.likely <= one.high)
    assert now.best == found.deep
    assert [flip is None for flip in (found.deep_volume.below, found.deep_volume.above)] == [
        now == found.deep_by_volume[0],
        now == found.deep_by_volume[-1],
    ]


@pytest.mark.parametrize(
    ("draw_seed", "economics"),
    [
        (1, {}),
        (2, {"volume_per_year": 3_000, "margin": 50.0}),
        (3, {"volume_per_year": 100}),
        (
            4,
            {
                "value": {
                    "true_positive": 1,
                    "false_positive": -0.2,
                    "true_negative": 0.3,
                    "false_negative": -2,
                }
            },
        ),
        (5, {"margin": 0.0, "retrains_per_year": 365, "search_each_retrain": True}),
        (
            6,
            {"value": {"true_positive": 0, "false_positive": -1, "false_negative": -5}, "horizon_years": 0.5},
        ),
    ],
)
def test_printed_values_flip_in_other_worlds(
    truth, draw_world, declare_experiment, draw_seed: int, economics: dict
) -> None:
    cells, evidence = draw_world(
        {
            "baseline": truth(0.2),
            "rules": truth(0.6),
            "classical": truth(0.8, gain=0.2, cpu_seconds=10.0),
            "neural": truth(0.85, gain=0.4, cpu_seconds=300.0),
        },
        n_clusters=40,
        rows=20,
        draw_seed=draw_seed,
    )
    experiment = declare_experiment(TRACKS, **{**ECONOMICS, **economics})
    results = analyse(experiment, task={"name": "made_up"}, cells=cells, evidence=evidence)
    book, found = results.sheet.book, results.sensitivity
    stays = stay_ask(found.best, experiment.economics.margin)
    levers = {lever.key: lever for lever in levers_of(results.sheet.inputs, book)}
    for one in found.assumptions:
        for flip in sides(one):
            beyond = book.stand(levers[one.key].at(book.money, printed(one, flip)))
            assert stays(beyond) == flip.best != found.best, (one.key, flip)
    for regime in found.volume:
        inside = book.stand(levers[VOLUME].at(book.money, (regime.low * regime.high) ** 0.5))
        assert stay_ask(regime.best, experiment.economics.margin)(inside) == regime.best


def an_assumption(likely: float, at: float | None, *, within: bool = False) -> Assumption:
    flip = None if at is None else Flip(at, "rules")
    below, above = (flip, None) if at is None or at < likely else (None, flip)
    return Assumption("k", "wage", "USD", likely, likely, likely, below, above, below, above, 1e3, within)


def test_the_most_fragile_come_first() -> None:
    order = most_fragile_first(
        [
            an_assumption(1, None),
            an_assumption(1, 3),
            an_assumption(-1, -2),
            an_assumption(0, 5),
            an_assumption(4, 1, within=True),
        ]
    )
    assert [one.nearest and one.nearest.at for one in order][:3] == [1, -2, 3]
    assert order[-1].nearest is None or order[-2].nearest is None


@pytest.mark.parametrize(
    ("value", "up", "words"),
    [
        (0.0, None, "0"),
        (17_407_993.4, False, "17.4 million"),
        (17_407_993.4, True, "17.5 million"),
        (-0.7053, False, "−0.706"),
        (-0.7053, True, "−0.705"),
        (0.024999999999, True, "0.025"),
        (0.024999999999, False, "0.0249"),
        (45_389.9, True, "45,400"),
        (999.6, True, "1,000"),
        (999.6e6, True, "1 billion"),
        (1e15, None, "1,000 trillion"),
        (52.0, None, "52"),
        (100.0, None, "100"),
        (1.2e-7, None, "0.00000012"),
    ],
)
def test_amounts_in_words_are_rounded_away_from_what_was_declared(value: float, up, words: str) -> None:
    assert amount(value, up=up) == words


def test_changes_in_words(results, made_up_results) -> None:
    golden = made_up_results.golden().sensitivity
    assert change_lines(golden) == [
        "value of a true positive under 0.953 USD (declared 1.1 [0.9, 1.3]) → neural",
        "decisions under 17.4 million a year (declared 5 billion) → rules",
        "value of a false negative under −0.999 USD (declared 0) → none pays",
    ]
    assert change_sentence(golden).startswith(
        "What would change it first: value of a true positive under 0.953"
    )
