"""The default price, what a session is estimated to cost while nobody can say so, and the time a driver is shown."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import trio
from pricing import cost, costs, default_prices, opened, tariffs, transfer

from ocpp16.enums import ConfigurationStatus, Reason
from ocpp16.observer import ConfigurationKeyChanged, TimeOffsetChanged
from ocpp16.prices import RunningCostState
from ocpp16.state.clock import IN_DOUBT
from ocpp16.testing.central_system import START, CentralSystem
from ocpp16.testing.stations import DisplayingStation

ONLINE = {"priceText": "on", "priceTextOffline": "off"}
PRICE = {**ONLINE, "chargingPrice": {"kWhPrice": 0.45, "hourPrice": 1.2, "flatFee": 0.1}}
TEXTS = {
    "priceTexts": [
        {"language": "de", "priceText": "an", "priceTextOffline": "aus"},
        {"language": "fr", "priceText": "allumé"},
        {"language": "it", "priceText": "acceso", "priceTextOffline": "spento"},
    ]
}
LANGUAGES = {"Language": "en", "CustomMultiLanguageMessages": True, "SupportedLanguages": "en,de,fr"}


async def offline(bench: Any) -> None:
    bench.charge_point.connection.disconnect()
    await bench.csms.wait_disconnected("cp001")


async def online(bench: Any) -> None:
    bench.charge_point.connection.connect()
    await bench.csms.wait_connected("cp001")
    await trio.sleep(1)


async def test_the_default_price_with_and_without_a_connection(open_bench: Any, make_config: Any) -> None:
    async with opened(open_bench, make_config, DefaultPrice=ONLINE, DefaultPriceText=TEXTS, **LANGUAGES) as bench:
        await offline(bench)
        await trio.sleep(0.1)
        await online(bench)
        both = [["off", "aus"], ["on", "an", "allumé"]]
        assert default_prices(bench) == both * 2
        message = bench.station.asked("default_price")[1][0]
        assert [one.language for one in message.message] == ["en", "de", "fr"]
        assert (message.identifier_id, message.identifier_type) == (None, None)


async def test_a_text_that_is_missing_is_left_out(open_bench: Any, make_config: Any) -> None:
    """Nothing at all is not told."""
    async with opened(open_bench, make_config, DefaultPrice={"priceText": "on"}) as bench:
        assert default_prices(bench) == [["on"]]
    async with opened(open_bench, make_config) as bench:
        assert default_prices(bench) == []
        assert (await bench.charge_point.authorize_id_token("TAG1")).tariff is None
        assert tariffs(bench) == []


async def test_a_change_of_the_default_price(open_bench: Any, make_config: Any) -> None:
    """By the text that holds now."""
    async with opened(open_bench, make_config, DefaultPrice=ONLINE) as bench:
        answer = await bench.call("ChangeConfiguration", {"key": "DefaultPrice", "value": '{"priceText":"new"}'})
        assert answer == {"status": "Accepted"}
        await trio.sleep(0.1)
        assert default_prices(bench)[-1] == ["new"]
        for wrong in ("{}", "[]", "x", '{"priceText":""}', '{"priceText":"x","chargingPrice":{"kWhPrice":"1"}}'):
            answer = await bench.call("ChangeConfiguration", {"key": "DefaultPrice", "value": wrong})
            assert answer == {"status": "Rejected"}, wrong
        await offline(bench)
        told = len(default_prices(bench))
        status = await bench.charge_point.configuration.set("DefaultPrice", '{"priceText":"x","priceTextOffline":"y"}')
        assert status is ConfigurationStatus.ACCEPTED
        await trio.sleep(0.1)
        assert default_prices(bench)[told:] == [["y"]]


async def test_the_offline_text_for_a_card(open_bench: Any, make_config: Any) -> None:
    """Who is accepted offline is told the offline price."""
    async with opened(open_bench, make_config, DefaultPrice=ONLINE, Core__AllowOfflineTxForUnknownId=True) as bench:
        await offline(bench)
        info = await bench.charge_point.authorize_id_token("TAG1")
        assert (info.tariff.text(), info.tariff.identifier_id) == ("off", "TAG1")


@pytest.mark.parametrize("fault", [RuntimeError("display"), None])
async def test_a_display_that_fails_stops_nothing(open_bench: Any, make_config: Any, fault: Any) -> None:
    station = DisplayingStation()
    station.answers["default_price"] = station.answers["tariff_message"] = fault
    options = {"station": station}
    async with opened(open_bench, make_config, options=options, DefaultPrice=ONLINE) as bench:
        assert (await bench.charge_point.authorize_id_token("TAG1")).is_accepted
        await bench.charge_point.wait_registered()


# Estimates


async def test_an_estimate_while_offline(open_bench: Any, make_config: Any) -> None:
    """By DefaultPrice, from the begin of the transaction on, exact; and once more at its end."""
    keys = {"DefaultPrice": PRICE, "NumberOfDecimalsForCostValues": 4}
    async with opened(open_bench, make_config, **keys) as bench:
        bench.begin()
        bench.measure(1, 1000)
        await trio.sleep(20)
        assert costs(bench) == [], "the Central System could say so"
        await offline(bench)
        bench.measure(1, 2234.5)
        await trio.sleep(45)
        told = costs(bench)
        assert len(told) == 4
        last = told[-1]
        assert last.is_estimate
        assert last.state is RunningCostState.CHARGING
        assert last.meter_value == Decimal("2234.5")
        assert last.timestamp is not None
        begun = bench.charge_point.transaction(1).started_at
        micros = (last.timestamp - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) - begun
        # In units of 10^-13: 0.1 + 0.45 x 1.2345 + 1.2 x hours, hours = micros / 3.6e9
        exact = 10**12 + 45 * 12345 * 10**7 + 12 * micros * 10**12 // 3_600_000_000
        assert last.cost == Decimal((exact + 5 * 10**8) // 10**9).scaleb(-4)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 3000)
        await trio.sleep(30)
        final = costs(bench)[-1]
        assert (final.state, final.is_estimate, len(costs(bench))) == (RunningCostState.FINISHED, True, len(told) + 1)
        assert final.cost > last.cost


async def test_an_estimate_goes_on_from_the_last_cost(open_bench: Any, make_config: Any) -> None:
    """By the price that came with it, not by the default one."""
    keys = {"DefaultPrice": PRICE, "NumberOfDecimalsForCostValues": 2}
    async with opened(open_bench, make_config, **keys) as bench:
        bench.begin()
        await trio.sleep(0.5)
        running = cost(amount=5, meterValue=2000, chargingPrice={"kWhPrice": 1, "flatFee": 3})
        assert await transfer(bench, "RunningCost", running) == ("Accepted", None)
        await offline(bench)
        bench.measure(1, 3500)
        await trio.sleep(15)
        assert [(told.cost, told.is_estimate) for told in costs(bench)] == [(5, False), (Decimal("6.50"), True)]
        await online(bench)
        told = len(costs(bench))
        await trio.sleep(60)
        assert len(costs(bench)) == told


@pytest.mark.parametrize(
    "keys", [{}, {"DefaultPrice": ONLINE}, {"DefaultPrice": {**PRICE, "chargingPrice": {"kWhPrice": 1e300}}}]
)
async def test_without_a_price_there_is_no_estimate(open_bench: Any, make_config: Any, keys: Any) -> None:
    async with opened(open_bench, make_config, **keys) as bench:
        await offline(bench)
        bench.begin()
        bench.measure(1, 9000)
        await trio.sleep(60)
        assert costs(bench) == []
        assert bench.charge_point.counters.internal_errors == 0


async def test_idle_time_is_not_estimated(open_bench: Any, make_config: Any) -> None:
    async with opened(open_bench, make_config, DefaultPrice=PRICE) as bench:
        bench.begin()
        await trio.sleep(0.5)
        await transfer(bench, "RunningCost", cost(state="Idle"))
        await offline(bench)
        await trio.sleep(60)
        assert [told.is_estimate for told in costs(bench)] == [False]


async def test_an_estimate_from_the_start_on(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Path
) -> None:
    """A charge point that goes on without a connection."""
    options = {"database_path": tmp_path / "db"}
    async with opened(until_power_fails, make_config, options=options, DefaultPrice=PRICE) as bench:
        bench.begin()
        await trio.sleep(1)
    async with opened(open_bench, make_config, options={**options, "start": False}, DefaultPrice=PRICE) as bench:
        bench.csms.is_reachable = False
        await bench.charge_point.start(resuming_session_ids=["s1"])
        await trio.sleep(15)
        assert [told.is_estimate for told in costs(bench)] == [True]


@pytest.mark.parametrize("is_running", [True, False])
async def test_the_last_cost_outlives_a_power_cut(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Path, is_running: bool
) -> None:
    """The estimate goes on by the price that the Central System told, also the one of a session that ended by it."""
    options = {"database_path": tmp_path / "db"}
    price = {"kWhPrice": 1, "flatFee": 3}
    async with opened(until_power_fails, make_config, options=options, DefaultPrice=PRICE) as bench:
        bench.begin()
        bench.measure(1, 2000)
        await trio.sleep(1)
        await transfer(bench, "RunningCost", cost(amount=9, meterValue=1000, chargingPrice={"kWhPrice": 2}))
        await transfer(bench, "RunningCost", cost(amount=5, meterValue=2000, chargingPrice=price))
    async with opened(open_bench, make_config, options={**options, "start": False}, DefaultPrice=PRICE) as bench:
        bench.csms.is_reachable = False
        bench.measure(1, 3000)
        await bench.charge_point.start(resuming_session_ids=["s1"] if is_running else [])
        await trio.sleep(15)
        [told] = costs(bench)
        assert told.is_estimate
        assert told.cost == Decimal(6 if is_running else 5), "the end made up knows of no later register"


async def test_an_estimate_that_is_no_amount_is_none(open_bench: Any, make_config: Any) -> None:
    """Of a price that nobody pays; the other sessions, and the end of this one, are told."""
    async with opened(open_bench, make_config, DefaultPrice=PRICE, CustomIdleFeeAfterStop=True) as bench:
        bench.begin()
        await trio.sleep(0.5)
        running = cost(meterValue=1000, chargingPrice={"kWhPrice": 999_999_999_999})
        assert (await transfer(bench, "RunningCost", running))[0] == "Accepted"
        await offline(bench)
        bench.begin(2, "s2", "TAG2")
        for number in (1, 2):
            bench.measure(number, 9000)
        await trio.sleep(15)
        assert [told.transaction_id for told in costs(bench) if told.is_estimate] == ["s2"]
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.LOCAL, 9000)
        await online(bench)
        await trio.sleep(30)
        assert (await transfer(bench, "FinalCost", cost(1)))[0] == "Accepted", "after StopTransaction was answered"
        assert bench.charge_point.counters.internal_errors == 0


# Local time

OFFSETS = {
    "TimeOffset": "-03:30",
    "TimeOffsetNextTransition": "-02:30",
    "NextTimeOffsetTransitionDateTime": "2026-01-01T00:10:00Z",
}


async def test_the_offset_changes_in_time(open_bench: Any, make_config: Any) -> None:
    """On disk, in force, told; the keys of the transition keep their values."""
    async with opened(open_bench, make_config, **OFFSETS) as bench:
        station = bench.charge_point.for_station
        at = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)
        assert station.local_time(at).isoformat() == "2026-02-28T20:30:00-03:30"
        await trio.sleep(590)
        assert bench.events.of(TimeOffsetChanged) == []
        await trio.sleep(15)
        assert bench.events.of(TimeOffsetChanged) == [TimeOffsetChanged(-timedelta(hours=2, minutes=30))]
        assert ConfigurationKeyChanged("TimeOffset", "-02:30") in bench.events.seen
        assert station.local_time(at).isoformat() == "2026-02-28T21:30:00-02:30"
        keys = ["TimeOffset", "TimeOffsetNextTransition", "NextTimeOffsetTransitionDateTime"]
        answer = await bench.call("GetConfiguration", {"key": keys})
        assert [row["value"] for row in answer["configurationKey"]] == ["-02:30", "-02:30", "2026-01-01T00:10:00Z"]


@pytest.mark.parametrize("later", [300, 900])
async def test_the_change_over_a_restart(
    open_bench: Any, until_power_fails: Any, make_config: Any, tmp_path: Path, later: int
) -> None:
    """It comes in the next start, or is made up for there; and it is made once."""
    options: dict[str, Any] = {"database_path": tmp_path / "db"}
    async with opened(until_power_fails, make_config, options=options, **OFFSETS) as bench:
        await trio.sleep(1)
    for start in range(2):
        options["anchor"] = 1_767_225_600 + later + 1000 * start
        now = options["anchor"] * 1_000_000
        async with opened(open_bench, make_config, options={**options, "start": False}, **OFFSETS) as bench:
            before = trio.current_time()
            bench.csms.standard_answers.now = lambda: now + round((trio.current_time() - before) * 1e6)  # noqa: B023
            await bench.charge_point.start()
            await trio.sleep(400)
            offset = bench.charge_point.for_station.local_time().utcoffset()
            if start == 0:
                assert offset == -timedelta(hours=2, minutes=30)
                await bench.charge_point.configuration.set("TimeOffset", "+01:00")
            else:
                assert offset == timedelta(hours=1), "set after the transition, and not overruled"


@pytest.mark.parametrize("is_told", [True, False])
async def test_a_clock_that_is_ahead_at_the_start_changes_nothing(
    open_bench: Any, make_config: Any, is_told: bool
) -> None:
    """As that of the machine may be by a year: what happens once is not made undone by the time that is told."""
    csms = CentralSystem(now=lambda: START + round(trio.current_time() * 1e6))
    csms.is_reachable = False
    options = {"csms": csms, "anchor": START / 1e6 + 365 * 86_400}
    keys = {**OFFSETS, "NextTimeOffsetTransitionDateTime": "2026-01-01T01:00:00Z"}
    before, after = -timedelta(hours=3, minutes=30), -timedelta(hours=2, minutes=30)
    async with opened(open_bench, make_config, options=options, **keys) as bench:
        local_time = bench.charge_point.for_station.local_time
        await trio.sleep(IN_DOUBT - 10)
        assert local_time().utcoffset() == before
        csms.is_reachable = is_told
        await trio.sleep(300)
        assert local_time().utcoffset() == (before if is_told else after)
        await trio.sleep(3600)
        assert local_time().utcoffset() == after


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("2025-12-31T23:59:59Z", "Rejected"),
        ("2026-01-01T00:00:00Z", "Rejected"),
        ("2026-01-01T02:00:00+01:00", "Accepted"),
        ("2026-01-01T00:30:00+01:00", "Rejected"),
        ("tomorrow", "Rejected"),
    ],
)
async def test_a_transition_lies_ahead(open_bench: Any, make_config: Any, value: str, status: str) -> None:
    async with opened(open_bench, make_config, **OFFSETS) as bench:
        change = {"key": "nexttimeoffsettransitiondatetime", "value": value}
        assert await bench.call("ChangeConfiguration", change) == {"status": status}


async def test_a_transition_on_a_full_disk(open_bench: Any, make_config: Any, disk: Any) -> None:
    """It is tried again."""
    options = {"store": disk}
    async with opened(open_bench, make_config, options=options, Internal__StoreTimeout=5, **OFFSETS) as bench:
        await trio.sleep(590)
        disk.is_full = True
        await trio.sleep(30)
        assert bench.charge_point.for_station.local_time().utcoffset() == -timedelta(hours=3, minutes=30)
        disk.is_full = False
        await trio.sleep(120)
        assert bench.charge_point.for_station.local_time().utcoffset() == -timedelta(hours=2, minutes=30)


async def test_a_local_time_of_no_zone(open_bench: Any, make_config: Any) -> None:
    async with opened(open_bench, make_config) as bench:
        assert bench.charge_point.for_station.local_time().utcoffset() == timedelta()
        with pytest.raises(ValueError, match="at must be a time with a zone"):
            bench.charge_point.for_station.local_time(datetime(2026, 1, 1))


async def test_a_late_final_cost_of_another_session_changes_no_price(open_bench: Any, make_config: Any) -> None:
    default = {**ONLINE, "chargingPrice": {"kWhPrice": 9, "hourPrice": 0, "flatFee": 5}}
    async with opened(open_bench, make_config, DefaultPrice=default) as bench:
        bench.begin(1, "s1")
        await trio.sleep(1)
        bench.charge_point.on_transaction_stopped(1, "s1", Reason.EV_DISCONNECTED, 1500)
        await trio.sleep(1)
        bench.measure(1, 1500)
        bench.begin(1, "s2", meter_start=1500)
        await trio.sleep(1)
        assert await transfer(bench, "RunningCost", cost(2, 1.5, meterValue=1500)) == ("Accepted", None)
        assert await transfer(bench, "FinalCost", cost(1, 2.5)) == ("Accepted", None)
        await offline(bench)
        bench.measure(1, 2500)
        await trio.sleep(25)
        assert max(one.cost for one in costs(bench)[2:] if one.is_estimate) < 3, "not by the default price"


async def test_an_impossible_time_of_a_cost_is_none(open_bench: Any, make_config: Any) -> None:
    async with opened(open_bench, make_config) as bench:
        bench.begin(1, "s1")
        await trio.sleep(1)
        told = cost(1, 1.5, meterValue=1000, timestamp="0001-01-01T00:00:00Z")
        assert await transfer(bench, "RunningCost", told) == ("Accepted", None)
        await offline(bench)
        await trio.sleep(25)
        assert max(one.cost for one in costs(bench) if one.is_estimate) < 2
