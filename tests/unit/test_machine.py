from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit import machine


def test_describe_tells_what_matters_without_importing_libraries():
    script = (
        "import json, sys; from toolkit.machine import describe; facts = describe();"
        "print(json.dumps([facts, sorted({'numpy', 'torch', 'sklearn', 'mlflow'} & set(sys.modules))]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    facts, imported = json.loads(done.stdout)
    assert imported == []
    assert {"processor", "cores", "kernel", "python", "numpy", "scikit-learn"} <= set(facts)
    assert all(isinstance(value, str) and value for value in facts.values())
    assert int(facts["cores"]) >= 1


def test_a_library_that_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setattr(machine, "_PACKAGES", ("numpy", "no-such-package-here"))
    facts = machine.describe()
    assert "numpy" in facts
    assert "no-such-package-here" not in facts


def test_every_variable_asks_for_one_thread():
    variables = machine.single_thread_environment()
    assert {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"} <= set(variables)
    assert set(variables.values()) == {"1"}


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no processor affinity")
def test_pinning_leaves_one_core_and_one_thread():
    core = max(os.sched_getaffinity(0))
    script = (
        "import json, os, sys, numpy, scipy.linalg; from toolkit.machine import pin_one_thread;"
        "print(json.dumps([pin_one_thread(int(sys.argv[1])), sorted(os.sched_getaffinity(0))]))"
    )
    done = subprocess.run([sys.executable, "-c", script, str(core)], capture_output=True, check=True)
    assert json.loads(done.stdout) == [1, [core]]


class Ticks:
    """Busy ticks of four cores, as the test says."""

    def __init__(self):
        self.now = dict.fromkeys(range(4), 0)

    def __call__(self):
        return dict(self.now)


@pytest.fixture
def ticks(monkeypatch):
    monkeypatch.setattr(machine, "_cores", lambda: [0, 1, 2, 3])
    return Ticks()


def test_the_quietest_free_core_is_chosen(ticks):
    cores = machine.Cores(ticks)
    ticks.now |= {0: 50, 1: 10, 2: 90, 3: 40}
    assert cores.quietest() == 1
    ticks.now |= {0: 60, 1: 110, 2: 91, 3: 50}
    assert cores.quietest() == 2, "what counts is since the last choice"
    ticks.now |= {0: 60, 1: 110, 2: 99, 3: 55}
    assert cores.quietest({1, 0}) == 3


def test_among_equals_the_highest_core_is_chosen_and_none_when_all_are_taken(ticks):
    cores = machine.Cores(ticks)
    assert cores.quietest() == 3
    assert cores.quietest({0, 1, 2, 3}) is None


def test_cores_are_chosen_where_the_system_tells_nothing(monkeypatch):
    monkeypatch.setattr(machine, "_cores", lambda: [0, 1])
    assert machine.Cores(dict).quietest() == 1


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_busy_ticks_are_read_for_every_core():
    assert set(machine._cores()) <= set(machine.read_busy_ticks())


def test_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("COSTCURVES_CACHE", str(tmp_path / "own"))
    assert machine.cache_folder() == tmp_path / "own"
    monkeypatch.delenv("COSTCURVES_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert machine.cache_folder() == tmp_path / "xdg" / "costcurves"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert machine.cache_folder() == Path.home() / ".cache" / "costcurves"
