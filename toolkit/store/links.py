"""Deep links into MLflow's UI: its bare address opens a page about language models."""

from __future__ import annotations

from collections.abc import Mapping

from toolkit.analysis.boards.views import CHARTS, FRONT, RESULTS, TRACKS
from toolkit.store.runs import Runs
from toolkit.store.views import TAG

__all__ = ["SHOWS", "links", "shown", "told"]

_WORKFLOW = "workflowType=machine_learning"
_CHART = "compareRunsMode=CHART"
_EVERY = "searchFilter=&orderByKey=attributes.start_time&orderByAsc=false"
"""All runs, later starts first; without it MLflow draws nothing in a tab that shows a saved view."""

SHOWS = {
    "report": "the whole report",
    "charts": "cost-performance charts",
    "tracks": "table of the tracks",
    "results": "table of the published results",
    "front": "cells on the front",
    "runs": "all runs",
    "models": "models to use",
}
"""Link -> what it shows, in a few words, for a terminal; a note has the link's name alone."""


def links(runs: Runs, experiment_id: str, base: str) -> dict[str, str]:
    """Return the links of an experiment: those of `SHOWS` whose page there is, and ``track <name>``.

    Parameters
    ----------
    runs : Runs
    experiment_id : str
    base : str
        Address of the UI; empty for links on its own pages.
    """
    page = f"{base}#/experiments/{experiment_id}/runs"
    saved = runs.experiment_tags(experiment_id)
    found = {}
    for run in runs.search(experiment_id, "report")[:1]:
        found["report"] = f"{page}/{run.info.run_id}/artifacts/report.html?{_WORKFLOW}"
    for title, key in (("charts", CHARTS), ("tracks", TRACKS), ("results", RESULTS), ("front", FRONT)):
        if f"{TAG}{key}" in saved:
            mode = f"&{_CHART}" if title == "charts" else ""
            found[title] = f"{page}?{_WORKFLOW}{mode}&viewStateShareKey={key}"
    found["runs"] = f"{page}?{_WORKFLOW}&{_EVERY}"
    tracks = runs.tracks(experiment_id)
    if any(run.data.tags.get("model", "").startswith("rung") for run in tracks.values()):
        found["models"] = f"{base}#/experiments/{experiment_id}/models?{_WORKFLOW}"
    for track, run in tracks.items():
        found[f"track {track}"] = f"{page}/{run.info.run_id}?{_WORKFLOW}"
    return found


def told(found: Mapping[str, str]) -> list[str]:
    """Return a line for each link, for a terminal: what it shows, and its address."""
    widest = max(map(len, SHOWS.values()))
    return [f"{SHOWS[title]:<{widest}}  {found[title]}" for title in SHOWS if title in found]


def shown(found: Mapping[str, str]) -> dict[str, str]:
    """Return the links for a note inside MLflow, whose own menu leads to runs and models.

    Folded, a note is one line high, and MLflow's assistant takes a third of its width: more letters than
    these are cut through.
    """
    return {title: found[title] for title in SHOWS if title in found and title not in ("runs", "models")}
