"""The database file of the results: made in one step, checked before use, movable, locked.

Nothing here imports MLflow; what its SQLite file looks like is known from version 3.17.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from toolkit.errors import StoreError

__all__ = ["DATABASE", "Lock", "check", "create", "link_above", "make_portable", "told"]

DATABASE = "mlflow.db"
LOCATIONS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
)
DAMAGED = (
    "the database is damaged or is no MLflow database; restore a copy, or move the file away and run again"
)
FULL = "the disk is full; free some space and run again, what is finished is kept"
REMEDIES = {
    "disk is full": FULL,
    "no space left": FULL,
    "disk i/o error": "the disk cannot be read or written (is it full or failing?)",
    "readonly database": "the database cannot be written; give yourself write permission",
    "unable to open database": "the database cannot be opened; give yourself read and write permission",
    "permission denied": "no permission; give yourself write permission or use another folder",
    "not permitted": "no permission; give yourself write permission or use another folder",
    "read-only file system": "the file system is read-only; use another folder",
    "no such file or directory": "the folder cannot be made here; use another one",
    "file exists": "there is a file where a folder must be; move it away or use another folder",
    "not a directory": "there is a file where a folder must be; move it away or use another folder",
    "database is locked": "another program has held the database for 20 seconds; close it and run again",
    "malformed": DAMAGED,
    "not a database": DAMAGED,
    "no such table": DAMAGED,
    "out-of-date database schema": "the database was made by an older MLflow; copy it as a backup, then run: "
    "mlflow db upgrade sqlite:///{place}",
}
"""Part of a message of the system, SQLite or MLflow -> what to do."""


@contextlib.contextmanager
def told(doing: str, place: Path) -> Iterator[None]:
    """Turn the obstacles that a user can remove into a `StoreError`; anything else is a bug.

    Parameters
    ----------
    doing : str
        What was being done, e.g. ``"logging neural rung 3 seed 1"``.
    place : Path
        The database.
    """
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        message = str(error).lower()
        remedy = next((text for sign, text in REMEDIES.items() if sign in message), None)
        if remedy is None:
            raise
        raise StoreError(f"{doing}: {remedy.format(place=place)}", where=str(place)) from error


def create(database: Path, initialise: Callable[[Path], object]) -> None:
    """Make a new database under a name of its own, then give it its name in one step.

    So a crash leaves no half-made database, and of several processes that start at once each
    finds a whole one.

    Parameters
    ----------
    database : Path
        Must not exist; its folder is made.
    initialise : callable
        Makes an MLflow database at a path and leaves it closed.

    Raises
    ------
    StoreError
        Results of MLflow's old file store lie in the folder.
    """
    root = database.parent
    old = [path.parent for path in root.glob("*/meta.yaml") if path.parent.name.isdigit()]
    if old:
        raise StoreError(
            "here lie results of MLflow's old file store, which MLflow no longer reads; bring them over: "
            f"mlflow migrate-filestore --source {root} --target sqlite:///{database}, "
            f"or move {old[0].name}/ away",
            where=str(root),
        )
    root.mkdir(parents=True, exist_ok=True)
    draft = root / f".{DATABASE}.{os.getpid()}.{time.monotonic_ns()}"
    try:
        draft.touch()  # fails at once where MLflow would try for minutes
        initialise(draft)
        with contextlib.suppress(FileExistsError):
            os.link(draft, database)
    finally:
        for path in root.glob(f"{draft.name}*"):
            path.unlink(missing_ok=True)


def check(database: Path) -> None:
    """Refuse a database that MLflow would fail on with ten retries and a traceback.

    Raises
    ------
    StoreError
        It is damaged, or was made by a newer MLflow.
    """
    with contextlib.closing(sqlite3.connect(database, timeout=20)) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    found = importlib.util.find_spec("mlflow")
    if row is None or found is None or found.origin is None:
        raise StoreError(DAMAGED, where=str(database))
    versions = Path(found.origin).parent / "store" / "db_migrations" / "versions"
    if not any(versions.glob(f"{row[0]}_*.py")):
        raise StoreError(
            f"the database was made by a newer MLflow (schema {row[0]}); "
            "install that version, or use another folder",
            where=str(database),
        )


def make_portable(root: Path) -> None:
    """Store the paths of artifacts relative to the folder above `root`, so that it can be moved.

    MLflow makes every path absolute when it stores it, and reads relative ones from the working
    directory. Relative ones that name another folder belong to this one under the name it had before it
    was renamed or copied. Absolute paths that point elsewhere are left alone.

    Parameters
    ----------
    root : Path
        The absolute path of the results.
    """
    marker = "/artifacts/"
    with contextlib.closing(sqlite3.connect(root / DATABASE, timeout=20)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        for table, column in LOCATIONS:
            if table not in tables:
                continue  # made by an older MLflow, which is told when it is opened
            rows = connection.execute(
                f"SELECT DISTINCT {column} FROM {table} "  # noqa: S608 (names of this file)
                f"WHERE instr({column}, ?) > 0",
                (marker,),
            ).fetchall()
            for (location,) in rows:
                folder, _, below = location.rpartition(marker)
                if folder == root.name:
                    continue
                is_renamed = "/" not in folder
                is_moved = folder.endswith(f"/{root.name}") and (root / "artifacts" / below).exists()
                if is_renamed or is_moved or location.startswith(f"{root}/"):
                    connection.execute(
                        f"UPDATE {table} SET {column} = ? WHERE {column} = ?",  # noqa: S608
                        (f"{root.name}/artifacts/{below}", location),
                    )
        connection.commit()


def link_above(root: Path) -> None:
    """Link ``mlflow.db`` above `root`, so that a plain ``mlflow ui`` finds the results.

    Only above a folder named ``mlruns``, and never over anything that is there.
    """
    link = root.parent / DATABASE
    if root.name == "mlruns" and not link.is_symlink() and not link.exists():
        with contextlib.suppress(OSError):
            link.symlink_to(Path(root.name) / DATABASE)


class Lock:
    """One sweep on one experiment at a time; let go by `release` or by the end of the process.

    Parameters
    ----------
    root : Path
    experiment : str

    Raises
    ------
    StoreError
        Another sweep holds it; the message says which.
    """

    def __init__(self, root: Path, experiment: str) -> None:
        path = root / f".{experiment}.lock"
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._descriptor, 1000, 0).decode(errors="replace") or "another process"
            os.close(self._descriptor)
            raise StoreError(
                f"another sweep on the experiment '{experiment}' is running ({holder}); "
                "wait for it or stop it first",
                where=str(path),
            ) from error
        text = f"process {os.getpid()} on {os.uname().nodename} since {time.strftime('%Y-%m-%d %H:%M:%S')}"
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode(), 0)

    def release(self) -> None:
        """Let go; the lock file stays, for removing it could hand out the lock twice."""
        os.close(self._descriptor)
