"""A Central System that shares no code with the charge point: the PyPI packages `ocpp` and `websockets`, on asyncio.

Run as a program of its own: `python csms_process.py [--port 0] [--interval 300] [--ahead 0]`; its clock is so many
seconds ahead of that of the machine. Standard input takes one JSON object
a line, `{"id": 1, "do": …}`, and each is answered with `{"id": 1, "ok": true, "result": …}` or `"ok": false` and
`"error"`. What happens is told as one JSON object a line on standard output:

    {"event": "listening", "port": …}          {"event": "opened" | "closed", "identity": …}; opened: `csms_gate.seen`
    {"event": "refused", "identity": …, "status": …}    an upgrade request; {"event": "unfinished"} one that never came
    {"event": "received" | "sent", "identity": …, "at": seconds, "text": …}        every text frame, in order
    {"event": "objection", "error": …}         whatever the `ocpp` package found wrong, in either direction
    {"event": "trouble", "error": …}           errors of this program and of its transport

Commands (`identity` may be left out while one charge point is connected):

    call(action, payload)              send a request; result: payload of the confirmation, or {"error": code}
    set(action, answer)                answer with this payload from now on; null: as usual again
    next(action, answers)              answer the next requests so, one after another: a payload; a text: a CALLERROR of
                                       this code; null: not at all
    post(text)                         send this text as it is, whatever it is; its answer goes to nobody but the log
    refuse(status, times=1)            answer the next upgrade requests with this HTTP status
    secure(chain, key, client_ca, version)   new connections have TLS: files in PEM; chain null: none
    demand(identity, keys, serials)    let it in by HTTP Basic only, with one of these keys, in hex; null: without; and
                                       with one of these client certificates
    subprotocol(is_taken)              agree on none with new connections, or on ocpp1.6 again
    reset                              forget all of the above, and `judge`, `drop`, `delay`
    judge(status, times=1)             the id tags of the next StartTransactions that come for the first time are so
    drop(action, times=1)              handle the next requests, but send no answer
    delay(seconds)                     let every answer wait that long
    close(code=1000), abort            end the connection, in order or not
    stop, listen                       be away: connections broken, port closed; come back on the same port

It answers like a real one: StartTransaction with the same connector, id tag, timestamp and meterStart is the same
transaction, however often it comes.
"""

# The package `ocpp` has no types.
# mypy: disable-error-code="misc, untyped-decorator"

import argparse
import asyncio
import json
import logging
import sys
import time
import uuid
from http import HTTPStatus
from typing import Any

from csms_gate import Gate, seen
from csms_script import Script
from ocpp.charge_point import camel_to_snake_case
from ocpp.exceptions import OCPPError
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import Action, AuthorizationStatus, DataTransferStatus, GenericStatus, RegistrationStatus
from patience import PATIENCE
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

ACCEPTED = {"status": AuthorizationStatus.accepted}


def tell(event: str, **members: Any) -> None:
    """One line on standard output."""
    sys.stdout.write(json.dumps({"event": event, **members}) + "\n")
    sys.stdout.flush()


