"""What carries files for one scheme of URLs."""

from typing import Protocol

from ocpp16.transfer.ends import Receiver, Source
from ocpp16.transfer.location import Location

__all__ = ["Carrier"]


class Carrier(Protocol):
    """Fetches and sends files, one attempt for a call; for schemes of your own, see `TransferService.carriers`.

    Both methods may be cancelled wherever they wait, and are: when nothing moves or all of it takes too long, too. They
    raise TransferError for what goes wrong; anything else that they raise is told as one with FAULT.
    """

    async def download(self, location: Location, receiver: Receiver) -> None:
        """Fetch the file and put it into the receiver: `begin`, then `write`. It is whole when this returns."""

    async def upload(self, source: Source, location: Location, is_resumed: bool) -> Location:
        """Send the file: `begin`, then `read` until there is no more. Returns where it lies now.

        `is_resumed`: what the server has of a file of that name is the beginning of this one, from an earlier attempt.
        """
        ...
