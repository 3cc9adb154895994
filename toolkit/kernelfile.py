"""Files that the kernel writes anew at every reading (``/proc``, ``/sys``), kept open between readings.

Imports nothing heavy: the fork server needs it before it loads libraries.
"""

from __future__ import annotations

import os

__all__ = ["KernelFile"]


class KernelFile:
    """A file that is opened at its first use and stays open.

    After work that has cooled the caches opening one takes .1 ms and more, reading one that is open .01-.02.
    Meters read seven before a phase and seven after it: opening them was the half of what metering added
    (`benchmarks/metering_overhead.py`).

    A forked process opens the file anew, since those below ``/proc/self`` show the process that opened them;
    so does one whose work has closed the descriptor, whose number may be another file's since.

    Parameters
    ----------
    path : str
    flags : int
        Of `os.open`.
    """

    def __init__(self, path: str | os.PathLike[str], flags: int = os.O_RDONLY) -> None:
        self._path = os.fspath(path)
        self._flags = flags
        self._opened: tuple[int, int, tuple[int, int]] | None = None

    def read(self, most: int) -> bytes:
        """Return its text as of now.

        Parameters
        ----------
        most : int
            Bytes, at least as many as are wanted of it.

        Raises
        ------
        OSError
            If it cannot be opened or read.
        """
        return os.pread(self.descriptor(), most, 0)

    def write(self, text: bytes) -> None:
        """Write it at the beginning.

        Raises
        ------
        OSError
            If it cannot be opened or written.
        """
        os.pwrite(self.descriptor(), text, 0)

    def descriptor(self) -> int:
        """Return the number of the open file.

        Raises
        ------
        OSError
            If it cannot be opened.
        """
        process = os.getpid()
        if self._opened is not None:
            descriptor, opener, identity = self._opened
            if opener == process and _identity(descriptor) == identity:
                return descriptor
        descriptor = os.open(self._path, self._flags)
        self._opened = descriptor, process, _identity(descriptor) or (0, 0)
        return descriptor


def _identity(descriptor: int) -> tuple[int, int] | None:
    try:
        facts = os.fstat(descriptor)
    except OSError:
        return None  # closed
    return facts.st_dev, facts.st_ino
