"""Doors that a charge point must not go through: servers with something wrong about them, each on the port of the
Central System while that is away.

They are of the blocking `ssl` module and threads, which send the alerts that real servers send.
"""

import contextlib
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Self

from certificate_steps import put
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from forged import Forged, leaf, root, with_sha1
from patience import PATIENCE
from secure_site import Pki

from ocpp16.security.lab_pki import Authority, Issued, Use

ADDRESS = "127.0.0.1"
INVALID = "InvalidCentralSystemCertificate"
Serve = Callable[[socket.socket], None]
"""What is done with each connection, which is closed then."""


class Face(NamedTuple):
    """A server, part of the reason that the log tells, and the type of the security event ("": none)."""

    serve: Serve
    reason: str
    security_event: str = ""


class Door:
    """Listens on a port, serves each connection in a thread, and closes all of them in the end."""

    def __init__(self, port: int, serve: Serve) -> None:
        self._listener = socket.create_server((ADDRESS, port))
        self._serve = serve
        self._connections: list[socket.socket] = []
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                return
            with self._news:
                self._connections.append(connection)
                self._news.notify_all()
            threading.Thread(target=self._attend, args=(connection,), daemon=True).start()

    def _attend(self, connection: socket.socket) -> None:
        with contextlib.closing(connection), contextlib.suppress(OSError):
            self._serve(connection)

    @property
    def port(self) -> int:
        number: int = self._listener.getsockname()[1]
        return number

    def wait_for(self, count: int) -> None:
        """Until so many connections came. Raises AssertionError."""
        with self._news:
            assert self._news.wait_for(lambda: len(self._connections) >= count, PATIENCE), self._connections

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the one who accepts
        self._listener.close()
        self._thread.join()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def speaking(context: ssl.SSLContext) -> Serve:
    """TLS with this context; of the WebSocket nothing is said."""

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            while secure.recv(4096):
                pass

    return serve


