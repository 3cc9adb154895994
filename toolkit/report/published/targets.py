"""The section on targets: what they take, by the line and by the curve, in compute, money and carbon."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from toolkit.analysis.interval import Interval
from toolkit.analysis.published.reach import Reach
from toolkit.analysis.published.values import Forecast, Published, Reached, Study
from toolkit.report import elements, formats
from toolkit.report.base import NotApplicable
from toolkit.report.elements import Column
from toolkit.report.published import words

__all__ = ["forecasts"]


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
        for sentence in words.refusals(published, study, one)
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
                Column("Which is"),
                *(
                    [Column("Money", numeric=True), Column("Carbon", numeric=True)]
                    if published.prices
                    else []
                ),
            ],
            rows,
            hide_caption=True,
            hide_empty=True,
        ),
        elements.items(notes),
        _yardsticks(published),
        elements.paragraph(
            "The interval of the line (Fieller's) is right only if there is no floor and the field goes on "
            "as it went. The interval of the curve says what the data allow when there may be one; where "
            "only its least is told, they do not show that the target can be reached.",
            quiet=True,
        ),
    )


def _forecast_rows(published: Published, study: Study, one: Forecast) -> Iterator[list[str | Markup]]:
    fitted = (
        ("line", one.line, one.line_reach, one.usd, one.kg_co2),
        ("curve with a floor", one.curve, one.curve_reach, one.usd_curve, one.kg_co2_curve),
    )
    if one.reached is not None:
        yield _reached_row(published, study, one.target, one.reached)
    for name, value, reach, usd, carbon in fitted:
        if value is None or reach is None:
            continue
        priced = [words.money(usd) if usd else "", words.carbon(carbon) if carbon else ""]
        if reach not in words.WITH_AMOUNT:
            priced = ["", ""]
        yield [
            words.error(published, one.target, 6),
            study.measure.title,
            name,
            *_amount(study, value, reach),
            words.REACHES[reach],
            *((elements.split(text) if text else "" for text in priced) if published.prices else []),
        ]


def _reached_row(published: Published, study: Study, target: float, one: Reached) -> list[str | Markup]:
    """Return the row of what has reached the target, which comes before what the fits say."""
    largest = study.compute(study.points[-1])
    rates = {price.quantity for price in published.prices}
    priced = words.priced(published, study, one.compute)
    money = priced.pop(0) if "usd" in rates and priced else ""
    return [
        words.error(published, target, 6),
        study.measure.title,
        words.reached(study, one).removesuffix(","),
        elements.whole(words.compute(one.compute, study.measure.unit)),
        words.times_the_largest(one.compute / largest),
        "reached",
        *([money, "".join(priced)] if published.prices else []),
    ]


def _amount(study: Study, value: Interval, reach: Reach) -> tuple[str | Markup, str]:
    """Return the compute and its multiple of the largest, as far as either may be told."""
    unit, largest = study.measure.unit, study.compute(study.points[-1])
    if reach in ("cannot", "not_told"):
        return "", ""
    if reach in ("at_most", "at_most_fitted"):
        return elements.whole(f"at most {words.compute(study.compute(study.points[0]), unit, 2)}"), ""
    if reach == "too_far":
        return elements.whole(words.too_far(unit)), ""
    if reach == "not_shown":
        if value.low <= 0:
            return "", ""
        at_least = f"at least {words.compute(value.low, unit, 2)}"
        return elements.whole(at_least), f"at least {words.compute(value.low / largest, '', 2)}"
    return elements.split(words.interval(value, unit)), words.times_the_largest(value.estimate / largest)


def _yardsticks(published: Published) -> Markup:
    lines = []
    for study in published.studies:
        for one in study.forecasts:
            for known in published.declared.get("yardsticks") or ():
                if one.kg_co2 is not None and one.line_reach in words.WITH_AMOUNT:
                    kg = known["kg_co2"]
                    ends = (one.kg_co2.estimate / kg, one.kg_co2.low / kg, one.kg_co2.high / kg)
                    shown = [formats.plain(end, 2) for end in ends]
                    lines.append(
                        f"The carbon of {words.target(published, one.target)} on the line is {shown[0]} "
                        f"[{shown[1]}, {shown[2]}] {known['name']}."
                    )
    return elements.items(lines)
