"""JSON as it is kept: refused where it enters if it could not be kept as it is.

Rule of this file: orjson writes NaN and infinity as null; here they are refused like everything JSON does not have.
"""

from math import isfinite
from typing import Any

import orjson


def json_text(value: Any, what: str, option: int = 0) -> bytes:
    """The text of a value.

    Parameters: `what` it is, for the error; `option` of orjson. Raises ValueError for what JSON cannot hold: other
    types, lone surrogates, NaN, infinity, integers of more than 64 bits, endless nesting.
    """
    try:
        text = orjson.dumps(value, option=option)
    except TypeError as error:
        raise ValueError(f"{what} is no JSON: {error}") from None
    if b"null" in text:  # so it costs nothing where there is neither
        _check_numbers(value, what)
    return text


def _check_numbers(value: Any, what: str) -> None:
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, float):
            if not isfinite(value):
                raise ValueError(f"{what} is no JSON: {value} is no number of it")
        elif isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)
