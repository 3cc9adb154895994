"""Tracks that stopped climbing, as lines of the terminal."""

from __future__ import annotations

from rich.console import Console

from toolkit.analysis.results import Results
from toolkit.analysis.stops.words import told_stops

__all__ = ["print_stops"]


def print_stops(results: Results, console: Console) -> None:
    """Print what each early stop left out, saved and risks; nothing where no track stopped."""
    for line in told_stops(results.stops, results.verdict):
        console.print(line, style="cyan", markup=False, highlight=False, soft_wrap=True)
