"""The parts of the store that need no MLflow: what is shown, the database file, the files of a cell."""

from __future__ import annotations

import math
import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from toolkit.analysis.board import (
    cell_board,
    display_cost,
    log10_columns,
    note,
    report_board,
    track_board,
    tracks,
)

from toolkit.analysis.results import Finding, Interval, Results, RungSummary, TrackVerdict, Verdict
from toolkit.errors import StoreError
from toolkit.records import CellRecord, without_repeats
from toolkit.store.database import Lock, check, create, link_above, make_portable, told
from toolkit.store.files import read_evidence, read_record, write_cell


def cell(track: str = "neural", rung: int = 0, seed: int = 0, **changes: object) -> CellRecord:
    values: dict[str, object] = {
        "experiment": "toy",
        "task": "toy",
        "track": track,
        "rung": rung,
        "seed": seed,
        "n_train": 100 * 2**rung,
        "fingerprint": f"{track}-{rung}-{seed}",
        "status": "finished",
        "scores": {"error_log_loss": 0.5 - 0.1 * rung + 0.02 * seed, "score_average_precision": 0.3},
        "costs": {"cost_fit_cpu_seconds": 2.0**rung, "cost_fit_peak_memory_bytes": 5e6},
        "ended_at": 10.0,
    }
    return CellRecord.model_validate(values | changes)


def results(cells: list[CellRecord], **changes: object) -> Results:
    values: dict[str, object] = {
        "experiment": {"experiment": "toy", "tracks": {"rules": {}, "neural": {"depth": 3}}},
        "task": {"name": "toy", "primary_error": "error_log_loss", "notices": ["Data by A. Nobody."]},
        "cells": without_repeats(cells),
        "evidence": {},
        "summaries": (),
        "curves": (),
        "pairs": (),
        "verdict": Verdict(None, None, None, None, None, None, "It cannot be told.", None, "USD", 1.0),
    }
    return Results(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("cost_fit_cpu_seconds", 2.0, ("CPU seconds", 2.0)),
        ("cost_fit_peak_bytes", 5e6, ("peak memory MB", 5.0)),
        ("cost_predict_batch_cpu_seconds_per_row", 2e-6, ("predict batch/CPU seconds per million rows", 2.0)),
        ("cost_predict_batch_flop_per_row", 3e3, ("predict batch/GFLOP per million rows", 3.0)),
        ("cost_fit_sparse_flop", 2e9, ("sparse GFLOP", 2.0)),
        ("cost_fit_histogram_updates", 3e6, ("million histogram updates", 3.0)),
        ("cost_predict_batch_growth_bytes", 1e6, ("predict batch/memory growth MB", 1.0)),
        ("cost_predict_first_wall_seconds", 0.02, ("predict first/wall ms", 20.0)),
        ("cost_fit_usd", 0.0004, ("US cents", 0.04)),
        ("cost_predict_single_p50_seconds", 0.002, ("predict single/p50 ms", 2.0)),
        ("cost_search_cpu_seconds", 3.0, ("search/CPU seconds", 3.0)),
        ("cost_fit_kg_co2e", 0.5, ("kg CO2e", 0.5)),
    ],
)
def test_costs_read_well_and_stay_above_two_decimals(
    name: str, value: float, shown: tuple[str, float]
) -> None:
    title, scaled = display_cost(name, value)
    assert (title, pytest.approx(scaled)) == shown


def test_log10_is_of_positive_costs_and_errors_only() -> None:
    values = {"cost_a": 100.0, "cost_b": 0.0, "cost_c": None, "error_d": 0.1, "score_e": 0.5}
    assert log10_columns(values) == {"log10_cost_a": 2.0, "log10_error_d": -1.0}


def test_a_cell_shows_its_figures_under_the_names_of_its_record() -> None:
    shown = cell_board(cell(rung=1, chosen={"width": 8}, machine={"cpu": "x"}, costs={"cost_a": None}))
    assert {point.name for point in shown.points} == {
        "error_log_loss",
        "score_average_precision",
        "log10_error_log_loss",
    }
    assert shown.params == {
        "task": "toy",
        "track": "neural",
        "rung": "1",
        "seed": "0",
        "n_train": "200",
        "chosen_width": "8",
    }
    assert shown.tags["fingerprint"] == "neural-1-0"
    assert shown.tags["machine.cpu"] == "x"
    assert "reason" not in shown.tags


