"""Files of a configuration that are none, or have no end: refused at once, and never waited for."""

import os
from pathlib import Path

import pytest

from ocpp16 import ConfigurationError
from ocpp16.configuration.file import read_json_object
from ocpp16.regular_file import MOST_BYTES, read_regular


@pytest.mark.timeout(10)
def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe.json", tmp_path / "link.json"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link):
        with pytest.raises(ConfigurationError, match=r"cannot be read: it is no regular file"):
            read_json_object(path)


@pytest.mark.timeout(10)
def test_a_device_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "zero.json").symlink_to("/dev/zero")
    with pytest.raises(ConfigurationError, match=r"cannot be read: it is no regular file"):
        read_json_object(tmp_path / "zero.json")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot be read: Is a directory"):
        read_json_object(tmp_path)


def test_a_file_has_a_size(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(ConfigurationError, match=r"cannot be read: it has more than 67,108,864 bytes"):
        read_json_object(path)
    path.write_bytes(b"12345")
    assert read_regular(path, 5) == b"12345"
    with pytest.raises(OSError, match="more than 4 bytes"):
        read_regular(path, 4)
