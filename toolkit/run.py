"""``python -m toolkit.run EXPERIMENT.yaml``: the sweep and the report. Wiring only.

Read the file -> plan -> run the cells that are missing, logging each as it ends -> analyse all
finished cells of the plan -> write the report.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape

from toolkit import config
from toolkit.config import Experiment
from toolkit.context import read_results, write_context, write_stops
from toolkit.errors import ConfigError, StoreError
from toolkit.finished import code_version, read_context, report_folder
from toolkit.options import (
    DEFAULT_STORE,
    RUN_HELP,
    ExperimentFile,
    Fresh,
    Only,
    Output,
    Quick,
    Seeds,
    StopEarly,
    StoreFolder,
    guarded,
    print_text,
)
from toolkit.places import store_option
from toolkit.publish import is_published, print_published, publish
from toolkit.report import document
from toolkit.report.change_lines import print_changes
from toolkit.report.stop_lines import print_stops
from toolkit.report.terminal import tracks_table
from toolkit.store import Store
from toolkit.store.links import told
from toolkit.sweep.driver import measure_again, run_cells
from toolkit.sweep.plan import make_plan
from toolkit.sweep.progress import preparing

__all__ = [
    "main",
    "open_ui",
    "print_report",
    "rebuild_report",
    "run_command",
    "run_experiment",
]


def run_command(
    experiment: ExperimentFile,
    only: Only = None,
    seeds: Seeds = None,
    quick: Quick = False,
    fresh: Fresh = False,
    stop_early: StopEarly = False,
    store: StoreFolder = DEFAULT_STORE,
) -> None:
    """Run a sweep and write its report."""
    raise typer.Exit(
        guarded(
            lambda: run_experiment(
                experiment,
                only=only or (),
                seeds=seeds,
                quick=quick,
                fresh=fresh,
                stop_early=stop_early,
                store_folder=store,
                console=Output(),
            )
        )
    )


def run_experiment(
    path: Path,
    *,
    only: Sequence[str] = (),
    seeds: int | None = None,
    quick: bool = False,
    fresh: bool = False,
    stop_early: bool = False,
    store_folder: Path = DEFAULT_STORE,
    console: Console,
) -> int:
    """Run what is missing of an experiment and write its report.

    Parameters
    ----------
    path : Path
        The experiment file.
    only : sequence of str
        Tracks to run; all when empty.
    seeds : int, optional
        Seeds a rung, instead of the ladder's own.
    quick : bool
        Fewer rungs and one seed.
    fresh : bool
        Train finished cells anew.
    stop_early : bool
        Let tracks stop climbing whose forecasts say that it cannot pay.
    store_folder : Path
        Where all results go.
    console : Console

    Returns
    -------
    int
        0, or 1 when a cell failed.

    Raises
    ------
    UserError
    """
    if is_published(path):
        asked = {"--only": only, "--seeds": seeds, "--quick": quick, "--fresh": fresh}
        _refuse_training(path, {**asked, "--stop-early": stop_early})
        return publish(path, store_folder=store_folder, console=console)
    experiment = config.load(path)
    with preparing(console) as progress:
        plan = make_plan(experiment, progress=progress, only=only, seeds=seeds, quick=quick)
    with Store.open(store_folder) as store:
        store.begin(
            experiment.experiment,
            tracks=list(plan.tracks),
            description=experiment.description or plan.task.title,
            tags=code_version(),
        )
        write_context(plan, store_folder)
        spool = store_folder / "spool"
        ran = run_cells(
            plan,
            store,
            spool,
            fresh=fresh,
            console=console,
            stop_early=stop_early,
            knowledge=read_context(experiment, store_folder)["knowledge"],
        )
        if ran.stops:
            write_stops(plan, store_folder, ran.stops)
        results = read_results(experiment, store, store_folder)
        if not quick:
            entering = [(one.track, one.rung) for one in results.verdict.tracks]
            again = measure_again(plan, store, spool, entering, console=console)
            if again.n:
                ran += again
                results = read_results(experiment, store, store_folder)
        paths = document.write(results, report_folder(store_folder, experiment), figures=True)
        store.finish(
            results,
            report_html=paths.html,
            report_md=paths.markdown,
            results_json=paths.json,
            figures=paths.figures,
        )
        links = store.links(experiment.experiment)
    console.print()
    console.print(tracks_table(results))
    console.print(f"\n[bold]{escape(results.verdict.sentence)}[/]\n", highlight=False)
    print_changes(results, console)
    print_stops(results, console)
    for line in (plan.left_out, f"{ran.failed} cell(s) failed: see the report" if ran.failed else ""):
        if line:
            console.print(f"[yellow]{line}[/]", highlight=False)
    if ran.n:
        console.print(ran.told(experiment.engine.slots), highlight=False)
    _print_places(console, paths, links, store_folder)
    return 1 if ran.failed else 0


def _refuse_training(path: Path, options: Mapping[str, object]) -> None:
    for option, given in options.items():
        if given:
            raise ConfigError(
                f"{option} does not go with published results, of which nothing is trained", where=str(path)
            )


def rebuild_report(path: Path, *, store_folder: Path = DEFAULT_STORE, console: Console) -> int:
    """Write the report and results.json anew from the store; nothing is trained."""
    if is_published(path):
        return publish(path, store_folder=store_folder, console=console)
    experiment = config.load(path)
    with _open_finished(store_folder, experiment) as store:
        store.begin(experiment.experiment, tracks=list(experiment.tracks), tags=code_version())
        results = read_results(experiment, store, store_folder)
        paths = document.write(results, report_folder(store_folder, experiment), figures=True)
        store.finish(
            results,
            report_html=paths.html,
            report_md=paths.markdown,
            results_json=paths.json,
            figures=paths.figures,
        )
        links = store.links(experiment.experiment)
    console.print(tracks_table(results))
    console.print(f"\n[bold]{escape(results.verdict.sentence)}[/]\n", highlight=False)
    print_changes(results, console)
    print_stops(results, console)
    _print_places(console, paths, links, store_folder)
    return 0


def print_report(path: Path, printed: str, *, store_folder: Path = DEFAULT_STORE) -> int:
    """Print the report (``md``) or results.json (``json``), made anew from the store, and nothing else."""
    if is_published(path):
        return print_published(path, printed)
    experiment = config.load(path)
    with _open_finished(store_folder, experiment) as store:
        results = read_results(experiment, store, store_folder)
    print_text(document.as_text(results, printed))
    return 0


def _open_finished(store_folder: Path, experiment: Experiment) -> Store:
    """Open a store that is there; a report makes none."""
    if not store_folder.exists():
        raise StoreError(
            f"there are no results in this folder; run: python -m toolkit.run {experiment.path}",
            where=str(store_folder),
        )
    return Store.open(store_folder)


def open_ui(store_folder: Path, *, port: int, console: Console) -> int:
    """Start the MLflow UI and wait until it is stopped."""
    from toolkit.serving import start_ui

    if store_folder != DEFAULT_STORE and not (store_folder / "mlflow.db").exists():
        raise StoreError(
            "there are no results in this folder; name one that a run has written, or leave --store out",
            where=str(store_folder),
        )
    return start_ui(store_folder, port, console=console)


def _print_places(
    console: Console, paths: document.ReportPaths, links: Mapping[str, str], store: Path
) -> None:
    start = "make ui" if store == DEFAULT_STORE else f"toolkit ui{store_option(store)}"
    places = {
        "report": str(paths.html),
        "Markdown": str(paths.markdown),
        "results": str(paths.json),
        **({"figures": str(paths.figures[0].parent)} if paths.figures else {}),
        "MLflow": f"{start}, then",
    }
    for title, place in places.items():
        console.print(f"{title:<8} {place}", highlight=False, soft_wrap=True)
    for line in told(links):
        console.print(f"         {line}", highlight=False, soft_wrap=True)


def main() -> None:
    """Run ``python -m toolkit.run``."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    app = typer.Typer(add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)
    app.command(help=RUN_HELP)(run_command)
    app(prog_name="python -m toolkit.run")


if __name__ == "__main__":
    main()
