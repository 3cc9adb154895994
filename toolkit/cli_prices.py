"""The verb ``toolkit prices``: machines and countries that an experiment can name, with their sources."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer

from toolkit.errors import ConfigError, did_you_mean
from toolkit.options import Output, guarded

__all__ = ["prices"]

_OVERVIEW = {
    "hardware": ("name", "USD/h", "vCPUs", "W busy", "peak FLOP/s", "basis"),
    "grid": ("name", "title", "g CO2e/kWh", "USD/kWh", "basis"),
}
_TITLES = {
    "hardware": "Machines (economics: hardware); watts of the whole machine, busy",
    "grid": "Electricity (economics: country); the basis is that of its price",
}


class Format(StrEnum):
    """How `toolkit prices` tells them."""

    text = "text"
    json = "json"


def prices(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Machines or countries to tell all about.", show_default=False),
    ] = None,
    format: Annotated[  # noqa: A002 (the name of the option)
        Format, typer.Option(help="json prints all lines as JSON and nothing else.")
    ] = Format.text,
) -> None:
    """List the machines and countries that prices are known for.

    By name it tells all that is known of one: price, power, peak, and the
    source and date of each. What is 'published' is printed in the source;
    what is 'assumed' is for you to check. Your own machine goes into the
    experiment file, economics: own_hardware.

    [bold]Examples[/]

      toolkit prices

      toolkit prices aws-g5.xlarge own-server DE

      toolkit prices --format json

    [bold]Exit codes[/]

      0 listed · 2 there is no such name
    """
    raise typer.Exit(guarded(lambda: _list(names or [], as_json=format is Format.json)))


def _list(names: list[str], *, as_json: bool) -> int:
    from toolkit.prices import tables

    known = {row["name"]: row for rows in tables().values() for row in rows}
    for name in names:
        if name not in known:
            raise ConfigError(f"there is no machine or country '{name}'{did_you_mean(name, known)}")
    console = Output(highlight=False)
    if as_json:
        chosen = {
            kind: [row for row in rows if not names or row["name"] in names]
            for kind, rows in tables().items()
        }
        console.file.write(json.dumps(chosen, indent=2, ensure_ascii=False) + "\n")
    elif names:
        for name in names:
            _tell(console, known[name])
    else:
        for kind, rows in tables().items():
            _overview(console, kind, rows)
    return 0


def _tell(console: Output, row: dict[str, str]) -> None:
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    for heading, value in row.items():
        if value:
            table.add_row(heading, value)
    console.print(table)
    console.print()


def _overview(console: Output, kind: str, rows: list[dict[str, str]]) -> None:
    from rich import box
    from rich.table import Table

    table = Table(title=_TITLES[kind], box=box.SIMPLE, title_justify="left", title_style="bold")
    for heading in _OVERVIEW[kind]:
        is_text = heading in ("name", "title", "basis", "peak FLOP/s")
        table.add_column(heading, justify="left" if is_text else "right", no_wrap=heading == "name")
    for row in rows:
        table.add_row(*(row[heading] for heading in _OVERVIEW[kind]))
    console.print(table)
