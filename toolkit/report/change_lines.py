"""What would change the verdict, as lines of the terminal."""

from __future__ import annotations

from rich.console import Console

from toolkit.analysis.results import Results
from toolkit.analysis.whatif.words import change_lines

__all__ = ["print_changes"]

_DECLARED = " (declared "


def print_changes(results: Results, console: Console) -> None:
    """Print the most fragile assumptions, a line each; nothing where none changes anything."""
    found = results.sensitivity
    lines = [] if found is None else change_lines(found)
    for line in ["What would change it:", *(f"  {line}" for line in lines)] if lines else []:
        told = line
        if len(line) > console.width:
            told = line.replace(_DECLARED, f"\n   {_DECLARED}", 1)
        console.print(told, markup=False, highlight=False)
