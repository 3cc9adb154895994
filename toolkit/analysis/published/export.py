"""``results.json`` of a table: plain data that is valid JSON.

Format history (raise `SCHEMA_VERSION` with every change that a reader can notice;
``docs/published-results.md``):

1. first version
2. forecasts tell by which fit they are told (``by``) and what may be said of either (``line_reach``,
   ``curve_reach``); ``notes`` of a study
3. ``doubts``; ``clearly_falls`` and ``shows_floor`` of a study, which hold at 95 % whatever the level; the
   reach ``too_far``
4. ``reached`` of a forecast; ``is_named`` of an observation; ``not_shown`` wherever a fit's compute for a
   target has no upper end
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from toolkit.analysis.fits.loglog import LogLog
from toolkit.analysis.published.values import Published, Study

__all__ = ["SCHEMA_VERSION", "to_json"]

SCHEMA_VERSION = 4


def to_json(published: Published) -> dict[str, Any]:
    """Return all that the report shows as plain data: no NaN, no infinity (null instead)."""
    parted = published.decomposition
    document = {
        "schema_version": SCHEMA_VERSION,
        "kind": "published",
        "experiment": published.name,
        "title": published.title,
        "description": published.description,
        "error": {"title": published.error_title, "scale": published.error_scale},
        "level": published.level,
        "sentences": published.sentences,
        "studies": [_study(one) for one in published.studies],
        "decomposition": None
        if parted is None
        else {**parted._asdict(), "before": parted.before.name, "after": parted.after.name},
        "prices": [{"measure": published.priced, **price._asdict()} for price in published.prices],
        "declared": published.declared,
        "observations": [asdict(one) for one in published.observations],
        "left_out": published.left_out,
        "doubts": published.doubts,
        "environment": published.environment,
    }
    return {key: _plain(value) for key, value in document.items()}


def _study(one: Study) -> dict[str, Any]:
    curve = one.curve
    return {
        "measure": one.measure._asdict(),
        "n": len(one.points),
        "n_rungs": one.n_rungs,
        "n_seeds": one.n_seeds,
        "is_ladder": one.is_ladder,
        "clearly_falls": one.clearly_falls,
        "shows_floor": one.shows_floor,
        "line": _line(one.line),
        "with_year": one.with_year and one.with_year._asdict(),
        "families": [{"family": each.family, **_line(each.line)} for each in one.families],
        "curve": {
            "form": curve.form,
            "exponent": curve.exponent,
            "floor": curve.floor,
            "k_half": curve.k_half,
            "forms": [{"form": form, "weight": weight} for form, weight in curve.forms],
            "held_out": curve.held_out and curve.held_out._asdict(),
            "refusals": [{"code": code, "sentence": sentence} for code, sentence in one.refusals],
        },
        "floors": [floor._asdict() for floor in one.floors],
        "forecasts": [
            {
                **each._asdict(),
                "refusals": [{"code": code, "sentence": sentence} for code, sentence in each.refusals],
            }
            for each in one.forecasts
        ],
        "points": [each.name for each in one.points],
        "notes": one.notes,
    }


def _line(line: LogLog) -> dict[str, Any]:
    return {
        "n": line.n,
        "exponent": line.exponent,
        "power": line.power,
        "k_half": line.k_half,
        "r_squared": line.r_squared,
    }


def _plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        value = asdict(value)
    elif hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)
