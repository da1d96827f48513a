"""TLS on a wire that does what it may, and what it may not: records in pieces and many in one, ends of every kind."""

import socket
import ssl
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trio
import trio.testing
import trustme
from tls_line import NEW, OLD, Site, Spy

from ocpp16.errors import ConnectionClosed
from ocpp16.transport.tls_records import MOST_UNSENT, PIECE

ALERT, HANDSHAKE, DATA = 21, 22, 23
KEY_UPDATE, ASKED_FOR = b"\x18\0\0\1\0", b"\x18\0\0\1\1"


@pytest.fixture
async def site(tmp_path: Path) -> Any:
    site = Site(tmp_path)
    yield site
    for line in site.lines:
        line.stream.close()
        line.server.far.close()


@pytest.mark.parametrize("version", [OLD, NEW])
async def test_records_come_in_any_pieces(site: Site, version: ssl.TLSVersion) -> None:
    random = Random(1)
    line = site.line(version)
    line.shake()
    said = [b"a CALL", b"x" * 5000, b"", b"another"]
    raw = b"".join(line.server.say(text) for text in said)
    found: list[str] = []
    for sizes in ((1,), (4, 5, 6, 100), (len(raw),)):
        raw = raw or b"".join(line.server.say(text) for text in said)
        while raw:
            size = random.choice(sizes)
            line.deliver(raw[:size])
            raw = raw[size:]
            found += line.texts()
    assert [text.encode() for text in found] == 3 * said
    assert not line.websocket.is_ended


@pytest.mark.parametrize("version", [OLD, NEW])
async def test_a_handshake_comes_in_any_two_pieces(site: Site, version: ssl.TLSVersion) -> None:
    if version is NEW:  # all of the server's part is one flight
        for cut in Random(2).sample(range(1, 700), 25):
            site.line(version).shake(cut)
    line = site.line(version)
    for _ in range(3):
        if line.records.shake():
            break
        line.server.hear()
        for byte in line.server.made():
            line.deliver(bytes((byte,)))
            line.records.fetch()
            line.records.shake()
    line.server.hear()
    line.deliver(line.server.made() + line.server.say(b"a CALL"))
    assert line.texts() == ["a CALL"]


async def test_what_comes_with_the_end_of_a_handshake_is_kept(site: Site) -> None:
    """With TLS 1.2 the server is done first."""
    line = site.line(OLD)
    assert not line.records.shake()
    line.server.hear()
    line.deliver(line.server.made())
    line.records.fetch()
    assert not line.records.shake()
    line.server.hear()
    line.deliver(line.server.made() + line.server.say(b"early"))
    line.records.fetch()
    assert line.records.shake()
    assert line.websocket.waits, "the kernel has nothing more to tell of"
    assert line.texts() == ["early"]


@pytest.mark.parametrize("said", [b"", b"a CALL"])
@pytest.mark.parametrize("description", [*range(0, 121, 10), 22, 46, 48, 51, 90, 109, 116, 255])
async def test_alerts_end_it_behind_what_came_before(site: Site, said: bytes, description: int) -> None:
    """close_notify (0) is a farewell. The socket stays open and tells nothing."""
    line = site.line()
    line.shake()
    forger = site.forger()
    raw = line.server.say(said) if said else b""
    line.deliver(
        raw + forger.record(2 + bool(said), ALERT, bytes((2, description))) + b"\x17\x03\x03\0\x20" + bytes(32)
    )
    if said:
        assert line.websocket.read_now() == ["a CALL"]
        assert line.websocket.waits
    with pytest.raises(ConnectionClosed) as caught:
        line.texts()
    assert caught.value.code == 1006
    assert ("without a close frame" in str(caught.value)) == (description == 0)
    with pytest.raises(ConnectionClosed):
        line.websocket.read_now()


GARBAGE = {
    "no record": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "one that is too large": b"\x17\x03\x03\xff\xff" + bytes(70_000),
    "one that nobody made": b"\x17\x03\x03\0\x20" + bytes(32),
    "an alert that is not encrypted": b"\x15\x03\x03\0\2\2\x28",
}


@pytest.mark.parametrize("name", GARBAGE)
@pytest.mark.parametrize("version", [OLD, NEW])
async def test_garbage_ends_it(site: Site, version: ssl.TLSVersion, name: str) -> None:
    line = site.line(version)
    line.shake()
    line.deliver(line.server.say(b"a CALL") + GARBAGE[name])
    assert line.websocket.read_now() == ["a CALL"]
    with pytest.raises(ConnectionClosed, match="connection broken: "):
        line.texts()


