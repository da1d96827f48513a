"""The command that `ocpp16 load` becomes with --locust-master or --locust-worker. It imports no Locust."""

import re
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

LOCUSTFILE: Final = Path(__file__).with_name("locustfile.py")
OPTIONS: Final = "OCPP16_LOCUST_OPTIONS"
"""The variable of the environment with the `options` of the charge points of a worker, as JSON. They are not among the
arguments, which all who use the machine can see: there may be a password in them."""
_START: Final = ("-m", "locust", "-f", str(LOCUSTFILE))


_PLACE: Final = re.compile(r"(?:\[([^][\s]+)\]|([^][:\s]+))(?::([0-9]{1,5}))?")
"""An address of IPv6 in brackets, or another host; and a port."""


class LocustMissing(Exception):
    """Locust is not installed."""


def master(
    csms: str, charge_points: int, rate: float | None = None, duration: float | None = None, more: Sequence[str] = ()
) -> list[str]:
    """Program and arguments. rate: charge points that are added each second; duration: seconds; None: as Locust has it.

    more: arguments for Locust as they are; they come last, so that they win. Raises LocustMissing.
    """
    _check()
    found = [sys.executable, *_START, "--master", "--host", csms, "--users", str(charge_points)]
    if rate is not None:
        found += ["--spawn-rate", f"{rate:g}"]
    if duration is not None:
        found += ["--run-time", f"{max(round(duration), 1)}s"]
    return [*found, *more]


def worker(of_master: str, more: Sequence[str] = ()) -> list[str]:
    """The same for a worker. of_master: host of the master, or HOST:PORT. Raises ValueError, LocustMissing."""
    _check()
    found = _PLACE.fullmatch(of_master)
    if found is None or not 0 < int(found[3] or 1) < 65_536:
        raise ValueError("must be HOST or HOST:PORT")
    port = ["--master-port", found[3]] if found[3] else []
    return [sys.executable, *_START, "--worker", "--master-host", found[1] or found[2], *port, *more]


def _check() -> None:
    if find_spec("locust") is None:
        raise LocustMissing('Locust needs an extra: pip install "ocpp16[locust]"')
