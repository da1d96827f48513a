"""Message ids: version 4 UUIDs as text, the 36 characters that OCPP-J allows (OCPP-J 1.6 §4.1.4).

The one place of the library that draws them. With a seeded generator the ids of a run are the same every time, so a
recorded run can be compared byte for byte; without one they come from the operating system.
"""

from collections.abc import Callable
from random import Random
from uuid import UUID, uuid4


def uuid_ids(source: Random | None = None) -> Callable[[], str]:
    """A function that gives a new message id at every call.

    Parameters: `source` is where the 128 bits come from; None takes the operating system's.
    """
    if source is None:
        return lambda: str(uuid4())
    return lambda: str(UUID(int=source.getrandbits(128), version=4))
