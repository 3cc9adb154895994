"""The verb ``toolkit prices``: machines and countries that an experiment can name, with their sources."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

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
            alike = [one for one in known if one.lower() == name.lower()]
            hint = f"; did you mean '{alike[0]}'?" if alike else did_you_mean(name, known)
            raise ConfigError(f"there is no machine or country '{name}'{hint}")
    console = Output(highlight=False)
    if as_json:
        chosen = {
            kind: [_facts(row["name"]) for row in rows if not names or row["name"] in names]
            for kind, rows in tables().items()
        }
        console.file.write(json.dumps(chosen, indent=2, ensure_ascii=False) + "\n")
    elif names:
        for name in names:
            _tell(console, _facts(name))
    else:
        for kind, rows in tables().items():
            _overview(console, kind, rows)
    return 0


def _facts(name: str) -> dict[str, Any]:
    """Return all that is known of a machine or country, as plain data."""
    from toolkit.prices import grid, hardware, profiles

    facts = asdict(hardware(name) if name in profiles() else grid(name))
    return {key: value for key, value in facts.items() if value is not None}


def _tell(console: Output, facts: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    for key, value in _lines(facts):
        table.add_row(key, value)
    console.print(table)
    console.print()


def _lines(facts: dict[str, Any], of: str = "") -> Iterator[tuple[str, str]]:
    for key, value in facts.items():
        words = f"{of}{key.replace('_', ' ')}"
        if isinstance(value, dict):
            yield from _lines(value, f"{words}: ")
        elif isinstance(value, list | tuple):
            yield words, " … ".join(f"{one:g}" for one in value)
        elif isinstance(value, bool):
            yield words, "yes" if value else "no"
        else:
            yield words, f"{value:,.6g}" if isinstance(value, float) else str(value)


def _overview(console: Output, kind: str, rows: list[dict[str, str]]) -> None:
    from rich import box
    from rich.table import Table

    table = Table(title=_TITLES[kind], box=box.SIMPLE, title_justify="left", title_style="bold")
    for heading in _OVERVIEW[kind]:
        is_text = heading in ("name", "title", "basis", "peak FLOP/s")
        is_needed = heading in ("name", "USD/h", "vCPUs", "g CO2e/kWh", "USD/kWh")
        table.add_column(heading, justify="left" if is_text else "right", no_wrap=is_needed)
    for row in rows:
        table.add_row(*(row[heading] for heading in _OVERVIEW[kind]))
    console.print(table)
