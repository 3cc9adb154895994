"""The `toolkit` command: the same functions as `python -m toolkit.run`, each verb with its own help."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from toolkit import run as run_module
from toolkit.run import DEFAULT_STORE, ExperimentFile, Output, StoreFolder, guarded

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Is deep learning worth its cost on this task? Compare rules, classical, neural and hybrid tracks, "
    "measured, priced and with intervals.",
)

app.command("run", help=run_module.HELP)(run_module.run_command)


class Format(StrEnum):
    """What `toolkit report` makes."""

    html = "html"
    json = "json"


@app.command()
def report(
    experiment: ExperimentFile,
    format: Annotated[  # noqa: A002 (the name of the option)
        Format,
        typer.Option(
            help="html writes the report and results.json; json prints results.json and nothing else."
        ),
    ] = Format.html,
    store: StoreFolder = DEFAULT_STORE,
) -> None:
    """Rebuild the report of a finished experiment from the store. Nothing is trained.

    The economics are read from the file as it is now: change a price or a volume there, and this prices the
    finished cells anew.

    [bold]Examples[/]

      toolkit report experiments/retail.yaml

      toolkit report experiments/retail.yaml --format json > results.json
    """
    if format is Format.json:
        raise typer.Exit(guarded(lambda: run_module.print_json(experiment, store_folder=store)))
    raise typer.Exit(
        guarded(lambda: run_module.rebuild_report(experiment, store_folder=store, console=Output()))
    )


@app.command()
def ui(
    store: StoreFolder = DEFAULT_STORE,
    port: Annotated[int, typer.Option(min=1, max=65535, help="First port to try.")] = 5000,
) -> None:
    """Browse all results in the MLflow UI, on this machine only (127.0.0.1). Ctrl-C stops it."""
    raise typer.Exit(guarded(lambda: run_module.open_ui(store, port=port, console=Output())))


def main() -> None:
    """Run the command line."""
    app(prog_name="toolkit")


if __name__ == "__main__":
    main()
