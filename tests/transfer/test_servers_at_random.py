"""Downloads over HTTP from a server that cuts, lies and changes its mind, one after the other, some of them cancelled.

Whatever it does: there is a whole file of one version, or what was there before; a named error; beside it nothing but
the part, which is no longer than a file may be.
"""

import os
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trio
import trio.testing
from loopback import content_of, names_in

from ocpp16.transfer import TransferError, TransferFailure, TransferService

MOST = 600_000
SIZES = (0, 1, 70_000, 300_000, 500_000)


class Server:
    """Its tag is one of the version; what it says besides may be wrong."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.versions = [b""]
        self.scope = trio.CancelScope()
        self.attempts: list[str] = []
        self.change()

    def change(self) -> None:
        self.versions.append(self.random.randbytes(self.random.choice(SIZES)))

    async def serve(self, stream: Any) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            data = await stream.receive_some()
            if not data:
                return
            request += data
        found = [line for line in request.split(b"\r\n") if line.lower().startswith(b"range: bytes=")]
        held = int(found[0].partition(b"=")[2].rstrip(b"-")) if found else None
        tags = [line for line in request.split(b"\r\n") if line.lower().startswith(b"if-range: ")]
        is_same = bool(tags) and tags[0].partition(b" ")[2] == self.tag()
        kind = self.random.choice(
            ["good"] * 3 + ["cut"] * 6 + ["short", "long", "chunked", "no end", "circle", "elsewhere", "status"]
            + ["cancel", "head", "garbage", "other part", "part without a tag", "shifted", "less than before"]
            + ["416", "endless"]
        )  # fmt: skip
        self.attempts.append(f"{kind} {held}")
        if self.random.random() < 0.15:
            self.change()
            is_same = False
        try:
            await self.answer(stream, kind, held, is_same)
        except trio.BrokenResourceError:
            pass
        finally:
            await stream.aclose()

    def tag(self) -> bytes:
        return b'"%d"' % len(self.versions)

    async def answer(self, stream: Any, kind: str, held: int | None, is_same: bool) -> None:
        content, tag = self.versions[-1], b"ETag: " + self.tag()
        end = len(content)
        if held is not None and kind in ("other part", "part without a tag", "shifted", "less than before"):
            # Of another file, which it does not say, or says.
            other = self.random.randbytes(1_000)
            start, total = held + (kind == "shifted"), held + 1_000 + (kind == "shifted")
            if kind == "less than before":
                other, total = b"", held - 1
            said = {"other part": b'ETag: "other"', "part without a tag": b"X: y"}.get(kind, tag)
            await self.head(stream, b"206 Part", said, b"Content-Range: bytes %d-%d/%d" % (start, total - 1, total))
            await stream.send_all(other)
        elif kind == "416" and held is not None:
            await self.head(stream, b"416 No", b"Content-Length: 0")
        elif kind in ("circle", "elsewhere"):
            target = b"/fw" if kind == "circle" else b"ftp://elsewhere.example/fw"
            await self.head(stream, b"302 There", b"Location: " + target, b"Content-Length: 0")
        elif kind == "status":
            await self.head(stream, self.random.choice([b"404 No", b"503 Later", b"401 Who", b"500 Oh", b"204 Empty"]))
        elif kind == "head":
            await stream.send_all(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000)
        elif kind == "garbage":
            await stream.send_all(self.random.randbytes(500))
        elif kind == "endless":
            await self.head(stream, b"200 OK", tag)
            while True:
                await stream.send_all(bytes(50_000))
        elif kind == "chunked":
            await self.head(stream, b"200 OK", tag, b"Transfer-Encoding: chunked")
            await stream.send_all(b"%x\r\n%b\r\n0\r\n\r\n" % (end, content) if content else b"0\r\n\r\n")
        else:
            start = held if held is not None and is_same and held <= end else 0
            length = end - start + {"short": 10, "long": -10}.get(kind, 0)
            status = b"206 Part" if start else b"200 OK"
            lines = [tag, b"Content-Range: bytes %d-%d/%d" % (start, end - 1, end)] if start else [tag]
            if kind != "no end" or start:
                lines.append(b"Content-Length: %d" % max(length, 0))
            await self.head(stream, status, *lines)
            until = self.random.randint(start, end) if kind in ("cut", "cancel") else end
            for offset in range(start, until, 50_000):
                await stream.send_all(content[offset : min(offset + 50_000, until)])
            if kind == "cancel":
                self.scope.cancel()

    async def head(self, stream: Any, status: bytes, *lines: bytes) -> None:
        await stream.send_all(b"\r\n".join([b"HTTP/1.1 " + status, *lines, b"", b""]))


@pytest.mark.parametrize("seed", range(40))
async def test_a_whole_file_or_a_named_error(here: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    server = Server(Random(seed))
    service, target = TransferService(max_bytes=MOST), here / "fw"
    before = None
    async with trio.open_nursery() as nursery:

        async def connect(host: str, port: int) -> Any:
            ours, theirs = trio.testing.memory_stream_pair()
            nursery.start_soon(server.serve, theirs)
            return ours

        monkeypatch.setattr("ocpp16.transfer.http.open_tcp", connect)
        for _ in range(12):
            error = None
            server.scope = trio.CancelScope()
            is_done = False
            with server.scope:
                try:
                    await service.download("http://files.example/fw", target)
                    is_done = True
                except TransferError as failure:
                    error = failure
            seen = server.attempts[-3:]
            now = content_of(target) if target.exists() else None
            if is_done:
                # One that tells neither a length nor an end, or less than it has, is believed as far as it goes.
                believed = [*server.versions, *(version[:-10] for version in server.versions)]
                assert now in believed, seen
            else:
                assert now == before, seen
                assert error is None or isinstance(error.failure, TransferFailure)
                assert error is not None or server.scope.cancelled_caught, seen
            assert set(names_in(here)) <= {"fw", ".fw.part", ".fw.part.json"}, seen
            assert not (is_done and len(names_in(here)) > 1), seen
            part = here / ".fw.part"
            assert not part.exists() or os.stat(part).st_size <= MOST, seen
            before = now
        nursery.cancel_scope.cancel()
