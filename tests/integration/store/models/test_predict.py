"""``toolkit predict`` as a user calls it, on the models of a store."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from toolkit.cli import app
from toolkit.store.models import track_folder

REPOSITORY = Path(__file__).parents[4]
SMOKE = REPOSITORY / "experiments" / "smoke.yaml"


def predict(root: Path, table: Path, *arguments: str) -> Any:
    return CliRunner().invoke(
        app,
        ["predict", str(SMOKE), str(table), "--store", str(root), *arguments],
        catch_exceptions=False,
    )


@pytest.fixture
def table(shown, tmp_path) -> Path:
    shown.head(20).to_csv(tmp_path / "rows.csv", index=False)
    return tmp_path / "rows.csv"


@pytest.mark.parametrize("track", [None, "rules", "classical"])
def test_predict_writes_probabilities_and_nothing_else(root, table, fitted, data, track):
    done = predict(root, table, *([] if track is None else ["--track", track]))
    assert done.exit_code == 0, done.stderr
    heading, *printed = done.stdout.splitlines()
    assert heading == "probability"
    expected = fitted[track or "hybrid"].predict_proba(data.test.features.head(20))
    assert [float(line) for line in printed] == expected.tolist()
    assert "20 rows, by" in done.stderr
    assert ("which the verdict says to use" in done.stderr) is (track is None)


def test_predict_takes_columns_in_any_order_and_what_is_unknown_as_missing(
    root, tmp_path, fitted, data, shown
):
    rows = shown.head(3).copy()
    rows["segment"] = ["nobody", "", "NA"]
    rows.insert(0, "id", ["a", "b", "c"])
    rows["recency"] = ["NA", "", "nan"]
    rows[rows.columns[::-1]].to_csv(tmp_path / "rows.csv", index=False, encoding="utf-8-sig")
    done = predict(root, tmp_path / "rows.csv", "--track", "neural")
    assert done.exit_code == 0, done.stderr
    assert "'segment' holds what the model does not know, e.g. 'nobody'" in done.stderr
    features = data.test.features.head(3).copy()
    features["segment"] = np.full(3, -1, np.int32)
    features["recency"] = np.full(3, np.nan, np.float32)
    printed = [float(line) for line in done.stdout.splitlines()[1:]]
    assert printed == fitted["neural"].predict_proba(features).tolist()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no CSV with a heading"),
        ("a,b\n1,2,3,4\n5\n", "rows have more values than the heading has names"),
        ("a,b,c\n1,2,3\n\n5,6", "the row on line 4 has 2 of 3 values; is the file cut off?"),
        ("a,b\n1,2\n3,4\n", "no column 'orders'"),
        ("a\n1,2\n1,2,3\n", "no CSV with a heading"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (None, "cannot read the file"),
        ("orders,segment\nmany,trade\n", "no column 'recency'"),
    ],
)
def test_a_file_that_does_not_fit_is_named_with_what_to_do(root, tmp_path, text, message):
    file = tmp_path / "rows.csv"
    if isinstance(text, str):
        file.write_text(text)
    elif text is not None:
        file.write_bytes(text)
    done = predict(root, file)
    assert done.exit_code == 2
    assert f"{file}: " in done.stderr
    assert message in done.stderr
    assert done.stdout == ""


def test_a_comma_at_the_end_of_rows_is_told_and_shifts_nothing(root, table):
    heading, *rows = table.read_text().splitlines()
    table.write_text("\n".join([heading, *(f"{row}," for row in rows)]))
    done = predict(root, table)
    assert done.exit_code == 2
    assert "a comma too many" in done.stderr
    assert done.stdout == ""


def test_what_is_no_number_is_told_with_its_row(root, table):
    text = table.read_text().splitlines()
    first = text[1].split(",")
    table.write_text("\n".join([*text, ",".join(["many", *first[1:]])]))
    done = predict(root, table)
    assert done.exit_code == 2
    assert "'orders' holds 'many' in row 21" in done.stderr


def test_which_track_is_to_predict_must_be_known(root, table, tmp_path, tracks):
    done = predict(root, table, "--track", "hybird")
    assert done.exit_code == 2
    assert "did you mean 'hybrid'" in done.stderr
    done = predict(tmp_path / "none", table)
    assert done.exit_code == 2
    assert "python -m toolkit.run" in done.stderr
    assert not (tmp_path / "none").exists()
    (root / "reports" / "smoke" / "results.json").write_text("{}")
    done = predict(root, table)
    assert done.exit_code == 2
    assert "choose one with --track: baseline, rules" in done.stderr
    (root / "models" / "smoke" / "hybrid").unlink()
    done = predict(root, table, "--track", "hybrid")
    assert done.exit_code == 2
    assert "there is no model of hybrid here" in done.stderr
    for name in tracks[1:-1]:
        (root / "models" / "smoke" / name).unlink()
    assert predict(root, table).exit_code == 0, "the only model there is"


def test_a_damaged_model_is_told(root, table):
    folder = track_folder(root, "smoke", "hybrid")
    assert folder is not None
    (folder / "arrays.safetensors").write_bytes(b"x")
    done = predict(root, table)
    assert done.exit_code == 2
    assert "arrays.safetensors: it is damaged" in done.stderr


def test_predicting_needs_no_mlflow(root, table):
    code = (
        "import sys\n"
        "from toolkit.cli import app\n"
        "try:\n    app(sys.argv[1:])\nfinally:\n    assert 'mlflow' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "predict", SMOKE, table, "--store", root],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONWARNINGS": "error::UserWarning"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("probability\n0.")
