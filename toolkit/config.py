"""The experiment file: frozen pydantic models, and errors that name the line.

`load` reads one YAML file into an `Experiment`. Unknown keys are refused with their line and the
nearest known name. Parameters of plug-ins (task, tracks) stay plain mappings here: the registry
builds and checks them, and `Experiment.where` turns their path into ``file:line``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from toolkit.errors import ConfigError, UserError, did_you_mean

__all__ = [
    "Economics",
    "Engine",
    "Experiment",
    "Frozen",
    "Hours",
    "Ladder",
    "OutcomeValue",
    "Range",
    "Rung",
    "explain",
    "load",
    "read_mapping",
]

MAX_BYTES = 1_000_000
KeyPath = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """Safe loader that also reads 5.0e9 as a number, as YAML 1.2 does (PyYAML wants 5.0e+9)."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)


class Frozen(BaseModel):
    """A frozen model that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Range(Frozen):
    """A number the user is not sure of: lowest, most likely and highest value."""

    low: float
    likely: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if not self.low <= self.likely <= self.high:
            raise ValueError(
                f"a range is [low, likely, high] in rising order, got {[self.low, self.likely, self.high]}"
            )
        return self


def _to_range(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError(f"expected a number or [low, likely, high], got {value}")
    if isinstance(value, int | float):
        return Range(low=value, likely=value, high=value)
    if isinstance(value, list | tuple):
        if len(value) != 3:
            raise ValueError(f"a range is [low, likely, high], got {len(value)} values")
        return dict(zip(("low", "likely", "high"), value, strict=True))
    return value


def _not_negative(value: Range) -> Range:
    if value.low < 0:
        raise ValueError(f"must not be negative, got {value.low}")
    return value


Amount = Annotated[Range, BeforeValidator(_to_range)]
"""A number, or ``[low, likely, high]``."""

NonNegative = Annotated[Amount, AfterValidator(_not_negative)]
"""An `Amount` that is not below zero."""


class Rung(Frozen):
    """One step of the ladder: how much training data.

    Parameters
    ----------
    share : float
        Share of the training clusters (households), above 0 and at most 1.
    cutoffs : int, optional
        Number of cut-off dates, most recent first; tasks without time ignore it. None means all.
    """

    share: Annotated[float, Field(gt=0, le=1)]
    cutoffs: Annotated[int, Field(ge=1)] | None = None


class Ladder(Frozen):
    """Rungs in rising order of data, and how many seeds climb each."""

    rungs: Annotated[tuple[Rung, ...], Field(min_length=1)]
    seeds: Annotated[int, Field(ge=1, le=1000)] = 3


class Engine(Frozen):
    """Where cells run. ``slots: 1`` keeps the costs clean."""

    kind: Literal["local"] = "local"
    slots: Annotated[int, Field(ge=1)] = 1
    timeout_seconds: Annotated[float, Field(gt=0)] = 3600.0


class OutcomeValue(Frozen):
    """Money gained (or, negative, lost) by each outcome of one decision."""

    true_positive: Amount
    false_positive: Amount
    true_negative: Amount = Range(low=0, likely=0, high=0)
    false_negative: Amount = Range(low=0, likely=0, high=0)


class Hours(Frozen):
    """A person's declared hours for one track."""

    build: NonNegative = Range(low=0, likely=0, high=0)
    per_year: NonNegative = Range(low=0, likely=0, high=0)


class Economics(Frozen):
    """What the business knows: values, volumes and prices. Money is in `currency`."""

    currency: str = "USD"
    currency_per_usd: Annotated[float, Field(gt=0)] = 1.0
    value: OutcomeValue
    volume_per_year: NonNegative
    retrains_per_year: NonNegative = Range(low=1, likely=1, high=1)
    search_each_retrain: bool = False
    horizon_years: Annotated[float, Field(gt=0)] = 3.0
    wage_per_hour: NonNegative = Range(low=60, likely=60, high=60)
    hours: dict[str, Hours] = Field(default_factory=dict)
    hardware: str = "cloud-vcpu"
    country: str = "US"
    price_per_kwh: NonNegative | None = None
    pue: Annotated[float, Field(ge=1)] = 1.2
    carbon_price_per_tonne: NonNegative = Range(low=0, likely=0, high=0)
    margin: Annotated[float, Field(ge=0)] | None = None


class Experiment(Frozen):
    """One YAML file and all that it makes."""

    experiment: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    description: str = ""
    task: dict[str, Any]
    ladder: Ladder
    tracks: Annotated[dict[str, dict[str, Any]], Field(min_length=1)]
    search: Annotated[float, Field(ge=0)] = 1.0
    engine: Engine = Engine()
    economics: Economics

    _path: Path = PrivateAttr(default=Path())
    _lines: dict[KeyPath, int] = PrivateAttr(default_factory=dict)

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

    def where(self, *path: str | int) -> str:
        """Return ``file:line`` of the longest known part of `path`."""
        for length in range(len(path), -1, -1):
            line = self._lines.get(tuple(path[:length]))
            if line is not None:
                return f"{self._path}:{line}"
        return str(self._path)


