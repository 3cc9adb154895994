"""The figures of every form are those that docs/curves.md defines."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from toolkit.analysis.fits.curves import fit_curve

DOCS = (Path(__file__).parents[2] / "docs" / "curves.md").read_text(encoding="utf-8")
X = np.geomspace(1e-3, 1, 12)
SHARE, RATE = 0.7, 0.4
"""h and b of the curves below."""
EXPECTED = {
    "power_floor": (-RATE * SHARE, (SHARE / (SHARE - 0.5)) ** (1 / RATE), 2 ** (1 / RATE)),
    "exponential_floor": (-SHARE * 3, 1 - math.log(1 - 1 / (2 * SHARE)) / 3, 1 + math.log(2) / 3),
    "log": (-0.1, math.exp(1 / 0.2), math.exp(1 / 0.2)),
}
CURVES = {
    "power_floor": SHARE * X**-RATE + 1 - SHARE,
    "exponential_floor": 1 + SHARE * (np.exp(3 * (1 - X)) - 1),
    "log": 1 - 0.1 * np.log(X),
}
CELLS = {
    "power_floor": "| −b (1 − f) | ((1 − f) / (½ − f))^(1/b) | 2^(1/b) |",
    "exponential_floor": "| −h r | 1 − ln(1 − 1/(2h)) / r, infinite where h ≤ ½ | 1 + ln 2 / r |",
    "log": "| −h | e^(1/(2h)) | the same: there is no floor to be above |",
}


@pytest.mark.parametrize("form", list(EXPECTED))
def test_the_figures_of_a_form_are_those_of_the_docs(form):
    (row,) = [line for line in DOCS.splitlines() if line.startswith(f"| `{form}` |")]
    assert row.endswith(CELLS[form])
    noise = 1 + 1e-7 * np.random.default_rng(0).normal(size=12)
    fit = fit_curve(100 * X, 0.3 * (CURVES[form] * noise)[:, None], form=form)
    found = (fit.elasticity.estimate, fit.k_half.estimate, fit.k_half_excess.estimate)
    assert found == pytest.approx(EXPECTED[form], rel=1e-3)
