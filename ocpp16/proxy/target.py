"""Which charge point it is that connects, and where its connection leads."""

from typing import Final
from urllib.parse import unquote

from ocpp16.address import scheme_of
from ocpp16.transport.dial import Endpoint, endpoint
from ocpp16.transport.websocket import UpgradeRequest

_PLACE: Final = "ocpp16-proxy-place-of-the-identity"
_PASSED_ON: Final = ("authorization", "user-agent", "user-host")
"""Headers of the charge point that the Central System is told, and all that begin with `x-`."""
LONGEST_IDENTITY: Final = 1_000
"""Characters, as they are in the path."""


class Target:
    """The Central System at a URL. Raises ConfigurationError for one that cannot be dialled.

    is_tls: it is wss://.
    """

    __slots__ = ("_prefix", "_query", "_where", "is_tls")

    def __init__(self, url: str) -> None:
        self.is_tls: bool = scheme_of(url) == "wss"
        self._where = endpoint(url, _PLACE, 2 if self.is_tls else 0)
        self._prefix, _, self._query = self._where.target.partition(_PLACE)

    def __str__(self) -> str:
        return f"{'wss' if self.is_tls else 'ws'}://{self._where.authority}{self._prefix}"

    def of(self, request: UpgradeRequest) -> tuple[str, Endpoint]:
        """Identity, decoded, and where to connect to for it: the last part of the path exactly as it was written.

        The query is that of the URL, else the charge point's. Raises ValueError for a path without identity.
        """
        path, _, query = request.target.partition("?")
        written = path.rstrip("/").rpartition("/")[2]
        identity = unquote(written, errors="replace")
        if not written or not identity.strip():
            raise ValueError("the path has no identity")
        if len(written) > LONGEST_IDENTITY:
            raise ValueError(f"the identity has more than {LONGEST_IDENTITY} characters")
        own = self._query or (f"?{query}" if query else "")
        return identity, self._where._replace(target=self._prefix + written + own)


def passed_on(request: UpgradeRequest) -> list[tuple[str, str]]:
    """Headers for the Central System."""
    return [(name, _as_sent(value)) for name, value in request.headers if name in _PASSED_ON or name.startswith("x-")]


def _as_sent(value: str) -> str:
    """The text whose UTF-8 came: a value is a letter for each byte, and is sent as UTF-8."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value
