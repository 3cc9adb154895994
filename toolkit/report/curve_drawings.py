"""The drawings of one error against every cost, with what a reader has to know of each."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.analysis.results import Results
from toolkit.report import formats
from toolkit.report.curve_axes import CostAxis, ErrorAxis
from toolkit.report.curve_figures import (
    drawn_front,
    drawn_rings,
    drawn_slopes,
    error_against_cost,
    picture_of,
)
from toolkit.report.curve_points import Picture
from toolkit.report.figures import Drawing

__all__ = ["curve_drawings"]


def curve_drawings(results: Results, error: ErrorAxis, axes: Sequence[CostAxis]) -> list[Drawing]:
    """Return one drawing for each cost that some rung has.

    Parameters
    ----------
    results : Results
        Their rungs marked by the front of this error (`curve_axes.on_front_of`).
    error : ErrorAxis
    axes : sequence of CostAxis
        The first is what paper shows.
    """
    found = []
    for axis in axes:
        shown = picture_of(results, error, axis)
        if shown is None:
            continue
        found.append(
            Drawing(
                name=f"curve-{error.key}-{axis.name}",
                choice=axis.choice,
                figure=error_against_cost(results, error, axis, shown),
                description=f"{error.title} against {axis.title}: {_told(shown)}",
                note=" ".join(_notes(results, error, axis, shown)),
            )
        )
    return found


def _told(shown: Picture) -> str:
    """Return the ends of every line in words."""
    parts = []
    for track, ladder in shown.ladders.items():
        ends = [formats.number(point.y.estimate, 4) for point in (ladder[0], ladder[-1])]
        parts.append(f"{track} from {ends[0]} to {ends[1]}" if len(ladder) > 1 else f"{track} at {ends[0]}")
    for track, level in shown.levels.items():
        parts.append(f"{track} at {formats.number(level.y.estimate, 4)}")
    return ", ".join(parts)


def _notes(results: Results, error: ErrorAxis, axis: CostAxis, shown: Picture) -> list[str]:
    notes = [*([axis.note] if axis.note else []), *_rings(results.verdict.best, shown)]
    far = [level for level in shown.levels.values() if 0 < level.x < shown.x.low]
    if far:
        told = " and ".join(f"{level.summary.track} at {axis.show(level.x)}" for level in far)
        notes.append(f"Left of the picture: {told}.")
    if axis.has_front and drawn_front(shown):
        notes.append("The step line is the front: nothing is cheaper and better.")
    if any(line.forecast for line in shown.fits.values()):
        notes.append("Dashed, beyond the last rung of its track, a fit is a forecast.")
    unmeasured = {one.track for one in results.summaries if axis.read(one) is None and error.read(one)}
    if unmeasured and axis.name != "flop":
        notes.append(f"Rungs whose cost was not measured are missing: {', '.join(sorted(unmeasured))}.")
    return [*notes, *_slopes(results, axis, shown)]


def _rings(leader: str | None, shown: Picture) -> list[str]:
    """Return what the rings in the picture mark; the rung of a leader that lies beside it has none."""
    ringed = [point.summary.track for point in drawn_rings(shown)]
    if not ringed:
        return []
    two = ", two the leader's" if leader in ringed else ""
    return [f"Rings mark the rungs of the verdict{two}."]


def _slopes(results: Results, axis: CostAxis, shown: Picture) -> list[str]:
    """Return what the lines of theory say, and how far the error would have fallen along those left out."""
    drawn = drawn_slopes(results, axis, shown)
    notes = []
    if drawn:
        told = "; ".join(f"{slope.says}, {slope.source}" for slope, _ in drawn)
        notes.append(f"Grey lines: half the error for {told}.")
    left_out = [slope for slope in axis.slopes if slope not in [one for one, _ in drawn]]
    ladder = shown.ladders.get(results.verdict.best or "") or next(iter(shown.ladders.values()), ())
    if left_out and len(ladder) > 1 and ladder[-1].x > ladder[0].x:
        first, last = ladder[0], ladder[-1]
        anchor = (first.x, first.y.estimate)
        there = (
            f"for {slope.says} would have taken it to {formats.number(slope.at(last.x, anchor), 2)}"
            for slope in left_out
        )
        notes.append(
            f"From its first to its last rung {first.summary.track} went from "
            f"{formats.number(anchor[1], 3)} to {formats.number(last.y.estimate, 3)}. Half the error "
            f"{' and '.join(there)}: not drawn, so far below."
        )
    return notes
