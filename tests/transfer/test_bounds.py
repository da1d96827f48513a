"""Every transfer ends: by its time, by its caller, by its size; and leaves no thread, no file and no secret behind."""

import errno
import logging
import os
import shutil
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from ftp_file_server import FtpFileServer
from http_file_server import HttpFileServer
from loopback import caught, content_of, left_beside, names_in, threads_of_others
from sftp_file_server import SftpFileServer

from ocpp16.transfer import SftpAccess, TransferError, TransferFailure, TransferService

pytestmark = pytest.mark.world

Content = Callable[[int], bytes]
service = TransferService(
    idle_timeout=60, total_timeout=3_600, sftp=SftpAccess(accept_unknown_host_keys=True, known_hosts=Path(os.devnull))
)
SCHEMES = ("http", "ftp", "sftp")


class Silence:
    """Servers that go on listening, and say no more from a point on: `at_once`, or in the middle of a file.

    `is_reached` tells that a client waits for them.
    """

    def __init__(self, scheme: str, root: Path, is_at_once: bool, content: bytes) -> None:
        self._stack = ExitStack()
        self._is_at_once = is_at_once
        (root / "fw").write_bytes(content)
        if scheme == "http":
            http = HttpFileServer()
            http.scripts["/fw"] = partial(_wait_at_once if is_at_once else _wait_in_the_middle, content)
            self._stack.enter_context(http)
            self.url = http.base.replace("//", "//u:p@") + "/fw"
            self.is_waited_for: Callable[[], bool] = lambda: bool(http.requests)
        elif scheme == "ftp":
            ftp = FtpFileServer(root)
            ftp.is_silent_at = "USER" if is_at_once else "RETR"
            self._stack.enter_context(ftp)
            self.url = ftp.url("fw")
            self.is_waited_for = lambda: any(command.startswith(str(ftp.is_silent_at)) for command in ftp.commands)
        else:
            sftp = SftpFileServer(root)
            sftp.is_silent = is_at_once
            sftp.banner = b"SSH-2.0-silent\r\n" if scheme == "ssh" else b""
            sftp.stop_at = len(content) // 2
            self._stack.enter_context(sftp)
            self.url = sftp.url("fw")
            self.is_waited_for = sftp.is_reached.is_set

    def __enter__(self) -> "Silence":
        return self

    def __exit__(self, *reason: Any) -> None:
        self._stack.close()

    async def reached(self) -> None:
        while not self.is_waited_for():
            await trio.lowlevel.checkpoint()
        await trio.testing.wait_all_tasks_blocked()


def _wait_at_once(content: bytes, handler: Any) -> None:
    handler.wait()


