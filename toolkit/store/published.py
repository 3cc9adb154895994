"""Published results in the store: a run a model, and the report run with its files."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from toolkit.analysis.boards.values import Board
from toolkit.analysis.published.boards import model_board, note, report_board, views
from toolkit.analysis.published.values import Published
from toolkit.store.database import DATABASE, told
from toolkit.store.links import shown
from toolkit.store.runs import Kind, Runs, now_ms
from toolkit.store.store import Store
from toolkit.store.views import write_views

__all__ = ["log_published"]


def log_published(
    store: Store,
    published: Published,
    *,
    files: Iterable[Path],
    figures: Iterable[Path] = (),
    tags: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Log published results: the runs are replaced when a figure has changed, else only files are renewed.

    Parameters
    ----------
    store : Store
    published : Published
        With its sentences.
    files : iterable of Path
        Copied into the report run: ``report.html``, ``results.json``, the table.
    figures : iterable of Path
        Copied into its folder ``figures``, in place of what was there.
    tags : mapping of str to str, optional
        Set on all runs, e.g. the commit.

    Returns
    -------
    dict of str to str
        Deep links into the UI, as `Store.links` gives them.

    Raises
    ------
    StoreError
        The experiment is being written by another process, or the store cannot be written.
    """
    name = published.name
    store.begin(name, description=published.description or published.title, tags=tags)
    boards = {"report": report_board(published)}
    boards |= {one.name: model_board(published, one) for one in published.observations}
    # The environment of the report holds the time, and no figure.
    numbers = {title: (board.points, board.tags) for title, board in boards.items()}
    digest = hashlib.sha256(repr(numbers).encode()).hexdigest()[:16]
    runs = store._runs
    with told(f"writing '{name}'", store.root / DATABASE):
        identifier = runs.find_or_make(name)
        reports = runs.search(identifier, "report")
        if not reports or reports[0].data.tags.get("digest") != digest:
            _replace(runs, identifier, boards, {**(tags or {}), "digest": digest})
        report = runs.search(identifier, "report")[0]
        folder = runs.folder(report)
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copyfile(file, folder / file.name)
        shutil.rmtree(folder / "figures", ignore_errors=True)
        for figure in figures:
            (folder / "figures").mkdir(exist_ok=True)
            shutil.copyfile(figure, folder / "figures" / figure.name)
        # MLflow shows how long a run took; nothing was run.
        runs.end(report, "FINISHED", report.info.start_time)
        write_views(runs, identifier, views(published))
        runs.set_note(identifier, note(published, shown(store.links(name, base=""))))
    return store.links(name)


def _replace(runs: Runs, identifier: str, boards: Mapping[str, Board], tags: Mapping[str, str]) -> None:
    """Make all runs anew, the report's on top, and delete the old ones."""
    old = [*runs.search(identifier, "published"), *runs.search(identifier, "report")]
    now = now_ms()
    for place, (title, board) in enumerate(boards.items()):
        kind: Kind = "report" if place == 0 else "published"
        # the UI lists later starts first
        run = runs.create(identifier, kind, title, now - place, {**tags, **board.tags})
        runs.log(run, board)
        runs.end(run, "FINISHED", run.info.start_time)
    for run in old:
        runs.delete(run)
