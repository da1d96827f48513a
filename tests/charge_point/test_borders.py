"""Whatever host, meter, station and strategy say: a clear refusal with nothing changed, or the right thing."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from operator import attrgetter
from typing import Any

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from ocpp16.enums import ChargePointErrorCode, DataTransferStatus, Reason, SessionStartedReason
from ocpp16.models import DataTransferResponse, ErrorInfo, Measurement, PhaseValues
from ocpp16.testing.stations import RecordingStation

LIES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.characters(categories=["Cs"]),
    st.binary(max_size=5),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
    st.sampled_from([object(), int, ..., 10**400, Reason, "Local", "EVDisconnected", "TAG1", "s1", 1, 0, 2, 1000]),
)
HANDLERS: dict[str, int] = {
    "on_session_started": 3,
    "on_session_stopped": 2,
    "on_transaction_started": 4,
    "on_transaction_stopped": 4,
    "on_resume_charging": 1,
    "on_suspend_charging_ev": 2,
    "on_suspend_charging_evse": 2,
    "on_plugin_timeout": 1,
    "on_reservation_start": 1,
    "on_reservation_end": 1,
    "on_enabled": 1,
    "on_disabled": 1,
    "on_error": 2,
    "on_error_cleared": 2,
    "on_all_errors_cleared": 1,
    "on_meter_values": 2,
    "on_max_current_offered": 2,
    "on_max_power_offered": 2,
    "connection.set_message_queue_resume_delay": 1,
    "smart_charging.share_limits": 2,
    "configuration.get": 1,
    "on_change": 2,
    "on_data_transfer": 3,
    "connector_status": 1,
    "smart_charging.charging_limit": 1,
}
CALLS = st.lists(
    st.sampled_from(sorted(HANDLERS)).flatmap(
        lambda name: st.tuples(st.just(name), st.tuples(*[LIES] * HANDLERS[name]))
    ),
    max_size=30,
)


@settings(deadline=None, derandomize=True, database=None, max_examples=60)
@given(CALLS)
def test_no_lie_of_the_host_ends_or_bends_it(
    open_bench: Any, virtual_run: Callable[..., Any], calls: list[tuple[str, tuple[Any, ...]]]
) -> None:
    async def body() -> None:
        async with open_bench() as bench:
            for name, arguments in calls:
                with suppress(ValueError):
                    attrgetter(name)(bench.charge_point)(*arguments)
            await trio.sleep(100)
            assert bench.charge_point.counters.internal_errors == 0
            assert bench.charge_point.connection.is_connected
            for transaction in list(bench.charge_point._runtime.ctx.transactions):
                if transaction.is_running:
                    bench.charge_point.on_transaction_stopped(
                        transaction.connector_id, transaction.session_id, Reason.LOCAL, 5000
                    )
            await trio.sleep(100)
            assert len(bench.sent("StartTransaction")) == len(bench.sent("StopTransaction"))
            assert bench.charge_point.connection.queue_depth == 0

    virtual_run(body)


GOOD: dict[str, Any] = {
    "connector_id": 1,
    "session_id": "s1",
    "id_token": "TAG1",
    "meter_start": 1000.0,
    "reservation_id": 5,
    "timestamp": datetime(2026, 1, 1, tzinfo=UTC),
    "signed_meter_value": "signed",
}
WRONG = [
    ("connector_id", 3),
    ("connector_id", True),
    ("connector_id", 1.0),
    ("session_id", ""),
    ("session_id", 5),
    ("session_id", "\ud800"),
    ("id_token", "x" * 21),
    ("id_token", "\udfff"),
    ("meter_start", float("nan")),
    ("meter_start", float("inf")),
    ("meter_start", "1000"),
    ("meter_start", True),
    ("meter_start", 2.0**31),
    ("reservation_id", 2**31),
    ("reservation_id", "5"),
    ("timestamp", datetime(2026, 1, 1)),
    ("timestamp", 0),
    ("signed_meter_value", b"signed"),
    ("signed_meter_value", "\ud800"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
async def test_a_start_that_is_refused_names_the_argument_and_changes_nothing(
    open_bench: Any, name: str, value: Any, tmp_path: Any
) -> None:
    async with open_bench(database_path=tmp_path) as bench:
        before = bench.charge_point._runtime.writer.last
        named = "no connector 3" if (name, value) == ("connector_id", 3) else name
        with pytest.raises(ValueError, match=named):
            bench.charge_point.on_transaction_started(**{**GOOD, name: value})
        assert bench.charge_point.transaction(1) is None
        assert bench.charge_point._runtime.writer.last == before
        assert bench.charge_point.connection.queue_depth == 0
        bench.charge_point.on_transaction_started(**GOOD)
        await trio.sleep(1)
        assert len(bench.sent("StartTransaction")) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("reason", "Nonsense"),
        ("reason", None),
        ("energy_wh", float("nan")),
        ("energy_wh", None),
        ("session_id", "another"),
        ("timestamp", datetime(2026, 1, 1)),
        ("id_tag_end", ""),
        ("id_tag_end", "x" * 21),
        ("signed_meter_value", 5),
    ],
)
async def test_an_end_that_is_refused_changes_nothing(open_bench: Any, name: str, value: Any) -> None:
    good: dict[str, Any] = {"connector_id": 1, "session_id": "s1", "reason": Reason.LOCAL, "energy_wh": 1500}
    async with open_bench() as bench:
        bench.begin()
        await trio.sleep(1)
        with pytest.raises(ValueError, match=name if name != "session_id" else "session 'another'"):
            bench.charge_point.on_transaction_stopped(**{**good, name: value})
        assert bench.charge_point.transaction(1) is not None
        bench.charge_point.on_transaction_stopped(**good)
        await trio.sleep(1)
        assert [stop["reason"] for stop in bench.sent("StopTransaction")] == ["Local"]


async def test_words_of_an_enumeration_are_taken_as_texts_too(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.charge_point.on_session_started(1, "s1", "EVConnected")
        bench.begin()
        bench.charge_point.on_transaction_stopped(1, "s1", "EVDisconnected", 1500)
        await trio.sleep(1)
        assert bench.sent("StopTransaction")[0]["reason"] == "EVDisconnected"
        assert SessionStartedReason("EVConnected") is SessionStartedReason.EV_CONNECTED


async def test_a_session_does_not_end_while_its_transaction_runs(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.charge_point.on_session_started(1, "s1", SessionStartedReason.EV_CONNECTED)
        bench.begin()
        with pytest.raises(ValueError, match="on_transaction_stopped"):
            bench.charge_point.on_session_stopped(1, "s1")
        with pytest.raises(ValueError, match="session 's1'"):
            bench.charge_point.on_session_started(1, "s2", SessionStartedReason.EV_CONNECTED)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        bench.charge_point.on_session_stopped(1, "s1")


class Liar(RecordingStation):
    """Answers every question with what it was told to."""

    def __init__(self, lie: Any) -> None:
        super().__init__()
        self.lie = lie

    async def _answer(self, name: str, *arguments: Any) -> Any:
        self.calls.append((name, *arguments))
        if isinstance(self.lie, BaseException):
            raise self.lie
        return self.lie

    def measurement(self, connector_id: int) -> Any:
        if isinstance(self.lie, BaseException):
            raise self.lie
        return self.lie

    async def is_reset_allowed(self, kind: Any) -> Any:
        return await self._answer("is_reset_allowed", kind)

    async def unlock_connector(self, connector_id: int) -> Any:
        return await self._answer("unlock_connector", connector_id)

    async def data_transfer(self, vendor_id: str, message_id: str | None, data: str | None) -> Any:
        return await self._answer("data_transfer", vendor_id)

    async def stop_transaction(self, connector_id: int, reason: Any) -> Any:
        return await self._answer("stop_transaction", connector_id, reason)


class LyingResponse(DataTransferResponse):
    def __post_init__(self) -> None: ...


STATION_LIES = [
    None,
    float("nan"),
    "Accepted",
    -1,
    b"x",
    [],
    {"status": "Accepted"},
    LyingResponse(DataTransferStatus.ACCEPTED, 5),  # type: ignore[arg-type]
    object(),
    OSError("broken"),
    BaseException("another loop's cancellation"),
    ExceptionGroup("two", [ValueError(), OSError()]),
]


@pytest.mark.parametrize("lie", STATION_LIES, ids=lambda lie: type(lie).__name__)
async def test_a_station_that_lies_is_answered_for_safely(open_bench: Any, make_config: Any, lie: Any) -> None:
    document = make_config(Core__MeterValueSampleInterval=10, Core__ClockAlignedDataInterval=60)
    async with open_bench(station=Liar(lie), document=document) as bench:
        assert await bench.call("Reset", {"type": "Hard"}) == {"status": "Rejected"}
        assert await bench.call("UnlockConnector", {"connectorId": 1}) == {"status": "UnlockFailed"}
        assert await bench.call("DataTransfer", {"vendorId": "V"}) == {"status": "UnknownVendorId"}
        bench.begin()
        await bench.call("ChangeAvailability", {"connectorId": 2, "type": "Inoperative"})
        await trio.sleep(200)
        assert bench.charge_point.connection.is_connected
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 1500)
        await trio.sleep(5)
        assert len(bench.sent("StopTransaction")) == 1


class WithoutEnd(dict[int, float]):
    """Of shares for connectors that nobody has."""

    def items(self) -> Any:
        return ((number, 1.0) for number in count(100))

    def __iter__(self) -> Iterator[int]:
        return count(100)


class NegativeThatHides(float):
    def __lt__(self, other: Any) -> bool:
        return False


@pytest.mark.parametrize(
    "strategy",
    [
        lambda total, asked: None,
        lambda total, asked: {one.connector_id: float("nan") for one in asked},
        lambda total, asked: {one.connector_id: 1000.0 for one in asked},
        lambda total, asked: {one.connector_id: -5.0 for one in asked},
        lambda total, asked: {one.connector_id: "8" for one in asked},
        lambda total, asked: {"1": 8.0},
        lambda total, asked: 1 / 0,
        dict,
        lambda total, asked: asked.clear() or {},
        lambda total, asked: {asked.pop().connector_id: total},
        lambda total, asked: {one.connector_id: NegativeThatHides(-1000.0) for one in asked},
        lambda total, asked: WithoutEnd({1: 8.0}),
    ],
)
async def test_shares_that_make_no_sense_do_not_reach_the_station(open_bench: Any, strategy: Any) -> None:
    async with open_bench() as bench:
        bench.begin(1)
        bench.begin(2, "s2")
        bench.charge_point.smart_charging.share_limits(strategy, 16)
        told = bench.limits()
        assert all(isinstance(limit, float) and limit >= 0 for limit in told)
        assert sum(told) <= 16


async def test_a_fuse_holds_without_a_strategy(open_bench: Any) -> None:
    async with open_bench() as bench:
        bench.begin(1)
        bench.charge_point.smart_charging.share_limits(None, 16)
        assert bench.limits() == [16, None]
        bench.begin(2, "s2")
        assert bench.limits() == [8, 8]
        bench.charge_point.smart_charging.share_limits(None)
        assert bench.limits() == [None, None]


async def test_an_observer_that_raises_anything_is_told_the_next(open_bench: Any) -> None:
    seen: list[str] = []

    class Broken:
        async def notify(self, event: Any) -> None:
            seen.append(type(event).__name__)
            raise BaseException("no Exception")

    async with open_bench(observer=Broken()) as bench:
        bench.charge_point.on_error(1, ErrorInfo(ChargePointErrorCode.OTHER_ERROR))
        await trio.sleep(1)
        assert "StatusChanged" in seen
        assert bench.charge_point.connection.is_connected


class LyingError(ErrorInfo):
    def __post_init__(self) -> None: ...


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("info", 5),
        ("info", "\ud800"),
        ("timestamp", datetime(2026, 1, 1)),
        ("error_code", "Nonsense"),
        ("is_fault", "no"),
        ("vendor_id", b"x"),
        ("uuid", []),
    ],
)
async def test_an_error_that_hides_what_it_is_changes_nothing(open_bench: Any, name: str, value: Any) -> None:
    async with open_bench() as bench:
        error = LyingError(**{"error_code": ChargePointErrorCode.GROUND_FAILURE, "is_fault": True, name: value})
        with pytest.raises(ValueError, match=f"^error must be of type ErrorInfo, not LyingError: {name} "):
            bench.charge_point.on_error(1, error)
        assert bench.charge_point.connector_status(1).status == "Available"


async def test_a_meter_that_counts_beyond_32_bits_does_not_spoil_the_bill(open_bench: Any, make_config: Any) -> None:
    class Station(RecordingStation):
        def measurement(self, connector_id: int) -> Measurement | None:
            return Measurement(energy_import=PhaseValues(1e300))

    document = make_config(Core__MeterValueSampleInterval=10)
    async with open_bench(station=Station(), document=document) as bench:
        bench.begin()
        bench.charge_point.on_meter_values(1, Measurement(energy_import=PhaseValues(1500.0)))
        await trio.sleep(25)
        assert bench.charge_point.counters.readings_refused >= 2
        assert bench.charge_point.transaction(1).meter_last == 1500


async def test_a_reading_told_by_the_host_is_refused_or_right(open_bench: Any) -> None:
    async with open_bench() as bench:
        with pytest.raises(ValueError, match="measurement must be a Measurement"):
            bench.charge_point.on_meter_values(1, {"energy": 5})
        bench.charge_point.on_meter_values(1, Measurement(None, PhaseValues(5.0)))
