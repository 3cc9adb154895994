"""The curve figures of a page as PNG and SVG files beside it, and in it for readers without JavaScript."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from toolkit.report.files import write_atomically

__all__ = ["FOLDER", "Still", "draw_stills", "with_stills", "without_stills", "write_stills"]

FOLDER = "figures"
PREFIX = "curve-"
"""Figures whose names begin so are saved."""

_FIGURE = re.compile(r'<figure class="figure[^"]*" id="([^"]*)">\n<h3>(.*?)</h3>(.*?)</figure>', re.DOTALL)
_DATA = re.compile(r'<script type="application/json" id="([^"]*)-data">(.*?)</script>', re.DOTALL)
_PLACE = re.compile(r"<!--still:([a-z0-9-]*)-->")


@dataclass(frozen=True)
class Still:
    """A drawing as the bytes of files.

    Parameters
    ----------
    name : str
        Of its files, without their endings; the anchor of its data in the page.
    title : str
        The heading of its figure.
    files : mapping of str to bytes
        ``png`` and ``svg``.
    """

    name: str
    title: str
    files: Mapping[str, bytes]


def draw_stills(page: str) -> list[Still]:
    """Return the curve figures of a page, drawn from the data that the page itself draws from.

    Parameters
    ----------
    page : str
        As `toolkit.report.document.render` makes it.
    """
    # It imports matplotlib, which a page without stills can do without.
    from toolkit.report.static_figures import render

    return [
        Still(name, title, render(data, ("png", "svg"), title=title))
        for name, title, data in _curve_figures(page)
    ]


def _curve_figures(page: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for name, title, body in _FIGURE.findall(page):
        if name.startswith(PREFIX):
            for data_name, data in _DATA.findall(body):
                yield data_name, html.unescape(title), json.loads(data)


def with_stills(page: str, stills: list[Still]) -> str:
    """Return a page that shows stills where there is no JavaScript; without any, nothing is shown there."""
    known = {still.name: still for still in stills}

    def place(found: re.Match[str]) -> str:
        still = known.get(found[1])
        if still is None:
            return ""
        data = base64.b64encode(still.files["svg"]).decode("ascii")
        source = f"data:image/svg+xml;base64,{data}"
        return Markup('<noscript><img class="still" alt="{}" src="{}"></noscript>').format(
            still.title, source
        )

    return _PLACE.sub(place, page)


def without_stills(page: str) -> str:
    """Return a page without places for stills."""
    return with_stills(page, [])


def write_stills(stills: list[Still], folder: Path) -> tuple[Path, ...]:
    """Write the files of stills; files of ours that are none of them any more are removed.

    Parameters
    ----------
    stills : list of Still
    folder : Path
        Made when it is not there; removed when nothing is left in it.

    Returns
    -------
    tuple of Path
        The files, by name.

    Raises
    ------
    OSError
        The folder cannot be written.
    """
    contents = {f"{still.name}.{kind}": data for still in stills for kind, data in still.files.items()}
    if contents:
        folder.mkdir(parents=True, exist_ok=True)
    for name, data in sorted(contents.items()):
        write_atomically(folder / name, data)
    if folder.is_dir():
        for path in folder.iterdir():
            if path.name not in contents and _is_ours(path):
                path.unlink()
        if not any(folder.iterdir()):
            folder.rmdir()
    return tuple(folder / name for name in sorted(contents))


def _is_ours(path: Path) -> bool:
    """Tell whether a file was written here: by its name, and by what our files say at their beginning."""
    if not path.name.startswith(PREFIX) or path.suffix not in (".png", ".svg") or not path.is_file():
        return False
    with path.open("rb") as file:
        return b"costcurves" in file.read(2048)
