"""The report as a file."""

from __future__ import annotations

import base64
import errno
import hashlib
import itertools
import json
import re
import zlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from toolkit.analysis.export import SCHEMA_VERSION
from toolkit.errors import StoreError
from toolkit.report import document

MOST_BYTES = 8_000_000


@pytest.fixture(scope="module")
def html(made_up_results: ModuleType) -> str:
    return document.render(made_up_results.golden())


def own_text(html: str) -> str:
    """Return the report without its scripts and its drawing library."""
    return re.sub(r"<script(?: type=\"text/plain\"[^>]*)?>.*?</script>", "", html, flags=re.DOTALL)


def test_writes_its_files_and_leaves_nothing_else(made_up_results: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "retail"
    paths = document.write(made_up_results.golden(), folder)
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "report.md", "results.json"]
    assert paths.html.stat().st_size < MOST_BYTES
    assert paths.html.stat().st_mode & 0o044
    assert json.loads(paths.json.read_text(encoding="utf-8"))["schema_version"] == SCHEMA_VERSION


def test_figures_are_files_beside_the_report_and_old_ones_of_ours_go(
    made_up_results: ModuleType, tmp_path: Path
) -> None:
    folder = tmp_path / "figures"
    paths = document.write(made_up_results.steep(), tmp_path, figures=True)
    names = {path.name for path in folder.iterdir()}
    assert {path.name for path in paths.figures} == names
    assert {"curve-error-log-loss-cpu.png", "curve-error-log-loss-cpu.svg"} <= names
    assert len(names) == 12
    assert all(path.stat().st_mode & 0o044 for path in paths.figures)
    page = paths.html.read_text(encoding="utf-8")
    assert page.count("<noscript><img") == 1
    assert "<!--still" not in page
    assert paths.html.stat().st_size < MOST_BYTES

    (folder / "curve-of-mine.svg").write_text("<svg/>")
    (folder / "notes.txt").write_text("costcurves")
    document.write(made_up_results.none(), tmp_path, figures=True)
    assert sorted(path.name for path in folder.iterdir()) == ["curve-of-mine.svg", "notes.txt"]


def test_a_report_without_figures_leaves_none_of_an_older_one(
    made_up_results: ModuleType, tmp_path: Path
) -> None:
    one_rung = replace(made_up_results.steep(), curves=(), summaries=made_up_results.steep().summaries[:2])
    assert document.write(one_rung, tmp_path, figures=True).figures
    document.write(one_rung, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.md", "results.json"]


def test_a_failed_write_keeps_the_old_report(
    made_up_results: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document.write(made_up_results.none(), tmp_path)
    before = (tmp_path / "report.html").read_text(encoding="utf-8")

    def full_disk(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(StoreError, match=r"No space left on device.*finished cells are kept"):
        document.write(made_up_results.golden(), tmp_path)
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.md", "results.json"]


def test_needs_nothing_from_elsewhere(html: str) -> None:
    own = own_text(html)
    links = re.findall(r'(?:href|src)="([^"]*)"', own)
    assert links
    assert all(link.startswith(("#", "data:")) for link in links)
    assert "url(" not in own
    assert "@import" not in own


def test_only_its_own_scripts_may_run(html: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    allowed = re.search(r"script-src ([^;]*)", policy[1])
    assert allowed is not None
    scripts = re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)
    library = re.search(r'id="drawing-library">([^<]*)<', html)
    assert library is not None
    allowed_text = [zlib.decompress(base64.b64decode(library[1])).decode(), *scripts]
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in allowed_text]
    assert allowed[1].split() == [f"'sha256-{digest}'" for digest in digests]


def test_links_of_the_contents_lead_somewhere(html: str) -> None:
    own = own_text(html)
    ids = re.findall(r'\bid="([^"]*)"', own)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]*)"', own)) <= set(ids)


def test_headings_come_in_order(html: str) -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])", own_text(html))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_the_verdict_comes_first(html: str, made_up_results: ModuleType) -> None:
    sentence = made_up_results.golden().verdict.sentence
    own = own_text(html)
    assert own.index(sentence[:40]) < own.index('id="tracks"')


def test_an_empty_section_is_one_quiet_line(made_up_results: ModuleType) -> None:
    own = own_text(document.render(made_up_results.one_cell()))
    section = re.search(r'<section id="knowledge".*?</section>', own, flags=re.DOTALL)
    assert section is not None
    assert 'class="empty"' in section[0]
    assert "No track in this experiment uses expert rules." in section[0]


def test_titles_are_escaped(made_up_results: ModuleType) -> None:
    results = replace(made_up_results.golden(), task={"title": made_up_results.HOSTILE})
    assert made_up_results.HOSTILE not in document.render(results)


def test_the_report_of_nothing_can_be_read(made_up_results: ModuleType) -> None:
    own = own_text(document.render(made_up_results.none()))
    assert "No cell has finished yet" in own
    assert own.count('class="empty"') == own.count("<section")
