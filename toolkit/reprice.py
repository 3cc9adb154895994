"""``toolkit report --hardware …``: a finished experiment with other prices, in seconds. Wiring only.

Nothing is trained, and neither the experiment's own report nor MLflow is touched: the report goes into a
folder of its own below the experiment's.
"""

from __future__ import annotations

import hashlib
import math
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.console import Console

from toolkit import config, prices
from toolkit.amounts import Range
from toolkit.analysis.analysed import Analysed
from toolkit.analysis.pricing import price
from toolkit.business import Economics
from toolkit.config import Experiment
from toolkit.errors import ConfigError
from toolkit.finished import environment, read_context, read_snapshot, report_folder
from toolkit.options import print_text
from toolkit.sources import Origin
from toolkit.yamlfile import plain_problem

__all__ = ["AMOUNTS", "NAMES", "new_prices", "priced_folder", "reprice"]

AMOUNTS = {
    "--price-kwh": "price_per_kwh",
    "--carbon-price": "carbon_price_per_tonne",
    "--volume": "volume_per_year",
    "--retrains": "retrains_per_year",
    "--wage": "wage_per_hour",
    "--speed": "speed",
    "--pue": "pue",
}
"""Option -> the key of the experiment file that it stands for: a number, or ``low,likely,high``."""

NAMES = {"--hardware": "hardware", "--country": "country", "--serving": "serving"}

_MAX_NAME = 80

_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+", re.ASCII)
_POWERS = {"k": 3, "thousand": 3, "m": 6, "mio": 6, "million": 6, "b": 9, "bn": 9, "billion": 9}


def new_prices(experiment: Experiment, given: Mapping[str, str]) -> Experiment:
    """Return an experiment with other prices.

    What the file says of another machine's speed, or of another country's price of electricity, is not
    taken along, nor is the source of what changes: that is the command.

    Parameters
    ----------
    experiment : Experiment
    given : mapping of str to str
        Option, as typed with its dashes -> what was given.

    Raises
    ------
    ConfigError
        A value that the key cannot have, or a name that no table has; the option is named.
    """
    changes: dict[str, Any] = {
        NAMES.get(option) or AMOUNTS[option]: _number(option, text) if option in AMOUNTS else text
        for option, text in given.items()
    }
    gone = set(_left_behind(experiment.economics, given))
    if "hardware" in changes:
        gone.add("own_hardware")
    declared = experiment.economics.model_dump(exclude_unset=True, exclude=gone)
    options = {key: option for option, key in (*AMOUNTS.items(), *NAMES.items())}
    declared["sources"] = {
        **{
            key: origin
            for key, origin in experiment.economics.sources.items()
            if key.split(".")[0] not in gone.union(changes)
        },
        **{key: Origin(source=f"the command ({options[key]})") for key in changes},
    }
    try:
        economics = Economics.model_validate({**declared, **changes})
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0]) if first["loc"] else ""
        option = options.get(key, "")
        got = f", got {given[option]}" if option in given else ""
        raise ConfigError(f"{plain_problem(first)}{got}", where=option or None) from error
    for option, look_up in (
        ("--hardware", lambda: prices.of(economics)),
        ("--country", lambda: prices.grid(economics.country)),
    ):
        try:
            look_up()
        except ConfigError as error:
            where = option if option in given else experiment.where("economics", NAMES[option])
            raise ConfigError(error.problem, where=where) from error
    return experiment.model_copy(update={"economics": economics})


def _left_behind(economics: Economics, given: Mapping[str, str]) -> dict[str, str]:
    """Return the keys of the file that hold for its own machine or country only -> what that means."""
    found = {}
    is_other_machine = "--hardware" in given and (
        economics.own_hardware is not None or given["--hardware"] != economics.hardware
    )
    if is_other_machine and "--speed" not in given and not economics.speed.low == economics.speed.high == 1:
        own = economics.own_hardware
        found["speed"] = (
            f"speed is 1: the file's {_words(economics.speed)} is that of "
            f"{economics.hardware if own is None else own.title}; give --speed for {given['--hardware']}"
        )
    kwh = economics.price_per_kwh
    is_abroad = given.get("--country", economics.country) != economics.country
    if is_abroad and "--price-kwh" not in given and kwh is not None:
        found["price_per_kwh"] = (
            f"electricity has the price of the tables for {given['--country']}: the file's {_words(kwh)} "
            f"a kWh is that of {economics.country}; give --price-kwh for another"
        )
    return found


def _words(amount: Range) -> str:
    ends = (amount.low, amount.likely, amount.high)
    return ",".join(f"{end:g}" for end in (ends[:1] if amount.low == amount.high else ends))


def _number(option: str, text: str) -> float | list[float]:
    is_single = option == "--pue"
    thousands = _THOUSANDS.fullmatch(text.strip())
    if thousands and thousands[0].count(",") == 2 and not is_single and not _is_narrow(thousands[0]):
        first, rest = thousands[0].split(",", 1)
        raise ConfigError(
            f"'{text}' may be one number or a range; write {thousands[0].replace(',', '')}, or "
            f"{first}.0,{rest} for low,likely,high",
            where=option,
        )
    try:
        values = [] if "_" in text else [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) not in ((1,) if is_single else (1, 3)):
        wanted = "a number" if is_single else "a number or low,likely,high"
        raise ConfigError(f"expected {wanted}, got '{text}'{_hint(text.strip())}", where=option)
    if len(values) == 1:
        return values[0]
    if all(map(math.isfinite, values)) and values != sorted(values):
        raise ConfigError(f"a range is low,likely,high in rising order, got {text}", where=option)
    return values


