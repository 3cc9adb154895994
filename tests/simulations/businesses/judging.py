"""The verdict that the toolkit gives on what was drawn, held against the truth."""

from __future__ import annotations

from functools import lru_cache

from toolkit.analysis.choices import choices_of
from toolkit.analysis.decisions import draw_outcomes, value_rung
from toolkit.analysis.economics import RungEconomics, nothing_earns, price_rung
from toolkit.analysis.pricing import declared_inputs, systems
from toolkit.analysis.readings import by_rung
from toolkit.analysis.results import Verdict
from toolkit.analysis.stacks import stack_evidence
from toolkit.analysis.validation import validate
from toolkit.analysis.verdict import decide, deployed

from .drawing import Drawn

_shared = lru_cache(4)(draw_outcomes)
"""The draws hang on these alone, and are most of the time."""


def judge(drawn: Drawn) -> Verdict:
    """Return the verdict by what of the analysis it rests on; `analyse` draws curves and pairs besides."""
    experiment, chosen = drawn.experiment, entering(drawn)
    return decide(
        chosen,
        plugins={name: experiment.plugin(name) for name in chosen},
        margin=experiment.economics.margin,
        nothing_earns=nothing_earns(experiment.economics),
    )


def entering(drawn: Drawn) -> dict[str, RungEconomics]:
    """Return each track at the rung that it enters with."""
    experiment = drawn.experiment
    stacks, _ = stack_evidence(drawn.evidence)
    first = next(iter(stacks.values()))
    seeds = sorted({seed for stack in stacks.values() for seed in stack.seeds})
    shared = _shared(experiment.economics.value, tuple(seeds), first.n_clusters)
    readings = by_rung(drawn.cells)
    inputs = declared_inputs(experiment, list(experiment.tracks), drawn.cells, ())
    priced = {}
    for key, stack in stacks.items():
        seen = validate(dict(zip(stack.seeds, stack.evidence, strict=True)), shared.values[0])
        priced[key] = price_rung(value_rung(choices_of(stack), seen, shared), readings[key], inputs)
    chosen = deployed([priced[key] for key in systems(priced, readings)])
    return {track: chosen[track] for track in experiment.tracks}
