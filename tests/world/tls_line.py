"""One connection over TLS whose records a test has in hand: our end on a socket, OpenSSL's other end in memory, and
what OpenSSL would not say.
"""

import socket
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import trio
import trustme
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from ocpp16.security.tls import client_context
from ocpp16.transport.handshake import Upgraded
from ocpp16.transport.tls_records import TlsRecords
from ocpp16.transport.tls_stream import TlsStream
from ocpp16.transport.websocket import WebSocket

CA = trustme.CA()
CERTIFICATE = CA.issue_cert("csms", key_type=trustme.KeyType.ECDSA)
NEW, OLD = ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2


class Server:
    """OpenSSL's other end: the test hands on the records that it makes."""

    def __init__(self, far: socket.socket, context: ssl.SSLContext) -> None:
        self.far = far
        self._received, self._made = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._received, self._made, server_side=True)
        self.heard = b""
        self.end = ""

    def hear(self) -> None:
        """Take what has come."""
        with suppress(BlockingIOError):
            while data := self.far.recv(65_536):
                self._received.write(data)
        try:
            self.tls.do_handshake()
            while not self.end:
                part = self.tls.read(65_536)
                self.heard += part
                self.end = "" if part else "farewell"
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self.end = error.reason or ""

    def made(self) -> bytes:
        """The records that it has made."""
        return self._made.read()

    def say(self, text: bytes) -> bytes:
        """A text frame of a WebSocket as records."""
        size = len(text)
        self.tls.write((bytes((0x81, size)) if size < 126 else bytes((0x81, 126, *size.to_bytes(2, "big")))) + text)
        return self.made()


class Line:
    """Both ends of one connection: `records` ours, `server` theirs; `websocket` what comes of it."""

    def __init__(self, client: Any, server: ssl.SSLContext) -> None:
        near, far = socket.socketpair()
        far.setblocking(False)
        self.stream = TlsStream(trio.SocketStream(trio.socket.from_stdlib_socket(near)), client, "csms")
        self.records: TlsRecords = self.stream.records
        self.server = Server(far, server)
        self.websocket = WebSocket(self.stream, Upgraded(None, None, b""), request=None, max_message_size=1 << 20)

    def deliver(self, data: bytes) -> None:
        self.server.far.sendall(data)

    def shake(self, *cuts: int) -> None:
        """The handshake, with the server's part of it in pieces that end at `cuts`."""
        while not self.records.shake():
            self.server.hear()
            flight = self.server.made()
            for begin, end in zip((0, *cuts), (*cuts, len(flight)), strict=True):
                if flight[begin:end]:
                    self.deliver(flight[begin:end])
                    self.records.fetch()
                    self.records.shake()
        self.server.hear()
        self.deliver(self.server.made())

    def texts(self) -> list[str]:
        """What comes by as many turns as there is something for."""
        found: list[str] = []
        while True:
            before = len(found)
            found += self.websocket.read_now()
            if len(found) == before and not self.websocket.waits:
                return found


class Site:
    def __init__(self, folder: Path) -> None:
        self.secrets = folder / "secrets"
        CA.cert_pem.write_to_path(str(folder / "roots.pem"))
        self.client = client_context(folder / "roots.pem")
        self.lines: list[Line] = []

    def line(self, version: ssl.TLSVersion = NEW, *, client: Any = None, by: trustme.LeafCert = CERTIFICATE) -> Line:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = context.maximum_version = version
        by.configure_cert(context)
        context.keylog_filename = str(self.secrets)
        self.lines.append(Line(client or self.client, context))
        return self.lines[-1]

    def forger(self) -> "Forger":
        return Forger(self.secrets.read_text())


class Forger:
    """Makes records of the server's that OpenSSL would not make (RFC 8446 §5.2, §7.3)."""

    def __init__(self, secrets: str) -> None:
        found = [line.split()[2] for line in secrets.splitlines() if line.startswith("SERVER_TRAFFIC_SECRET_0")]
        secret = bytes.fromhex(found[-1])
        digest = hashes.SHA384() if len(secret) == 48 else hashes.SHA256()

        def derived(label: bytes, size: int) -> bytes:
            info = size.to_bytes(2, "big") + bytes((len(label) + 6,)) + b"tls13 " + label + b"\0"
            return HKDFExpand(digest, size, info).derive(secret)

        self._cipher = AESGCM(derived(b"key", 32 if len(secret) == 48 else 16))
        self._iv = int.from_bytes(derived(b"iv", 12), "big")

    def record(self, number: int, kind: int, content: bytes) -> bytes:
        """`number` of those that were made with the same key before it."""
        head = b"\x17\x03\x03" + (len(content) + 17).to_bytes(2, "big")
        nonce = (self._iv ^ number).to_bytes(12, "big")
        return head + self._cipher.encrypt(nonce, content + bytes((kind,)), head)


class Spy:
    """A context whose connections tell what OpenSSL's buffers hold at most."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self.most = 0
        self.is_shaking = False
        """In the middle of another handshake."""

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, **options: Any) -> Any:
        self._ends = incoming, outgoing
        self._tls = self._context.wrap_bio(incoming, outgoing, **options)
        return self

    def _look(self) -> None:
        self.most = max(self.most, *(end.pending for end in self._ends))

    def read(self, size: int) -> bytes:
        self._look()
        return self._tls.read(size)

    def write(self, data: bytes) -> int:
        if self.is_shaking:
            raise ssl.SSLWantReadError
        try:
            return self._tls.write(data)
        finally:
            self._look()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tls, name)
