"""The front as tags of cells, so that MLflow's search box finds it."""

from __future__ import annotations

from typing import Any

from toolkit.analysis.boards.colours import colours
from toolkit.analysis.boards.costs import TRAINING, log10_columns, training_seconds
from toolkit.analysis.boards.tracks import tracks
from toolkit.analysis.boards.values import Board, Point
from toolkit.analysis.boards.views import FRONT_TAG
from toolkit.analysis.results import Results
from toolkit.store.runs import Runs

__all__ = ["mark_front"]


def mark_front(runs: Runs, experiment_id: str, results: Results) -> None:
    """Tag the cells of the rungs on the front, and take the tag from those that are no longer.

    A cell is tagged ``front: yes`` with its rung's ``front_probability`` and takes the colour of its track;
    one that was on the front says ``no``. Repeats and cells of other settings are not of this front. A cell
    of an older version gets the metric by which the view sorts; nothing else of a cell is touched.
    """
    on_front = {(one.track, one.rung): one.front_probability for one in results.summaries if one.on_front}
    wanted = {
        cell.fingerprint: on_front[cell.track, cell.rung]
        for cell in results.cells
        if (cell.track, cell.rung) in on_front and cell.status == "finished"
    }
    colour = colours(tracks(results))
    seen: set[str] = set()
    # the latest record of a fingerprint counts
    for run in runs.by_end(experiment_id, "cell"):
        tags = run.data.tags
        fingerprint = tags.get("fingerprint", "")
        if fingerprint in wanted and fingerprint not in seen and run.info.status == "FINISHED":
            seen.add(fingerprint)
            probability = wanted[fingerprint]
            told = {FRONT_TAG: "yes", "mlflow.runColor": colour[tags["track"]]}
            told["front_probability"] = "" if probability is None else f"{probability:.2f}"
        elif tags.get(FRONT_TAG) == "yes":
            told = {FRONT_TAG: "no", "front_probability": ""}
        else:
            continue
        _time(runs, run)
        if any(tags.get(key, "") != value for key, value in told.items()):
            runs.tag_all(run, told)


def _time(runs: Runs, run: Any) -> None:
    """Log search and fit of a cell together, where it was logged without."""
    if TRAINING in run.data.metrics:
        return
    figures = {TRAINING: training_seconds(run.data.metrics)}
    points = {**figures, **log10_columns(figures)}
    runs.log(run, Board(tuple(Point(name, value) for name, value in points.items() if value is not None)))
