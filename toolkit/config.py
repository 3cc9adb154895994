"""The experiment file: frozen pydantic models, and errors that name the line.

`load` reads one YAML file into an `Experiment`. Unknown keys are refused with their line and the
nearest known name. Parameters of plug-ins (task, tracks) stay plain mappings here: the registry
builds and checks them, and `Experiment.where` turns their path into ``file:line``.
"""

from __future__ import annotations

import itertools
import math
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator

from toolkit.amounts import Count, Frozen, Positive, Share
from toolkit.business import Economics
from toolkit.errors import ConfigError, did_you_mean
from toolkit.yamlfile import Source, explain, read_mapping

__all__ = [
    "TRACK_KEY",
    "Constraints",
    "Engine",
    "Experiment",
    "Ladder",
    "Rung",
    "load",
]

TRACK_KEY = "track"
"""With it one plug-in can stand in an experiment several times: ``neural_raw: {track: neural, …}``."""

TRACK_NAME = "[A-Za-z][A-Za-z0-9_]{0,39}"


class Rung(Frozen):
    """One step of the ladder: how much training data, in clusters or in labels.

    Parameters
    ----------
    share : float, optional
        Share of the training clusters (households), above 0 and at most 1; all their rows are labelled.
    cutoffs : int, optional
        Number of cut-off dates, most recent first; tasks without time ignore it. None means all.
    labels : int, optional
        Instead of a share: exactly so many labelled rows, of whole clusters but for the last. 0 gives none.
    unlabelled : int, optional
        Most unlabelled rows beside them; by default 4 for each labelled row.
    """

    share: Share | None = None
    cutoffs: Count | None = None
    labels: Annotated[int, Field(strict=True, ge=0)] | None = None
    unlabelled: Annotated[int, Field(strict=True, ge=0)] | None = None

    @model_validator(mode="after")
    def _share_or_labels(self) -> Rung:
        if (self.share is None) == (self.labels is None):
            got = "neither" if self.share is None else "both"
            raise ValueError(f"a rung gives a share or a number of labels, e.g. {{share: 0.5}}, got {got}")
        return self

    def is_above(self, lower: Rung) -> bool:
        """Return whether this rung has more data than another, which is counted in the same way."""
        if self.labels is not None and lower.labels is not None:
            return self.labels > lower.labels
        share, lower_share = self.share or 0.0, lower.share or 0.0
        return share > lower_share or (self.cutoffs or math.inf) > (lower.cutoffs or math.inf)


class Ladder(Frozen):
    """Rungs in rising order of data, and how many seeds climb each."""

    rungs: tuple[Rung, ...]
    seeds: Annotated[int, Field(strict=True, ge=1, le=1000)] = 3

    @field_validator("rungs")
    @classmethod
    def _rising(cls, rungs: tuple[Rung, ...]) -> tuple[Rung, ...]:
        if not rungs:
            raise ValueError("a ladder needs at least one rung, e.g. {share: 1.0}")
        for index, (lower, upper) in enumerate(itertools.pairwise(rungs), start=1):
            if (lower.labels is None) != (upper.labels is None):
                raise ValueError(
                    f"a ladder counts in shares or in labels, but rung {index} counts otherwise than the one "
                    "before"
                )
            if upper.labels is not None and upper.cutoffs != lower.cutoffs:
                raise ValueError(
                    f"rungs of labels have the same cutoffs, else they would not be nested: rung {index} has "
                    f"{upper.cutoffs or 'all'}, the one before {lower.cutoffs or 'all'}"
                )
            if not upper.is_above(lower):
                more = "a larger share or more cut-offs" if upper.labels is None else "more labels"
                raise ValueError(f"rungs rise: rung {index} must have {more} than the one before")
        return rungs

    @property
    def counts_labels(self) -> bool:
        """Whether rungs are numbers of labels, not shares of clusters."""
        return self.rungs[0].labels is not None


class Engine(Frozen):
    """Where cells run.

    Parameters
    ----------
    slots : int
        Cells side by side; 1 keeps the costs clean.
    readings : int
        Clean readings of its costs that each rung of the verdict should have. The cells of the seeds count;
        what is missing is measured again after the sweep, one at a time. 0 leaves it at the cells.
    codecarbon : bool
        Ask codecarbon for a second opinion on the energy of every cell.
    """

    kind: Literal["local"] = "local"
    slots: Count = 1
    timeout_seconds: Positive = 3600.0
    readings: Annotated[int, Field(strict=True, ge=0, le=50)] = 5
    codecarbon: bool = False


