"""One self-contained HTML file, the same as Markdown, and ``results.json`` from `Published`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from markupsafe import Markup

from toolkit.analysis.published.export import to_json
from toolkit.analysis.published.values import Published
from toolkit.report import document
from toolkit.report.base import NotApplicable
from toolkit.report.document import ReportPaths
from toolkit.report.elements import slug
from toolkit.report.markdown import markdown
from toolkit.report.pages import Page, Rendered
from toolkit.report.published.answer import answer, drawings
from toolkit.report.published.beside import claims, criticism, decomposition
from toolkit.report.published.fits import fits, floors, title_of_floors
from toolkit.report.published.rows import again, sources, table
from toolkit.report.published.sentences import key_sentences
from toolkit.report.published.targets import forecasts

__all__ = ["as_text", "json_text", "page", "render", "with_sentences", "write"]

_SECTIONS: tuple[tuple[str | Callable[[Published], str], Callable[[Published], Markup]], ...] = (
    ("What the table says", answer),
    ("Error against compute", drawings),
    ("Lines and curves", fits),
    (title_of_floors, floors),
    ("What targets take", forecasts),
    ("Claims beside the data", claims),
    ("Two models taken apart", decomposition),
    ("What speaks against reading too much into this", criticism),
    ("The table", table),
    ("Sources", sources),
    ("How to do this again", again),
)


def with_sentences(published: Published) -> Published:
    """Return the same with its key sentences, for those who read no report."""
    return replace(published, sentences=key_sentences(published))


def page(published: Published) -> Page:
    """Return all sections of the report.

    A section that has nothing to show is left out: a user's own table has no claims and no criticism.
    """
    rendered = []
    for named, section in _SECTIONS:
        title = named if isinstance(named, str) else named(published)
        try:
            rendered.append(Rendered(slug(title), title, section(published)))
        except NotApplicable:
            continue
    return Page(
        title=" · ".join(part for part in (published.name, published.title) if part),
        description=published.description,
        sections=rendered,
        facts=published.environment,
        answer=next(iter(key_sentences(published)), ""),
        answers="what the table says",
    )


def render(published: Published) -> str:
    """Return the report as one HTML document that needs nothing else but for places of stills."""
    return document.html(page(published))


def as_text(published: Published, kind: str) -> str:
    """Return what is printed in place of files: the report (``md``), or ``results.json`` (``json``)."""
    return markdown(page(published)) if kind == "md" else json_text(published)


def json_text(published: Published) -> str:
    """Return ``results.json`` as text."""
    return json.dumps(to_json(published), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write(published: Published, folder: Path, *, advice: str = "run again") -> ReportPaths:
    """Write ``report.html``, ``report.md``, ``results.json`` and the figures into `folder`.

    Parameters
    ----------
    published : Published
    folder : Path
        Made when it is not there.
    advice : str
        What to do where it cannot be written.

    Returns
    -------
    ReportPaths
        Of the figures a PNG and an SVG file a measure.

    Raises
    ------
    StoreError
        The folder cannot be written.
    """
    return document.write_files(
        folder, page(published), results=json_text(published), figures=True, advice=advice
    )
