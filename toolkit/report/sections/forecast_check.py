"""The forecasts held against what was measured, and early stops: checks that a reader can see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from markupsafe import Markup

from toolkit.analysis.forecast_record import BackTest, RungForecast
from toolkit.analysis.results import Results
from toolkit.report import elements, figures, formats
from toolkit.report.base import NotApplicable, Section
from toolkit.report.curve_axes import ErrorAxis, error_axes
from toolkit.report.elements import Column, Tile
from toolkit.report.forecast_figures import axis_words, forecasts_against_measured, missed_by
from toolkit.report.looks import label, track_names
from toolkit.report.stop_tables import replayed, stopped

__all__ = ["ForecastCheckSection"]

_FORECASTERS = {"curve": "Fitted curve", "loglog": "Log-log line", "unchanged": "No further change"}


class ForecastCheckSection(Section):
    """What the cheaper rungs foretold of the others, and what stopping early did or would have done."""

    order: ClassVar[int] = 32
    title: ClassVar[str] = "Would the forecasts have been right?"

    def render(self, results: Results) -> Markup:
        """Return figures and tables; not applicable without a ladder of ten rungs and without early stops."""
        backtest = results.backtest
        if not backtest.forecasts and not results.stops:
            raise NotApplicable(_why_not(backtest))
        return elements.join(
            *(_checked(results) if backtest.forecasts else [elements.paragraph(_why_not(backtest))]),
            stopped(results),
            replayed(results),
        )


def _why_not(backtest: BackTest) -> str:
    if not backtest.too_short:
        return "No track has climbed a ladder of data, so there is no forecast to check."
    rungs = ", ".join(f"{track} {n}" for track, n in backtest.too_short.items())
    return (
        "Forecasts are held against what was measured on ladders of at least 10 rungs; these have fewer: "
        f"{rungs}."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _checked(results: Results) -> list[Markup]:
    backtest = results.backtest
    return [
        elements.paragraph(_sentence(backtest)),
        elements.tiles(
            [
                Tile(
                    f"{_percent(backtest.level)} intervals that held",
                    f"{sum(one.inside for one in backtest.forecasts)} of {len(backtest.forecasts)}",
                    ", ".join(
                        f"{track} {_percent(share)}" for track, share in backtest.coverage_by_track.items()
                    ),
                ),
                *(
                    Tile(
                        f"{_FORECASTERS[name]}: off by",
                        f"{formats.number(100 * backtest.log_errors[name])} %",
                        "mean over these rungs",
                    )
                    for name in _FORECASTERS
                ),
            ]
        ),
        *(_figure(results, error) for error in error_axes(results)),
    ]


def _sentence(backtest: BackTest) -> str:
    """Return the plain sentence of the section."""
    n, held = len(backtest.forecasts), sum(one.inside for one in backtest.forecasts)
    n_tracks = len(backtest.coverage_by_track)
    words = (
        f"The cheaper 70 % of the rungs foretold the others: the {_percent(backtest.level)} intervals held "
        f"{held} of {n} ({_percent(held / n)}"
    )
    if backtest.coverage is not None:
        tracks = f"{n_tracks} tracks, whose rungs" if n_tracks != 1 else "one track, whose rungs"
        words += (
            f", 95 % interval {_percent(backtest.coverage.low)} to {_percent(backtest.coverage.high)}: they "
            f"are of {tracks} share cells)."
        )
    refused = [one for one in backtest.forecasts if one.refusals]
    if refused:
        some = "All" if len(refused) == n else f"{len(refused)} of them"
        words += (
            f" {some} would have been refused: from these rungs alone, the report would show no forecast."
        )
    return words


def _figure(results: Results, error: ErrorAxis) -> Markup:
    forecasts = [one for one in results.backtest.forecasts if error.fitted(one.error)]
    if not forecasts:
        return Markup("")
    outside = [one for one in forecasts if not one.inside]
    high = sum(missed_by(one).low > 0 for one in outside)
    told = (
        f"{len(outside)} missed: {high} foretold too much error, {len(outside) - high} too little."
        if outside
        else "None missed."
    )
    level = _percent(results.backtest.level)
    return figures.embed(
        forecasts_against_measured(results, forecasts),
        name=f"forecast-{forecasts[0].error}",
        title=f"{error.title}: forecasts from the cheaper rungs",
        description=f"Zero is what was measured; each line is the {level} interval that the cheaper rungs "
        f"alone foretold of one rung. Filled markers held, open ones missed. {told}",
        table=_table(results, forecasts, error.title),
        note="In brackets: the cost as a multiple of the largest one that was fitted.",
    )


def _table(results: Results, forecasts: Sequence[RungForecast], title: str) -> Markup:
    known = track_names(results)
    return elements.table(
        f"{title}: forecasts from the cheaper rungs",
        [
            Column("Track"),
            Column("Against"),
            Column("Cost", numeric=True),
            Column("Times the largest fitted", numeric=True),
            Column("Forecast", numeric=True, note=f"{_percent(results.backtest.level)} interval"),
            Column("Measured", numeric=True),
            Column("Held"),
            Column("Log-log line", numeric=True),
            Column("No further change", numeric=True),
            Column("Would be refused for"),
        ],
        [
            [
                label(one.track, known),
                axis_words(one.cost),
                formats.number(one.spent),
                formats.number(one.times, 2),
                elements.estimate(one.predicted),
                formats.number(one.observed, 4),
                "yes" if one.inside else "no",
                formats.number(one.loglog, 4),
                formats.number(one.unchanged, 4),
                ", ".join(formats.words(code) for code in one.refusals),
            ]
            for one in forecasts
        ],
    )