def test_curves_come_from_the_cells_when_there_is_no_analysis() -> None:
    cells = [cell(rung=rung, seed=seed) for rung in range(3) for seed in range(3)]
    cells.append(cell(rung=3, status="failed", scores={}, costs={}))
    shown = track_board(results(cells), "neural")
    curve = {point.step: point.value for point in shown.points if point.name == "test error"}
    assert curve == pytest.approx({100: 0.52, 200: 0.42, 400: 0.32})
    by_cpu = {point.step for point in shown.points if point.name == "curves/test error by CPU ms"}
    assert by_cpu == {1000, 2000, 4000}
    figures = {point.name: point.value for point in shown.points if point.name.startswith(("error", "log10"))}
    assert figures["error_log_loss"] == pytest.approx(0.32)
    assert figures["log10_cost_fit_cpu_seconds"] == pytest.approx(math.log10(4))
    assert shown.params["params.depth"] == "3"
    assert shown.tags["cells"] == "10"


def test_the_analysis_wins_over_the_cells() -> None:
    summary = RungSummary(
        track="neural",
        rung=0,
        n_train=100,
        n_rules=None,
        n_seeds=3,
        scores={"error_log_loss": Interval(0.4, 0.3, 0.5)},
        costs={"cost_fit_cpu_seconds": 1.5, "cost_fit_joules": None},
        net_value=Interval(1000.0, -math.inf, math.inf),
    )
    given = results([cell()], summaries=(summary,))
    points = {(point.name, point.step): point.value for point in track_board(given, "neural").points}
    assert points["test error", 100] == 0.4
    assert points["net value a year", 100] == 1000.0
    assert points["net_value", 0] == 1000.0
    assert all("joules" not in name for name, _ in points)


def test_rules_climb_an_axis_of_their_own() -> None:
    cells = [cell("rules", rung=rung, n_train=0, n_rules=rung + 1) for rung in range(3)]
    points = track_board(results(cells), "rules").points
    assert [point.step for point in points if point.name == "curves/test error by rules"] == [1, 2, 3]
    on_rows = [point for point in points if point.name == "test error"]
    assert [(point.step, point.value) for point in on_rows] == [(0, pytest.approx(0.3))]


def test_tracks_come_in_the_order_of_the_experiment_file() -> None:
    assert tracks(results([cell("neural"), cell("rules"), cell("hybrid")])) == ["rules", "neural", "hybrid"]


def test_nothing_at_all_can_be_shown() -> None:
    empty = replace(results([]), experiment={"experiment": "toy"}, cells=(), task={})
    assert tracks(empty) == []
    assert track_board(empty, "neural").points == ()
    assert report_board(empty).tags["best"] == "cannot be told"
    assert note(empty, {}) == "**It cannot be told.**"


def test_the_note_begins_with_the_links_and_the_verdict() -> None:
    one = TrackVerdict("neural", 2, Interval(1234.5, 1000, 2000), 0.93, {}, 5000.0)
    verdict = Verdict("neural", 0.93, False, True, False, 0.95, "Use neural.", 10.0, "USD", 1.0, (one,))
    findings = (Finding("x", "warning", "Costs are noisy."), Finding("y", "info", "Fine."))
    text = note(results([cell()], verdict=verdict, findings=findings), {"report": "#/r"})
    first, table, found, notice = text.split("\n\n")
    assert first == "[report](#/r) · **Use neural.**"
    assert "| neural | 1,234 (1,000 to 2,000) | 93% |" in table
    assert found == "- warning: Costs are noisy."
    assert notice == "Data by A. Nobody."
    tags = report_board(results([cell()], verdict=verdict)).tags
    assert (tags["deep_learning_worth_it"], tags["too_close_to_call"]) == ("yes", "no")


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (OSError(28, "No space left on device"), "free some space"),
        (sqlite3.OperationalError("database or disk is full"), "free some space"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "write permission"),
        (sqlite3.OperationalError("database is locked"), "close it and run again"),
        (
            RuntimeError("Detected out-of-date database schema (found version 1)"),
            "mlflow db upgrade sqlite:///p",
        ),
    ],
)
def test_obstacles_are_told_with_a_remedy(error: Exception, advice: str) -> None:
    with pytest.raises(StoreError, match=advice) as caught, told("logging a cell", Path("p")):
        raise error
    assert str(caught.value).startswith("p: logging a cell: ")


