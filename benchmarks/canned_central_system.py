"""A Central System that answers every CALL with a canned CALLRESULT, as fast as Python can: measured is the client.

    python benchmarks/canned_central_system.py [CERTIFICATE KEY]    # with a certificate: TLS

It prints its port, ends with its standard input, and says then what it saw.

It looks at the first bytes of a frame only, validates nothing, and shares no code with the library.
"""

import asyncio
import base64
import gc
import hashlib
import json
import re
import resource
import ssl
import sys
import time

TIME = "@@@@@@@@@@@@@@@@@@@@"
"""In the place of the time of an answer."""
ACCEPTED = {"idTagInfo": {"status": "Accepted"}}
ANSWERS = {
    "Authorize": ACCEPTED,
    "BootNotification": {"currentTime": TIME, "interval": 300, "status": "Accepted"},
    "Heartbeat": {"currentTime": TIME},
    "MeterValues": {},
    "SecurityEventNotification": {},
    "StartTransaction": {"transactionId": 4711, **ACCEPTED},
    "StatusNotification": {},
    "StopTransaction": ACCEPTED,
}
TEXTS = {action.encode(): b'",' + json.dumps(answer).encode() + b"]" for action, answer in ANSWERS.items()}
MARK = TIME.encode()
HEAD = 120
"""Bytes of a frame in which message id and action are."""
CALL = re.compile(rb'\[2,\s*"([^"]*)",\s*"([^"]*)"')
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING = 0x81, 0x88, 0x89

calls: dict[str, int] = {}
last: dict[str, float] = {}


class Connection(asyncio.Protocol):
    """One client. What it sends is taken to be right: whole frames of text, close and ping."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.buffer = b""
        self.is_open = False

    def data_received(self, data: bytes) -> None:
        data = self.buffer + data if self.buffer else data
        if not self.is_open:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self.buffer = head
                return
            self.accept(head)
        self.buffer = self.frames(data)

    def accept(self, head: bytes) -> None:
        found = re.search(rb"(?i)sec-websocket-key:\s*(\S+)", head)
        if found is None:
            self.transport.abort()
            return
        accept = base64.b64encode(hashlib.sha1(found[1] + GUID).digest())  # what RFC 6455 §4.2.2 asks for
        self.transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Protocol: ocpp1.6\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        self.is_open = True

    def frames(self, data: bytes) -> bytes:
        """Answer the whole frames; returns what is left."""
        at, end = 0, len(data)
        while end - at >= 6:
            length, head = data[at + 1] & 0x7F, at + 2
            if length >= 126:
                head += 2 if length == 126 else 8
                if end < head:
                    break
                length = int.from_bytes(data[at + 2 : head], "big")
            if end < head + 4 + length:
                break
            self.answer(data[at], data[head : head + 4], data[head + 4 : head + 4 + length])
            at = head + 4 + length
        return data[at:]

    def answer(self, opcode: int, mask: bytes, payload: bytes) -> None:
        if opcode == TEXT:
            found = CALL.match(unmasked(payload[:HEAD], mask))
            if found is None:
                return  # an answer to nothing
            text = TEXTS[found[2]]
            if MARK in text:
                text = text.replace(MARK, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()).encode())
            self.send(TEXT, b'[3,"' + found[1] + text)
            action = found[2].decode()
            calls[action] = calls.get(action, 0) + 1
            last[action] = time.monotonic()
        elif opcode == PING:
            self.send(PING + 1, unmasked(payload, mask))
        elif opcode == CLOSE:
            self.send(CLOSE, unmasked(payload, mask))
            self.transport.close()

    def send(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        head = bytes((opcode, size)) if size < 126 else bytes((opcode, 126, *size.to_bytes(2, "big")))
        self.transport.write(head + payload)


def unmasked(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    return (int.from_bytes(payload, "big") ^ key).to_bytes(size, "big")


async def main() -> None:
    loop = asyncio.get_running_loop()
    context = None
    if files := sys.argv[1:]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=8192, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin, ended.set)
    await ended.wait()
    print(json.dumps({"calls": calls, "last": last}), flush=True)


if __name__ == "__main__":
    highest = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest, highest))
    gc.disable()
    asyncio.run(main())
