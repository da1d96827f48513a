"""A feature carries all of itself: what is not built answers as it must, and one more is a class in the list."""

from typing import Any, Protocol, get_args, get_type_hints, runtime_checkable

import pytest
import trio

from ocpp16 import messages
from ocpp16.charge_point import features
from ocpp16.charge_point.station_check import station_problems
from ocpp16.enums import AuthorizationStatus, MessageTrigger
from ocpp16.models import IdTagInfo
from ocpp16.profiles.base import FeatureProfile, Stored, on, triggered
from ocpp16.state.signals import IdTagDecided
from ocpp16.store.memory import MemoryStore
from ocpp16.store.tables import local_list_version
from ocpp16.testing.stations import RecordingStation


@runtime_checkable
class ToyStation(Protocol):
    async def version_changed(self, version: int) -> None: ...


class ToyList(FeatureProfile):
    """A local authorization list of one tag: handlers, a trigger, rows, a signal, a key, a question to the station."""

    __slots__ = ("decided", "version")

    name = "LocalAuthListManagement"
    protocol = ToyStation

    def __init__(self, ctx: Any) -> None:
        super().__init__(ctx)
        self.version = 0
        self.decided: list[str] = []

    def restore(self, stored: Stored) -> None:
        for row in stored.read(local_list_version.ROWS):
            self.version = row.version

    def attach(self) -> None:
        self.ctx.signals.on(IdTagDecided, lambda signal: self.decided.append(signal.id_tag))

    def listed(self, id_tag: str) -> IdTagInfo | None:
        is_listed = id_tag == self.ctx.configuration.text("ToyTag")
        return IdTagInfo(AuthorizationStatus.ACCEPTED) if is_listed else None

    @on("GetLocalListVersion")
    async def get_local_list_version(
        self, request: "messages.GetLocalListVersionRequest"
    ) -> "messages.GetLocalListVersionResponse":
        return {"listVersion": self.version}

    @on("SendLocalList")
    async def send_local_list(self, request: "messages.SendLocalListRequest") -> "messages.SendLocalListResponse":
        self.version = request["listVersion"]
        self.ctx.journal.append(local_list_version.put(local_list_version.ListVersionRow(self.version)))
        question = self.ctx.station.host.version_changed
        self.ctx.station_side.command(question, self.version, connectors=("version",), topic="version")
        return {"status": "Accepted"}

    @triggered(MessageTrigger.FIRMWARE_STATUS_NOTIFICATION)
    def _triggered(self, connector_ids: Any) -> Any:
        if not self.version:
            return None
        return lambda: self.ctx.sender.send("FirmwareStatusNotification", {"status": "Idle"}, is_triggered=True)


