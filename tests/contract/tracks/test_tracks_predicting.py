"""What every track promises of predictions and explanations, whatever rows and columns it is given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import MissingColumnError, NotExplainableError
from toolkit.scores import check_probabilities


def _spoilt(features: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the features with one column turned upside down."""
    return features.assign(**{column: features[column].to_numpy()[::-1]})


def test_every_row_gets_one_finite_probability(fitted, data):
    values = check_probabilities(fitted.probabilities, len(data.test))
    assert values.dtype == fitted.probabilities.dtype == np.float64
    few = data.test.features.iloc[:3]
    assert np.allclose(fitted.track.predict_proba(few), values[:3], atol=1e-6)
    assert fitted.track.predict_proba(data.test.features.iloc[:0]).shape == (0,)


def test_it_may_be_given_a_raw_signal(fitted, data):
    signal = np.ones((len(data.test), 2, 5), np.uint8)
    given = fitted.track.predict_proba(data.test.features, signal)
    assert np.array_equal(given, fitted.probabilities), "by default no track reads it"


def test_the_order_of_rows_and_columns_does_not_matter_to_prediction(fitted, data):
    features = data.test.features
    order = np.random.default_rng(0).permutation(len(features))
    shuffled = fitted.track.predict_proba(features.iloc[order])
    assert np.allclose(shuffled, fitted.probabilities[order], atol=1e-6)
    turned = fitted.track.predict_proba(features[features.columns[::-1]])
    assert np.allclose(turned, fitted.probabilities, atol=1e-6)


def test_further_columns_are_passed_over(fitted, data):
    wider = data.test.features.assign(answer=data.test.labels)
    assert np.array_equal(fitted.track.predict_proba(wider), fitted.probabilities)


def test_holes_and_unknown_levels_are_no_obstacle(fitted, data):
    schema = data.train.schema
    holes = data.test.features.copy()
    for column in schema.numbers:
        holes.loc[::2, column] = np.nan
    for category in schema.categories:
        holes[category.name] = np.full(len(holes), -1, np.int32)
    check_probabilities(fitted.track.predict_proba(holes), len(holes))


def test_a_missing_column_is_a_named_error(fitted, data):
    used = [
        column
        for column in data.test.features.columns
        if not np.array_equal(
            fitted.track.predict_proba(_spoilt(data.test.features, column)), fitted.probabilities
        )
    ]
    assert used, "no column matters to this track"
    with pytest.raises(MissingColumnError, match=used[-1]):
        fitted.track.predict_proba(data.test.features.drop(columns=used[-1]))


def test_explanations_add_up_to_what_is_predicted_or_are_a_named_error(fitted, data):
    features = data.test.features
    if not fitted.track.explains:
        with pytest.raises(NotExplainableError, match="no knowledge base"):
            fitted.track.explain(features)
        return
    explanations = fitted.track.explain(features)
    assert np.allclose(explanations.probability, fitted.probabilities, atol=1e-6, rtol=0)
    inside = (fitted.probabilities > 0) & (fitted.probabilities < 1)
    logit = np.log(fitted.probabilities[inside]) - np.log1p(-fitted.probabilities[inside])
    assert np.allclose(explanations.logit[inside], logit, atol=1e-6, rtol=0)
    for explanation in explanations[:200]:
        parts = [explanation.bias, explanation.prior_log_odds, explanation.correction or 0.0]
        parts += [each.log_odds for each in explanation.contributions]
        assert sum(parts) == pytest.approx(explanation.logit, abs=1e-6)
    assert len(explanations.texts()) == len(features)
