"""The name that was probably meant by one that is not known."""

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 255
"""Characters of a name that are compared: the comparison takes the square of them."""


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: `; did you mean …?`, or nothing if none is like it in any case."""
    by_lower = {one.lower(): one for one in known}
    close = get_close_matches(str(name)[:_LONGEST].lower(), by_lower, n=1)
    return f"; did you mean {by_lower[close[0]]}?" if close else ""
