"""A share of successes with its interval, where observations of one group are alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from toolkit.analysis.interval import Interval

__all__ = ["clustered_share"]


def clustered_share(groups: Sequence[Sequence[bool]], *, level: float = 0.95) -> Interval:
    """Return the share of successes with the interval of Korn and Graubard.

    It is the exact (Clopper-Pearson) interval of as many independent observations as the groups are worth:
    their number over the design effect, which is the variance of the share between groups over that of a
    binomial share, corrected for the few degrees of freedom that it rests on. A design effect under one
    counts as one. Where every observation is a success, or none is, groups tell nothing of how alike theirs
    are, and each counts once.

    Parameters
    ----------
    groups : sequence of sequence of bool
        Successes; observations of different groups are independent. At least one observation.
    level : float

    Returns
    -------
    Interval
        From 0 to 1 with a single group.

    References
    ----------
    E. L. Korn and B. I. Graubard (1998), Confidence intervals for proportions with small expected number of
    positive counts estimated from survey data. Survey Methodology 24, 193-201.
    """
    from scipy import special  # slow to load, and not needed where results are known

    sizes = np.array([len(group) for group in groups if len(group)], dtype=np.float64)
    hits = np.array([sum(group) for group in groups if len(group)], dtype=np.float64)
    n, k = float(sizes.sum()), len(sizes)
    if n == 0:
        raise ValueError("a share needs at least one observation")
    share = float(hits.sum()) / n
    if k < 2:
        return Interval(share, 0.0, 1.0)
    worth = float(k)
    if 0 < share < 1:
        between = k / (k - 1) * float(((hits - share * sizes) ** 2).sum()) / n**2
        effect = max(between / (share * (1 - share) / n), 1.0)
        quantile = (1 + level) / 2
        t_ratio = float(special.stdtrit(n - 1, quantile) / special.stdtrit(k - 1, quantile))
        worth = n / effect * t_ratio**2
    tail = (1 - level) / 2
    successes = share * worth
    low = float(special.betaincinv(successes, worth - successes + 1, tail)) if share > 0 else 0.0
    high = float(special.betaincinv(successes + 1, worth - successes, 1 - tail)) if share < 1 else 1.0
    return Interval(share, min(low, share), max(high, share))
