"""Messages in the application's log (logger `ocpp16.messages`, level info): one line each, or the whole frame."""

import logging

from ocpp16.message_log.record import Record
from ocpp16.message_log.words import NAMES, body
from ocpp16.texts import shown

_LOG = logging.getLogger("ocpp16.messages")


class Console:
    """`is_detailed`: with the body. `identity` begins each entry."""

    def __init__(self, identity: str, *, is_detailed: bool) -> None:
        self._identity = shown(identity)
        self._is_detailed = is_detailed

    def tell(self, record: Record) -> None:
        if not _LOG.isEnabledFor(logging.INFO):
            return
        said_by, said_to = NAMES[record.direction]
        text = body(record) if self._is_detailed else ""
        # Lines of a body are indented, so that none looks like an entry of its own.
        lines = "".join(f"\n  {line}" for line in text.split("\n")) if text else ""
        _LOG.info("%s: %s>%s %s%s", self._identity, said_by, said_to, shown(record.title), lines)
