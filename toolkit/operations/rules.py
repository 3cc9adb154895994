"""Rules: counted from the compiled knowledge base.

============================  =====================================================================
quantity a row                closed form
============================  =====================================================================
``conditions``                distinct comparisons, and for every distinct ``and`` or ``or`` of k parts
                              k - 1 joins; all of them are decided for every row
``rules``                     rules decided, hard facts included
============================  =====================================================================

Compiling reads no row, so a fit takes none. How many rules fire is a matter of the rows, not of the
compiled knowledge base, and no more work is done where one does; `fired_per_row` tells it of given rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from toolkit.knowledge.condition import Junction
from toolkit.knowledge.program import Program
from toolkit.knowledge.symbolic import ExpertSystem

__all__ = ["fact_counts", "fired_per_row", "rule_counts"]


def rule_counts(system: ExpertSystem) -> Mapping[str, float | None]:
    """Return what deciding the rules of a row takes, without hard facts."""
    return _decided(system.programs[:1])


def fact_counts(system: ExpertSystem) -> Mapping[str, float | None]:
    """Return what deciding the hard facts of a row takes."""
    return _decided(system.programs[1:])


def fired_per_row(system: ExpertSystem, features: pd.DataFrame) -> float:
    """Return how many rules fire on a row, on average over `features`; 0 without rows."""
    return float(system.firing_counts(features).sum()) / max(len(features), 1)


def _decided(programs: Sequence[Program]) -> Mapping[str, float | None]:
    return {
        "conditions": float(sum(map(_conditions, programs))),
        "rules": float(sum(len(program.outputs) for program in programs)),
    }


def _conditions(program: Program) -> int:
    joins = [max(len(step.parts) - 1, 1) for step in program.steps if isinstance(step, Junction)]
    return len(program.steps) - len(joins) + sum(joins)
