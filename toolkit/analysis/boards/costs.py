"""Costs for a results board: readable names, and units that keep most above .01."""

from __future__ import annotations

import math
from collections.abc import Mapping

from toolkit.analysis.boards.values import rounded

__all__ = ["TRAINING", "display_cost", "is_diagnostic", "log10_columns", "training_seconds"]

PHASES = ("import", "load", "search", "fit", "predict_first", "predict_batch", "predict_single")
SCALES = {
    "_model_bytes": ("_model_kB", 1e-3),
    "_bytes": ("_MB", 1e-6),
    "_usd": ("_US_cents", 1e2),
    "_flop": ("_GFLOP", 1e-9),
    "_macs": ("_million_MACs", 1e-6),
    "_element_operations": ("_million_element_operations", 1e-6),
    "_encoded_values": ("_million_encoded_values", 1e-6),
    "_histogram_updates": ("_million_histogram_updates", 1e-6),
    "_split_evaluations": ("_million_split_evaluations", 1e-6),
    "_sort_comparisons": ("_million_sort_comparisons", 1e-6),
    "_node_visits": ("_million_node_visits", 1e-6),
    "_conditions": ("_million_conditions", 1e-6),
    "_rules": ("_million_rules", 1e-6),
}
DIAGNOSTICS = (
    "involuntary_switches",
    "neighbour_seconds",
    "run_queue_seconds",
    "steal_seconds",
    "uncounted_processes",
)
"""Ends of names that tell how clean a reading is: kept with the cells, no cost of a track."""
SLOW_PHASES = ("import", "load", "search", "fit", "predict_batch")
PROPER = {"peak_bytes": "peak_memory_bytes", "growth_bytes": "memory_growth_bytes"}
WORDS = {"cpu": "CPU", "gpu": "GPU", "kg co2e": "kg CO2e", "kwh": "kWh"}
TRAINING = "cost_train_cpu_seconds"
"""Search and fit of a cell together, by which the front is told."""


def log10_columns(values: Mapping[str, float | None]) -> dict[str, float]:
    """Return ``log10_<name>`` of every positive cost and error: charts of MLflow are linear."""
    return {
        f"log10_{name}": math.log10(value)
        for name, value in values.items()
        if name.startswith(("cost_", "error_")) and value is not None and 0 < value < math.inf
    }


def is_diagnostic(name: str) -> bool:
    """Tell whether a column says how clean a reading is, and not what something costs."""
    return name.endswith(DIAGNOSTICS)


def display_cost(name: str, value: float) -> tuple[str, float]:
    """Return a cost's readable name and its value in a unit that keeps most above .01.

    Parameters
    ----------
    name : str
        ``cost_<phase>_<quantity>_<unit>``.
    value : float

    Returns
    -------
    name : str
        The quantity for the phase ``fit``, e.g. ``CPU seconds``; ``work of <phase>/<quantity>`` for others,
        which MLflow shows as a section of its own, below the sections of curves and of the verdict.
    value : float
    """
    body = name.removeprefix("cost_")
    phase = next((phase for phase in PHASES if body.startswith(f"{phase}_")), "")
    quantity = body.removeprefix(f"{phase}_") if phase else body
    quantity = PROPER.get(quantity, quantity)
    scales = SCALES if phase in ("", *SLOW_PHASES) else {**SCALES, "_seconds": ("_ms", 1e3)}
    if quantity.endswith("_per_row"):
        quantity, tail, value = quantity.removesuffix("_per_row"), " per million rows", value * 1e6
        scales = SCALES
    else:
        tail = ""
    for unit, (shown, factor) in scales.items():
        if f"_{quantity}".endswith(unit):
            quantity, value = f"_{quantity}".removesuffix(unit) + shown, value * factor
            break
    words = f" {quantity.replace('_', ' ').strip()} "
    for plain, proper in WORDS.items():
        words = words.replace(f" {plain} ", f" {proper} ")
    words = words.strip() + tail
    return (words if phase in ("", "fit") else f"work of {phase.replace('_', ' ')}/{words}"), value


def training_seconds(costs: Mapping[str, float | None]) -> float | None:
    """Return the CPU-seconds of search and fit of a cell or rung, six digits; None where no fit was timed."""
    fit = costs.get("cost_fit_cpu_seconds")
    return None if fit is None else rounded(fit + (costs.get("cost_search_cpu_seconds") or 0.0))
