"""The first section: what the table says in one sentence, four figures, and the rest in a list."""

from __future__ import annotations

from markupsafe import Markup

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
    line = study.line
    tiles = [
        Tile(
            "Compute to halve the error, on the line",
            f"{formats.plain(line.k_half.estimate, 2)} ×",
            f"{formats.plain(line.k_half.low, 2)} to {formats.plain(line.k_half.high, 2)}, "
            f"{words.lower(study.measure.title)}, {words.models(study)}",
        ),
        Tile(
            "Power",
            f"k{_raised(line.power.estimate)}",
            f"{formats.interval(line.power)}; compute for an error k times lower",
        ),
    ]
    if study.curve.floor is not None:
        floor = study.curve.floor
        known = shows_floor(study)
        tiles.append(
            Tile(
                "Floor",
                words.error(published, floor.estimate, 2) if known else "not known",
                f"between {words.error(published, floor.low) if known else 'none'} and "
                f"{words.error(published, floor.high)}",
            )
        )
    tiles += [_target_tile(published, study, one) for one in study.forecasts]
    return tiles


def _target_tile(published: Published, study: Study, one: Forecast) -> Tile:
    ends = f"{words.compute(one.line.low, '', 2)} to {words.compute(one.line.high, '', 2)}"
    if one.curve is not None:
        ends += (
            f"; with a floor {words.compute(one.curve.low, '', 2)} to {words.compute(one.curve.high, '', 2)}"
        )
    return Tile(
        f"{words.error(published, one.target)}, on the line",
        words.compute(one.line.estimate, study.measure.unit, 2),
        ends,
    )


def _raised(power: float) -> str:
    return formats.superscript(float(formats.plain(power, 2))) if power < 1e3 else "^∞"


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
        name=f"published-{study.measure.key}",
        title=f"{published.error_title} against {words.lower(study.measure.title)}",
        description=f"{words.models(study)}; both axes logarithmic, lower is better. The line is the classic "
        "regression of log error on log compute, the dashed curve has a floor. Beyond the last result both "
        "are drawn on, which is no evidence.",
        table=table,
        note=study.measure.about,
    )
