"""``toolkit explain`` as a user calls it, on made-up data."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from toolkit.cli import app
from toolkit.config import load
from toolkit.records import CellRecord
from toolkit.registry import build
from toolkit.store import Store
from toolkit.sweep.plan import cell_fingerprint
from toolkit.tracks.base import load_track

REPOSITORY = Path(__file__).parents[2]
SMOKE = "experiments/smoke.yaml"
EXPERIMENT = f"""\
experiment: tiny
task: {{name: synthetic, kind: rules, n_clusters: 120, rows_per_cluster: 10}}
ladder:
  seeds: 1
  rungs:
    - {{share: 0.3}}
    - {{share: 1.0}}
tracks:
  baseline: {{column: habit_probability}}
  hybrid: {{knowledge: {REPOSITORY}/experiments/knowledge/smoke.yaml, epochs: 2}}
economics:
  value: {{true_positive: 2.0, false_positive: -0.8}}
  volume_per_year: 1.0e6
"""
GIVEN = "recency=3,gap_cv=0.3,visits=4,habit_probability=0.3,segment=trade"

Explain = Callable[..., Result]


@pytest.fixture
def explain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Explain:
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setenv("COLUMNS", "80")

    def run(experiment: str | Path, *arguments: str) -> Result:
        store = [] if "--store" in arguments else ["--store", str(tmp_path / "no results")]
        return CliRunner().invoke(app, ["explain", str(experiment), *arguments, *store])

    return run


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    file = tmp_path / "tiny.yaml"
    file.write_text(EXPERIMENT)
    return file


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def test_a_row_given_by_hand_is_told_with_reasons_in_80_columns(explain: Explain) -> None:
    shown = explain(SMOKE, "--row", GIVEN)
    assert shown.exit_code == 0, shown.output
    text = flat(shown.output)
    for part in (
        "smoke, rules: 5 rules of repeat-orders",
        "row given by hand: orders_this_month 17.6 %",
        "recency = 3, gap_cv = 0.3, visits = 4, segment = trade, habit_probability = 0.3; missing: discount",
        "the prior -0.847 30 %",
        "just-ordered ÷ 5 -1.609",
        "looking-around × 2.5 +0.916",
        "all together -1.540 17.6 %",
        "Why not: angry (does not order, very likely) would fire if complaints were 2 instead of unknown.",
    ):
        assert part in text, text
    assert max(map(len, shown.output.splitlines())) <= 80


def test_rows_of_the_validation_block_as_json(explain: Explain) -> None:
    shown = explain(SMOKE, "--row", "12", "--row", GIVEN, "--format", "json")
    assert shown.exit_code == 0, shown.output
    told = json.loads(shown.stdout)
    assert (told["experiment"], told["track"], told["rung"]) == ("smoke", "rules", 5)
    first, second = told["rows"]
    assert (first["row"], first["block"]) == (12, "validation")
    assert (second["row"], second["block"]) == (None, None)
    experiment = load(SMOKE)
    valid = build("tasks", experiment.task_name, experiment.task_params).load(rung=None, seed=0).valid
    assert first["values"]["visits"] == valid.features["visits"].iloc[12]
    for row in told["rows"]:
        parts = sum(each["log_odds"] for each in row["contributions"])
        assert row["prior_log_odds"] + parts == pytest.approx(row["logit"], abs=1e-9)
        assert row["probability"] == pytest.approx(1 / (1 + math.exp(-row["logit"])))
        assert row["text"]
    assert not {"label", "labels"} & set(first["values"])


def test_what_is_printed_as_json_can_be_given_again(explain: Explain) -> None:
    row = json.loads(explain(SMOKE, "--row", "3", "--format", "json").stdout)["rows"][0]
    again = json.loads(explain(SMOKE, "--row", json.dumps(row["values"]), "--format", "json").stdout)["rows"][
        0
    ]
    assert again["probability"] == pytest.approx(row["probability"], abs=1e-6)
    assert again["contributions"] == row["contributions"]


def test_the_first_rules_only(explain: Explain) -> None:
    shown = explain(SMOKE, "--row", GIVEN, "--rung", "1")
    assert "the first 1 of 5 rules of repeat-orders" in flat(shown.output)
    assert "looking-around ×" not in shown.output


def test_the_hybrid_is_trained_first_and_its_parts_add_up(explain: Explain, tiny: Path) -> None:
    shown = explain(tiny, "--row", "0", "--row", "1", "--rung", "0", "--format", "json")
    assert shown.exit_code == 0, shown.output
    assert "trained in" in shown.stderr
    told = json.loads(shown.stdout)
    assert told["track"] == "hybrid"
    assert re.match(r"trained on \d+ rows \(rung 0, seed 0\) with the 5 rules", told["model"])
    for row in told["rows"]:
        parts = [row["bias"], row["prior_log_odds"], row["correction"]]
        parts += [each["log_odds"] for each in row["contributions"]]
        assert sum(parts) == pytest.approx(row["logit"], abs=1e-6)
    table = explain(tiny, "--row", GIVEN, "--rung", "0")
    assert "learned on top" in table.stdout
    assert "before it was re-weighted" in flat(table.stdout)
    assert max(map(len, table.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--row", "visit=4"], r"--row visit=4: unknown column 'visit'; did you mean 'visits'\?"),
        (["--row", "visits=4.5"], "'visits': expected a whole number, got 4.5"),
        (["--row", "segment=whole sale"], r"no such value 'whole sale'; did you mean 'wholesale'\?"),
        (["--row", "999999"], r"the validation block has the rows 0 to [\d,]+, got 999,999"),
        (
            ["--row", "1", "--track", "rulez"],
            r"smoke.yaml:\d+:\d+: .* no track 'rulez'; did you mean 'rules'\?",
        ),
        (
            ["--row", "1", "--track", "classical"],
            r"smoke.yaml:\d+:\d+: classical cannot explain .*; these can: rules, hybrid",
        ),
        (["--row", "1", "--rung", "6"], "rules has the rungs 0 to 5, got 6"),
        ([], "Missing option '--row'"),
    ],
)
def test_a_mistake_is_told_in_a_sentence_and_ends_with_2(
    explain: Explain, arguments: list[str], message: str
) -> None:
    shown = explain(SMOKE, *arguments)
    assert shown.exit_code == 2, shown.output
    assert re.search(message, shown.stderr), shown.stderr
    assert shown.stdout == ""


def test_a_prior_must_be_given_where_missing_has_no_meaning(explain: Explain, tmp_path: Path) -> None:
    knowledge = (REPOSITORY / "experiments/knowledge/smoke.yaml").read_text().replace("missing: 0.25, ", "")
    (tmp_path / "orders.yaml").write_text(knowledge)
    file = tmp_path / "tiny.yaml"
    file.write_text(EXPERIMENT.replace(f"{REPOSITORY}/experiments/knowledge/smoke.yaml", "orders.yaml"))
    shown = explain(file, "--row", "visits=4")
    assert shown.exit_code == 2, shown.output
    assert "give habit_probability too, e.g. habit_probability=0.2" in shown.stderr


def test_without_a_knowledge_base_there_is_nothing_to_explain_with(explain: Explain, tiny: Path) -> None:
    tiny.write_text("\n".join(line for line in EXPERIMENT.splitlines() if "hybrid" not in line))
    shown = explain(tiny, "--row", "1")
    assert shown.exit_code == 2
    assert "no track here has a knowledge base to explain with" in shown.stderr
    shown = explain(tiny, "--row", "1", "--track", "baseline")
    assert "and no other track here has one" in shown.stderr


GYM = "experiments/knowledge/gym.yaml"


def test_what_is_missing_counts_as_something_where_the_knowledge_base_says_so(explain: Explain) -> None:
    for row in ("{}", "visits=", "visits=nan"):
        shown = explain(SMOKE, "--row", row)
        assert shown.exit_code == 0, shown.output
        assert " orders_this_month 25 % missing: recency (counts as 182), gap_cv," in flat(shown.output)
        assert "habit_probability (counts as 0.25)" in flat(shown.output)


def test_a_knowledge_base_alone_explains_rows_given_by_hand(explain: Explain) -> None:
    shown = explain(GYM, "--row", "visits=1,usual_visits=8,months=14,contract=student,price_rise=yes")
    assert shown.exit_code == 0, shown.output
    text = flat(shown.output)
    for part in (
        "9 rules of gym-members row given by hand: cancels_next_month 34.2 %",
        "months_left (counts as 0), complaints (counts as 0)",
        "stopped-coming × 5 +1.609",
        "gym-prices-student × 2.5 +0.916",
        "all together -0.652 34.2 %",
    ):
        assert part in text, text


def test_a_knowledge_base_alone_as_json(explain: Explain) -> None:
    rows = ("contract=yearly,months_left=3", "contract=monthly")
    shown = explain(GYM, *(part for row in rows for part in ("--row", row)), "--format", "json")
    assert shown.exit_code == 0, shown.output
    told = json.loads(shown.stdout)
    assert [told[key] for key in ("experiment", "track", "rung", "knowledge_base")] == [None] * 3 + [
        "gym-members"
    ]
    assert [row["values"]["contract"] for row in told["rows"]] == ["yearly", "monthly"]
    assert [row["probability"] for row in told["rows"]] == [0.0, pytest.approx(0.04)]
    assert told["rows"][0]["facts"][0]["id"] == "bound"
    assert told["rows"][0]["why_not"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--row", "3"], "--row 3: a row's number needs an experiment.*e.g. --row visits="),
        (["--row", "contract=Yearly"], r"no such value 'Yearly'; did you mean 'yearly'\?"),
        (["--row", "contract=gold"], "no such value 'gold'; known: monthly, student, yearly"),
        (["--row", "visit=3"], r"unknown column 'visit'; did you mean 'visits'\?"),
        (["--row", "visits=3", "--track", "rules"], "gym.yaml: --track goes with an experiment"),
        (["--row", "visits=3", "--rung", "0"], "gym.yaml: --rung goes with an experiment"),
    ],
)
def test_a_mistake_with_a_knowledge_base_is_told_in_a_sentence(
    explain: Explain, arguments: list[str], message: str
) -> None:
    shown = explain(GYM, *arguments)
    assert shown.exit_code == 2, shown.output
    assert re.search(message, flat(shown.stderr)), shown.stderr
    assert shown.stdout == ""


def test_a_file_that_is_neither_is_told_so(explain: Explain, tmp_path: Path) -> None:
    file = tmp_path / "colours.yaml"
    file.write_text("colour: red\n")
    shown = explain(file, "--row", "visits=3")
    assert shown.exit_code == 2
    assert "neither a knowledge base" in shown.stderr


def test_a_choice_without_declared_values_takes_any_but_a_slip(explain: Explain, tmp_path: Path) -> None:
    file = tmp_path / "tiers.yaml"
    file.write_text(
        "knowledge_base: tiers\npredicts: y\nprior: 50 %\ncolumns: {t: {type: choice}}\n"
        "rules: [{id: r, when: 't != \"x\"', then: buys, certainty: 0.5, because: so}]\n"
    )
    shown = explain(file, "--row", "t=platinum", "--row", "t=x")
    assert shown.exit_code == 0, shown.output
    assert "y 66.7 % t = platinum" in flat(shown.output)
    assert "y 50 % t = x" in flat(shown.output)
    shown = explain(file, "--row", "t=X")
    assert shown.exit_code == 2
    assert "did you mean 'x'?" in shown.stderr


@pytest.fixture
def trained(tiny: Path, tmp_path: Path) -> Path:
    """A store in which the sweep's cell of the first rung has left its model, and what that is."""
    experiment = load(tiny)
    task = build("tasks", experiment.task_name, experiment.task_params)
    track = build("tracks", "hybrid", experiment.tracks["hybrid"]).check(task.schema(), tmp_path)
    step = track.steps(2)[0]
    train = task.load(rung=experiment.ladder.rungs[0], seed=0).train
    # not as the sweep would, so that the two can be told apart
    replace(track).fit(train, seed=99).save(tmp_path / "saved")
    record = CellRecord(
        experiment="tiny",
        task="synthetic",
        track="hybrid",
        rung=0,
        seed=0,
        n_train=len(train),
        fingerprint=cell_fingerprint(experiment, task, "hybrid", track, step),
        status="finished",
        ended_at=1.0,
    )
    with Store.open(tmp_path / "mlruns") as store:
        store.log_cell(record, None, model=tmp_path / "saved")
    return tmp_path / "mlruns"


