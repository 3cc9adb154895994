"""Counts of operations, and the cost columns that they become.

A quantity is counted by a closed form from what was fitted, or by one probe of a net; nothing is timed.
One operation of one quantity may cost a thousand times one of another, so quantities have columns of their
own and are never added up or compared across quantities.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["NOTHING", "QUANTITIES", "Operations", "added", "times"]

QUANTITIES: dict[str, str] = {
    "flop": "floating-point operations of dense products of matrices, two a multiply-add",
    "sparse_flop": "the same of sparse matrices: two a stored value and product",
    "element_operations": "elements that anything but a product of matrices writes, or reads to sum them up",
    "encoded_values": "values of a table turned into inputs of a model",
    "histogram_updates": "values of rows added to a histogram of boosting",
    "split_evaluations": "places at which a tree might cut, looked at",
    "sort_comparisons": "comparisons of the sorts of a forest, n log2 n a sort",
    "node_visits": "nodes of trees that rows pass through, leaves included",
    "conditions": "comparisons, and joins of two conditions, that a rule base decides",
    "rules": "rules decided",
}
"""Name of a quantity -> what one of it is. Closed forms: `docs/operations.md`."""


@dataclass(frozen=True)
class Operations:
    """What fit and prediction did, counted.

    Parameters
    ----------
    fit : mapping of str to float or None
        Of the whole fit, by quantity (`QUANTITIES`); None where it cannot be told. A quantity that is not
        there does not occur.
    predict_per_row : mapping of str to float or None
        Of predicting one row as part of a batch.
    uncounted : tuple of str
        What was not counted, and made quantities None.

    Raises
    ------
    ValueError
        A quantity has no meaning here, or is None without a reason.
    """

    fit: Mapping[str, float | None] = field(default_factory=dict)
    predict_per_row: Mapping[str, float | None] = field(default_factory=dict)
    uncounted: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        unknown = sorted({*self.fit, *self.predict_per_row} - set(QUANTITIES))
        if unknown:
            raise ValueError(f"no quantity of operations: {', '.join(unknown)} (toolkit.operations.counts)")
        untold = [name for name, value in self.costs().items() if value is None]
        if untold and not self.uncounted:
            raise ValueError(f"{', '.join(untold)} is None, and nothing says what was not counted")

    def costs(self) -> dict[str, float | None]:
        """Return the cost columns: ``cost_fit_<quantity>``, ``cost_predict_batch_<quantity>_per_row``."""
        fit = {f"cost_fit_{name}": value for name, value in self.fit.items()}
        predict = {f"cost_predict_batch_{name}_per_row": each for name, each in self.predict_per_row.items()}
        return {**fit, **predict}

    def withheld(self) -> dict[str, str]:
        """Return why a cost column has no value, by its name."""
        reason = f"not counted: {', '.join(self.uncounted)}"
        return {name: reason for name, value in self.costs().items() if value is None}


NOTHING = Operations()
"""Of what no closed form is known for."""


def times(counts: Mapping[str, float | None], factor: float) -> dict[str, float | None]:
    """Return counts of what is done `factor` times."""
    return {name: None if value is None else factor * value for name, value in counts.items()}


def added(*parts: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return the sum of counts, quantity by quantity; None where a part cannot be told."""
    total: dict[str, float | None] = {}
    for part in parts:
        for name, value in part.items():
            before = total.get(name, 0.0)
            total[name] = None if value is None or before is None else before + value
    return total
