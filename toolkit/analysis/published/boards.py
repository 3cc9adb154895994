"""What a results board shows of published results: a run a model, and the report's key figures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from toolkit.analysis.boards.values import Board, Point, rounded
from toolkit.analysis.boards.views import CHARTS, RESULTS, Chart, Column, View
from toolkit.analysis.interval import Interval
from toolkit.analysis.published.values import Forecast, Published, Study
from toolkit.published.values import Observation

__all__ = ["model_board", "note", "report_board", "views"]

_ENDS = ("low", "high")


def model_board(published: Published, one: Observation) -> Board:
    """Return one published model: year, error and compute as figures, sources and doubts as tags.

    Compute stands there in logarithms too: the charts of a board are linear.
    """
    points = [Point("error", one.error)]
    if one.year is not None:
        points.append(Point("year", one.year))
    titles = {study.measure.key: study.measure for study in published.studies}
    for key, value in one.compute.items():
        points.append(Point(key, value))
        points.append(Point(f"log10_{key}", rounded(math.log10(value))))
    points.append(Point("log10_error", rounded(math.log10(one.error))))
    tags = {f"source.{what}": _cited(published, keys) for what, keys in one.sources.items()}
    tags |= {f"unit.{key}": titles[key].unit for key in one.compute if key in titles}
    tags |= {"note": one.note} if one.note else {}
    params = {**one.labels, **{key: f"{value:.6g}" for key, value in one.facts.items()}}
    params |= {"family": one.family} if one.family else {}
    params |= {"year": f"{one.year:.0f}"} if one.year is not None else {}
    return Board(tuple(points), params, tags)


def _cited(published: Published, keys: str) -> str:
    declared: Mapping[str, str] = published.declared.get("sources") or {}
    return "; ".join(declared.get(key, key).strip() for key in keys.split())


def report_board(published: Published) -> Board:
    """Return the key figures of every measure, with their intervals, and the sentences as tags."""
    points = [point for study in published.studies for point in _figures(study)]
    if published.decomposition is not None:
        factors = published.decomposition
        points += [
            Point(f"decomposition/{name}", getattr(factors, name))
            for name in ("hardware", "processors", "time", "product", "error")
        ]
    points.append(Point("results", float(len(published.observations))))
    points += list(_least_by_year(published))
    tags = {"verdict": published.sentences[0]} if published.sentences else {}
    tags |= {f"sentence.{i}": told for i, told in enumerate(published.sentences[1:], 2)}
    kept = tuple(point for point in points if math.isfinite(point.value))
    return Board(kept, {key: str(value) for key, value in published.environment.items()}, tags)


def _figures(study: Study) -> Iterator[Point]:
    key, line = study.measure.key, study.line
    yield Point(f"{key}/results", float(len(study.points)))
    yield Point(f"{key}/r_squared", line.r_squared)
    for name, value in (("exponent", line.exponent), ("power", line.power), ("k_half", line.k_half)):
        yield from _interval(f"{key}/{name}", value)
    if study.shows_floor:
        yield from _interval(f"{key}/floor", study.curve.floor)
    elif study.may_fall and study.held.curve.floor is not None:
        yield Point(f"{key}/floor high", study.held.curve.floor.high)
    for one in study.forecasts:
        yield from _target(key, one)


def _interval(name: str, value: Interval | None) -> Iterator[Point]:
    if value is not None:
        yield Point(name, value.estimate)
        yield from (Point(f"{name} {end}", getattr(value, end)) for end in _ENDS)


def _target(key: str, one: Forecast) -> Iterator[Point]:
    """Yield what the report tells of a target, by the fit that it tells; named so where it is no forecast."""
    if one.reached is not None:
        yield Point(f"{key}/compute reached at error {one.target:.6g}", one.reached.compute)
    usd, carbon = (one.usd_curve, one.kg_co2_curve) if one.by == "curve" else (one.usd, one.kg_co2)
    told = {"compute": one.told, "usd": usd, "kg_co2": carbon}
    for what, value in told.items():
        name = f"{key}/{what} at error {one.target:.6g}"
        if one.reach in ("measured", "forecast"):
            yield from _interval(name, value)
        elif one.reach == "drawn_on":
            yield from _interval(f"{name} on the {one.by} - no forecast", value)
        elif one.reach == "not_shown" and value is not None:
            yield Point(f"{name} low", value.low)


def _least_by_year(published: Published) -> Iterator[Point]:
    """Yield the least error published up to each year, at that year as the step."""
    dated = sorted((one.year, one.error) for one in published.observations if one.year is not None)
    for year in sorted({int(year) for year, _ in dated}):
        yield Point("least error by year", min(error for when, error in dated if when < year + 1), year)


def note(published: Published, links: Mapping[str, str]) -> str:
    """Return the experiment's page in Markdown: what it is about, the links, then the sentences.

    Folded, MLflow shows the first line only: too short for a finding with its interval.
    """
    head = " · ".join([published.title, *(f"[{title}]({address})" for title, address in links.items())])
    first, *others = published.sentences or ("",)
    told = [f"**{first}**" if first else "", "\n".join(f"- {one}" for one in others)]
    return "\n\n".join(block for block in (head, *told, published.description) if block)


def views(published: Published) -> tuple[View, ...]:
    """Return the charts of the models, straight lines among them, and the models as a table."""
    keys = [study.measure.key for study in published.studies]
    straight = [
        Chart("scatter", "log10_error", x=f"log10_{key}", section="Error against compute") for key in keys
    ]
    charts = (*straight, Chart("scatter", "error", x="year", section="Error against the year"))
    columns = (
        Column("metrics.`error`", 90),
        Column("metrics.`year`", 90),
        *(Column(f"metrics.`log10_{key}`", 200) for key in keys),
    )
    condition, folded = "tags.kind = 'published'", ("Model metrics",)
    return (
        View(CHARTS, "Error against compute", condition, columns, charts=charts, folded=folded),
        View(
            RESULTS,
            "Published results, the least error first",
            condition,
            columns,
            order_by="metrics.`error`",
            ascending=True,
            charts=charts,
            folded=folded,
        ),
    )
