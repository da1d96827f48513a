"""Bytes that nobody can predict, and UUIDs of them."""

import os
import random
import subprocess
import sys
from uuid import UUID

import pytest

from ocpp16._core import randomness
from ocpp16._core.randomness import new_uuid, uuid_text
from ocpp16._core.websocket_frames import append_text_frame


def test_the_text_of_bits_is_that_of_the_standard_library() -> None:
    source = random.Random(5)
    for _ in range(1000):
        bits = source.getrandbits(128)
        assert uuid_text(bits.to_bytes(16, "big")) == str(UUID(int=bits, version=4))
    for bits in (0, 2**128 - 1):
        assert uuid_text(bits.to_bytes(16, "big")) == str(UUID(int=bits, version=4))


def test_bits_are_left_as_they_are() -> None:
    bits = b"\xff" * 16
    uuid_text(bits)
    assert bits == b"\xff" * 16


@pytest.mark.parametrize("size", [0, 15, 17])
def test_a_uuid_has_128_bits(size: int) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        uuid_text(bytes(size))


def test_new_ones_are_all_different_and_use_every_bit() -> None:
    ids = [UUID(new_uuid()) for _ in range(20_000)]
    assert len(set(ids)) == len(ids)
    assert {(one.version, one.variant) for one in ids} == {(4, "specified in RFC 4122")}
    free = ~(0xF << 76 | 0x3 << 62) & (1 << 128) - 1
    some = every = ids[0].int
    for one in ids:
        some |= one.int
        every &= one.int
    assert (some & free, every & free) == (free, 0)


def test_the_kernel_is_asked_by_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    urandom = os.urandom

    def counted(size: int) -> bytes:
        asked.append(size)
        return urandom(size)

    monkeypatch.setattr(randomness.os, "urandom", counted)  # type: ignore[attr-defined]
    for _ in range(2560):
        new_uuid()
    assert asked == [4096] * 10


def test_a_kernel_without_bytes_is_an_error_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(size: int) -> bytes:
        raise OSError("no entropy")

    frames = bytearray()

    def write() -> None:
        for _ in range(2000):
            append_text_frame(frames, "", True)

    monkeypatch.setattr(randomness.os, "urandom", fails)  # type: ignore[attr-defined]
    with pytest.raises(OSError, match="no entropy"):
        write()
    assert len(frames) < 2000 * 6
    assert len(frames) % 6 == 0, "whole frames only"
    monkeypatch.undo()
    write()


def test_a_page_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(randomness.os, "urandom", lambda size: bytes(size - 1))  # type: ignore[attr-defined]
    with pytest.raises(OSError, match="4095 random bytes"):
        [new_uuid() for _ in range(257)]


FORK = """
import os
from ocpp16._core.randomness import new_uuid

new_uuid()  # there is a page, of which most is left
reading, writing = os.pipe()
if os.fork() == 0:
    os.write(writing, " ".join(new_uuid() for _ in range(100)).encode())
    os._exit(0)
os.close(writing)
theirs = set(os.fdopen(reading).read().split())
assert len(theirs) == 100
assert not theirs & {new_uuid() for _ in range(300)}
"""


def test_a_forked_child_repeats_nothing_of_its_parent() -> None:
    subprocess.run([sys.executable, "-c", FORK], check=True, timeout=60)
