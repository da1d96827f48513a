"""Room for sockets: each charge point has one, and an operating system that allows few of them."""

from contextlib import suppress
from typing import Final

from ocpp16.errors import Ocpp16Error

BESIDE: Final = 64
"""Files that a process has beside the sockets of its charge points: databases, logs, pipes."""


class FleetError(Ocpp16Error):
    """A fleet of this size cannot be here; the text says what to change."""


def make_room(charge_points: int) -> None:
    """Raise the limit of open files of this process, as far as it is allowed to, for so many charge points.

    Raises FleetError if that is not enough. Where the operating system has no such limit nothing is done.
    """
    try:
        import resource
    except ImportError:  # no POSIX
        return
    wanted = charge_points + BESIDE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    # More than is needed now: a fleet grows one by one.
    roomy = max(most, min(2 * wanted, hard if hard != resource.RLIM_INFINITY else 2 * wanted))
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (roomy, hard))
        soft = roomy
    if soft < wanted:
        raise FleetError(
            f"{charge_points} charge points need {wanted} open files, and this process may have {soft}:"
            f" raise the limit with `ulimit -n {wanted}` (LimitNOFILE of systemd, --ulimit of a container)"
        )
