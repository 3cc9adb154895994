"""Which rows enter the fits over all results, as what, and what is said of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toolkit.published.values import Observation

__all__ = ["TO_FIT_ALL", "Rungs", "family_note", "main_points", "rungs"]

Floats = NDArray[np.float64]

TO_FIT_ALL = "; for one line over all rows take the column 'family' out"
"""What to do about families, where too few results are left without their rows."""

_N_NAMED = 5
"""Of families and computes that a sentence names, before it goes on with an ellipsis."""


def main_points(observations: Sequence[Observation], measure: str) -> tuple[Observation, ...]:
    """Return what enters the fit over all models, cheapest first.

    Of a family only the model of least error does, as of each paper in the literature: the sizes of one
    recipe are no further recipes, and a family of twelve would count twelvefold.
    """
    having = [one for one in observations if measure in one.compute]
    best: dict[str, Observation] = {}
    for one in having:
        if one.family and (one.family not in best or one.error < best[one.family].error):
            best[one.family] = one
    kept = [one for one in having if not one.family or best[one.family] is one]
    return tuple(sorted(kept, key=lambda one: one.compute[measure]))


def family_note(observations: Sequence[Observation], measure: str) -> str:
    """Return how many rows only their families' own lines use; empty where there are none."""
    sizes = Counter(one.family for one in observations if one.family and measure in one.compute)
    several = {family: size - 1 for family, size in sizes.items() if size > 1}
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
    is_ladder : bool
        Rows of equal compute are seeds of one rung.
    note : str
        What was not used of the rows; empty where all were.
    """

    costs: Floats
    errors: Floats
    is_ladder: bool
    note: str = ""


def rungs(compute: Floats, error: Floats) -> Rungs:
    """Return rungs and whether the rows are a ladder.

    They are one when more than half of the different computes stand in at least two rows, or one in three:
    those are seeds, which are no independent results. Where rungs have not equally many, each counts with
    its mean.

    Parameters
    ----------
    compute, error : ndarray of shape (n,)
    """
    counts = Counter(compute.tolist())
    if 2 * sum(count > 1 for count in counts.values()) <= len(counts) and max(counts.values()) < 3:
        return Rungs(compute, error[:, None], is_ladder=False)
    costs = np.array(sorted(counts))
    seeds = [error[compute == cost] for cost in costs]
    if len(set(counts.values())) == 1:
        return Rungs(costs, np.array(seeds), is_ladder=True)
    means = np.array([[np.exp(np.log(one).mean())] for one in seeds])
    return Rungs(costs, means, is_ladder=True, note=_uneven(counts))


def _uneven(counts: Counter[float]) -> str:
    most = max(counts.values())
    fewer = [f"{cost:.4g} has {count}" for cost, count in sorted(counts.items()) if count < most]
    return (
        f"rows of equal compute are taken for repeats of one rung, but the rungs have not equally many: "
        f"{most} rows at most, and {_named(fewer)}. Each rung counts with the mean of its rows, and what "
        f"the {counts.total()} rows tell of its noise is not used"
    )


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:_N_NAMED]) + (", …" if len(names) > _N_NAMED else "")
