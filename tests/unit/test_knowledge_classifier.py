from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from toolkit.errors import KnowledgeError
from toolkit.knowledge.base import KnowledgeBase, load
from toolkit.knowledge.classifier import RulesClassifier
from toolkit.tasks.base import TrainingData
from toolkit.tasks.synthetic import Synthetic
from toolkit.tracks.rules import Rules

SMOKE = Path(__file__).parents[2] / "experiments" / "knowledge" / "smoke.yaml"
TEXT = """\
knowledge_base: shop
predicts: buys
prior: p
columns:
  p: {min: 0, max: 1}
  visits: {type: whole number}
  goods: {type: choice}
  member: {type: yes/no}
rules:
  - {id: keen, when: visits >= 3, then: buys, certainty: 0.5, because: looks often}
  - {id: milk, when: 'goods in ["milk", "bread"]', then: does not buy, certainty: 0.75, because: has it}
never: [{id: law, when: 'goods == "beer" and not member', because: the law}]
"""
TINY = KnowledgeBase.model_validate(
    {
        "knowledge_base": "tiny",
        "predicts": "y",
        # the labels that scikit-learn's checks use where they are texts; others would be refused
        "outcome": {"positive": "two", "negative": "one"},
        "prior": "50 %",
        "columns": {"x": {}},
        "rules": [
            {"id": "high", "when": "x > 0", "then": "two", "certainty": 0.8, "because": "so"},
            {"id": "low", "when": "x < 0", "then": "one", "certainty": 0.8, "because": "so"},
        ],
    }
)


# All checks are to pass: none is expected to fail. An array's first column is called x.
@parametrize_with_checks([RulesClassifier(TINY, columns=["x"])])
def test_it_is_a_scikit_learn_classifier(estimator, check) -> None:
    check(estimator)


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("knowledge") / "shop.yaml"
    file.write_text(TEXT)
    return file


@pytest.fixture
def rows() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "goods": ["milk", "beer", "beer", None, "tea"],
            "p": [0.5, 0.5, 0.5, 0.5, 0.2],
            "visits": pd.array([3, 0, 0, 5, None], dtype="Int64"),
            "member": [True, True, False, True, True],
            "more": pd.date_range("2026-01-01", periods=5),
        }
    )


EXPECTED = [1 / 3, 0.5, 0.0, 2 / 3, 0.2]


def test_prior_and_rules_make_the_probability(path, rows) -> None:
    model = RulesClassifier(str(path)).fit(rows)
    assert model.predict_proba(rows)[:, 1] == pytest.approx(EXPECTED)
    assert model.predict_proba(rows).sum(axis=1) == pytest.approx(1)
    assert model.predict(rows).tolist() == [0, 0, 0, 1, 0]
    assert model.decision_function(rows) == pytest.approx([-np.log(2), 0, -1000, np.log(2), np.log(0.25)])
    assert model.classes_.tolist() == [0, 1]
    assert list(model.feature_names_in_) == list(rows.columns)
    assert model.n_features_in_ == 5


@pytest.mark.parametrize("dtype", ["object", "category", "string"])
def test_choices_of_any_type_and_values_that_were_not_seen(path, rows, dtype) -> None:
    rows["goods"] = rows["goods"].astype(dtype)
    model = RulesClassifier(path).fit(rows)
    # "bread" is named by a rule but was not seen; "gin" is known to nobody and is another value
    later = rows.assign(goods=pd.Series(["bread", "gin", "gin", "milk", "milk"], dtype=dtype), visits=0)
    assert model.predict_proba(later)[:4, 1] == pytest.approx([0.2, 0.5, 0.5, 0.2])


@pytest.mark.parametrize(
    "member", [[True, None, False], [1, np.nan, 0], pd.array([True, None, False], dtype="boolean")]
)
def test_yes_and_no_in_any_form(path, member) -> None:
    rows = pd.DataFrame({"goods": "beer", "p": 0.5, "visits": 0, "member": member})
    assert RulesClassifier(path).fit(rows).predict_proba(rows)[:, 1].tolist() == [0.5, 0.5, 0]


