"""A small Central System of OCPP 1.6J: asyncio, the package `ocpp`, and `websockets`.

python central_system.py 9000        # charge points connect to ws://127.0.0.1:9000/ocpp/<id>
"""

import asyncio
import sys
from contextlib import suppress
from datetime import UTC, datetime

from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

KNOWN_CARDS = {f"CARD{number}" for number in range(1, 201)}


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Session(ChargePoint):
    """The connection of one charge point: what is answered to what it asks."""

    def __init__(self, identity: str, connection: ServerConnection, csms: "CentralSystem") -> None:
        super().__init__(identity, connection, response_timeout=10)
        self.csms = csms

    @on("BootNotification")
    def on_boot(self, **_: object) -> call_result.BootNotification:
        return call_result.BootNotification(current_time=now(), interval=300, status="Accepted")

    @on("Heartbeat")
    def on_heartbeat(self) -> call_result.Heartbeat:
        return call_result.Heartbeat(current_time=now())

    @on("StatusNotification")
    def on_status(self, connector_id: int, status: str, **_: object) -> call_result.StatusNotification:
        self.csms.statuses[self.id, connector_id] = status
        return call_result.StatusNotification()

    @on("Authorize")
    def on_authorize(self, id_tag: str) -> call_result.Authorize:
        return call_result.Authorize(id_tag_info=self.csms.judge(id_tag))

    @on("StartTransaction")
    def on_start(self, id_tag: str, meter_start: int, **_: object) -> call_result.StartTransaction:
        number = len(self.csms.energy) + 1
        self.csms.energy[number] = -meter_start
        return call_result.StartTransaction(transaction_id=number, id_tag_info=self.csms.judge(id_tag))

    @on("MeterValues")
    def on_meter_values(self, **_: object) -> call_result.MeterValues:
        return call_result.MeterValues()

    @on("StopTransaction")
    def on_stop(self, transaction_id: int, meter_stop: int, **_: object) -> call_result.StopTransaction:
        self.csms.energy[transaction_id] += meter_stop
        return call_result.StopTransaction()


class CentralSystem:
    """All charge points. energy: Wh by transaction; statuses: by charge point and connector."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.statuses: dict[tuple[str, int], str] = {}
        self.energy: dict[int, int] = {}
        self.port = 0

    def judge(self, id_tag: str) -> dict[str, str]:
        return {"status": "Accepted" if id_tag in KNOWN_CARDS else "Invalid"}

    async def remote_start(self, identity: str, id_tag: str) -> str:
        answer = await self.sessions[identity].call(call.RemoteStartTransaction(id_tag=id_tag, connector_id=1))
        return answer.status

    async def serve(self, port: int = 0) -> Server:
        server = await serve(self._connected, "127.0.0.1", port, subprotocols=["ocpp1.6"])
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _connected(self, connection: ServerConnection) -> None:
        identity = connection.request.path.rpartition("/")[2]
        session = self.sessions[identity] = Session(identity, connection, self)
        with suppress(ConnectionClosed):
            await session.start()
        if self.sessions[identity] is session:
            del self.sessions[identity]


async def main(port: int) -> None:
    csms = CentralSystem()
    async with await csms.serve(port) as server:
        print(f"ws://127.0.0.1:{csms.port}/ocpp", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 9000))