def _wait_in_the_middle(content: bytes, handler: Any) -> None:
    handler.say("HTTP/1.1 200 OK", f"Content-Length: {len(content)}", 'ETag: "a"')
    handler.wfile.write(content[: len(content) // 2])
    handler.wait()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "root"
    path.mkdir()
    return path


@pytest.fixture(params=[*((scheme, is_at_once) for scheme in SCHEMES for is_at_once in (True, False)), ("ssh", True)])
def silence(request: pytest.FixtureRequest, root: Path, content: Content) -> Iterator[Silence]:
    scheme, is_at_once = request.param
    with Silence(scheme, root, is_at_once, content(2_000_000)) as made:
        yield made


async def test_silence_ends_by_the_idle_timeout(silence: Silence, here: Path, still_clock: Any) -> None:
    errors: list[TransferError] = []
    moved = [0.0]

    def progress(done: int, total: int | None) -> None:
        moved.append(still_clock.current_time())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(caught, partial(service.download, silence.url, here / "fw", progress=progress), errors)
        await silence.reached()
        still_clock.advance(59)
        await trio.testing.wait_all_tasks_blocked()
        assert errors == []
        while not errors:  # what servers said before they fell silent may come only now, and the 60 seconds begin anew
            if still_clock.current_time() < moved[-1] + 124:
                still_clock.advance(2)
            await trio.testing.wait_all_tasks_blocked()
    assert errors[0].failure is TransferFailure.TIMEOUT
    assert errors[0].is_temporary
    assert "nothing moved for 60 seconds" in str(errors[0])
    assert threads_of_others() == []
    assert "fw" not in names_in(here)


async def test_silence_can_be_cancelled(silence: Silence, here: Path) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(service.download, silence.url, here / "fw")
        await silence.reached()
        nursery.cancel_scope.cancel()
    assert nursery.cancel_scope.cancelled_caught
    assert threads_of_others() == []
    assert "fw" not in names_in(here)


async def test_what_is_here_when_it_is_cancelled_is_kept(here: Path, root: Path, content: Content) -> None:
    with Silence("http", root, False, content(2_000_000)) as silence:
        told: list[int] = []
        async with trio.open_nursery() as nursery:
            progress = lambda done, total: told.append(done)  # noqa: E731
            nursery.start_soon(partial(service.download, silence.url, here / "fw", progress=progress))
            while not told or told[-1] < 1_000_000:
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
    assert left_beside(here / "fw") == [".fw.part", ".fw.part.json"]
    assert content_of(here / ".fw.part") == content(2_000_000)[:1_000_000]


async def test_all_of_it_has_a_time(here: Path, still_clock: Any) -> None:
    """One that says something every now and then would never end."""

    def drips(handler: Any) -> None:
        handler.say("HTTP/1.1 200 OK", "Content-Length: 1000000")
        while not handler.owner.is_over.is_set():
            if step.wait(0.01):
                step.clear()
                handler.wfile.write(b".")

    step = threading.Event()
    errors: list[TransferError] = []
    told: list[int] = []
    with HttpFileServer() as server:
        server.scripts["/fw"] = drips
        async with trio.open_nursery() as nursery:
            progress = lambda done, total: told.append(done)  # noqa: E731
            nursery.start_soon(
                caught, partial(service.download, server.base + "/fw", here / "fw", progress=progress), errors
            )
            for done in range(72):
                while not errors and (told[-1:] != [done]):
                    await trio.lowlevel.checkpoint()
                still_clock.advance(50)
                step.set()
            while not errors:
                await trio.lowlevel.checkpoint()
    assert str(errors[0]).endswith("not done within 3600 seconds")
    assert errors[0].failure is TransferFailure.TIMEOUT


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_an_upload_that_nobody_takes(
    scheme: str, root: Path, here: Path, content: Content, still_clock: Any
) -> None:
    (here / "log").write_bytes(content(50_000_000))
    errors: list[TransferError] = []
    with ExitStack() as stack:
        is_reached: Callable[[], bool]
        if scheme == "http":
            http = stack.enter_context(HttpFileServer())
            http.scripts["/log"] = lambda handler: handler.wait()
            url, is_reached = http.base + "/log", lambda: bool(http.requests)
        elif scheme == "ftp":
            ftp = FtpFileServer(root)
            ftp.is_silent_at = "STOR"
            stack.enter_context(ftp)
            url, is_reached = ftp.url("log"), lambda: "STOR log" in ftp.commands
        else:
            sftp = SftpFileServer(root)
            sftp.stop_at = 0
            stack.enter_context(sftp)
            url, is_reached = sftp.url("log"), sftp.is_reached.is_set
        async with trio.open_nursery() as nursery:
            nursery.start_soon(caught, partial(service.upload, here / "log", url), errors)
            while not is_reached():
                await trio.lowlevel.checkpoint()
            while not errors:
                await trio.testing.wait_all_tasks_blocked()
                still_clock.advance(10)
    assert errors[0].failure is TransferFailure.TIMEOUT
    assert threads_of_others() == []


@pytest.mark.parametrize("is_told", [True, False])
async def test_what_is_too_large_is_not_kept(here: Path, content: Content, is_told: bool) -> None:
    def endless(handler: Any) -> None:
        handler.say("HTTP/1.1 200 OK", 'ETag: "a"', *([f"Content-Length: {10**15}"] if is_told else []))
        while not handler.owner.is_over.is_set():
            handler.wfile.write(bytes(100_000))

    with HttpFileServer() as server:
        server.scripts["/fw"] = endless
        errors: list[TransferError] = []
        small = TransferService(max_bytes=1_000_000)
        await caught(partial(small.download, server.base + "/fw", here / "fw"), errors)
    assert errors[0].failure is TransferFailure.TOO_LARGE
    assert names_in(here) == []


async def test_endless_heads(here: Path) -> None:
    def interim(handler: Any) -> None:
        for _ in range(1_000):
            handler.wfile.write(b"HTTP/1.1 102 Wait\r\n\r\n")

    def header(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000)

    with HttpFileServer() as server:
        server.scripts |= {"/interim": interim, "/header": header}
        for path in server.scripts:
            errors: list[TransferError] = []
            await caught(partial(service.download, server.base + path, here / "fw"), errors)
            assert errors[0].failure is TransferFailure.PROTOCOL


async def test_a_disk_that_is_full_leaves_the_target_and_no_part(
    here: Path, content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "fw").write_bytes(b"old")
    write = os.write

    def full(number: int, data: Any) -> int:
        if written[0] > 500_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written[0] += len(data)
        return write(number, data)

    written = [0]
    with HttpFileServer() as server:
        server.files["/fw"] = content(2_000_000)
        monkeypatch.setattr(os, "write", full)
        errors: list[TransferError] = []
        await caught(partial(service.download, server.base + "/fw", here / "fw"), errors)
    assert errors[0].failure is TransferFailure.NO_SPACE
    assert not errors[0].is_temporary
    assert "No space left" in str(errors[0])
    assert content_of(here / "fw") == b"old"
    assert names_in(here) == ["fw"]


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="only root can make a small disk")
async def test_a_real_disk_that_is_full(here: Path, content: Content) -> None:
    made = await trio.run_process(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", here], capture_stdout=True, capture_stderr=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no small disk can be made: {made.stderr.decode().strip()}")
    try:
        (here / "fw").write_bytes(b"old")
        data = content(2_000_000)

        def in_chunks(handler: Any) -> None:  # of a size that is not told
            handler.say("HTTP/1.1 200 OK", 'ETag: "a"', "Transfer-Encoding: chunked")
            handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n0\r\n\r\n")

        with HttpFileServer() as server:
            server.files["/told"] = data
            server.scripts["/untold"] = in_chunks
            for path in ("/told", "/untold"):
                errors: list[TransferError] = []
                await caught(partial(service.download, server.base + path, here / "fw"), errors)
                assert errors[0].failure is TransferFailure.NO_SPACE
                assert names_in(here) == ["fw"]
        assert content_of(here / "fw") == b"old"
    finally:
        await trio.run_process(["umount", here])


async def test_two_at_once_to_one_target(root: Path, here: Path, content: Content) -> None:
    with Silence("http", root, False, content(2_000_000)) as silence:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(service.download, silence.url, here / "fw")
            await silence.reached()
            errors: list[TransferError] = []
            await caught(partial(service.download, silence.url, here / "fw"), errors)
            assert errors[0].failure is TransferFailure.LOCAL_FILE
            assert "another transfer is writing it" in str(errors[0])
            nursery.cancel_scope.cancel()


async def test_a_target_that_cannot_be(here: Path) -> None:
    with HttpFileServer() as server:
        server.files["/fw"] = b"data"
        for target in (here, here / "none" / "fw", here / ("n" * 300)):
            errors: list[TransferError] = []
            await caught(partial(service.download, server.base + "/fw", target), errors)
            assert errors[0].failure is TransferFailure.LOCAL_FILE
        assert server.requests == []


async def test_no_secret_is_in_a_log_or_an_error(
    root: Path, here: Path, content: Content, caplog: pytest.LogCaptureFixture
) -> None:
    """With everything that any library logs."""
    secrets = ("s3cret", "s%33cret", "czNjcmV0", "tok3n", "redir3ct")  # the third as Basic has it
    caplog.set_level(logging.DEBUG, logger="")
    (here / "log").write_bytes(content(100_000))
    (root / "fw").write_bytes(content(100_000))
    errors: list[TransferError] = []
    told: list[str] = []

    async def each(base: str) -> None:
        done = await service.download(base + "/fw?sig=tok3n" if "http" in base else base + "/fw", here / "fw")
        told.append(repr(done))
        told.append(repr(await service.upload(here / "log", base + "/")))
        wrong = base.replace("s%33cret", "s3cret-wrong")
        await caught(partial(service.download, wrong + "/fw", here / "fw"), errors)
        await caught(partial(service.upload, here / "log", wrong + "/fw"), errors)
        await caught(partial(service.download, base + "/none", here / "fw"), errors)

    with HttpFileServer() as http, FtpFileServer(root) as ftp, SftpFileServer(root) as sftp:
        http.password = "station:s3cret-Pass/word"
        http.files["/real?sig=redir3ct"] = content(100_000)
        http.scripts["/fw?sig=tok3n"] = lambda handler: handler.answer(302, b"", {"Location": "/real?sig=redir3ct"})
        http.scripts["/none"] = lambda handler: handler.say("HTTP/1.1 404 s3cret-Pass/word is not here")
        await each(f"http://station:s%33cret-Pass%2Fword@127.0.0.1:{http.port}")
        ftp.answers["MDTM"] = "550 s3cret"
        await each(f"ftp://station:s%33cret-Pass%2Fword@127.0.0.1:{ftp.port}")
        await each(f"sftp://station:s%33cret%3APass@127.0.0.1:{sftp.port}")
    shown = [*told, caplog.text, *("".join(traceback.format_exception(error)) for error in errors)]
    shown += [f"{error!r} {vars(error)} {error.__cause__} {error.__context__}" for error in errors]
    assert len(errors) == 9
    assert len(caplog.records) > 10
    for text in shown:
        assert [secret for secret in secrets if secret in text] == []