def test_the_parameters(path, rows) -> None:
    first = RulesClassifier(path, n_rules=1).fit(rows)
    assert first.predict_proba(rows)[0, 1] == pytest.approx(2 / 3)
    half = RulesClassifier(path, scale=0.5).fit(rows)
    assert half.decision_function(rows)[0] == pytest.approx(-0.5 * np.log(2))
    assert RulesClassifier(load(path)).fit(rows).predict_proba(rows)[0, 1] == pytest.approx(1 / 3)
    with pytest.raises(KnowledgeError, match="asked for 3 rules, but there are 2"):
        RulesClassifier(path, n_rules=3).fit(rows)


def test_labels_only_name_the_classes(path, rows) -> None:
    numbers = RulesClassifier(path).fit(rows, [7, 3, 3, 7, 3])
    assert numbers.classes_.tolist() == [3, 7]
    assert numbers.predict(rows).tolist() == [3, 3, 3, 7, 3]
    words = RulesClassifier(path).fit(rows, ["buys", "buys", "does not buy", "buys", "buys"])
    assert words.classes_.tolist() == ["buys", "does not buy"]
    assert words.predict_proba(rows)[:, 0] == pytest.approx(EXPECTED)
    assert words.predict(rows)[3] == "buys"
    assert words.decision_function(rows)[3] == pytest.approx(-np.log(2))


def test_labels_that_are_not_two_classes_are_refused(path, rows) -> None:
    with pytest.raises(ValueError, match="multiclass"):
        RulesClassifier(path).fit(rows, [0, 1, 2, 0, 1])
    with pytest.raises(ValueError, match="one class only, 1, so the other is not known"):
        RulesClassifier(path).fit(rows, [1, 1, 1, 1, 1])


def test_a_column_that_is_not_there_is_a_named_error(path, rows) -> None:
    with pytest.raises(KnowledgeError, match=r"X has no column 'visits'; did you mean 'visit'\?") as caught:
        RulesClassifier(path).fit(rows.rename(columns={"visits": "visit"}))
    assert caught.value.where == f"{path}:6:3"
    model = RulesClassifier(path).fit(rows)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(rows.drop(columns="visits"))
    with pytest.raises(KnowledgeError, match="'visits' holds 'a' in the table, but is a number here"):
        RulesClassifier(path).fit(rows.assign(visits=list("abcde")))


def test_before_fit_it_says_so(path, rows) -> None:
    for method in ("predict", "predict_proba", "decision_function", "explain"):
        with pytest.raises(NotFittedError):
            getattr(RulesClassifier(path), method)(rows)


def test_arrays_line_up_by_position(path) -> None:
    array = np.array([[0.5, 3, "milk", 1], [0.5, 4, None, 0]], dtype=object)
    assert RulesClassifier(path).fit(array).predict_proba(array)[:, 1] == pytest.approx([1 / 3, 2 / 3])
    with pytest.raises(ValueError, match=r"X has 3 feature\(s\) .* in this order: p, visits, goods, member;"):
        RulesClassifier(path).fit(array[:, :3])
    turned = np.column_stack([array[:, ::-1], array[:, 0]])
    named = RulesClassifier(path, columns=["member", "goods", "visits", "p"]).fit(turned)
    assert named.predict_proba(turned)[:, 1] == pytest.approx([1 / 3, 2 / 3])
    with pytest.raises(KnowledgeError, match="X has no column 'visits'"):
        RulesClassifier(path, columns=["member", "goods", "vists", "p"]).fit(array)


def test_clone_and_pickle(path, rows) -> None:
    model = clone(RulesClassifier(path, n_rules=2, scale=0.5)).fit(rows)
    assert model.get_params() == {
        "knowledge": path,
        "n_rules": 2,
        "scale": 0.5,
        "columns": None,
        "positive_label": None,
    }
    again = pickle.loads(pickle.dumps(model))  # noqa: S301 (our own bytes)
    assert np.array_equal(again.predict_proba(rows), model.predict_proba(rows))


@pytest.fixture(scope="module")
def customers() -> tuple[pd.DataFrame, np.ndarray, TrainingData]:
    task = Synthetic(n_clusters=60)
    train = task.load(rung=None, seed=0)
    frame = train.valid.features.assign(
        segment=pd.Categorical.from_codes(
            train.valid.features["segment"], categories=task.schema().column("segment").levels
        )
    )
    return frame, train.valid.labels, train.train


