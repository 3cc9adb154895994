"""The section on targets: what they take, by the line and by the curve, in compute, money and carbon."""

from __future__ import annotations

import math
from collections.abc import Iterator

from markupsafe import Markup

from toolkit.analysis.published.values import Forecast, Published, Study
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
                *(
                    [Column("Money", numeric=True), Column("Carbon", numeric=True)]
                    if published.prices
                    else []
                ),
            ],
            rows,
            hide_caption=True,
        ),
        elements.items(notes),
        _yardsticks(published),
        elements.paragraph(
            "The interval of the line (Fieller's) is right only if there is no floor and the field goes on "
            "as it went. The interval of the curve says what the data allow when there may be one; ∞ means "
            "that they do not show that the target can be reached.",
            quiet=True,
        ),
    )


def _forecast_rows(published: Published, study: Study, one: Forecast) -> Iterator[list[str | Markup]]:
    unit, largest = study.measure.unit, study.compute(study.points[-1])
    fitted = (
        ("line", one.line, one.usd, one.kg_co2),
        ("curve with a floor", one.curve, one.usd_curve, one.kg_co2_curve),
    )
    for name, value, usd, carbon in fitted:
        if value is None:
            continue
        priced = [_split(words.money(usd)) if usd else "", _split(words.carbon(carbon)) if carbon else ""]
        yield [
            words.error(published, one.target),
            study.measure.title,
            name,
            _split(words.interval(value, unit if math.isfinite(value.estimate) else "")),
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
