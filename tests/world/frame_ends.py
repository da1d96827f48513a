"""Two ends of a connection without a stream: one on our path, one whose frames all go to the frame machine."""

import itertools
import re
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType

from ocpp16.errors import ConnectionClosed
from ocpp16.transport.frames import Frames

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
LIMIT = 1 << 20
SIZES = [*range(18), 124, 125, 126, 127, 128, 65534, 65535, 65536, 65537, 200_000]


def close(code: int, reason: bytes = b"") -> bytes:
    return struct.pack("!H", code) + reason


def built(
    opcode: int,
    payload: bytes = b"",
    *,
    bits: int = 8,
    mask: bytes | None = None,
    announced: int | None = None,
    form: int | None = None,
    cut: int | None = None,
) -> bytes:
    """One frame, valid or not: `bits` are FIN and the reserved ones; `form` 0, 2 or 8 bytes for the length; `cut` bytes
    of all this."""
    size = len(payload) if announced is None else announced
    if form is None:
        form = 0 if size < 126 else 2 if size < 1 << 16 else 8
    short = {0: size & 0x7F, 2: 126, 8: 127}[form]
    length = size.to_bytes(8, "big")[8 - form :]
    if mask is not None:
        payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    return (bytes([bits << 4 | opcode, (mask is not None) << 7 | short]) + length + (mask or b"") + payload)[:cut]


def by_peer_of(is_client: bool) -> Callable[..., bytes]:
    """`built` as the peer of that end has to: with a mask if it is a client."""

    def peer(opcode: int, payload: bytes = b"", **options: Any) -> bytes:
        options.setdefault("mask", None if is_client else b"\x12\x00\xfe\x81")
        return built(opcode, payload, **options)

    return peer


class End:
    """One end, and everything that it said and did, in order."""

    def __init__(self, is_client: bool, *, through_machine: bool, limit: int = LIMIT, trailing: bytes = b"") -> None:
        role = ConnectionType.CLIENT if is_client else ConnectionType.SERVER
        machine = Connection(role) if through_machine else None
        self.frames = Frames(is_client=is_client, machine=machine, trailing=trailing, limit=limit)
        self.is_client = is_client
        self.log: list[Any] = []
        self.frames.on_ping = lambda payload: self._hear(("ping", payload))
        self.frames.on_pong = lambda payload: self._hear(("pong", payload))
        self.frames.on_unsent = lambda: self._hear("unsent")

    def tolerate_binary(self) -> None:
        self.frames.on_binary = lambda: self._hear("binary")

    def _hear(self, what: Any) -> None:
        self._take_texts()
        self.log.append(what)

    def _take_texts(self) -> None:
        if self.frames._ready:
            self.log += self.frames._ready
            self.frames._ready.clear()

    def feed(self, *chunks: bytes) -> None:
        for chunk in chunks:
            if self.frames._ended is None:
                self.frames._reader.feed(chunk)
            while self.frames._ended is None and self.frames._waits():
                self.frames._turn()
                self._take_texts()

    def send(self, name: str, *arguments: Any) -> None:
        try:
            getattr(self.frames, "send_" + name)(*arguments)
        except (ConnectionClosed, ValueError) as problem:
            self.log.append((type(problem), str(problem)))

    @property
    def outcome(self) -> tuple[Any, ...]:
        return (
            [what for what in self.log if what != "unsent"],
            None if self.frames._ended is None else self.frames._ended[0],
            self.frames.is_open,
            bare(bytes(self.frames._outgoing), self.is_client),
        )


def bare(sent: bytes, is_client: bool) -> list[tuple[int, bytes]]:
    """The frames that were sent, first byte and payload, without the masks, which are different each time."""
    found = []
    while sent:
        form = {126: 2, 127: 8}.get(sent[1] & 0x7F, 0)
        head, rest = sent[: 2 + form], sent[2 + form :]
        size = int.from_bytes(head[2:], "big") if form else head[1] & 0x7F
        assert head[1] >> 7 == is_client
        mask = b"\0\0\0\0"
        if is_client:
            mask, rest = rest[:4], rest[4:]
        payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(rest[:size]))
        assert len(payload) == size
        # Where text stops to be UTF-8 the frame machine counts from the last read on.
        found.append((head[0], re.sub(rb"bytes? .*in positions? [\d-]+", b"something", payload)))
        sent = rest[size:]
    return found


def outcomes(is_client: bool, chunks: Iterable[bytes], **options: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Of our path and of the frame machine's."""
    chunks = list(chunks)
    found = []
    for through_machine in (False, True):
        end = End(is_client, through_machine=through_machine, **options)
        end.tolerate_binary()
        end.feed(*chunks)
        found.append(end.outcome)
    return found[0], found[1]


def cuts(data: bytes, places: Iterable[int]) -> Iterator[bytes]:
    bounds = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return (data[start:end] for start, end in itertools.pairwise(bounds))


# What hypothesis may think of

PAYLOADS = (
    st.text(max_size=40).map(str.encode)
    | st.binary(max_size=12)
    | st.sampled_from([b"", b"[]", b"x" * 125, b"x" * 126, b"\xc3", b"\xa9", close(1000, b"bye"), close(999)])
)
FRAME = st.fixed_dictionaries(
    {
        "opcode": st.sampled_from([TEXT] * 6 + [PING, PONG, BINARY, CONTINUATION, CONTINUATION, CLOSE])
        | st.integers(0, 15),
        "payload": PAYLOADS,
        "bits": st.sampled_from([8] * 8 + [0, 0, 0]) | st.integers(0, 15),
        "has_mask": st.sampled_from([None] * 12 + [False, True]),
        "form": st.sampled_from([None] * 12 + [2, 8]),
    }
)


def stream_of(is_client: bool, frames: list[dict[str, Any]], mask: bytes) -> bytes:
    written = []
    for one in frames:
        has_mask = not is_client if one["has_mask"] is None else one["has_mask"]
        written.append(
            built(one["opcode"], one["payload"], bits=one["bits"], form=one["form"], mask=mask if has_mask else None)
        )
    return b"".join(written)
