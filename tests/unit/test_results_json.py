"""``results.json`` keeps to its form, which ``docs/results.schema.json`` says for programs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import ValidationError

from toolkit.analysis.analyse import analyse
from toolkit.analysis.export import SCHEMA_VERSION, to_json

SCHEMA = Path(__file__).parents[2] / "docs" / "results.schema.json"


@pytest.mark.parametrize("which", ["golden", "accelerated", "old", "one_cell", "none"])
def test_documents_keep_to_the_schema(
    which: str, made_up_results: ModuleType, results_document: ModuleType
) -> None:
    text = json.dumps(to_json(getattr(made_up_results, which)()), allow_nan=False)
    assert results_document.Document.model_validate_json(text).schema_version == SCHEMA_VERSION


def test_an_analysed_experiment_keeps_to_the_schema(
    truth, draw_world, declare_experiment, results_document
) -> None:
    cells, evidence = draw_world(
        {"rules": truth(0.5), "classical": truth(0.8, gain=0.3), "neural": truth(0.9)}
    )
    experiment = declare_experiment(["rules", "classical", "neural"], volume_per_year=[1e5, 1e6, 2e6])
    experiment = experiment.model_validate(
        {**experiment.model_dump(mode="json"), "constraints": {"latency_ms": 1.0, "must_explain": True}}
    )
    results = analyse(experiment, task={"name": "made_up"}, cells=cells, evidence=evidence)
    document = results_document.Document.model_validate_json(json.dumps(to_json(results), allow_nan=False))
    assert document.experiment["constraints"]["must_explain"] is True
    assert document.verdict.tracks["neural"].excluded
    assert document.verdict.tracks["neural"].probability_best is None


def test_a_key_that_is_gone_is_noticed(made_up_results: ModuleType, results_document: ModuleType) -> None:
    document = to_json(made_up_results.golden())
    del document["verdict"]["tracks"]["rules"]["regret_per_year"]
    with pytest.raises(ValidationError, match="regret_per_year"):
        results_document.Document.model_validate_json(json.dumps(document))


def test_fragile_assumptions_are_named_with_how_far_they_are(made_up_results: ModuleType) -> None:
    found = to_json(made_up_results.golden())["sensitivity"]
    assert found["fragile"] == ["value.true_positive", "volume_per_year", "value.false_negative"]
    by_key = {one["key"]: one for one in found["assumptions"]}
    assert by_key["volume_per_year"]["factor"] == pytest.approx(5e9 / 17_407_993.4)
    assert by_key["value.false_negative"]["factor"] is None  # no multiple of zero
    assert by_key["price_per_label"]["nearest"] is None


def test_the_schema_for_programs_is_up_to_date(results_document: ModuleType) -> None:
    if os.environ.get("COSTCURVES_UPDATE_GOLDEN"):
        SCHEMA.write_text(results_document.schema(), encoding="utf-8")
    assert SCHEMA.read_text(encoding="utf-8") == results_document.schema(), (
        "docs/results.schema.json differs: set COSTCURVES_UPDATE_GOLDEN=1, run again and look at the diff"
    )
