"""Reading of cost columns: ``cost_<phase>_<quantity>_<unit>`` as phase, words, unit and basis."""

from __future__ import annotations

import re
from dataclasses import dataclass

from toolkit.report import formats

__all__ = ["PHASES", "Cost", "parse", "show"]

PHASES = {
    "import": "import of libraries",
    "load": "loading the data",
    "search": "search of parameters",
    "fit": "fit",
    "predict_first": "first prediction",
    "predict_batch": "prediction in batch",
    "predict_single": "prediction of one row",
    "cell": "the whole cell",
}
"""Phases of a cell in order, and what they are called."""

_UNITS = {"seconds": "s", "joules": "J", "bytes": "B", "flop": "FLOP", "kg_co2e": "kg CO₂e", "usd": "USD"}
_MODELLED = ("joules", "kg_co2e", "usd")
_COUNTERS = ("package_joules", "gpu_joules")
"""Energy that a counter of the machine told."""

_COUNTED = {
    "flop": "operations in matrix products",
    "sparse_flop": "operations in products of sparse matrices",
    "element_operations": "operations on single elements",
    "encoded_values": "values of the table encoded",
    "histogram_updates": "values added to histograms",
    "split_evaluations": "cuts of trees looked at",
    "sort_comparisons": "comparisons of sorts, n log n",
    "node_visits": "nodes of trees passed through",
    "conditions": "conditions of rules decided",
    "rules": "rules decided",
}
"""Quantities that closed forms count, the same on every machine; neither a clock nor a price is in them."""

_TITLES = {
    "cpu_seconds": "CPU time",
    "wall_seconds": "wall-clock time",
    "run_queue_seconds": "wait for a core",
    "involuntary_switches": "times put aside for other work",
    "steal_seconds": "time taken by other virtual machines",
    "neighbour_seconds": "CPU time of other processes beside it",
    "uncounted_processes": "processes whose time is not in it",
    "metered_wall_seconds": "wall-clock time inside metered phases",
    "peak_bytes": "peak memory",
    "growth_bytes": "growth of memory",
    "model_bytes": "size of the saved model",
    "joules": "energy",
    "package_joules": "energy of the whole processor",
    "gpu_joules": "energy of the GPU",
    "codecarbon_joules": "energy as told by codecarbon",
    "kg_co2e": "carbon",
    "usd": "price",
    **_COUNTED,
}


@dataclass(frozen=True)
class Cost:
    """One cost column.

    Parameters
    ----------
    column : str
    phase : str
        A key of `PHASES`; empty when the name has none.
    quantity : str
        Words for people, without the unit.
    unit : str
        Symbol; empty for plain counts.
    basis : {"measured", "counted", "modelled", "declared"}
    """

    column: str
    phase: str
    quantity: str
    unit: str
    basis: str


def parse(column: str) -> Cost:
    """Read a cost column's name."""
    rest = column.removeprefix("cost_")
    phase = next((name for name in PHASES if rest.startswith(f"{name}_")), "")
    rest = rest.removeprefix(f"{phase}_") if phase else rest
    basis = next((word for word in ("measured", "modelled", "declared") if word in rest.split("_")), "")
    rest, _, per = rest.partition("_per_")
    unit = next((name for name in _UNITS if rest == name or rest.endswith(f"_{name}")), "")
    if not basis:
        is_priced = unit in _MODELLED and rest not in _COUNTERS
        is_modelled = "nominal" in rest or "budget" in rest or is_priced
        basis = "counted" if rest in _COUNTED else "modelled" if is_modelled else "measured"
    bare = rest.removesuffix(unit).strip("_") or rest
    title = _TITLES.get(rest) or formats.words(bare)
    percentile = re.fullmatch(r"p(\d+)", bare)
    if percentile:
        title = "median time of a call" if percentile[1] == "50" else f"time of the slowest calls, {bare}"
    return Cost(column, phase, f"{title} a {per}" if per else title, _UNITS.get(unit, ""), basis)


def show(cost: Cost, value: float | None) -> str:
    """Return a cost with its unit."""
    if cost.unit == "USD":
        return formats.money(value)
    if cost.unit == "kg CO₂e":
        return formats.quantity(None if value is None else 1000 * value, "g CO₂e")
    if cost.unit:
        return formats.quantity(value, cost.unit)
    return formats.number(value)
