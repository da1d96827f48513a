"""A request whose confirmation is waited for."""

import trio

from ocpp16.errors import CallFailed
from ocpp16.profiles.sender import Payload, Sender


async def call(
    sender: Sender, action: str, payload: Payload, *, timeout: float | None = None, line_time: float | None = None
) -> Payload:
    """Send a request and wait for its confirmation: `timeout` seconds at most, the wait for its turn included.

    Without `timeout`, twice the time any request has. `line_time`: seconds for which it may hold up all other requests;
    then these go on, as after a timeout (OCPP-J 1.6 §4.1.1), and the answer is waited for beside them. Raises `Offline`
    at once when it cannot be sent, `CallFailed` for a CALLERROR, an unreadable answer, a timeout or a lost connection.
    Never called from a handler.
    """
    answer = _Answer()
    held = timeout if line_time is None else line_time
    entry = sender.ask(action, payload, held, answer.confirm, answer.fail, line_time is not None)
    try:
        with trio.move_on_after(sender.longest_wait if timeout is None else timeout):
            await answer.event.wait()
    finally:
        if not answer.event.is_set():
            answer.fail(CallFailed(action, "timeout"))
            sender.no_longer_asks(entry)
    if answer.error is not None:
        raise answer.error
    return answer.payload


class _Answer:
    __slots__ = ("error", "event", "payload")

    def __init__(self) -> None:
        self.event = trio.Event()
        self.payload: Payload = {}
        self.error: CallFailed | None = None

    def confirm(self, payload: Payload) -> None:
        self.payload = payload
        self.event.set()

    def fail(self, error: CallFailed) -> None:
        self.error = error
        self.event.set()
