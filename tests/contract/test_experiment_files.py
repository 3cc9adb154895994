"""Every experiment file that is shipped says where each number of its economics is from."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.amounts import Range
from toolkit.config import Experiment, load
from toolkit.published.file import is_published
from toolkit.sources import UNSOURCED, given_keys, given_numbers

ROOT = Path(__file__).parents[2]
FILES = [path for path in sorted(ROOT.glob("experiments/*.yaml")) if not is_published(path)]

KNOWN = {"horizon_years", "hours.baseline.build", "hours.baseline.features", "hours.baseline.per_year"}
"""Numbers that are no ranges: the horizon cannot be one, and a one-line rule takes a day."""

FIXED = {"cdnow": {"retrains_per_year"}, "churn": {"retrains_per_year"}, "smoke": {"retrains_per_year"}}
"""Of some files, numbers that follow from the plan of the business: one training before each mailing."""


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def experiment(request) -> Experiment:
    return load(request.param)


def test_there_are_files() -> None:
    assert len(FILES) >= 8


def test_each_number_has_a_source_or_is_marked_as_an_assumption(experiment) -> None:
    economics = experiment.economics
    bare = [key for key in given_numbers(economics) if economics.origin(key) == UNSOURCED]
    assert not bare, "numbers without a source"


def test_each_assumption_has_its_reason(experiment) -> None:
    for key, origin in experiment.economics.sources.items():
        assert origin.source != "no reason given", key
        assert origin.basis != "published" or origin.date, key


def test_what_the_business_is_not_sure_of_is_a_range(experiment) -> None:
    given = given_keys(experiment.economics)
    points = {
        key
        for key in given_numbers(experiment.economics)
        if not isinstance(amount := given[key], Range) or amount.low == amount.high
    }
    assert points <= KNOWN | FIXED.get(experiment.experiment, set())


def test_one_business_is_declared_alike_in_all_its_files() -> None:
    shops = [load(path).economics for path in FILES if path.stem.startswith("retail")]
    first = next(one for one in shops if "wage_per_hour" in one.model_fields_set)
    for shop in shops:
        for key in ("value", "volume_per_year", "retrains_per_year", "horizon_years"):
            assert getattr(shop, key) == getattr(first, key)
        for key, origin in shop.sources.items():
            assert first.sources[key] == origin
