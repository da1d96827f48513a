"""Many charge points of one block over TLS, whose wire does at random what no wire should, beside all that hosts,
network and Central System do: every transaction is told whole, nobody is stuck, no secret is in a log, no socket stays
open.
"""

import logging
import os
import socket
import ssl
import time
from base64 import b64encode
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trio
import trio.testing
from many_stories import HOUR, World

from ocpp16 import open_charge_points
from ocpp16.errors import CallFailed, ConnectionClosed, ConnectionFailed, Offline
from ocpp16.security.lab_pki import Authority, Use
from ocpp16.security.tls import server_context
from ocpp16.testing import CentralSystem
from ocpp16.testing.server_tls import accept_tls
from ocpp16.transport import dial

COUNT = 2
PASSWORD = "Sw0rdfish-Sw0rdfish"
HEAD = 5
"""Bytes of a record's head, whose last two say how long it is."""


class Wire(trio.abc.Stream):
    """The end of the Central System below TLS: it knows where records begin, and does one thing wrong in its time."""

    def __init__(self, carrier: trio.SocketStream, random: Random, *, is_sound: bool) -> None:
        self._carrier = carrier
        self._random = random
        self._left = 1_000_000 if is_sound else int(random.expovariate(1 / random.choice((4, 60))))
        """Records until it does."""
        self._wrong = random.choice(tuple(WRONG))
        self._size = random.choice((1, 50, 100_000, 100_000))
        """Bytes that it hands on at a time, at most."""
        self._is_joining = random.random() < 0.3
        self._kept = b""
        self._is_silent = False
        self._pause = 0.0

    async def send_all(self, data: Any) -> None:
        raw = bytes(data)
        while raw:
            size = HEAD + int.from_bytes(raw[3:HEAD], "big")
            record, raw = raw[:size], raw[size:]
            self._left -= 1
            if self._left < 0:
                self._left = 1_000_000
                record = await WRONG[self._wrong](self, record)
            self._kept += record
            if not self._is_joining:
                await self._hand_on()
        await self._hand_on()

    async def _hand_on(self) -> None:
        data, self._kept = self._kept, b""
        if self._is_silent:
            await trio.sleep_forever()
        while data:
            size = self._random.randint(1, self._size)
            await self._carrier.send_all(data[:size])
            data = data[size:]
            if self._pause:
                await trio.sleep(self._pause)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        if self._pause:
            await trio.sleep(self._pause)
        if self._is_silent:
            await trio.sleep_forever()
        return bytes(await self._carrier.receive_some(1 if self._pause else max_bytes))

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    def close(self) -> None:
        self._carrier.socket.close()

    async def aclose(self) -> None:
        await self._carrier.aclose()

    # What goes wrong: each returns the record as it goes on

    async def _cut(self, record: bytes) -> bytes:
        self._kept += record[: self._random.randrange(len(record) + 1)]
        await self._hand_on()
        self.close()
        raise trio.BrokenResourceError

    async def _says_nothing_more(self, record: bytes) -> bytes:
        self._is_silent = True
        return record

    async def _becomes_slow(self, record: bytes) -> bytes:
        self._size, self._pause = 1, 1.0
        return record

    async def _garbage(self, record: bytes) -> bytes:
        return self._random.randbytes(self._random.randint(1, 400)) + record

    async def _too_large(self, record: bytes) -> bytes:
        return b"\x17\x03\x03\xff\xff" + bytes(20_000) + record

    async def _alert(self, record: bytes) -> bytes:
        return b"\x15\x03\x03\0\2\2" + self._random.randbytes(1) + record

    async def _bit(self, record: bytes) -> bytes:
        place = self._random.randrange(len(record))
        return record[:place] + bytes((record[place] ^ 1 << self._random.randrange(8),)) + record[place + 1 :]


WRONG = {
    "cut": Wire._cut,
    "silence": Wire._says_nothing_more,
    "slow": Wire._becomes_slow,
    "garbage": Wire._garbage,
    "too large": Wire._too_large,
    "alert": Wire._alert,
    "bit": Wire._bit,
}


