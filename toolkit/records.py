"""What a cell is, and what it leaves behind.

Format history of `CellRecord` (raise `RECORD_VERSION`, keep old files readable):

3. `repeat`, `qualities`, `disturbances`, `withheld` and `calibration` (none in earlier versions)
2. `trials`: what the search tried (none in version 1); the status ``not_applicable``
1. first version

Format history of `Evidence` (likewise, `EVIDENCE_VERSION`):

2. validation counts by groups of clusters (one group in version 1)
1. first version
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from toolkit.errors import StoreError

__all__ = [
    "EVIDENCE_VERSION",
    "N_BINS",
    "N_VALID_GROUPS",
    "RECORD_VERSION",
    "REPEAT_MARK",
    "SETTLED",
    "CellRecord",
    "CellSpec",
    "Evidence",
    "Quality",
    "SearchTrial",
    "Status",
    "cell_name",
    "without_repeats",
]

RECORD_VERSION = 3
EVIDENCE_VERSION = 2
N_BINS = 512
"""Score bins of the evidence, of equal width on the logit scale from -12 to 12."""
N_VALID_GROUPS = 40
"""Groups of validation clusters that are counted apart: how far they differ tells how sure the block is."""

_NOT_FLAT = (
    "scores",
    "costs",
    "chosen",
    "trials",
    "machine",
    "log_tail",
    "qualities",
    "disturbances",
    "withheld",
    "calibration",
)
"""Fields of a record that have no column of their own in a table."""

REPEAT_MARK = "-again"
"""Between a cell's fingerprint and the number of a repeat, in the repeat's own."""

Status = Literal["finished", "not_applicable", "failed", "killed", "timeout", "lost"]

Quality = Literal["clean", "contended", "too_short"]
"""How far the costs of a phase can be trusted."""

SETTLED: tuple[Status, ...] = ("finished", "not_applicable")
"""Nothing went wrong, and running the cell again would change nothing."""


def cell_name(track: str, rung: int, seed: int, repeat: int = 0) -> str:
    """Return a cell's name for people, e.g. ``neural rung 3 seed 1``, a repeat's with ``again 2``."""
    return f"{track} rung {rung} seed {seed}" + (f" again {repeat}" if repeat else "")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="null")


class CellSpec(_Frozen):
    """One cell to run: a track at one rung with one seed."""

    experiment: str
    task: str
    track: str
    rung: int
    data_rung: int | None
    n_rules: int | None
    seed: int
    n_train: int
    repeat: int = 0
    fingerprint: str = ""

    @property
    def name(self) -> str:
        """Short name for people and for MLflow, e.g. ``neural rung 3 seed 1``."""
        return cell_name(self.track, self.rung, self.seed, self.repeat)

    def again(self, repeat: int) -> CellSpec:
        """Return a further reading of this cell's costs; `repeat` counts from 1."""
        return self.model_copy(
            update={"repeat": repeat, "fingerprint": f"{self.fingerprint}{REPEAT_MARK}{repeat}"}
        )


class SearchTrial(_Frozen):
    """One candidate that a search tried.

    Parameters
    ----------
    number : int
        From 0, in the order tried.
    state : str
        ``complete`` (fitted to all the rows that a search may use), ``pruned`` or ``failed``.
    drawn : bool
        Whether its parameters were drawn at random; False for those that are always tried.
    params : mapping
        What was varied.
    rows : int
        Labelled rows of the last step that it reached.
    loss, first_loss : float or None
        Mean held-out log loss of the last and of the first step; all first steps of a search have the
        same rows, so that they can be compared. What later rows say is in neither.
    nominal_cpu_seconds : float
        What the budget was charged.
    reason : str
        Why it was pruned or failed, or was not taken although held-out rows spoke for it.
    chosen : bool
        Whether it is what the search ended with; a hybrid makes several choices, and has one for each. None
        is where what comes first was kept without having been fitted.
    """

    number: int
    state: Literal["complete", "pruned", "failed"]
    drawn: bool
    params: dict[str, str | float | int | bool | None]
    rows: int
    loss: float | None
    first_loss: float | None
    nominal_cpu_seconds: float
    reason: str = ""
    chosen: bool = False


