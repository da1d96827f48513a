"""How long a thread of the host waits for what it calls; see `blocking.time_limit`."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ocpp16.values import described, finite

_END: ContextVar[float | None] = ContextVar("ocpp16_end_of_waiting", default=None)
"""Monotonic seconds; None: as long as it takes."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Calls of a charge point made in this block wait no longer than so many seconds, all together; then TimeoutError.

    For threads that are not the host's own and must come back. What was called and had not begun is not done any more;
    what had begun ends where it waits, as if it were cancelled, or, if it never waits, may be done later. A block in
    another one has the end that comes first. Raises ValueError for what is no number of seconds from 0 on.
    """
    if finite(seconds, "seconds") < 0:
        raise ValueError(f"seconds must not be negative, and is {described(seconds)}")
    end, outer = time.monotonic() + seconds, _END.get()
    token = _END.set(end if outer is None else min(end, outer))
    try:
        yield
    finally:
        _END.reset(token)


def time_left() -> float | None:
    """Seconds from now on; None: there is no limit."""
    end = _END.get()
    return None if end is None else max(0.0, end - time.monotonic())
