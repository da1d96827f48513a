"""Through a proxy of HTTP: CONNECT (RFC 9110 §9.3.6), after which the stream belongs to whom we wanted to reach.

The proxy finds the name of the Central System itself, so that no resolver of ours has to know it.
"""

from base64 import b64encode
from typing import NamedTuple, Self
from urllib.parse import unquote, urlsplit

import trio

from ocpp16.errors import ConnectionFailed
from ocpp16.redaction import without_password
from ocpp16.texts import shown

__all__ = ["ProxyAddress", "open_tunnel"]

HEAD_LIMIT = 8192
"""Bytes of an answer at most."""


class ProxyAddress(NamedTuple):
    """`credentials`: value of Proxy-Authorization, "" where none are given."""

    host: str
    port: int
    credentials: str

    def __repr__(self) -> str:
        return f"<proxy {self.host}:{self.port}>"

    @classmethod
    def of(cls, uri: str) -> Self:
        """Of a text that `ocpp16.address.proxy_problems` has nothing against."""
        parts = urlsplit(uri)
        assert parts.hostname is not None
        assert parts.port is not None
        credentials = ""
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            credentials = "Basic " + b64encode(pair.encode()).decode()
        return cls(parts.hostname, parts.port, credentials)


async def open_tunnel(stream: trio.abc.Stream, proxy: ProxyAddress, host: str, port: int) -> None:
    """Have the proxy connect to host and port. Raises ConnectionFailed that says what it answered instead."""
    target = f"[{host}]:{port}" if ":" in host else f"{host.encode('idna').decode()}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.credentials:
        lines.append(f"Proxy-Authorization: {proxy.credentials}")
    await stream.send_all(("\r\n".join(lines) + "\r\n\r\n").encode())
    head = await _head(stream)
    status = without_password(head.partition(b"\r\n")[0].decode("latin-1"), proxy.credentials)
    words = status.split(None, 2)
    if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdigit():
        raise ConnectionFailed(f"proxy: no answer of HTTP but {shown(status[:60])}")
    if not words[1].startswith("2"):
        reason = words[2] if len(words) > 2 else ""
        raise ConnectionFailed(f"proxy: refused to connect to {target}: {words[1]} {shown(reason)}".rstrip())


async def _head(stream: trio.abc.Stream) -> bytes:
    """Up to the blank line, byte by byte: what follows it is not ours to take."""
    head = bytearray()
    while not head.endswith(b"\r\n\r\n"):
        if len(head) >= HEAD_LIMIT:
            raise ConnectionFailed(f"proxy: its answer is longer than {HEAD_LIMIT} bytes")
        byte = await stream.receive_some(1)
        if not byte:
            raise ConnectionFailed("proxy: it closed the connection")
        head += byte
    return bytes(head)
