"""Peak memory of a phase, from the high-water mark that the kernel keeps."""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from toolkit.kernelfile import KernelFile
from toolkit.meters.base import Meter

__all__ = ["Memory", "Resident", "find_release", "read_resident", "reset_high_water_mark"]

_STATUS = KernelFile("/proc/self/status")
_CLEAR_REFS = KernelFile("/proc/self/clear_refs", os.O_WRONLY)
_KEPT_BYTES = 1 << 20
"""Freed memory that stays at the top of the heap: a phase that had to fetch this back, too, took 0.3 ms more
CPU time for having been metered."""

_SIZES = (b"\nVmRSS:", b"\nVmHWM:", b"\nRssFile:")


@dataclass(frozen=True)
class Resident:
    """Memory of this process that stands in RAM.

    Parameters
    ----------
    now_bytes : int
        All of it (``VmRSS``).
    peak_bytes : int
        The most there was (``VmHWM``).
    file_bytes : int
        The part that maps files, mostly code of libraries (``RssFile``).
    """

    now_bytes: int
    peak_bytes: int
    file_bytes: int


def read_resident() -> Resident | None:
    """Read ``/proc/self/status``; None where there is none.

    ``ru_maxrss`` will not do: a child inherits the figure of its parent.
    """
    try:
        text = _STATUS.read(4096)
        sizes = [_size(text, name) for name in _SIZES]
    except (OSError, ValueError):
        return None
    return Resident(*sizes)


def _size(text: bytes, name: bytes) -> int:
    at = text.index(name) + len(name)
    return int(text[at : text.index(b"kB", at)]) * 1024


def reset_high_water_mark() -> bool:
    """Set the high-water mark to the present size; False where that is not allowed.

    Writing 5 to ``/proc/self/clear_refs`` does it (Linux, Documentation/filesystems/proc).
    """
    try:
        _CLEAR_REFS.write(b"5")
    except OSError:
        return False
    return True


def find_release() -> Callable[[], None]:
    """Return what gives memory that the process has freed but kept back to the system.

    It is glibc's ``malloc_trim``. Without it a phase that reuses the leavings of an earlier one seems to
    need nothing; up to 1 MiB still does. Where the C library has no such function, nothing happens.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return lambda: None
    return functools.partial(trim, _KEPT_BYTES)


@dataclass
class Memory(Meter):
    """Peak memory around a phase.

    Quantities:

    ``peak_bytes``
        The peak during the phase, less what the process held when this meter was made (after a
        fork: the libraries its parent had loaded) and less pages of files, which are code that
        all processes share. It includes the data that earlier phases loaded.
    ``growth_bytes``
        The peak during the phase, less what the process held when the phase began; up to 1 MiB too little.

    Both are None where the kernel does not tell, or where an earlier peak hides this one.

    Parameters
    ----------
    resident : callable
        Sizes of the process, or None.
    reset : callable
        Resets the high-water mark and tells whether it could.
    release : callable
        Gives freed memory back before a phase begins; by default found when the meter is made.
    """

    order: ClassVar[int] = 0

    resident: Callable[[], Resident | None] = read_resident
    reset: Callable[[], bool] = reset_high_water_mark
    release: Callable[[], None] = field(default_factory=find_release)
    _made: Resident | None = field(default=None, init=False, repr=False)
    _begun: Resident | None = field(default=None, init=False, repr=False)
    _was_reset: bool = field(default=False, init=False, repr=False)

    def __post_init__(self) -> None:
        self._made = self.resident()

    def start(self) -> None:
        """Give freed memory back, reset the high-water mark and read the sizes."""
        self.release()
        self._was_reset = self.reset()
        self._begun = self.resident()

    def stop(self) -> dict[str, float | None]:
        """Read the sizes and return the peaks."""
        ended = self.resident()
        made, begun = self._made, self._begun
        if ended is None or made is None or begun is None:
            return {"peak_bytes": None, "growth_bytes": None}
        if not self._was_reset and ended.peak_bytes <= begun.peak_bytes:
            return {"peak_bytes": None, "growth_bytes": None}
        own = made.now_bytes - made.file_bytes
        new_files = ended.file_bytes - begun.file_bytes
        return {
            "peak_bytes": float(max(0, ended.peak_bytes - ended.file_bytes - own)),
            "growth_bytes": float(max(0, ended.peak_bytes - begun.now_bytes - max(0, new_files))),
        }
