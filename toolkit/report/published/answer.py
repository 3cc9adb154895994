"""The first section: what the table says in one sentence, four figures, and the rest in a list."""

from __future__ import annotations

import math

from markupsafe import Markup

from toolkit.analysis.interval import Interval
from toolkit.analysis.published.values import Forecast, Published, Study
from toolkit.published.values import Observation
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
        *(elements.paragraph(f"Is this meant? {formats.sentence(told)}") for told in published.doubts),
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
    told, ends = _parted(words.factor(study.line.k_half, " ×"))
    if not study.may_fall:
        told, ends = "not reached", ""
    elif not study.clearly_falls:
        told, ends = "not shown", ends or f"{told}; "
    return Tile(
        "Half the error, on a line without floor" if study.shows_floor else "Compute to halve the error",
        told,
        f"{ends}{words.lower(study.measure.title)}, {words.models(study)}",
    )


def _parted(factor: str) -> tuple[str, str]:
    """Return a multiple, and its ends with what parts them from the rest of a note."""
    main, _, ends = factor.partition(" [")
    return main, f"{ends.removesuffix(']').replace(', ', ' to ')}; " if ends else ""


def _power_tile(study: Study) -> Tile:
    power = words.power(study.line.power)
    if not study.may_fall:
        return Tile("Power", "none", "the error does not fall")
    shown = _raised(power) if study.clearly_falls and " [" in power else "not shown"
    return Tile("Power", shown, f"{power}; compute for an error k times lower")


def _floor_tile(published: Published, study: Study, floor: Interval) -> Tile:
    if not study.may_fall:
        return Tile("Floor", "not known", "an error that does not fall tells nothing of it")
    if study.shows_floor:
        told, low, high = words.error_text(published, floor)
        below = words.lies_below(published, study)
        return Tile("Floor", told, f"between {low} and {high}" + (f"; {below}" if below else ""))
    told, ends = _parted(words.floor(published, study))
    return Tile("Floor", told, f"between {ends.replace(' to ', ' and ').removesuffix('; ')}")


def _curve_tile(study: Study) -> list[Tile]:
    factor = study.curve.k_half
    if factor is None:
        return []
    told, ends = _parted(words.curve_halving(factor, " ×"))
    if math.isinf(factor.high) and math.isfinite(factor.low):
        told, ends = "not shown", f"{told}; "
    return [Tile("Half the error of the largest", told, f"{ends}by the curve with a floor")]


def _target_tile(published: Published, study: Study, one: Forecast) -> Tile:
    """Return a target's card: who has reached it comes first, and what the fit says goes into the note."""
    fitted = _fitted_tile(published, study, one)
    first = words.told_first(study, one)
    if first is None:
        return fitted
    who = words.reached(study, first).removesuffix(",")
    what = "curve" if one.by == "curve" else "line"
    said = "; ".join(part for part in (str(fitted.value), fitted.note) if part)
    return Tile(
        f"To reach {words.target(published, one.target)}",
        f"reached at {_with_unit(first.compute, study.measure.unit)}",
        f"by {who}; by the {what}: {said}",
    )


def _fitted_tile(published: Published, study: Study, one: Forecast) -> Tile:
    unit, told = study.measure.unit, one.told
    target = f"To reach {words.target(published, one.target)}"
    label = f"{target}, by the {'curve with a floor' if one.by == 'curve' else 'line'}"
    if one.reach in ("at_most", "at_most_fitted"):
        least = f"at most {_with_unit(study.compute(study.points[0]), unit)}"
        return Tile(target if one.reach == "at_most" else label, least, words.REACHES[one.reach])
    if one.reach == "not_told":
        return Tile(target, "not told", "the error does not clearly fall")
    if one.reach == "cannot":
        return Tile(label, "not reached")
    if one.reach == "not_shown":
        return Tile(label, "not shown", f"at least {words.compute(told.low, unit, 2)}")
    if one.reach == "too_far":
        least = "" if math.isinf(told.low) else f"at least {words.compute(told.low, unit, 2)}"
        return Tile(label, words.too_far(unit), least)
    amount, ends = _parted(words.interval(told))
    ends = ends.removesuffix("; ")
    if one.by == "line" and one.curve is not None and one.curve_reach == "not_shown":
        ends += f"; with a floor at least {words.compute(one.curve.low, '', 2)}"
    elif one.by == "line" and one.curve is not None and one.curve_reach != "cannot":
        ends += (
            f"; with a floor {words.compute(one.curve.low, '', 2)} to {words.compute(one.curve.high, '', 2)}"
        )
    if one.reach == "drawn_on":
        return Tile(label, "no forecast", f"drawn on {amount} {unit}".strip() + f", {ends}")
    return Tile(label, f"{amount} {unit}".strip(), ends)


def _with_unit(value: float, unit: str) -> str:
    """Return compute whose unit may stand on a line of its own: a phone's tiles are narrow."""
    return f"{words.compute(value, '', 2)} {unit}".strip()


def _raised(power: str) -> Markup:
    return Markup("k<sup>{}</sup>").format(power.partition(" [")[0])


def drawings(published: Published) -> Markup:
    """Return one figure a measure, with its points as a table."""
    return elements.join(*(_drawing(published, study) for study in published.studies))


def _of_family(study: Study, one: Observation) -> str:
    """Return in which fit a row is that does not stand in that over all by itself."""
    if study.is_averaged(one):
        return "in the mean of its repeats"
    if one.family in {each.family for each in study.families}:
        return f"only of {one.family}"
    return f"no: not the best of {one.family}"


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
                "yes" if id(one) in kept else _of_family(study, one),
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
        note=" ".join(
            filter(None, (study.measure.about, *map(formats.sentence, map(words.told, study.notes))))
        ),
    )
