"""What a reader should take away from a table, in a few sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator

from toolkit.analysis.fits.curves import REACH
from toolkit.analysis.published.values import Forecast, Published, Study
from toolkit.report import formats
from toolkit.report.published import words

__all__ = ["AS_GOOD", "cannot_tell", "key_sentences", "main_study", "shows_floor"]

AS_GOOD = 2.0
"""AICc that two fits must differ by before one is called better."""


def main_study(published: Published) -> Study:
    """Return the measure that is told first: the priced one, else the first."""
    named = [one for one in published.studies if one.measure.key == published.priced]
    return (named or list(published.studies))[0]


def shows_floor(study: Study) -> bool:
    """Tell whether the data exclude that there is no floor."""
    floor = study.curve.floor
    falls = study.line.exponent.high != 0
    return falls and floor is not None and floor.low > 1e-6 * floor.estimate


def key_sentences(published: Published) -> tuple[str, ...]:
    """Return the sentences, the most important first."""
    main = main_study(published)
    return (
        *_course(published, main),
        *(_forecast(published, main, one) for one in main.forecasts),
        *_year(main),
        *_others(published, main),
    )


def _course(published: Published, study: Study) -> Iterator[str]:
    """Yield how the error falls; where a floor shows it comes first, for the line is wrong beside it."""
    parts = (_halving(published, study), cannot_tell(published, study))
    yield from reversed(parts) if shows_floor(study) else parts


def _halving(published: Published, study: Study) -> str:
    title = words.lower(study.measure.title)
    exponent = study.line.exponent
    if exponent.low == exponent.high == 0:
        return f"Over {words.models(study)} the error does not fall: it is the same at every {title}."
    if exponent.low <= 0:
        goes = "rises with" if exponent.high < 0 else "does not clearly fall with"
        return (
            f"Over {words.models(study)} the error {goes} {title}: the line's exponent is "
            f"{formats.interval(exponent)}."
        )
    line = study.line
    told = (
        f"Over {words.models(study)} (R² {formats.number(line.r_squared, 2)}), halving the error took "
        f"{words.times(line.k_half)} the {title}: the power of k is {formats.interval(line.power)}"
    )
    return (
        f"{told}. That is the line without a floor, which is too hopeful here."
        if shows_floor(study)
        else f"{told}."
    )


def _forecast(published: Published, study: Study, one: Forecast) -> str:
    target = words.error(published, one.target)
    if shows_floor(study):
        reached, usd, carbon, what = one.curve, one.usd_curve, one.kg_co2_curve, "curve with its floor"
    else:
        reached, usd, carbon, what = one.line, one.usd, one.kg_co2, "line"
    if reached is None or math.isinf(reached.low) or study.line.exponent.high <= 0:
        return f"The {what} never reaches {target}."
    if math.isinf(reached.estimate):
        least = words.compute(reached.low, study.measure.unit, 2)
        return f"{target} takes at least {least} by the {what}, and may be out of reach."
    share = reached.estimate / study.compute(study.points[-1])
    drawn = "Drawn on far beyond the results" if share > REACH else "Drawn on"
    told = f"{drawn}, the {what} reaches {target} at {words.interval(reached, study.measure.unit)}"
    if share <= 1:
        told = f"On the {what} {target} takes {words.interval(reached, study.measure.unit)}"
    else:
        told += f", {formats.plain(share, 2)} times the largest compute in the table"
    shown = " and ".join([*([words.money(usd)] if usd else []), *([words.carbon(carbon)] if carbon else [])])
    return f"{told}, which is {shown} at the declared rates." if shown else f"{told}."


def cannot_tell(published: Published, study: Study) -> str:
    """Return what the data say of a floor, and with that of the targets."""
    floor = study.curve.floor
    if floor is None:
        return (
            f"Too few results for a curve with a floor: {words.models(study)} of different compute. So "
            "nothing is known of where the fall ends."
        )
    lies = words.error_interval(published, floor)
    if study.line.exponent.high == 0:
        return "An error that does not fall tells nothing of a floor."
    if shows_floor(study):
        return f"The error levels off: more of the same does not take it below {lies}."
    told = (
        "The data cannot tell whether there is a floor: it may lie anywhere from none to "
        f"{words.error(published, floor.high)}"
    )
    good = _as_good(study)
    if good:
        told += f", and one of {words.error(published, good[1])} fits as well as none"
    targets = [one for one in study.forecasts if _is_open(one)]
    if targets:
        shown = " and ".join(words.error(published, one.target) for one in targets)
        told += f". So whether {shown} can be reached by compute at all is not known"
    return f"{told}."


def _is_open(one: Forecast) -> bool:
    return one.curve is not None and math.isinf(one.curve.high) and not math.isinf(one.curve.low)


def _as_good(study: Study) -> tuple[float, float] | None:
    """Return the AICc of no floor, and the highest floor that fits as well or better."""
    if len(study.floors) < 2:
        return None
    none = study.floors[0]
    good = [one.floor for one in study.floors[1:] if one.aicc < none.aicc + AS_GOOD]
    return (none.aicc, max(good)) if good else None


def _year(study: Study) -> Iterator[str]:
    if study.with_year is None:
        return
    yearly = study.with_year.share_a_year
    if yearly.high < 0:
        yield (
            "At equal compute, later models are better: the error falls by "
            f"{formats.ratio(-yearly.estimate, 2)} a year [{formats.ratio(-yearly.high, 2)}, "
            f"{formats.ratio(-yearly.low, 2)}]. The line counts that progress of methods as compute; with "
            f"year beside it the power is {formats.interval(study.with_year.power)}."
        )


def _others(published: Published, main: Study) -> Iterator[str]:
    others = [one for one in published.studies if one is not main]
    if others:
        shown = "; ".join(
            f"{words.lower(one.measure.title)}, {words.models(one)}: {formats.interval(one.line.power)}"
            for one in others
        )
        yield f"By other measures, each in a fit of its own, the power is: {shown}."
