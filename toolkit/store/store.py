"""`Store`: what a sweep writes and a report reads.

``mlruns/mlflow.db`` (SQLite) holds runs, ``mlruns/artifacts/<experiment>/`` their files. An
experiment has one run a track and one *report run* at top level; cells are nested below their
track. Cells are written once; track and report runs are made anew from the cells by `Store.finish`.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from toolkit.analysis.boards.notes import note
from toolkit.analysis.boards.report import report_board
from toolkit.analysis.boards.tracks import cell_board, track_board, tracks
from toolkit.analysis.boards.values import Board
from toolkit.analysis.boards.views import views
from toolkit.analysis.results import Results
from toolkit.records import REPEAT_MARK, CellRecord, Evidence, cell_name
from toolkit.store.database import DATABASE, Lock, check, create, link_above, make_portable, told
from toolkit.store.files import MODEL, read_evidence, read_record, write_cell
from toolkit.store.front import mark_front
from toolkit.store.links import links, shown
from toolkit.store.models import Deployed
from toolkit.store.runs import Kind, Runs, connect, now_ms
from toolkit.store.views import write_views

__all__ = ["Store"]

RUN_STATUS = {
    "finished": "FINISHED",
    "not_applicable": "FINISHED",
    "failed": "FAILED",
    "killed": "KILLED",
    "timeout": "KILLED",
    "lost": "KILLED",
}


class Store:
    """Reads and writes the results below one folder. Made by `open`; best used in a ``with``.

    Parameters
    ----------
    runs : Runs
        MLflow on the folder's database.
    """

    def __init__(self, runs: Runs) -> None:
        self.root = runs.root
        self._runs = runs
        self._locks: dict[str, Lock] = {}
        self._tracks: dict[tuple[str, str], str] = {}
        self._tags: dict[str, str] = {}

    @classmethod
    def open(cls, root: Path) -> Self:
        """Open the store; folder and database are made first where there are none.

        Parameters
        ----------
        root : Path
            The folder of the results, usually ``mlruns``. Artifact paths are stored relative to the
            folder above it, so that the whole can be moved.

        Raises
        ------
        StoreError
            The folder cannot be written, or the database is damaged or of another MLflow version,
            or results of MLflow's old file store lie in the folder.
        """
        root = Path(root).resolve()
        with told("opening the results", root / DATABASE):
            if not (root / DATABASE).exists():
                create(root / DATABASE, connect)
            check(root / DATABASE)
            make_portable(root)
            return cls(Runs(root))

    def close(self, *, killed: bool = False) -> None:
        """Let go of all locks.

        Parameters
        ----------
        killed : bool
            The sweep was stopped: its open runs are marked as killed.
        """
        try:
            # What goes wrong here must not hide what ended the sweep; `begin` marks what is left.
            with contextlib.suppress(Exception):
                for experiment in self._locks if killed else ():
                    identifier = self._runs.find(experiment)
                    if identifier is not None:
                        self._runs.end_orphans(identifier, ("cell", "track", "report"))
        finally:
            for lock in self._locks.values():
                lock.release()
            self._locks.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(killed=kind is not None)

    def begin(
        self,
        experiment: str,
        *,
        tracks: Sequence[str] = (),
        description: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Begin or resume a sweep: lock the experiment, mark what a crash left, open the track runs.

        Parameters
        ----------
        experiment : str
            Name of the experiment.
        tracks : sequence of str
            In the order in which the UI shall list them.
        description : str
            Shown on the experiment's page until there is a verdict.
        tags : mapping of str to str, optional
            Set on track and report runs, e.g. the commit.

        Raises
        ------
        StoreError
            Another sweep on the same experiment is running, or the store cannot be written.
        """
        with self._told(f"beginning the sweep '{experiment}'"):
            if experiment not in self._locks:
                self._locks[experiment] = Lock(self.root, experiment)
            link_above(self.root)
            self._tags = {key: str(value) for key, value in (tags or {}).items()}
            identifier = self._runs.find_or_make(experiment, description)
            self._runs.end_orphans(identifier, ("cell", "report"))
            now = now_ms()
            for place, track in enumerate(tracks):
                self._track_run(experiment, identifier, track, now - place)

    def finished(self, experiment: str) -> dict[str, CellRecord]:
        """Return the latest record of each fingerprint that is settled: finished or not applicable."""
        return {record.fingerprint: record for record, _ in self._cells(experiment, "FINISHED")}

    def read(
        self, experiment: str, fingerprints: Iterable[str] | None = None, *, evidence: bool = True
    ) -> list[tuple[CellRecord, Evidence | None]]:
        """Return one record a fingerprint: the latest finished one, else the latest.

        Parameters
        ----------
        experiment : str
        fingerprints : iterable of str, optional
            Only these cells, with their repeats; by default every cell ever logged.
        evidence : bool
            False reads records only.

        Returns
        -------
        list of (CellRecord, Evidence or None)
            Sorted by track, rung, seed and repeat.
        """
        chosen = self.folders(experiment, fingerprints)
        return [(record, read_evidence(folder) if evidence else None) for record, folder in chosen]

    def folders(
        self, experiment: str, fingerprints: Iterable[str] | None = None
    ) -> list[tuple[CellRecord, Path]]:
        """Return one record a fingerprint, as `read` does, with the folder of the cell's files."""
        wanted = None if fingerprints is None else set(fingerprints)
        best: dict[str, tuple[CellRecord, Path]] = {}
        for record, folder in self._cells(experiment):
            if wanted is not None and record.fingerprint.partition(REPEAT_MARK)[0] not in wanted:
                continue
            before = best.get(record.fingerprint)
            if before is None or record.status == "finished" or before[0].status != "finished":
                best[record.fingerprint] = record, folder
        return sorted(best.values(), key=lambda cell: _place(cell[0]))

    def log_cell(self, record: CellRecord, evidence: bytes | None, *, model: Path | None = None) -> str:
        """Log one cell under its track's run; its status is written last.

        Parameters
        ----------
        record : CellRecord
        evidence : bytes or None
            What ``Evidence.to_bytes`` returned.
        model : Path, optional
            The folder of the fitted track, which is copied.

        Returns
        -------
        str
            Identifier of the MLflow run.
        """
        name = cell_name(record.track, record.rung, record.seed, record.repeat)
        board = cell_board(record)
        with self._told(f"logging {name}"):
            identifier = self._runs.find_or_make(record.experiment)
            parent = self._track_run(record.experiment, identifier, record.track, now_ms())
            tags = {**board.tags, "mlflow.parentRunId": parent}
            run = self._runs.create(identifier, "cell", name, round(record.started_at * 1000), tags)
            write_cell(self._runs.folder(run), record, evidence, model)
            self._runs.log(run, board)
            self._runs.end(run, RUN_STATUS[record.status], round(record.ended_at * 1000))
        return str(run.info.run_id)

    def model(self, experiment: str, fingerprint: str) -> Path | None:
        """Return the folder of the fitted track that a finished cell has left; None where there is none."""
        with self._told(f"reading '{experiment}'"):
            identifier = self._runs.find(experiment)
            found = [] if identifier is None else self._runs.search(identifier, "cell", status="FINISHED")
        folders = (
            self._runs.folder(run) / MODEL for run in found if run.data.tags.get("fingerprint") == fingerprint
        )
        return next((folder for folder in folders if folder.is_dir()), None)

    def finish(
        self,
        results: Results,
        *,
        report_html: Path,
        results_json: Path,
        report_md: Path | None = None,
        figures: Sequence[Path] = (),
    ) -> None:
        """Make track runs and the report run anew from the results; write the verdict on the page.

        MLflow cannot take a metric back, so runs whose figures have changed are replaced: cells are
        hung below the new track runs, and the old runs are deleted (they stay in MLflow's bin until
        ``mlflow gc``). With the same figures only the files are renewed. The model of each track's deployed
        rung becomes an MLflow model under its run, at ``models/<experiment>/<track>/artifacts``.

        Parameters
        ----------
        results : Results
            Summaries, verdict, knowledge and environment may be missing.
        report_html, results_json, report_md : Path
            Copied into the report run as ``report.html``, ``results.json`` and, if given, ``report.md``.
        figures : sequence of Path
            Copied into its folder ``figures``, in place of what was there.
        """
        experiment = str(results.experiment["experiment"])
        boards = {"report": report_board(results)}
        boards |= {f"track {name}": track_board(results, name) for name in tracks(results)}
        # The environment is left out: it holds the time, and no figure.
        numbers = {title: (board.points, board.tags) for title, board in boards.items()}
        digest = hashlib.sha256(repr(numbers).encode()).hexdigest()[:16]
        with self._told(f"finishing the sweep '{experiment}'"):
            identifier = self._runs.find_or_make(experiment)
            reports = self._runs.search(identifier, "report")
            if reports and reports[0].data.tags.get("digest") == digest:
                # `begin` may have opened runs for tracks that no cell came for.
                for run in self._runs.search(identifier, "track", status="RUNNING"):
                    self._runs.delete(run)
                self._tracks.clear()
            else:
                self._replace(identifier, results, boards, digest)
            self._renew_models(experiment, identifier, results)
            report = self._runs.search(identifier, "report")[0]
            folder = self._runs.folder(report)
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(report_html, folder / "report.html")
            shutil.copyfile(results_json, folder / "results.json")
            if report_md is not None:
                shutil.copyfile(report_md, folder / "report.md")
            shutil.rmtree(folder / "figures", ignore_errors=True)
            for path in figures:
                (folder / "figures").mkdir(exist_ok=True)
                shutil.copyfile(path, folder / "figures" / path.name)
            # Its length in time would be that of writing files.
            self._runs.end(report, "FINISHED", report.info.start_time)
            mark_front(self._runs, identifier, results)
            write_views(self._runs, identifier, views(results))
            found = links(self._runs, identifier, "")
            self._runs.set_note(identifier, note(results, shown(found)))

    def links(self, experiment: str, *, base: str = "http://127.0.0.1:5000/") -> dict[str, str]:
        """Return deep links into the UI.

        Parameters
        ----------
        experiment : str
        base : str
            Address of the UI; empty for links on its own pages.

        Returns
        -------
        dict of str to str
            The names of `toolkit.store.links.SHOWS` whose page there is, and ``track <name>`` -> address;
            empty when there is no such experiment.
        """
        identifier = self._runs.find(experiment)
        return {} if identifier is None else links(self._runs, identifier, base)

    def experiments(self) -> list[str]:
        """Return the names of all experiments of this toolkit in the store, the latest first."""
        return self._runs.experiments()

    def _told(self, doing: str) -> contextlib.AbstractContextManager[None]:
        return told(doing, self.root / DATABASE)

    def _cells(self, experiment: str, status: str | None = None) -> list[tuple[CellRecord, Path]]:
        """Return every readable cell with its folder, in the order in which they ended."""
        with self._told(f"reading '{experiment}'"):
            identifier = self._runs.find(experiment)
            found = [] if identifier is None else self._runs.search(identifier, "cell", status=status)
            folders = [
                self._runs.folder(run) for run in sorted(found, key=lambda run: run.info.end_time or 0)
            ]
            records = [(read_record(folder), folder) for folder in folders]
        return [(record, folder) for record, folder in records if record is not None]

    def _track_run(self, experiment: str, identifier: str, track: str, start_ms: int) -> str:
        """Return the track's run, made when there is none; the UI lists later starts first."""
        key = experiment, track
        if key not in self._tracks:
            run = self._runs.tracks(identifier).get(track)
            if run is None:
                run = self._runs.create(identifier, "track", track, start_ms, {"track": track, **self._tags})
            self._tracks[key] = run.info.run_id
        return self._tracks[key]

    def _renew_models(self, experiment: str, identifier: str, results: Results) -> None:
        """Log the models of the rungs that enter the verdict; say on each track's run where it is from."""
        rungs = {one.track: one.rung for one in results.verdict.tracks}
        current = {cell.fingerprint for cell in results.cells}
        cells: dict[str, Deployed] = {}
        # the latest comes last, and stays
        for run in reversed(self._runs.search(identifier, "cell", status="FINISHED")):
            folder = self._runs.folder(run)
            if run.data.tags.get("fingerprint") not in current or not (folder / MODEL).is_dir():
                continue
            record = read_record(folder)
            if record is not None and record.rung == rungs.get(record.track):
                facts = record.model_dump(include={"track", "rung", "seed", "n_train", "fingerprint"})
                scores = {name: value for name, value in record.scores.items() if value is not None}
                cells[record.track] = Deployed(**facts, folder=folder / MODEL, scores=scores)
        runs = self._runs.tracks(identifier)
        for track, run in runs.items():
            cell = cells.get(track)
            source = "none was kept" if cell is None else f"rung {cell.rung}, seed {cell.seed}"
            self._runs.tag(run, "model", source)
        wanted = {run.info.run_id: cells[track] for track, run in runs.items() if track in cells}
        self._runs.models.renew(experiment, identifier, wanted)

    def _replace(self, identifier: str, results: Results, boards: Mapping[str, Board], digest: str) -> None:
        """Make a new report run, still open, and new track runs; delete the old ones."""
        kinds: tuple[Kind, ...] = ("track", "report")
        old = [run for kind in kinds for run in self._runs.search(identifier, kind)]
        cells = self._runs.search(identifier, "cell")
        version = str(results.task.get("data_version") or "")
        now = now_ms()
        for place, (title, board) in enumerate(boards.items()):
            track = title.partition(" ")[2]
            tags = {**self._tags, **board.tags, "digest": digest}
            run = self._runs.create(
                identifier, "track" if track else "report", track or "report", now - place, tags
            )
            self._runs.log(run, board)
            if version:
                name = str(results.task.get("name", "data"))
                about, facts = str(results.task.get("title", "")), results.task.get("facts")
                self._runs.log_data(run, name=name, version=version, title=about, facts=facts)
            for cell in cells:
                if track and cell.data.tags.get("track") == track:
                    self._runs.tag(cell, "mlflow.parentRunId", run.info.run_id)
            if track:
                self._runs.end(run, "FINISHED", run.info.start_time)
        for run in old:
            self._runs.delete(run)
        self._tracks.clear()


def _place(record: CellRecord) -> tuple[str, int, int, int]:
    return record.track, record.rung, record.seed, record.repeat