def _line_numbers(node: yaml.Node | None, path: KeyPath = ()) -> Iterator[tuple[KeyPath, int]]:
    if node is None:
        return
    if path == ():
        yield (), node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*path, key.value), key.start_mark.line + 1
            yield from _line_numbers(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*path, index), value.start_mark.line + 1
            yield from _line_numbers(value, (*path, index))


def _refuse_duplicates_and_aliases(text: str, path: Path, error: type[UserError]) -> None:
    """YAML keeps the last of two equal keys in silence, and aliases can blow up: refuse both."""
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            raise error(
                "YAML aliases (*name) are not allowed; write the value out",
                where=f"{path}:{event.start_mark.line + 1}" if event.start_mark else str(path),
            )

    def walk(node: yaml.Node | None) -> None:
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                place = f"{path}:{key.start_mark.line + 1}"
                if not isinstance(key, yaml.ScalarNode):
                    raise error("a key must be a plain word or number", where=place)
                if key.value in seen:
                    raise error(f"key '{key.value}' stands twice in one mapping", where=place)
                seen.add(key.value)
                walk(value)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                walk(value)

    walk(yaml.compose(text, Loader=_Loader))


def read_mapping(
    path: Path, *, what: str, example: str, keys: str, error: type[UserError]
) -> tuple[dict[str, Any], dict[KeyPath, int]]:
    """Read a YAML file that is one mapping; safe loader, size limit, no aliases, no double keys.

    `what` (with its article), `example` and `keys` are words for the messages, `error` is the
    class to raise. Returns the data, and the line (from 1) of every path of keys.
    """
    try:
        raw = path.read_bytes()
    except OSError as failure:
        raise error(
            f"cannot read {what} ({failure.strerror}); give the path of a YAML file such as {example}",
            where=str(path),
        ) from failure
    if len(raw) > MAX_BYTES:
        raise error(f"the file has {len(raw):,} bytes; {what} has at most {MAX_BYTES:,}", where=str(path))
    try:
        text = raw.decode("utf-8")
        _refuse_duplicates_and_aliases(text, path, error)
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 (a SafeLoader)
        lines = dict(_line_numbers(yaml.compose(text, Loader=_Loader)))
    except UnicodeDecodeError as failure:
        raise error(f"the file is not UTF-8 text (byte {failure.start})", where=str(path)) from failure
    except yaml.MarkedYAMLError as failure:
        mark = failure.problem_mark or failure.context_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise error(f"not valid YAML: {failure.problem}", where=place) from failure
    except (yaml.YAMLError, ValueError) as failure:
        raise error(f"not valid YAML: {failure}", where=str(path)) from failure
    except RecursionError as failure:
        raise error("the file is nested too deeply", where=str(path)) from failure
    if not isinstance(data, dict):
        raise error(f"{what} is a mapping with the keys {keys}", where=str(path))
    return data, lines


def _known_keys(model: type[BaseModel], path: KeyPath) -> list[str]:
    """Return the keys that the model at `path` below `model` knows."""
    for part in path:
        field = model.model_fields.get(str(part))
        if field is None:
            # An index into a list or a key of a dict: stay with the model found below.
            continue
        found = _model_in(field.annotation)
        if found is not None:
            model = found
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _model_in(part)
        if found is not None:
            return found
    return None


def load(path: str | Path) -> Experiment:
    """Read an experiment file.

    Parameters
    ----------
    path : str or Path
        The YAML file.

    Returns
    -------
    Experiment
        Frozen; knows its file and the line of every key.

    Raises
    ------
    ConfigError
        The file is missing, is not YAML, or holds a wrong or unknown key.
    """
    file = Path(path)
    data, lines = read_mapping(
        file,
        what="an experiment file",
        example="experiments/retail.yaml",
        keys="experiment, task, ladder, tracks and economics",
        error=ConfigError,
    )
    try:
        experiment = Experiment.model_validate(data)
    except ValidationError as error:
        place, problem = explain(error, file, lines, Experiment)
        raise ConfigError(problem, where=place) from error
    experiment._path = file
    experiment._lines = lines
    return experiment


def explain(
    error: ValidationError, file: Path, lines: dict[KeyPath, int], model: type[BaseModel]
) -> tuple[str, str]:
    """Return ``file:line`` and the sentence of a failed validation of `model`; more lines for more."""
    problems = []
    for detail in error.errors():
        location = tuple(part for part in detail["loc"] if not str(part).startswith("function-"))
        place = str(file)
        for length in range(len(location), -1, -1):
            if location[:length] in lines:
                place = f"{file}:{lines[location[:length]]}"
                break
        name = ".".join(str(part) for part in location)
        if detail["type"] == "extra_forbidden":
            known = _known_keys(model, location[:-1])
            problems.append((place, f"unknown key '{name}'{did_you_mean(str(location[-1]), known)}"))
        elif detail["type"] == "missing":
            problems.append((place, f"key '{name}' is missing"))
        else:
            message = detail["msg"].removeprefix("Value error, ")
            got = detail["input"]
            tail = "" if isinstance(got, dict) else f" (got {got!r})"
            problems.append((place, f"'{name}': {message}{tail}" if name else message))
    first_place, first = problems[0]
    rest = "".join(f"\n{place}: {problem}" for place, problem in problems[1:])
    return first_place, first + rest
