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


def test_json_has_the_same_lines():
    lines = json.loads(ask("--format", "json").stdout)
    assert lines == prices.tables()
    only = json.loads(ask("DE", "--format", "json").stdout)
    assert [len(only[kind]) for kind in ("hardware", "grid")] == [0, 1]


@pytest.mark.parametrize(("name", "nearest"), [("own-sever", "own-server"), ("GB2", "GB")])
def test_an_unknown_name_is_a_mistake_that_names_the_nearest(name, nearest):
    told = ask(name)
    assert told.exit_code == 2
    assert f"did you mean '{nearest}'" in told.stderr
