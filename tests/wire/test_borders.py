"""Where frames begin and end, in whatever pieces their bytes come, and whatever they are."""

from collections.abc import Callable
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from ocpp16.wire.borders import Borders
from ocpp16.wire.junk import frame

HEAD = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
PING, PONG = b"\x89\x02hi", b"\x8a\x00"
SIZES = st.sampled_from((0, 1, 125, 126, 127, 65_535, 65_536)) | st.integers(0, 400)


def fragments(size: int) -> bytes:
    """A message in three frames, with a ping between them."""
    first, middle, last = (frame(bytes(size), None) for _ in range(3))
    return b"\x01" + first[1:] + b"\x00" + middle[1:] + PING + b"\x80" + last[1:]


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted({min(cut, len(data)) for cut in cuts} | {len(data)})
    return [data[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]


@given(
    sizes=st.lists(st.tuples(SIZES, st.sampled_from(("plain", "masked", "fragments", "ping"))), max_size=6),
    cuts=st.lists(st.integers(0, 2_000), max_size=30),
)
def test_messages_are_found_in_any_pieces(sizes: list[tuple[int, str]], cuts: list[int]) -> None:
    made: dict[str, Callable[[int], bytes]] = {
        "plain": lambda size: frame(bytes(size), None),
        "masked": lambda size: frame(bytes(size), Random(size)),
        "fragments": fragments,
        "ping": lambda size: PONG,
    }
    data = HEAD + b"".join(made[kind](size) for size, kind in sizes)
    borders = Borders(is_answer=True)
    parts = [part for piece in pieces(data, cuts) for part in borders.feed(piece)]
    assert b"".join(part.data for part in parts) == data
    messages = sum(kind != "ping" for _, kind in sizes)
    assert sum(part.begins for part in parts) == sum(part.ends for part in parts) == messages
    assert borders.is_between


@given(data=st.binary(max_size=300), cuts=st.lists(st.integers(0, 400), max_size=30), is_answer=st.booleans())
def test_whatever_comes_goes_out_but_for_an_incomplete_header(data: bytes, cuts: list[int], is_answer: bool) -> None:
    borders = Borders(is_answer=is_answer)
    found = b"".join(part.data for piece in pieces(HEAD + data, cuts) for part in borders.feed(piece))
    assert (HEAD + data).startswith(found)
    assert len(HEAD) + len(data) - len(found) < 14
