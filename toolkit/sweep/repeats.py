"""Which cells to measure again, so that the costs of a verdict rest on several clean readings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from toolkit.records import CellRecord, CellSpec

__all__ = ["PRICED_PHASES", "missing_readings", "n_clean"]

PRICED_PHASES = ("search", "fit", "predict_batch")
"""What money and energy rest on. Loading is short, and `predict_single` counts where decisions are single."""


def n_clean(records: Iterable[CellRecord], phase: str) -> int:
    """Return how many readings of a phase nothing disturbed.

    One that is too short to time well counts, as does one of a phase that a track does not have.
    """
    done = [record for record in records if record.status == "finished"]
    return sum(record.qualities.get(phase) != "contended" for record in done)


def missing_readings(
    specs: Iterable[CellSpec],
    records: Iterable[CellRecord],
    entering: Iterable[tuple[str, int]],
    *,
    wanted: int,
    phases: Sequence[str] = PRICED_PHASES,
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
        Clean readings a rung, of each phase.
    phases : sequence of str
        That must be clean.

    Returns
    -------
    list of CellSpec
        With `repeat` from 1; in turns over the tracks, so that a disturbance does not hit one of them only.
    """
    known = _current(list(records))
    rounds: list[list[CellSpec]] = []
    for track, rung in entering:
        cells = sorted(
            (spec for spec in specs if (spec.track, spec.rung) == (track, rung)), key=lambda spec: spec.seed
        )
        here = [one for one in known if (one.track, one.rung) == (track, rung)]
        done = {one.seed for one in here if one.status == "finished" and not one.repeat}
        cells = [spec for spec in cells if spec.seed in done]
        clean = min(n_clean(_with(here, phase), phase) for phase in phases)
        n_more = min(wanted - clean, wanted - sum(one.repeat > 0 for one in here))
        rounds.append(_in_turn(cells, here, phases, n_more))
    longest = max(map(len, rounds), default=0)
    return [own[place] for place in range(longest) for own in rounds if place < len(own)]


def _in_turn(
    cells: Sequence[CellSpec], here: Sequence[CellRecord], phases: Sequence[str], n_more: int
) -> list[CellSpec]:
    """Return further repeats: each of the seed that has the fewest clean readings then."""
    found: list[CellSpec] = []
    own = {spec.seed: [one for one in here if one.seed == spec.seed] for spec in cells}
    clean = {
        seed: min(n_clean(_with(records, phase), phase) for phase in phases) for seed, records in own.items()
    }
    repeats = {seed: sum(one.repeat > 0 for one in records) for seed, records in own.items()}
    by_seed = {spec.seed: spec for spec in cells}
    for _ in range(n_more if cells else 0):
        seed = min(clean, key=lambda one: (clean[one], repeats[one], one))
        clean[seed] += 1
        repeats[seed] += 1
        found.append(by_seed[seed].again(repeats[seed]))
    return found


def _with(records: Sequence[CellRecord], phase: str) -> list[CellRecord]:
    """Return the readings of a phase; all of them where no reading has it, as a track may search nothing."""
    found = [record for record in records if phase in record.qualities]
    return found or list(records)


def _current(records: Sequence[CellRecord]) -> list[CellRecord]:
    """Leave out repeats of what a cell was before it was trained anew."""
    begun = {(one.track, one.rung, one.seed): one.started_at for one in records if not one.repeat}
    return [
        one
        for one in records
        if not one.repeat or one.started_at >= begun.get((one.track, one.rung, one.seed), 0.0)
    ]