@pytest.mark.parametrize("version", [OLD, NEW])
async def test_a_record_that_is_cut_is_an_end(site: Site, version: ssl.TLSVersion) -> None:
    line = site.line(version)
    line.shake()
    line.deliver(line.server.say(b"a CALL") + line.server.say(b"another")[:-1])
    assert line.texts() == ["a CALL"]
    line.server.far.close()
    with pytest.raises(ConnectionClosed, match="without a close frame"):
        line.texts()


async def test_new_keys_and_records_without_bytes_are_no_end(site: Site) -> None:
    line = site.line()
    line.shake()
    forger = site.forger()
    for number in range(2, 30):
        line.deliver(forger.record(number, DATA, b""))
        assert line.websocket.read_now() == []
    for number, asked in enumerate((KEY_UPDATE, ASKED_FOR)):
        line = site.line()
        line.shake()
        line.deliver(site.forger().record(2, HANDSHAKE, asked))
        assert line.websocket.read_now() == []
        assert not line.websocket.waits
        line.websocket.send_text("with a key that may be new")
        assert line.websocket.flush_now()
        line.server.hear()
        assert (line.server.end, len(line.server.heard)) == ("", 32), number


@pytest.mark.parametrize("size", [8_000, 300_000])
@pytest.mark.parametrize("version", [OLD, NEW])
async def test_a_peer_that_reads_slowly_gets_all_and_little_waits_here(
    site: Site, version: ssl.TLSVersion, size: int
) -> None:
    line = site.line(version)
    line.shake()
    line.stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    line.websocket.send_text("y" * size)
    assert not line.websocket.flush_now()
    while not line.websocket.flush_now():
        assert line.records.unsent < MOST_UNSENT + 2 * PIECE
        assert line.websocket.unsent
        line.server.hear()
    line.server.hear()
    assert not line.websocket.unsent
    assert len(line.server.heard) in {size + 8, size + 14}


async def test_a_large_message_leaves_small_buffers(site: Site) -> None:
    spy = Spy(site.client)
    line = site.line(client=spy)
    line.shake()
    spy.most = 0
    line.deliver(line.server.say(b"x" * 60_000))
    assert line.texts() == ["x" * 60_000]
    line.websocket.send_text("y" * 60_000)
    while not line.websocket.flush_now():
        line.server.hear()
    assert 0 < spy.most < 2 * PIECE


async def test_another_handshake_holds_up_what_goes_out_until_more_was_read(site: Site) -> None:
    spy = Spy(site.client)
    line = site.line(client=spy)
    line.shake()
    spy.is_shaking = True
    line.websocket.send_text("later")
    assert not line.websocket.flush_now()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(line.websocket.flush)
        await trio.testing.wait_all_tasks_blocked()
        line.server.hear()
        assert line.server.heard == b""
        line.deliver(line.server.say(b"a CALL"))
        spy.is_shaking = False
        assert line.texts() == ["a CALL"]
    line.server.hear()
    assert len(line.server.heard) > 5
    assert not line.websocket.unsent


async def test_a_write_that_fails_tells_the_alert_that_lies_unread(site: Site) -> None:
    line = site.line()
    line.shake()
    line.deliver(site.forger().record(2, ALERT, bytes((2, 49))))
    line.server.far.close()
    line.websocket.send_text("late")
    assert line.websocket.flush_now()
    with pytest.raises(ConnectionClosed, match="access denied"):
        line.texts()


async def test_a_write_that_fails_takes_what_lies_unread_for_an_answer_of_its_own(site: Site) -> None:
    """The peer said something, and went before we wrote: that is read once, not for ever."""
    line = site.line()
    line.shake()
    line.deliver(line.server.say(b"a CALL") + line.server.say(b"another"))
    line.server.far.close()
    line.websocket.send_text("late")
    assert line.websocket.flush_now()
    assert line.websocket.is_ended


