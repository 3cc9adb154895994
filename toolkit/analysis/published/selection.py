"""Which rows enter the fits over all results, as what, and what is said of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toolkit.published.values import Observation

__all__ = ["TO_FIT_ALL", "Rungs", "all_results", "distinct", "family_note", "main_points", "rungs"]

Floats = NDArray[np.float64]

TO_FIT_ALL = "; for one line over all rows take the column 'family' out"
"""What to do about families, where too few results are left without their rows."""

_N_NAMED = 5
"""Of families and computes that a sentence names, before it goes on with an ellipsis."""


def main_points(observations: Sequence[Observation], measure: str) -> tuple[Observation, ...]:
    """Return what enters the fit over all models, cheapest first.

    Of a family only the model of least error does, as of each paper in the literature: the sizes of one
    recipe are no further recipes, and a family of twelve would count twelvefold. Its rows of equal compute
    are repeats of one size, and count with their mean: the best of them would be the luckiest.
    """
    having = [one for one in observations if measure in one.compute]
    best: dict[str, Observation] = {}
    for size in _sizes(having, measure):
        one = _mean(size)
        if one.family not in best or one.error < best[one.family].error:
            best[one.family] = one
    kept = [*(one for one in having if not one.family), *best.values()]
    order = {id(one): place for place, one in enumerate(having)}
    return tuple(sorted(kept, key=lambda one: (one.compute[measure], order.get(id(one), len(having)))))


def all_results(observations: Sequence[Observation], measure: str) -> list[tuple[Observation, int]]:
    """Return what counts as a result, best of its family or not, and of how many rows it is the mean."""
    having = [one for one in observations if measure in one.compute]
    alone = [(one, 1) for one in having if not one.family]
    return [*alone, *((_mean(size), len(size)) for size in _sizes(having, measure))]


def _sizes(having: Sequence[Observation], measure: str) -> list[list[Observation]]:
    """Return the rows of families, those of one family and compute together."""
    found: dict[tuple[str, float], list[Observation]] = {}
    for one in having:
        if one.family:
            found.setdefault((one.family, one.compute[measure]), []).append(one)
    return list(found.values())


def _mean(size: Sequence[Observation]) -> Observation:
    first = size[0]
    if len(size) == 1:
        return first
    names, years = {one.name for one in size}, {one.year for one in size}
    return replace(
        first,
        name=f"{first.name if len(names) == 1 else first.family} (mean of {len(size)} rows)",
        error=float(np.exp(np.mean([np.log(one.error) for one in size]))),
        year=first.year if len(years) == 1 else None,
    )


def distinct(points: Sequence[Observation], measure: str) -> tuple[tuple[Observation, ...], str]:
    """Return results without exact repeats, and what is told of those; empty where there are none.

    Rows of one compute and one error are one result, unless the table gives them different names.

    Parameters
    ----------
    points : sequence of Observation
        Of a scatter: on a ladder equal errors are seeds that agree.
    measure : str
    """
    found: dict[tuple[float, float, str], Observation] = {}
    for one in points:
        found.setdefault((one.compute[measure], one.error, one.name if one.is_named else ""), one)
    kept = {id(one) for one in found.values()}
    repeats = [one.name for one in points if id(one) not in kept]
    if not repeats:
        return tuple(points), ""
    n = len(repeats)
    return tuple(found.values()), (
        f"{n} {'row repeats' if n == 1 else 'rows repeat'} another to the last digit and "
        f"{'counts' if n == 1 else 'count'} once with it: {_named(repeats)}"
    )


def family_note(observations: Sequence[Observation], measure: str) -> str:
    """Return how many rows only their families' own lines use; empty where there are none."""
    having = [one for one in observations if measure in one.compute]
    told = (_other_sizes(having, measure), _repeats(having, measure))
    return "; ".join(one for one in told if one)


def _repeats(having: Sequence[Observation], measure: str) -> str:
    """Return how many rows of families are repeats."""
    sizes = [size for size in _sizes(having, measure) if len(size) > 1]
    if not sizes:
        return ""
    families = sorted({size[0].family for size in sizes})
    return (
        "rows of one family and of equal compute are repeats of one size and count with their mean: "
        f"{sum(map(len, sizes))} rows of {len(families)} {'family' if len(families) == 1 else 'families'} "
        f"({_named(families)})"
    )


def _other_sizes(having: Sequence[Observation], measure: str) -> str:
    rows = Counter(one.family for one in having if one.family)
    counting = {one.family: one.compute[measure] for one in main_points(having, measure) if one.family}
    in_it = Counter(one.family for one in having if counting.get(one.family) == one.compute[measure])
    several = {family: n - in_it[family] for family, n in rows.items() if n > in_it[family]}
    n = sum(several.values())
    if not several:
        return ""
    families = "1 family" if len(several) == 1 else f"{len(several)} families"
    named = _named([f"{family} {size}" for family, size in sorted(several.items())])
    return (
        f"of a family only its best result counts here, for sizes of one recipe are no further recipes: {n} "
        f"more {'row' if n == 1 else 'rows'} of {families} ({named}) {'is' if n == 1 else 'are'} not in this "
        "fit"
    )


class Rungs(NamedTuple):
    """What is fitted.

    Parameters
    ----------
    costs : ndarray of shape (n_rungs,)
    errors : ndarray of shape (n_rungs, n_seeds)
        NaN where a rung has fewer rows than another.
    is_ladder : bool
        Rows of equal compute are seeds of one rung.
    """

    costs: Floats
    errors: Floats
    is_ladder: bool

    @property
    def means(self) -> Floats:
        """Geometric mean of the errors of each rung, shape (n_rungs,)."""
        return np.asarray(np.exp(np.nanmean(np.log(self.errors), axis=1)))

    @property
    def n_seeds(self) -> int:
        """How many rows the rung of fewest has."""
        return int((~np.isnan(self.errors)).sum(axis=1).min())


def rungs(compute: Floats, error: Floats) -> Rungs:
    """Return rungs and whether the rows are a ladder.

    They are one when more than half of the different computes stand in at least two rows, or some compute
    stands in three: those are seeds, which are no independent results.

    Parameters
    ----------
    compute, error : ndarray of shape (n,)
    """
    counts = Counter(compute.tolist())
    if 2 * sum(count > 1 for count in counts.values()) <= len(counts) and max(counts.values()) < 3:
        return Rungs(compute, error[:, None], is_ladder=False)
    costs = np.array(sorted(counts))
    table = np.full((len(costs), max(counts.values())), np.nan)
    for row, cost in zip(table, costs, strict=True):
        row[: counts[cost]] = error[compute == cost]
    return Rungs(costs, table, is_ladder=True)


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:_N_NAMED]) + (", …" if len(names) > _N_NAMED else "")
