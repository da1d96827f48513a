"""Objects of the host whose own code raises or lies: exceptions, subclasses of Python's types, attributes, mappings."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import count
from typing import Any

import pytest
import trio
from hostile_values import EXCEPTIONS, Number, Text

from ocpp16 import ConfigurationError, Measurement, PhaseValues, open_charge_point
from ocpp16.enums import Reason, SessionStartedReason
from ocpp16.testing.stations import RecordingStation


class Vanishing(RecordingStation):
    """One attribute can be read when the charge point is opened, and not any more later; as of a proxy."""

    def __init__(self, attribute: str) -> None:
        super().__init__()
        self.attribute = attribute
        self.is_gone = False

    def __getattribute__(self, name: str) -> Any:
        if name == object.__getattribute__(self, "attribute") and object.__getattribute__(self, "is_gone"):
            raise ReferenceError("weakly-referenced object no longer exists")
        return object.__getattribute__(self, name)


@pytest.mark.parametrize("name", EXCEPTIONS)
@pytest.mark.parametrize("method", ["is_reset_allowed", "measurement", "charging_limit_changed"])
async def test_an_exception_whose_own_code_raises_ends_nothing(open_bench: Any, method: str, name: str) -> None:
    async with open_bench() as bench:

        def fails(*_: Any) -> Any:
            raise EXCEPTIONS[name]()

        async def fails_later(*_: Any) -> Any:
            raise EXCEPTIONS[name]()

        setattr(bench.station, method, fails_later if method == "is_reset_allowed" else fails)
        bench.begin()
        bench.charge_point.smart_charging.share_limits(None, 16.0)
        await bench.call("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1})
        assert await bench.call("Reset", {"type": "Soft"}) == {
            "status": "Rejected" if method == "is_reset_allowed" else "Accepted"
        }
        await trio.sleep(1)
        assert (await bench.call("GetConfiguration", {"key": ["HeartbeatInterval"]}))["configurationKey"]
        counters = bench.charge_point.counters
        assert counters.readings_refused if method == "measurement" else counters.internal_errors


@pytest.mark.parametrize("attribute", ["set_connection_timeout", "enable_evse", "set_system_time"])
async def test_a_start_is_whole_though_the_station_has_lost_an_attribute(open_bench: Any, attribute: str) -> None:
    station = Vanishing(attribute)
    async with open_bench(station=station, start=False) as bench:
        station.is_gone = True
        await bench.charge_point.start()
        await trio.sleep(1)
        assert bench.charge_point.connection.registration == "Accepted"
        assert bench.charge_point.counters.internal_errors
        station.is_gone = False


@pytest.mark.parametrize(
    ("attribute", "action", "payload", "status"),
    [
        ("unlock_connector", "UnlockConnector", {"connectorId": 1}, "UnlockFailed"),
        ("is_reset_allowed", "Reset", {"type": "Hard"}, "Rejected"),
        ("data_transfer", "DataTransfer", {"vendorId": "V"}, "UnknownVendorId"),
        ("set_connection_timeout", "ChangeConfiguration", {"key": "ConnectionTimeOut", "value": "77"}, "Accepted"),
    ],
)
async def test_an_attribute_that_cannot_be_read_is_a_question_without_an_answer(
    open_bench: Any, attribute: str, action: str, payload: dict[str, Any], status: str
) -> None:
    station = Vanishing(attribute)
    async with open_bench(station=station) as bench:
        station.is_gone = True
        assert await bench.call(action, payload) == {"status": status}
        await trio.sleep(1)
        assert bench.charge_point.counters.internal_errors == 1
        station.is_gone = False


async def test_a_profile_in_force_is_answered_as_such_though_the_station_cannot_be_told(
    open_bench: Any, profile: Callable[..., dict[str, Any]]
) -> None:
    station = Vanishing("signal_set_charging_profiles")
    async with open_bench(station=station) as bench:
        station.is_gone = True
        assert await bench.install(1, profile(1, 20)) == "Accepted"
        station.is_gone = False


async def test_subclasses_of_text_and_number_are_taken_as_what_they_hold(open_bench: Any) -> None:
    async with open_bench() as bench:
        charge_point = bench.charge_point
        charge_point.on_session_started(Number(1), Text("s"), SessionStartedReason.EV_CONNECTED)
        transaction = charge_point.on_transaction_started(Number(1), Text("s"), Text("TAG"), Number(1000))
        assert (type(transaction.session_id), type(transaction.id_tag)) == (str, str)
        charge_point.on_transaction_stopped(Number(1), Text("s"), Reason.LOCAL, Number(2000), id_tag_end=Text("TAG"))
        charge_point.on_session_stopped(Number(1), Text("s"))
        assert (await charge_point.authorize_id_token(Text("TAG"))).is_accepted
        await trio.sleep(1)
        assert bench.sent("StopTransaction")[0]["meterStop"] == 2000
        assert charge_point.counters.internal_errors == 0


class Flaky(tzinfo):
    """Says its offset once."""

    def __init__(self) -> None:
        self.asked = 0

    def utcoffset(self, _: datetime | None) -> timedelta:
        self.asked += 1
        if self.asked > 1:
            raise RuntimeError("no offset any more")
        return timedelta(0)

    def dst(self, _: datetime | None) -> None:
        return None

    def tzname(self, _: datetime | None) -> str:
        raise RuntimeError("no name")


class Stubborn(datetime):
    def __sub__(self, other: Any) -> Any:
        raise RuntimeError("no difference")


async def test_times_of_others_are_read_once(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.charge_point.on_session_started(1, "s", SessionStartedReason.EV_CONNECTED)
        stamp = datetime(2026, 1, 1, tzinfo=Flaky())
        bench.charge_point.on_transaction_started(1, "s", "TAG", 1000, timestamp=stamp)
        stubborn = Stubborn(2026, 1, 1, tzinfo=UTC)
        bench.charge_point.on_transaction_stopped(1, "s", Reason.LOCAL, 2000, timestamp=stubborn)


class Odd(Measurement):
    """A reading that says another thing each time."""

    @property
    def power(self) -> Any:
        raise RuntimeError("no power")


async def test_a_reading_that_cannot_be_read_is_refused(open_bench: Any) -> None:
    async with open_bench() as bench:
        with pytest.raises(ValueError, match=r"^measurement must be a Measurement"):
            bench.charge_point.on_meter_values(1, object.__new__(Odd))
        bench.begin()
        bench.station.measurement = lambda number: object.__new__(Odd)
        await bench.call("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1})
        await trio.sleep(1)
        assert bench.charge_point.counters.readings_refused > 0


class Endless(Mapping[Any, Any]):
    def __getitem__(self, key: Any) -> Any:
        return "Available"

    def __iter__(self) -> Iterator[Any]:
        return count()

    def __len__(self) -> int:
        return 1


class Raising(dict[Any, Any]):
    def __getitem__(self, key: Any) -> Any:
        raise RuntimeError("no item")

    def __iter__(self) -> Iterator[Any]:
        raise RuntimeError("no members")

    items = keys = values = __iter__  # type: ignore[assignment]


def _deep(levels: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for _ in range(levels):
        made = {"a": made}
    return made


@pytest.mark.parametrize("profile", [Endless(), Raising(a=1), _deep(5000), {"a": object()}, {1: 2}])
async def test_a_profile_that_is_no_document_is_refused(open_bench: Any, profile: Any) -> None:
    async with open_bench() as bench:
        with pytest.raises(ValueError, match=r"^profile must be a mapping"):
            await bench.charge_point.smart_charging.set_charging_profile(1, profile)


@pytest.mark.parametrize("status", [Endless(), Raising(a=1), {1: "Available", 10**6: "Available"}])
async def test_a_start_refuses_what_it_cannot_read(open_bench: Any, status: Any) -> None:
    async with open_bench(start=False) as bench:
        with pytest.raises(ValueError, match=r"^connector_status"):
            await bench.charge_point.start(status)
        with pytest.raises(ValueError, match=r"^resuming_session_ids"):
            await bench.charge_point.start(resuming_session_ids=map(str, count()))
        assert not bench.charge_point.is_running


class Shy:
    """Nothing of it can be read."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise RuntimeError("class")

    def __fspath__(self) -> str:
        raise GeneratorExit


