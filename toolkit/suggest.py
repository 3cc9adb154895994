"""``toolkit suggest``: rules that training rows suggest, as a file for an expert to read. Wiring only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from toolkit import config
from toolkit.context import training_rows
from toolkit.errors import ConfigError
from toolkit.knowledge.base import KnowledgeBase
from toolkit.knowledge.base import load as load_knowledge
from toolkit.knowledge.entries import ColumnSpec
from toolkit.knowledge.mining.declare import declare, one_period_columns, starter
from toolkit.knowledge.mining.mine import LEAST_CLUSTERS, LEAST_OUTCOMES, Mined, mine
from toolkit.knowledge.mining.relations import Relation, relations
from toolkit.knowledge.mining.suggestions import header, suggested_base
from toolkit.knowledge.writing import write
from toolkit.sweep.plan import Plan, make_plan
from toolkit.sweep.progress import preparing
from toolkit.tasks.base import TrainingData

__all__ = ["suggest"]

EPOCH = dt.date(1970, 1, 1).toordinal()

LEVEL_OFF = 0.05
"""From this relative difference on, it is told that too much or too little is expected in general."""


@dataclass(frozen=True)
class _Basis:
    """What suggestions are mined against.

    Parameters
    ----------
    knowledge : KnowledgeBase
        Without a path when no track has one: the prior alone.
    scale : float
        Factor on its rules' evidence.
    specs : dict of str to ColumnSpec
        All columns of the task.
    left_out : tuple of str
        Columns that only tell a few periods apart.
    """

    knowledge: KnowledgeBase
    scale: float
    specs: dict[str, ColumnSpec]
    left_out: tuple[str, ...]

    @property
    def usable(self) -> dict[str, ColumnSpec]:
        """Columns that suggestions may use; where the prior itself is off is no rule of an expert."""
        kept = self.specs.keys() - {self.knowledge.prior, *self.left_out}
        return {name: spec for name, spec in self.specs.items() if name in kept}

    @property
    def words(self) -> str:
        """What it is, in words."""
        if self.knowledge.path is None:
            return f"the prior ({self.knowledge.prior}), since no track has a knowledge base"
        return f"the prior and the {len(self.knowledge.all_rules)} rules of {self.knowledge.path.name}"


def suggest(
    path: Path, *, n_rules: int = 10, output: Path | None = None, force: bool = False, console: Console
) -> int:
    """Mine the training rows of an experiment and write a file of suggested rules.

    Parameters
    ----------
    path : Path
        The experiment file.
    n_rules : int
        At most so many suggestions.
    output : Path, optional
        The file to write; by default beside the knowledge base, or beside the experiment without one.
    force : bool
        Overwrite `output`.
    console : Console

    Returns
    -------
    int
        0, with or without suggestions.

    Raises
    ------
    UserError
        The experiment cannot be read, or the file is there already.
    """
    experiment = config.load(path)
    with preparing(console) as progress:
        plan = make_plan(experiment, progress=progress)
    known = [track for track in plan.tracks.values() if isinstance(getattr(track, "knowledge", None), Path)]
    file: Path | None = getattr(known[0], "knowledge", None) if known else None
    target = _target(path, file, output, force=force)
    train = training_rows(plan.task, experiment)
    basis = _basis(plan, train, file, scale=float(getattr(known[0], "scale", 1.0)) if known else 1.0)
    mined = mine(
        train.features,
        train.labels,
        train.clusters,
        train.schema,
        basis.knowledge,
        basis.usable,
        limit=n_rules,
        scale=basis.scale,
    )
    cluster, dates = plan.task.cluster, _dates(train)
    _print_basis(basis, mined, cluster, dates, console)
    if not mined.suggestions:
        console.print(_nothing(mined, cluster), highlight=False, soft_wrap=True)
        return 0
    related = relations(mined.suggestions, basis.knowledge, basis.specs, train.schema)
    found = suggested_base(mined.suggestions, related, basis.knowledge, basis.specs, cluster=cluster)
    comment = header(mined, basis.knowledge, experiment=str(path), cluster=cluster, dates=dates)
    _save(target, comment + write(found))
    console.print(_table(mined, related, found))
    _print_next(target, basis.knowledge, mined, path, console)
    return 0


def _target(path: Path, knowledge: Path | None, output: Path | None, *, force: bool) -> Path:
    """Return the file to write, checked before anything slow is done."""
    beside = path if knowledge is None else knowledge
    target = output or beside.with_name(f"{beside.stem}-suggestions.yaml")
    written = [path, *([] if knowledge is None else [knowledge])]
    if target.resolve() in [file.resolve() for file in written]:
        raise ConfigError(
            "that file is an expert's; suggestions go into one of their own: give another --output",
            where=str(target),
        )
    if target.exists() and not force:
        raise ConfigError(
            "this file is there already, perhaps with your changes; give another --output, or overwrite it "
            "with --force",
            where=str(target),
        )
    if not target.parent.is_dir():
        raise ConfigError("there is no such folder; make it or give another --output", where=str(target))
    return target


def _basis(plan: Plan, train: TrainingData, file: Path | None, *, scale: float) -> _Basis:
    """Return the knowledge base, or one without rules on the baseline's column or the base rate."""
    left_out = one_period_columns(train.features, train.schema, train.time)
    if file is not None:
        knowledge = load_knowledge(file)
        return _Basis(knowledge, scale, declare(train.features, train.schema, knowledge), left_out)
    specs = declare(train.features, train.schema)
    rate = float(np.clip(train.labels.mean(), 0.001, 0.999)) if len(train) else 0.5
    prior: str | float = rate
    column = getattr(plan.tracks.get("baseline"), "column", None)
    if isinstance(column, str):
        values = train.features[column].to_numpy()
        missing = np.isnan(values)
        if (missing | ((values >= 0) & (values <= 1))).all():
            prior = column
            unit = train.schema.column(column).unit
            specs[column] = ColumnSpec(
                min=0, max=1, unit=unit, missing=round(rate, 3) if missing.any() else None
            )
    name = plan.experiment.experiment
    return _Basis(starter(name, name, prior, specs), scale, specs, left_out)


