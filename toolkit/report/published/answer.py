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
from toolkit.report.published.sentences import key_sentences, main_study, shows_floor

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
    if shows_floor(study):
        return [*floor, *_curve_tile(study), *targets, *line[:1]]
    return [*line, *floor, *targets]


def _halving_tile(study: Study) -> Tile:
    factor = study.line.k_half
    return Tile(
        "Half the error, on a line without floor" if shows_floor(study) else "Compute to halve the error",
        _factor(factor),
        f"{formats.plain(factor.low, 2)} to {formats.plain(factor.high, 2)}, "
        f"{words.lower(study.measure.title)}, {words.models(study)}",
    )


def _factor(value: Interval) -> str:
    return "not reached" if math.isinf(value.estimate) else f"{formats.plain(value.estimate, 2)} ×"


def _power_tile(study: Study) -> Tile:
    power = study.line.power
    return Tile(
        "Power",
        f"k{_raised(power.estimate)}",
        f"{formats.interval(power)}; compute for an error k times lower",
    )


def _floor_tile(published: Published, study: Study, floor: Interval) -> Tile:
    known = shows_floor(study)
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
    reach = "" if math.isinf(factor.estimate) else f" to {formats.plain(factor.high, 2)}"
    least = "" if math.isinf(factor.low) else f"at least {formats.plain(factor.low, 2)} ×{reach}; "
    return [Tile("Half the error of the largest", _factor(factor), f"{least}with the floor")]


def _target_tile(published: Published, study: Study, one: Forecast) -> Tile:
    line, curve = one.line, one.curve
    unit = study.measure.unit
    ends = {
        name: f"{words.compute(value.low, '', 2)} to {words.compute(value.high, '', 2)}"
        for name, value in (("line", line), ("curve", curve))
        if value is not None
    }
    if shows_floor(study) and curve is not None:
        shown = "not reached" if math.isinf(curve.estimate) else _with_unit(curve.estimate, unit)
        return Tile(f"{words.error(published, one.target)}, with the floor", shown, ends["curve"])
    note = f"{ends['line']}; with a floor {ends['curve']}" if "curve" in ends else ends["line"]
    shown = "not reached" if math.isinf(line.estimate) else _with_unit(line.estimate, unit)
    return Tile(f"{words.error(published, one.target)}, on the line", shown, note)


def _with_unit(value: float, unit: str) -> str:
    """Return compute whose unit may stand on a line of its own: a phone's tiles are narrow."""
    return f"{words.compute(value, '', 2)} {unit}".strip()


def _raised(power: float) -> str:
    return formats.superscript(round(power, 1) if power < 10 else round(power)) if power < 1e3 else "^∞"


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
    )
    return figures.embed(
        error_against_compute(published, study),
        name=f"curve-{study.measure.key}",
        title=f"{published.error_title} against {words.lower(study.measure.title)}",
        description=f"{words.models(study)}; both axes logarithmic, lower is better. The line is the classic "
        "regression of log error on log compute, the dashed curve has a floor. Beyond the last result both "
        "are drawn on, which is no evidence.",
        table=table,
        note=study.measure.about,
    )
