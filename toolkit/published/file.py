"""The experiment file of published results: frozen pydantic models, and errors that name the line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator

from toolkit.amounts import Count, Frozen, Positive
from toolkit.errors import ConfigError
from toolkit.published.checks import (
    check_cited,
    check_compared,
    check_families,
    check_names,
    check_targets,
)
from toolkit.published.scales import Scale
from toolkit.published.table import Table, read_table
from toolkit.published.values import Measure, Price
from toolkit.yamlfile import Source, explain, read_mapping

__all__ = ["PublishedExperiment", "is_published", "load"]

KG_PER_POUND = 0.45359237
Text = Annotated[str, Field(min_length=1)]
Target = Annotated[float, Field(strict=True, gt=0)]


class MeasureOf(Frozen):
    """A measure of compute: its column of the table, and in words what it counts."""

    title: Text
    column: Text
    unit: Text = "FLOP"
    about: str = ""


class Results(Frozen):
    """The table, and what its columns mean.

    Parameters
    ----------
    table : str
        A CSV file, relative to the experiment file.
    title, error_title : str
        Of the report, and of the error.
    error : str
        The column of the error.
    error_scale : {"share", "percent", "loss"}
    measures : mapping of str to MeasureOf
        By name; never mixed in one fit.
    """

    table: Text
    title: Text
    error_title: Text = "Error"
    error: Text = "error"
    error_scale: Scale = "share"
    measures: Annotated[dict[str, MeasureOf], Field(min_length=1)]


class Prices(Frozen):
    """What compute costs, by one measure: units for a dollar, and for a pound of CO2."""

    measure: str
    units_per_usd: Positive | None = None
    units_per_lb_co2: Positive | None = None
    source: str


class Yardstick(Frozen):
    """An amount of carbon that people know."""

    name: Text
    kg_co2: Positive
    source: str


class Claim(Frozen):
    """What somebody says, and the figure of it that the table can be held against."""

    says: Text
    source: str
    power: Positive | None = None
    target: Target | None = None
    compute: Positive | None = None
    usd: Positive | None = None
    kg_co2: Positive | None = None

    @model_validator(mode="after")
    def _of_a_target(self) -> Claim:
        if self.target is None and (self.compute or self.usd or self.kg_co2):
            raise ValueError("compute, usd and kg_co2 are those of a target; add target, e.g. target: 0.05")
        return self


class Reference(Frozen):
    """The same figure from another set of data: an estimate, or [low, estimate, high]."""

    measure: str
    source: str
    n: Count | None = None
    power: tuple[Positive, Positive, Positive] | None = None
    r_squared: Positive | None = None
    target: Target | None = None
    compute: tuple[Positive, Positive, Positive] | None = None
    usd: Positive | None = None


class Comparison(Frozen):
    """Two models whose compute is taken apart into hardware, processors and time."""

    before: Text
    after: Text
    says: Text
    source: str
    note: str = ""


class Criticism(Frozen):
    """A fact that speaks against reading too much into the figures."""

    says: Text
    source: str


class PublishedExperiment(Frozen):
    """One YAML file on published results and all that it makes.

    Targets, also those of claims and references, are on the table's scale.
    """

    experiment: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    description: str = ""
    published: Results
    targets: tuple[Target, ...] = ()
    prices: Prices | None = None
    yardsticks: tuple[Yardstick, ...] = ()
    slopes: tuple[Positive, ...] = ()
    claims: tuple[Claim, ...] = ()
    references: tuple[Reference, ...] = ()
    decomposition: Comparison | None = None
    criticism: tuple[Criticism, ...] = ()
    sources: dict[str, Text] = Field(default_factory=dict)

    _path: Path = PrivateAttr(default=Path())
    _source: Source | None = PrivateAttr(default=None)

    @field_validator("sources")
    @classmethod
    def _keys(cls, sources: dict[str, str]) -> dict[str, str]:
        for key in sources:
            if not key or any(character.isspace() for character in key):
                raise ValueError(f"the key of a source is one word, got '{key}'")
        return sources

    @property
    def path(self) -> Path:
        """The YAML file; the table's path is relative to its folder."""
        return self._path

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The measures, in the order of the file."""
        return tuple(
            Measure(key, one.title, one.unit, one.about) for key, one in self.published.measures.items()
        )

    @property
    def rates(self) -> tuple[Price, ...]:
        """What a unit of the priced measure costs."""
        if self.prices is None:
            return ()
        per_usd, per_pound, source = (
            self.prices.units_per_usd,
            self.prices.units_per_lb_co2,
            self.prices.source,
        )
        usd = () if per_usd is None else (Price("usd", 1 / per_usd, source),)
        carbon = () if per_pound is None else (Price("kg_co2", KG_PER_POUND / per_pound, source),)
        return (*usd, *carbon)

    def where(self, *path: str | int) -> str:
        """Return ``file:line:column`` of the longest known part of `path`."""
        return self._source.where(*path) if self._source else str(self._path)

    def read_table(self) -> Table:
        """Read the table and hold it against the file: sources, families, the models that are taken apart.

        Raises
        ------
        DataError, ConfigError
        """
        declared = self.published
        table = read_table(
            self._path.parent / declared.table,
            {key: one.column for key, one in declared.measures.items()},
            error=declared.error,
            scale=declared.error_scale,
        )
        where, rows = str(self._path.parent / declared.table), table.observations
        check_cited(rows, self.sources, file=str(self._path), table=where)
        check_families(rows, table=where)
        check_compared(self, rows, table=where)
        return table


def is_published(path: Path) -> bool:
    """Tell whether a file is an experiment on published results; False for what cannot be read."""
    try:
        data, *_ = _read(path)
    except ConfigError:
        return False
    return "published" in data


def _read(path: Path) -> tuple[dict[str, Any], Source]:
    return read_mapping(
        path,
        what="an experiment file",
        example="experiments/imagenet.yaml",
        keys="experiment, published and sources",
        error=ConfigError,
    )


def load(path: str | Path) -> PublishedExperiment:
    """Read the experiment file.

    Raises
    ------
    ConfigError
        The file is missing, is not YAML, holds a wrong or unknown key, a target that is no error on the
        table's scale, or names a measure or source that it does not declare.
    """
    file = Path(path)
    data, source = _read(file)
    try:
        experiment = PublishedExperiment.model_validate(data)
    except ValidationError as error:
        place, problem = explain(error, source, PublishedExperiment)
        raise ConfigError(problem, where=place) from error
    experiment._path = file
    experiment._source = source
    check_names(experiment)
    check_targets(experiment)
    return experiment
