from __future__ import annotations

import json

import numpy as np
import pytest

from toolkit.analysis.analyse import analyse
from toolkit.analysis.choices import yes_gains
from toolkit.analysis.whatif.levers import HIT, VOLUME
from toolkit.report.map_figures import codes, map_figure
from toolkit.report.whatif_data import model_of, sliders_of

TRACKS = ["rules", "classical", "neural"]


@pytest.fixture(scope="module")
def results(truth, draw_world, declare_experiment):
    cells, evidence = draw_world(
        {"rules": truth(0.5), "classical": truth(0.8, gain=0.3), "neural": truth(0.85, gain=0.5)}
    )
    hours = {track: {"build": 40, "per_year": [10, 20, 40]} for track in TRACKS}
    economics = {"hours": hours, "volume_per_year": [1e5, 2e5, 4e5], "carbon_price_per_tonne": 0.0}
    return analyse(
        declare_experiment(TRACKS, **economics), task={"name": "made_up"}, cells=cells, evidence=evidence
    )


@pytest.fixture(scope="module")
def model(results):
    return json.loads(json.dumps(model_of(results.sheet), allow_nan=False))


def test_counts_of_a_threshold_come_back_from_their_differences(results, model) -> None:
    n_groups = len(model["test"])
    hit = next(one for one in sliders_of(results.sheet) if one.key == HIT)
    for rung, choices in zip(model["rungs"], results.sheet.book.choices, strict=True):
        for seed, whole in zip(rung["seeds"], choices.choices, strict=True):
            counts = np.array(seed["test"]).reshape(-1, n_groups, 2)
            counts[1:] *= -1
            back = np.cumsum(counts, axis=0)
            places = [whole.validation.tolist().index(pair) for pair in seed["validation"]]
            assert (back == whole.test[places]).all()
            for amount in np.geomspace(hit.low, hit.high, 9):
                values = np.array([amount, *results.sheet.book.money.values[1:]])
                assert whole.best(*yes_gains(values)) in places


def test_each_array_of_draws_is_written_once(results, model) -> None:
    drawn = [json.dumps(one) for one in model["arrays"] if isinstance(one, dict)]
    assert len(drawn) == len(set(drawn))
    volume = model["arrays"][model["draws"]["volume"]]
    assert volume["mean"] == results.sheet.inputs.volume[0]
    assert volume["draws"] == pytest.approx(results.sheet.inputs.volume[1:], rel=1e-8)
    assert model["arrays"][model["draws"]["wage"]] == 60  # not a range: one number


def test_the_ends_of_a_slider_are_amounts_that_it_says(results) -> None:
    for one in sliders_of(results.sheet):
        assert [float(f"{end:.2e}") for end in (one.low, one.high)] == [one.low, one.high]
        assert one.low <= one.now.likely <= one.high


def test_sliders_are_of_what_is_declared_and_carbon_may_be_free(results) -> None:
    found = {one.key: one for one in sliders_of(results.sheet)}
    assert found[VOLUME].now.likely == 2e5
    assert found[VOLUME].low < 2e5 < found[VOLUME].high
    assert found["carbon_price_per_tonne"].low == 0
    assert list(found) == [
        HIT,
        VOLUME,
        "hardware",
        "wage_per_hour",
        "carbon_price_per_tonne",
        "retrains_per_year",
    ]


def test_the_map_has_a_colour_for_each_answer(results) -> None:
    region = results.sensitivity.region
    numbers = np.array(codes(region, TRACKS))
    assert numbers.shape == (len(region.hits), len(region.volumes))
    for row, column in ((0, 0), (-1, -1), (16, 24)):
        best, tie = region.best[row][column], region.tie[row][column]
        assert numbers[row, column] == (0 if not best else 1 + 2 * TRACKS.index(best) + tie)
    figure = map_figure(region, TRACKS, (2e5, 10.0), "<b>")
    assert len(figure.data[0].colorscale) == 2 * (1 + 2 * len(TRACKS))
    assert len(figure.data[0].x) == len(region.volumes) + 1
    assert "<b>" not in figure.layout.yaxis.title.text
