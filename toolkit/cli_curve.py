"""The verb ``toolkit curve``: a table of one's own, compute against error."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from toolkit.options import Output, guarded

__all__ = ["curve"]


class Format(StrEnum):
    """What `toolkit curve` makes."""

    text = "text"
    md = "md"
    json = "json"


class Scale(StrEnum):
    """What the column of the error holds."""

    share = "share"
    percent = "percent"
    loss = "loss"


def curve(
    table: Annotated[
        Path, typer.Argument(help="A CSV file with the columns compute and error.", show_default=False)
    ],
    target: Annotated[
        list[float] | None,
        typer.Option(
            help="An error whose compute is asked for, on the table's scale; may be given more than once.",
            show_default=False,
        ),
    ] = None,
    level: Annotated[float, typer.Option(min=0.5, max=0.999, help="Of all intervals.")] = 0.95,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of report, results.json and figures; by default named after the table, beside it.",
            show_default=False,
        ),
    ] = None,
    format: Annotated[  # noqa: A002 (the name of the option)
        Format,
        typer.Option(
            help="md prints the report as Markdown, json prints results.json, and neither writes anything."
        ),
    ] = Format.text,
    compute: Annotated[str, typer.Option(help="The column of the compute.")] = "compute",
    error: Annotated[str, typer.Option(help="The column of the error.")] = "error",
    scale: Annotated[
        Scale, typer.Option(help="Of the error: a share of 1, per cent, or a loss that may be above 1.")
    ] = Scale.share,
    unit: Annotated[
        str, typer.Option(help="Of the compute, e.g. FLOP or GPU hours.", show_default=False)
    ] = "",
    usd_per_unit: Annotated[
        float | None, typer.Option(help="US dollars for one unit of compute.", show_default=False)
    ] = None,
    kg_per_unit: Annotated[
        float | None, typer.Option(help="Kilograms of CO2 for one unit of compute.", show_default=False)
    ] = None,
) -> None:
    """Tell what lower error costs, from a table of your own: one row a result.

    The table is a CSV file whose first line names its columns. compute is
    what a result has cost (FLOP, GPU hours, dollars, rows: anything that is
    counted), error what it has reached, as a share: 0.12 for 12 %. year, name
    and family may stand beside them. Other columns are not used, which is
    told.

      name,year,compute,error
      small,2021,1.0e18,0.31
      large,2022,4.0e19,0.22

    It prints how many times the compute halves the error, whether the data
    show a floor, and what a target takes, each with an interval that may be
    infinite; and it writes a report with the figure. What the rows cannot
    carry is refused, with the reason.

    Rows of equal compute are seeds of one rung, when more than half of the
    computes stand in at least two rows, or some compute stands in three rows.
    Else the rows are a scatter, whose line tells how the results went, not
    what one recipe gains from more compute; exact repeats count once. Of a
    family only the best is in the fit over all, after its rows of equal
    compute have been averaged.

    [bold]Examples[/]

      toolkit curve results.csv

      toolkit curve results.csv --target 0.1 --unit "GPU hours" --usd-per-unit 2.5

      toolkit curve runs.csv --compute flop --error val_loss --scale loss

      toolkit curve results.csv --target 0.1 --format json > curve.json

    [bold]Exit codes[/]

      0 told · 2 a mistake you can mend
    """
    from toolkit.curve import Asked, tell_curve

    asked = Asked(
        table=table,
        compute=compute,
        error=error,
        scale=scale.value,
        targets=tuple(target or ()),
        level=level,
        unit=unit,
        usd_per_unit=usd_per_unit,
        kg_per_unit=kg_per_unit,
    )
    printed = None if format is Format.text else format.value
    raise typer.Exit(guarded(lambda: tell_curve(asked, out=out, printed=printed, console=Output())))