def _is_narrow(text: str) -> bool:
    """Tell whether three numbers are near enough for a range that somebody declares: 100,150,200 is."""
    low, likely, high = map(float, text.split(","))
    return low < likely < high <= 20 * low


def _hint(text: str) -> str:
    """Return the tail of an error sentence: how the number was perhaps meant."""
    comma = re.fullmatch(r"\d+,\d+", text, re.ASCII)
    thousands = _THOUSANDS.fullmatch(text)
    if comma and thousands:
        return f"; write {text.replace(',', '')}, or {text.replace(',', '.')} with a decimal point"
    if comma:
        return f"; with a decimal point it is {text.replace(',', '.')}"
    if thousands:
        return f"; without separators it is {text.replace(',', '')}"
    sized = re.fullmatch(r"(\d+(?:\.\d+)?) ?([a-z]+)", text, re.ASCII | re.IGNORECASE)
    power = _POWERS.get(sized[2].lower()) if sized else None
    if sized and power:
        return f"; write {sized[1]}e{power}"
    return "; without unit or separators, e.g. 1.10 or 5e9" if re.search(r"\d", text) else ""


def _plain(option: str, text: str) -> str:
    """Return an amount as it is written plainly, however it was typed; other words as they are."""
    if option not in AMOUNTS:
        return text
    value = _number(option, text)
    return ",".join(f"{one:.15g}" for one in (value if isinstance(value, list) else [value]))


def priced_folder(experiment: Experiment, root: Path, given: Mapping[str, str]) -> Path:
    """Return the folder of the report with these prices: the same for the same options."""
    words = [
        text
        if option in ("--hardware", "--country")
        else f"{option.removeprefix('--')}-{_plain(option, text)}"
        for option, text in given.items()
    ]
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", "-".join(words)).strip("._-")
    if len(name) > _MAX_NAME:
        digest = hashlib.sha256(repr(sorted(given.items())).encode()).hexdigest()[:8]
        name = f"{name[:_MAX_NAME]}-{digest}"
    return report_folder(root, experiment) / "priced" / name


def reprice(
    path: Path,
    given: Mapping[str, str],
    *,
    store_folder: Path,
    printed: str | None = None,
    figures: bool = False,
    console: Console,
    notes: Console,
) -> int:
    """Price a finished experiment anew, and say what that changes.

    Parameters
    ----------
    path : Path
        The experiment file.
    given : mapping of str to str
        Option -> what was given.
    store_folder : Path
        Where all results are.
    printed : str, optional
        ``json`` or ``md``: print ``results.json`` or the report as Markdown with the new prices, and write
        nothing.
    figures : bool
        Write the curves as PNG and SVG files too.
    console : Console
        For the tables.
    notes : Console
        For what is no result.

    Returns
    -------
    int
        0.

    Raises
    ------
    UserError
    """
    experiment = config.load(path)
    changed = new_prices(experiment, given)
    knowledge = read_context(experiment, store_folder)["knowledge"]
    for line in _left_behind(experiment.economics, given).values():
        notes.print(f"[yellow]{line}[/]", highlight=False)
    analysed = _analysed(experiment, store_folder, notes)
    prices_given = " ".join(f"{option} {text}" for option, text in given.items())
    command = shlex.join(["toolkit", "report", str(path), *(part for pair in given.items() for part in pair)])
    about = {**environment(experiment, store_folder, command=command), "priced_with": prices_given}
    after = price(analysed, changed, knowledge=knowledge, environment=about)
    from toolkit.report import document

    if printed:
        print_text(document.as_text(after, printed))
        return 0
    from toolkit.report.change_lines import print_changes
    from toolkit.report.stop_lines import print_stops
    from toolkit.report.terminal import repriced_table, tracks_table

    before = price(analysed, experiment, knowledge=knowledge)
    paths = document.write(after, priced_folder(experiment, store_folder, given), figures=figures)
    console.print(tracks_table(after))
    console.print(repriced_table(before, after))
    console.print()
    print_changes(after, console)
    print_stops(after, console)
    for line in _without_effect(changed, given):
        notes.print(f"[yellow]{line}[/]", highlight=False)
    places = {"report": paths.html, "results": paths.json}
    for title, place in {**places, **({"figures": paths.figures[0].parent} if figures else {})}.items():
        console.print(f"{title:<8} {place}", highlight=False, soft_wrap=True, markup=False)
    return 0


def _analysed(experiment: Experiment, root: Path, notes: Console) -> Analysed:
    """Return what is known of the cells: as it was kept, else made anew from the store."""
    found = read_snapshot(experiment, root)
    if isinstance(found, Analysed):
        return found
    notes.print(f"[yellow]{found}: reading all cells, which takes longer[/]", highlight=False)
    from toolkit.context import read_analysed
    from toolkit.store import Store

    with Store.open(root) as store:
        return read_analysed(experiment, store, root)


def _without_effect(changed: Experiment, given: Mapping[str, str]) -> list[str]:
    """Return which of the options change nothing, and why."""
    economics = changed.economics
    machine = prices.of(economics)
    lines = []
    if "--price-kwh" in given and machine.energy_in_price:
        lines.append(f"--price-kwh changes nothing: the price of {machine.title} holds electricity")
    if "--country" in given and machine.energy_in_price and economics.carbon_price_per_tonne.high == 0:
        lines.append(
            "--country changes the carbon and no money: electricity is in the price of the machine, and "
            "carbon has none (--carbon-price)"
        )
    return lines