def test_pipelines_and_searches_work(customers) -> None:
    frame, labels, _ = customers
    pipeline = make_pipeline(FunctionTransformer(), RulesClassifier(SMOKE))
    scores = cross_val_score(pipeline, frame, labels, cv=3, scoring="roc_auc")
    assert scores.mean() > 0.75
    grid = GridSearchCV(
        RulesClassifier(SMOKE), {"scale": [0.0, 0.5, 1.0], "n_rules": [0, 5]}, scoring="neg_log_loss"
    )
    grid.fit(frame, labels)
    assert grid.best_params_["n_rules"] == 5
    assert get_scorer("neg_log_loss")(grid, frame, labels) > -1


def test_it_says_what_the_rules_track_says(customers) -> None:
    frame, _, train = customers
    track = Rules(SMOKE).fit(train, seed=0)
    rows = frame.assign(segment=frame["segment"].cat.codes.astype(np.int32))
    model = RulesClassifier(SMOKE).fit(frame)
    assert np.array_equal(model.predict_proba(frame)[:, 1], track.predict_proba(rows))


def test_every_row_is_explained(path, rows) -> None:
    model = RulesClassifier(path, scale=0.5).fit(rows)
    explanations = model.explain(rows)
    assert explanations.probability == pytest.approx(model.predict_proba(rows)[:, 1])
    assert [each.rule for each in explanations[0].contributions] == ["keen", "milk"]
    assert explanations[2].facts[0].because == "the law"
    assert "keen (buys, 0.5) would fire if visits were 3 instead of 0" in explanations.texts()[1]


def tiers(when: str, **column: object) -> KnowledgeBase:
    return KnowledgeBase.model_validate(
        {
            "knowledge_base": "tiers",
            "predicts": "y",
            "prior": "50 %",
            "columns": {"t": {"type": "choice", **column}},
            "rules": [{"id": "r", "when": when, "then": "buys", "certainty": 0.5, "because": "so"}],
        }
    )


UNSEEN = {
    't != "x"': 2 / 3,
    't not in ["x", "y"]': 2 / 3,
    't == "x"': 0.5,
    't in ["x", "y"]': 0.5,
}


@pytest.mark.parametrize("column", [{}, {"missing": "y"}, {"missing": "y", "values": ["x", "y"]}])
@pytest.mark.parametrize(("when", "expected"), UNSEEN.items())
def test_a_value_that_was_not_seen_is_another_value_whatever_was_seen(when, expected, column) -> None:
    rows = pd.DataFrame({"t": ["platinum", None, "x"]})
    answers = [
        RulesClassifier(tiers(when, **column)).fit(pd.DataFrame({"t": seen})).predict_proba(rows)[:, 1]
        for seen in (["x", "y"], ["x", "platinum"], ["gold", None], [None])
    ]
    assert all(np.array_equal(each, answers[0]) for each in answers)
    assert answers[0][0] == pytest.approx(expected)
    # nothing stands for what is missing, or y does
    y = RulesClassifier(tiers(when, **column)).fit(rows).predict_proba(pd.DataFrame({"t": ["y"]}))[0, 1]
    assert answers[0][1] == pytest.approx(y if column else 0.5)


def test_a_value_that_was_not_seen_is_told_by_name() -> None:
    model = RulesClassifier(tiers('t == "x"')).fit(pd.DataFrame({"t": ["x", "y"]}))
    rows = pd.DataFrame({"t": ["platinum", "another value", None]})
    explanations = model.explain(rows)
    assert explanations.probability == pytest.approx(model.predict_proba(rows)[:, 1])
    told = [each.why_not.to_text() for each in explanations]
    assert [text.partition("if ")[2] for text in told] == [
        "t were x instead of platinum",
        "t were x instead of another value",
        "t were x instead of unknown",
    ]
    assert model.explain(pd.DataFrame({"t": ["x"]}))[0].why_not is None


