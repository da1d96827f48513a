"""A process that is killed while it fetches a file: the next one goes on, and no half file takes the target's place."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from ftp_file_server import FtpFileServer
from http_file_server import HttpFileServer
from loopback import content_of, names_in
from sftp_file_server import SftpFileServer

from ocpp16.transfer.part_file import SYNC_INTERVAL

pytestmark = pytest.mark.world

SIZE = 3 * SYNC_INTERVAL
STOP = 2 * SYNC_INTERVAL + 500_000

PROGRAM = """
import os, sys, trio
from pathlib import Path
from ocpp16.transfer import SftpAccess, TransferService

async def main():
    access = SftpAccess(accept_unknown_host_keys=True, known_hosts=Path(os.devnull))
    done = await TransferService(sftp=access).download(sys.argv[1], sys.argv[2])
    print(done.resumed_at)

trio.run(main)
"""


def program(url: str, target: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", PROGRAM, url, str(target)], stdout=subprocess.PIPE, text=True)


def has_vouched_for(record: Path, count: int) -> bool:
    try:
        return bool(json.loads(record.read_bytes())["held"] >= count)
    except (FileNotFoundError, ValueError):
        return False


@pytest.mark.parametrize("scheme", ["http", "ftp", "sftp"])
def test_it_goes_on_where_the_disk_ends(tmp_path: Path, content: Callable[[int], bytes], scheme: str) -> None:
    root, here = tmp_path / "root", tmp_path / "here"
    root.mkdir()
    here.mkdir()
    data = content(SIZE)
    (root / "fw").write_bytes(data)
    (here / "fw").write_bytes(b"old")
    server: Any
    with ExitStack() as stack:
        if scheme == "http":
            server = HttpFileServer()
            server.files["/fw"] = data
            url = server.base + "/fw"
        elif scheme == "ftp":
            server = FtpFileServer(root)
            url = server.url("fw")
        else:
            server = SftpFileServer(root)
            url = server.url("fw")
        stack.enter_context(server)
        server.stop_at = STOP
        with program(url, here / "fw") as first:
            has_stopped = server.is_reached.is_set if scheme == "sftp" else lambda: server.served >= STOP
            while not (has_stopped() and has_vouched_for(here / ".fw.part.json", 2 * SYNC_INTERVAL)):
                assert first.poll() is None
                time.sleep(0.01)
            first.kill()
        assert content_of(here / "fw") == b"old"
        held = json.loads(content_of(here / ".fw.part.json"))["held"]
        assert 2 * SYNC_INTERVAL <= held <= STOP
        server.stop_at, served = None, server.served
        with program(url, here / "fw") as second:
            assert second.stdout is not None
            assert second.stdout.read() == f"{held}\n"
        assert second.returncode == 0
    assert content_of(here / "fw") == data
    assert names_in(here) == ["fw"]
    assert server.served - served == SIZE - held  # what the disk has is not served again