class Site:
    """Certificates of both sides, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._now = time.time() - 40 * 86_400
        self.root, self.other = Authority("Root", self._now), Authority("Another root", self._now)
        self._put("certs/ca/csms/CSMS_ROOT_CA.pem", self.root.certificate)
        self._clients = self._put("clients.pem", self.root.certificate)
        self.keys: list[str] = []
        self.renew()
        self.good = [self.context("good", version) for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)]
        self.bad = [
            self.context("other", by=self.other),
            self.context("name", name="else.example"),
            self.context("expired", days=1),
        ]

    @property
    def certs(self) -> Path:
        return self._folder / "certs"

    def renew(self) -> None:
        """Another client certificate beside those that are there."""
        number = len(self.keys)
        issued = self.root.issue("client", organization="Operator", use=Use.CLIENT, days=400 + number)
        self._put(f"certs/client/csms/{number}.key", issued.key).chmod(0o600)
        self._put(f"certs/client/csms/{number}.pem", issued.chain)
        self.keys.append(issued.key)

    def context(
        self,
        file: str,
        version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        *,
        by: Authority | None = None,
        name: str = "csms.example",
        days: int = 400,
    ) -> ssl.SSLContext:
        issued = (by or self.root).issue("csms", names=[name], use=Use.SERVER, days=days)
        chain, key = self._put(f"{file}.pem", issued.chain), self._put(f"{file}.key", issued.key)
        context = server_context(chain, key, client_ca=self._clients)
        context.verify_mode, context.maximum_version = ssl.CERT_OPTIONAL, version
        return context

    def _put(self, name: str, text: str) -> Path:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


class Secured(World):
    """The same over TLS, as security profiles 2 and 3 have it."""

    def __init__(self, site: Site, *others: Any) -> None:
        super().__init__(*others)
        self.site = site
        self.anchor = time.time()
        self.failed = 0
        """Handshakes that came to nothing."""
        self.is_known = False
        """Did anybody connect yet?"""
        self.keys = {
            "Internal__CentralSystemURI": "wss://csms.example/ocpp/",
            "Security__SecurityProfile": 2,
            "Security__AuthorizationKey": f"text:{PASSWORD}",
        }

    def options(self) -> dict[str, Any]:
        return {"certificates_path": self.site.certs}

    async def resolve(self, host: str, port: int) -> Any:
        await trio.lowlevel.checkpoint()
        return [(socket.AF_INET, (host, port))]

    async def connect(self, *_: object) -> trio.SocketStream:
        """In the place of TCP."""
        await trio.lowlevel.checkpoint()
        near, far = (trio.SocketStream(trio.socket.from_stdlib_socket(end)) for end in socket.socketpair())
        near.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.csms.start_soon(self._accept, far)
        return near

    async def _accept(self, far: trio.SocketStream) -> None:
        is_first, self.is_known = not self.is_known, True
        is_sound = is_first or self.is_over or self.random.random() < 0.3
        contexts = self.site.good if is_sound or self.random.random() < 0.9 else self.site.bad
        if is_first:  # a story may come to no other wrong certificate
            contexts = self.site.bad
        wire: Any = Wire(far, Random(self.random.random()), is_sound=is_sound)
        try:
            stream = await accept_tls(wire, self.random.choice(contexts))
        except ConnectionFailed:
            self.failed += 1
        else:
            await self.csms._serve(stream)

    async def operator(self) -> None:
        """Asks for security profile 3, and renews the client certificate."""
        while not self.is_over:
            await trio.sleep(self.random.uniform(30, 300))
            who = f"cp{self.random.randrange(COUNT)}"
            with suppress(Offline, ConnectionClosed, CallFailed):
                await self.csms.call(who, "ChangeConfiguration", {"key": "SecurityProfile", "value": "3"})
            if len(self.site.keys) < 4:
                self.site.renew()


async def test_every_transaction_is_told_whole(
    autojump_clock: trio.testing.MockClock,
    make_config: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    site, now = Site(tmp_path), time.time()
    descriptors = len(os.listdir("/proc/self/fd"))
    async with CentralSystem(now=lambda: round((now + trio.current_time()) * 1e6)) as csms:
        async with open_charge_points(database_path=tmp_path) as charge_points:
            world = Secured(site, csms, charge_points, make_config, COUNT, HOUR / 4)
            monkeypatch.setattr(dial, "_resolve", world.resolve)
            monkeypatch.setattr(dial, "_connect_address", world.connect)
            await world.live(world.operator)
            await world.judge()
            assert world.failed > 3
            for number in range(COUNT):
                await world.is_prompt(f"cp{number}")
        sent = "".join(record.text for record in csms.traffic)
    assert len(os.listdir("/proc/self/fd")) <= descriptors
    told = caplog.text + sent
    assert "TLS: the certificate of csms.example is refused" in told
    for key in site.keys:
        assert all(line not in told for line in key.splitlines()[1:-1])
    for secret in (PASSWORD, b64encode(f"cp0:{PASSWORD}".encode()).decode()[:-4]):
        assert secret not in told
