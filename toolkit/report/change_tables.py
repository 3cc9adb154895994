"""Tables of what would change the verdict: every assumption with its nearest changes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from toolkit.analysis.whatif.record import Assumption, Flip, Sensitivity
from toolkit.analysis.whatif.words import amount, beyond, declared, side
from toolkit.report import elements, formats
from toolkit.report.elements import Column, fragment
from toolkit.report.looks import label

__all__ = ["changing", "fragile", "steady", "used"]


def used(track: str, known: Sequence[str]) -> Markup:
    """Return the track to use with its marker; empty stands for none."""
    return label(track, known) if track else Markup("none pays")


def fragile(found: Sensitivity, known: Sequence[str]) -> Markup:
    """Return the assumptions whose change is nearest, each in a sentence."""
    return elements.items(
        _told(one, flip, known) for one in found.fragile if (flip := one.nearest) is not None
    )


def _told(one: Assumption, flip: Flip, known: Sequence[str]) -> Markup:
    within = (
        Markup(" {}").format(elements.badge("within the declared range", "open")) if one.within_range else ""
    )
    return Markup("<strong>{}</strong>, then {}. Declared: {}{}.{}").format(
        formats.sentence(beyond(one)).removesuffix("."),
        used(flip.best, known),
        declared(one),
        "" if one.within_range else _away(one),
        within,
    )


def _away(one: Assumption) -> str:
    """Return by how much an assumption would have to be wrong."""
    if one.nearest is None or not math.isfinite(one.distance):
        return ""
    return f", so {_factor(one)} times {'larger' if _grows(one, one.nearest) else 'smaller'}"


def _grows(one: Assumption, flip: Flip) -> bool:
    return abs(flip.at) > abs(one.likely)


def _factor(one: Assumption) -> str:
    return amount(math.exp(one.distance), up=True)


def changing(found: Sensitivity, known: Sequence[str]) -> Markup:
    """Return the table of the assumptions that change something by themselves, the most fragile first."""
    rows = [_row(one, known) for one in found.assumptions if _moves(one)]
    if not rows:
        return Markup("")
    return elements.table(
        "Where each assumption changes the track to use, all others as declared; the most fragile first",
        [
            Column("Assumption"),
            Column("Declared", numeric=True, note="[lowest, highest]"),
            Column("Lower, and then", note="in small print: where another leads by a hair"),
            Column("Higher, and then"),
            Column("Nearest", numeric=True, note="factor of the declared value"),
        ],
        rows,
    )


def _moves(one: Assumption) -> bool:
    return any(flip is not None for flip in (one.below, one.above, one.hair_below, one.hair_above))


def _row(one: Assumption, known: Sequence[str]) -> list[str | Markup]:
    away = ""
    if one.nearest is not None and math.isfinite(one.distance):
        away = f"{'×' if _grows(one, one.nearest) else '÷'}\u00a0{_factor(one)}"
    return [
        elements.join(one.title, Markup("<small>{}</small>").format(f"\u00a0{one.unit}")),
        elements.split(declared(one)),
        _changes(one, one.below, one.hair_below, one.lowest, known),
        _changes(one, one.above, one.hair_above, one.highest, known),
        "within the range" if one.within_range else away,
    ]


def _changes(
    one: Assumption, flip: Flip | None, hair: Flip | None, end: float, known: Sequence[str]
) -> Markup:
    """Return the change on one side, and in smaller print where another is ahead by a hair."""
    main = Markup("{}").format(_none(one, end)) if flip is None else _change(one, flip, known)
    if hair is None or (flip is not None and _change(one, hair, known) == main):
        return main
    return Markup("{}<br>{}").format(main, Markup("<small>{}</small>").format(_change(one, hair, known)))


def _change(one: Assumption, flip: Flip, known: Sequence[str]) -> Markup:
    return fragment("estimate", main=side(one, flip), ends="") + Markup(": {}").format(used(flip.best, known))


def _none(one: Assumption, end: float) -> str:
    """Return in words that there is no change on a side, as far as was looked."""
    if end == one.likely:
        return "cannot be lower"
    ratio = abs(end / one.likely) if one.likely else 0.0
    if any(math.isclose(ratio, edge, rel_tol=1e-6) for edge in (one.reach, 1 / one.reach)):
        return f"no change within {_times(one.reach)} times"
    return f"no change {'up' if end > one.likely else 'down'} to {amount(end)}"


def _times(reach: float) -> str:
    return "a million" if reach == 1e6 else f"{reach:,.0f}"


def steady(found: Sensitivity) -> Markup:
    """Return in a sentence which assumptions change nothing by themselves; nothing where each does."""
    still = [one for one in found.assumptions if not _moves(one)]
    if not still:
        return Markup("")
    told = "; ".join(_steady(names) for names in _by_reach(still))
    return elements.paragraph(f"No change, as far as was looked: {told}.")


def _by_reach(still: Iterable[Assumption]) -> list[tuple[str, list[str]]]:
    by_words: dict[str, list[str]] = {}
    for one in still:
        unit = f" {one.unit}" if one.unit else ""
        by_words.setdefault(_looked(one), []).append(f"{one.title} ({declared(one)}{unit})")
    return list(by_words.items())


def _looked(one: Assumption) -> str:
    if not one.likely:
        return f"between {amount(one.lowest)} and {amount(one.highest)}"
    return f"within {_times(one.reach)} times of what was declared"


def _steady(names: tuple[str, list[str]]) -> str:
    where, which = names
    return f"{where}, {', '.join(which)}"
