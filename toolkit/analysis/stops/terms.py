"""The economics that a stop was decided under: as little as tells whether they are those of a report."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from toolkit.analysis.inputs import Inputs

__all__ = ["changed", "terms_of"]

_TABLES = "price tables"
_NAMED = frozenset({"hardware", "own_hardware", "country"})
"""Keys with which what is read from the tables changes too."""


def terms_of(inputs: Inputs) -> dict[str, str]:
    """Return a short hash of every key of the economics, and of what the price tables say for them.

    What has its default is left out, so that a key that is added later changes nothing. Hours that a
    knowledge base declares count as those of the experiment do. Where a number is from changes no answer.
    """
    told: dict[str, Any] = inputs.economics.model_dump(
        mode="json", exclude_defaults=True, exclude={"sources"}
    )
    told[_TABLES] = [asdict(inputs.hardware), asdict(inputs.host), asdict(inputs.grid)]
    return {key: _digest(value) for key, value in told.items()}


def changed(then: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """Return the keys that differ between two sets of terms, in the order of the second.

    Another machine or country has other lines of the tables; that is no change of the tables.
    """
    keys = [key for key in {**now, **then} if then.get(key) != now.get(key)]
    if _NAMED.intersection(keys):
        keys = [key for key in keys if key != _TABLES]
    return tuple(keys)


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
