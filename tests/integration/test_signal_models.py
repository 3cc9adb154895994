"""Channels of a raw signal are columns of lists to whoever asks a model."""

from __future__ import annotations

import pandas as pd
import pytest

from toolkit.errors import DataError
from toolkit.models.frames import coded
from toolkit.tracks.base import load_track


def test_it_reads_what_it_was_trained_on_and_no_more(signal_model):
    reads = load_track(signal_model.track).reads()
    assert {*reads.names, *reads.channels} == set(signal_model.rows[0])


@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_mlflow_takes_lists_and_gives_the_same_answers(signal_model):
    import mlflow

    loaded = mlflow.pyfunc.load_model(str(signal_model.path))
    answers = loaded.predict(pd.DataFrame(signal_model.rows))["probability"]
    assert answers.to_numpy() == pytest.approx(signal_model.answers, abs=1e-12)
    assert len(loaded.predict(loaded.input_example)) == 1


def test_a_signal_of_another_length_is_refused_with_both(signal_model):
    track = load_track(signal_model.track)
    short = pd.DataFrame(signal_model.rows).assign(bought=[[0, 1]] * 5, visited=[[1, 1]] * 5)
    found = coded(short, track.reads())
    with pytest.raises(DataError, match=r"\(rows, 2, 30\).* got \(5, 2, 2\)"):
        track.predict_proba(found.features, found.sequence)
