"""The views of an experiment that are made ready to look at: which runs, which columns, which charts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from toolkit.analysis.boards import names
from toolkit.analysis.boards.costs import TRAINING
from toolkit.analysis.results import Results

__all__ = ["CHARTS", "FRONT", "FRONT_TAG", "RESULTS", "TRACKS", "Chart", "Column", "View", "views"]

CHARTS = "costcurves-charts"
TRACKS = "costcurves-tracks"
RESULTS = "costcurves-results"
FRONT = "costcurves-front"
"""Keys of the views."""

FRONT_TAG = "front"
"""``tags.front = 'yes'`` in the search box lists the cells on the front."""

_FOLDED = (
    "curves",
    "straight lines",
    "verdict",
    "work of import",
    "work of load",
    "work of predict batch",
    "work of predict first",
    "work of predict single",
    "work of search",
    "Model metrics",
)


@dataclass(frozen=True)
class Chart:
    """One chart; MLflow makes its title of the metrics' names.

    Parameters
    ----------
    kind : "line", "bar" or "scatter"
    metric : str
        On the y axis; of a bar chart, the length of the bars.
    x : str
        The metric on the x axis; the step of `metric` when empty.
    log_x : bool
        A logarithmic x axis; of steps only, MLflow has none for metrics.
    section : str
        Charts of a section stand together under its name.
    """

    kind: Literal["line", "bar", "scatter"]
    metric: str
    x: str = ""
    log_x: bool = False
    section: str = ""


class Column(NamedTuple):
    """A column of the table: its name in MLflow's words, e.g. ``tags.`track```, and its width in pixels."""

    name: str
    width: int


@dataclass(frozen=True)
class View:
    """A saved view.

    Parameters
    ----------
    key : str
        Part of its address; never changes.
    name : str
        As the list of views shows it.
    condition : str
        Which runs, in MLflow's words.
    columns : tuple of Column
    order_by : str
        A column; by time when empty.
    ascending : bool
    charts : tuple of Chart
    folded : tuple of str
        Sections of the charts that MLflow adds for all other metrics: they are there, folded.
    """

    key: str
    name: str
    condition: str
    columns: tuple[Column, ...] = ()
    order_by: str = ""
    ascending: bool = False
    charts: tuple[Chart, ...] = ()
    folded: tuple[str, ...] = ()


def views(results: Results) -> tuple[View, ...]:
    """Return the charts of the tracks, the tracks as a table, and the front."""
    columns = _track_columns(results)
    charts = (*_cost_charts(results), *_verdict_charts(results))
    condition = "tags.kind = 'track'"
    found = [
        View(CHARTS, "Cost-performance charts", condition, columns=columns, charts=charts, folded=_FOLDED),
        View(
            TRACKS,
            "Tracks: what each earns",
            condition,
            columns=columns,
            order_by=_metric(names.in_verdict(names.net_value(names.unit_of(results)))),
            charts=charts,
            folded=_FOLDED,
        ),
    ]
    if any(one.on_front for one in results.summaries):
        found.append(_front(str(results.task.get("primary_error", "error_log_loss"))))
    return tuple(found)


def _metric(name: str) -> str:
    return f"metrics.`{name}`"


def _cost_charts(results: Results) -> list[Chart]:
    section = "What the error costs"
    money = names.net_value(names.unit_of(results))
    curves = (
        names.along(names.ERROR, names.ALONG_CPU),
        names.along(names.ERROR, names.ALONG_ROWS),
        names.along(money, names.ALONG_CPU),
        names.along(money, names.ALONG_ROWS),
        names.along(names.AP_ERROR, names.ALONG_CPU),
    )
    charts = [Chart("line", metric, log_x=True, section=section) for metric in curves]
    charts.insert(4, Chart("line", names.LOG_ERROR, x=names.LOG_CPU, section=section))
    if any(cell.n_rules is not None for cell in results.cells):
        charts.append(Chart("line", names.along(names.ERROR, names.ALONG_RULES), section=section))
    return charts


def _verdict_charts(results: Results) -> list[Chart]:
    if not results.verdict.tracks:
        return []
    unit, gap = names.unit_of(results), names.gap_unit(results.verdict)
    bars = (names.behind(gap), names.BEST_CHANCE, names.in_verdict(names.net_value(unit)), names.CPU)
    return [Chart("bar", metric, section="What each track earns") for metric in bars]


def _track_columns(results: Results) -> tuple[Column, ...]:
    """Return the columns, the telling ones first: a narrow window shows no more."""
    unit = names.unit_of(results)
    return (
        Column("tags.`verdict`", 230),
        Column(_metric(names.in_verdict(names.net_value(unit))), 240),
        Column(_metric(names.BEST_CHANCE), 200),
        Column(_metric(names.in_verdict(names.ERROR)), 100),
        Column(_metric(names.CPU), 140),
        Column(_metric(names.ROWS), 140),
        Column("tags.`rungs_on_front`", 160),
    )


def _front(primary: str) -> View:
    cost = TRAINING
    columns = (
        Column("tags.`track`", 90),
        Column("params.`n_train`", 90),
        Column(_metric(cost), 160),
        Column(_metric(primary), 160),
        Column("tags.`front_probability`", 140),
        Column("params.`rung`", 60),
        Column("params.`seed`", 60),
    )
    straight = Chart("scatter", f"log10_{primary}", x=f"log10_{cost}", section="Cells on the front")
    return View(
        FRONT,
        "Front: nothing is cheaper and better",
        f"tags.{FRONT_TAG} = 'yes'",
        columns=columns,
        order_by=_metric(cost),
        ascending=True,
        charts=(straight,),
        folded=("Model metrics",),
    )
