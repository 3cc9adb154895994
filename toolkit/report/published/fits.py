"""Sections on the fits: lines and curves, what the data cannot tell, and what targets take."""

from __future__ import annotations

import math
from collections.abc import Iterator

from markupsafe import Markup

from toolkit.analysis.interval import Interval
from toolkit.analysis.published.values import Forecast, Published, Study
from toolkit.report import elements, formats
from toolkit.report.base import NotApplicable
from toolkit.report.elements import Column
from toolkit.report.published import words
from toolkit.report.published.sentences import AS_GOOD, cannot_tell

__all__ = ["fits", "floors", "forecasts"]

_FORMS = {
    "power": "power law",
    "power_floor": "power law with a floor",
    "exponential_floor": "exponential with a floor",
    "log": "logarithm",
}


def fits(published: Published) -> Markup:
    """Return the regressions and curves of all measures, and lines within families."""
    return elements.join(_lines(published), _curves(published), _families(published), _refused(published))


def _lines(published: Published) -> Markup:
    rows = []
    for study in published.studies:
        line, year = study.line, study.with_year
        rows.append(
            [
                study.measure.title,
                str(line.n),
                elements.estimate(line.exponent),
                elements.estimate(line.power),
                _factor(line.k_half),
                formats.number(line.r_squared, 2),
                elements.estimate(year.power) if year else "",
                _yearly(study),
            ]
        )
    return elements.table(
        f"The classic regression: log error on log compute, least squares, all results alike; {words.level(published)} intervals",
        [
            Column("Measure"),
            Column("Results", numeric=True),
            Column("Exponent", numeric=True),
            Column("Power", numeric=True, note="1 / exponent"),
            Column("Compute to halve the error", numeric=True, note="times"),
            Column("R²", numeric=True),
            Column("Power with year beside it", numeric=True),
            Column("Error a year", numeric=True, note="at equal compute"),
        ],
        rows,
    )


def _factor(value: Interval) -> Markup:
    ends = f"[{formats.plain(value.low, 2)}, {formats.plain(value.high, 2)}]"
    return elements.fragment("estimate", main=formats.plain(value.estimate, 2), ends=ends)


def _yearly(study: Study) -> Markup | str:
    if study.with_year is None:
        return ""
    return elements.estimate(study.with_year.share_a_year, formats.ratio)


def _curves(published: Published) -> Markup:
    rows = []
    for study in published.studies:
        curve = study.curve
        if curve.floor is None:
            continue
        held = curve.held_out
        rows.append(
            [
                study.measure.title,
                elements.estimate(curve.exponent) if curve.exponent else "",
                _error_cell(published, study),
                Markup("<br>").join(
                    f"{_FORMS[form]} {formats.ratio(weight, 2)}" for form, weight in curve.forms if weight >= 0.005
                ),
                ""
                if held is None
                else f"{words.error(published, held.observed)}, expected {words.error_interval(published, held.predicted)}",
            ]
        )
    if not rows:
        return Markup("")
    return elements.table(
        "The curve with a floor, fitted to the same results",
        [
            Column("Measure"),
            Column("Exponent above the floor", numeric=True),
            Column("Floor", numeric=True),
            Column("Forms", note="AICc weights"),
            Column("The result of largest compute", note="expected from the others"),
        ],
        rows,
    )


def _error_cell(published: Published, study: Study) -> Markup:
    main, _, ends = words.error_interval(published, study.curve.floor).partition(" [")
    return elements.fragment("estimate", main=main, ends=f"[{ends}")


def _families(published: Published) -> Markup:
    rows = [
        [
            each.family,
            study.measure.title,
            str(each.n),
            elements.estimate(each.line.power),
            _factor(each.line.k_half),
            formats.number(each.line.r_squared, 2),
        ]
        for study in published.studies
        for each in study.families
    ]
    if not rows:
        return Markup("")
    return elements.join(
        Markup("<h3>{}</h3>").format("Within one family"),
        elements.paragraph(
            "Sizes of one architecture, trained alike: nearer to what a single recipe gains from more compute."
        ),
        elements.table(
            "Lines within a family",
            [
                Column("Family"),
                Column("Measure"),
                Column("Sizes", numeric=True),
                Column("Power", numeric=True),
                Column("Compute to halve the error", numeric=True, note="times"),
                Column("R²", numeric=True),
            ],
            rows,
            hide_caption=True,
        ),
    )


def _refused(published: Published) -> Markup:
    rows = [
        [study.measure.title, formats.sentence(sentence)]
        for study in published.studies
        for _, sentence in study.refusals
    ]
    if not rows:
        return Markup("")
    return elements.table(
        "What speaks against forecasting from the curve", [Column("Measure"), Column("Why")], rows
    )


