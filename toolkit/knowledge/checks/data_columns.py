"""Checks of the columns that a knowledge base declares against the rows it will see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.checks.findings import RuleFinding
from toolkit.knowledge.condition import columns as columns_of
from toolkit.knowledge.entries import ColumnSpec

__all__ = ["Levels", "check_columns", "example", "n_rows", "share"]

Levels = Mapping[str, tuple[str, ...]]
"""Choice column -> names of its codes, in order."""

_Mask = NDArray[np.bool_]


def check_columns(
    knowledge: KnowledgeBase, features: pd.DataFrame, levels: Levels | None = None
) -> Iterator[RuleFinding]:
    """Yield findings about values that a column's entry does not allow, or says nothing about.

    Parameters
    ----------
    knowledge : KnowledgeBase
    features : DataFrame of shape (n_rows, n_columns)
        At least one row, and all columns of the knowledge base.
    levels : mapping of str to tuple of str, optional
        Choice column -> names of its codes.
    """
    named = levels or {}
    conditions = knowledge.conditions()
    used = {name for part in conditions for condition in part for name in columns_of(condition)}
    unsaid: dict[str, float] = {}
    for name, spec in knowledge.columns.items():
        values = features[name].to_numpy()
        missing = values < 0 if spec.type == "choice" else np.isnan(values)
        where = knowledge.where("columns", name)
        is_prior = name == knowledge.prior and knowledge.prior_probability is None
        if is_prior:
            yield from _prior(name, spec, values, missing, where)
        elif spec.type == "choice":
            yield from _levels(name, spec, values, missing, named.get(name, ()), where)
        else:
            yield from _numbers(name, spec, values, where)
        if name in used and not is_prior and spec.missing is None and missing.any():
            unsaid[name] = float(missing.mean())
    if unsaid:
        listed = ", ".join(f"'{name}' ({share(part)} of the rows)" for name, part in unsaid.items())
        yield RuleFinding(
            "missing-values",
            "info",
            f"values are missing of {listed}, and the file does not say what missing stands for: no "
            "comparison with them holds there, negated or not",
            where=knowledge.where("columns", next(iter(unsaid))),
        )


def example(
    features: pd.DataFrame, row: int, names: Iterable[str], knowledge: KnowledgeBase, levels: Levels | None
) -> dict[str, object]:
    """Return some columns of one row as an expert would write them; None is missing."""
    found: dict[str, object] = {}
    for name in names:
        value = features[name].iloc[row]
        spec = knowledge.columns[name]
        if spec.type == "choice":
            known = (levels or {}).get(name, ())
            found[name] = known[value] if 0 <= value < len(known) else None
        else:
            found[name] = None if np.isnan(value) else _plain(value, spec)
    return found


def share(part: float) -> str:
    """Return a share as a percentage for a sentence; never 0 % or 100 % for what only comes near."""
    percent = 100 * float(part)
    if 0 < percent < 0.1:
        return "less than 0.1 %"
    if 99.9 < percent < 100:
        return "more than 99.9 %"
    return f"{percent:.3g} %"


def n_rows(count: int | np.integer) -> str:
    """Return a number of rows for a sentence."""
    return f"{count:,} row{'' if count == 1 else 's'}"


def _plain(value: np.floating | np.integer, spec: ColumnSpec) -> object:
    number = float(str(value))  # the shortest digits that mean it: 0.3, not 0.30000001192092896
    if spec.type == "yes/no" and number in (0, 1):
        return "yes" if number else "no"
    return int(number) if number.is_integer() else number


def _prior(
    name: str, spec: ColumnSpec, values: NDArray[np.floating], missing: _Mask, where: str | None
) -> Iterator[RuleFinding]:
    wrong = (values < 0) | (values > 1)
    if wrong.any():
        yield RuleFinding(
            "prior-not-a-probability",
            "error",
            f"the prior '{name}' must lie between 0 and 1, but does not on {int(wrong.sum()):,} of "
            f"{len(values):,} rows, e.g. {_plain(values[wrong][0], spec)}; choose another prior",
            witness={name: _plain(values[wrong][0], spec)},
            where=where,
        )
    if missing.any() and spec.missing is None:
        yield RuleFinding(
            "prior-not-a-probability",
            "error",
            f"the prior '{name}' is missing on {share(missing.mean())} of the rows; say what probability "
            f"missing stands for under columns: {name}",
            witness={name: None},
            where=where,
        )


def _numbers(
    name: str, spec: ColumnSpec, values: NDArray[np.floating], where: str | None
) -> Iterator[RuleFinding]:
    for end, bound, wrong in (
        ("min", spec.min, None if spec.min is None else values < spec.min),
        ("max", spec.max, None if spec.max is None else values > spec.max),
    ):
        if wrong is not None and wrong.any():
            worst = values[wrong].min() if end == "min" else values[wrong].max()
            side = "below its min" if end == "min" else "above its max"
            yield RuleFinding(
                "value-out-of-range",
                "warning",
                f"'{name}' is {side} {bound:g} on {n_rows(wrong.sum())} ({share(wrong.mean())}), at the "
                f"worst {_plain(worst, spec)}; mend the data or the {end}, which the checks rely on",
                witness={name: _plain(worst, spec)},
                where=where,
            )
    if spec.type in ("whole number", "yes/no"):
        known = values[~np.isnan(values)]
        whole = known == np.round(known) if spec.type == "whole number" else np.isin(known, (0, 1))
        if not whole.all():
            odd = known[~whole]
            yield RuleFinding(
                "value-not-of-its-type",
                "warning",
                f"'{name}' is a {spec.type}, but not on {n_rows(len(odd))} "
                f"({share(len(odd) / len(values))}), e.g. {_plain(odd[0], spec)}; declare it as a number, "
                "or mend the data",
                witness={name: _plain(odd[0], spec)},
                where=where,
            )


def _levels(
    name: str,
    spec: ColumnSpec,
    codes: NDArray[np.integer],
    missing: _Mask,
    known: tuple[str, ...],
    where: str | None,
) -> Iterator[RuleFinding]:
    if spec.values is None:  # noqa: PD011 (not pandas)
        return
    declared = set(spec.values)
    counts = np.bincount(codes[~missing].astype(np.intp), minlength=len(known))
    strange = [level for code, level in enumerate(known) if counts[code] and level not in declared]
    if strange:
        count = sum(int(counts[known.index(level)]) for level in strange)
        more = f" and {len(strange) - 1} more" if len(strange) > 1 else ""
        yield RuleFinding(
            "value-unknown",
            "warning",
            f"'{name}' is '{strange[0]}'{more} on {n_rows(count)} ({share(count / len(codes))}), which the "
            "file does not list among its values; add it, or leave values out to take the task's",
            witness={name: strange[0]},
            where=where,
        )