def test_other_case_is_another_value_and_one_is_warned() -> None:
    model = RulesClassifier(tiers('t == "yearly"')).fit(pd.DataFrame({"t": ["yearly", "Gold"]}))
    for written in ("Yearly", " yearly"):
        with pytest.warns(
            UserWarning, match=f"'t' holds '{written}', which differs from 'yearly' only"
        ) as seen:
            assert model.predict_proba(pd.DataFrame({"t": [written, written]}))[:, 1].tolist() == [0.5, 0.5]
        assert len(seen) == 1
        with pytest.warns(UserWarning, match="differs from 'yearly'"):
            RulesClassifier(tiers('t == "yearly"')).fit(pd.DataFrame({"t": [written]}))
    with pytest.warns(UserWarning, match="'gold', which differs from 'Gold'"):
        model.predict(pd.DataFrame({"t": ["gold"]}))


@pytest.mark.parametrize(
    ("labels", "column"),
    [
        (["Buys", "does not buy"], 0),
        ([" BUYS", "DoesNotBuy "], 0),
        (["buys", "a"], 1),
        (["buys", "z"], 0),
        (["Does Not Buy", "z"], 1),
        (["z", "do it"], None),
        (["buys", "Buys"], None),
    ],
)
def test_labels_that_are_words_say_which_is_positive(path, rows, labels, column) -> None:
    y = [labels[0], *[labels[1]] * 4]
    if column is None:
        with pytest.raises(ValueError, match=r"'buys' and 'does not buy'.*rename the labels, write.*outcome"):
            RulesClassifier(path).fit(rows, y)
    else:
        assert RulesClassifier(path).fit(rows, y).predict_proba(rows)[:, column] == pytest.approx(EXPECTED)


@pytest.mark.parametrize(
    ("labels", "positive"), [(["churn", "keep"], "churn"), ([0, 1], 0), ([True, False], True)]
)
def test_one_can_say_which_label_is_positive(path, rows, labels, positive) -> None:
    model = RulesClassifier(path, positive_label=positive).fit(rows, [labels[0], *[labels[1]] * 4])
    at = model.classes_.tolist().index(positive)
    assert model.predict_proba(rows)[:, at] == pytest.approx(EXPECTED)
    assert model.predict(rows)[3] == positive
    with pytest.raises(ValueError, match=r"positive_label must be one of y's labels, .*; got 'no such'"):
        RulesClassifier(path, positive_label="no such").fit(rows, [labels[0], *[labels[1]] * 4])


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"scale": np.nan}, ValueError, "a number of at least 0, e.g. 1.0; got nan"),
        ({"scale": np.inf}, ValueError, "got inf"),
        ({"scale": -1}, ValueError, "got -1"),
        ({"scale": "1"}, TypeError, "got '1'"),
        ({"scale": True}, TypeError, "got True"),
        ({"n_rules": 2.5}, TypeError, "a whole number of at least 0, or None for all; got 2.5"),
        ({"n_rules": "2"}, TypeError, "got '2'"),
        ({"n_rules": -1}, ValueError, "got -1"),
    ],
)
def test_parameters_are_checked_at_fit(path, rows, parameters, error, message) -> None:
    with pytest.raises(error, match=message):
        RulesClassifier(path, **parameters).fit(rows)


@pytest.mark.parametrize(
    "member",
    [
        ["yes", None, "no"],
        ["Yes", np.nan, "NO "],
        ["true", None, "False"],
        [True, None, "no"],
        pd.Categorical(["yes", None, "no"]),
        pd.array(["yes", None, "no"], dtype="string"),
    ],
)
def test_yes_and_no_as_text(path, member) -> None:
    rows = pd.DataFrame({"goods": "beer", "p": 0.5, "visits": 0, "member": member})
    model = RulesClassifier(path).fit(rows)
    assert model.predict_proba(rows)[:, 1].tolist() == [0.5, 0.5, 0]
    with pytest.raises(
        KnowledgeError, match=r"'member' holds 'maybe' in the table.*write yes, no, true, false, 1"
    ):
        model.predict(rows.assign(member="maybe"))


def test_a_column_of_another_type_is_told_of_the_table(path, rows) -> None:
    with pytest.raises(KnowledgeError, match=r"'goods' holds numbers in the table.*astype\(str\)"):
        RulesClassifier(path).fit(rows.assign(goods=1))
    assert RulesClassifier(path).fit(rows.assign(goods=np.nan)).predict_proba(rows)[0, 1] == pytest.approx(
        1 / 3
    )
