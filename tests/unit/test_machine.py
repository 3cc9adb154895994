from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit import machine
from toolkit.kernelfile import KernelFile


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


CPUINFO = """processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: 17
model name\t: AMD EPYC
stepping\t: 1
flags\t\t: fpu sse2 {flags}

processor\t: 1
model name\t: another
"""


@pytest.mark.parametrize(("flags", "virtual"), [("avx2 hypervisor", "yes"), ("avx2", "no")])
def test_processors_of_one_name_are_told_apart_and_virtual_ones_known(monkeypatch, tmp_path, flags, virtual):
    (tmp_path / "cpuinfo").write_text(CPUINFO.format(flags=flags))
    monkeypatch.setattr(machine, "_CPUINFO", tmp_path / "cpuinfo")
    facts = machine.describe()
    assert facts["processor"] == "AMD EPYC"
    assert facts["processor_model"] == "AuthenticAMD 25 17 1"
    assert facts["virtual"] == virtual
    (tmp_path / "cpuinfo").write_text(CPUINFO.format(flags="avx512f"))
    assert len({facts["processor_flags"], machine.describe()["processor_flags"]}) == 2


def test_a_system_that_does_not_tell_of_its_processor(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "_CPUINFO", tmp_path / "missing")
    facts = machine.describe()
    assert facts["processor"]
    assert not {"processor_model", "processor_flags", "virtual"} & set(facts)


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (
            {"processor": "AMD EPYC", "processor_model": "AuthenticAMD 25 17 1", "cores": "2"},
            "AMD EPYC (AuthenticAMD 25 17 1), 2 cores",
        ),
        ({"processor": "Apple M4", "cores": "1"}, "Apple M4, 1 core"),
        ({"processor": "AMD EPYC"}, "AMD EPYC"),
        ({}, "unknown processor"),
    ],
)
def test_a_machine_is_named_by_what_decides_its_speed(facts, name):
    assert machine.machine_name(facts) == name
    assert machine.machine_name({**facts, "kernel": "Linux 6.18"}) == name


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


STAT = """cpu  600 60 120 9000 90 30 60 12 0 0
cpu0 100 10 20 3000 30 5 10 4 0 0
cpu1 500 50 100 6000 60 25 50 8 0 0
intr 4711 0 0
ctxt 99
"""


def test_times_of_the_cores_are_of_all_and_stolen_ones_of_those_it_may_use(monkeypatch, tmp_path):
    (tmp_path / "stat").write_text(STAT)
    monkeypatch.setattr(machine, "_STAT", KernelFile(tmp_path / "stat"))
    monkeypatch.setattr(machine, "_cores", lambda: [1, 7])
    monkeypatch.setattr(os, "sysconf", lambda name: 100)
    times = machine.CoreClock()()
    assert times is not None
    assert (times.busy_seconds, times.stolen_seconds) == pytest.approx((8.70, 0.08))
    assert machine.read_busy_ticks() == {1: 733}


@pytest.mark.parametrize("text", [None, "", "cpu  1 2 3\n", "intr 1\n"])
def test_a_system_that_does_not_tell_of_its_cores(monkeypatch, tmp_path, text):
    if text is not None:
        (tmp_path / "stat").write_text(text)
    monkeypatch.setattr(machine, "_STAT", KernelFile(tmp_path / "stat"))
    assert machine.CoreClock()() is None
    assert machine.read_busy_ticks() == {}


def test_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("COSTCURVES_CACHE", str(tmp_path / "own"))
    assert machine.cache_folder() == tmp_path / "own"
    monkeypatch.delenv("COSTCURVES_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert machine.cache_folder() == tmp_path / "xdg" / "costcurves"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert machine.cache_folder() == Path.home() / ".cache" / "costcurves"
