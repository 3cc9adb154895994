"""The worked example of the guide to curves prints what the guide says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

GUIDE = (Path(__file__).parents[2] / "docs" / "curves.md").read_text(encoding="utf-8")


def test_the_worked_example_prints_what_the_guide_shows(capsys: pytest.CaptureFixture[str]) -> None:
    code, shown = re.search(r"```python\n(.*?)```\n```text\n(.*?)```", GUIDE, re.DOTALL).groups()
    exec(code, {})  # noqa: S102 (the guide's own code)
    assert capsys.readouterr().out == shown
