"""The purged split and the columns as documented."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from toolkit import registry
from toolkit.errors import ParameterError
from toolkit.tasks._retail_calendar import (
    FIRST_DAY,
    LOOK_BACK_DAYS,
    cutoffs,
    day_of,
    is_holiday_period,
    split,
    week_of,
)
from toolkit.tasks._retail_columns import PROMOTION_NUMBERS, schema_of

CLOSED = dt.date(2017, 12, 25)
DOCUMENT = Path(__file__).parents[2] / "docs" / "tasks-retail.md"


def test_the_year_has_26_cutoffs_that_are_mondays_with_a_whole_look_back() -> None:
    days = cutoffs(7)
    assert (days[0], days[-1], len(days)) == (dt.date(2017, 7, 3), dt.date(2017, 12, 25), 26)
    assert all(day.weekday() == 0 for day in days)
    assert day_of(days[0]) >= LOOK_BACK_DAYS


@pytest.mark.parametrize("horizon_days", [7, 14, 28])
def test_every_label_window_ends_within_the_year(horizon_days: int) -> None:
    last = cutoffs(horizon_days)[-1] + dt.timedelta(days=horizon_days)
    assert dt.date(2017, 12, 25) < last <= dt.date(2018, 1, 1)


def test_the_split_of_a_week_ahead() -> None:
    parts = split(7, 7)
    assert (min(parts.train), max(parts.train), len(parts.train)) == (
        dt.date(2017, 7, 3),
        dt.date(2017, 10, 9),
        15,
    )
    assert (min(parts.valid), max(parts.valid), len(parts.valid)) == (
        dt.date(2017, 10, 23),
        dt.date(2017, 11, 6),
        3,
    )
    assert (min(parts.test), max(parts.test), len(parts.test)) == (
        dt.date(2017, 11, 20),
        dt.date(2017, 12, 18),
        5,
    )


@pytest.mark.parametrize("gap_days", [0, 7, 21])
@pytest.mark.parametrize("horizon_days", [7, 14, 28])
def test_no_label_window_reaches_the_next_block(horizon_days: int, gap_days: int) -> None:
    parts = split(horizon_days, gap_days)
    needed = dt.timedelta(days=horizon_days + gap_days)
    assert max(parts.train) + needed <= min(parts.valid)
    assert max(parts.valid) + needed <= min(parts.test)
    assert list(parts.train) == sorted(parts.train, reverse=True), "most recent first"
    assert parts.train
    assert len(parts.valid) == 3
    assert len(parts.test) >= 3


def test_no_test_week_holds_the_day_the_stores_are_closed() -> None:
    assert all(not 0 <= (CLOSED - day).days < 7 for day in split(7, 7).test)


def test_holiday_weeks_of_the_test_block() -> None:
    holidays = [day for day in split(7, 7).test if is_holiday_period(day, 7)]
    assert holidays == [dt.date(2017, 12, 18), dt.date(2017, 11, 20)]


def test_promotion_weeks_run_monday_to_sunday_after_the_first_day() -> None:
    assert [week_of(day_of(FIRST_DAY) + days) for days in (0, 1, 7, 8, 364)] == [1, 2, 2, 3, 53]


def test_a_gap_that_leaves_nothing_for_training_is_refused_with_its_name() -> None:
    with pytest.raises(ParameterError, match="no cut-off is left for training with gap_days 120") as caught:
        registry.build("tasks", "retail", {"gap_days": 120})
    assert caught.value.path == ("gap_days",)


@pytest.mark.parametrize("params", [{"horizon_days": 10}, {"test_share": 0.0}, {"valid_share": 1.5}])
def test_parameters_out_of_range_are_refused(params: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match=next(iter(params))):
        registry.build("tasks", "retail", params)


def test_every_column_is_documented_and_nothing_else() -> None:
    tables = re.findall(r"^\| ((?:`\w+` ?)+) \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    documented = {name for cell in tables for name in re.findall(r"\w+", cell)}
    assert documented == set(schema_of((), promotions=True).names)


def test_the_ablation_leaves_the_promotion_columns_out() -> None:
    whole, without = schema_of(("MILK",), promotions=True), schema_of(("MILK",), promotions=False)
    assert set(whole.names) - set(without.names) == set(PROMOTION_NUMBERS)
    assert len(PROMOTION_NUMBERS) == 6
    assert without.column("category").levels == ("MILK",)
