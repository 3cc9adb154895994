"""The first section: what the table says in one sentence, four figures, and the rest in a list."""

from __future__ import annotations

import math

from markupsafe import Markup

from toolkit.analysis.interval import Interval
from toolkit.analysis.published.values import Forecast, Published, Study
from toolkit.report import elements, figures, formats
from toolkit.report.elements import Column, Tile
from toolkit.report.published import words
from toolkit.report.published.figures import error_against_compute
from toolkit.report.published.sentences import key_sentences, main_study

__all__ = ["answer", "drawings"]


def answer(published: Published) -> Markup:
    """Return the answer."""
    first, *others = key_sentences(published)
    return elements.join(
        Markup('<p class="sentence">{}</p>').format(first),
        elements.tiles(_tiles(published, main_study(published))),
        elements.items(others),
        elements.paragraph(_caution(main_study(published)), quiet=True),
    )


def _caution(study: Study) -> str:
    if study.is_ladder:
        return (
            "Rows of equal compute are taken for seeds of one rung. The curve holds for this recipe, as far "
            "as its ladder goes."
        )
    return (
        "A scatter of models is no ladder. They differ in method, year, data and care as well as in compute, "
        "so the line tells how the field went, not what one recipe gains from more compute. For the same "
        "reason no seeds are asked for here: the spread of the models about the curve is the noise."
    )


def _tiles(published: Published, study: Study) -> list[Tile]:
    line = [_halving_tile(study), _power_tile(study)]
    targets = [_target_tile(published, study, one) for one in study.forecasts]
    floor = [_floor_tile(published, study, study.curve.floor)] if study.curve.floor is not None else []
    if study.shows_floor:
        return [*floor, *_curve_tile(study), *targets, *line[:1]]
    return [*line, *floor, *targets]


def _halving_tile(study: Study) -> Tile:
    factor = study.line.k_half
    return Tile(
        "Half the error, on a line without floor" if study.shows_floor else "Compute to halve the error",
        _factor(factor),
        f"{_ends(factor)}{words.lower(study.measure.title)}, {words.models(study)}",
    )


def _factor(value: Interval) -> str:
    if math.isinf(value.low):
        return "not reached"
    return "not shown" if math.isinf(value.high) else f"{words.compute(value.estimate, '', 2)} ×"


def _ends(value: Interval) -> str:
    """Return the ends of a factor and what parts them from the rest of a note; empty without any."""
    if math.isinf(value.low):
        return ""
    least = words.compute(value.low, "", 2)
    if math.isinf(value.high):
        return f"at least {least} ×; "
    return f"{least} to {words.compute(value.high, '', 2)}; "


def _power_tile(study: Study) -> Tile:
    power = study.line.power
    if math.isinf(power.low):
        return Tile("Power", "none", "the error does not fall")
    shown = "not shown" if math.isinf(power.high) else _raised(power.estimate)
    return Tile("Power", shown, f"{words.power(power)}; compute for an error k times lower")


def _floor_tile(published: Published, study: Study, floor: Interval) -> Tile:
    if not study.may_fall:
        return Tile("Floor", "not known", "an error that does not fall tells nothing of it")
    known = study.shows_floor
    least = words.error(published, floor.low) if known else "none"
    return Tile(
        "Floor",
        words.error(published, floor.estimate) if known else "not known",
        f"between {least} and {words.error(published, floor.high)}",
    )


def _curve_tile(study: Study) -> list[Tile]:
    factor = study.curve.k_half
    if factor is None:
        return []
    return [Tile("Half the error of the largest", _factor(factor), f"{_ends(factor)}with the floor")]


def _target_tile(published: Published, study: Study, one: Forecast) -> Tile:
    unit, told = study.measure.unit, one.told
    target = words.error(published, one.target)
    label = f"{target}, {'with the floor' if one.by == 'curve' else 'on the line'}"
    if one.reach in ("at_most", "at_most_fitted"):
        least = f"at most {_with_unit(study.compute(study.points[0]), unit)}"
        return Tile(target if one.reach == "at_most" else label, least, words.REACHES[one.reach])
    if one.reach == "not_told":
        return Tile(target, "not told", "the error does not clearly fall")
    if one.reach == "cannot":
        return Tile(label, "not reached")
    if one.reach == "not_shown":
        return Tile(label, "not shown", f"at least {words.compute(told.low, unit, 2)}")
    ends = f"{words.compute(told.low, '', 2)} to {words.compute(told.high, '', 2)}"
    if one.by == "line" and one.curve is not None and one.curve_reach != "cannot":
        ends += (
            f"; with a floor {words.compute(one.curve.low, '', 2)} to {words.compute(one.curve.high, '', 2)}"
        )
    if one.reach == "drawn_on":
        return Tile(label, "no forecast", f"drawn on {words.compute(told.estimate, unit, 2)}, {ends}")
    return Tile(label, _with_unit(told.estimate, unit), ends)


def _with_unit(value: float, unit: str) -> str:
    """Return compute whose unit may stand on a line of its own: a phone's tiles are narrow."""
    return f"{words.compute(value, '', 2)} {unit}".strip()


def _raised(power: float) -> Markup:
    shown = formats.plain(power, 2 if power < 10 else max(2, len(f"{power:.0f}")))
    return Markup("k<sup>{}</sup>").format(shown)


def drawings(published: Published) -> Markup:
    """Return one figure a measure, with its points as a table."""
    return elements.join(*(_drawing(published, study) for study in published.studies))


def _drawing(published: Published, study: Study) -> Markup:
    points = [*study.points, *study.members]
    kept = {id(one) for one in study.points}
    table = elements.table(
        f"{published.error_title} and {words.lower(study.measure.title)}",
        [
            Column("Result"),
            Column("Year", numeric=True),
            Column(study.measure.title, numeric=True, note=study.measure.unit),
            Column(published.error_title, numeric=True),
            Column("In the fits"),
        ],
        [
            [
                one.name,
                "" if one.year is None else f"{one.year:.0f}",
                elements.whole(words.compute(study.compute(one))),
                words.error(published, one.error),
                "yes" if id(one) in kept else f"only of {one.family}",
            ]
            for one in points
        ],
        hide_empty=True,
    )
    return figures.embed(
        error_against_compute(published, study),
        name=f"curve-{study.measure.key}",
        title=f"{published.error_title} against {words.lower(study.measure.title)}",
        description=f"{words.models(study)}; both axes logarithmic, lower is better. The line is the classic "
        "regression of log error on log compute, the dashed curve has a floor. Beyond the last result both "
        "are drawn on, which is no evidence.",
        table=table,
        note=" ".join(filter(None, (study.measure.about, *map(formats.sentence, study.notes)))),
    )
