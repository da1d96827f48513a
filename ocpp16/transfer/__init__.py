"""Files by URL, for the firmware, the diagnostics and the logs of a station: HTTP, HTTPS, FTP, FTPS and SFTP.

    from ocpp16.transfer import TransferService

    service = TransferService(max_bytes=500_000_000)
    await service.download("https://updates.example.com/fw.bin", "/var/lib/station/fw.bin")
    await service.upload("/tmp/diagnostics.tar.gz", "ftp://user:secret@ftp.example.com/diagnostics/")

One call is one attempt; when to try again is the caller's to decide (`TransferError.is_temporary`). No charge point and
no message is known here. The extra `transfer` installs what the schemes need; each is imported when it is used first.
"""

from ocpp16.transfer.account import Progress
from ocpp16.transfer.carrier import Carrier
from ocpp16.transfer.ends import Receiver, Source
from ocpp16.transfer.failures import TransferError, TransferFailure
from ocpp16.transfer.location import Location
from ocpp16.transfer.part_file import discard_part
from ocpp16.transfer.service import Transferred, TransferService
from ocpp16.transfer.sftp_access import SftpAccess

__all__ = [
    "Carrier",
    "Location",
    "Progress",
    "Receiver",
    "SftpAccess",
    "Source",
    "TransferError",
    "TransferFailure",
    "TransferService",
    "Transferred",
    "discard_part",
]
