"""What a reader should know before trusting the figures: findings with a code and a severity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from toolkit.analysis.results import CellKey, Curve, Finding
from toolkit.analysis.stacks import Stack
from toolkit.records import SETTLED, CellRecord, Evidence

__all__ = ["check_cells", "check_curves", "check_stacks"]

FEW_CLUSTERS = 30
FLAT = 0.05
"""A curve that falls by less than this share over all its rungs is called flat."""


def _list(names: Iterable[object], at_most: int = 4) -> str:
    words = [str(name) for name in names]
    if len(words) > at_most:
        return f"{', '.join(words[:at_most])} and {len(words) - at_most} more"
    return ", ".join(words)


def check_cells(
    tracks: Sequence[str], cells: Sequence[CellRecord], evidence: Mapping[CellKey, Evidence]
) -> Iterator[Finding]:
    """Yield findings about cells: missing tracks, failures, costs in doubt, costs and evidence missing."""
    finished = [cell for cell in cells if cell.status == "finished"]
    with_results = {cell.track for cell in finished}
    for track in tracks:
        if track not in with_results:
            yield Finding(
                "track_missing", "error", f"{track} has no finished cell, so it is in no comparison"
            )
    for track in dict.fromkeys(cell.track for cell in cells):
        own = [cell for cell in cells if cell.track == track]
        yield from _without_labels(track, [cell for cell in own if cell.status == "not_applicable"])
        broken = [cell for cell in own if cell.status not in SETTLED]
        if broken:
            first = broken[0]
            reason = f": {first.reason}" if first.reason else ""
            places = _list(f"rung {cell.rung} seed {cell.seed}" for cell in broken)
            yield Finding(
                "cells_not_finished",
                "warning",
                f"{len(broken)} of {track}'s cells did not finish ({places}); "
                f"the first {'was' if first.status in ('killed', 'lost') else 'ended as'} "
                f"{first.status}{reason}",
            )
    brief = [cell for cell in finished if cell.quality == "too_short"]
    if brief:
        yield Finding(
            "costs_too_short",
            "info",
            f"{len(brief)} fits were too short to time well ({_list(dict.fromkeys(c.track for c in brief))})",
        )
    for name, what in (
        ("cost_fit_cpu_seconds", "training"),
        ("cost_predict_batch_cpu_seconds_per_row", "prediction"),
    ):
        unmeasured = dict.fromkeys(cell.track for cell in finished if cell.costs.get(name) is None)
        if unmeasured:
            yield Finding(
                "cost_missing",
                "warning",
                f"the cost of {what} was not measured in some cells of {_list(unmeasured)}; "
                "rungs without any measurement are priced without it",
            )
    bare = [cell for cell in finished if (cell.track, cell.rung, cell.seed) not in evidence]
    if bare:
        yield Finding(
            "evidence_missing",
            "warning",
            f"{len(bare)} finished cells left no evidence ({_list(dict.fromkeys(c.track for c in bare))}), "
            "so they have no intervals and no value in money",
        )


def _without_labels(track: str, cells: Sequence[CellRecord]) -> Iterator[Finding]:
    if cells:
        places = _list(dict.fromkeys(f"{cell.n_train:,} labels" for cell in cells))
        yield Finding(
            "cells_not_applicable",
            "info",
            f"{len(cells)} of {track}'s cells do not apply ({places}): {cells[0].reason}",
        )


def check_stacks(stacks: Iterable[Stack], cluster: str) -> Iterator[Finding]:
    """Yield findings about what the intervals rest on; `cluster` is the word for a test cluster."""
    known = list(stacks)
    if not known:
        return
    if max(len(stack.seeds) for stack in known) < 2:
        yield Finding(
            "one_seed",
            "warning",
            "there is one seed, so no interval holds the variation between training runs; "
            "set ladder: seeds: 3 or more",
        )
    n_clusters = known[0].n_clusters
    if n_clusters < FEW_CLUSTERS:
        yield Finding(
            "few_clusters",
            "warning",
            f"the test block has {n_clusters} clusters (one a {cluster}); intervals are rough under "
            f"{FEW_CLUSTERS}",
        )


def check_curves(curves: Sequence[Curve]) -> Iterator[Finding]:
    """Yield findings about refused and flat curves."""
    for track in dict.fromkeys(curve.track for curve in curves):
        own = [curve for curve in curves if curve.track == track]
        # The same refusal on another axis differs only in its numbers: one of each is enough here.
        reasons = dict(refusal for curve in reversed(own) for refusal in curve.refusals)
        if reasons:
            yield Finding(
                "forecast_refused",
                "info",
                f"not every curve of {track} may be drawn beyond its rungs: {'; '.join(reasons.values())}",
            )
        for curve in own:
            if curve.cost != "n_train" or "average_precision" in curve.error or len(curve.points) < 2:
                continue
            (first_rows, first), (last_rows, last) = curve.points[0], curve.points[-1]
            if last_rows >= 10 * first_rows and (first - last) / first < FLAT:
                yield Finding(
                    "flat_curve",
                    "info",
                    f"{track} gains little from more rows: from {first_rows:,.0f} to {last_rows:,.0f} "
                    f"its {curve.error.removeprefix('error_').replace('_', ' ')} goes from {first:.4g} "
                    f"to {last:.4g}",
                )
