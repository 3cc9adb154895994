"""What would change the verdict, as lines of the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from toolkit.analysis.results import Results
from toolkit.analysis.whatif.words import change_lines

__all__ = ["print_changes"]


def print_changes(results: Results, console: Console) -> None:
    """Print the most fragile assumptions, a line each; nothing where none changes anything."""
    found = results.sensitivity
    lines = [] if found is None else change_lines(found)
    if lines:
        console.print("What would change it:")
    for line in lines:
        told = Text(line.replace("→ ", "→\u00a0"))  # the track stays beside its arrow
        console.print(Padding(told, (0, 0, 0, 2)))