def floors(published: Published) -> Markup:
    """Return how well given floors fit, measure by measure.

    Raises
    ------
    NotApplicable
        Too few results for a curve.
    """
    parts: list[Markup] = []
    for study in published.studies:
        if not study.floors:
            continue
        parts += [
            Markup("<h3>{}</h3>").format(study.measure.title),
            elements.paragraph(cannot_tell(published, study)),
            elements.table(
                f"Curves with a given floor, {words.lower(study.measure.title)}",
                [
                    Column("Floor", numeric=True),
                    Column("Exponent above it", numeric=True),
                    Column("Sum of squares", numeric=True, note="of log errors"),
                    Column("AICc", numeric=True, note="lower is better"),
                    Column("Against no floor"),
                ],
                list(_floor_rows(published, study)),
            ),
        ]
    if not parts:
        raise NotApplicable("A curve with a floor takes at least five results of different compute.")
    told = (
        f"Fits whose AICc differs by less than {formats.plain(AS_GOOD)} are as good as each other. A floor "
        "given beforehand counts as no parameter."
    )
    return elements.join(*parts, elements.paragraph(told, quiet=True))


def _floor_rows(published: Published, study: Study) -> Iterator[list[str | Markup]]:
    none = study.floors[0]
    for one in study.floors:
        difference = one.aicc - none.aicc
        verdict = "as good" if abs(difference) < AS_GOOD else "better" if difference < 0 else "worse"
        yield [
            "none" if one.floor == 0 else words.error(published, one.floor),
            formats.number(one.exponent),
            formats.number(one.squares, 4),
            formats.number(one.aicc, 4),
            "" if one is none else verdict,
        ]


def forecasts(published: Published) -> Markup:
    """Return what targets take, by the line and by the curve.

    Raises
    ------
    NotApplicable
        No target was named.
    """
    rows = [
        row
        for study in published.studies
        for one in study.forecasts
        for row in _forecast_rows(published, study, one)
    ]
    if not rows:
        raise NotApplicable("No target was named (targets in the file, or --target).")
    notes = dict.fromkeys(
        formats.sentence(sentence)
        for study in published.studies
        for one in study.forecasts
        for _, sentence in one.refusals
    )
    return elements.join(
        elements.table(
            f"What targets take, with {words.level(published)} intervals",
            [
                Column("Target", numeric=True),
                Column("Measure"),
                Column("By"),
                Column("Compute", numeric=True),
                Column("Times the largest", numeric=True),
                *([Column("Money", numeric=True), Column("Carbon", numeric=True)] if published.prices else []),
            ],
            rows,
            hide_caption=True,
        ),
        elements.items(notes),
        _yardsticks(published),
        elements.paragraph(
            "The interval of the line (Fieller's) is right only if there is no floor and the field goes on as "
            "it went. The interval of the curve says what the data allow when there may be one; ∞ means that "
            "they do not show that the target can be reached.",
            quiet=True,
        ),
    )


def _forecast_rows(published: Published, study: Study, one: Forecast) -> Iterator[list[str | Markup]]:
    unit, largest = study.measure.unit, study.compute(study.points[-1])
    fitted = (("line", one.line, one.usd, one.kg_co2), ("curve with a floor", one.curve, one.usd_curve, one.kg_co2_curve))
    for name, value, usd, carbon in fitted:
        if value is None:
            continue
        priced = [_split(words.money(usd)) if usd else "", _split(words.carbon(carbon)) if carbon else ""]
        yield [
            words.error(published, one.target),
            study.measure.title,
            name,
            _split(words.interval(value, unit)),
            "∞" if math.isinf(value.estimate) else formats.plain(value.estimate / largest, 2),
            *(priced if published.prices else []),
        ]


def _split(text: str) -> Markup:
    main, _, ends = text.partition(" [")
    return elements.fragment("estimate", main=main, ends=f"[{ends}" if ends else "")


def _yardsticks(published: Published) -> Markup:
    lines = []
    for study in published.studies:
        for one in study.forecasts:
            for known in published.declared.get("yardsticks") or ():
                if one.kg_co2 is not None:
                    kg = known["kg_co2"]
                    ends = (one.kg_co2.estimate / kg, one.kg_co2.low / kg, one.kg_co2.high / kg)
                    shown = [formats.plain(end, 2) for end in ends]
                    lines.append(
                        f"The carbon of {words.error(published, one.target)} on the line is {shown[0]} "
                        f"[{shown[1]}, {shown[2]}] {known['name']}."
                    )
    return elements.items(lines)