class Complaints(logging.Handler):
    """Tells what is logged as an error: by `ocpp`, that is each message that it cannot read or that is invalid."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if record.getMessage() == "opening handshake failed":  # a charge point that does not believe our certificate
            tell("unfinished", error=repr(error))
            return
        event = "objection" if record.name == "ocpp" else "trouble"
        tell(event, error=f"{record.getMessage()[:500]}: {error!r}")


class Connected(ChargePoint):
    """One connected charge point, as this Central System sees it."""

    def __init__(self, identity: str, connection: ServerConnection, script: Script) -> None:
        super().__init__(identity, connection, response_timeout=PATIENCE)
        self.connection = connection
        self.script = script
        self.confirmations: dict[str, Any] = {}
        """Message id → payload of the answer to a request of ours, as it was on the wire."""
        self.asked: set[str] = set()
        """Message ids of the requests that the `ocpp` package sent; it is shown the answers to no others."""
        self._unanswered: set[str] = set()

    async def route_message(self, raw_msg: str) -> None:
        tell("received", identity=self.id, at=time.time(), text=raw_msg)
        kind, unique_id, *_ = json.loads(raw_msg)
        if kind == 2 or unique_id in self.asked:
            await super().route_message(raw_msg)

    async def _send(self, message: str) -> None:
        kind, unique_id, *_ = json.loads(message)
        if kind != 2 and unique_id in self._unanswered:
            self._unanswered.discard(unique_id)
            return
        tell("sent", identity=self.id, at=time.time(), text=message)
        try:
            await super()._send(message)
        except ConnectionClosed:
            if kind == 2:
                raise
            # Nobody waits for this answer any more; but what was said before the end is still to be read.

    async def _handle_call(self, msg: Any) -> Any:
        script = self.script
        if script.delay:
            await asyncio.sleep(script.delay)
        if script.drops.get(msg.action, 0) > 0:
            script.drops[msg.action] -= 1
            self._unanswered.add(msg.unique_id)
        if script.next.get(msg.action):
            answer = script.next[msg.action].pop(0)
            if isinstance(answer, str):
                await self._send(json.dumps([4, msg.unique_id, answer, "", {}]))
            elif answer is not None:
                await self._send(msg.create_call_result(answer).to_json())
            return None
        if msg.action in script.answers:
            return await self._send(msg.create_call_result(script.answers[msg.action]).to_json())
        return await super()._handle_call(msg)

    async def _get_specific_response(self, unique_id: str, timeout: float) -> Any:
        response = await super()._get_specific_response(unique_id, timeout)
        self.confirmations[unique_id] = getattr(response, "payload", None)
        return response

    @on(Action.boot_notification)
    def on_boot_notification(self, **_: Any) -> Any:
        return call_result.BootNotification(
            current_time=self.script.now(), interval=self.script.interval, status=RegistrationStatus.accepted
        )

    @on(Action.heartbeat)
    def on_heartbeat(self) -> Any:
        return call_result.Heartbeat(current_time=self.script.now())

    @on(Action.status_notification)
    def on_status_notification(self, **_: Any) -> Any:
        return call_result.StatusNotification()

    @on(Action.authorize)
    def on_authorize(self, **_: Any) -> Any:
        return call_result.Authorize(id_tag_info=ACCEPTED)

    @on(Action.start_transaction)
    def on_start_transaction(self, connector_id: int, id_tag: str, meter_start: int, timestamp: str, **_: Any) -> Any:
        transaction_id = self.script.transaction_id(self.id, connector_id, id_tag, timestamp, meter_start)
        status = self.script.judgements.get(transaction_id, AuthorizationStatus.accepted)
        return call_result.StartTransaction(transaction_id=transaction_id, id_tag_info={"status": status})

    @on(Action.stop_transaction)
    def on_stop_transaction(self, **_: Any) -> Any:
        return call_result.StopTransaction()

    @on(Action.meter_values)
    def on_meter_values(self, **_: Any) -> Any:
        return call_result.MeterValues()

    @on(Action.data_transfer)
    def on_data_transfer(self, **_: Any) -> Any:
        return call_result.DataTransfer(status=DataTransferStatus.accepted, data="received")

    @on(Action.sign_certificate)
    def on_sign_certificate(self, **_: Any) -> Any:
        return call_result.SignCertificate(status=GenericStatus.accepted)

    @on(Action.security_event_notification)
    def on_security_event_notification(self, **_: Any) -> Any:
        return call_result.SecurityEventNotification()

    @on(Action.firmware_status_notification)
    def on_firmware_status_notification(self, **_: Any) -> Any:
        return call_result.FirmwareStatusNotification()

    @on(Action.diagnostics_status_notification)
    def on_diagnostics_status_notification(self, **_: Any) -> Any:
        return call_result.DiagnosticsStatusNotification()

    @on(Action.log_status_notification)
    def on_log_status_notification(self, **_: Any) -> Any:
        return call_result.LogStatusNotification()

    @on(Action.signed_firmware_status_notification)
    def on_signed_firmware_status_notification(self, **_: Any) -> Any:
        return call_result.SignedFirmwareStatusNotification()


class CentralSystem:
    """Listens, keeps who is connected, carries out commands."""

    def __init__(self, port: int, interval: int, ahead: float) -> None:
        self.port = port
        self.script = Script(interval, ahead)
        self.connected: dict[str, Connected] = {}
        self.gate = Gate()
        self._server: Server | None = None
        self._left: list[Server] = []
        """Those that listen no more, and whose connections live on."""

    async def listen(self) -> None:
        if self._server is None:
            self._server = await serve(
                self._serve,
                "127.0.0.1",
                self.port,
                select_subprotocol=self.gate.choose,
                ssl=self.gate.context,
                open_timeout=PATIENCE,
                ping_timeout=PATIENCE,
                close_timeout=PATIENCE,
                process_request=self._admit,
            )
            self.port = self._server.sockets[0].getsockname()[1]
            tell("listening", port=self.port)

    async def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            for connected in tuple(self.connected.values()):
                connected.connection.transport.abort()
            server.close(close_connections=False)
            await server.wait_closed()

    async def _listen_anew(self) -> None:
        """On the same port, as the gate is now; connections stay."""
        if self._server is not None:
            self._server.server.close()
            self._left.append(self._server)
            self._server = None
            await self.listen()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        identity = request.path.rsplit("/", 1)[-1]
        if self.script.refusals > 0:
            self.script.refusals -= 1
            status = self.script.refusal
        elif not self.gate.lets_in(identity, connection, request):
            status = HTTPStatus.UNAUTHORIZED
        else:
            return None
        tell("refused", identity=identity, at=time.time(), status=status)
        return connection.respond(status, "")

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        identity = connection.request.path.rstrip("/").rsplit("/", 1)[-1]
        charge_point = Connected(identity, connection, self.script)
        self.connected[identity] = charge_point
        tell("opened", identity=identity, **seen(connection))
        try:
            await charge_point.start()
        except ConnectionClosed:
            pass
        finally:
            if self.connected.get(identity) is charge_point:
                del self.connected[identity]
            tell("closed", identity=identity)

    def _find(self, identity: str | None) -> Connected:
        if identity is None and len(self.connected) == 1:
            identity = next(iter(self.connected))
        if identity not in self.connected:
            raise ValueError(f"{identity} is not connected")
        return self.connected[identity]

    async def do(self, name: str, given: dict[str, Any]) -> Any:
        """Carry out one command. Raises ValueError."""
        script, identity = self.script, given.pop("identity", None)
        match name:
            case "call":
                request = getattr(call, given["action"])(**camel_to_snake_case(given.get("payload", {})))
                return await self._call(self._find(identity), request)
            case "set":
                if given["answer"] is None:
                    script.answers.pop(given["action"], None)
                else:
                    script.answers[given["action"]] = given["answer"]
            case "next":
                script.next[given["action"]] = list(given["answers"])
            case "post":
                connected = self._find(identity)
                tell("sent", identity=connected.id, at=time.time(), text=given["text"])
                await connected.connection.send(given["text"])
            case "refuse":
                script.refusal, script.refusals = HTTPStatus(given["status"]), given.get("times", 1)
            case "secure":
                self.gate.secure(given["chain"], given["key"], given.get("client_ca"), given.get("version"))
                await self._listen_anew()
            case "demand":
                self.gate.demand(identity, given["keys"], given.get("serials"))
            case "subprotocol":
                self.gate.takes_subprotocol = given["is_taken"]
            case "reset":
                script.reset()
                was_secure = self.gate.context is not None
                self.gate.reset()
                if was_secure:
                    await self._listen_anew()
            case "judge":
                script.judgement, script.judged = given["status"], given.get("times", 1)
            case "drop":
                script.drops[given["action"]] = given.get("times", 1)
            case "delay":
                script.delay = given["seconds"]
            case "close":
                await self._find(identity).connection.close(given.get("code", 1000))
            case "abort":
                self._find(identity).connection.transport.abort()
            case "stop":
                await self.stop()
            case "listen":
                await self.listen()
            case _:
                raise ValueError(f"no command {name}")
        return None

    async def _call(self, charge_point: Connected, request: Any) -> dict[str, Any]:
        unique_id = str(uuid.uuid4())
        charge_point.asked.add(unique_id)
        try:
            await charge_point.call(request, suppress=False, unique_id=unique_id)
        except OCPPError as error:
            if charge_point.confirmations.get(unique_id) is not None:
                tell("objection", error=f"{type(request).__name__}: {error!r}")
            return {"error": error.code, "description": error.description}
        payload: dict[str, Any] = charge_point.confirmations.pop(unique_id)
        return payload


async def serve_commands(central_system: CentralSystem) -> None:
    """Until the end of standard input."""
    reader = asyncio.StreamReader(limit=10_000_000)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    at_work: set[asyncio.Task[None]] = set()

    async def answer(request: dict[str, Any]) -> None:
        members: dict[str, Any] = {"id": request.pop("id", None)}
        try:
            members |= {"ok": True, "result": await central_system.do(request.pop("do"), request)}
        except (ValueError, KeyError, TypeError, TimeoutError, OSError, ConnectionClosed) as error:
            members |= {"ok": False, "error": repr(error)}
        sys.stdout.write(json.dumps(members) + "\n")
        sys.stdout.flush()

    while line := await reader.readline():
        task = asyncio.create_task(answer(json.loads(line)))
        at_work.add(task)
        task.add_done_callback(at_work.discard)


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--interval", type=int, default=300)
    parser.add_argument("--ahead", type=float, default=0)
    options = parser.parse_args()
    logging.getLogger().addHandler(Complaints(logging.ERROR))
    central_system = CentralSystem(options.port, options.interval, options.ahead)
    await central_system.listen()
    await serve_commands(central_system)
    await central_system.stop()


if __name__ == "__main__":
    asyncio.run(main())
