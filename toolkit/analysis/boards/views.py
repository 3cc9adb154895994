"""The views of an experiment that are made ready to look at: which runs, which columns, which charts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toolkit.analysis.boards import names
from toolkit.analysis.results import Results

__all__ = ["FRONT", "Chart", "View", "views"]

FRONT = "tags.front = 'yes'"
"""What to type into the search box to see the cells on the front."""

Axis = Literal["linear", "log"]


@dataclass(frozen=True)
class Chart:
    """One chart.

    Parameters
    ----------
    kind : "line", "bar" or "scatter"
    title : str
    metric : str
        On the y axis; of a bar chart, the length of the bars.
    x : str
        The metric on the x axis; the step of `metric` when empty.
    x_axis : "linear" or "log"
        Logarithmic for steps only.
    section : str
        Charts of a section stand together under its name.
    """

    kind: Literal["line", "bar", "scatter"]
    title: str
    metric: str
    x: str = ""
    x_axis: Axis = "linear"
    section: str = ""


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
    columns : tuple of str
        As MLflow names them, e.g. ``metrics.`CPU seconds```.
    order_by : str
        A column; by time when empty.
    ascending : bool
    charts : tuple of Chart
    """

    key: str
    name: str
    condition: str
    columns: tuple[str, ...] = ()
    order_by: str = ""
    ascending: bool = False
    charts: tuple[Chart, ...] = ()


def views(results: Results) -> tuple[View, ...]:
    """Return the charts of the tracks, the tracks as a table, and the front."""
    board = tuple(_cost_charts(results)) + tuple(_verdict_charts(results))
    found = [
        View("costcurves-charts", "Cost-performance charts", "tags.kind = 'track'", charts=board),
        View(
            "costcurves-tracks",
            "Tracks: what each earns",
            "tags.kind = 'track'",
            columns=_track_columns(results),
            order_by=_metric(names.in_verdict(names.net_value(names.unit_of(results)))),
            charts=board,
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
    along_cpu, along_rows = names.ALONG_CPU, names.ALONG_ROWS
    charts = [
        Chart(
            "line",
            "Test error by CPU ms of the fit, log",
            names.along(names.ERROR, along_cpu),
            x_axis="log",
            section=section,
        ),
        Chart(
            "line",
            "Test error by training rows, log",
            names.along(names.ERROR, along_rows),
            x_axis="log",
            section=section,
        ),
        Chart(
            "line",
            f"{money[0].upper()}{money[1:]} by training rows, log",
            names.along(money, along_rows),
            x_axis="log",
            section=section,
        ),
        Chart(
            "line",
            "log10 test error by log10 CPU seconds",
            names.LOG_ERROR,
            x=names.LOG_CPU,
            section=section,
        ),
        Chart(
            "line",
            "1 - average precision by CPU ms of the fit, log",
            names.along(names.AP_ERROR, along_cpu),
            x_axis="log",
            section=section,
        ),
    ]
    if any(cell.n_rules is not None for cell in results.cells):
        charts.append(
            Chart(
                "line",
                "Test error by number of rules",
                names.along(names.ERROR, names.ALONG_RULES),
                section=section,
            )
        )
    return charts


def _verdict_charts(results: Results) -> list[Chart]:
    if not results.verdict.tracks:
        return []
    section = "What each track earns"
    unit, gap = names.unit_of(results), names.gap_unit(results.verdict)
    bars = {
        f"Behind the leader, {gap.words} a year": names.behind(gap),
        "Probability of being best, percent": names.BEST_CHANCE,
        f"Net value, {unit.words} a year": names.in_verdict(names.net_value(unit)),
        "CPU seconds of a fit": names.CPU,
    }
    return [Chart("bar", title, metric, section=section) for title, metric in bars.items()]


def _track_columns(results: Results) -> tuple[str, ...]:
    unit = names.unit_of(results)
    figures = (
        names.in_verdict(names.net_value(unit)),
        names.behind(names.gap_unit(results.verdict)),
        names.BEST_CHANCE,
        names.in_verdict(names.ERROR),
        names.CPU,
        names.ROWS,
    )
    return ("tags.`verdict`", *(_metric(name) for name in figures), "tags.`rungs_on_front`")


def _front(primary: str) -> View:
    cost = "cost_fit_cpu_seconds"
    columns = (
        "tags.`track`",
        "params.`rung`",
        "params.`seed`",
        "params.`n_train`",
        _metric(primary),
        _metric(cost),
        "tags.`front_probability`",
    )
    straight = Chart(
        "scatter",
        "log10 test error by log10 CPU seconds of the fit",
        f"log10_{primary}",
        x=f"log10_{cost}",
        section="Cells on the front",
    )
    return View(
        "costcurves-front",
        "The front: nothing is cheaper and better",
        FRONT,
        columns=columns,
        order_by=_metric(cost),
        ascending=True,
        charts=(straight,),
    )
