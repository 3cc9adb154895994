"""``toolkit curve``: the analysis of published results on a table of the user's own. Wiring only."""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from toolkit.analysis.published.assemble import Question, analyse
from toolkit.analysis.published.values import Published
from toolkit.errors import ConfigError, DataError
from toolkit.finished import code_version
from toolkit.options import print_text
from toolkit.published.scales import Scale, from_scale, wrong_target
from toolkit.published.table import DESCRIBING, read_table
from toolkit.published.values import Measure, Price
from toolkit.report.published import report
from toolkit.report.published.terminal import summary

__all__ = ["Asked", "tell_curve"]

_KEY = "compute"


@dataclass(frozen=True)
class Asked:
    """What was asked on the command line; see ``toolkit curve --help``."""

    table: Path
    compute: str = "compute"
    error: str = "error"
    scale: Scale = "share"
    targets: tuple[float, ...] = ()
    level: float = 0.95
    unit: str = ""
    usd_per_unit: float | None = None
    kg_per_unit: float | None = None

    def command(self) -> str:
        """Return the command that asks the same again."""
        given = [
            ("--compute", self.compute, "compute"),
            ("--error", self.error, "error"),
            ("--scale", self.scale, "share"),
            ("--level", self.level, 0.95),
            ("--unit", self.unit, ""),
            ("--usd-per-unit", self.usd_per_unit, None),
            ("--kg-per-unit", self.kg_per_unit, None),
            *(("--target", target, None) for target in self.targets),
        ]
        options = [part for option, value, usual in given if value != usual for part in (option, str(value))]
        return shlex.join(["toolkit", "curve", str(self.table), *options])


def tell_curve(asked: Asked, *, out: Path | None = None, printed: str | None = None, console: Console) -> int:
    """Analyse a table and tell what was found.

    Parameters
    ----------
    asked : Asked
    out : Path, optional
        Folder of the report; ``<table>-curve`` beside the table by default.
    printed : str, optional
        ``json`` or ``md``: print ``results.json`` or the report as Markdown, and write nothing.
    console : Console

    Returns
    -------
    int
        0.

    Raises
    ------
    UserError
    """
    published = report.with_sentences(_analysed(asked))
    if printed:
        print_text(report.as_text(published, printed))
        return 0
    folder = out or asked.table.with_name(f"{asked.table.stem}-curve")
    paths = report.write(published, folder, advice="name another folder with --out")
    console.print(summary(published), highlight=False)
    console.print()
    places = {
        "report": paths.html,
        "Markdown": paths.markdown,
        "results": paths.json,
        "figure": paths.figures[0],
    }
    for title, place in places.items():
        console.print(f"{title:<8} {place}", highlight=False, soft_wrap=True, markup=False)
    return 0


def _analysed(asked: Asked) -> Published:
    _check(asked)
    table = read_table(asked.table, {_KEY: asked.compute}, error=asked.error, scale=asked.scale)
    if not table.observations:
        raise DataError(
            "there is no row with an error below the line of names; write one row a result",
            where=str(asked.table),
        )
    rates = (("usd", asked.usd_per_unit), ("kg_co2", asked.kg_per_unit))
    question = Question(
        name=asked.table.stem,
        title="error against compute",
        measures=(Measure(_KEY, _title(asked.compute), asked.unit),),
        error_title=_title(asked.error),
        error_scale="loss" if asked.scale == "loss" else "share",
        targets=tuple(from_scale(target, asked.scale) for target in dict.fromkeys(asked.targets)),
        prices=tuple(Price(quantity, rate, "declared") for quantity, rate in rates if rate is not None),
        priced=_KEY,
        level=asked.level,
    )
    about = {"table": str(asked.table), "command": asked.command(), **code_version()}
    about["report_written"] = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        return analyse(
            table.observations,
            question,
            left_out=table.left_out,
            doubts=table.doubts,
            environment=about,
        )
    except DataError as error:
        raise DataError(error.problem, where=str(asked.table)) from error


def _title(column: str) -> str:
    words = column.replace("_", " ")
    return f"{words[:1].upper()}{words[1:]}"


def _check_columns(asked: Asked) -> None:
    if asked.compute == asked.error:
        raise ConfigError(
            f"compute and error are the same column, '{asked.error}'; name two with --compute and --error",
            where="--compute",
        )
    for option, column in (("--compute", asked.compute), ("--error", asked.error)):
        if column in DESCRIBING:
            raise ConfigError(
                f"'{column}' describes a row ({', '.join(DESCRIBING)}) and is no amount to fit; name another "
                "column, or give this one another name in the table",
                where=option,
            )


def _check(asked: Asked) -> None:
    _check_columns(asked)
    for target in asked.targets:
        wrong = wrong_target(target, asked.scale)
        if wrong:
            raise ConfigError(wrong, where="--target")
    for option, value in (("--usd-per-unit", asked.usd_per_unit), ("--kg-per-unit", asked.kg_per_unit)):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise ConfigError(f"a price is a number above 0, got {value:g}", where=option)
