"""Two models' compute as a product of three ratios: faster processors, more of them, and more time."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.analysis.published.values import Decomposition
from toolkit.published.checks import COMPARED
from toolkit.published.values import Observation

__all__ = ["decompose"]


def decompose(observations: Sequence[Observation], before: str, after: str) -> Decomposition | None:
    """Return how the compute of `after` differs from that of `before`.

    Parameters
    ----------
    observations : sequence of Observation
    before, after : str
        Names.

    Returns
    -------
    Decomposition or None
        None where one is not in the table, or a fact of it is missing.
    """
    known = {one.name: one for one in observations}
    first, second = known.get(before), known.get(after)
    if (
        first is None
        or second is None
        or not all(k in one.facts for one in (first, second) for k in COMPARED)
    ):
        return None
    hardware, processors, time = (second.facts[key] / first.facts[key] for key in COMPARED)
    return Decomposition(
        before=first,
        after=second,
        hardware=hardware,
        processors=processors,
        time=time,
        product=hardware * processors * time,
        error=second.error / first.error,
    )
