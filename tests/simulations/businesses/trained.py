"""Businesses on made-up rows whose chances are known, and what the tracks trained there truly earn.

Each is one experiment file, planned, trained in cells, stored and analysed as `toolkit run` does. What a
trained track is truly worth is asked of its stored model on many fresh customers, of whom the chance of every
label is known.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import yaml
from rich.console import Console

from toolkit import config
from toolkit.analysis.results import RungSummary, Verdict
from toolkit.business import Hours
from toolkit.config import Experiment
from toolkit.context import read_results, write_context
from toolkit.records import CellSpec
from toolkit.scores import row_log_loss
from toolkit.store import Store
from toolkit.sweep.driver import run_cells
from toolkit.sweep.plan import Plan, make_plan
from toolkit.tasks.base import Block
from toolkit.tasks.synthetic import Synthetic
from toolkit.tracks._work import search_budget
from toolkit.tracks.base import Step, Track

REPOSITORY = Path(__file__).parents[3]
KNOWLEDGE = str(REPOSITORY / "experiments" / "knowledge" / "smoke.yaml")
Kind = Literal["rules", "linear", "steps", "smooth"]
N_RULES = 5
MACHINES = ("search", "retraining", "prediction", "idle_capacity", "electricity", "carbon")

TRACKS: Mapping[str, Mapping[str, Any]] = {
    "baseline": {"column": "habit_probability"},
    "rules": {"knowledge": KNOWLEDGE, "n_rules": N_RULES},
    "linear": {"track": "classical", "family": "logistic"},
    "trees": {"track": "classical", "family": "boosting"},
    "neural": {},
    "hybrid": {"knowledge": KNOWLEDGE},
    "first": {"track": "classical", "family": "logistic"},
    "second": {"track": "classical", "family": "logistic"},
}
HOURS = {
    "baseline": {"build": 8, "per_year": 8},
    "rules": {"build": 24, "per_year": 24},
    "linear": {"build": 80, "per_year": 80},
    "trees": {"build": 80, "per_year": 80},
    "neural": {"build": 160, "per_year": 160},
    "hybrid": {"build": 200, "per_year": 200},
}


@dataclass(frozen=True)
class Trained:
    """A business that is trained.

    Parameters
    ----------
    best : str
        What wins by construction.
    kind : str
        Of the task.
    tracks : str
        Names from `TRACKS`, in one string.
    strength : float
    rungs : tuple of mapping
    economics : mapping
        What is not `HOURS` at 60 USD and two dollars a hit.
    """

    name: str
    best: str
    kind: Kind
    tracks: str
    strength: float = 2.0
    rungs: tuple[Mapping[str, float], ...] = ({"share": 0.2},)
    economics: Mapping[str, Any] = field(default_factory=dict)

    @property
    def experiment(self) -> str:
        return "".join(letter if letter.isalnum() else "-" for letter in self.name)

    def write(self, folder: Path) -> Path:
        """Write the experiment file."""
        names = self.tracks.split()
        content = {
            "experiment": self.experiment,
            "task": {
                "name": "synthetic",
                "kind": self.kind,
                "strength": self.strength,
                "n_clusters": 4000,
                "rows_per_cluster": 10,
            },
            "ladder": {"seeds": 2, "rungs": [dict(one) for one in self.rungs]},
            "tracks": {name: dict(TRACKS[name]) for name in names},
            "search": 0.2,
            "engine": {"readings": 0},
            "economics": {
                "value": {"true_positive": 2.0, "false_positive": -0.8},
                "hours": {name: HOURS[name] for name in names if name in HOURS},
                **self.economics,
            },
        }
        path = folder / f"{self.experiment}.yaml"
        path.write_text(yaml.safe_dump(content, sort_keys=False))
        return path


class Seen(NamedTuple):
    """A verdict, and what each track truly earns in a year at each of its rungs."""

    verdict: Verdict
    net: Mapping[tuple[str, int], float]
    gross: Mapping[tuple[str, int], float]
    n_cells: int

    def best_net(self, track: str) -> float:
        return max(net for (name, _), net in self.net.items() if name == track)

    def ranked(self) -> list[str]:
        """Return the tracks, the one that truly earns most first."""
        return sorted({track for track, _ in self.net}, key=self.best_net, reverse=True)


def train(business: Trained, folder: Path) -> Seen:
    """Run the sweep of a business in `folder`, and learn the truth."""
    experiment = config.load(business.write(folder))
    plan = make_plan(experiment, progress=lambda *_: None)
    root = folder / "mlruns"
    with (folder / "output.txt").open("w") as output, Store.open(root) as store:
        store.begin(experiment.experiment, tracks=list(plan.tracks), description=business.name, tags={})
        write_context(plan, root)
        ran = run_cells(plan, store, root / "spool", fresh=False, console=Console(file=output))
        results = read_results(experiment, store, root)
    assert ran.failed == 0
    worths: dict[tuple[str, int], list[float]] = {}
    losses = {(cell.track, cell.rung, cell.seed): cell.scores["error_log_loss"] for cell in results.cells}
    for spec in plan.specs:
        worth, loss = _true_worth(plan, spec)
        # the model whose worth is told is the one that the cell has trained
        assert np.isclose(loss, losses[spec.track, spec.rung, spec.seed], rtol=1e-3)
        worths.setdefault((spec.track, spec.rung), []).append(worth)
    gross = {key: experiment.economics.volume_per_year.likely * np.mean(some) for key, some in worths.items()}
    summaries = {(one.track, one.rung): one for one in results.summaries}
    net = {key: float(gross[key] - _costs(experiment, results.verdict, summaries[key])) for key in gross}
    return Seen(results.verdict, net, gross, ran.n)


def _true_worth(plan: Plan, spec: CellSpec) -> tuple[float, float]:
    """Train a cell's track again; return its value of a decision and its log loss on the test block."""
    task, experiment = plan.task, plan.experiment
    assert isinstance(task, Synthetic)
    data = task.load(rung=experiment.ladder.rungs[spec.data_rung or 0], seed=spec.seed)
    step = Step(rung=spec.rung, data_rung=spec.data_rung, n_rules=spec.n_rules)
    track = copy.deepcopy(plan.tracks[spec.track].at(step))
    if type(track).search is not Track.search:
        budget = search_budget(experiment.search, data.train)
        track = track.search(data.train, budget_cpu_seconds=budget, seed=spec.seed)
    fitted = copy.deepcopy(track).fit(data.train, seed=spec.seed)
    told = fitted.predict_proba(data.test.features)
    fresh, chances = _fresh(task.kind, task.strength)
    value = experiment.economics.value
    gained = chances * value.true_positive.likely + (1 - chances) * value.false_positive.likely
    order = np.argsort(-fitted.predict_proba(fresh.features), kind="stable")
    best = max(0.0, float(np.cumsum(gained[order]).max())) / len(order)
    return best, float(row_log_loss(data.test.labels, told).mean())


