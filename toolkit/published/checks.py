"""What an experiment file on published results says of its table, held against the table and itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.errors import ConfigError, DataError, did_you_mean
from toolkit.published.scales import wrong_target
from toolkit.published.values import Observation

if TYPE_CHECKING:
    from toolkit.published.file import PublishedExperiment

__all__ = ["COMPARED", "check_cited", "check_compared", "check_families", "check_names", "check_targets"]

COMPARED = ("peak_gflops", "processors", "days")
"""What both models of a comparison must tell: peak of one processor, how many, how long."""

_LISTS = ("yardsticks", "claims", "references", "criticism")


def check_names(experiment: PublishedExperiment) -> None:
    """Refuse a measure or a source that the file does not declare.

    Raises
    ------
    ConfigError
    """
    measures, sources = experiment.published.measures, experiment.sources
    entries: list[tuple[tuple[str | int, ...], Any]] = [
        ((name, index), entry) for name in _LISTS for index, entry in enumerate(getattr(experiment, name))
    ]
    single = {"prices": experiment.prices, "decomposition": experiment.decomposition}
    entries += [((name,), entry) for name, entry in single.items() if entry is not None]
    for path, entry in entries:
        for key, known, kind in (("measure", measures, "measure"), ("source", sources, "source")):
            named = getattr(entry, key, None)
            if named is not None and named not in known:
                raise ConfigError(
                    f"there is no {kind} '{named}'{did_you_mean(named, known)}",
                    where=experiment.where(*path, key),
                )


def check_targets(experiment: PublishedExperiment) -> None:
    """Refuse targets that are no error on the table's scale, wherever they stand.

    Raises
    ------
    ConfigError
    """
    named: list[tuple[tuple[str | int, ...], float | None]] = [
        (("targets", index), target) for index, target in enumerate(experiment.targets)
    ]
    named += [(("claims", index, "target"), one.target) for index, one in enumerate(experiment.claims)]
    named += [
        (("references", index, "target"), one.target) for index, one in enumerate(experiment.references)
    ]
    for path, target in named:
        wrong = "" if target is None else wrong_target(target, experiment.published.error_scale)
        if wrong:
            raise ConfigError(wrong, where=experiment.where(*path))


def check_cited(
    observations: Iterable[Observation], sources: Mapping[str, str], *, file: str, table: str
) -> None:
    """Refuse two rows of one name, and a figure without a source that is declared.

    Parameters
    ----------
    observations : iterable of Observation
    sources : mapping of str to str
        Key -> source.
    file, table : str
        Paths, for messages.

    Raises
    ------
    DataError
    """
    seen: set[str] = set()
    for one in observations:
        if one.name in seen:
            raise DataError(f"two rows are named '{one.name}'; names tell models apart", where=table)
        seen.add(one.name)
        for what in ("error", *one.compute):
            keys = one.sources.get(what, "").split()
            if not keys:
                raise DataError(f"'{one.name}' has no source of its {what}", where=table)
            for key in keys:
                if key not in sources:
                    raise DataError(
                        f"'{one.name}' cites '{key}', which is not among the sources of "
                        f"{file}{did_you_mean(key, sources)}",
                        where=table,
                    )


def check_families(observations: Iterable[Observation], *, table: str) -> None:
    """Refuse a family whose rows were trained on different further data: they are no sizes of one recipe.

    Raises
    ------
    DataError
    """
    first: dict[str, Observation] = {}
    for one in observations:
        known = first.setdefault(one.family, one) if one.family else one
        data, other = (each.labels.get("extra_data", "") for each in (known, one))
        if data != other:
            raise DataError(
                f"the family '{one.family}' mixes training data: '{known.name}' has {_data(data)} and "
                f"'{one.name}' has {_data(other)}. Of a family only the best row is in the fit over all, so "
                "give each set of data a family of its own",
                where=table,
            )


def _data(name: str) -> str:
    return f"the extra_data '{name}'" if name else "no extra_data"


def check_compared(
    experiment: PublishedExperiment, observations: Sequence[Observation], *, table: str
) -> None:
    """Refuse a comparison of a model that the table does not have, or has without what is compared.

    Raises
    ------
    ConfigError
        A name; at its place in the file.
    DataError
        A missing fact, which is the table's.
    """
    compared = experiment.decomposition
    if compared is None:
        return
    known = {one.name: one for one in observations}
    for key in ("before", "after"):
        name = getattr(compared, key)
        if name not in known:
            raise ConfigError(
                f"there is no row named '{name}' in {table}{did_you_mean(name, known)}",
                where=experiment.where("decomposition", key),
            )
        missing = [fact for fact in COMPARED if fact not in known[name].facts]
        if missing:
            raise DataError(
                f"'{name}' is to be taken apart (decomposition of {experiment.path}), and its row has no "
                f"{', '.join(missing)}; fill the cells in",
                where=table,
            )
