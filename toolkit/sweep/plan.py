"""From an experiment file to the cells to run, with everything checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from toolkit import prices, registry
from toolkit.config import TRACK_KEY, Experiment, Rung
from toolkit.errors import ConfigError, ParameterError, UserError, did_you_mean
from toolkit.records import CellSpec
from toolkit.sweep import second_opinion
from toolkit.sweep.estimate import Estimate
from toolkit.sweep.fingerprint import Fingerprinter
from toolkit.tasks.base import Progress, Schema, Task
from toolkit.tracks.base import Step, Track

__all__ = ["Plan", "build_task", "build_track", "cell_fingerprint", "check_track", "make_plan"]

QUICK_ROWS = 60_000
"""A quick look climbs no rung with more labelled rows than this."""

QUICK_STRIDE = 3


@dataclass(frozen=True)
class Plan:
    """The cells of a sweep and what they are made of.

    Parameters
    ----------
    experiment : Experiment
    task : Task
        Prepared.
    tracks : mapping of str to Track
        All of them, checked, in the order of the experiment file.
    specs : tuple of CellSpec
        Those to run, in that order: small rungs of all tracks first.
    whole : tuple of CellSpec
        All cells that the experiment file asks for. The report shows every one that has finished,
        whichever command trained it.
    data_version : str
    left_out : str
        What a quick look or a choice of tracks and seeds leaves out; empty for the whole sweep.
    """

    experiment: Experiment
    task: Task
    tracks: Mapping[str, Track]
    specs: tuple[CellSpec, ...]
    whole: tuple[CellSpec, ...]
    data_version: str
    left_out: str = ""
    estimate: Estimate = field(default_factory=Estimate, compare=False)

    def rung(self, spec: CellSpec) -> Rung | None:
        """Return the ladder's entry for a cell; None for no labelled rows."""
        return None if spec.data_rung is None else self.experiment.ladder.rungs[spec.data_rung]

    def estimate_seconds(self, track: str | None = None) -> float:
        """Return the expected wall time of all cells (of one track), see `Estimate`."""
        chosen = (spec for spec in self.specs if track is None or spec.track == track)
        return sum(self.estimate.seconds(spec) for spec in chosen)


def make_plan(
    experiment: Experiment,
    *,
    progress: Progress,
    only: Sequence[str] | None = None,
    seeds: int | None = None,
    quick: bool = False,
) -> Plan:
    """Check an experiment and expand it into cells.

    Parameters
    ----------
    experiment : Experiment
    progress : callable
        Told what is being prepared and how far it is.
    only : sequence of str, optional
        Tracks to run; all by default.
    seeds : int, optional
        Instead of the ladder's own number.
    quick : bool
        About every third rung of at most `QUICK_ROWS` rows, and one seed.

    Raises
    ------
    ConfigError
        The file asks for what cannot be done; with file and line.
    UserError
        Data or knowledge is missing or broken.
    """
    prices.check(experiment)
    second_opinion.check(experiment)
    chosen = _chosen_tracks(experiment, only)
    if seeds is not None and seeds < 1:
        raise ConfigError(f"the number of seeds must be at least 1, got {seeds}")
    task = build_task(experiment)
    tracks = {name: build_track(experiment, name) for name in experiment.tracks}
    task.prepare(progress)
    schema = task.schema()
    tracks = {name: check_track(experiment, name, track, schema) for name, track in tracks.items()}
    rows = _rows(experiment, task)
    n_seeds = 1 if quick else (seeds or experiment.ladder.seeds)
    data_version = task.data_version()
    fingerprinter = Fingerprinter(task, data_version=data_version, search=experiment.search)

    ordered: list[tuple[float, int, int, CellSpec]] = []
    kept: set[str] = set()
    skipped: list[str] = []
    for position, (name, track) in enumerate(tracks.items()):
        steps = track.steps(len(rows))
        climbed = _quick_steps(steps, rows) if quick else steps
        if name in chosen and len(climbed) < len(steps):
            skipped.append(f"{len(steps) - len(climbed)} of {len(steps)} rungs of {name}")
        for step in steps:
            for seed in range(max(n_seeds, experiment.ladder.seeds) if track.seeded else 1):
                spec = _spec(experiment, name, step, seed, rows)
                rung = None if step.data_rung is None else experiment.ladder.rungs[step.data_rung]
                spec = spec.model_copy(update={"fingerprint": fingerprinter.cell(spec, track, rung)})
                ordered.append((_level(step, steps, rows), seed, position, spec))
                if name in chosen and step in climbed and seed < n_seeds:
                    kept.add(spec.fingerprint)
    if n_seeds < experiment.ladder.seeds:
        skipped.append(f"{experiment.ladder.seeds - n_seeds} of {experiment.ladder.seeds} seeds")
    left = [name for name in tracks if name not in chosen]
    if left:
        skipped.append(f"the tracks {', '.join(left)}")
    whole = tuple(spec for *_, spec in sorted(ordered, key=lambda item: item[:3]))
    return Plan(
        experiment=experiment,
        task=task,
        tracks=tracks,
        specs=tuple(spec for spec in whole if spec.fingerprint in kept),
        whole=whole,
        data_version=data_version,
        left_out=f"left out: {'; '.join(skipped)}" if skipped else "",
    )


