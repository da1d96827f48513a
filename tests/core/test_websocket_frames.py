"""The reader of whole texts by itself: what it takes, what it gives away, and what it keeps."""

import gc
import tracemalloc

import pytest

from ocpp16._core.websocket_frames import FrameReader, FrameTooLarge, append_text_frame, give_back, text_frame


def framed(*texts: str, is_client: bool = False) -> bytes:
    frames = bytearray()
    for text in texts:
        append_text_frame(frames, text, is_client)
    return bytes(frames)


def taken(reader: FrameReader, frames: int = 1000, size: int = 1 << 30) -> tuple[list[str], bytes | None, int]:
    texts: list[str] = []
    given, left = reader.take(texts, frames, size)
    return texts, given, left


def has_more(reader: FrameReader) -> bool:
    return reader.waits


def test_it_takes_as_many_as_it_may() -> None:
    reader = FrameReader(True, 100)
    reader.feed(framed("a", "bb", "ccc", "dddd"))
    assert has_more(reader)
    assert taken(reader, frames=3) == (["a", "bb", "ccc"], None, (1 << 30) - 6)
    assert has_more(reader)
    assert taken(reader, frames=0) == ([], None, 1 << 30)
    assert has_more(reader)
    assert taken(reader, frames=1) == (["dddd"], None, (1 << 30) - 4)
    assert not has_more(reader)
    assert taken(reader) == ([], None, 1 << 30)


def test_size_ends_a_turn_behind_the_text_that_uses_it_up() -> None:
    reader = FrameReader(True, 100)
    reader.feed(framed("aaa", "bbb", "ccc"))
    assert taken(reader, size=4) == (["aaa", "bbb"], None, -2)
    assert has_more(reader)
    assert taken(reader, size=1) == (["ccc"], None, -2)
    assert not has_more(reader)


def test_texts_are_put_behind_what_is_there() -> None:
    reader = FrameReader(True, 100)
    texts = ["before"]
    reader.feed(framed("a"))
    reader.take(texts, 1, 1)
    assert texts == ["before", "a"]


def test_what_is_fed_before_all_is_taken_comes_behind_it() -> None:
    reader = FrameReader(True, 100)
    data = framed(*[str(number) for number in range(30)])
    found: list[str] = []
    for start in range(0, len(data), 4):
        reader.feed(data[start : start + 4])
        found += taken(reader, frames=1)[0]
    found += taken(reader)[0]
    assert found == [str(number) for number in range(30)]


@pytest.mark.parametrize("is_client", [True, False])
def test_other_frames_are_given_away_whole_and_in_their_place(is_client: bool) -> None:
    mask = b"" if is_client else b"1234"
    ping = bytes([0x89, 3 | (0x80 if mask else 0)]) + mask + b"abc"
    reader = FrameReader(is_client, 100)
    reader.feed(framed("a", is_client=not is_client) + ping + ping + framed("b", is_client=not is_client))
    assert taken(reader) == (["a"], ping, (1 << 30) - 1)
    assert has_more(reader)
    assert taken(reader) == ([], ping, 1 << 30)
    assert taken(reader) == (["b"], None, (1 << 30) - 1)


def test_a_frame_that_is_given_away_goes_as_it_comes_and_no_more_of_it_is_kept() -> None:
    reader = FrameReader(True, 100)
    binary = b"\x82\x7f" + (200_000).to_bytes(8, "big") + bytes(200_000)
    found = []
    for start in range(0, len(binary) + 8, 50_000):
        reader.feed((binary + framed("text"))[start : start + 50_000])
        while True:
            texts, given, _ = taken(reader)
            if given is None:
                break
            assert len(given) <= 1 << 16
            found.append(given)
    assert b"".join(found) == binary
    assert texts == ["text"]


def test_no_more_than_64_kib_are_given_at_once() -> None:
    reader = FrameReader(True, 100, is_plain=False)
    data = bytes(range(256)) * 1000
    reader.feed(data)
    found = []
    while reader.waits:
        texts, given, _ = taken(reader)
        assert not texts
        assert given is not None
        assert len(given) <= 1 << 16
        found.append(given)
    assert b"".join(found) == data


def test_behind_a_broken_header_all_is_given_away() -> None:
    reader = FrameReader(True, 100)
    reader.feed(b"\x83\x00" + framed("a"))
    assert taken(reader)[:2] == ([], b"\x83\x00" + framed("a"))
    reader.feed(framed("b"))
    assert taken(reader)[:2] == ([], framed("b"))


