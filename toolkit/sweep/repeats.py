"""Which cells to measure again, so that the costs of a verdict rest on several clean readings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from toolkit.records import CellRecord, CellSpec

__all__ = ["is_clean", "missing_readings"]


def is_clean(record: CellRecord) -> bool:
    """Return whether search and fit were undisturbed; work that is too short to time well counts too."""
    learned = [record.qualities.get(phase) for phase in ("search", "fit")]
    return record.status == "finished" and "contended" not in (*learned, record.quality)


def missing_readings(
    specs: Iterable[CellSpec],
    records: Iterable[CellRecord],
    entering: Iterable[tuple[str, int]],
    *,
    wanted: int,
) -> list[CellSpec]:
    """Return the repeats that give each rung of the verdict its clean readings.

    The seeds take turns, so that readings of the same work can be held against each other. A rung is repeated
    `wanted` times at most: a machine that is never idle does not get an endless sweep.

    Parameters
    ----------
    specs : iterable of CellSpec
        The cells that may be repeated.
    records : iterable of CellRecord
        Cells and repeats so far.
    entering : iterable of (track, rung)
        What the verdict rests on.
    wanted : int
        Clean readings a rung.

    Returns
    -------
    list of CellSpec
        With `repeat` from 1; in turns over the tracks, so that a disturbance does not hit one of them only.
    """
    known = list(records)
    rounds: list[list[CellSpec]] = []
    for track, rung in entering:
        cells = sorted(
            (spec for spec in specs if (spec.track, spec.rung) == (track, rung)), key=lambda spec: spec.seed
        )
        here = [one for one in known if (one.track, one.rung) == (track, rung)]
        done = {one.seed for one in here if one.status == "finished" and not one.repeat}
        cells = [spec for spec in cells if spec.seed in done]
        n_repeats = sum(one.repeat > 0 for one in here)
        missing = min(wanted - sum(map(is_clean, here)), wanted - n_repeats)
        rounds.append(_in_turn(cells, n_repeats, missing))
    longest = max(map(len, rounds), default=0)
    return [own[place] for place in range(longest) for own in rounds if place < len(own)]


def _in_turn(cells: Sequence[CellSpec], n_done: int, n_more: int) -> list[CellSpec]:
    """Return further repeats of some cells, counted on from those that were done."""
    if not cells:
        return []
    places = range(n_done, n_done + max(0, n_more))
    return [cells[place % len(cells)].again(place // len(cells) + 1) for place in places]