def _rows(experiment: Experiment, task: Task) -> list[int]:
    """Return the expected number of labelled rows of each rung of the ladder."""
    rows = []
    for index, rung in enumerate(experiment.ladder.rungs):
        try:
            rows.append(task.n_train(rung))
        except ParameterError as error:
            where = experiment.where("ladder", "rungs", index, *error.path)
            raise ConfigError(error.problem, where=where) from error
    return rows


def cell_fingerprint(
    experiment: Experiment, task: Task, name: str, track: Track, step: Step, *, seed: int = 0
) -> str:
    """Return the fingerprint of one cell, as `make_plan` gives it.

    Parameters
    ----------
    experiment : Experiment
    task : Task
        Prepared.
    name : str
        The track's name in the experiment.
    track : Track
        Checked.
    step : Step
        One of the track's.
    seed : int
    """
    rungs = experiment.ladder.rungs
    spec = _spec(experiment, name, step, seed, [0] * len(rungs))
    fingerprinter = Fingerprinter(task, data_version=task.data_version(), search=experiment.search)
    return fingerprinter.cell(spec, track, None if step.data_rung is None else rungs[step.data_rung])


def _chosen_tracks(experiment: Experiment, only: Sequence[str] | None) -> list[str]:
    for name in only or ():
        if name not in experiment.tracks:
            raise ConfigError(
                f"the experiment has no track '{name}'{did_you_mean(name, experiment.tracks)}",
                where=experiment.where("tracks"),
            )
    return [name for name in experiment.tracks if not only or name in only]


def build_task(experiment: Experiment) -> Task:
    """Build an experiment's task from its parameters; nothing is read yet.

    Raises
    ------
    ConfigError
        With the line of the parameter.
    """
    try:
        task: Task = registry.build("tasks", experiment.task_name, experiment.task_params)
    except ParameterError as error:
        raise ConfigError(
            error.problem, where=experiment.where("task", *(error.path or ("name",)))
        ) from error
    return task


def build_track(experiment: Experiment, name: str) -> Track:
    """Build one of an experiment's tracks from its parameters, not yet checked against the task.

    Raises
    ------
    ConfigError
        With the line of the parameter.
    """
    plugin = experiment.plugin(name)
    if plugin != name and name in registry.names("tracks"):
        raise ConfigError(
            f"'{name}' is a track of its own; give the {plugin} track with other parameters another name, "
            f"e.g. {plugin}_2",
            where=experiment.where("tracks", name, TRACK_KEY),
        )
    try:
        track: Track = registry.build("tracks", plugin, experiment.track_params(name))
    except ParameterError as error:
        path = error.path or ((TRACK_KEY,) if plugin != name else ())
        raise ConfigError(error.problem, where=experiment.where("tracks", name, *path)) from error
    return track


def check_track(experiment: Experiment, name: str, track: Track, schema: Schema) -> Track:
    """Check a track against the task's columns; its paths become absolute.

    Raises
    ------
    UserError
        With the line of the parameter, or the place in the knowledge base.
    """
    folder = Path(experiment.path).absolute().parent
    try:
        return track.check(schema, folder)
    except ParameterError as error:
        raise ConfigError(error.problem, where=experiment.where("tracks", name, *error.path)) from error
    except UserError as error:
        if error.where is not None:
            raise
        raise ConfigError(error.problem, where=experiment.where("tracks", name)) from error


def _spec(experiment: Experiment, name: str, step: Step, seed: int, rows: Sequence[int]) -> CellSpec:
    return CellSpec(
        experiment=experiment.experiment,
        task=experiment.task_name,
        track=name,
        rung=step.rung,
        data_rung=step.data_rung,
        n_rules=step.n_rules,
        seed=seed,
        n_train=0 if step.data_rung is None else rows[step.data_rung],
    )


def _quick_steps(steps: Sequence[Step], rows: Sequence[int]) -> tuple[Step, ...]:
    """Return about every third step that is small enough, and the last of those.

    A track with one step keeps it.
    """
    if len(steps) == 1:
        return tuple(steps)
    small = [index for index, count in enumerate(rows) if count <= QUICK_ROWS] or [0]
    allowed = [step for step in steps if step.data_rung is None or step.data_rung in small]
    kept = [*allowed[:-1][::QUICK_STRIDE], *allowed[-1:]]
    return tuple(kept)


def _level(step: Step, steps: Sequence[Step], rows: Sequence[int]) -> float:
    """Return how far up its ladder a step is, 0 to 1, so that all tracks climb side by side."""
    if len(steps) == 1:
        return 0.0
    if step.data_rung is not None:
        return step.data_rung / max(1, len(rows) - 1)
    return steps.index(step) / (len(steps) - 1)
