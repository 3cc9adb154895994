"""Saved views in the form that MLflow's UI keeps them in: tags of the experiment.

The form is MLflow's own and told nowhere; this one is of version 3.17, and a browser test opens each view.
A view that cannot be written is a line in the log, for it is a way of looking and no result.
"""

from __future__ import annotations

import base64
import json
import logging
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from toolkit.analysis.boards.views import Chart, View
from toolkit.store.runs import Runs, now_ms

__all__ = ["TAG", "decode", "encode", "state", "write_views"]

TAG = "mlflow.sharedViewState."
"""Followed by the view's key."""

_COMPRESSED = "deflate;"
_log = logging.getLogger(__name__)


def write_views(runs: Runs, experiment_id: str, views: Iterable[View]) -> None:
    """Write the views of an experiment; what is there and the same is left alone."""
    try:
        tags = runs.experiment_tags(experiment_id)
        for view in views:
            before = tags.get(f"{TAG}{view.key}")
            if before is None or not _is_same(before, view):
                runs.tag_experiment(experiment_id, f"{TAG}{view.key}", encode(view, now_ms()))
    except Exception as error:
        _log.warning(
            "the saved views of the MLflow UI were not written (%s: %s)", type(error).__name__, error
        )


def encode(view: View, when_ms: int) -> str:
    """Return the value of a view's tag.

    Parameters
    ----------
    view : View
    when_ms : int
        When it was saved: milliseconds since 1970-01-01 UTC.
    """
    packed = base64.b64encode(zlib.compress(json.dumps(state(view)).encode())).decode()
    envelope = {"name": view.name, "createdAt": when_ms, "updatedAt": when_ms}
    return json.dumps({**envelope, "state": f"{_COMPRESSED}{packed}"})


def decode(value: str) -> dict[str, Any]:
    """Return a view's tag as plain data, its state unpacked under ``state``.

    Raises
    ------
    ValueError, KeyError
        It is no view.
    """
    envelope = json.loads(value)
    packed = str(envelope["state"]).removeprefix(_COMPRESSED)
    return {**envelope, "state": json.loads(zlib.decompress(base64.b64decode(packed)))}


def _is_same(value: str, view: View) -> bool:
    try:
        found = decode(value)
    except (ValueError, KeyError, TypeError, zlib.error):
        return False
    return found.get("name") == view.name and found["state"] == json.loads(json.dumps(state(view)))


def state(view: View) -> dict[str, Any]:
    """Return the state of the UI's page that shows a view."""
    named = list(dict.fromkeys(chart.section for chart in view.charts))
    sections = {name: f"{view.key}-{place}" for place, name in enumerate(named)}
    folded = [_section(f"{view.key}-{name}", name, display=False) for name in view.folded]
    return {
        "searchFilter": view.condition,
        "orderByKey": view.order_by or "attributes.start_time",
        "orderByAsc": view.ascending,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": [column.name for column in view.columns],
        "columnOrder": [column.name for column in view.columns],
        "columnWidths": {column.name: column.width for column in view.columns},
        "runsHiddenMode": "SHOW_ALL",
        "groupBy": None,
        "groupsExpanded": {},
        "useGroupedValuesInCharts": True,
        "hideEmptyCharts": True,
        "viewMaximized": False,
        "runListHidden": False,
        # else MLflow sorts the sections by name
        "isAccordionReordered": True,
        "chartsSearchFilter": "",
        "globalLineChartConfig": {"xAxisKey": "step", "lineSmoothness": 0, "selectedXAxisMetricKey": ""},
        "compareRunSections": [
            *(_section(identifier, name, display=True) for name, identifier in sections.items()),
            *folded,
        ],
        "compareRunCharts": [
            _chart(chart, f"{view.key}-chart-{place}", sections[chart.section])
            for place, chart in enumerate(view.charts)
        ],
    }


def _section(identifier: str, name: str, *, display: bool) -> dict[str, Any]:
    return {
        "uuid": identifier,
        "name": name,
        "display": display,
        "isReordered": False,
        "deleted": False,
        "isGenerated": False,
        "columns": 2,
    }


def _chart(chart: Chart, identifier: str, section: str) -> dict[str, Any]:
    common: dict[str, Any] = {
        "uuid": identifier,
        "type": chart.kind.upper(),
        "metricSectionId": section,
        "deleted": False,
        "isGenerated": False,
        "runsCountToCompare": 100,
    }
    if chart.kind == "scatter":
        axes: Mapping[str, str] = {"xaxis": chart.x, "yaxis": chart.metric}
        return common | {axis: {"key": key, "type": "METRIC"} for axis, key in axes.items()}
    common |= {"metricKey": chart.metric, "selectedMetricKeys": [chart.metric]}
    if chart.kind == "bar":
        return common
    return common | {
        "xAxisKey": "metric" if chart.x else "step",
        "selectedXAxisMetricKey": chart.x,
        "xAxisScaleType": "log" if chart.log_x else "linear",
        "scaleType": "linear",
        "useGlobalXaxisKey": False,
        "useGlobalLineSmoothing": True,
        "lineSmoothness": 0,
        "displayPoints": True,
        "yAxisKey": "metric",
        "yAxisExpressions": [],
        "ignoreOutliers": False,
        "range": {},
    }