class CellRecord(_Frozen):
    """What became of a cell. Written once, never changed.

    Parameters
    ----------
    record_version : int
        Version of this format.
    experiment, task, track, rung, seed, n_rules, fingerprint
        As in the cell's `CellSpec`.
    n_train : int
        Labelled rows that the track really saw.
    n_clusters : int or None
        Distinct clusters (households) among them.
    status : str
        ``finished``; ``not_applicable`` where a rung has fewer labels than the track can learn from;
        ``failed``, ``killed``, ``timeout`` or ``lost``.
    repeat : int
        0 for the cell itself; from 1 for further readings of its costs, which have no scores.
    quality : str or None
        ``clean``, ``contended`` or ``too_short``: the trust in the cost figures of `fit`.
    qualities : mapping of str to str
        The same for every phase that was metered.
    reason : str
        Why it is not finished, or does not apply; empty when it is.
    log_tail : str
        The end of the traceback of a failed cell.
    scores : mapping of str to float
        ``score_*`` (higher is better) and ``error_*`` (lower is better) on the test block.
    costs : mapping of str to float or None
        ``cost_<phase>_<quantity>_<unit>``; None means not measured.
    disturbances : mapping of str to str
        Why a phase is not clean.
    withheld : mapping of str to str
        Why a cost is not there, by its name.
    calibration : mapping of str to float
        What fixed pieces of work took in the cell's process before anything else, in CPU-seconds, by their
        name: they convert its times to those of another machine.
    chosen : mapping
        What search and fit chose.
    trials : tuple of SearchTrial
        What the search tried.
    machine : mapping of str to str
        Where it ran: processor, cores, versions.
    started_at, ended_at : float
        Seconds since 1970-01-01 UTC.
    """

    record_version: int = RECORD_VERSION
    experiment: str
    task: str
    track: str
    rung: int
    seed: int
    n_train: int
    n_rules: int | None = None
    n_clusters: int | None = None
    fingerprint: str
    status: Status
    repeat: int = 0
    quality: Quality | None = None
    qualities: dict[str, Quality] = Field(default_factory=dict)
    reason: str = ""
    log_tail: str = ""
    scores: dict[str, float | None] = Field(default_factory=dict)
    costs: dict[str, float | None] = Field(default_factory=dict)
    disturbances: dict[str, str] = Field(default_factory=dict)
    withheld: dict[str, str] = Field(default_factory=dict)
    calibration: dict[str, float] = Field(default_factory=dict)
    chosen: dict[str, str | float | int | bool | None] = Field(default_factory=dict)
    trials: tuple[SearchTrial, ...] = ()
    machine: dict[str, str] = Field(default_factory=dict)
    started_at: float = 0.0
    ended_at: float = 0.0

    def flat(self) -> dict[str, Any]:
        """Return one flat row: the keys of ``results.json``'s cells.

        Columns are the plain fields, then every score, cost and ``chosen_*``, and of a searched cell how its
        trials ended, ``trials_complete``, ``trials_pruned`` and ``trials_failed``.
        """
        plain = self.model_dump(exclude=set(_NOT_FLAT))
        chosen = {f"chosen_{key}": value for key, value in self.chosen.items()}
        ends = [trial.state for trial in self.trials]
        trials = {f"trials_{end}": ends.count(end) for end in ("complete", "pruned", "failed") if ends}
        return {**plain, **self.scores, **self.costs, **chosen, **trials}


def without_repeats(records: Iterable[CellRecord]) -> tuple[CellRecord, ...]:
    """Return the cells, sorted by track, rung and seed, without further readings of their costs."""
    cells = [record for record in records if record.repeat == 0]
    return tuple(sorted(cells, key=lambda cell: (cell.track, cell.rung, cell.seed)))


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a cell stores for the analysis: enough for every interval and threshold, no rows.

    Test counts are sparse: entry i says that cluster ``cluster[i]`` has ``positives[i]`` and
    ``negatives[i]`` rows in score bin ``bin[i]``. Clusters are numbered 0 … n_clusters - 1, the
    same in all cells of a task, and never named.

    Parameters
    ----------
    cluster : ndarray of shape (n_entries,), int32
    bin : ndarray of shape (n_entries,), int16
        0 … N_BINS - 1, from low to high scores.
    positives, negatives : ndarray of shape (n_entries,), int32
    cluster_rows : ndarray of shape (n_clusters,), int64
    cluster_log_loss, cluster_brier : ndarray of shape (n_clusters,), float64
        Sums over the cluster's test rows.
    valid_positives, valid_negatives : ndarray of shape (N_VALID_GROUPS, N_BINS), int64
        Counts of the common validation block, of groups of whole clusters that are the same in all cells of a
        task. One group only in evidence of version 1.
    valid_log_loss : float
        Mean over the validation rows.
    strata : mapping of str to ndarray of shape (2, N_BINS), int64
        Pooled test positives and negatives of parts of the test block.
    """

    cluster: NDArray[np.int32]
    bin: NDArray[np.int16]
    positives: NDArray[np.int32]
    negatives: NDArray[np.int32]
    cluster_rows: NDArray[np.int64]
    cluster_log_loss: NDArray[np.float64]
    cluster_brier: NDArray[np.float64]
    valid_positives: NDArray[np.int64]
    valid_negatives: NDArray[np.int64]
    valid_log_loss: float
    strata: Mapping[str, NDArray[np.int64]]

    @property
    def n_clusters(self) -> int:
        """Number of test clusters."""
        return len(self.cluster_rows)

    def to_bytes(self) -> bytes:
        """Return the evidence as a compressed ``.npz`` (no pickle)."""
        arrays: dict[str, NDArray[Any]] = {
            "version": np.array(EVIDENCE_VERSION),
            "valid_log_loss": np.array(self.valid_log_loss),
            **{name: getattr(self, name) for name in _EVIDENCE_ARRAYS},
            **{f"stratum:{name}": counts for name, counts in self.strata.items()},
        }
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Evidence:
        """Read what `to_bytes` wrote.

        Raises
        ------
        StoreError
            A newer version of the toolkit wrote it.
        """
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            version = int(archive["version"])
            if version > EVIDENCE_VERSION:
                raise StoreError(
                    f"the evidence has format {version}, this version reads up to {EVIDENCE_VERSION}; "
                    "install the newer version"
                )
            strata = {
                key.removeprefix("stratum:"): archive[key]
                for key in archive.files
                if key.startswith("stratum:")
            }
            arrays = {name: archive[name] for name in _EVIDENCE_ARRAYS}
            for name in ("valid_positives", "valid_negatives"):
                arrays[name] = np.atleast_2d(arrays[name])
            return cls(**arrays, valid_log_loss=float(archive["valid_log_loss"]), strata=strata)

    @classmethod
    def read(cls, path: Path) -> Evidence:
        """Read an ``evidence.npz`` file."""
        return cls.from_bytes(path.read_bytes())


_EVIDENCE_ARRAYS = (
    "cluster",
    "bin",
    "positives",
    "negatives",
    "cluster_rows",
    "cluster_log_loss",
    "cluster_brier",
    "valid_positives",
    "valid_negatives",
)
