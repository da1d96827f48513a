"""The log of SteVe: a Central System that names charge point and connection in each line.

    [INFO ] 2026-01-31 10:15:30,123 …WebSocketLogger (worker-1) - [chargeBoxId=CP1, sessionId=a1] Received: [2,"7",…]

Its times are local ones, without a zone.
"""

import re
from collections.abc import Iterable
from typing import Final

from ocpp16.lint.frame import FROM_CENTRAL_SYSTEM, FROM_CHARGE_POINT, Frame, connected, disconnected, frame_of
from ocpp16.lint.reader import NotMine, Reader, time_in

_LINE: Final = re.compile(
    r"\[chargeBoxId=(?P<id>[^,\]]{0,255}), sessionId=[^\]]{0,255}\] "
    r"(?:(?P<word>Received|Sending)(?: message)?: (?P<text>.*)|Connection is (?P<event>established|closed))",
    re.DOTALL,
)


class SteveLog(Reader):
    name = "steve"
    what = "the log of SteVe"

    @classmethod
    def knows(cls, head: bytes) -> bool:
        return b"[chargeBoxId=" in head

    def read(self, number: int, line: bytes) -> Iterable[Frame]:
        text = line.decode(errors="replace").rstrip("\r\n")
        found = _LINE.match(text, max(text.find("[chargeBoxId="), 0))
        if found is None:
            raise NotMine
        charge_point = found["id"] or self._charge_point
        timestamp = time_in(text[: found.start()])
        if found["event"]:
            event = connected if found["event"] == "established" else disconnected
            return (event(charge_point, line=number, timestamp=timestamp),)
        direction = FROM_CHARGE_POINT if found["word"] == "Received" else FROM_CENTRAL_SYSTEM
        return (frame_of(found["text"], direction, charge_point=charge_point, line=number, timestamp=timestamp),)
