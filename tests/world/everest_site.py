"""A site: a Central System, EVerest's double, and the module between them, each in threads of its own."""

import itertools
import json
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from everest_double import TIMEOUT, Everest
from host_faces import Server

from ocpp16.everest.module import OcppModule

_NUMBERS = itertools.count()
NEWER = ("ocpp_generic", "monitor_and_get_variables")
"""A command that the interface files at hand do not have yet."""


def meter(energy: float = 1000.0, **more: Any) -> dict[str, Any]:
    """A Powermeter."""
    return {"timestamp": now(), "energy_Wh_import": {"total": energy}, **more}


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def token(value: str = "TAG1", kind: str = "RFID", **more: Any) -> dict[str, Any]:
    """A ProvidedIdToken."""
    return {"id_token": {"value": value, "type": "ISO14443"}, "authorization_type": kind, **more}


def event(name: str, session: str = "s1", **more: Any) -> dict[str, Any]:
    """A SessionEvent."""
    return {"uuid": session, "event": name, "timestamp": now(), **more}


def variable(name: str, **more: Any) -> dict[str, Any]:
    """A ComponentVariable."""
    return {"component": {"name": "InternalCtrlr"}, "variable": {"name": name, **more}}


def by_key(name: str) -> dict[str, Any]:
    """What EVerest's own module names a variable by."""
    return {"component_variable": {"component": {"name": ""}, "variable": {"name": name}}}


def error(kind: str, *, evse: int | None = None, message: str = "it broke", sub_type: str = "") -> Any:
    """The framework's Error."""
    mapping = None if evse is None else SimpleNamespace(evse=evse, connector=None)
    origin = SimpleNamespace(module_id="yeti", implementation_id="board", mapping=mapping)
    return SimpleNamespace(
        type=kind,
        sub_type=sub_type,
        message=message,
        description="",
        severity="High",
        origin=origin,
        uuid=SimpleNamespace(uuid=f"uuid-{next(_NUMBERS)}"),
        state="Active",
        timestamp=datetime.now(UTC),
    )


class Site:
    """`everest` are the arguments of Everest; `document` sections over the usual configuration of the charge point."""

    def __init__(
        self,
        server: Server,
        folder: Path,
        *,
        document: dict[str, Any] | None = None,
        config: dict[str, Any] | None = None,
        identity: str = "CP1",
        **everest: Any,
    ) -> None:
        self.server = server
        self.folder = folder
        self.identity = identity
        share = folder / "share"
        share.mkdir(parents=True, exist_ok=True)
        whole = server.config(identity, StopTimeout=1)
        del whole["Core"]["NumberOfConnectors"]
        for section, keys in (document or {}).items():
            whole[section] = {**whole.get(section, {}), **keys}
        (share / "ocpp-config.json").write_text(json.dumps(whole))
        given = {"DatabasePath": str(folder / "db"), "MessageLogPath": str(folder / "log"), **(config or {})}
        self.everest = Everest(str(share), config=given, **everest)
        self.module = OcppModule(self.everest.module, self.everest.module.say_hello())
        self.code: int | None = None
        self.sessions: dict[int, dict[str, Any]] = {}
        """The last of each EVSE, by `plug_in`."""
        self._thread = threading.Thread(target=self._run, name="module")

    def _run(self) -> None:
        self.code = self.module.run()

    def begin(self) -> None:
        """As far as `init_done`."""
        self._thread.start()
        assert self.everest.is_initialised.wait(TIMEOUT)

    def start(self) -> "Site":
        """As far as an accepted BootNotification, and replayed events."""
        self.begin()
        self.everest.all_ready()
        self.everest.evses_ready()
        self.wait_registered()
        return self

    def wait_registered(self) -> None:
        self.everest.wait_published("ocpp_generic", "boot_notification_response")

    def wait_call(self, action: str, count: int = 1) -> dict[str, Any]:
        """Payload of this CALL of the charge point."""
        found = self.server.do(self.wait_for, action, count)
        payload: dict[str, Any] = found.payload
        return payload

    async def wait_for(self, action: str, count: int) -> Any:
        return await self.server.system.wait_for_call(action, count, identity=self.identity, timeout=TIMEOUT)

    def status(self, connector: int, status: str) -> dict[str, Any]:
        """Wait until the last StatusNotification of a connector is this, and return it."""
        found: dict[str, Any] = {}

        def last() -> bool:
            calls = self.server.system.calls("StatusNotification", self.identity)
            mine = [call.payload for call in calls if call.payload["connectorId"] == connector]
            found.update(mine[-1] if mine else {})
            return bool(mine) and mine[-1]["status"] == status

        self.until(last, f"connector {connector} {status}")
        return found

    def until(self, is_so: Callable[[], Any], what: str = "") -> None:
        """Of what nobody tells."""
        for _ in range(int(TIMEOUT * 100)):
            if is_so():
                return
            threading.Event().wait(0.01)
        raise AssertionError(f"it did not come: {what}; {self.everest.violations}")

    def ask(self, action: str, payload: dict[str, Any]) -> Any:
        """The Central System asks the charge point."""
        return self.server.call(action, payload, self.identity)

    def plug_in(
        self, number: int = 1, session: str = "s1", tag: str = "TAG1", energy: float = 1000.0, connector: int = 1
    ) -> None:
        """A session and its transaction."""
        self.sessions[number] = {"uuid": session, "connector_id": connector}
        started = {"reason": "EVConnected", "meter_value": meter(energy)}
        self.tell(number, event("SessionStarted", session, connector_id=connector, session_started=started))
        begun = {"id_tag": token(tag), "meter_value": meter(energy)}
        self.tell(number, event("TransactionStarted", session, connector_id=connector, transaction_started=begun))

    def finished(self) -> dict[str, Any]:
        """The end of the transaction s1."""
        return event("TransactionFinished", transaction_finished={"meter_value": meter(1800), "reason": "Local"})

    def obey_stops(self) -> None:
        """EVSEs tell the end of a transaction that is to be stopped, as EVerest's do."""
        for number in range(1, len(self.everest.evses) + 1):
            self.everest.answers[f"connector_{number}", "stop_transaction"] = partial(self._stopped, number)

    def _stopped(self, number: int, arguments: Any) -> bool:
        finished = {"meter_value": meter(1999), "reason": arguments["request"]["reason"]}
        session = self.sessions.get(number, {})
        self.tell(number, {**event("TransactionFinished", transaction_finished=finished), **session})
        return True

    def tell(self, number: int, value: Any, variable: str = "session_event") -> None:
        self.everest.tell(f"connector_{number}", variable, value)

    def close(self) -> None:
        """The module ends in order."""
        self.module.end()
        if self._thread.ident is not None:
            self._thread.join(TIMEOUT)
            assert not self._thread.is_alive(), "the module did not end"
        self.everest.close()

    def end(self) -> None:
        self.close()
        assert self.everest.violations == []
        assert self.server.system.violations == []


def warnings(records: list[logging.LogRecord]) -> str:
    return "\n".join(record.getMessage() for record in records if record.levelno >= logging.WARNING)
