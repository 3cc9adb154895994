from __future__ import annotations

import pickle

import pytest

from toolkit import errors


def test_every_public_error_stands_in_the_tree_of_the_docstring():
    classes = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and value.__module__ == errors.__name__
    ]
    assert len(classes) > 10
    for cls in classes:
        assert issubclass(cls, errors.ToolkitError)
        assert cls.__name__ in (errors.__doc__ or "")
        assert cls.__name__ in errors.__all__


def test_the_place_comes_before_the_problem():
    error = errors.ConfigError("unknown key 'lader'", where="a.yaml:12")
    assert str(error) == "a.yaml:12: unknown key 'lader'"
    assert str(errors.ConfigError("no such thing")) == "no such thing"


@pytest.mark.parametrize(
    "error",
    [
        errors.ConfigError("wrong", where="a.yaml:3"),
        errors.ParameterError("wrong", path=("ladder", 2)),
        errors.TooFewLabelsError("2 of 20"),
    ],
)
def test_errors_cross_a_process_boundary_unchanged(error):
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 (our own bytes)
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


def test_the_nearest_name_is_suggested_and_nothing_far():
    known = ["ladder", "tracks", "task"]
    assert errors.nearest("lader", known) == "ladder"
    assert errors.nearest("zzz", known) is None
    assert errors.did_you_mean("lader", known) == "; did you mean 'ladder'?"
    assert errors.did_you_mean("zzz", known) == "; known: ladder, tracks, task"
    assert errors.did_you_mean("zzz", []) == ""


def test_track_errors_are_no_mistakes_of_the_user():
    for cls in (errors.NotFittedError, errors.OneClassError, errors.MissingColumnError):
        assert issubclass(cls, errors.TrackError)
        assert not issubclass(cls, errors.UserError)
