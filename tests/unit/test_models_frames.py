"""Tables with levels by name, as features; and a row that is like many."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.config import Rung
from toolkit.errors import DataError
from toolkit.models.frames import coded, typical_row
from toolkit.tasks.base import Column, Schema
from toolkit.tasks.synthetic import Synthetic

SCHEMA = Schema((Column("n"), Column("kind", "category", ("1", "b", "c d"))))


def table(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"n": [1.0, 2.0, 3.0], "kind": ["b", "1", "c d"], **columns})


def test_levels_become_codes_in_the_order_of_the_schema():
    found = coded(table(more=[1, 2, 3])[["more", "kind", "n"]], SCHEMA)
    assert list(found.features.columns) == ["n", "kind"]
    assert found.features["n"].dtype == np.float32
    assert found.features["kind"].dtype == np.int32
    assert found.features["kind"].tolist() == [1, 0, 2]
    assert found.unknown == {}


@pytest.mark.parametrize(
    "kind",
    [
        [1, 1, 1],
        [1.0, 1.0, 1.0],
        pd.Categorical(["1", "1", "1"]),
        pd.array(["1", "1", "1"], dtype="string"),
        pd.array([1, 1, 1], dtype="Int64"),
        np.array(["1", "1", "1"], object),
    ],
)
def test_levels_are_found_in_columns_of_any_kind(kind):
    assert coded(table(kind=kind), SCHEMA).features["kind"].tolist() == [0, 0, 0]


def test_unknown_and_missing_levels_are_missing_and_unknown_ones_are_told():
    found = coded(table(kind=["x", None, "y"]), SCHEMA)
    assert found.features["kind"].tolist() == [-1, -1, -1]
    assert found.unknown == {"kind": ("x", "y")}
    assert coded(table(kind=[np.nan] * 3), SCHEMA).unknown == {}


@pytest.mark.parametrize(
    "numbers",
    [
        [1, 2, 3],
        [True, False, True],
        ["1", " 2", "3e0"],
        [1, "2", None],
        pd.array([1, 2, None], dtype="Int64"),
        ["", " ", "4"],
    ],
)
def test_numbers_are_read_and_what_is_empty_is_missing(numbers):
    read = coded(table(n=numbers), SCHEMA).features["n"]
    assert read.dtype == np.float32
    expected = [
        float(each) if each is not None and str(each).strip() not in ("", "<NA>") else np.nan
        for each in numbers
    ]
    assert np.array_equal(read, np.array(expected, np.float32), equal_nan=True)


def test_what_is_no_number_is_told_with_its_row():
    with pytest.raises(DataError, match="'n' holds 'many' in row 2, which is no number"):
        coded(table(n=["1", "many", "x"]), SCHEMA)


def test_missing_columns_are_told_with_the_nearest():
    with pytest.raises(DataError, match="no column 'kind'; did you mean 'kindd'"):
        coded(table().rename(columns={"kind": "kindd"}), SCHEMA)
    with pytest.raises(DataError, match=r"no column 'n'.*nor has it kind"):
        coded(pd.DataFrame({"x": [1]}), SCHEMA)


def test_no_rows_are_no_obstacle():
    found = coded(table().iloc[:0], SCHEMA)
    assert found.features.shape == (0, 2)
    assert found.features.dtypes.tolist() == [np.float32, np.int32]


@given(st.lists(st.sampled_from(["1", "b", "c d", None, "z"]), max_size=20))
def test_each_row_gets_its_own_code(kinds):
    frame = pd.DataFrame({"n": np.zeros(len(kinds)), "kind": pd.Series(kinds, dtype=object)})
    codes = {"1": 0, "b": 1, "c d": 2}
    assert coded(frame, SCHEMA).features["kind"].tolist() == [codes.get(kind, -1) for kind in kinds]


def test_features_by_name_come_back_as_they_were():
    task = Synthetic(n_clusters=50, rows_per_cluster=5)
    features = task.load(rung=Rung(share=1.0), seed=0).test.features
    schema = task.schema()
    names = np.array(schema.column("segment").levels)[features["segment"]]
    shown = features.astype({"orders": float}).assign(segment=names)
    pd.testing.assert_frame_equal(coded(shown, schema).features, features)


def test_a_typical_row_is_like_many():
    features = pd.DataFrame(
        {"n": np.array([1, 9, np.nan, 2, 3], "f4"), "kind": np.array([2, 2, -1, 0, 2], "i4")}
    )
    assert typical_row(features, SCHEMA) == {"n": 2.0, "kind": "c d"}
    nothing = pd.DataFrame({"n": np.array([np.nan], "f4"), "kind": np.array([-1], "i4")})
    assert typical_row(nothing, SCHEMA) == {"n": None, "kind": None}
    assert typical_row(features.iloc[:0], SCHEMA) == {"n": None, "kind": None}


SIGNAL = Schema((Column("n"),), ("visits", "buys"))


def signals(visits: list[object], buys: list[object]) -> pd.DataFrame:
    return pd.DataFrame({"n": np.arange(len(visits), dtype=float), "visits": visits, "buys": buys})


def test_a_signal_is_a_list_or_its_text_for_every_channel():
    found = coded(signals([[0, 1, 300], "0 1 2", "[0, 1, 2]"], [np.zeros(3), (1, 1, 1), "2 0 0"]), SIGNAL)
    assert found.sequence is not None
    assert found.sequence.dtype == np.uint8
    assert found.sequence.tolist() == [
        [[0, 1, 255], [0, 0, 0]],
        [[0, 1, 2], [1, 1, 1]],
        [[0, 1, 2], [2, 0, 0]],
    ]
    assert coded(signals([], []), SIGNAL).sequence.shape == (0, 2, 0)  # type: ignore[union-attr]
    assert coded(signals([[1]], [[1]]), Schema((Column("n"),))).sequence is None


@pytest.mark.parametrize(
    ("visits", "buys", "told"),
    [
        ([[0, 1]], ["0 x"], "'buys' holds '0 x' in row 1; it takes a list of counts"),
        ([[0, 1]], [None], "'buys' holds 'None' in row 1"),
        ([[0, 1]], [float("nan")], "'buys' holds 'nan' in row 1"),
        ([[0, -1]], [[0, 1]], "'visits' holds .* in row 1"),
        ([[]], [[]], "'visits' holds .* in row 1"),
        ([[0, 1], [0]], [[0, 1], [0]], "'visits' has 1 steps in row 2 and 2 in the rows before"),
        ([[0, 1]], [[0, 1, 2]], "got 2 of 'visits', 3 of 'buys'"),
    ],
)
def test_a_wrong_signal_is_named(visits, buys, told):
    with pytest.raises(DataError, match=told):
        coded(signals(visits, buys), SIGNAL)


def test_a_missing_channel_is_named():
    with pytest.raises(DataError, match="no column 'buys'"):
        coded(signals([[1]], [[1]]).drop(columns="buys"), SIGNAL)


def test_a_typical_row_has_the_usual_signal():
    sequence = np.array([[[0, 1], [5, 0]], [[0, 3], [5, 9]], [[2, 3], [5, 0]]], np.uint8)
    row = typical_row(pd.DataFrame({"n": np.float32([1, 2, 3])}), SIGNAL, sequence)
    assert row == {"n": 2.0, "visits": [0, 3], "buys": [5, 0]}


@pytest.mark.parametrize("value", ["inf", "-inf", "1e39", np.inf, 1e39])
def test_numbers_without_end_are_named(value):
    with pytest.raises(DataError, match=r"'n' holds '.*' in row 2, which is too large"):
        coded(table(n=[1, value, 3]), SCHEMA)
