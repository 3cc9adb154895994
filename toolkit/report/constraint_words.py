"""The constraints of an experiment in words, with what they exclude."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from toolkit.analysis.results import Results
from toolkit.report import elements, formats

__all__ = ["constraints_told"]


def constraints_told(results: Results) -> Markup:
    """Return the declared constraints and which tracks they exclude; nothing where none is declared."""
    declared = list(_declared(results.experiment.get("constraints") or {}))
    if not declared:
        return Markup("")
    out = [entry.track for entry in results.verdict.tracks if entry.excluded]
    told = f"Excluded: {', '.join(out)}." if out else "No track is excluded as a whole."
    return elements.paragraph(f"Constraints, whatever a track earns: {'; '.join(declared)}. {told}")


def _declared(constraints: Mapping[str, Any]) -> Iterator[str]:
    latency, memory = constraints.get("latency_ms"), constraints.get("memory_mb")
    if latency is not None:
        yield f"a decision takes at most {formats.plain(latency)} ms, in 19 of 20 cases"
    if memory is not None:
        yield f"predicting holds at most {formats.plain(memory)} MB"
    if constraints.get("must_explain"):
        yield "single decisions must be explained"
