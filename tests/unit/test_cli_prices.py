"""``toolkit prices`` as a user types it."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from toolkit import prices
from toolkit.cli import app


def ask(*arguments: str):
    return CliRunner().invoke(app, ["prices", *arguments])


def test_it_lists_every_machine_and_country():
    told = ask()
    assert told.exit_code == 0
    for name in (*prices.profiles(), *prices.countries()):
        assert f" {name} " in told.stdout, name


def test_by_name_it_tells_the_source_and_the_date():
    told = ask("own-server", "DE").stdout
    assert prices.hardware("own-server").date in told
    assert "Ember" in told
    assert "aws" not in told


def test_all_that_a_bill_depends_on_is_told():
    told = ask("aws-g5.xlarge").stdout
    for words in ("host", "utilisation", "energy in price", "accelerator: achieved", "accelerator: source"):
        assert words in told


def test_json_has_numbers_and_every_line():
    lines = json.loads(ask("--format", "json").stdout)
    assert [one["name"] for one in lines["hardware"]] == prices.profiles()
    assert [one["name"] for one in lines["grid"]] == prices.countries()
    assert lines["hardware"][0]["usd_per_hour"] == prices.hardware(prices.profiles()[0]).usd_per_hour
    only = json.loads(ask("DE", "--format", "json").stdout)
    assert [len(only[kind]) for kind in ("hardware", "grid")] == [0, 1]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("own-sever", "own-server"), ("GB2", "GB"), ("de", "DE"), ("AWS-G5.xlarge", "aws-g5.xlarge")],
)
def test_an_unknown_name_is_a_mistake_that_names_the_nearest(name, nearest):
    told = ask(name)
    assert told.exit_code == 2
    assert f"did you mean '{nearest}'" in told.stderr