def test_texts_before_one_that_is_too_large_are_taken() -> None:
    reader = FrameReader(True, 5)
    reader.feed(framed("12345") + framed("123456")[:2])
    texts: list[str] = []
    with pytest.raises(FrameTooLarge, match="6 bytes"):
        reader.take(texts, 10, 10)
    assert texts == ["12345"]


def test_what_is_announced_is_not_allocated() -> None:
    reader = FrameReader(True, 1 << 40)
    tracemalloc.start()
    try:
        reader.feed(b"\x81\x7f" + (1 << 39).to_bytes(8, "big") + b"x")
        taken(reader)
        assert tracemalloc.get_traced_memory()[1] < 10_000
    finally:
        tracemalloc.stop()


def test_a_reader_keeps_of_a_read_only_what_is_not_taken() -> None:
    readers = [FrameReader(True, 1000) for _ in range(100)]
    data = framed(*["x" * 100] * 600)
    tracemalloc.start()
    try:
        for reader in readers:
            reader.feed(b"".join([data, data[:3]]))
            assert len(taken(reader)[0]) == 600
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 200 * len(readers)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("text", ["[]", "é" * 20, "x" * 300])
def test_what_is_fed_is_left_as_it_is(text: str) -> None:
    data = framed(text, is_client=True)
    copy = bytes(bytearray(data))
    reader = FrameReader(False, 1000)
    reader.feed(data)
    assert taken(reader)[0] == [text]
    assert data == copy


def test_a_reader_is_nothing_for_the_collector() -> None:
    assert not gc.is_tracked(FrameReader(True, 1))


@pytest.mark.parametrize("text", ["é[]", "[]"])
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_text_may_be_bytes_of_any_kind(text: str, kind: type) -> None:
    frames = bytearray()
    append_text_frame(frames, kind(text.encode()), False)
    assert bytes(frames) == framed(text)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"\xff", UnicodeError),
        (b"x" * 9 + b"\xc3", UnicodeError),
        ("\ud800", UnicodeError),
        (5, TypeError),
        (None, TypeError),
        ([1], TypeError),
    ],
)
@pytest.mark.parametrize("is_client", [True, False])
def test_what_is_no_text_is_not_written(data: object, problem: type[Exception], is_client: bool) -> None:
    frames = bytearray(b"before")
    with pytest.raises(problem):
        append_text_frame(frames, data, is_client)  # type: ignore[arg-type]
    assert frames == b"before"


def test_a_buffer_that_is_lent_is_not_written() -> None:
    frames = bytearray(b"before")
    with memoryview(frames), pytest.raises(BufferError):
        append_text_frame(frames, "text", True)
    assert frames == b"before"


@pytest.mark.parametrize("is_client", [True, False])
@pytest.mark.parametrize("before", [0, 10, 1000, 70_000])
@pytest.mark.parametrize("size", [0, 5, 125, 126, 1000, 65_536])
def test_a_frame_by_itself_is_as_one_behind_nothing(is_client: bool, before: int, size: int) -> None:
    give_back(bytearray(b"!" * before))
    text = "x" * size
    frame = text_frame(text, is_client)
    reader = FrameReader(not is_client, 1 << 20)
    reader.feed(bytes(frame))
    assert taken(reader)[:2] == ([text], None)
    assert len(frame) == len(framed(text, is_client=is_client))


def test_what_is_given_back_is_used_once_and_by_the_next() -> None:
    first = text_frame("a long text", True)
    second = text_frame("another", True)
    assert first is not second
    give_back(first)
    third = text_frame("short", False)
    assert third is first
    assert bytes(third) == framed("short")
    assert text_frame("more", False) is not third


def test_a_large_buffer_is_not_kept() -> None:
    large = text_frame("x" * (1 << 16), False)
    text_frame("", False)
    give_back(large)
    assert text_frame("", False) is not large


@pytest.mark.parametrize("data", [b"\xff", "\ud800", 5, None])
def test_a_frame_that_cannot_be_loses_nothing(data: object) -> None:
    with pytest.raises((UnicodeError, TypeError)):
        text_frame(data, True)  # type: ignore[arg-type]
    assert bytes(text_frame("text", False)) == framed("text")


def test_a_buffer_that_is_lent_is_given_up() -> None:
    frame = text_frame("text", False)
    with memoryview(frame):
        give_back(frame)
        with pytest.raises(BufferError):
            text_frame("another", False)
    assert bytes(text_frame("another", False)) == framed("another")