def test_the_model_that_a_sweep_has_kept_is_not_trained_again(
    explain: Explain, tiny: Path, trained: Path
) -> None:
    asked = (tiny, "--track", "hybrid", "--row", "3", "--format", "json")
    kept = explain(*asked, "--rung", "0", "--store", str(trained))
    assert kept.exit_code == 0, kept.output
    assert "trained in" not in kept.stderr
    features = build("tasks", "synthetic", {"n_clusters": 120, "rows_per_cluster": 10}).load(
        rung=None, seed=0
    )
    track = load_track(trained.parent / "saved")
    expected = track.predict_proba(features.valid.features.iloc[[3]])[0]
    assert json.loads(kept.stdout)["rows"][0]["probability"] == pytest.approx(expected, abs=1e-6)

    tiny.write_text(EXPERIMENT.replace("epochs: 2", "epochs: 1"))
    anew = explain(*asked, "--rung", "0", "--store", str(trained))
    assert anew.exit_code == 0, anew.output
    assert "trained in" in anew.stderr, "another fingerprint is another model"


def test_a_stored_model_that_is_damaged_is_told_and_trained_anew(
    explain: Explain, tiny: Path, trained: Path
) -> None:
    (file,) = trained.glob("artifacts/**/model/track.json")
    file.write_text("{}")
    shown = explain(tiny, "--track", "hybrid", "--rung", "0", "--row", "3", "--store", str(trained))
    assert shown.exit_code == 0, shown.output
    assert "the stored model is not used" in shown.stderr
    assert "trained in" in shown.stderr
    assert not (trained.parent / "no results").exists(), "explaining makes no store"
