"""What goes wrong in a long run: the network, and a Central System that is slow, loses answers or refuses. `TROUBLES`,
each with its weight.
"""

from collections.abc import Callable

from bad_network import BOTH, DOWN, MUTE, REFUSING, RESETTING, UP
from long_run_site import Site


def cut(site: Site) -> None:
    site.network.cut(in_order=site.random.random() < 0.3)


def cut_in_a_frame(site: Site) -> None:
    site.network.cut_in_next(site.random.choice(BOTH))


def slow(site: Site) -> None:
    site.network.is_slow(site.random.choice((0.01, 0.1, 0.5)), is_torn=site.random.random() < 0.5)


def half_open(site: Site) -> None:
    site.network.swallow(site.random.choice(((UP,), (DOWN,), BOTH)))


def away(site: Site) -> None:
    site.network.bar(site.random.choice((REFUSING, REFUSING, RESETTING, MUTE)))


def heal(site: Site) -> None:
    """All is well again."""
    site.network.heal()
    site.csms.do("reset")


def frozen(site: Site) -> None:
    """For longer than the charge point waits for a pong, or not."""
    site.freeze(site.random.choice((0.1, 1.5)))


def slow_answers(site: Site) -> None:
    site.csms.do("delay", seconds=site.random.choice((0.05, 0.3, 1.0)))


def lost_answers(site: Site) -> None:
    action = site.random.choice(("StartTransaction", "StopTransaction", "MeterValues", "StatusNotification"))
    site.csms.do("drop", action=action, times=site.random.randint(1, 2))


def errors(site: Site) -> None:
    """Not for StartTransaction: what follows one that was given up has no transaction id any more."""
    action = site.random.choice(("StopTransaction", "MeterValues", "MeterValues", "Heartbeat", "DataTransfer"))
    site.csms.do("next", action=action, answers=["InternalError"] * site.random.randint(1, 4))


def refused_drivers(site: Site) -> None:
    site.csms.do("judge", status=site.random.choice(("Invalid", "Blocked", "Expired")))


def refused_connections(site: Site) -> None:
    site.csms.do("refuse", status=site.random.choice((404, 503)), times=site.random.randint(1, 3))
    site.network.cut()


TROUBLES: tuple[tuple[int, Callable[[Site], None]], ...] = (
    (4, cut),
    (3, cut_in_a_frame),
    (2, slow),
    (2, half_open),
    (3, away),
    (14, heal),
    (1, frozen),
    (2, slow_answers),
    (2, lost_answers),
    (2, errors),
    (2, refused_drivers),
    (1, refused_connections),
)
