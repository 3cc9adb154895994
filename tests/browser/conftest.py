"""A headless Chromium for the browser tests; skipped with the reason where there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Visit:
    """A page with all that it asked for and all that it complained of."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


Open = Callable[..., Visit]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium on this machine's PATH (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Open]:
    """Open an address without a network: ``visit(url, width=…, height=…, dark=…)``."""
    contexts = []

    def open_page(url: str, *, width: int = 1280, height: int = 900, dark: bool = False) -> Visit:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            offline=True,
        )
        contexts.append(context)
        seen = Visit(context.new_page())
        seen.page.on("console", lambda message: seen.complaints.append(f"{message.type}: {message.text}"))
        seen.page.on("pageerror", lambda error: seen.complaints.append(f"page error: {error}"))
        seen.page.on("request", lambda request: seen.requests.append(request.url))
        seen.page.goto(url)
        return seen

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def picture(tmp_path: Path) -> Callable[[Page, str], Path]:
    """Keep a screenshot: ``picture(page, "name")``, in the folder that ``COSTCURVES_SCREENSHOTS`` names."""
    folder = Path(os.environ.get("COSTCURVES_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)

    def keep(page: Page, name: str) -> Path:
        path = folder / f"{name}.png"
        page.screenshot(path=path)
        return path

    return keep
