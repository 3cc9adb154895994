"""The verdict on businesses whose tracks are really trained: one sweep each, on rows whose chances are known.

A verdict is right where it names the track that truly earns most, or where it says too close to call and the
true lead is within the margin. Which track should win is known by construction: what the labels are made of,
how many there are, and what a decision is worth.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from toolkit.sweep.import_probe import probe

from .businesses.trained import TRAINED, Trained, train

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def packages_are_imported_once(monkeypatch) -> None:
    """What importing a track's packages takes is the same in all businesses."""
    monkeypatch.setattr("toolkit.sweep.local.probe", probed)


@cache
def probed(packages: tuple[str, ...]) -> dict[str, float | None]:
    return probe(packages)


PLAIN = ("baseline", "rules", "linear", "trees")


@pytest.mark.parametrize("business", TRAINED, ids=lambda one: one.name)
def test_the_verdict_of_a_trained_sweep(business: Trained, tmp_path, simulation_table) -> None:
    seen = train(business, tmp_path)
    verdict, order = seen.verdict, seen.ranked()
    assert verdict.best is not None
    assert verdict.margin is not None
    first, second = order[:2]
    lead = seen.best_net(first) - seen.best_net(second)
    entries = {one.track: one for one in verdict.tracks}
    earned = seen.net[verdict.best, entries[verdict.best].rung]
    held = [
        one.net_value_per_year.low <= seen.net[one.track, one.rung] <= one.net_value_per_year.high
        for one in verdict.tracks
    ]
    regret = (seen.best_net(first) - earned) / abs(seen.best_net(first))
    told = verdict.deep_learning_worth_it
    row = {
        "business": business.name,
        "cells": seen.n_cells,
        "truly best": first,
        "named": verdict.best,
        "stated": float(verdict.probability_best or 0),
        "too close": "yes" if verdict.too_close_to_call else "no",
        "true lead, margins": lead / verdict.margin,
        "regret": regret,
        "held": f"{sum(held)} of {len(held)}",
        "deep learning": {None: "open", True: "worth it", False: "not worth it"}[told]
        if "neural" in entries
        else "no net",
    }
    simulation_table("verdicts on businesses that were trained", row)
    assert business.best == first or np.isclose(seen.best_net(business.best), seen.best_net(first))
    assert business.name.startswith("tie") == (lead <= verdict.margin)
    if lead <= verdict.margin:
        assert verdict.too_close_to_call
    else:
        assert verdict.best == first
    if told is not None and "neural" in entries:
        deep = seen.best_net("neural") - max(seen.best_net(one) for one in order if one in PLAIN)
        assert told == (deep > verdict.margin)
    assert regret <= 0.02
