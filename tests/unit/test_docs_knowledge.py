"""The worked example of the guide is what the files say and what the program prints."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from toolkit.knowledge.base import load
from toolkit.knowledge.entries import WORDS
from toolkit.knowledge.symbolic import log_odds

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "write-a-knowledge-base.md").read_text()
FOLDER = ROOT / "experiments" / "knowledge"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


@pytest.mark.parametrize("block", blocks("yaml"))
def test_what_the_guide_shows_stands_in_the_file(block: str) -> None:
    lines = (FOLDER / "gym.yaml").read_text().splitlines()
    assert all(line in lines for line in block.splitlines())


def test_the_table_of_the_guide_is_the_file() -> None:
    rows = [line for line in GUIDE.splitlines() if line.startswith("|") and "---" not in line]
    start = next(number for number, line in enumerate(rows) if line.startswith("| F |"))
    shown = [[cell.strip() for cell in line.strip("|").split("|")] for line in rows[start : start + 5]]
    with (FOLDER / "gym-prices.csv").open() as file:
        assert shown == list(csv.reader(file, skipinitialspace=True))


def test_the_odds_of_the_guide_are_right() -> None:
    rows = re.findall(r"^\| ([a-z ]+) \| ([0-9.]+) \| ([0-9.]+) % \|$", GUIDE, re.MULTILINE)
    assert [row[0] for row in rows] == sorted(WORDS, key=lambda word: WORDS[word])
    for word, factor, percent in rows:
        odds = 2.718281828459045 ** log_odds(WORDS[word])
        assert float(factor) == pytest.approx(odds, abs=0.005)
        assert float(percent) == pytest.approx(100 * odds / (odds + 24), abs=0.051)


def test_the_program_of_the_guide_prints_what_it_says(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    exec(compile(blocks("python")[0], "guide", "exec"), {})  # noqa: S102 (our own text)
    printed = capsys.readouterr().out
    assert printed.startswith("Ana")
    assert f"```\n{printed}```" in GUIDE


def test_the_hours_are_declared() -> None:
    assert load(FOLDER / "gym.yaml").authoring is not None
