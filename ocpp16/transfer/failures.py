"""Why a file could not be fetched or sent, in one family, so that whoever asked can decide whether to ask again.

The texts are shown, logged and may be sent to a Central System: they name no credentials. What a server says is quoted
only if none of them is in it (`Location.quoted`).
"""

import errno
from enum import StrEnum
from typing import Final

from ocpp16.errors import Ocpp16Error

__all__ = ["TransferError", "TransferFailure", "local_failure", "transfer_error_in"]


class TransferFailure(StrEnum):
    """What a TransferError is about."""

    BAD_URL = "bad URL"
    """It cannot be one, or names no file."""
    UNSUPPORTED_SCHEME = "unsupported scheme"
    """Nobody carries files by it here."""
    MISSING_LIBRARY = "missing library"
    """The scheme needs the extra `transfer`, which is not installed."""
    UNREACHABLE = "unreachable"
    """No such name, nobody listens, no way there."""
    TLS = "TLS"
    """No TLS connection, for another reason than the certificate."""
    CERTIFICATE = "certificate"
    """The server's certificate is not trusted, expired, or of another name."""
    HOST_KEY = "host key"
    """SFTP: the key of the server is unknown, or another one than is known."""
    AUTHENTICATION = "authentication"
    """User or password is not taken."""
    NOT_FOUND = "not found"
    """The server has no such file or folder."""
    REFUSED = "refused"
    """The server understood, and will not."""
    UNAVAILABLE = "unavailable"
    """The server cannot now."""
    REDIRECTED = "redirected"
    """Too often, to a connection less secure, or to another kind of server."""
    TOO_LARGE = "too large"
    """Larger than `max_bytes`, or than the server takes."""
    NO_SPACE = "no space"
    """Here: the disk is full."""
    REMOTE_FULL = "remote full"
    """There: the server has no room for the file."""
    LOCAL_FILE = "local file"
    """Here: the file cannot be read or written, or another transfer writes it."""
    TIMEOUT = "timeout"
    """Nothing moved for too long, or all of it took too long."""
    CUT_OFF = "cut off"
    """The connection ended before the file did."""
    PROTOCOL = "protocol"
    """The server answers what makes no sense."""
    FAULT = "fault"
    """A carrier of the host's own raised what it must not."""


_TEMPORARY: Final = frozenset(
    {
        TransferFailure.UNREACHABLE,
        TransferFailure.TLS,
        TransferFailure.UNAVAILABLE,
        TransferFailure.REMOTE_FULL,
        TransferFailure.TIMEOUT,
        TransferFailure.CUT_OFF,
        TransferFailure.PROTOCOL,
    }
)


class TransferError(Ocpp16Error):
    """A file could not be fetched or sent; a target that was there is as it was.

    `failure` is the reason as a `TransferFailure`, the text says it in a sentence without credentials.
    """

    def __init__(self, failure: TransferFailure, text: str) -> None:
        super().__init__(text)
        self.failure = failure

    @property
    def is_temporary(self) -> bool:
        """Can the same attempt succeed later, though nobody changes anything here? The retries of UpdateFirmware and
        GetDiagnostics (OCPP 1.6 §6.29, §6.55) are of use for these."""
        return self.failure in _TEMPORARY


def local_failure(error: OSError, what: str) -> TransferError:
    """What a file of this machine raised, `what` is its name as it may be shown."""
    reason = error.strerror or "it cannot be used"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return TransferError(TransferFailure.NO_SPACE, f"{what}: {reason}")
    return TransferError(TransferFailure.LOCAL_FILE, f"{what}: {reason}")


def transfer_error_in(error: BaseException) -> TransferError | None:
    """The first TransferError of an exception, or of a group as nurseries raise them."""
    waiting = [error]
    while waiting:
        found = waiting.pop(0)
        if isinstance(found, TransferError):
            return found
        if isinstance(found, BaseExceptionGroup):
            waiting += found.exceptions
    return None
