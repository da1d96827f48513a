"""The text log: a header line, the body, an empty line."""

from ocpp16.message_log.record import Record
from ocpp16.message_log.words import NAMES, body, latency_text, time_text
from ocpp16.texts import shown


class TextFormat:
    """`is_raw`: frames as they went over the wire, on one line."""

    suffix = ".log"
    opening = b""
    end = b"\n\n"
    is_for_events = True

    def __init__(self, *, is_raw: bool) -> None:
        self._is_raw = is_raw

    def row(self, record: Record) -> bytes:
        said_by, said_to = NAMES[record.direction]
        # Two columns of types: what the Central System says stands in the second one.
        gap = "  " if said_by == "CentralSystem" else " "
        latency = "" if record.latency is None else f" ({latency_text(record.latency)})"
        head = f"{time_text(record.at)}: {said_by}>{said_to}{gap}{shown(record.title)}{latency}"
        text = body(record, is_raw=self._is_raw)
        lines = f"{head}\n{text}\n\n" if text else f"{head}\n\n"
        return lines.encode(errors="backslashreplace")
