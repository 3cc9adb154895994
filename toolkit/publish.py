"""Published results instead of runs: what ``run``, ``report`` and ``check`` do with them. Wiring only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from toolkit.analysis.published.assemble import Question, analyse
from toolkit.analysis.published.values import Published
from toolkit.errors import ConfigError, DataError
from toolkit.finished import code_version, environment, report_folder
from toolkit.options import print_text
from toolkit.places import DEFAULT_STORE, store_option
from toolkit.published.file import PublishedExperiment, is_published, load
from toolkit.published.scales import from_scale
from toolkit.published.table import Table

__all__ = ["analysed", "check_published", "is_published", "print_published", "publish"]


def publish(path: Path, *, store_folder: Path, console: Console) -> int:
    """Analyse the table of an experiment and write report, ``results.json`` and MLflow's runs.

    Parameters
    ----------
    path : Path
        The experiment file.
    store_folder : Path
        Where all results go.
    console : Console

    Returns
    -------
    int
        0.

    Raises
    ------
    UserError
    """
    from toolkit.report.published import report
    from toolkit.report.published.terminal import summary
    from toolkit.store import Store
    from toolkit.store.links import told
    from toolkit.store.published import log_published

    experiment = load(path)
    published = report.with_sentences(analysed(experiment, experiment.read_table(), store_folder))
    with Store.open(store_folder) as store:
        paths = report.write(published, report_folder(store_folder, experiment))
        table = experiment.path.parent / experiment.published.table
        links = log_published(
            store,
            published,
            files=(paths.html, paths.markdown, paths.json, table),
            figures=paths.figures,
            tags=code_version(),
        )
    console.print(summary(published), highlight=False)
    console.print()
    start = "make ui" if store_folder == DEFAULT_STORE else f"toolkit ui{store_option(store_folder)}"
    places = {
        "report": str(paths.html),
        "Markdown": str(paths.markdown),
        "results": str(paths.json),
        "figures": str(paths.figures[0].parent),
        "MLflow": f"{start}, then",
    }
    for title, place in places.items():
        console.print(f"{title:<8} {place}", highlight=False, soft_wrap=True, markup=False)
    for line in told(links):
        console.print(f"         {line}", highlight=False, soft_wrap=True, markup=False)
    return 0


def print_published(path: Path, printed: str) -> int:
    """Print the report (``md``) or ``results.json`` (``json``) of published results, and write nothing."""
    from toolkit.report.published.report import as_text, with_sentences

    experiment = load(path)
    print_text(as_text(with_sentences(analysed(experiment, experiment.read_table())), printed))
    return 0


def check_published(path: Path, options: Mapping[str, object], *, as_json: bool, console: Console) -> int:
    """Check the file and its table, and say what is there.

    Parameters
    ----------
    path : Path
    options : mapping of str to object
        Options that go with knowledge bases only -> what was given, if anything.
    as_json : bool
    console : Console

    Returns
    -------
    int
        0.

    Raises
    ------
    UserError
    """
    for option, given in options.items():
        if given:
            raise ConfigError(
                f"{option} goes with a knowledge base, and this is published results", where=str(path)
            )
    experiment = load(path)
    table = experiment.read_table()
    published = analysed(experiment, table)
    cited = {key for one in table.observations for keys in one.sources.values() for key in keys.split()}
    unused = [key for key in experiment.sources if key not in cited and not _names(experiment, key)]
    counts = {study.measure.title: len(study.points) for study in published.studies}
    if as_json:
        document = {
            "file": str(path),
            "results": len(table.observations),
            "measures": counts,
            "sources": len(experiment.sources),
            "unused_sources": unused,
            "left_out": list(published.left_out),
            "doubts": list(published.doubts),
        }
        print_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        return 0
    console.print(
        f"[bold]{experiment.experiment}[/]: {len(table.observations)} published results, each cell with its "
        f"source; in the fits: " + ", ".join(f"{title} {count}" for title, count in counts.items()),
        highlight=False,
    )
    for told in (*published.left_out, *(f"is this meant? {doubt}" for doubt in published.doubts)):
        console.print(told, highlight=False, markup=False)
    if unused:
        console.print(f"sources that nothing cites: {', '.join(unused)}", highlight=False, markup=False)
    if not published.doubts:
        console.print("Nothing to mend.", highlight=False)
    return 0


def _names(experiment: PublishedExperiment, key: str) -> bool:
    """Tell whether anything but the table cites a source."""
    parts = (
        *experiment.claims,
        *experiment.references,
        *experiment.criticism,
        *experiment.yardsticks,
        *(one for one in (experiment.prices, experiment.decomposition) if one is not None),
    )
    return any(one.source == key for one in parts)


def analysed(experiment: PublishedExperiment, table: Table, store_folder: Path = DEFAULT_STORE) -> Published:
    """Return what the table of an experiment says, without sentences.

    Parameters
    ----------
    experiment : PublishedExperiment
    table : Table
    store_folder : Path
        Where all results go.

    Raises
    ------
    DataError
        The table cannot carry what is asked of it.
    """
    compared, scale = experiment.decomposition, experiment.published.error_scale
    question = Question(
        name=experiment.experiment,
        title=experiment.published.title,
        measures=experiment.measures,
        description=experiment.description,
        error_title=experiment.published.error_title,
        error_scale="loss" if scale == "loss" else "share",
        targets=tuple(from_scale(target, scale) for target in dict.fromkeys(experiment.targets)),
        prices=experiment.rates,
        priced="" if experiment.prices is None else experiment.prices.measure,
        decomposed=None if compared is None else (compared.before, compared.after),
        declared=_declared(experiment),
    )
    try:
        return analyse(
            table.observations,
            question,
            left_out=table.left_out,
            doubts=table.doubts,
            environment=environment(experiment, store_folder),
        )
    except DataError as error:
        where = str(experiment.path.parent / experiment.published.table)
        raise DataError(error.problem, where=where) from error


def _declared(experiment: PublishedExperiment) -> dict[str, Any]:
    keys = {"slopes", "claims", "references", "decomposition", "criticism", "yardsticks", "sources", "prices"}
    declared = experiment.model_dump(mode="json", include=keys)
    for entry in (*declared["claims"], *declared["references"]):
        if entry["target"] is not None:
            entry["target"] = from_scale(entry["target"], experiment.published.error_scale)
    return declared
