"""Message ids: version 4 UUIDs as text, the 36 characters that OCPP-J allows (OCPP-J 1.6 §4.1.4).

The one place of the library that draws them. With a seeded generator the ids of a run are the same every time, so a
recorded run can be compared byte for byte; without one nobody can predict them, and the kernel is asked for random
bytes once in hundreds of ids.
"""

from collections.abc import Callable
from random import Random, SystemRandom

from ocpp16._core.randomness import new_uuid, uuid_text


def uuid_ids(source: Random | None = None) -> Callable[[], str]:
    """A function that gives a new message id at every call.

    Parameters: `source` is where the 128 bits come from; None, or a `SystemRandom`, takes the operating system's.
    """
    if source is None or isinstance(source, SystemRandom):
        return new_uuid
    return lambda: uuid_text(source.getrandbits(128).to_bytes(16, "big"))
