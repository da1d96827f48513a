"""The child of `fleet.py` for what sockets and trio cost by themselves: connections with no charge point behind them.

    python benchmarks/fleet_bare.py PORT COUNT

Each has one task. When all are connected, each sends as many frames of the same sizes as a charge point of `fleet.py`
has CALLs, written beforehand and the same for all, and waits for bytes after each: nothing is made, read, checked or
kept. It is the part of a CALL, and of what it costs more among many, that no client can save.
"""

import json
import socket
import sys

import trio
from children import allow_files, cpu_seconds, tell
from fleet import AT_ONCE, METER_VALUES, VALUES
from payloads import sampled_values

TIME = "2026-01-05T10:15:30Z"
OTHERS = 6
"""CALLs of a transaction that are no MeterValues."""
HANDSHAKE = (
    "GET /CP{number:05} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
)


def frame(action: str, payload: object) -> bytes:
    """A CALL as a client sends it, its mask zero (RFC 6455 §5.3)."""
    text = json.dumps([2, "1", action, payload], separators=(",", ":")).encode()
    size = bytes((0x80 | len(text),)) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
    return b"\x81" + size + bytes(4) + text


METER_VALUE = [{"timestamp": TIME, "sampledValue": sampled_values(VALUES)}]
LARGE = frame("MeterValues", {"connectorId": 1, "transactionId": 4711, "meterValue": METER_VALUE})
SMALL = frame(
    "StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available", "timestamp": TIME}
)


class Bare:
    def __init__(self, port: int, count: int) -> None:
        self.port = port
        self.count = count
        self.limit = trio.CapacityLimiter(AT_ONCE)
        self.up = 0
        self.all_up = trio.Event()
        self.began = 0.0

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            for number in range(self.count):
                nursery.start_soon(self.drive, number)
        tell(cpu_us_per_call=(cpu_seconds() - self.began) / self.count / (METER_VALUES + OTHERS) * 1e6)

    async def drive(self, number: int) -> None:
        async with self.limit:
            connection = await self.connected(number)
        self.up += 1
        if self.up == self.count:
            self.began = cpu_seconds()
            self.all_up.set()
        await self.all_up.wait()
        with connection:
            for text in [SMALL] * OTHERS + [LARGE] * METER_VALUES:
                sent = connection.send(text)
                assert sent == len(text)
                await trio.lowlevel.wait_readable(connection)
                assert connection.recv(4096)

    async def connected(self, number: int) -> socket.socket:
        connecting = await trio.open_tcp_stream("127.0.0.1", self.port)
        await connecting.send_all(HANDSHAKE.format(number=number).encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += await connecting.receive_some(4096)
        connection = socket.socket(fileno=connecting.socket.detach())
        connection.setblocking(False)
        return connection


if __name__ == "__main__":
    allow_files(int(sys.argv[2]) + 100)
    trio.run(Bare(int(sys.argv[1]), int(sys.argv[2])).run)
