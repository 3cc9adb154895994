import os
import sys

import pytest

from toolkit.kernelfile import KernelFile


def test_what_is_read_is_as_of_now_and_from_the_beginning(tmp_path):
    file = KernelFile(tmp_path / "file")
    (tmp_path / "file").write_bytes(b"first")
    assert file.read(100) == b"first"
    (tmp_path / "file").write_bytes(b"second")
    assert file.read(100) == b"second"
    assert file.read(3) == b"sec"


def test_a_file_is_opened_once(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    file = KernelFile(tmp_path / "file")
    assert file.descriptor() == file.descriptor()


def test_what_is_written_stands_at_the_beginning(tmp_path):
    (tmp_path / "file").write_bytes(b"....")
    file = KernelFile(tmp_path / "file", os.O_WRONLY)
    file.write(b"5")
    file.write(b"6")
    assert (tmp_path / "file").read_bytes() == b"6..."


def test_a_file_that_is_missing_at_first_is_opened_when_it_is_there(tmp_path):
    file = KernelFile(tmp_path / "file")
    with pytest.raises(FileNotFoundError):
        file.read(1)
    (tmp_path / "file").write_bytes(b"now")
    assert file.read(100) == b"now"


@pytest.mark.skipif(
    sys.platform != "linux", reason="reads the /proc of a Linux kernel; elsewhere these figures are None"
)
def test_a_forked_process_reads_its_own():
    file = KernelFile("/proc/self/stat")
    assert int(file.read(100).split()[0]) == os.getpid()
    child = os.fork()
    if child == 0:
        os._exit(0 if int(file.read(100).split()[0]) == os.getpid() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_work_that_closes_what_is_not_its_own_changes_nothing(tmp_path):
    (tmp_path / "file").write_bytes(b"....")
    kernel = KernelFile(tmp_path / "file", os.O_RDWR)
    closed = kernel.descriptor()
    os.close(closed)
    theirs = os.open(tmp_path / "theirs", os.O_RDWR | os.O_CREAT)
    assert theirs == closed
    os.write(theirs, b"data")
    kernel.write(b"5")
    assert kernel.read(100) == b"5..."
    assert (tmp_path / "theirs").read_bytes() == b"data"
    os.close(theirs)
    os.close(kernel.descriptor())
    assert kernel.read(100) == b"5..."
