"""Transfers over FTP and SFTP with real servers, cut or cancelled anywhere, again and again, of files that change."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
import trio
from ftp_file_server import FtpFileServer
from loopback import content_of, names_in, threads_of_others
from sftp_file_server import SftpFileServer

from ocpp16.transfer import SftpAccess, TransferError, TransferService

Server = FtpFileServer | SftpFileServer


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    made.mkdir()
    return made


@pytest.fixture(params=["ftp", "sftp"])
def server(request: pytest.FixtureRequest, root: Path) -> Iterator[Server]:
    made: Server = FtpFileServer(root) if request.param == "ftp" else SftpFileServer(root)
    with made as running:
        yield running


def service_of(server: Server) -> TransferService:
    if isinstance(server, FtpFileServer):
        return TransferService()
    return TransferService(sftp=SftpAccess(fingerprints=frozenset({server.key.fingerprint})))


class Attempts:
    """At each a cut, a cancellation, or neither."""

    def __init__(self, server: Server, seed: int) -> None:
        self.server, self.random = server, Random(seed)
        self.service = service_of(server)

    async def make(self, call: str, *arguments: object) -> bool:
        """One; was it done?"""
        end = self.random.choice(["cut", "cut", "cancel", "whole"])
        self.server.cut_after = self.random.randint(1, 900_000) if end == "cut" else None
        self.server.served = 0
        if isinstance(self.server, SftpFileServer):
            self.server.taken = 0
        until = self.random.randint(0, 900_000)
        is_done = False
        with trio.CancelScope() as scope:

            def progress(done: int, total: int | None) -> None:
                if end == "cancel" and done >= until:
                    scope.cancel()

            with suppress(TransferError):
                await getattr(self.service, call)(*arguments, progress=progress)
                is_done = True
        assert is_done or end != "whole"
        assert threads_of_others() == []
        return is_done


@pytest.mark.parametrize("seed", range(5))
async def test_a_download_is_whole_or_not_at_all(server: Server, root: Path, here: Path, seed: int) -> None:
    attempts = Attempts(server, seed)
    random = attempts.random
    content, before = put(root / "fw", random, 0), None
    for number in range(1, 8):
        if random.random() < 0.3:
            content = put(root / "fw", random, number)
        is_done = await attempts.make("download", server.url("fw"), here / "fw")
        now = content_of(here / "fw") if "fw" in names_in(here) else None
        assert now == (content if is_done else before)
        assert set(names_in(here)) <= {"fw", *([] if is_done else [".fw.part", ".fw.part.json"])}
        before = now


def put(path: Path, random: Random, number: int) -> bytes:
    """A version of its own time."""
    content = random.randbytes(random.choice([0, 1, 400_000, 900_000]))
    path.write_bytes(content)
    os.utime(path, (1_000_000_000 + number, 1_000_000_000 + number))
    return content


# What FTP appends goes behind what is still on its way of an earlier attempt: there it depends on the machine's pace.
@pytest.mark.parametrize("server", ["sftp"], indirect=True)
@pytest.mark.parametrize("seed", range(5))
async def test_an_upload_goes_on_with_what_is_there(server: Server, root: Path, here: Path, seed: int) -> None:
    attempts = Attempts(server, seed)
    content = put(here / "log", attempts.random, 0)
    for _ in range(6):
        if await attempts.make("upload", here / "log", server.url("log")):
            assert content_of(root / "log") == content
            (root / "log").unlink()
        assert set(names_in(root)) <= {"log"}
        assert names_in(here) == ["log"]
