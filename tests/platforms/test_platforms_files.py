"""Files are read as Python reads them, with the interpreter held."""

import os

import pytest

from platforms import files


@pytest.mark.parametrize("content", [b"", b"x", b"\0" * 4096, os.urandom(100_003)])
def test_bytes_size_and_time_are_those_of_the_file(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    os.utime(path, (1, 1_700_000_000))
    assert files.read(str(path)) == content
    assert files.stat(str(path)) == (1_700_000_000, len(content)) == (int(os.stat(path).st_mtime), os.stat(path).st_size)


@pytest.mark.parametrize("content", [b"", b"x", os.urandom(100_003)])
def test_what_is_written_is_there_at_once(tmp_path, content):
    path = tmp_path / "file"
    for before in (None, b"what was there"):
        if before:
            path.write_bytes(before)
        files.write(str(path), memoryview(content))
        assert path.read_bytes() == content
        assert os.listdir(tmp_path) == ["file"]
        assert path.stat().st_mode & 0o777 & ~0o644 == 0


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        files.write(str(tmp_path / "folder"), b"x")
    with pytest.raises(FileNotFoundError, match="missing"):
        files.write(str(tmp_path / "missing" / "file"), b"x")
    assert os.listdir(tmp_path) == ["folder"]


@pytest.mark.parametrize("function", [files.read, files.stat])
def test_what_is_not_there_is_an_error(tmp_path, function):
    with pytest.raises(FileNotFoundError, match="missing"):
        function(str(tmp_path / "missing"))


def test_no_descriptor_is_left_open(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    before = os.listdir("/proc/self/fd")
    for _ in range(50):
        files.read(str(path)), files.stat(str(path)), files.write(str(path), b"abc")
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_a_directory_is_an_error(tmp_path):
    with pytest.raises(IsADirectoryError):
        files.read(str(tmp_path))