def plain_text(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


def silent(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def cut_after(context: ssl.SSLContext, most: int) -> Serve:
    """The handshake as far as so many bytes of the server; then the line is cut."""

    def serve(connection: socket.socket) -> None:
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(to_server, to_client, server_side=True)
        to_server.write(connection.recv(65_536))
        with contextlib.suppress(ssl.SSLWantReadError):
            tls.do_handshake()
        connection.sendall(to_client.read()[:most])

    return serve


def proxy(connection: socket.socket) -> None:
    """HTTP CONNECT, for whoever has a name and a password; what they are is not looked at."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(4096)
    assert b"Proxy-Authorization: Basic " in head, head
    host, _, port = head.split()[1].decode().rpartition(":")
    with socket.create_connection((host, int(port))) as onward:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        back = threading.Thread(target=_pass_on, args=(onward, connection), daemon=True)
        back.start()
        _pass_on(connection, onward)
        back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class Faces:
    """What can be wrong with a server, by name. `pki` is that of the charge point, whose roots are in `certs`."""

    def __init__(self, pki: Pki, certs: Path) -> None:
        self._pki = pki
        self._now = time.time()
        self._certs = certs
        self._root = root("Weak", key="rsa", now=self._now)
        put(certs / "ca/csms/weak.pem", self._root.pem)
        """Trusted: what it signs is refused for other reasons."""
        good = self._context(self._issued())
        certificates = {
            "expired": self._certificate(pki.between.issue("c", names=(ADDRESS,), starts_in=-9, days=1), "has expired"),
            "not yet valid": self._certificate(self._issued(starts_in=1), "is not yet valid"),
            "wrong name": self._certificate(self._issued("127.0.0.2", "csms.example.com"), "IP address mismatch"),
            "wrong authority": self._certificate(
                Authority("Other", self._now - 60).issue("c", names=(ADDRESS,)), "sent only its own certificate"
            ),
            "self-signed": self._forged(
                Forged("c", key="ec", ca=False, now=self._now, address=ADDRESS), "self-signed certificate"
            ),
            "SHA-1": self._sha1(),
            "RSA 1024": self._forged(leaf(self._root, key="rsa1024", now=self._now, address=ADDRESS), "key too weak"),
            "revoked": self._revoked(),
        }
        handshakes = {
            "TLS 1.1": Face(
                speaking(self._old(good_for=self._issued())),
                "no common TLS version; at least TLS 1.2",
                "InvalidTLSVersion",
            ),
            "weak ciphers": Face(
                speaking(self._weak_ciphers(self._issued())), "no common cipher suite", "InvalidTLSCipherSuite"
            ),
            "plain text": Face(plain_text, "does not speak TLS on this port"),
        }
        cuts = {
            **{
                f"cut after {most}": Face(cut_after(good, most), "ended the connection in the middle of the handshake")
                for most in (0, 1, 60, 700)
            },
            "silent": Face(silent, "no answer from"),
        }
        self.groups = {"certificates": certificates, "handshakes": handshakes, "cuts": cuts}

    def _issued(self, *names: str, starts_in: float = 0) -> Issued:
        return self._pki.between.issue("c", names=names or (ADDRESS,), use=Use.SERVER, starts_in=starts_in)

    def _files(self, chain: str, key: bytes) -> tuple[Path, Path]:
        number = len(list(self._pki.folder.glob("bad*.pem")))
        return put(self._pki.folder / f"bad{number}.pem", chain), put(self._pki.folder / f"bad{number}.key", key)

    def _context(self, issued: Issued) -> ssl.SSLContext:
        return self._loaded(*self._files(issued.chain, issued.key.encode()))

    def _loaded(self, certificate: Path, key: Path) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # it knows no shame
        context.load_cert_chain(certificate, key)
        return context

    def _certificate(self, issued: Issued, reason: str) -> Face:
        return Face(speaking(self._context(issued)), reason, INVALID)

    def _forged(self, forged: Forged, reason: str) -> Face:
        return Face(speaking(self._loaded(*self._files(forged.pem, forged.key_pem()))), reason, INVALID)

    def _sha1(self) -> Face:
        made = leaf(self._root, key="rsa", now=self._now, address=ADDRESS)
        chain = ssl.DER_cert_to_PEM_cert(with_sha1(made, self._root))
        return Face(speaking(self._loaded(*self._files(chain, made.key_pem()))), "too weak", INVALID)

    def _old(self, good_for: Issued) -> ssl.SSLContext:
        context = self._context(good_for)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        return context

    def _weak_ciphers(self, issued: Issued) -> ssl.SSLContext:
        context = self._context(issued)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
        return context

    def _revoked(self) -> Face:
        issued = self._issued()
        self.revoked = x509.load_pem_x509_certificate(issued.certificate.encode()).serial_number
        return self._certificate(issued, "certificate revoked")

    def revoke(self) -> None:
        """The list of revoked certificates is there from now on."""
        authority = self._pki.between
        now = datetime.fromtimestamp(self._now, UTC)
        key = load_pem_private_key(authority.key.encode(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        revoked = x509.RevokedCertificateBuilder(self.revoked, now - timedelta(hours=1)).build()
        made = x509.CertificateRevocationListBuilder(
            x509.load_pem_x509_certificate(authority.certificate.encode()).subject,
            now - timedelta(hours=1),
            now + timedelta(days=30),
            revoked_certificates=[revoked],
        ).sign(key, hashes.SHA256())
        put(self._certs / "ca/csms/revoked.pem", made.public_bytes(Encoding.PEM))

    def wanting_certificates(self, of: Authority, reason: str, *, is_new: bool) -> Face:
        """A server that demands a client certificate of this authority, by TLS 1.3 or 1.2."""
        context = self._context(self._issued())
        context.load_verify_locations(cadata=of.certificate)
        context.verify_mode = ssl.CERT_REQUIRED
        if not is_new:
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        return Face(speaking(context), reason, "FailedToAuthenticateAtCentralSystem")
