"""What became of a request of ours, told to whoever keeps what it tells of (`Delivery`) and whoever asked (`Asker`).

Must not know: why. Rules of this file:
1. It is the one door of requests to code that is not theirs: what a hook raises goes to `on_internal_error`, counts as
   told, and ends nothing.
2. Who asked is told once, and then that it is over.
"""

from collections.abc import Callable

from ocpp16.errors import CallFailed
from ocpp16.faults import obey_exit
from ocpp16.rpc.delivery import Delivery
from ocpp16.rpc.pending import Asker, Entry, Payload


class Hooks:
    """Of one charge point. `on_internal_error` is told where an exception was caught, and which."""

    __slots__ = ("_delivery", "on_boot_missed", "on_internal_error")

    def __init__(self, delivery: Delivery, on_internal_error: Callable[[str, BaseException], None]) -> None:
        self._delivery = delivery
        self.on_internal_error: Callable[[str, BaseException], None] = on_internal_error
        self.on_boot_missed: Callable[[], None] | None = None

    # Whoever keeps what it tells of; of messages that have a row, or are about transactions.

    def partly_confirmed(self, entry: Entry, payload: Payload) -> None:
        self._tell("delivery", self._delivery.partly_confirmed, (entry, payload))

    def attempted(self, entry: Entry) -> None:
        self._tell("delivery", self._delivery.attempted, (entry,))

    def set_aside(self, entry: Entry, waiting: int) -> None:
        self._tell("delivery", self._delivery.set_aside, (entry, waiting))

    def given_up(self, entry: Entry, reason: str) -> None:
        self._tell("delivery", self._delivery.given_up, (entry, reason))

    def dropped(self, entry: Entry) -> None:
        self._tell("delivery", self._delivery.dropped, (entry,))

    # Whoever says how things stand

    def boot_missed(self) -> None:
        """A BootNotification that all else waited for was not taken in, and all else goes on."""
        if self.on_boot_missed is not None:
            self._tell("missed boot", self.on_boot_missed, ())

    # The end

    def confirmed(self, entry: Entry, payload: Payload) -> None:
        """It ended as it should: told to both."""
        if entry.is_retried:
            try:  # as `_tell` does, for what nearly every message comes to
                self._delivery.confirmed(entry, payload)
            except BaseException as error:
                self._raised("delivery", error)
        if entry.asker is not None:
            self._tell_asker(entry.asker, "confirmation", entry.asker.on_confirmation, payload)

    def failed(self, entry: Entry, failure: CallFailed) -> None:
        """It ended without a confirmation: told to whoever asked."""
        if entry.asker is not None:
            self._tell_asker(entry.asker, "failure", entry.asker.on_failure, failure)

    def _tell_asker(self, asker: Asker, what: str, hook: Callable[..., object] | None, outcome: object) -> None:
        if hook is not None:
            self._tell(what, hook, (outcome,))
        if asker.on_end is not None:
            self._tell("end", asker.on_end, ())

    def _tell(self, what: str, hook: Callable[..., object], arguments: tuple[object, ...]) -> None:
        try:
            hook(*arguments)
        except BaseException as error:
            self._raised(what, error)

    def _raised(self, what: str, error: BaseException) -> None:
        obey_exit(error)
        self.on_internal_error(f"{what} of a message", error)
