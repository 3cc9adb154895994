"""Tables as people and programs have them - numbers, levels by name, signals - as a schema's features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from toolkit.errors import DataError, did_you_mean
from toolkit.tasks.base import Column, Schema

__all__ = ["Coded", "coded", "level_name", "typical_row"]


@dataclass(frozen=True)
class Coded:
    """A table in the form that tracks read.

    Parameters
    ----------
    features : DataFrame of shape (n_rows, n_columns)
        The schema's columns in its order: numbers as float32, categories as int32 codes, -1 where missing.
    unknown : dict of str to tuple of str
        Category -> values that are none of its levels and count as missing, in the order of the rows.
    sequence : ndarray of shape (n_rows, n_channels, n_steps), uint8, optional
        The raw signal; None where the schema has no channels.
    """

    features: pd.DataFrame
    unknown: dict[str, tuple[str, ...]]
    sequence: NDArray[np.uint8] | None = None


def coded(table: pd.DataFrame, schema: Schema) -> Coded:
    """Turn a table with the schema's columns into features; further columns are passed over.

    Parameters
    ----------
    table : DataFrame of shape (n_rows, n_columns)
        Numbers as numbers or texts of them; categories as the names of their levels; a channel of the raw
        signal as a list of counts, oldest first, or as their text (``0 0 1 0``).
    schema : Schema

    Raises
    ------
    DataError
        A column is missing, or a column of numbers or a channel holds something else.
    """
    missing = [name for name in (*schema.names, *schema.channels) if name not in table.columns]
    if missing:
        raise DataError(
            f"the table has no column '{missing[0]}'{did_you_mean(missing[0], map(str, table.columns))}"
            + (f"; nor has it {', '.join(missing[1:])}" if len(missing) > 1 else "")
        )
    arrays: dict[str, NDArray[Any]] = {}
    unknown: dict[str, tuple[str, ...]] = {}
    for column in schema.columns:
        values = table[column.name]
        if column.kind == "number":
            arrays[column.name] = _numbers(values)
        else:
            arrays[column.name], strange = _codes(values, column)
            if strange:
                unknown[column.name] = strange
    return Coded(pd.DataFrame(arrays, index=table.index), unknown, _signal(table, schema.channels))


def level_name(value: object) -> str:
    """Return the name of a level as a schema has it: whole numbers without a decimal point."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def typical_row(
    features: pd.DataFrame, schema: Schema, sequence: NDArray[np.uint8] | None = None
) -> dict[str, float | str | list[int] | None]:
    """Return a row that is like many and nobody's: medians of numbers and signals, the most frequent levels.

    Parameters
    ----------
    features : DataFrame of shape (n_rows, n_columns)
        Coded. About 5,000 rows, evenly taken, are looked at.
    schema : Schema
    sequence : ndarray of shape (n_rows, n_channels, n_steps), optional
    """
    stride = max(1, len(features) // 5_000)
    some = features.iloc[::stride]
    row: dict[str, float | str | list[int] | None] = {}
    for column in schema.columns:
        values = some[column.name].to_numpy()
        if column.kind == "number":
            known = values[np.isfinite(values)]
            # the lower of both in the middle: a value that is there, so that a count stays whole
            row[column.name] = float(np.quantile(known, 0.5, method="lower")) if len(known) else None
        else:
            known = values[values >= 0]
            row[column.name] = column.levels[np.bincount(known).argmax()] if len(known) else None
    if sequence is not None and len(sequence):
        usual = np.quantile(sequence[::stride], 0.5, axis=0, method="lower")
        for channel, steps in zip(schema.channels, usual, strict=True):
            row[channel] = steps.astype(int).tolist()
    return row


def _numbers(values: pd.Series[Any]) -> NDArray[np.float32]:
    if is_numeric_dtype(values.dtype) or is_bool_dtype(values.dtype):
        read = values.to_numpy(np.float64, na_value=np.nan)
    else:
        read = pd.to_numeric(values.astype(object), errors="coerce").to_numpy(np.float64, na_value=np.nan)
        for place in np.flatnonzero(np.isnan(read) & values.notna().to_numpy()):
            value = values.iloc[place]
            if not isinstance(value, str) or value.strip():
                raise DataError(f"'{values.name}' holds '{value}' in row {place + 1}, which is no number")
    endless = np.flatnonzero(np.abs(read) > np.finfo(np.float32).max)
    if len(endless):
        place = endless[0]
        raise DataError(
            f"'{values.name}' holds '{values.iloc[place]}' in row {place + 1}, which is too large"
        )
    return read.astype(np.float32)


def _signal(table: pd.DataFrame, channels: Sequence[str]) -> NDArray[np.uint8] | None:
    if not channels:
        return None
    parts = [_steps(table[channel]) for channel in channels]
    if len({part.shape for part in parts}) > 1:
        lengths = ", ".join(
            f"{part.shape[1]} of '{name}'" for name, part in zip(channels, parts, strict=True)
        )
        raise DataError(f"channels must have as many steps as one another, got {lengths}")
    return np.stack(parts, axis=1)


def _steps(values: pd.Series[Any]) -> NDArray[np.uint8]:
    """Return one channel, shape (n_rows, n_steps)."""
    rows: list[NDArray[np.float64]] = []
    for place, value in enumerate(values, 1):
        entries = value.strip().strip("[]").replace(",", " ").split() if isinstance(value, str) else value
        try:
            row = np.asarray(entries, np.float64)
        except (TypeError, ValueError):
            row = np.full(1, np.nan)
        if row.ndim != 1 or not len(row) or not (row >= 0).all():
            raise DataError(
                f"'{values.name}' holds '{str(value)[:40]}' in row {place}; it takes a list of counts, "
                "oldest first, such as 0 0 1 0"
            )
        if rows and len(row) != len(rows[0]):
            raise DataError(
                f"'{values.name}' has {len(row)} steps in row {place} and {len(rows[0])} in the rows before"
            )
        rows.append(row)
    n_steps = len(rows[0]) if rows else 0
    return np.minimum(np.reshape(rows, (len(rows), n_steps)), 255).astype(np.uint8)


def _codes(values: pd.Series[Any], column: Column) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Return codes, and the values that are no level."""
    places, distinct = pd.factorize(values.astype(object))
    names = [level_name(value) for value in distinct]
    found = _positions(names, column.levels)
    strange = tuple(name for name, code in zip(names, found, strict=True) if code < 0)
    # the last entry is for what is missing, whose place is -1
    return np.append(found, np.int32(-1))[places], strange


def _positions(names: Sequence[str], levels: Sequence[str]) -> NDArray[np.int32]:
    codes = {level: code for code, level in enumerate(levels)}
    return np.array([codes.get(name, -1) for name in names], np.int32)