def test_a_bug_stays_a_bug() -> None:
    with pytest.raises(ZeroDivisionError), told("logging", Path("p")):
        raise ZeroDivisionError("division by zero")


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    database.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match="damaged"), told("opening", database):
        check(database)


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    sqlite3.connect(database).execute("CREATE TABLE a (b)").connection.close()
    with pytest.raises(StoreError, match="no MLflow database"), told("opening", database):
        check(database)


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE alembic_version (version_num)")
    connection.execute("INSERT INTO alembic_version VALUES ('ffffffffffff')")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="newer MLflow"):
        check(database)


def test_an_old_file_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "meta.yaml").touch()
    with pytest.raises(StoreError, match="mlflow migrate-filestore"):
        create(tmp_path / "mlflow.db", lambda path: path.touch())
    assert not (tmp_path / "mlflow.db").exists()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mlruns").touch()
    with pytest.raises(StoreError, match="there is a file"), told("opening", tmp_path):
        create(tmp_path / "mlruns" / "mlflow.db", lambda path: path.touch())


def test_a_crash_leaves_no_half_made_database(tmp_path: Path) -> None:
    def crash(path: Path) -> None:
        path.touch()
        raise RuntimeError("crash")

    with pytest.raises(RuntimeError, match="crash"):
        create(tmp_path / "mlflow.db", crash)
    assert list(tmp_path.iterdir()) == []


def test_the_first_of_two_new_databases_stays(tmp_path: Path) -> None:
    def be_second(path: Path) -> None:
        path.write_text("second")
        (tmp_path / "mlflow.db").write_text("first")

    create(tmp_path / "mlflow.db", be_second)
    assert (tmp_path / "mlflow.db").read_text() == "first"
    assert len(list(tmp_path.iterdir())) == 1


def _locations(root: Path, *locations: str) -> list[str]:
    connection = sqlite3.connect(root / "mlflow.db")
    connection.execute("CREATE TABLE IF NOT EXISTS experiments (artifact_location)")
    connection.execute("CREATE TABLE IF NOT EXISTS runs (artifact_uri)")
    connection.executemany("INSERT INTO runs VALUES (?)", [(one,) for one in locations])
    connection.commit()
    make_portable(root)
    rows = connection.execute("SELECT artifact_uri FROM runs").fetchall()
    connection.close()
    return [row[0] for row in rows]


def test_paths_become_relative_unless_they_point_elsewhere(tmp_path: Path) -> None:
    root = tmp_path / "mlruns"
    (root / "artifacts" / "moved" / "r").mkdir(parents=True)
    assert _locations(
        root,
        f"{root}/artifacts/toy/r/artifacts",
        "/where/it/was/mlruns/artifacts/moved/r",
        "/elsewhere/mlruns/artifacts/other/r",
        "mlruns/artifacts/toy/r",
        "s3://bucket/r",
    ) == [
        "mlruns/artifacts/toy/r/artifacts",
        "mlruns/artifacts/moved/r",
        "/elsewhere/mlruns/artifacts/other/r",
        "mlruns/artifacts/toy/r",
        "s3://bucket/r",
    ]


def test_the_lock_names_its_holder_and_is_let_go(tmp_path: Path) -> None:
    first = Lock(tmp_path, "toy")
    Lock(tmp_path, "other").release()
    with pytest.raises(StoreError, match=f"process {os.getpid()} on"):
        Lock(tmp_path, "toy")
    first.release()
    Lock(tmp_path, "toy").release()


def test_the_link_never_replaces_a_file(tmp_path: Path) -> None:
    root = tmp_path / "mlruns"
    root.mkdir()
    link_above(root)
    assert (tmp_path / "mlflow.db").readlink() == Path("mlruns/mlflow.db")
    (tmp_path / "mlflow.db").unlink()
    (tmp_path / "mlflow.db").write_text("mine")
    link_above(root)
    assert (tmp_path / "mlflow.db").read_text() == "mine"


def test_a_broken_record_counts_as_not_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_cell(tmp_path, cell(), b"not a zip file")
    assert read_record(tmp_path) == cell()
    assert read_evidence(tmp_path) is None
    (tmp_path / "record.json").write_text('{"half": ')
    assert read_record(tmp_path) is None
    assert [entry.levelname for entry in caplog.records] == ["WARNING", "WARNING"]


def test_a_newer_record_is_refused(tmp_path: Path) -> None:
    write_cell(tmp_path, cell(record_version=99), None)
    with pytest.raises(StoreError, match="format 99"):
        read_record(tmp_path)


def test_importing_the_store_does_not_import_mlflow() -> None:
    code = "import sys, toolkit.store, toolkit.serving; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
