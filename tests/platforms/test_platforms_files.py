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


def test_an_older_c_library_is_done_without(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_fstat", None)
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    assert files.read(str(path)) == b"abc" and files.stat(str(path))[1] == 3


@pytest.mark.parametrize("function", [files.read, files.stat])
def test_what_is_not_there_is_an_error(tmp_path, function):
    with pytest.raises(FileNotFoundError, match="missing"):
        function(str(tmp_path / "missing"))


def test_no_descriptor_is_left_open(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    before = os.listdir("/proc/self/fd")
    for _ in range(50):
        files.read(str(path)), files.stat(str(path))
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_a_directory_is_an_error(tmp_path):
    with pytest.raises(IsADirectoryError):
        files.read(str(tmp_path))
