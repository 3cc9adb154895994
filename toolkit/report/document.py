"""One self-contained HTML file, the same as Markdown, and ``results.json`` from `Results`."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path

from markupsafe import Markup
from plotly.offline import get_plotlyjs

from toolkit import registry
from toolkit.analysis.export import to_json
from toolkit.analysis.results import Results
from toolkit.errors import StoreError
from toolkit.report.base import NotApplicable, Section
from toolkit.report.elements import environment, slug
from toolkit.report.files import write_atomically
from toolkit.report.markdown import markdown
from toolkit.report.packing import packed
from toolkit.report.pages import Page, Rendered
from toolkit.report.stills import FOLDER, draw_stills, with_stills, without_stills, write_stills

__all__ = ["ReportPaths", "as_text", "html", "page", "render", "write", "write_files"]

KIND = "report.sections"


@dataclass(frozen=True)
class ReportPaths:
    """Where `write` put things."""

    html: Path
    markdown: Path
    json: Path
    figures: tuple[Path, ...] = ()


def _sections() -> list[tuple[str, Section]]:
    """Return all sections there is a file for, in the order of the report."""
    found: list[tuple[str, Section]] = [
        (name, registry.plugin(KIND, name)()) for name in registry.names(KIND)
    ]
    return sorted(found, key=lambda entry: (entry[1].order, entry[0]))


def _render_section(name: str, section: Section, results: Results) -> Rendered:
    try:
        body, reason = section.render(results), ""
    except NotApplicable as empty:
        body, reason = Markup(""), empty.reason
    return Rendered(name=slug(name), title=section.title, body=body, reason=reason)


def _script_hash(script: str) -> Markup:
    """Return the source expression that lets exactly this script run."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return Markup("'sha256-{}'").format(digest)


def page(results: Results) -> Page:
    """Return all sections of the report of a comparison."""
    name = str(results.experiment.get("experiment", ""))
    task_title = str(results.task.get("title", ""))
    return Page(
        title=" · ".join(part for part in (name, task_title) if part) or "Cost and performance",
        description=str(results.experiment.get("description", "")),
        sections=[_render_section(key, section, results) for key, section in _sections()],
        facts=results.environment,
        answer=results.verdict.sentence,
    )


def render(results: Results) -> str:
    """Return the report as one HTML document that needs nothing else.

    The page forbids itself every network request and every script but its own, by hash.

    Parameters
    ----------
    results : Results

    Returns
    -------
    str
        HTML of 2 to 5 MB: the drawing library (deflated, 2 MB), the draws of the sliders, and the words.
    """
    return without_stills(html(page(results)))


def as_text(results: Results, kind: str) -> str:
    """Return what is printed in place of files: the report (``md``), or ``results.json`` (``json``)."""
    return markdown(page(results)) if kind == "md" else json_text(results)


def json_text(results: Results) -> str:
    """Return ``results.json`` as text."""
    return json.dumps(to_json(results), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def html(page: Page) -> str:
    """Return any report as one HTML document, with places for the stills of its figures."""
    names = ["unpacked.js", "page.js"]
    if any("whatif-board" in section.body for section in page.sections):
        names += ["whatif_model.js", "whatif_board.js"]
    # The page sits between tags: its own "\n" at the ends would change what is hashed.
    scripts = [_page_file(name).strip() for name in names]
    library = get_plotlyjs()
    return (
        environment()
        .get_template("template.html")
        .render(
            title=page.title,
            description=page.description,
            style=Markup(_page_file("page.css")),  # noqa: S704 (a file of this package)
            library=_packed_library(library),
            scripts=[Markup(script) for script in scripts],  # noqa: S704 (files of this package)
            script_hashes=[_script_hash(script) for script in (library, *scripts)],
            sections=page.sections,
            footer=page.footer,
            skip=page.answers,
        )
    )


@cache
def _packed_library(library: str) -> str:
    return packed(library)


def _page_file(name: str) -> str:
    return files("toolkit.report").joinpath(name).read_text(encoding="utf-8")


def write(results: Results, folder: Path, *, figures: bool = False) -> ReportPaths:
    """Write ``report.html``, ``report.md`` and ``results.json`` into `folder`.

    Parameters
    ----------
    results : Results
    folder : Path
        Made when it is not there.
    figures : bool
        Write the curves as PNG and SVG files too, into ``figures``, and show them where a browser runs no
        JavaScript. Takes one to two seconds.

    Returns
    -------
    ReportPaths

    Raises
    ------
    StoreError
        The folder cannot be written.
    """
    return write_files(folder, page(results), results=json_text(results), figures=figures)


def write_files(
    folder: Path,
    page: Page,
    *,
    results: str,
    figures: bool = False,
    advice: str = "finished cells are kept: run again",
) -> ReportPaths:
    """Write the files of any report, each whole or not at all, as `write` does.

    Parameters
    ----------
    folder : Path
    page : Page
    results : str
        Of ``results.json``.
    figures : bool
    advice : str
        What to do where the folder cannot be written.
    """
    paths = ReportPaths(folder / "report.html", folder / "report.md", folder / "results.json")
    document = html(page)
    stills = draw_stills(document) if figures else []
    images = {still.name: f"{FOLDER}/{still.name}.png" for still in stills}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Without stills those of an older report go: they would not be of this one.
        paths = replace(paths, figures=write_stills(stills, folder / FOLDER))
        write_atomically(paths.json, results.encode())
        write_atomically(paths.markdown, markdown(page, images).encode())
        write_atomically(paths.html, with_stills(document, stills).encode())
    except OSError as error:
        raise StoreError(
            f"the report cannot be written ({error.strerror}); {advice}",
            where=str(folder),
        ) from error
    return paths
