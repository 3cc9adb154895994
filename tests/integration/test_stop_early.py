"""A sweep that stops a track early, in real processes; then the rest of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from toolkit.cli import app

SHARES = (0.006, 0.012, 0.033, 0.055, 0.09, 0.15, 0.25, 1.0)
EXPERIMENT = f"""\
experiment: early
task: {{name: synthetic, kind: linear, n_clusters: 3000, rows_per_cluster: 6}}
ladder:
  seeds: 3
  rungs: [{", ".join(f"{{share: {share}}}" for share in SHARES)}]
tracks:
  baseline: {{column: habit_probability}}
  dear: {{track: classical, family: logistic}}
search: 0.1
engine: {{readings: 0}}
economics:
  value: {{true_positive: 2.0, false_positive: -0.8}}
  volume_per_year: 1.0e5
  hours: {{dear: {{build: 100000}}}}
"""


def toolkit(*arguments: str | Path) -> str:
    found = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert found.exit_code == 0, found.output
    return found.output


def ran(output: str) -> list[str]:
    return re.findall(r"^dear +rung \d+ +seed \d+", output, flags=re.MULTILINE)


def results_of(store: Path) -> dict:
    return json.loads((store / "reports" / "early" / "results.json").read_text())


def codes(results: dict) -> set[str]:
    return {finding["code"] for finding in results["findings"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("early")
    (folder / "early.yaml").write_text(EXPERIMENT)
    return folder


@pytest.fixture(scope="module")
def early(folder) -> str:
    return toolkit("run", folder / "early.yaml", "--stop-early", "--store", folder / "mlruns")


def test_a_track_that_cannot_win_stops(early, folder) -> None:
    assert len(ran(early)) == 7 * 3
    assert "dear stops climbing after rung 6: the rung that is left is skipped (3 cells)" in early
    assert "saved: about" in early
    assert "risk, on validation rows: as it would be measured, a skipped rung would have earned more" in early
    (stop,) = results_of(folder / "mlruns")["stop_early"]["stops"]
    assert (stop["track"], stop["rung"], stop["skipped"], stop["n_cells"]) == ("dear", 6, [7], 3)
    assert (stop["reason"], stop["leader"]) == ("behind_leader", "baseline")
    assert stop["saved"]["cpu_seconds"]["estimate"] > 0
    found = codes(results_of(folder / "mlruns"))
    assert "stopped_early" in found
    assert "cells_not_run" not in found


def test_a_later_report_knows(early, folder) -> None:
    before = results_of(folder / "mlruns")["stop_early"]["stops"]
    printed = toolkit("report", folder / "early.yaml", "--store", folder / "mlruns")
    assert "dear stops climbing after rung 6" in printed
    assert results_of(folder / "mlruns")["stop_early"]["stops"] == before
    page = (folder / "mlruns" / "reports" / "early" / "report.html").read_text()
    assert "Tracks that stopped climbing" in page


def test_the_same_run_again_trains_nothing_and_a_run_of_another_track_keeps_the_stop(early, folder) -> None:
    again = toolkit("run", folder / "early.yaml", "--stop-early", "--store", folder / "mlruns")
    assert ran(again) == []
    assert len(results_of(folder / "mlruns")["stop_early"]["stops"]) == 1
    toolkit("run", folder / "early.yaml", "--only", "baseline", "--store", folder / "mlruns")
    assert len(results_of(folder / "mlruns")["stop_early"]["stops"]) == 1


def test_other_prices_ask_again(early, folder) -> None:
    options = ["--volume", "5e9", "--country", "PL"]
    printed = toolkit("report", folder / "early.yaml", *options, "--store", folder / "mlruns")
    assert "decided under other economics than these (volume_per_year, country)" in printed
    assert "it would climb on" in printed
    (page,) = (folder / "mlruns" / "reports" / "early" / "priced").rglob("report.html")
    told = page.read_text()
    assert "it would climb on" in told
    command = f"toolkit report {folder / 'early.yaml'} --country PL --volume 5e9 --store {folder / 'mlruns'}"
    assert command in told


def test_edited_prices_ask_again_and_show_no_old_money(early, folder) -> None:
    edited = EXPERIMENT.replace("build: 100000", "build: 1").replace(
        "economics:\n", "economics:\n  currency: EUR\n  currency_per_usd: 0.9\n"
    )
    (folder / "early.yaml").write_text(edited)
    printed = toolkit("report", folder / "early.yaml", "--store", folder / "mlruns")
    (folder / "early.yaml").write_text(EXPERIMENT)
    (stop,) = results_of(folder / "mlruns")["stop_early"]["stops"]
    assert set(stop["asked_again"]["changed"]) == {"currency", "currency_per_usd", "hours"}
    assert stop["currency"] == "EUR"
    assert "EUR of computing" in printed
    assert "USD" not in printed


def test_a_stop_of_an_earlier_version_is_told_without_its_money(early, folder) -> None:
    path = folder / "mlruns" / "reports" / "early" / "context.json"
    kept = path.read_text()
    context = json.loads(kept)
    (stop,) = context["stops"]
    stop["fingerprints"] = [one["fingerprint"] for one in stop.pop("cells")]
    for key in ("terms", "labels_saved", "asked_again"):
        del stop[key]
    stop["forgone_per_year"] = 987_654.0
    path.write_text(json.dumps(context))
    printed = toolkit("report", folder / "early.yaml", "--store", folder / "mlruns")
    path.write_text(kept)
    assert "decided under economics not on record" in printed
    assert "987" not in printed


def test_a_run_of_one_seed_does_not_forget_the_stop(early, folder) -> None:
    command = ["run", folder / "early.yaml", "--seeds", "1", "--store", folder / "mlruns"]
    toolkit(*command, "--only", "baseline")
    assert results_of(folder / "mlruns")["stop_early"]["stops"][0]["n_trained_since"] == 0
    printed = toolkit(*command)
    assert len(ran(printed)) == 1
    assert "(3 cells, of which 1 has been trained since)" in printed
    (stop,) = results_of(folder / "mlruns")["stop_early"]["stops"]
    assert (stop["n_cells"], stop["n_trained_since"], stop["skipped"]) == (3, 1, [7])
    repriced = toolkit("report", folder / "early.yaml", "--volume", "5e9", "--store", folder / "mlruns")
    assert "asked again under these, on validation rows, it would climb on" in repriced
    assert results_of(folder / "mlruns")["stop_early"]["replay"]["right"] is None
    assert "cells_not_run" not in codes(results_of(folder / "mlruns"))
    page = (folder / "mlruns" / "reports" / "early" / "report.html").read_text()
    assert f"python -m toolkit.run {folder / 'early.yaml'} --store {folder / 'mlruns'}" in page


def test_a_run_without_the_option_trains_what_was_skipped(early, folder) -> None:
    rest = toolkit("run", folder / "early.yaml", "--store", folder / "mlruns")
    assert len(ran(rest)) == 2
    results = results_of(folder / "mlruns")
    assert results["stop_early"]["stops"] == []
    assert not {"stopped_early", "cells_not_run"} & codes(results)
    replay = results["stop_early"]["replay"]
    assert [stop["track"] for stop in replay["stops"]] == ["dear"]
    assert replay["right"]


def test_a_quick_look_says_that_it_skips_nothing(folder) -> None:
    printed = toolkit(
        "run", folder / "early.yaml", "--quick", "--only", "baseline", "--stop-early", "--store", folder / "q"
    )
    assert "--stop-early skips nothing" in printed
