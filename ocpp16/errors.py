"""What can go wrong, and whose fault it is.

Three families under one base: *local* (our caller broke the rules), *remote* (the Central System did, and the error
carries what to answer or log), and *station or surroundings* (configuration, store, connection). Codec errors
(`FramingError`, `ValidationError`) are defined by the compiled core and re-exported here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ocpp16._core import FramingError, ValidationError
from ocpp16.enums import ErrorCode
from ocpp16.texts import shown

__all__ = [
    "CallFailed",
    "ChargePointStopped",
    "ConfigurationError",
    "ConnectionClosed",
    "ConnectionFailed",
    "FeatureNotBuilt",
    "FramingError",
    "HandshakeRefused",
    "LocalProtocolError",
    "Ocpp16Error",
    "Offline",
    "Refusal",
    "RemoteProtocolError",
    "SchemaTooNew",
    "StoreError",
    "ValidationError",
]


class Ocpp16Error(Exception):
    """Base of what a charge point raises on its own account, but for what Python has a word for: ValueError (of which
    the codec's two are), RuntimeError, TimeoutError."""

    def __reduce__(self) -> tuple[Any, ...]:
        """For copies, and for another process: `args`, as Exception has it, are not what many of these are made of."""
        return _as_it_was, (type(self), self.args), vars(self)


def _as_it_was(kind: type[Ocpp16Error], args: tuple[Any, ...]) -> Ocpp16Error:
    return kind.__new__(kind, *args)


class LocalProtocolError(Ocpp16Error):
    """We were about to send something that OCPP does not allow; nothing was sent."""


class RemoteProtocolError(Ocpp16Error):
    """The peer sent something that cannot be used, as a confirmation that does not fit its action."""


class Refusal(Ocpp16Error):
    """Raised by a handler to answer a CALL with a CALLERROR.

    Parameters: `code` goes on the wire, `description` (at most 255 characters are sent) says what is wrong without
    internals, `details` must be a JSON object (OCPP-J 1.6 §4.2.3).
    """

    def __init__(self, code: ErrorCode, description: str = "", details: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {description}" if description else str(code))
        self.code = code
        self.description = description
        self.details: dict[str, Any] = dict(details or {})


class CallFailed(Ocpp16Error):
    """A request of ours got no usable confirmation.

    `reason` is one of "callerror" (`code` and `description` hold what the Central System said), "timeout",
    "unreadable", "stopped" (the charge point was), "dropped" (the queue is full), "superseded" (by a newer
    message that tells it better), "invalid" (we could not make it valid), or "offline" (see Offline).
    """

    def __init__(self, action: str, reason: str, code: str = "", description: str = "") -> None:
        super().__init__(": ".join(part for part in (action, reason, code, description) if part))
        self.action = action
        self.reason = reason
        self.code = code
        self.description = description


class Offline(CallFailed):
    """The request could not be sent: no connection, or the charge point is not accepted yet."""

    def __init__(self, action: str, description: str = "") -> None:
        super().__init__(action, "offline", description=description)


class ChargePointStopped(Ocpp16Error):
    """The charge point was stopped, or was never started; the call needs it running. Or it was stopped before a change
    that was asked for was on disk: then nothing has changed."""


class FeatureNotBuilt(Ocpp16Error):
    """The call needs a feature profile that this charge point does not have: not listed, or the station lacks it."""


class ConfigurationError(Ocpp16Error):
    """The configuration cannot be used. `problems` lists every one, each naming section, key, value and reason.

    Of a configuration with more than 200 the first are listed, and a last text says that there are more.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems: tuple[str, ...] = tuple(problems)


class StoreError(Ocpp16Error):
    """The store could not be read or written. Nothing was acknowledged as stored that is not."""


class SchemaTooNew(StoreError):
    """The database was written by a newer version of this library."""


class ConnectionFailed(Ocpp16Error):
    """No connection could be made: name not found, refused, timed out, TLS, or the handshake (see HandshakeRefused)."""


class HandshakeRefused(ConnectionFailed):
    """The server answered the WebSocket upgrade with something else.

    `status` is the HTTP status (101 if only the subprotocol was wrong), `body` the beginning of its body as text, as
    it came; `retry_after` seconds from 0 to 86,400 that the server asks to be left alone (RFC 9110 §10.2.3), None
    where it does not say.
    """

    def __init__(self, status: int, body: str = "", reason: str = "", retry_after: float | None = None) -> None:
        text = f"HTTP {status}" + (f": {shown(reason)}" if reason else "") + (f" - {shown(body)}" if body else "")
        super().__init__(text if retry_after is None else f"{text} (it asks to be left alone for {retry_after:.0f} s)")
        self.status = status
        self.body = body
        self.reason = reason
        self.retry_after = retry_after


class ConnectionClosed(Ocpp16Error):
    """The connection is gone. `code` is the WebSocket close code (1006: no close frame was seen), `reason` its text."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"connection closed with {code}" + (f" ({shown(reason)})" if reason else ""))
        self.code = code
        self.reason = reason