async def test_a_handshake_that_breaks_tells_the_alert_that_lies_unread(site: Site) -> None:
    line = site.line()
    line.records.shake()
    line.deliver(b"\x15\x03\x03\0\2\2\x28")
    line.server.far.close()
    assert isinstance(line.records.reason(BrokenPipeError()), ssl.SSLError)
    cut = site.line()
    cut.records.shake()
    cut.server.hear()
    cut.server.far.close()
    assert isinstance(cut.records.reason(BrokenPipeError()), ssl.SSLEOFError)


async def test_a_peer_that_is_in_the_middle_of_a_record_reads_why_we_close(site: Site) -> None:
    """Closed with unread bytes, the connection would be reset, and what we said be lost."""
    line = site.line()
    line.shake()
    line.server.tls.write(b"\x81\x7f" + (1 << 21).to_bytes(8, "big") + bytes(10_000))
    line.deliver(line.server.made())
    with pytest.raises(ConnectionClosed, match="larger than"):
        line.texts()
    line.server.tls.write(bytes(10_000))
    rest = line.server.made()
    async with trio.open_nursery() as nursery:
        line.deliver(rest[:100])
        nursery.start_soon(line.websocket.aclose)
        await trio.testing.wait_all_tasks_blocked()
        line.deliver(rest[100:])
        line.server.far.shutdown(socket.SHUT_WR)
    line.server.hear()
    assert len(line.server.heard) > 10
    assert line.server.end == "farewell"


@pytest.mark.parametrize("ends", ["by us", "by the peer"])
async def test_nobody_waits_for_another_handshake_after_the_end(site: Site, ends: str) -> None:
    spy = Spy(site.client)
    line = site.line(client=spy)
    line.shake()
    assert line.texts() == []
    spy.is_shaking = True
    line.websocket.send_text("never")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(line.websocket.flush)
        await trio.testing.wait_all_tasks_blocked()
        if ends == "by us":
            line.websocket.abort()
        else:
            line.server.far.close()
            with pytest.raises(ConnectionClosed):
                line.texts()
        await trio.testing.wait_all_tasks_blocked()
        is_waiting = bool(nursery.child_tasks)
        nursery.cancel_scope.cancel()
    assert not is_waiting


async def test_a_narrow_band_is_told_from_a_peer_that_is_stuck(site: Site) -> None:
    """Each part that got through is told, also of what was made into records before."""
    line = site.line()
    line.shake()
    line.stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    line.websocket.send_text("y" * 40_000)
    assert not line.websocket.flush_now()
    told: list[int] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(line.websocket.flush, lambda: told.append(len(line.server.heard)))
        while nursery.child_tasks:
            line.server.hear()
            await trio.testing.wait_all_tasks_blocked()
    line.server.hear()
    assert len(line.server.heard) == 40_000 + 8
    assert len(told) >= 40_000 // MOST_UNSENT


@pytest.mark.parametrize("version", [OLD, NEW])
async def test_who_is_left_hears_a_farewell(site: Site, version: ssl.TLSVersion) -> None:
    line = site.line(version)
    line.shake()
    assert line.texts() == []
    await line.stream.aclose()
    line.server.hear()
    assert line.server.end == "farewell"


async def test_who_is_not_believed_hears_why(site: Site) -> None:
    line = site.line(by=trustme.CA().issue_cert("csms"))
    line.records.shake()
    line.server.hear()
    line.deliver(line.server.made())
    line.records.fetch()
    with pytest.raises(ssl.SSLCertVerificationError):
        line.records.shake()
    line.server.hear()
    assert line.server.end == "TLSV1_ALERT_UNKNOWN_CA"


async def test_streams_know_what_trios_know(site: Site) -> None:
    """In pieces, by as many as are asked for, and not when they are closed."""
    line = site.line()
    line.shake()
    line.deliver(line.server.say(b"a CALL"))
    found = b""
    while len(found) < 8:
        found += await line.stream.receive_some(3)
        assert len(found) % 3 == 0 or len(found) == 8
    assert found.endswith(b"a CALL")
    await line.stream.wait_send_all_might_not_block()
    line.server.far.close()
    assert await line.stream.receive_some() == b""
    assert await line.stream.receive_some() == b""
    with pytest.raises(trio.BrokenResourceError):
        await line.stream.send_all(b"x")
    await line.stream.aclose()
    await line.stream.aclose()
    for what in (
        line.stream.receive_some,
        partial(line.stream.send_all, b"x"),
        line.stream.wait_send_all_might_not_block,
    ):
        with pytest.raises(trio.ClosedResourceError):
            await what()
