"""Frames that are no messages, and those that carry raw texts: as bytes of the end that sends them."""

from random import Random
from typing import Final

from ocpp16.wire.faults import Junk

_TEXT, _LAST = 0x01, 0x80
_LONGEST: Final = 200
"""Bytes of garbage."""
_NO_UTF8: Final = (b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80")
_NO_FRAME: Final = (0xF3, 0x8B, 0xBF, 0x07)
"""Beginnings that no frame has: reserved bits, reserved opcodes."""
_BROKEN: Final = (
    '[2,"',
    '[2,"x","Heartbeat",{',
    '{"',
    '[3,"x",{"status":"Acc',
    "[[[[",
    '[2,"x","Heartbeat",{}]]',
    "nul",
)
_LETTERS: Final = 'abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789äößéł漢字🔌\t\\/{}[]",:'


def frame(payload: bytes, mask: Random | None) -> bytes:
    """A text frame; `mask` gives the key of one that a client sends."""
    size = len(payload)
    masked = 0 if mask is None else 0x80
    if size < 126:
        head = bytes((_LAST | _TEXT, masked | size))
    elif size < 1 << 16:
        head = bytes((_LAST | _TEXT, masked | 126)) + size.to_bytes(2)
    else:
        head = bytes((_LAST | _TEXT, masked | 127)) + size.to_bytes(8)
    if mask is None:
        return head + payload
    key = mask.randbytes(4)
    stretched = (key * (size // 4 + 1))[:size]
    return head + key + (int.from_bytes(payload) ^ int.from_bytes(stretched)).to_bytes(size)


def garbage(junk: Junk, chance: Random, *, is_client: bool) -> bytes:
    """Something by chance, as bytes on the wire."""
    kind = chance.choice((Junk.TEXT, Junk.JSON, Junk.UTF8, Junk.BYTES)) if junk is Junk.ANY else junk
    mask = chance if is_client else None
    if kind is Junk.BYTES:
        return bytes((chance.choice(_NO_FRAME),)) + chance.randbytes(chance.randint(8, _LONGEST))
    if kind is Junk.JSON:
        return frame(chance.choice(_BROKEN).encode(), mask)
    letters = "".join(chance.choices(_LETTERS, k=chance.randint(1, _LONGEST // 4))).encode()
    return frame(letters + chance.choice(_NO_UTF8) if kind is Junk.UTF8 else letters, mask)
