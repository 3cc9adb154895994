"""Pictures for these pages, taken of a finished experiment's report and of its pages in MLflow.

    make screenshots                      of retail, whose results `make retail` leaves in mlruns/
    python docs/screenshots.py smoke      of another experiment

Needs Debian's chromium, as the browser tests do. Figures of a comparison are in them, and no row of its data.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from toolkit.serving import serve
from toolkit.store import Store

PICTURES = Path(__file__).parent / "pictures"
COLOURS = 256
"""A picture of the report needs no more, and is less than half as large. MLflow's pages have all: there the
colour of a track is a dot of few pixels, which would get that of something larger."""
SECTIONS = {"verdict": 1500, "whatif": 900, "sensitivity": 1000, "curves": 1000, "climb": 900}
"""Section of the report -> the most of its height that is shown, in pixels."""
SHOWN = ("report", "charts", "tracks", "front")
"""Pages of MLflow."""
WIDTH = 1180


@contextmanager
def browser() -> Iterator[Page]:
    """Open a page of Debian's chromium."""
    path = shutil.which("chromium")
    if path is None:
        sys.exit("docs/screenshots.py: no chromium on the PATH; apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
        opened.close()


def keep(picture: bytes, name: str, *, most: int | None = None, colours: int | None = None) -> None:
    """Write a picture, cut at a height, with all of its colours or so many."""
    image = Image.open(BytesIO(picture)).convert("RGB")
    if most is not None:
        image = image.crop((0, 0, image.width, min(image.height, most)))
    PICTURES.mkdir(exist_ok=True)
    path = PICTURES / f"{name}.png"
    if colours is not None:
        image = image.quantize(colours, dither=Image.Dither.NONE)
    image.save(path, optimize=True)
    print(f"{path.name}: {image.width} x {image.height}, {path.stat().st_size / 1000:.0f} kB")


def report(page: Page, path: Path) -> None:
    """Take the sections of a report."""
    page.goto(path.resolve().as_uri())
    page.wait_for_selector("html[data-drawn]")
    page.wait_for_selector("#whatif-board[data-done]")
    page.wait_for_timeout(1000)
    for name, most in SECTIONS.items():
        section = page.locator(f"section#{name}")
        if section.count():
            keep(section.screenshot(), f"report-{name}", most=most, colours=COLOURS)
    keep(page.locator("figure#whatif-map").screenshot(), "report-map", colours=COLOURS)


def mlflow(page: Page, store: Store, experiment: str) -> None:
    """Take MLflow's pages that the links lead to."""
    with serve(store.root, 5070, say=lambda line: None) as address:
        links = store.links(experiment, base=address)
        for title, link in links.items():
            if title.partition(" ")[0] not in SHOWN:
                continue
            page.goto(link)
            _settle(page)
            keep(page.screenshot(), f"mlflow-{title.replace(' ', '-')}")


def _settle(page: Page) -> None:
    """Wait for a page of MLflow, which never stops asking for more and says nowhere that it is done."""
    page.wait_for_timeout(4000)
    assistant = page.get_by_role("button", name="Close", exact=True)
    if assistant.count():
        assistant.first.click()
    page.wait_for_timeout(10_000)


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("experiment", nargs="?", default="retail")
    parser.add_argument("--store", type=Path, default=Path("mlruns"))
    asked = parser.parse_args()
    path = asked.store / "reports" / asked.experiment / "report.html"
    if not path.exists():
        sys.exit(f"docs/screenshots.py: {path} is missing; run the experiment first (make retail)")
    with browser() as page, Store.open(asked.store) as store:
        report(page, path)
        page.set_viewport_size({"width": 1440, "height": 900})
        mlflow(page, store, asked.experiment)


if __name__ == "__main__":
    main()
