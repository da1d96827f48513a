"""The certificate that a server of ours shows, as options name it: files, or a folder with all of them."""

from pathlib import Path
from ssl import SSLContext

from ocpp16.cli.failure import CommandFailed
from ocpp16.security.tls import server_context

CHAIN, KEY, CLIENT_ROOTS = "chain.pem", "key.pem", "client_ca.pem"
"""Files of the folder: our certificate with the intermediate ones, its key, and roots of client certificates."""


def tls_context(tls: Path | None, key: Path | None, client_ca: Path | None) -> SSLContext | None:
    """Raises CommandFailed and ConfigurationError."""
    if tls is None:
        if key is not None or client_ca is not None:
            raise CommandFailed(f"{'--key' if key is not None else '--client-ca'} needs --tls")
        return None
    chain = tls
    if tls.is_dir() or (key is None and not tls.is_file()):
        chain, key = tls / CHAIN, key or tls / KEY
        client_ca = client_ca or (tls / CLIENT_ROOTS if (tls / CLIENT_ROOTS).is_file() else None)
    needed = f"--tls needs a folder with {CHAIN} and {KEY}, or a certificate and its --key"
    if key is None:
        raise CommandFailed(needed)
    for path in (chain, key):
        if not path.is_file():
            raise CommandFailed(f"{path}: there is no such file; {needed}")
    return server_context(chain, key, client_ca=client_ca)
