"""A station with its charge point, Central System and panel, all in memory; time begins at `START` and jumps."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import panel_world
import pytest
import trio
import trio.testing

from ocpp16.charge_point.open import open_charge_point
from ocpp16.cli.web_panel import Observers
from ocpp16.observer import ObserverEvent
from ocpp16.simulation import Commands, Operation, SimulatedStation
from ocpp16.testing import CentralSystem
from ocpp16.web.door import Door
from ocpp16.web.guard import Guard
from ocpp16.web.panel import Panel
from ocpp16.web.site import site

START = datetime(2030, 1, 1, 8, tzinfo=UTC)
TOKEN = "a-token-of-these-tests"
SECRET = "hush-0123456789abcdef"
HEADERS = {"Host": "127.0.0.1:8080", "Authorization": f"Bearer {TOKEN}"}


class Answer:
    """What came back. `text` is the body, without the frame of chunks."""

    def __init__(self, data: bytes) -> None:
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split()[1]) if first else 0
        pairs = [line.partition(": ") for line in lines]
        self.headers = {name.lower(): value for name, _, value in pairs}
        self.body = _without_chunks(body) if self.headers.get("transfer-encoding") == "chunked" else body

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


def _without_chunks(data: bytes) -> bytes:
    whole = b""
    while data:
        size, _, rest = data.partition(b"\r\n")
        length = int(size, 16) if size else 0
        if not length:
            break
        whole, data = whole + rest[:length], rest[length + 2 :]
    return whole


def written(method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    """A request as it goes over the wire; headers of None in place of a text are left out."""
    named = {**HEADERS, **(headers or {})}
    if body:
        named["Content-Length"] = str(len(body))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items() if value is not None)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Entrance:
    """To a panel. `door` serves streams; `ask` is one request on a connection of its own."""

    def __init__(self, nursery: trio.Nursery, panel: Any) -> None:
        self.nursery = nursery
        self.panel = panel
        self.door = Door(Guard(site(panel), TOKEN, ["panel.example"]))

    def connect(self) -> Any:
        """The other end of a new connection."""
        mine, theirs = trio.testing.memory_stream_pair()
        self.nursery.start_soon(self.door.serve, theirs)
        return mine

    async def ask(
        self, path: str, method: str = "GET", headers: dict[str, Any] | None = None, body: bytes = b""
    ) -> Answer:
        stream = self.connect()
        await stream.send_all(written(method, path, {"Connection": "close", **(headers or {})}, body))
        data = b""
        while more := await stream.receive_some():
            data += more
        await stream.aclose()
        return Answer(data)

    def looks(self, query: str = "") -> "Looking":
        return Looking(self.connect(), query)


class Place(Entrance):
    """A station and everything around it."""

    def __init__(self, nursery: trio.Nursery, csms: CentralSystem, station: SimulatedStation) -> None:
        super().__init__(nursery, Panel())
        self.csms = csms
        self.station = station
        self.charge_point: Any = None
        self.operation: Any = None

    async def do(self, name: str, **given: Any) -> Any:
        """A command; `words=` are as typed, all else are arguments."""
        asked = {"do": name, "words": given.pop("words", {}), "arguments": given}
        answer = await self.ask("/api/command", "POST", {"Content-Type": "application/json"}, orjson.dumps(asked))
        assert answer.status == 200, answer.body
        return answer.json

    async def parts(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.ask("/api/state")).json["parts"]
        return found


class Looking:
    """A page that looks: its pushes, as they come."""

    def __init__(self, stream: Any, query: str) -> None:
        self.stream = stream
        self._query = query
        self._data = b""
        self._begun = False
        self.parts: dict[str, Any] = {}
        self.rows: list[dict[str, Any]] = []
        self.missed = 0
        self.hello: dict[str, Any] = {}
        self.quiet = 0

    async def send(self) -> None:
        await self.stream.send_all(written("GET", f"/api/stream{self._query}"))

    async def begin(self) -> "Looking":
        await self.send()
        await self.read()
        return self

    async def read(self) -> bool:
        """Take what comes next; False: the stream is over."""
        more = await self.stream.receive_some()
        self._data += more
        if not self._begun and b"\r\n\r\n" in self._data:
            head, _, self._data = self._data.partition(b"\r\n\r\n")
            assert b"200" in head.split(b"\r\n")[0], head
            self._begun = True
        while self._begun and b"\r\n" in self._data:
            size, _, rest = self._data.partition(b"\r\n")
            length = int(size, 16)
            if len(rest) < length + 2:
                break
            self._take(rest[:length])
            self._data = rest[length + 2 :]
        return bool(more)

    async def until(self, condition: Callable[["Looking"], Any]) -> "Looking":
        while not condition(self):
            assert await self.read(), "the stream is over"
        return self

    def _take(self, chunk: bytes) -> None:
        for block in chunk.decode().split("\n\n"):
            if block.startswith(":"):
                self.quiet += 1
            elif block:
                name, data = block.split("\n")
                value = orjson.loads(data.removeprefix("data: "))
                match name.removeprefix("event: "):
                    case "hello":
                        self.hello = value
                    case "parts":
                        self.parts |= value
                    case "rows":
                        self.rows += value
                    case "missed":
                        self.missed += value["count"]

    def actions(self) -> list[str]:
        return [row["action"] for row in self.rows if row["kind"] == "CALL"]


class _Nobody:
    """A face that shows nothing."""

    async def notify(self, event: ObserverEvent) -> None:
        pass


@asynccontextmanager
async def open_place(
    connectors: int = 2,
    *,
    features: str = "Core,SmartCharging,RemoteTrigger,Reservation",
    schema: Path | None = None,
    custom: dict[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[Place]:
    began = trio.current_time()
    configuration = {
        "Internal": {
            "ChargePointId": "cp001",
            "CentralSystemURI": "ws://127.0.0.1:9000/",
            "ChargePointModel": "Simulated",
            "ChargePointVendor": "ocpp16",
        },
        "Core": {
            "NumberOfConnectors": connectors,
            "MeterValueSampleInterval": 0,
            "SupportedFeatureProfiles": features,
            "ConnectorPhaseRotation": "0.RST",
        },
        "Security": {"AuthorizationKey": f"text:{SECRET}", "SecurityProfile": 1},
        **({} if custom is None else {"Custom": custom}),
    }
    station = SimulatedStation({"meter_interval": 0, "meter_noise": 0, **options})
    async with (
        trio.open_nursery() as nursery,
        CentralSystem(now=lambda: round((START.timestamp() + trio.current_time() - began) * 1e6)) as csms,
    ):
        place = Place(nursery, csms, station)
        async with open_charge_point(
            configuration,
            station,
            connector=csms.connector,
            custom_schema_path=schema,
            observer=Observers(place.panel, _Nobody()),
            frames=place.panel.frame,
            links=place.panel.link,
            anchor=START.timestamp(),
            seed=1,
        ) as charge_point:
            place.charge_point = charge_point
            place.operation = Operation(station, charge_point)
            place.panel.follow(Commands(station, charge_point, place.operation))
            nursery.start_soon(place.panel.run)
            nursery.start_soon(place.door.close_in_the_end)
            async with trio.open_nursery() as running:
                running.start_soon(place.operation.run)
                await csms.wait_for_call("StatusNotification", connectors + 1)
                await trio.sleep(0.5)
                yield place
                running.cancel_scope.cancel()
        nursery.cancel_scope.cancel()


@pytest.fixture
def entrance() -> Any:
    """`entrance(nursery, panel)`: asks and looks at a panel of any kind."""
    return Entrance


@pytest.fixture
def place() -> Any:
    """`async with place(connectors, features=…, schema=…, custom=…, **options of the station) as here:`"""
    return open_place


@pytest.fixture
def secret() -> str:
    """The password of the charge point."""
    return SECRET


# The page in a browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser: for one file only, since it has a loop of asyncio in this thread as long as it runs."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (extra test)")
    if panel_world.CHROMIUM is None:
        pytest.skip("no Chromium here (ci/test installs Debian's where it may)")
    with sync_api.sync_playwright() as driver:
        try:
            found = driver.chromium.launch(executable_path=panel_world.CHROMIUM, args=panel_world.ARGUMENTS)
        except sync_api.Error as error:
            pytest.skip(f"Chromium cannot be started: {error}")
        yield found
        found.close()


@pytest.fixture(scope="module")
def central_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    found = panel_world.CentralSystem(tmp_path_factory.mktemp("central_system"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def _shared_station(tmp_path_factory: pytest.TempPathFactory, central_system: Any) -> Iterator[Any]:
    found = panel_world.Station(tmp_path_factory.mktemp("station"), central_system, "--connectors", "2")
    yield found
    found.close()
    assert b"Traceback" not in b"".join(found.errors)


@pytest.fixture
def station(_shared_station: Any) -> Any:
    """As at the beginning, whatever the test before has done."""
    station = _shared_station
    station.do("restart")
    station.do("connect")
    station.do("clear_charging_profiles")
    for connector in (1, 2):
        station.do("change_availability", connector=connector, kind="Operative")
        station.do("unplug", connector=connector)
        status = {row["connector"]: row for row in station.do("status")["connectors"]}[connector]
        if status["error"] != "NoError":
            station.do("clear_fault", connector=connector, error=status["error"])
    return station


@pytest.fixture
def make_page(chromium: Any) -> Iterator[Any]:
    """Opens a page: `make_page(url, width=…, color_scheme=…)`. The browser may complain of nothing in it, unless
    `quiet=False`."""
    contexts, complaints = [], []

    def opened(url: str, *, width: int = 1400, height: int = 900, quiet: bool = True, **options: Any) -> Any:
        context = chromium.new_context(viewport={"width": width, "height": height}, accept_downloads=True, **options)
        context.set_default_timeout(panel_world.PATIENCE * 1000)
        contexts.append(context)
        page = context.new_page()
        if quiet:
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
