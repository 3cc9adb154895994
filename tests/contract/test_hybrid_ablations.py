"""Every ablation of the hybrid keeps the promises of a track, or says by name why it cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from toolkit import registry
from toolkit.config import Rung, load
from toolkit.errors import OneClassError, ParameterError, TooFewLabelsError
from toolkit.scores import check_probabilities, score_probabilities
from toolkit.tasks.base import TaskData
from toolkit.tasks.synthetic import Synthetic
from toolkit.tracks.base import Track, load_track

SMOKE = load(Path(__file__).parents[2] / "experiments" / "smoke.yaml")
TASK = Synthetic(n_clusters=300, rows_per_cluster=15)

VARIANTS: dict[str, dict[str, object]] = {
    "whole": {},
    "no_certainties": {"ablation": "no_certainties"},
    "no_unlabelled": {"ablation": "no_unlabelled"},
    "firings_as_features": {"ablation": "firings_as_features"},
    "logic_loss": {"ablation": "logic_loss"},
    "no_witnesses": {"witnesses": 0.0},
    "half_wrong": {"flip_signs": 0.5},
}
NEEDS_LABELS = ("firings_as_features",)


def build(variant: str) -> Track:
    parameters = {**SMOKE.tracks["hybrid"], "strength": "strong", **VARIANTS[variant]}
    track: Track = registry.build("tracks", "hybrid", parameters)
    return track.check(TASK.schema(), SMOKE.path.parent)


def labelled(n_labels: int) -> TaskData:
    return TASK.load(rung=Rung(labels=n_labels, unlabelled=1000), seed=0)


@pytest.mark.parametrize("n_labels", [0, 5, 300])
@pytest.mark.parametrize("variant", VARIANTS)
def test_it_answers_at_every_number_of_labels_or_says_what_it_needs(variant: str, n_labels: int) -> None:
    data, track = labelled(n_labels), build(variant)
    if variant in NEEDS_LABELS and n_labels < 20:
        with pytest.raises(TooFewLabelsError, match=f"ablation: {variant}.* at least 20 .* got {n_labels}"):
            track.fit(data.train, seed=0)
        return
    probabilities = track.fit(data.train, seed=0).predict_proba(data.test.features)
    check_probabilities(probabilities, len(data.test))
    again = build(variant).fit(data.train, seed=0).predict_proba(data.test.features)
    assert np.array_equal(again, probabilities)
    assert all(value is None or isinstance(value, str | float | int) for value in track.chosen().values())


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_explains_itself_in_parts_that_add_up(variant: str) -> None:
    data = labelled(300)
    track = build(variant).fit(data.train, seed=0)
    features = data.test.features.iloc[:50]
    for explanation, chance in zip(track.explain(features), track.predict_proba(features), strict=True):
        parts = [explanation.bias, explanation.prior_log_odds, explanation.correction or 0.0]
        parts += [each.log_odds for each in explanation.contributions]
        assert sum(parts) == pytest.approx(explanation.logit, abs=1e-6)
        assert explanation.probability == pytest.approx(chance, abs=1e-6)


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_comes_back_from_its_files_as_it_was(variant: str, tmp_path: Path) -> None:
    """The knowledge base's file has the certainties as the experts wrote them."""
    data = labelled(300)
    track = build(variant).fit(data.train, seed=0)
    track.save(tmp_path / "saved")
    loaded = load_track(tmp_path / "saved")
    features = data.test.features
    assert np.array_equal(loaded.predict_proba(features), track.predict_proba(features))
    assert loaded.explain(features.iloc[:20]).texts() == track.explain(features.iloc[:20]).texts()


@pytest.mark.parametrize("label", [0, 1])
def test_labels_of_one_class_are_an_answer_or_a_named_error(label: int) -> None:
    train = labelled(600).train
    one_class = train.take(train.labels == label)
    with pytest.raises(OneClassError, match=f"every label is {label}"):
        build("firings_as_features").fit(one_class, seed=0)
    for variant in ("whole", "no_certainties", "no_unlabelled", "logic_loss"):
        chances = build(variant).fit(one_class, seed=0).predict_proba(one_class.features)
        check_probabilities(chances, len(one_class))


def test_an_unknown_ablation_is_refused() -> None:
    with pytest.raises(ParameterError, match="'ablation' of hybrid"):
        registry.build("tracks", "hybrid", {**SMOKE.tracks["hybrid"], "ablation": "no_rules"})


def test_with_few_labels_the_certainties_are_what_helps() -> None:
    data = labelled(100)

    def loss(variant: str) -> float:
        chances = build(variant).fit(data.train, seed=0).predict_proba(data.test.features)
        return float(score_probabilities(data.test.labels, chances)["error_log_loss"] or np.nan)

    losses = {variant: loss(variant) for variant in ("no_witnesses", "no_certainties", "firings_as_features")}
    assert losses["no_witnesses"] < losses["no_certainties"] - 0.01
    assert losses["no_witnesses"] < losses["firings_as_features"] - 0.01
