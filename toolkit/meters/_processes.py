"""The processes that a process has started, and what they have used (Linux).

Imports nothing heavy: the fork server needs it before it loads libraries.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator

__all__ = ["children_of", "descendants", "inherit_orphans", "inherits_orphans"]

_PR_SET_CHILD_SUBREAPER = 36
_PR_GET_CHILD_SUBREAPER = 37

_PPID, _UTIME, _CSTIME = 1, 11, 14
"""Fields of ``/proc/<pid>/stat`` behind the name, from 0; user, system, and both of ended children."""


def inherit_orphans() -> bool:
    """Make this process the parent of orphans among its descendants; False where that cannot be.

    A process that forks twice and lets the middle one end is a child of the system's first process
    otherwise, and lost to its originator (``PR_SET_CHILD_SUBREAPER``; children do not inherit it).
    """
    if sys.platform != "linux":
        return False
    try:
        return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False


def inherits_orphans() -> bool:
    """Tell whether orphans among the descendants of this process become its children."""
    if sys.platform != "linux":
        return False
    found = ctypes.c_int(0)
    try:
        failed = ctypes.CDLL(None).prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(found), 0, 0, 0)
    except (OSError, AttributeError):
        return False
    return failed == 0 and bool(found.value)


def children_of(process: int) -> list[int] | None:
    """Return the children of a process, zombies included; None where the system does not tell.

    Parameters
    ----------
    process : int
        Its number.
    """
    try:
        children: list[int] = []
        for thread in os.listdir(f"/proc/{process}/task"):  # noqa: PTH208 (quicker)
            children += map(int, _read(f"/proc/{process}/task/{thread}/children").split())
    except (FileNotFoundError, ProcessLookupError):
        # It has ended, or the kernel was built without this file.
        return _children_by_search(process)
    except (OSError, ValueError):
        return None
    return children


def descendants(process: int) -> dict[int, float] | None:
    """Return what each descendant of a process has used, ended but unreaped ones included.

    Parameters
    ----------
    process : int
        Its number.

    Returns
    -------
    dict of int to float or None
        Process number -> CPU-seconds of itself and of the children it has waited for, in whole clock
        ticks of user and of system time, so up to 0.02 s too little; None where the system does not tell.
    """
    found: dict[int, float] = {}
    to_do = [process]
    while to_do:
        children = children_of(to_do.pop())
        if children is None:
            return None
        for child in children:
            fields = _stat(child)
            if fields is not None and child not in found:
                ticks = sum(int(count) for count in fields[_UTIME : _CSTIME + 1])
                found[child] = ticks / os.sysconf("SC_CLK_TCK")
                to_do.append(child)
    return found


def _children_by_search(process: int) -> list[int] | None:
    numbers = list(_all_processes())
    if not numbers:
        return None
    stats = ((number, _stat(number)) for number in numbers)
    return [number for number, fields in stats if fields is not None and int(fields[_PPID]) == process]


def _all_processes() -> Iterator[int]:
    try:
        names = os.listdir("/proc")  # noqa: PTH208 (quicker)
    except OSError:
        return
    yield from (int(name) for name in names if name.isdigit())


def _stat(process: int) -> list[bytes] | None:
    """Return the fields behind the name, which may hold blanks and brackets; None when it has gone."""
    try:
        fields = _read(f"/proc/{process}/stat").rpartition(b")")[2].split()
    except OSError:
        return None
    return fields if len(fields) > _CSTIME else None


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 (a third of the time of pathlib's)
        return file.read()
