"""Tracks can be told apart: by any eye, in black and white, and on both themes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from toolkit.report import looks

NAMES = ["baseline", "rules", "classical", "neural", "hybrid", "tree", "vision", "forest", "bayes"]

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
EYES = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
LEAST_DISTANCE = 15.0
"""Of CIE 1976 colour difference; about 2 is just noticed side by side."""

PAPERS = {"light": "#ffffff", "dark": "#1b2024"}
LEAST_CONTRAST = 2.0
"""Of marks, which have an edge in the colour of text; text itself is held to 4.5 by the browser tests."""


def linear(colour: str) -> np.ndarray:
    parts = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ rgb / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: str, other: str) -> float:
    lights = sorted(
        (float(np.array([0.2126, 0.7152, 0.0722]) @ linear(c)) for c in (one, other)), reverse=True
    )
    return (lights[0] + 0.05) / (lights[1] + 0.05)


@pytest.mark.parametrize("eye", EYES)
def test_colours_are_far_apart_for_every_eye(eye: str) -> None:
    seen = {
        name: lab(np.clip(EYES[eye] @ linear(look.colour), 0, 1)) for name, look in looks.looks(NAMES).items()
    }
    apart = {
        pair: float(np.linalg.norm(seen[pair[0]] - seen[pair[1]])) for pair in itertools.combinations(seen, 2)
    }
    nearest = min(apart, key=apart.__getitem__)
    assert apart[nearest] > LEAST_DISTANCE, (nearest, apart[nearest])


@pytest.mark.parametrize("paper", PAPERS)
def test_colours_stand_out_from_the_page(paper: str) -> None:
    for name, look in looks.looks(NAMES).items():
        assert contrast(look.colour, PAPERS[paper]) > LEAST_CONTRAST, name


def test_tracks_differ_in_colour_marker_and_dash() -> None:
    found = looks.looks(NAMES)
    for part in ("colour", "symbol", "dash", "shape", "sign"):
        assert len({getattr(look, part) for look in found.values()}) == len(NAMES), part
    own = [found[name].pattern for name in NAMES[:5]]
    assert len(set(own)) == len(own)


def test_a_known_track_keeps_its_look_in_any_company() -> None:
    assert looks.looks(["tree", "neural"])["neural"] == looks.looks(["baseline", "neural"])["neural"]
