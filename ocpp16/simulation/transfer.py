"""How the simulated station gets files and gives them away: the one place where a transfer by URL is put in."""

import shutil
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import trio

from ocpp16.transfer import TransferError, TransferFailure, TransferService

SCHEMES = frozenset({"ftp", "ftps", "http", "https", "sftp"})
"""Those that SupportedFileTransferProtocols has words for (security white paper ed. 3, appendix of keys)."""


class Transfer(Protocol):
    """One attempt each; whatever is raised is an attempt that failed. They can be cancelled."""

    async def download(self, url: str, path: Path) -> None:
        """Bring a file here."""
        ...

    async def upload(self, path: Path, url: str, *, is_resumed: bool) -> None:
        """Take a file there, under its own name. `is_resumed`: it was tried before, and what is there of it is its
        beginning."""
        ...

    async def verify(self, path: Path, certificate: str, signature: str) -> bool:
        """Is the signature of what was brought here (base64) by this certificate (PEM)?"""
        ...


class UrlTransfer:
    """Over the network, by `ocpp16.transfer`; signatures are verified for real."""

    def __init__(self, service: TransferService | None = None) -> None:
        self._service = service or TransferService()

    def protocols(self) -> list[str]:
        """As SupportedFileTransferProtocols has them: what can be done with what is installed."""
        return sorted(scheme.upper() for scheme in SCHEMES.intersection(self._service.schemes()))

    async def download(self, url: str, path: Path) -> None:
        await self._service.download(url, path)

    async def upload(self, path: Path, url: str, *, is_resumed: bool) -> None:
        await self._service.upload(path, url, is_resumed=is_resumed)

    async def verify(self, path: Path, certificate: str, signature: str) -> bool:
        from ocpp16.security.signature import verify_file_signature  # cryptography only where something is signed

        return await trio.to_thread.run_sync(verify_file_signature, path, certificate, signature)


class PlayedTransfer:
    """Nothing goes over a network. A download brings no file and is always signed right; what is uploaded is left in
    `folder`, if there is one. A URL of a scheme that nobody knows fails."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder

    async def download(self, url: str, path: Path) -> None:
        _check(url)

    async def upload(self, path: Path, url: str, *, is_resumed: bool) -> None:
        _check(url)
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, self.folder / path.name)

    async def verify(self, path: Path, certificate: str, signature: str) -> bool:
        return True


def _check(url: str) -> None:
    """Raises TransferError, which does not say the URL: it may hold a password."""
    try:
        scheme = urlsplit(url).scheme.lower()
    except ValueError:
        scheme = ""
    if scheme not in SCHEMES:
        raise TransferError(TransferFailure.UNSUPPORTED_SCHEME, "no transfer by a URL of this kind")
