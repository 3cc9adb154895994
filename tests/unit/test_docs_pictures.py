"""Pictures of the docs: each is on a page, and those of MLflow keep the colours of small dots."""

from __future__ import annotations

import importlib.util
import io
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image, ImageColor, ImageDraw

ROOT = Path(__file__).parents[2]
DOTS = ("#CC79A7", "#009E73", "#D55E00", "#0072B2")


@pytest.fixture
def screenshots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the script of the pictures, which writes below `tmp_path` here."""
    pytest.importorskip("playwright")
    spec = importlib.util.spec_from_file_location("screenshots", ROOT / "docs" / "screenshots.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PICTURES", tmp_path)
    return module


def page_with_dots() -> bytes:
    """Return a picture of many colours, with a small dot of each track's."""
    pixels = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    for index, colour in enumerate(DOTS):
        ImageDraw.Draw(image).rectangle((20 * index, 20, 20 * index + 3, 23), fill=colour)
    file = io.BytesIO()
    image.save(file, "png")
    return file.getvalue()


def test_a_small_dot_keeps_its_colour(screenshots: ModuleType, tmp_path: Path) -> None:
    screenshots.keep(page_with_dots(), "mlflow-made-up", most=200)
    with Image.open(tmp_path / "mlflow-made-up.png") as kept:
        assert kept.size == (300, 200)
        for index, colour in enumerate(DOTS):
            assert kept.convert("RGB").getpixel((20 * index + 1, 21)) == ImageColor.getrgb(colour)


def test_every_picture_is_on_a_page_and_is_taken(screenshots: ModuleType) -> None:
    pages = [*ROOT.glob("docs/*.md"), ROOT / "README.md"]
    used = {
        name
        for page in pages
        for name in re.findall(r"pictures/([\w-]+)\.png", page.read_text(encoding="utf-8"))
    }
    assert used == {path.stem for path in (ROOT / "docs" / "pictures").glob("*.png")}
    sections = {f"report-{name}" for name in (*screenshots.SECTIONS, "map")}
    assert used == sections | {f"mlflow-{name}" for name in screenshots.SHOWN}