class Station(RecordingStation):
    """One that has what the feature asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.versions: list[int] = []

    async def version_changed(self, version: int) -> None:
        self.versions.append(version)


LISTED = "Core,RemoteTrigger,LocalAuthListManagement"


@pytest.fixture
def with_toy(monkeypatch: pytest.MonkeyPatch) -> None:
    others = [kind for kind in features.FEATURES if kind.name != ToyList.name]
    monkeypatch.setattr(features, "FEATURES", (*others, ToyList))


@pytest.mark.usefixtures("with_toy")
async def test_one_more_feature_is_a_class_in_the_list(open_bench: Any, make_config: Any, tmp_path: Any) -> None:
    schema = tmp_path / "Custom.json"
    schema.write_text(
        '{"type":"object","properties":{"ToyTag":{"type":"string","default":"LISTED"}},"additionalProperties":false}'
    )
    store, station = MemoryStore(is_volatile=False), Station()
    options: dict[str, Any] = {"store": store, "station": station, "custom_schema_path": schema}
    document = make_config(Core__SupportedFeatureProfiles=LISTED, Core__LocalPreAuthorize=True, Custom__ToyTag="MINE")
    async with open_bench(document=document, **options) as bench:
        charge_point = bench.charge_point
        assert charge_point.configuration.text("SupportedFeatureProfiles") == LISTED
        trigger = {"requestedMessage": "FirmwareStatusNotification"}
        assert await bench.call("TriggerMessage", trigger) == {"status": "Rejected"}
        request = {"listVersion": 7, "updateType": "Full"}
        assert await bench.call("SendLocalList", request) == {"status": "Accepted"}
        assert await bench.call("GetLocalListVersion", {}) == {"listVersion": 7}
        assert await bench.call("TriggerMessage", trigger) == {"status": "Accepted"}
        await trio.sleep(1)
        assert bench.sent("FirmwareStatusNotification") == [{"status": "Idle"}]
        assert station.versions == [7]
        assert (await charge_point.authorize_id_token("MINE")).source == "local authorization list"
        assert bench.sent("Authorize") == []
        await charge_point.authorize_id_token("OTHER")
        assert bench.sent("Authorize") == [{"idTag": "OTHER"}]
        toy = charge_point._runtime.features.all[-1]
        assert toy.decided == ["MINE", "OTHER"]
        await charge_point.stored()
    async with open_bench(document=document, **options) as bench:
        assert await bench.call("GetLocalListVersion", {}) == {"listVersion": 7}


@pytest.mark.usefixtures("with_toy")
@pytest.mark.parametrize("is_listed", [True, False])
async def test_what_is_not_built_is_answered_as_without_it(open_bench: Any, make_config: Any, is_listed: bool) -> None:
    """Not wanted, or the station cannot do it: a status where somebody has one, else NotSupported."""
    document = make_config(Core__SupportedFeatureProfiles=LISTED if is_listed else "Core,RemoteTrigger")
    async with open_bench(document=document, station=None if is_listed else Station()) as bench:
        assert bench.charge_point.configuration.text("SupportedFeatureProfiles") == "Core,RemoteTrigger"
        assert await bench.call("GetLocalListVersion", {}) == {"listVersion": -1}
        trigger = {"requestedMessage": "FirmwareStatusNotification"}
        assert await bench.call("TriggerMessage", trigger) == {"status": "NotImplemented"}
        with pytest.raises(Exception, match="NotSupported"):
            await bench.call("SendLocalList", {"listVersion": 7, "updateType": "Full"})


def test_a_handler_is_annotated_with_the_payloads_of_its_action() -> None:
    with pytest.raises(TypeError, match=r'request: "messages.GetLogRequest"'):

        class Wrong(FeatureProfile):
            @on("GetLog")
            async def get_log(self, request: "messages.ResetRequest") -> "messages.GetLogResponse":
                return {"status": "Rejected"}


def test_the_annotations_of_all_handlers_are_those_of_the_schemas() -> None:
    handlers = [(kind, action) for kind in FeatureProfile.__subclasses__() for action in kind.handlers]
    assert len(handlers) > 15
    for kind, action in handlers:
        hints = get_type_hints(getattr(kind, kind.handlers[action]))
        assert hints["request"] is getattr(messages, f"{action}Request")
        answer = get_args(hints["return"])[0] if get_args(hints["return"]) else hints["return"]
        assert answer is getattr(messages, f"{action}Response")


@pytest.mark.usefixtures("with_toy")
def test_its_protocol_is_checked_as_a_whole() -> None:
    class Misspelt(RecordingStation):
        async def version_changd(self, version: int) -> None: ...

    (problem,) = station_problems(Misspelt())
    assert "version_changed is missing (version_changd looks like it)" in problem


async def test_a_feature_of_no_name_is_built_without_being_listed(
    open_bench: Any, make_config: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Paper(FeatureProfile):
        __slots__ = ()
        name = ""

        @on("GetLog")
        async def get_log(self, request: "messages.GetLogRequest") -> "messages.GetLogResponse":
            return {"status": "Rejected"}

    monkeypatch.setattr(features, "FEATURES", (Paper,))
    log = {"logType": "SecurityLog", "requestId": 1, "log": {"remoteLocation": "ftp://x"}}
    async with open_bench(document=make_config(Core__SupportedFeatureProfiles="Core")) as bench:
        assert await bench.call("GetLog", log) == {"status": "Rejected"}
        assert bench.charge_point.configuration.text("SupportedFeatureProfiles") == "Core"
