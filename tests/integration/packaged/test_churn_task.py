"""Every oddity of the telephone company's table, and the task as the runner uses it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.config import Rung
from toolkit.errors import DataError, ParameterError
from toolkit.registry import build
from toolkit.tasks._churn_table import FILES, REQUIREMENT, SCHEMA, Customers, read_customers, table_files
from toolkit.tasks.churn import Churn

Write = Callable[..., tuple[Path, ...]]

LINE = {
    "customerid": "0001-AAAAA", "gender": "Female", "seniorcitizen": "0", "partner": "Yes",
    "dependents": "No", "tenure": "10", "phoneservice": "Yes", "multiplelines": "No",
    "internetservice": "DSL", "onlinesecurity": "Yes", "onlinebackup": "No", "deviceprotection": "No",
    "techsupport": "Yes", "streamingtv": "No", "streamingmovies": "Yes", "contract": "One year",
    "paperlessbilling": "Yes", "paymentmethod": "Mailed check", "monthlycharges": "60.5",
    "totalcharges": "550", "churn": "No",
}  # fmt: skip


def line(number: int, **changed: str) -> dict[str, str]:
    return LINE | {"customerid": f"{number:04d}-AAAAA"} | changed


@pytest.fixture
def write(install: Callable[[str, dict[str, str]], Path]) -> Write:
    def put(train: list[dict[str, str]], test: list[dict[str, str]] | None = None) -> tuple[Path, ...]:
        tables = (pd.DataFrame(train), pd.DataFrame(train[:1] if test is None else test))
        texts = {file: table.to_csv(index=False) for file, table in zip(FILES, tables, strict=True)}
        site = install(REQUIREMENT, texts)
        return tuple(site / file for file in FILES)

    return put


def one(paths: tuple[Path, ...]) -> pd.Series:
    customers = read_customers(paths)
    assert len(customers.labels) == 1
    return customers.features.iloc[0]


def level(row: pd.Series, name: str) -> str:
    return SCHEMA.column(name).levels[int(row[name])]


def test_every_answer_reaches_its_column(write: Write) -> None:
    row = one(write([line(1)]))
    numbers = {
        "tenure": 10, "monthly_charges": 60.5, "total_charges": 550, "charges_rise": 5.5, "add_ons": 3,
        "senior": 0, "partner": 1, "dependents": 0, "phone": 1, "paperless": 1,
    }  # fmt: skip
    assert {name: row[name] for name in SCHEMA.numbers} == numbers
    answers = {
        "gender": "Female", "multiple_lines": "No", "internet": "DSL", "online_security": "Yes",
        "online_backup": "No", "device_protection": "No", "tech_support": "Yes", "streaming_tv": "No",
        "streaming_movies": "Yes", "contract": "One year", "payment": "Mailed check",
    }  # fmt: skip
    assert {column.name: level(row, column.name) for column in SCHEMA.categories} == answers


def test_neither_the_id_nor_the_label_is_a_column() -> None:
    assert not {"customerid", "customer_id", "churn", "hash"} & set(SCHEMA.names)


def test_labels_reach_no_feature(write: Write) -> None:
    lines = [line(number, churn="Yes" if number % 2 else "No", tenure=str(number)) for number in range(9)]
    turned = [each | {"churn": "No" if each["churn"] == "Yes" else "Yes"} for each in lines]
    first, second = read_customers(write(lines)), read_customers(write(turned))
    pd.testing.assert_frame_equal(first.features, second.features)
    np.testing.assert_array_equal(first.labels, 1 - second.labels)


def test_customers_of_both_files_count_once(write: Write) -> None:
    customers = read_customers(write([line(1), line(2), line(3)], [line(1), line(2), line(4)]))
    assert (len(customers.labels), customers.n_lines, customers.n_repeated) == (4, 6, 2)


@pytest.mark.parametrize("changed", [{"churn": "Yes"}, {"tenure": "11"}])
def test_two_stories_of_one_customer_are_refused(write: Write, changed: dict[str, str]) -> None:
    with pytest.raises(DataError, match="two lines of one customer differ in 1 cases"):
        read_customers(write([line(1)], [line(1, **changed)]))


@pytest.mark.parametrize("blank", ["", " "])
def test_a_customer_without_a_bill_has_no_total_and_no_rise(write: Write, blank: str) -> None:
    row = one(write([line(1, tenure="0", totalcharges=blank)]))
    assert row["tenure"] == 0
    assert np.isnan(row["total_charges"])
    assert np.isnan(row["charges_rise"])
    assert row["monthly_charges"] == 60.5


def test_a_month_of_zero_is_never_divided_by(write: Write) -> None:
    assert np.isnan(one(write([line(1, tenure="0", totalcharges="20")]))["charges_rise"])


def test_no_internet_service_is_an_answer_and_a_blank_is_missing(write: Write) -> None:
    row = one(write([line(1, techsupport="No internet service", contract=" ", partner="")]))
    assert level(row, "tech_support") == "No internet service"
    assert row["contract"] == -1
    assert np.isnan(row["partner"])


def test_the_order_of_lines_and_files_does_not_matter(write: Write) -> None:
    lines = [line(number, tenure=str(number), churn="Yes" if number % 3 else "No") for number in range(30)]
    first = read_customers(write(lines))
    second = read_customers(write(lines[20:] + lines[5:20], lines[:12]))
    pd.testing.assert_frame_equal(first.features, second.features)
    np.testing.assert_array_equal(first.labels, second.labels)
    assert first.features["tenure"].tolist() != sorted(first.features["tenure"])


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"contract": "Three years"}, "column 'contract' has the unknown value 'Three years'"),
        ({"churn": "Maybe"}, "column 'churn' has the unknown value 'Maybe'"),
        ({"churn": ""}, "a blank in column 'churn'"),
        ({"tenure": "ten"}, 'Unable to parse string "ten"'),
        ({"totalcharges": "-5"}, "a negative or infinite number in column 'totalcharges'"),
        ({"totalcharges": "inf"}, "a negative or infinite number in column 'totalcharges'"),
        ({"gender": "Divers\N{LATIN SMALL LETTER E WITH ACUTE}"}, "cannot be read"),
    ],
)
def test_a_value_that_nobody_knows_is_told(write: Write, changed: dict[str, str], why: str) -> None:
    with pytest.raises(DataError, match=re.escape(why.replace('"', "'")[:20])) as told:
        read_customers(write([line(1, **changed)]))
    assert why.replace('"', "'") in str(told.value).replace('"', "'")
    assert f"--no-deps --force-reinstall '{REQUIREMENT}'" in str(told.value)


@pytest.mark.parametrize("name", ["customerid", "churn", "tenure", "paymentmethod"])
def test_a_missing_column_is_told(write: Write, name: str) -> None:
    paths = write([{key: value for key, value in line(1).items() if key != name}])
    with pytest.raises(DataError, match=rf"train\.csv: .*there is no column '{name}'"):
        read_customers(paths)


@pytest.fixture(scope="module")
def real() -> Customers:
    return read_customers(table_files())


def test_the_real_test_file_repeats_the_real_training_file(real: Customers) -> None:
    assert (len(real.labels), real.n_lines, real.n_repeated) == (4930, 7043, 2113)
    no_bill = real.features["total_charges"].isna()
    assert no_bill.sum() == 8
    assert (real.features.loc[no_bill, "tenure"] == 0).all()
    codes = real.features[[column.name for column in SCHEMA.categories]]
    assert codes.min(axis=None) == 0


def test_blocks_have_the_shares_asked_for_and_equal_base_rates(real: Customers) -> None:
    data = Churn(test_share=0.3, valid_share=0.2).load(rung=Rung(share=1.0), seed=0)
    blocks = (data.train, data.valid, data.test)
    assert [len(block) / 4930 for block in blocks] == pytest.approx([0.5, 0.2, 0.3], abs=0.001)
    for block in blocks:
        assert block.labels.mean() == pytest.approx(real.labels.mean(), abs=0.001)
    together = np.concatenate([block.clusters for block in blocks])
    assert sorted(together.tolist()) == list(range(4930))
    assert len(data.train.unlabelled) == 0


def test_a_larger_test_block_holds_the_smaller_one() -> None:
    small, large = (
        set(Churn(test_share=share).load(rung=None, seed=0).test.clusters.tolist()) for share in (0.1, 0.3)
    )
    assert small < large


def test_unlabelled_rows_are_the_other_training_customers(monkeypatch: pytest.MonkeyPatch) -> None:
    task = Churn()
    for share, count in ((0.1, 4 * 246), (0.5, 2465 - 1232)):
        train = task.load(rung=Rung(share=share), seed=1).train
        assert len(train.unlabelled) == count
    monkeypatch.setattr("toolkit.tasks.base.MAX_UNLABELLED", 50)
    assert len(task.load(rung=Rung(share=0.1), seed=1).train.unlabelled) == 50


def test_strata_part_the_customers_by_contract() -> None:
    test = Churn().load(rung=None, seed=0).test
    monthly = test.strata["month_to_month"]
    np.testing.assert_array_equal(monthly, test.features["contract"] == 0)
    np.testing.assert_array_equal(~monthly, test.strata["under_contract"])
    assert test.labels[monthly].mean() > 3 * test.labels[~monthly].mean()


def test_shares_that_leave_too_little_for_training_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"add up to 0\.9; choose at most 0\.8") as told:
        build("tasks", "churn", {"test_share": 0.6, "valid_share": 0.3})
    assert told.value.path == ("test_share",)
    assert build("tasks", "churn", {"test_share": 0.6, "valid_share": 0.2}) == Churn(0.6, 0.2)


def test_facts_and_notices_say_what_is_not_known() -> None:
    facts = Churn().data_facts()
    assert facts["customers"] == 4930
    assert facts["customers in the test block"] == 1479
    assert any("test.csv is part of train.csv" in name for name in facts)
    text = " ".join(Churn.notices)
    for words in ("fictional telco", "License: BSD-3", "MIT License", "used commercially is not known"):
        assert words in text
