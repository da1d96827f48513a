"""Code of the host: a carrier for its own scheme, a progress function; and what happens when it fails."""

import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from http_file_server import HttpFileServer
from loopback import caught, content_of, names_in

from ocpp16.transfer import Location, Receiver, Source, TransferError, TransferFailure, TransferService

Content = Callable[[int], bytes]


async def test_a_progress_function_that_fails_is_not_called_again(
    here: Path, content: Content, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(done: int, total: int | None) -> None:
        calls.append(done)
        raise ZeroDivisionError("not\nmine")

    calls: list[int] = []
    with HttpFileServer() as server:
        server.files["/fw"] = content(500_000)
        await TransferService().download(server.base + "/fw", here / "fw", progress=fails)
    assert content_of(here / "fw") == content(500_000)
    assert calls == [0]
    assert [record.getMessage() for record in caplog.records if record.name.startswith("ocpp16")] == [
        "a progress function failed, and is not called again in this transfer: ZeroDivisionError: not\\nmine"
    ]


class Carrier:
    """Of the host's own, for its own scheme."""

    def __init__(self, content: bytes, fault: BaseException | None = None, offset: int = 0) -> None:
        self.content, self.fault, self.offset = content, fault, offset
        self.sent = b""

    async def download(self, location: Location, receiver: Receiver) -> None:
        await receiver.begin(self.offset, None, "version 1")
        await receiver.write(self.content)
        if self.fault is not None:
            raise self.fault

    async def upload(self, source: Source, location: Location, is_resumed: bool) -> Location:
        await source.begin()
        while block := await source.read():
            self.sent += block
        return location


async def test_a_scheme_of_ones_own(here: Path, content: Content) -> None:
    carrier = Carrier(content(300_000))
    by = TransferService(carriers={"s3": carrier})
    assert "s3" in by.schemes()
    await by.download("s3://bucket/fw", here / "fw")
    assert content_of(here / "fw") == content(300_000)
    await by.upload(here / "fw", "s3://bucket/up")
    assert carrier.sent == content(300_000)


async def test_one_that_drips_for_ever(here: Path, still_clock: Any) -> None:
    class Dripping(Carrier):
        async def download(self, location: Location, receiver: Receiver) -> None:
            await receiver.begin(0)
            for _ in range(100):
                await receiver.write(b".")
                still_clock.advance(50)
                await trio.lowlevel.checkpoint()

    errors: list[TransferError] = []
    by = TransferService(carriers={"s3": Dripping(b"")}, total_timeout=3_600, idle_timeout=60)
    await caught(partial(by.download, "s3://bucket/fw", here / "fw"), errors)
    assert errors[0].failure is TransferFailure.TIMEOUT
    assert "within 3600 seconds" in str(errors[0])


async def test_who_cancels_hears_of_nothing_else(here: Path) -> None:
    class Confused(Carrier):
        async def download(self, location: Location, receiver: Receiver) -> None:
            try:
                is_waiting.set()
                await trio.sleep_forever()
            except trio.Cancelled:
                raise TransferError(TransferFailure.CUT_OFF, "somebody hung up") from None

    by = TransferService(carriers={"s3": Confused(b"")})
    is_waiting = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(by.download, "s3://bucket/fw", here / "fw")
        await is_waiting.wait()
        nursery.cancel_scope.cancel()
    assert nursery.cancel_scope.cancelled_caught


async def test_a_carrier_may_raise_ours(here: Path) -> None:
    """With whatever it knows behind it."""

    class Refusing(Carrier):
        async def download(self, location: Location, receiver: Receiver) -> None:
            try:
                dict[str, str]()["s3cret-key"]
            except KeyError as error:
                raise TransferError(TransferFailure.NOT_FOUND, "it is not here") from error

    errors: list[TransferError] = []
    by = TransferService(carriers={"s3": Refusing(b"")})
    await caught(partial(by.download, "s3://user:s3cret-key@bucket/fw", here / "fw"), errors)
    assert errors[0].failure is TransferFailure.NOT_FOUND
    assert "s3cret" not in "".join(traceback.format_exception(errors[0]))


@pytest.mark.parametrize(
    "fault",
    [
        ZeroDivisionError("s3cret-key"),
        ExceptionGroup("several", [KeyError("s3cret-key"), OSError(5, "s3cret-key")]),
        GeneratorExit("s3cret-key"),
    ],
)
async def test_a_carrier_that_fails(here: Path, content: Content, fault: BaseException) -> None:
    by = TransferService(carriers={"s3": Carrier(content(10), fault)})
    errors: list[TransferError] = []
    await caught(partial(by.download, "s3://user:s3cret-key@bucket/fw", here / "fw"), errors)
    assert errors[0].failure is TransferFailure.FAULT
    assert "s3cret" not in "".join(traceback.format_exception(errors[0]))
    assert "fw" not in names_in(here)


async def test_a_carrier_that_begins_in_the_air_or_not_at_all(here: Path) -> None:
    class Idle(Carrier):
        async def download(self, location: Location, receiver: Receiver) -> None:
            await trio.lowlevel.checkpoint()

    errors: list[TransferError] = []
    for carrier in (Carrier(b"", offset=5), Idle(b"")):
        await caught(partial(TransferService(carriers={"s3": carrier}).download, "s3://b/fw", here / "fw"), errors)
    assert [error.failure for error in errors] == [TransferFailure.FAULT, TransferFailure.PROTOCOL]
    assert names_in(here) == []
