"""What is sent past the frame machine is what it would send, and the two agree on when nothing may be sent any more."""

from typing import Any

import pytest
from frame_ends import FRAME, SIZES, End, stream_of
from hypothesis import given, settings
from hypothesis import strategies as st
from wsproto import frame_protocol

from ocpp16.transport.frames import NOTHING

ROLES = pytest.mark.parametrize("is_client", [True, False], ids=["client", "server"])
SETTINGS = settings(derandomize=True, deadline=None, database=None, max_examples=300)


OPERATIONS = st.lists(
    st.tuples(st.just("feed"), FRAME)
    | st.tuples(
        st.just("text"),
        st.text(max_size=200) | st.text(max_size=20).map(str.encode) | st.sampled_from([b"\xff", "\ud800"]),
    )
    | st.tuples(st.just("ping"), st.binary(max_size=126))
    | st.tuples(st.just("close"), st.sampled_from([1000, 1001, 3000, 4999])),
    max_size=10,
)


@ROLES
@given(operations=OPERATIONS, mask=st.binary(min_size=4, max_size=4))
@SETTINGS
def test_sending_and_receiving_in_any_order(is_client: bool, operations: list[Any], mask: bytes) -> None:
    ends = [End(is_client, through_machine=through_machine) for through_machine in (False, True)]
    for what, argument in operations:
        for end in ends:
            if what == "feed":
                end.feed(stream_of(is_client, [argument], mask))
            else:
                end.send(what, argument)
        assert ends[0].outcome == ends[1].outcome


@ROLES
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("letter", ["x", "é"])
@pytest.mark.parametrize("kind", [str, bytes])
def test_each_byte_that_is_sent(
    is_client: bool, size: int, letter: str, kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = letter * size
    data = text if kind is str else text.encode()
    ours, theirs = (End(is_client, through_machine=through_machine) for through_machine in (False, True))
    ours.send("text", data)
    sent = bytes(ours.frames._outgoing)
    head = 2 + {126: 2, 127: 8}.get(sent[1] & 0x7F, 0)
    monkeypatch.setattr(frame_protocol.os, "urandom", lambda count: sent[head : head + count])  # type: ignore[attr-defined]
    theirs.send("text", data)
    assert sent == bytes(theirs.frames._outgoing)


def test_masks_differ() -> None:
    end = End(True, through_machine=False)
    for _ in range(5000):
        end.send("text", "")
    sent = bytes(end.frames._outgoing)
    masks = {sent[start + 2 : start + 6] for start in range(0, len(sent), 6)}
    assert len(masks) > 4990
    assert all(len({mask[place] for mask in masks}) == 256 for place in range(4))


@ROLES
def test_our_two_ends_understand_each_other(is_client: bool) -> None:
    left, right = End(is_client, through_machine=False), End(not is_client, through_machine=False)
    texts = [letter * size for size in SIZES for letter in "xé"]
    for text in texts:
        left.send("text", text)
    right.feed(bytes(left.frames._outgoing))
    assert right.log == texts


@ROLES
@pytest.mark.parametrize("first", ["text", "ping", "close"])
def test_nobody_writes_into_what_all_have_who_have_nothing(is_client: bool, first: str) -> None:
    one, other = End(is_client, through_machine=False), End(is_client, through_machine=False)
    one.send(first, "text" if first == "text" else b"ping" if first == "ping" else 1000)
    assert one.frames.unsent_bytes > 0
    assert other.frames.unsent_bytes == len(NOTHING) == 0
    assert one.frames._outgoing is not other.frames._outgoing is NOTHING