def _dates(train: TrainingData) -> str:
    """Return at which dates the rows are, in words: rules of two weeks know nothing of the other fifty."""
    days = np.unique(train.time)
    if len(days) < 2 and not days.any():
        return ""
    first, last = (dt.date.fromordinal(EPOCH + int(day)).isoformat() for day in (days[0], days[-1]))
    return f" at {first}" if len(days) == 1 else f" at {len(days)} dates from {first} to {last}"


def _save(target: Path, text: str) -> None:
    partial = target.with_name(f".{target.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(target)
    except OSError as error:
        raise ConfigError(
            f"cannot write ({error.strerror}); give another --output", where=str(target)
        ) from error


def _print_basis(basis: _Basis, mined: Mined, cluster: str, dates: str, console: Console) -> None:
    lines = [
        f"mined from {mined.n_rows:,} training rows of {mined.n_clusters:,} {cluster}s{dates}, against "
        f"{basis.words}"
    ]
    if basis.left_out:
        lines.append(f"not used, since it only tells a few dates apart: {', '.join(basis.left_out)}")
    if mined.suggestions and abs(mined.expected / mined.observed - 1) > LEVEL_OFF:
        lines.append(
            f"over all rows {100 * mined.expected:.1f} % are expected and {100 * mined.observed:.1f} % are "
            "seen: that is for the prior to mend, and set right here before rules are judged"
        )
    for line in lines:
        console.print(escape(line), highlight=False, soft_wrap=True)


def _table(mined: Mined, related: Sequence[Relation], found: KnowledgeBase) -> Table:
    """Return the suggestions, the most useful first."""
    table = Table(show_edge=False, pad_edge=False, show_lines=True)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("suggested rule", overflow="fold", ratio=3)
    for title in ("rows", "seen", "expected", "certainty"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("beside the experts' rules", overflow="fold", ratio=2)
    rows = zip(mined.suggestions, related, found.rules, strict=True)
    for place, (suggestion, relation, rule) in enumerate(rows):
        group = "" if suggestion.leader == place else f"; says much the same as {suggestion.leader + 1}"
        table.add_row(
            str(place + 1),
            escape(f"{rule.when}: {rule.then}"),
            f"{suggestion.n_rows:,}",
            f"{100 * suggestion.observed:.1f} %",
            f"{100 * suggestion.expected:.1f} %",
            f"{suggestion.certainty:.2f}",
            escape(relation.sentence + group),
        )
    return table


def _nothing(mined: Mined, cluster: str) -> str:
    """Return why there is no suggestion."""
    if not mined.n_held_out:
        return (
            f"Nothing can be suggested: that takes {LEAST_CLUSTERS} {cluster}s at least, and "
            f"{LEAST_OUTCOMES} rows of either outcome in both parts; the largest rung has fewer. "
            "No file was written."
        )
    return (
        f"Nothing to suggest: of {mined.n_candidates} rules that trees proposed none holds on the "
        f"{mined.n_held_out:,} rows kept from them. No file was written."
    )


def _print_next(target: Path, knowledge: KnowledgeBase, mined: Mined, path: Path, console: Console) -> None:
    """Say how much the suggestions are worth, and what a person does with them."""
    if knowledge.path is None:
        keep = f"delete what makes no sense, name the outcome, and give the file to the rules track of {path}"
    else:
        keep = f"move what makes sense to {knowledge.path.name}, then: toolkit check {path}"
    lines = [
        f"{len(mined.suggestions)} of {mined.n_candidates} proposed rules hold on the {mined.n_held_out:,} "
        f"rows kept from the trees; together they lower the log loss there from {mined.loss_before:.5f} to "
        f"{mined.loss_after:.5f}.",
        f"They are mined, not judged: read each, replace its 'because' with a reason, {keep}",
        f"suggestions {target}",
    ]
    console.print()
    for line in lines:
        console.print(escape(line), highlight=False, soft_wrap=True)
