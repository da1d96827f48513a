"""The public keys of meters: given by who asks, else published as MeterPublicKey<connectorId> in the trace.

All that a trace publishes is found before anything is verified, for GetConfiguration may be asked at any time. A meter
that was exchanged leaves two keys of one connector: each is tried.
"""

import re
from collections.abc import Sequence
from typing import Final

from ocpp16.lint.frame import Frame
from ocpp16.lint.trace import Trace, frames_with
from ocpp16.metering.failure import SignedDataError
from ocpp16.metering.public_key import key_bytes

MOST_OF_A_CONNECTOR: Final = 16
_MOST: Final = 100_000
_KEY: Final = re.compile(r"MeterPublicKey([0-9]{1,6})", re.ASCII | re.IGNORECASE)
_MARK: Final = b"meterpublickey"


class PublicKeys:
    """`given` hold for every meter; where there are any, none of the trace counts."""

    def __init__(self, given: Sequence[bytes] = ()) -> None:
        self.given: tuple[bytes, ...] = tuple(given)
        self._published: dict[tuple[str, int], list[bytes]] = {}
        self.unreadable: dict[str, str] = {}
        """Name of a key as the charge point publishes it → why it cannot be read."""

    def published(self, charge_point: str, connector_id: int | None) -> Sequence[bytes]:
        """Of this connector; of all, where nobody knows on which a transaction was."""
        if connector_id is not None:
            return self._published.get((charge_point, connector_id), ())
        return [key for (name, _), keys in self._published.items() if name == charge_point for key in keys]

    def find_in(self, trace: Trace) -> None:
        """Raises TraceError."""
        for frame in frames_with(trace, _MARK):
            self.take(frame)

    def take(self, frame: Frame) -> None:
        """Those that an answer to GetConfiguration publishes."""
        rows = frame.payload.get("configurationKey") if isinstance(frame.payload, dict) else None
        for row in rows if isinstance(rows, list) else ():
            name, value = (row.get("key"), row.get("value")) if isinstance(row, dict) else (None, None)
            found = _KEY.fullmatch(name) if isinstance(name, str) else None
            if found is not None and isinstance(value, str) and value:
                self._publish(frame.charge_point, int(found[1]), found[0], value)

    def _publish(self, charge_point: str, connector_id: int, name: str, value: str) -> None:
        try:
            key = key_bytes(value)
        except SignedDataError as error:
            if len(self.unreadable) < MOST_OF_A_CONNECTOR:
                self.unreadable[f"{charge_point} {name}"] = str(error)
            return
        if len(self._published) >= _MOST and (charge_point, connector_id) not in self._published:
            return
        keys = self._published.setdefault((charge_point, connector_id), [])
        if key not in keys and len(keys) < MOST_OF_A_CONNECTOR:
            keys.append(key)