@pytest.mark.parametrize(
    "argument", ["config", "station", "observer", "store", "connector", "database_path", "user_config_path", "seed"]
)
async def test_an_argument_that_cannot_even_be_looked_at_is_named(make_config: Any, argument: str) -> None:
    given: dict[str, Any] = {"config": make_config(), "station": RecordingStation(), argument: Shy()}
    config, station = given.pop("config"), given.pop("station")
    with pytest.raises(ConfigurationError, match=r"Shy\." if argument == "station" else argument):
        async with open_charge_point(config, station, **given):
            raise AssertionError


@pytest.mark.parametrize("config", [Raising(Core={}), Endless()])
async def test_a_mapping_that_raises_is_no_configuration(config: Any) -> None:
    with pytest.raises(ConfigurationError):
        async with open_charge_point(config, RecordingStation()):
            raise AssertionError


@pytest.mark.parametrize("anchor", [1e308, -1e308, 2**70])
async def test_an_anchor_beyond_all_years_is_the_nearest(make_config: Any, anchor: float) -> None:
    async with open_charge_point(make_config(), RecordingStation(), anchor=anchor) as charge_point:
        assert charge_point.connector_status(1).timestamp


async def test_repairs_without_end_are_refused(make_config: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"tolerances: the repairs must have 100,000 members at most"):
        async with open_charge_point(make_config(), RecordingStation(), tolerances=map(str, count())):
            raise AssertionError


async def test_an_unknown_key_is_named_whatever_it_is(open_bench: Any) -> None:
    async with open_bench() as bench:
        for key in (Shy(), 5, Text("x"), PhaseValues(), "x" * 10_000_000):
            with pytest.raises(ValueError, match=r"^key"):
                bench.charge_point.on_change(key, print)
