"""DER (X.690 §8, §10), as far as certificates are found and read by it: values that follow each other."""

from typing import NamedTuple

__all__ = ["Field", "field_at", "fields_of", "is_der"]


class Field(NamedTuple):
    """A value in DER: its tag, what is in it, and all of it."""

    tag: int
    content: bytes
    whole: bytes


def fields_of(der: bytes) -> list[Field]:
    """The values that follow each other in `der`. Raises ValueError."""
    found = []
    at = 0
    while at < len(der):
        field, at = field_at(der, at)
        found.append(field)
    return found


def field_at(der: bytes, at: int) -> tuple[Field, int]:
    """The value that begins there, and where it ends. Raises ValueError."""
    head = der[at : at + 2]
    if len(head) < 2 or head[0] & 0x1F == 0x1F:
        raise ValueError("no DER")
    begin, length = at + 2, head[1]
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4:
            raise ValueError("no DER")
        begin, length = begin + count, int.from_bytes(der[begin : begin + count], "big")
    end = begin + length
    if end > len(der):
        raise ValueError("DER that is cut off")
    return Field(head[0], der[begin:end], der[at:end]), end


def is_der(content: bytes) -> bool:
    """Does it begin as a certificate does in DER, a SEQUENCE of more than 127 bytes? A text may begin with 0x30, too:
    with the digit 0, behind which none of these bytes can stand in UTF-8."""
    return content[:1] == b"\x30" and b"\x81" <= content[1:2] <= b"\x84"
