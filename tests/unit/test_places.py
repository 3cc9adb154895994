from __future__ import annotations

from pathlib import Path

from toolkit.finished import environment
from toolkit.places import DEFAULT_STORE, store_option


def test_only_another_store_is_named() -> None:
    assert store_option(DEFAULT_STORE) == ""
    assert store_option(Path("my results")) == " --store 'my results'"


def test_a_report_knows_the_command_that_makes_it_again(declare_experiment) -> None:
    experiment = declare_experiment(["rules"])
    assert environment(experiment)["command"] == f"python -m toolkit.run {experiment.path}"
    assert environment(experiment, Path("elsewhere"))["command"].endswith(
        f"{experiment.path} --store elsewhere"
    )
    told = environment(experiment, Path("x"), command="toolkit report a.yaml --volume 1")
    assert told["command"] == "toolkit report a.yaml --volume 1 --store x"
