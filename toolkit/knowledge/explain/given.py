"""Rows given by hand: ``n182=9,due=1.1,category=MILK``, or the same as JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from toolkit.errors import DataError, did_you_mean
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.schema import Column, stand_ins

__all__ = ["Given", "counts_as", "given_frame", "read_given", "row_values"]

Given = Mapping[str, object]
"""Column -> value as it was written: text, number, bool or None."""

_EXAMPLE = 'write --row 12, --row n182=9,due=1.1 or --row \'{"n182": 9, "due": 1.1}\''

FEW = 20
"""So many values of a choice are listed in a message."""

_BOOLS = {"yes": True, "true": True, "no": False, "false": False}


def read_given(text: str) -> int | Given:
    """Read what stands behind ``--row``: the number of a row, or the values of one.

    Parameters
    ----------
    text : str
        ``12``, ``column=value,column=value`` (a value may hold commas), or a JSON object.

    Raises
    ------
    DataError
        It is none of these.
    """
    text = text.strip()
    if re.fullmatch(r"\d+", text):
        return int(text)
    if text.startswith("{"):
        try:
            found = json.loads(text, object_pairs_hook=_distinct)
        except (ValueError, RecursionError) as error:
            raise _wrong(text, f"not valid JSON ({error})") from error
        for name, value in found.items():
            if isinstance(value, dict | list):
                raise _wrong(text, f"'{name}' must be one value, got {json.dumps(value)}")
        return dict(found)
    # a comma separates only where a name and = follow, so that a value may hold one
    parts = [part.partition("=") for part in re.split(r",(?=[^,=]*=)", text)]
    if not text or not all(separator and name.strip() for name, separator, _ in parts):
        raise _wrong(text, f"neither a row's number nor its values; {_EXAMPLE}")
    try:
        return _distinct([(name.strip(), value.strip()) for name, _, value in parts])
    except ValueError as error:
        raise _wrong(text, str(error)) from error


def _distinct(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"'{name}' is given twice")
        found[name] = value
    return found


def _wrong(text: str, problem: str) -> DataError:
    shown = text if len(text) <= 60 else f"{text[:57]}..."
    return DataError(problem, where=f"--row {shown}" if shown else "--row")


def given_frame(
    given: Given, columns: Sequence[Column], knowledge: KnowledgeBase, *, text: str = ""
) -> pd.DataFrame:
    """Return a row given by hand as a task gives it; columns left out are missing.

    Parameters
    ----------
    given : Given
    columns : sequence of Column
        All columns of the task.
    knowledge : KnowledgeBase
        Its columns say which values make sense.
    text : str
        The row as written, for messages.

    Returns
    -------
    DataFrame of shape (1, n_columns)
        Numbers as float32, choices as codes, -1 where missing.

    Raises
    ------
    DataError
        An unknown column, a value that its column cannot have, or no value for the prior.
    """
    names = [column.name for column in columns]
    for name in given:
        if name not in names:
            raise _wrong(text, f"unknown column '{name}'{did_you_mean(name, names)}")
    values = {}
    for column in columns:
        try:
            values[column.name] = _value(given.get(column.name), column, knowledge)
        except ValueError as error:
            raise _wrong(text, f"'{column.name}': {error}") from error
    prior = knowledge.columns.get(knowledge.prior)
    if prior is not None and prior.missing is None and math.isnan(values[knowledge.prior]):
        raise _wrong(
            text,
            f"give {knowledge.prior} too, e.g. {knowledge.prior}=0.2: it is the prior that rules raise or "
            "lower, and the knowledge base does not say what missing stands for",
        )
    return pd.DataFrame(
        {
            column.name: np.array(
                [values[column.name]], np.int32 if column.kind == "category" else np.float32
            )
            for column in columns
        }
    )


def row_values(
    row: pd.DataFrame, columns: Sequence[Column], knowledge: KnowledgeBase
) -> dict[str, float | bool | str | None]:
    """Return what a row holds in the knowledge base's columns, as `given_frame` would take it.

    Parameters
    ----------
    row : DataFrame of shape (1, n_columns)
    columns : sequence of Column
        All columns of the task.
    knowledge : KnowledgeBase
    """
    kinds = {column.name: column for column in columns}
    values: dict[str, float | bool | str | None] = {}
    for name, spec in knowledge.columns.items():
        own = row[name].to_numpy()[0]
        if kinds[name].kind == "category":
            values[name] = kinds[name].levels[own] if own >= 0 else None
        elif math.isnan(own):
            values[name] = None
        elif spec.type == "yes/no" and own in (0, 1):
            values[name] = bool(own)
        else:
            # the shortest text of the column's own type: 0.3, not 0.30000001192092896
            number = float(str(own))
            values[name] = int(number) if number.is_integer() else number
    return values


def counts_as(knowledge: KnowledgeBase) -> dict[str, float | bool | str]:
    """Return what a missing value counts as, for the columns that say so."""
    found: dict[str, float | bool | str] = {}
    for name, value in stand_ins(knowledge).items():
        if isinstance(value, str):
            found[name] = value
        else:
            yes_no = knowledge.columns[name].type == "yes/no"
            found[name] = bool(value) if yes_no else float(value)
    return found


def _value(written: object, column: Column, knowledge: KnowledgeBase) -> float:
    """Return a value as the task has it; ValueError when the column cannot have it."""
    spec = knowledge.columns.get(column.name)
    if column.kind == "category":
        if written is None or written == "":
            return -1
        if not isinstance(written, str):
            raise ValueError(f"a choice is a text, got {written!r}")
        if written not in column.levels:
            raise ValueError(f"no such value '{written}'{_nearest(written, column.levels)}")
        return column.levels.index(written)
    number = _number(written)
    if number is None:
        return math.nan
    if spec is not None:
        spec.read(number)
    return float(number)


def _nearest(written: str, levels: Sequence[str]) -> str:
    """Return a hint: the nearest value, however it was capitalised, or all if they are few."""
    capital = {level.casefold(): level for level in levels}
    if written.casefold() in capital:
        return f"; did you mean '{capital[written.casefold()]}'?"
    within = [level for level in levels if written.casefold() in level.casefold()]
    if within:
        return f"; did you mean {' or '.join(repr(level) for level in within[:3])}?"
    hint = did_you_mean(written, levels)
    many = len(levels) > FEW and "did you mean" not in hint
    return f"; there are {len(levels)}, such as '{levels[0]}'" if many else hint


def _number(written: object) -> float | bool | None:
    if isinstance(written, float) and not math.isfinite(written):
        raise ValueError(f"expected a number, got {written}")
    if written is None or isinstance(written, bool | int | float):
        return written
    text = str(written)
    if text.casefold() in ("", "missing", "null", "nan"):
        return None
    if text.casefold() in _BOOLS:
        return _BOOLS[text.casefold()]
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"expected a number, got '{text}'")
    return int(number) if number.is_integer() and abs(number) < 1e15 else number
