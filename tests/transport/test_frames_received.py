"""The same bytes through our reader of whole texts and through the frame machine alone: nobody may see a difference.

Cases that Autobahn's test suite made known, and what hypothesis thinks of, in both roles and cut at any place.

Two differences are meant. A text frame that is too large is refused at its header, before its payload comes; and a text
that is no UTF-8 when it is whole, not before.
"""

import itertools
from typing import Any

import pytest
from frame_ends import (
    BINARY,
    CLOSE,
    CONTINUATION,
    FRAME,
    PING,
    PONG,
    SIZES,
    TEXT,
    End,
    by_peer_of,
    close,
    cuts,
    outcomes,
    stream_of,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

ROLES = pytest.mark.parametrize("is_client", [True, False], ids=["client", "server"])
SETTINGS = settings(derandomize=True, deadline=None, database=None, max_examples=300)


# The table

VALID_TEXTS = [
    "é",
    "κόσμε",
    "\u0080\u07ff\u0800\uffff",
    "\U00010000\U0010ffff",
    "\ufeff[]",
    "\ufffe\uffff\U0001fffe",
    "\0",
    "x" * 7 + "é",
    "x" * 300 + "ä€𝄞",
]
INVALID_TEXTS = [
    b"\xff",
    b"\x80",
    b"\xc3",
    b"abc\xe2\x82",
    b"\xc0\xaf",
    b"\xe0\x80\xaf",
    b"\xf0\x80\x80\xaf",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xed\xa0\x80edited",
    b"x" * 15 + b"\xfe",
]


def f(opcode: int, payload: bytes = b"", **options: Any) -> tuple[int, bytes, dict[str, Any]]:
    return opcode, payload, options


TABLE: dict[str, list[tuple[int, bytes, dict[str, Any]]]] = {
    "pipelined": [f(TEXT, b"%d" % n) for n in range(200)],
    "ping between": [f(TEXT, b"a"), f(PING, b"!"), f(TEXT, b"b"), f(PONG), f(TEXT, b"c")],
    "ping with 125 bytes": [f(TEXT, b"a"), f(PING, b"p" * 125), f(TEXT, b"b")],
    "ping with 126 bytes": [f(TEXT, b"a"), f(PING, b"p" * 126), f(TEXT, b"b")],
    "fragments": [
        f(TEXT, b"a"),
        f(TEXT, b"b", bits=0),
        f(CONTINUATION, b"c", bits=0),
        f(CONTINUATION, b"d"),
        f(TEXT, b"e"),
    ],
    "ping and close between fragments": [
        f(TEXT, b"a", bits=0),
        f(PING, b"!"),
        f(CONTINUATION, b"b"),
        f(TEXT, b"c"),
        f(TEXT, b"d", bits=0),
        f(CLOSE, close(1000)),
        f(TEXT, b"e"),
    ],
    "text in a message": [f(TEXT, b"a"), f(TEXT, b"b", bits=0), f(TEXT, b"c"), f(TEXT, b"d")],
    "empty text in a message": [f(TEXT, b"b", bits=0), f(TEXT), f(TEXT, b"d")],
    "continuation of nothing": [f(TEXT, b"a"), f(CONTINUATION, b"b"), f(TEXT, b"c")],
    "unfinished continuation of nothing": [f(CONTINUATION, b"b", bits=0), f(TEXT, b"c")],
    "character in two fragments": [f(TEXT, b"\xc3", bits=0), f(CONTINUATION, b"\xa9"), f(TEXT, b"x")],
    "binary": [f(TEXT, b"a"), f(BINARY, "é".encode()), f(TEXT, b"c")],
    "binary in fragments": [f(BINARY, b"\xc3", bits=0), f(PING), f(CONTINUATION, b"\xa9"), f(TEXT, b"c")],
    "binary that is no text": [f(BINARY, b"\xff"), f(TEXT, b"c")],
    "close": [f(TEXT, b"a"), f(CLOSE, close(1001, b"bye")), f(TEXT, b"b")],
    "close without code": [f(CLOSE), f(TEXT, b"b")],
    "close with one byte": [f(CLOSE, b"\x03"), f(TEXT, b"b")],
    "close with a bad reason": [f(CLOSE, close(1000, b"\xff"))],
    "fragmented close": [f(CLOSE, close(1000), bits=0)],
    **{f"close with {code}": [f(CLOSE, close(code))] for code in (0, 999, 1004, 1005, 1006, 1015)},
    **{f"close code {code}": [f(CLOSE, close(code))] for code in (1003, 3000, 4999, 5000, 65535)},
    **{f"reserved bits {bits}": [f(TEXT, b"a", bits=bits), f(TEXT)] for bits in range(1, 16)},
    **{f"reserved bits {bits} on ping": [f(PING, b"", bits=8 | bits)] for bits in (1, 2, 4)},
    **{
        f"opcode {opcode}": [f(TEXT, b"a"), f(opcode, b"x"), f(TEXT, b"b")]
        for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
    },
    "no mask": [f(TEXT, b"a"), f(TEXT, b"b", mask=None), f(TEXT, b"c")],
    "a mask": [f(TEXT, b"a"), f(TEXT, b"b", mask=b"1234"), f(TEXT, b"c")],
    "a mask of zeros": [f(TEXT, b"b", mask=b"\0\0\0\0"), f(TEXT, b"c")],
    "ping with a mask": [f(PING, b"b", mask=b"1234"), f(TEXT, b"c")],
    "ping without a mask": [f(PING, b"b", mask=None), f(TEXT, b"c")],
    "length in 2 bytes, 1 would do": [f(TEXT, b"x" * 125, form=2), f(TEXT)],
    "length in 8 bytes, 2 would do": [f(TEXT, b"x" * 65535, form=8), f(TEXT)],
    "length 0 in 8 bytes": [f(TEXT, b"", form=8), f(TEXT)],
    "length with its highest bit": [f(TEXT, b"x", announced=1 << 63 | 1), f(TEXT)],
    "unknown opcode, and then nothing": [f(3, b"x", cut=2)],
    "unknown control opcode, and then nothing": [f(11, b"x", cut=2)],
    "fragmented ping, and then nothing": [f(PING, b"x", bits=0, cut=2)],
    "ping too long, and then nothing": [f(PING, b"x" * 126, cut=2)],
    "length too long for itself, and then nothing": [f(TEXT, b"", form=2, cut=4)],
    "reserved bit, and then nothing": [f(TEXT, b"x" * 126, bits=12, cut=4)],
    "wrong mask, and then nothing": [f(TEXT, mask=None, cut=2), f(TEXT, mask=b"1234", cut=2)],
    "continuation of nothing, and then nothing": [f(CONTINUATION, b"xy", cut=-1)],
    "text in a message, and then nothing": [f(TEXT, b"a", bits=0), f(TEXT, b"bc", cut=-1)],
    **{f"no UTF-8: {data!r}": [f(TEXT, b"a"), f(TEXT, data), f(TEXT)] for data in INVALID_TEXTS},
    **{f"UTF-8: {text!r:.20}": [f(TEXT, text.encode()), f(TEXT, b"a")] for text in VALID_TEXTS},
    **{f"size {size}": [f(TEXT, b"x" * size), f(TEXT, b"y")] for size in SIZES},
    **{f"size {size} and é": [f(TEXT, b"x" * size + b"\xc3\xa9"), f(PING)] for size in SIZES},
}


@ROLES
@pytest.mark.parametrize("name", TABLE)
def test_the_table(is_client: bool, name: str) -> None:
    peer = by_peer_of(is_client)
    data = b"".join(peer(opcode, payload, **options) for opcode, payload, options in TABLE[name])
    ours, theirs = outcomes(is_client, [data])
    assert ours == theirs
    # What has to be cut at every byte is short; a long one is cut at its ends and around what one read brings.
    near = [*range(20), 65535, 65536, 65537, 65546, *range(-20, 0)]
    for place in range(len(data)) if len(data) < 600 else near:
        assert outcomes(is_client, cuts(data, [place])) == (ours, ours)
    if len(data) < 600:
        assert outcomes(is_client, [data[i : i + 1] for i in range(len(data))]) == (ours, ours)


@ROLES
def test_texts_of_all_sizes_arrive(is_client: bool) -> None:
    """Not only like the frame machine's, but right."""
    peer = by_peer_of(is_client)
    for size in SIZES:
        text = "".join(itertools.islice(itertools.cycle("0123456789abcdefghijklmnopqrstuvwxyz"), size))
        end = End(is_client, through_machine=False)
        end.feed(peer(TEXT, text.encode()) * 2)
        assert end.log == [text, text]
        assert end.frames._machine is None, "nothing of this is for the frame machine"


# What hypothesis thinks of


@ROLES
@given(
    frames=st.lists(FRAME, max_size=12),
    mask=st.binary(min_size=4, max_size=4),
    places=st.lists(st.integers(0, 2000), max_size=8),
)
@SETTINGS
def test_any_frames_cut_anywhere(is_client: bool, frames: list[dict[str, Any]], mask: bytes, places: list[int]) -> None:
    data = stream_of(is_client, frames, mask)
    whole, theirs = outcomes(is_client, [data])
    assert whole == theirs
    assert outcomes(is_client, cuts(data, places)) == (whole, whole)


@ROLES
@given(
    frames=st.lists(FRAME, max_size=4),
    mask=st.binary(min_size=4, max_size=4),
    noise=st.binary(max_size=40)
    | st.lists(st.sampled_from([0x81, 0x01, 0x80, 0x00, 0x7E, 0x7F, 0xFE]), max_size=16).map(bytes),
    places=st.lists(st.integers(0, 200), max_size=4),
)
@example(frames=[], mask=bytes(4), noise=b"\x81\x7f\x00\x00\x00\x00\x00\x00\x01\x00", places=[])
@example(frames=[], mask=bytes(4), noise=b"\x81\x02\xff", places=[])
@SETTINGS
def test_any_bytes(is_client: bool, frames: list[dict[str, Any]], mask: bytes, noise: bytes, places: list[int]) -> None:
    data = stream_of(is_client, frames, mask) + noise
    ours, theirs = outcomes(is_client, cuts(data, places))
    assert ours == outcomes(is_client, [data])[0]
    if ours[1] == 1009 or (ours[1] is None and theirs[1] == 1007):
        assert theirs[1] in (None, 1007, 1009)  # the two differences that are meant; what was said before is the same
        assert ours[0] == theirs[0]
    else:
        assert ours == theirs


# The limits


@ROLES
def test_a_text_too_large_is_refused_at_its_header(is_client: bool) -> None:
    peer = by_peer_of(is_client)
    for size in (101, 126, 70_000, 1 << 40, (1 << 63) - 1):
        header = peer(TEXT, b"", announced=size)
        end = End(is_client, through_machine=False, limit=100)
        end.feed(peer(TEXT, b"x" * 100), header[:-1])
        assert end.outcome[1] is None
        end.feed(header[-1:])
        assert end.outcome[:3] == (["x" * 100], 1009, False)


@ROLES
def test_a_text_that_is_no_utf_8_is_refused_when_it_is_whole(is_client: bool) -> None:
    data = by_peer_of(is_client)(TEXT, b"\xffab")
    end = End(is_client, through_machine=False)
    end.feed(data[:-1])
    assert end.outcome[1] is None
    end.feed(data[-1:])
    assert end.outcome[1] == 1007


@ROLES
@given(sizes=st.lists(st.integers(90, 110), min_size=1, max_size=4), letter=st.sampled_from("xé"))
@SETTINGS
def test_the_limit_is_the_same(is_client: bool, sizes: list[int], letter: str) -> None:
    peer = by_peer_of(is_client)
    data = b"".join(peer(TEXT, (letter * size).encode()[:size].decode(errors="ignore").encode()) for size in sizes)
    ours, theirs = outcomes(is_client, [data], limit=100)
    assert ours == theirs
    assert (ours[1] == 1009) == any(size - (letter == "é" and size % 2) > 100 for size in sizes)


@ROLES
def test_what_came_with_the_handshake_is_read_first(is_client: bool) -> None:
    peer = by_peer_of(is_client)
    data = peer(TEXT, b"early") + peer(PING, b"p") + peer(TEXT, b"bird")
    for place in range(len(data) + 1):
        ends = [
            End(is_client, through_machine=through_machine, trailing=data[:place]) for through_machine in (False, True)
        ]
        for end in ends:
            end.feed(b"", data[place:])
        assert ends[0].outcome == ends[1].outcome
        assert ends[0].log[0] == "early"
