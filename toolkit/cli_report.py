"""The verb ``toolkit report``: its options, most of which are prices."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from toolkit.options import DEFAULT_STORE, ExperimentFile, Output, StoreFolder, guarded

__all__ = ["report"]


class Format(StrEnum):
    """What `toolkit report` makes."""

    html = "html"
    md = "md"
    json = "json"


_RANGE = "A number, or low,likely,high."


def _priced(help: str, metavar: str | None = None) -> Any:  # noqa: A002 (the name of the option's text)
    # Plain text, choices too: what is wrong with it is told in the words that the file's keys have.
    panel = "Other prices than the file's"
    return typer.Option(help=help, metavar=metavar, show_default=False, rich_help_panel=panel)


def report(
    experiment: ExperimentFile,
    format: Annotated[  # noqa: A002 (the name of the option)
        Format,
        typer.Option(
            help="html writes the report (report.html, report.md) and results.json; md prints the report as "
            "Markdown, json prints results.json, and neither writes anything."
        ),
    ] = Format.html,
    store: StoreFolder = DEFAULT_STORE,
    figures: Annotated[
        bool,
        typer.Option(
            "--figures",
            help="With other prices: write the curves as PNG and SVG files too, as is always done without.",
        ),
    ] = False,
    hardware: Annotated[str | None, _priced("The machine, e.g. own-server or aws-g5.xlarge.")] = None,
    country: Annotated[str | None, _priced("Whose electricity: a two-letter code, or WORLD.")] = None,
    price_kwh: Annotated[
        str | None,
        _priced(
            "Of electricity, in the file's currency; from the tables in another --country than the file's. "
            f"{_RANGE}"
        ),
    ] = None,
    carbon_price: Annotated[str | None, _priced(f"A tonne of CO2e. {_RANGE}")] = None,
    pue: Annotated[str | None, _priced("Power of the building over that of the machines.")] = None,
    volume: Annotated[str | None, _priced(f"Decisions a year. {_RANGE}")] = None,
    retrains: Annotated[str | None, _priced(f"Trainings a year. {_RANGE}")] = None,
    wage: Annotated[str | None, _priced(f"Of an hour's work. {_RANGE}")] = None,
    speed: Annotated[
        str | None,
        _priced(
            "Of the processor, relative to the one that was measured; 1 on another --hardware than the "
            f"file's. {_RANGE}"
        ),
    ] = None,
    serving: Annotated[
        str | None, _priced("Decisions in batches, or one at a time.", "[batch|single]")
    ] = None,
) -> None:
    """Rebuild the report of a finished experiment, or price it anew. Nothing is trained.

    Without prices, report, results.json and MLflow are made anew from the
    store, with the economics of the file as it is now.

    With prices, the same cells are priced for another machine, country or
    business, which takes about two seconds. What changes is printed beside
    what the file's own prices say, and the report goes into a folder below
    the experiment's: its own report and MLflow stay as they are.

    [bold]Examples[/]

      toolkit report experiments/retail.yaml

      toolkit report experiments/retail.yaml --format json > results.json

      toolkit report experiments/retail.yaml --format md > report.md

      toolkit report experiments/retail.yaml --hardware aws-g5.xlarge

      toolkit report experiments/retail.yaml --country PL --carbon-price 50,80,150

      toolkit report experiments/retail.yaml --volume 1e6 --serving single

    [bold]Exit codes[/]

      0 written · 2 a mistake you can mend
    """
    options = {
        "--hardware": hardware,
        "--country": country,
        "--price-kwh": price_kwh,
        "--carbon-price": carbon_price,
        "--pue": pue,
        "--volume": volume,
        "--retrains": retrains,
        "--wage": wage,
        "--speed": speed,
        "--serving": serving,
    }
    given = {option: text for option, text in options.items() if text is not None}
    raise typer.Exit(guarded(lambda: _report(experiment, given, store, kind=format, figures=figures)))


def _report(experiment: Path, given: Mapping[str, str], store: Path, *, kind: Format, figures: bool) -> int:
    printed = None if kind is Format.html else kind.value
    if given:
        # The process ends with this, and is asked for again and again: looking for garbage is a tenth of it.
        gc.disable()
        from toolkit.reprice import reprice

        return reprice(
            experiment,
            given,
            store_folder=store,
            printed=printed,
            figures=figures,
            console=Output(),
            notes=Output(stderr=True),
        )
    from toolkit.run import print_report, rebuild_report

    if printed:
        return print_report(experiment, printed, store_folder=store)
    return rebuild_report(experiment, store_folder=store, console=Output())