@cache
def _fresh(kind: Kind, strength: float) -> tuple[Block, np.ndarray]:
    """Return customers of whom no track has seen any, with the chances of their labels."""
    task = Synthetic(kind=kind, strength=strength, n_clusters=20_000, rows_per_cluster=10.0, seed=10_001)
    return task.load(rung=None, seed=0).test, task.true_probabilities("test")


def _costs(experiment: Experiment, verdict: Verdict, one: RungSummary) -> float:
    """Return what a rung costs in a year: people and labels as declared, machines as they were measured."""
    economics = experiment.economics
    hours, horizon = economics.hours.get(one.track, Hours()), economics.horizon_years
    to_build = hours.to_build.likely if one.track in economics.hours else 0.0
    written = 1.0 if one.n_rules is None else one.n_rules / N_RULES
    people = written * (to_build / horizon + hours.per_year.likely)
    labels = one.n_train * economics.price_per_label.likely / horizon
    entry = next(each for each in verdict.tracks if each.track == one.track)
    machines = sum(cost for name, cost in entry.yearly_costs.items() if name in MACHINES)
    return people * economics.wage_per_hour.likely + labels + machines


TRAINED = (
    Trained(
        "five rules say it, small volume",
        "rules",
        "rules",
        "baseline rules linear neural",
        economics={"volume_per_year": 2e5},
    ),
    Trained(
        "habit says all",
        "baseline",
        "rules",
        "baseline linear neural",
        strength=0.0,
        economics={"volume_per_year": 3e5},
    ),
    Trained(
        "a weighted sum",
        "linear",
        "linear",
        "baseline linear trees neural",
        economics={"volume_per_year": 6e5},
    ),
    Trained(
        "crossed steps", "trees", "steps", "baseline linear trees neural", economics={"volume_per_year": 2e6}
    ),
    Trained(
        "smooth crossings, large volume",
        "neural",
        "smooth",
        "baseline trees neural",
        strength=1.5,
        rungs=({"share": 1.0},),
        economics={"volume_per_year": 5e7},
    ),
    Trained(
        "smooth crossings, small volume",
        "baseline",
        "smooth",
        "baseline trees neural",
        strength=1.5,
        economics={"volume_per_year": 2e4},
    ),
    Trained(
        "few labels and five rules",
        "hybrid",
        "rules",
        "baseline rules linear neural hybrid",
        rungs=({"labels": 400},),
        economics={"volume_per_year": 3e7, "price_per_label": 3.0},
    ),
    Trained(
        "nothing pays",
        "baseline",
        "linear",
        "baseline linear",
        economics={"volume_per_year": 2e3, "margin": 100.0},
    ),
    Trained(
        "euros, one at a time",
        "linear",
        "linear",
        "baseline linear neural",
        economics={
            "volume_per_year": 6e5,
            "serving": "single",
            "currency": "EUR",
            "currency_per_usd": 0.9,
            "retrains_per_year": 52,
            "carbon_price_per_tonne": 80,
        },
    ),
    Trained(
        "dear labels",
        "linear",
        "linear",
        "baseline linear",
        rungs=({"labels": 1000}, {"labels": 10_000}),
        economics={"volume_per_year": 6e5, "price_per_label": 10.0},
    ),
    Trained("tie: twins", "first", "linear", "baseline first second", economics={"volume_per_year": 1e6}),
    Trained(
        "tie: little between trees and net",
        "neural",
        "smooth",
        "baseline trees neural",
        strength=1.5,
        rungs=({"share": 1.0},),
        economics={"volume_per_year": 1e6, "margin": 4e4},
    ),
)
