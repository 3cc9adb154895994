"""The words and numbers of the report of hand-made results; a change needs a reviewed diff.

Write the files anew with ``COSTCURVES_UPDATE_GOLDEN=1 pytest tests/golden/test_report_golden.py``.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import ModuleType

from toolkit.report import document

GOLDEN = Path(__file__).parent / "report_golden.html"
MARKDOWN = GOLDEN.with_suffix(".md")


def words_of(html: str) -> str:
    """Return the body without style, scripts and the data of figures."""
    body = html.partition("<body>")[2]
    return re.sub(r"<script[^>]*>.*?</script>\n?", "", body, flags=re.DOTALL)


def test_report_says_what_it_said(made_up_results: ModuleType) -> None:
    text = words_of(document.render(made_up_results.golden()))
    if os.environ.get("COSTCURVES_UPDATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_markdown_says_what_it_said(made_up_results: ModuleType) -> None:
    text = document.as_text(made_up_results.golden(), "md")
    if os.environ.get("COSTCURVES_UPDATE_GOLDEN"):
        MARKDOWN.write_text(text, encoding="utf-8")
    assert text == MARKDOWN.read_text(encoding="utf-8")