class Constraints(Frozen):
    """What a track must keep to for the business to use it.

    Parameters
    ----------
    latency_ms : float, optional
        Most milliseconds of one decision made by itself, in 19 of 20 cases.
    memory_mb : float, optional
        Most megabytes that a process holds while it predicts.
    must_explain : bool
        Whether single decisions must be explained, as ``toolkit explain`` does.
    """

    latency_ms: Positive | None = None
    memory_mb: Positive | None = None
    must_explain: Annotated[bool, Field(strict=True)] = False


class Experiment(Frozen):
    """One YAML file and all that it makes."""

    experiment: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    description: str = ""
    task: dict[str, Any]
    ladder: Ladder
    tracks: Annotated[dict[str, dict[str, Any]], Field(min_length=1)]
    search: Annotated[float, Field(strict=True, ge=0)] = 10.0
    engine: Engine = Engine()
    economics: Economics
    constraints: Constraints = Constraints()

    _path: Path = PrivateAttr(default=Path())
    _source: Source | None = PrivateAttr(default=None)

    @model_validator(mode="before")
    @classmethod
    def _empty_params(cls, data: Any) -> Any:
        """Read ``classical:`` with nothing behind it as ``classical: {}``."""
        if isinstance(data, dict) and isinstance(data.get("tracks"), dict):
            data = {**data, "tracks": {k: {} if v is None else v for k, v in data["tracks"].items()}}
        return data

    @model_validator(mode="after")
    def _task_has_name(self) -> Experiment:
        if not isinstance(self.task.get("name"), str):
            raise ValueError("task needs a name, e.g. task: {name: retail}")
        return self

    @field_validator("tracks")
    @classmethod
    def _named(cls, tracks: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for name, params in tracks.items():
            if not re.fullmatch(TRACK_NAME, name):
                raise ValueError(
                    f"'{name}' cannot name a track: use letters, digits and _, a letter first, at most 40"
                )
            if not isinstance(params.get(TRACK_KEY, ""), str):
                raise ValueError(f"{TRACK_KEY} of {name} is the name of a track, e.g. {TRACK_KEY}: neural")
        return tracks

    @property
    def path(self) -> Path:
        """The YAML file; paths inside it are relative to its folder."""
        return self._path

    @property
    def task_name(self) -> str:
        """The task's plug-in name."""
        return str(self.task["name"])

    @property
    def task_params(self) -> dict[str, Any]:
        """The task's parameters, without its name."""
        return {key: value for key, value in self.task.items() if key != "name"}

    def plugin(self, track: str) -> str:
        """Return the plug-in of one of the tracks: what its key ``track`` says, else its own name."""
        return str(self.tracks.get(track, {}).get(TRACK_KEY, track))

    def track_params(self, track: str) -> dict[str, Any]:
        """Return a track's parameters, without the name of its plug-in."""
        return {key: value for key, value in self.tracks[track].items() if key != TRACK_KEY}

    def where(self, *path: str | int) -> str:
        """Return ``file:line:column`` of the longest known part of `path`."""
        return self._source.where(*path) if self._source else str(self._path)


def load(path: str | Path) -> Experiment:
    """Read an experiment file.

    Parameters
    ----------
    path : str or Path
        The YAML file.

    Returns
    -------
    Experiment
        Frozen; knows its file and the place of every key.

    Raises
    ------
    ConfigError
        The file is missing, is not YAML, or holds a wrong or unknown key.
    """
    file = Path(path)
    data, source = read_mapping(
        file,
        what="an experiment file",
        example="experiments/retail.yaml",
        keys="experiment, task, ladder, tracks and economics",
        error=ConfigError,
    )
    if "knowledge_base" in data and "experiment" not in data:
        raise ConfigError(
            "this is a knowledge base, not an experiment; give an experiment file such as "
            "experiments/retail.yaml, or ask toolkit check about this one",
            where=source.where("knowledge_base"),
        )
    if "published" in data:
        raise ConfigError(
            "this experiment holds published results: nothing was trained, so there is no track, row or "
            "model to ask; toolkit run, report and check read it",
            where=source.where("published"),
        )
    try:
        experiment = Experiment.model_validate(data)
    except ValidationError as error:
        place, problem = explain(error, source, Experiment)
        raise ConfigError(problem, where=place) from error
    experiment._path = file
    experiment._source = source
    for name in experiment.economics.hours:
        if name not in experiment.tracks:
            raise ConfigError(
                f"hours are declared for '{name}', which is not among the tracks"
                f"{did_you_mean(name, experiment.tracks)}",
                where=experiment.where("economics", "hours", name),
            )
    if (unfit := experiment.economics.unfit_source(experiment.tracks)) is not None:
        key, problem = unfit
        raise ConfigError(problem, where=experiment.where("economics", "sources", key))
    return experiment
