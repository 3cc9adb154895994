"""Sections on the fits: lines and curves, and what the data cannot tell."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from toolkit.analysis.published.values import Published, Study
from toolkit.report import elements, formats
from toolkit.report.base import NotApplicable
from toolkit.report.elements import Column
from toolkit.report.published import words
from toolkit.report.published.sentences import AS_GOOD, cannot_tell

__all__ = ["fits", "floors", "title_of_floors"]

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
                elements.split(words.power(line.power)),
                elements.split(words.halving(line)),
                formats.r_squared(line.r_squared),
                elements.split(words.power(year.power)) if year else "",
                _yearly(study),
            ]
        )
    return elements.table(
        "The classic regression: log error on log compute, least squares, all results alike; "
        f"{words.level(published)} intervals",
        [
            Column("Measure"),
            Column(words.counted(published), numeric=True),
            Column("Exponent", numeric=True),
            Column("Power", numeric=True, note="1 / exponent"),
            Column("Compute to halve the error", numeric=True, note="times"),
            Column("R²", numeric=True),
            Column("Power with year beside it", numeric=True),
            Column("Error a year", numeric=True, note="at equal compute"),
        ],
        rows,
        hide_empty=True,
    )


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
                elements.estimate(curve.exponent) if curve.exponent and study.may_fall else "not known",
                elements.split(words.floor(published, study)),
                Markup("<br>").join(
                    f"{_FORMS[form]} {formats.ratio(weight, 2)}"
                    for form, weight in curve.forms
                    if weight >= 0.005
                ),
                ""
                if held is None
                else f"{words.error(published, held.observed)}, expected "
                f"{words.error_interval(published, held.predicted)}",
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


def _families(published: Published) -> Markup:
    rows = [
        [
            each.family,
            study.measure.title,
            str(each.n),
            elements.split(words.power(each.line.power)),
            elements.split(words.halving(each.line)),
            formats.r_squared(each.line.r_squared),
        ]
        for study in published.studies
        for each in study.families
    ]
    if not rows:
        return Markup("")
    return elements.join(
        Markup("<h3>{}</h3>").format("Within one family"),
        elements.paragraph(
            "Rows that the table's column 'family' puts together, as sizes of one architecture, trained "
            "alike: nearer to what one recipe gains from more compute. Only the best of each is in the fits "
            "over all results."
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
        [study.measure.title, formats.sentence(words.told(sentence))]
        for study in published.studies
        for _, sentence in study.refusals
    ]
    if not rows:
        return Markup("")
    return elements.table(
        "What speaks against forecasting from the curve", [Column("Measure"), Column("Why")], rows
    )


def title_of_floors(published: Published) -> str:
    """Return what the section on floors tells: what is not known, or what is."""
    told = [study for study in published.studies if study.floors and study.may_fall]
    if told and all(study.shows_floor for study in told):
        return "What the data tell of a floor"
    return "What the data cannot tell"


def floors(published: Published) -> Markup:
    """Return how well given floors fit, measure by measure.

    Raises
    ------
    NotApplicable
        Too few results for a curve.
    """
    parts: list[Markup] = []
    for study in published.studies:
        if not (study.floors and study.may_fall):
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
                    Column("Less than without floor", numeric=True, note="AICc"),
                    Column("So it fits"),
                ],
                list(_floor_rows(published, study)),
            ),
        ]
    if not parts:
        raise NotApplicable(
            "A curve with a floor takes at least five results of different compute, whose error falls."
        )
    told = (
        f"Fits whose AICc differs by less than {formats.plain(AS_GOOD)} are as good as each other. A floor "
        "given beforehand counts as no parameter."
    )
    return elements.join(*parts, elements.paragraph(told, quiet=True))


def _floor_rows(published: Published, study: Study) -> Iterator[list[str | Markup]]:
    none = study.floors[0]
    for one in study.floors:
        difference = one.aicc - none.aicc
        verdict = "as well" if abs(difference) < AS_GOOD else "better" if difference < 0 else "worse"
        yield [
            "none" if one.floor == 0 else words.error(published, one.floor),
            formats.number(one.exponent),
            formats.number(one.squares, 4),
            formats.number(one.aicc, 4),
            "" if one is none else formats.number(-difference, 2),
            "" if one is none else verdict,
        ]
