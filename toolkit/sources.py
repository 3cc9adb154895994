"""Where a declared number is from: a source, its date, and whether it was published or assumed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

from toolkit.amounts import Frozen, Range

__all__ = ["DEFAULT", "UNSOURCED", "Origin", "Sources", "given_keys", "given_numbers", "origin_in"]

T = TypeVar("T")

Basis = Literal["published", "declared", "assumed"]

_LONGEST = 500
_MOST = 500

_KEYS = ("source", "date", "basis")
_DATE = r"(?:19|20)\d\d(?:-\d\d){0,2}"
_ASSUMED = re.compile(r"(?:assumption|assumed)\b[\s:;,.-]*", re.IGNORECASE)


def _one_line(text: str) -> str:
    """Return a text of one line: YAML may fold it over several."""
    return " ".join(text.split())


def _dated(value: object) -> object:
    """Read a year as the text that it is."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _real_date(text: str) -> str:
    if text and not (re.fullmatch(_DATE, text) and _is_day(f"{text}-01-01"[:10])):
        raise ValueError("a date is a year, a month or a day: 2024, 2024-05 or 2024-05-31")
    return text


def _is_day(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _today() -> dt.date:
    """Return the date where the user is."""
    return dt.datetime.now().astimezone().date()


class Origin(Frozen):
    """Where one number is from.

    Parameters
    ----------
    source : str
        What to look up or whom to ask; of an assumption, what speaks for it.
    date : str
        Of the source: a year, a month or a day. Empty where there is none. Of what is published it is given
        and not to come.
    basis : {"published", "declared", "assumed"}
        Printed in the source, known to the business itself, or neither.
    """

    source: Annotated[str, Field(min_length=1, max_length=_LONGEST)]
    date: Annotated[str, BeforeValidator(_dated), AfterValidator(_real_date)] = ""
    basis: Basis = "declared"

    @model_validator(mode="before")
    @classmethod
    def _folded(cls, data: Any) -> Any:
        """Fold the source; one that begins with assumption or assumed is one."""
        if not isinstance(data, dict) or not isinstance(data.get("source"), str):
            return data
        text = _one_line(data["source"])
        assumed = _ASSUMED.match(text)
        if assumed is None:
            return {**data, "source": text}
        basis = data.get("basis", "assumed")
        if basis in ("published", "declared"):
            raise ValueError(
                f"a source that begins with '{assumed[0].rstrip()}' is an assumption, got basis: {basis}; "
                "leave basis out, say basis: assumed, or begin the source with another word"
            )
        return {**data, "source": text[assumed.end() :] or "no reason given", "basis": basis}

    @model_validator(mode="after")
    def _published_is_dated(self) -> Origin:
        if self.basis != "published":
            return self
        if not self.date:
            raise ValueError("what is published has a date, e.g. date: 2024-05")
        today = _today().isoformat()
        if self.date > today[: len(self.date)]:
            raise ValueError(
                f"what is published has a date in the past, got date: {self.date} and today is {today}"
            )
        return self


def _from_text(value: object) -> object:
    """Read a text as a source."""
    if isinstance(value, Origin) or (isinstance(value, dict) and (not value or {*value} & {*_KEYS})):
        return value
    if not isinstance(value, str):
        dotted = "; what is in a group has a dotted key, e.g. value.true_positive" * isinstance(value, dict)
        raise ValueError(f"expected a text, or {{source: …, date: 2024-05, basis: published}}{dotted}")
    return {"source": value}


Sources = Annotated[
    dict[str, Annotated[Origin, BeforeValidator(_from_text)]], Field(default_factory=dict, max_length=_MOST)
]
"""Key of the economics, dotted below the first level -> where its number is from."""

UNSOURCED = Origin(source="no source given")
"""Of a number that stands in the file without a source."""

DEFAULT = Origin(source="our default; say otherwise in the experiment file", basis="assumed")
"""Of a number that the file leaves out."""


def given_keys(declared: BaseModel) -> dict[str, object]:
    """Return the dotted keys that were given, groups before what they hold, and their values."""
    return dict(_given(declared, ""))


def _given(declared: BaseModel, prefix: str) -> Iterator[tuple[str, object]]:
    for name in type(declared).model_fields:
        if name in declared.model_fields_set and name != "sources":
            yield from _below(getattr(declared, name), f"{prefix}{name}")


def _below(value: object, key: str) -> Iterator[tuple[str, object]]:
    yield key, value
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from _below(one, f"{key}.{name}")
    elif isinstance(value, BaseModel) and not isinstance(value, Range):
        yield from _given(value, f"{key}.")


def given_numbers(declared: BaseModel) -> tuple[str, ...]:
    """Return the dotted keys of the numbers that were given."""
    return tuple(
        key
        for key, value in given_keys(declared).items()
        if isinstance(value, Range | int | float) and not isinstance(value, bool)
    )


def origin_in(sources: Mapping[str, T], key: str) -> T | None:
    """Return the source of a dotted key: its own, else that of the nearest group that holds it."""
    parts = key.split(".")
    groups = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((sources[one] for one in groups if one in sources), None)
