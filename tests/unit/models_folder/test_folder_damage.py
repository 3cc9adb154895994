"""Saved tracks that are missing, short, changed or of another version."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.errors import ModelError
from toolkit.models.folder import DOCUMENT
from toolkit.models.saving import FORMAT_VERSION
from toolkit.tracks.base import load_track
from toolkit.tracks.rules import Rules


def places(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


@pytest.mark.parametrize("name", ["baseline", "rules", "logistic", "boosting"])
def test_a_file_that_is_missing_short_or_changed_is_named(saved, name):
    folder = saved(name)
    for file in places(folder):
        whole = file.read_bytes()
        changed = whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:]
        for damaged in (whole[: len(whole) // 2], b"", whole + b"x", changed):
            file.write_bytes(damaged)
            with pytest.raises(ModelError) as caught:
                load_track(folder)
            assert str(file) in str(caught.value)
        file.unlink()
        with pytest.raises(ModelError, match=file.name):
            load_track(folder)
        file.write_bytes(whole)
    load_track(folder)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
def test_no_changed_byte_passes(originals, tmp_path, place, byte):
    folder = tmp_path / "bytes"
    if not folder.exists():
        shutil.copytree(originals["rules"], folder)
    whole = (originals["rules"] / DOCUMENT).read_bytes()
    at = int(place * len(whole))
    (folder / DOCUMENT).write_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :])
    blanks = b" \t\n\r"
    if whole[at] in blanks and byte in blanks:
        return  # between values they say nothing
    with contextlib.nullcontext() if byte == whole[at] else pytest.raises(ModelError, match=DOCUMENT):
        assert isinstance(load_track(folder), Rules)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "damaged"),
        (b"[]", "no saved track"),
        (b"{}", "no saved track"),
        (b"[" * 200_000, "damaged"),
        (b'{"a": NaN}', "damaged"),
        (b"\xff\xfe", "damaged"),
        (b'{"files": {}, "sha256": "0"}', "damaged"),
    ],
)
def test_a_document_that_is_none_is_refused(tmp_path, content, message):
    (tmp_path / DOCUMENT).write_bytes(content)
    with pytest.raises(ModelError, match=message) as caught:
        load_track(tmp_path)
    assert DOCUMENT in str(caught.value)


def test_a_folder_that_is_not_there_or_holds_none_is_refused(tmp_path):
    with pytest.raises(ModelError, match="no such folder"):
        load_track(tmp_path / "none")
    with pytest.raises(ModelError, match=DOCUMENT):
        load_track(tmp_path)


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (FORMAT_VERSION + 1, "reads up to 1; install the newer version"),
        (0, "never was a format 0"),
        ("1", "no saved track"),
        (None, "no saved track"),
        (True, "no saved track"),
    ],
)
def test_another_version_is_told(saved, version, message, rewrite):
    folder = saved("baseline")
    rewrite(folder, lambda document: document.update(format_version=version))
    with pytest.raises(ModelError, match=message) as caught:
        load_track(folder)
    assert str(folder / DOCUMENT) in str(caught.value)
