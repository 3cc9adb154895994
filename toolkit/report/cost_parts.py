"""Parts of the yearly costs: what they are called, where they come from, how they are drawn."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.analysis.results import TrackVerdict
from toolkit.report import figures, formats

__all__ = ["basis", "drawn_parts", "ordered", "part_title"]

_TITLES = {
    "people_build": "people: building it",
    "people_features": "people: preparing features",
    "people_rules": "people: writing down rules",
    "people_modelling": "people: making the model",
    "people_upkeep": "people: upkeep",
    "labels": "labels",
    "search": "search of parameters",
    "retraining": "retraining",
    "prediction": "prediction",
    "prediction_batch": "prediction in batch",
    "prediction_single": "prediction one row at a time",
    "idle_capacity": "idle capacity",
    "electricity": "electricity",
    "carbon": "price of carbon",
}
_SERVED = {"batch": "prediction in batch", "single": "prediction one row at a time"}
_DECLARED = ("people", "hour", "wage", "build", "upkeep", "keep", "label", "declared")
_PAINTS = (
    ("#E69F00", "/"),
    ("#56B4E9", ""),
    ("#009E73", "x"),
    ("#F0E442", "."),
    ("#0072B2", "\\"),
    ("#D55E00", "-"),
    ("#CC79A7", "|"),
    ("#7a7f85", "+"),
    ("#8c6d4f", "/"),
    ("#B8A800", "x"),
    ("#56B4E9", "."),
    ("#E69F00", "-"),
)
_SMALL = 0.005
"""A part below this share of the costs of every track is drawn together with the other small ones."""


def part_title(part: str, serving: str = "") -> str:
    """Return what a part is called.

    Parameters
    ----------
    part : str
        A key of ``yearly_costs``.
    serving : str, optional
        ``batch`` or ``single``: how predictions are made.
    """
    name = part.replace("people_build_", "people_")
    if name == "prediction" and serving in _SERVED:
        return _SERVED[serving]
    return _TITLES.get(name) or formats.words(part)


def basis(part: str) -> str:
    """Return where a part comes from: people's hours and labels are declared, the rest is priced."""
    return "declared" if any(word in part.lower() for word in _DECLARED) else "modelled"


def ordered(tracks: Sequence[TrackVerdict]) -> list[str]:
    """Return all parts: declared ones first, then those that are known, each in the order of a life."""
    names = dict.fromkeys(name for entry in tracks for name in entry.yearly_costs)
    places = list(_TITLES)

    def place(name: str) -> tuple[bool, int]:
        known = name.replace("people_build_", "people_")
        return basis(name) != "declared", places.index(known) if known in places else len(places)

    return sorted(names, key=place)


def drawn_parts(tracks: Sequence[TrackVerdict], currency: str, serving: str) -> list[figures.Part]:
    """Return the parts of stacked bars, one bar a track; small parts of one basis are one part."""
    show = formats.in_money(currency)
    totals = [sum(map(abs, entry.yearly_costs.values())) for entry in tracks]
    large: list[tuple[str, tuple[float, ...]]] = []
    small: dict[str, list[tuple[float, ...]]] = {}
    for part in ordered(tracks):
        values = tuple(entry.yearly_costs.get(part, 0.0) for entry in tracks)
        if any(abs(value) > _SMALL * total for value, total in zip(values, totals, strict=True)):
            large.append((f"{part_title(part, serving)} ({basis(part)})", values))
        elif any(values):
            small.setdefault(basis(part), []).append(values)
    for kind, found in small.items():
        name = f"parts below {formats.ratio(_SMALL, 1)} each ({kind})"
        large.append((name, tuple(sum(values) for values in zip(*found, strict=True))))
    return [
        figures.Part(
            name=name,
            values=values,
            texts=tuple(map(show, values)),
            colour=_PAINTS[index % len(_PAINTS)][0],
            pattern=_PAINTS[index % len(_PAINTS)][1],
        )
        for index, (name, values) in enumerate(large)
    ]
