"""CSV files that a person writes: rows with their lines, and numbers whose mistakes are named."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit.errors import DataError, did_you_mean, shorten

__all__ = ["Row", "Rows", "read_rows"]

MAX_BYTES = 20_000_000
MAX_ROWS = 100_000


@dataclass(frozen=True)
class Row:
    """One row, by names of columns.

    Parameters
    ----------
    file : Path
    line : int
        From 1, where the row begins.
    cells : mapping of str to str
        Without spaces around them.
    """

    file: Path
    line: int
    cells: Mapping[str, str]

    def text(self, column: str) -> str:
        """Return a cell, empty where the file has no such column."""
        return self.cells.get(column, "")

    def number(self, column: str) -> float | None:
        """Return a cell as a finite number, None where it is empty.

        Raises
        ------
        DataError
            The cell is text, or no finite number.
        """
        text = self.text(column)
        if not text:
            return None
        try:
            # Python reads 1_000 and other alphabets' digits, which nobody means here.
            value = float(text) if text.isascii() and "_" not in text else math.nan
        except ValueError:
            value = math.nan
        if math.isfinite(value):
            return value
        advice = "leave the cell empty where there is no value"
        if any(character.isdigit() for character in text):
            advice = "write numbers with a decimal point and no other sign or unit, e.g. 0.234 or 1.6e18"
        raise self.wrong(column, f"'{shorten(text)}' is not a number; {advice}")

    def positive(self, column: str) -> float | None:
        """Return a cell as a number above 0, None where it is empty.

        Raises
        ------
        DataError
            The cell is no such number.
        """
        value = self.number(column)
        if value is not None and value <= 0:
            raise self.wrong(column, f"{self.text(column)} is not above 0, so it has no logarithm")
        return value

    def wrong(self, column: str, problem: str) -> DataError:
        """Return the error that names line and column."""
        return DataError(f"column '{column}': {problem}", where=f"{self.file}:{self.line}")


@dataclass(frozen=True)
class Rows:
    """The rows of a file, in its order; `line` is where its columns are named."""

    file: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    line: int = 1

    def need(self, columns: Sequence[str]) -> None:
        """Refuse a file without these columns.

        Raises
        ------
        DataError
        """
        for column in columns:
            if column not in self.columns:
                raise DataError(
                    f"there is no column '{column}' in the line of names{did_you_mean(column, self.columns)}",
                    where=f"{self.file}:{self.line}",
                )


def read_rows(path: Path) -> Rows:
    """Read a CSV file whose first line with anything in it names the columns; empty lines are passed over.

    Raises
    ------
    DataError
        The file cannot be read, is not UTF-8, too large, or a row has more or fewer cells than the first.
    """
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        named, names = next(
            ((reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)), (1, [])
        )
        columns = _columns(path, names, named)
        rows, begins = [], reader.line_num + 1
        for cells in reader:
            line, begins = begins, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(columns):
                raise DataError(
                    f"{len(cells)} cell{'' if len(cells) == 1 else 's'}, but the line of names has "
                    f"{len(columns)}; put a text that holds a comma in double quotes, and write numbers with "
                    "a decimal point and without separators",
                    where=f"{path}:{line}",
                )
            found = dict(zip(columns, (cell.strip() for cell in cells), strict=True))
            rows.append(Row(path, line, found))
            if len(rows) > MAX_ROWS:
                raise DataError(f"more than {MAX_ROWS:,} rows", where=str(path))
    except csv.Error as error:
        raise DataError(f"not valid CSV: {error}", where=f"{path}:{reader.line_num}") from error
    # Spreadsheets end lines with empty cells, which nobody has left out.
    given = dict(zip(columns, (name.strip() for name in names), strict=True))
    filled = tuple(name for name in columns if given[name] or any(row.text(name) for row in rows))
    return Rows(path, filled, tuple(rows), named)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"the file has more than {MAX_BYTES:,} bytes", where=str(path))
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise DataError(
                f"the file is not UTF-8 text (byte {error.start}); save it as CSV in UTF-8", where=str(path)
            ) from error
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataError(
            f"cannot read the table ({reason}); give the path of a CSV file", where=str(path)
        ) from error


def _columns(path: Path, names: Sequence[str], line: int) -> tuple[str, ...]:
    columns = tuple(name.strip() for name in names)
    where = f"{path}:{line}"
    if not any(columns):
        raise DataError("the first line must name the columns, e.g. compute,error", where=where)
    if len(columns) == 1 and any(sign in columns[0] for sign in ";\t"):
        raise DataError(
            f"one column, '{shorten(columns[0])}'; columns are separated by commas here and decimals have a "
            "point: save the table as comma-separated CSV",
            where=where,
        )
    columns = tuple(name or f"column {number} without a name" for number, name in enumerate(columns, start=1))
    for index, name in enumerate(columns):
        if name in columns[:index]:
            raise DataError(f"two columns are named '{shorten(name)}'; rename one", where=where)
    return columns
