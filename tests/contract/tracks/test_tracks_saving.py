"""Every track saved and loaded: the same to the last bit, and without pickle."""

from __future__ import annotations

import io
import pickletools
import zipfile

import numpy as np

from toolkit.tracks.base import Track, load_track


def is_pickle(content: bytes) -> bool:
    try:
        return [operation.name for operation, *_ in pickletools.genops(content)][-1] == "STOP"
    except Exception:  # whatever it is, pickle cannot read it
        return False


def build_like(track: Track) -> Track:
    return type(track)(**track.get_params())


def test_a_saved_track_comes_back_the_same_to_the_last_bit(fitted, data, tmp_path, parameters):
    fitted.track.save(tmp_path / "saved")
    loaded = load_track(tmp_path / "saved")
    assert type(loaded) is type(fitted.track)
    assert np.array_equal(loaded.predict_proba(data.test.features), fitted.probabilities)
    one = data.test.features.iloc[[7]]
    assert np.array_equal(loaded.predict_proba(one), fitted.track.predict_proba(one))
    assert loaded.schema_ == data.train.schema
    assert loaded.chosen() == fitted.track.chosen()
    assert loaded.operations() == fitted.track.operations()
    kept, given = parameters(loaded), parameters(fitted.track)
    if kept.pop("knowledge", None) is not None:
        assert loaded.knowledge.parent == (tmp_path / "saved").resolve()
        given.pop("knowledge")
    assert kept == given
    if loaded.explains:
        few = data.test.features.iloc[:50]
        assert loaded.explain(few).texts() == fitted.track.explain(few).texts()


def test_a_loaded_track_is_a_track_like_any_other(fitted, data, tmp_path, small):
    fitted.track.save(tmp_path / "first")
    loaded = load_track(tmp_path / "first")
    loaded.save(tmp_path / "second")
    again = load_track(tmp_path / "second")
    assert np.array_equal(again.predict_proba(data.test.features), fitted.probabilities)
    train = small(data.train)
    again.fit(train, seed=1)
    expected = build_like(fitted.track).fit(train, seed=1)
    assert np.array_equal(again.predict_proba(data.test.features), expected.predict_proba(data.test.features))


def test_no_file_of_a_saved_track_is_or_holds_a_pickle(fitted, tmp_path):
    fitted.track.save(tmp_path / "saved")
    for file in (tmp_path / "saved").iterdir():
        assert file.suffix in (".json", ".safetensors", ".skops", ".txt", ".yaml"), file.name
        contents = [file.read_bytes()]
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                contents += [archive.read(name) for name in archive.namelist()]
        for content in contents:
            assert not is_pickle(content), file.name
            if content.startswith(b"\x93NUMPY"):
                np.load(io.BytesIO(content), allow_pickle=False)
