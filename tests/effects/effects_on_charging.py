"""Keys that say what is measured, how much may flow, and what becomes of transactions and resets."""

from typing import Any

import trio
from key_effect import Changing, effect, samples

from ocpp16.configuration.key import Key
from ocpp16.configuration.keys import core, internal
from ocpp16.enums import Reason, UnlockStatus
from ocpp16.models import Measurement, PhaseValues

ENERGY, VOLTAGE = "Energy.Active.Import.Register", "Voltage"


# What is measured


def measured(on: Changing) -> None:
    """The meter of connector 1 says this, whenever it is asked."""
    on.station.measurements[1] = Measurement(energy_import=PhaseValues(1000), voltage=PhaseValues(230))


@effect(core.METER_VALUE_SAMPLE_INTERVAL, Core__MeterValueSampleInterval=100)
async def how_often_a_transaction_is_sampled(on: Changing) -> None:
    measured(on)
    on.bench.begin()
    await trio.sleep(90)
    assert on.count("MeterValues") == 0
    for value, seconds, more in (("20", 41, 2), ("1000", 999, 0), ("0", 5000, 0), ("10", 11, 1)):
        before = on.count("MeterValues")
        await on.change(value)
        await trio.sleep(seconds)
        assert on.count("MeterValues") == before + more, value


@effect(core.CLOCK_ALIGNED_DATA_INTERVAL, Core__ClockAlignedDataInterval=900)
async def how_often_the_clock_samples(on: Changing) -> None:
    measured(on)
    await trio.sleep(901)
    assert instants(on) == ["00:15:00"]
    await on.change("60")
    await trio.sleep(61)
    assert instants(on) == ["00:15:00", "00:16:00"]
    await on.change("0")
    await trio.sleep(2000)
    assert len(instants(on)) == 2
    await on.change("3600")
    await trio.sleep(3600)
    assert instants(on)[2:] == ["01:00:00"]


def instants(on: Changing) -> list[str]:
    return [payload["meterValue"][0]["timestamp"][11:19] for payload in on.bench.sent("MeterValues")]


def reported_measurands(key: Key[Any], **interval: int) -> None:
    """A list of what is reported, as the next sample of the running transaction shows."""
    document: dict[str, Any] = {f"Core__{name}": value for name, value in {key.name: ENERGY, **interval}.items()}

    @effect(key, **document)
    async def what_is_reported(on: Changing) -> None:
        measured(on)
        on.bench.begin()
        await trio.sleep(61)
        assert samples(on.bench.sent("MeterValues")) == [{ENERGY}]
        for value in (f"{VOLTAGE},{ENERGY}", VOLTAGE, "", ENERGY):
            before = on.count("MeterValues")
            await on.change(value)
            await trio.sleep(60)
            expected = [set(value.split(","))] if value else []
            assert samples(on.bench.sent("MeterValues")[before:]) == expected


reported_measurands(core.METER_VALUES_SAMPLED_DATA, MeterValueSampleInterval=60)
reported_measurands(core.METER_VALUES_ALIGNED_DATA, ClockAlignedDataInterval=60)


def kept_measurands(key: Key[Any], context: str, **interval: int) -> None:
    """A list of what StopTransaction tells: of a running transaction from the change on, until it is empty."""
    document: dict[str, Any] = {f"Core__{name}": value for name, value in {key.name: "", **interval}.items()}

    @effect(key, **document)
    async def what_a_stop_tells(on: Changing) -> None:
        assert await kept_of_one(on, None) == []
        assert await kept_of_one(on, VOLTAGE) == [{VOLTAGE}]
        assert await kept_of_one(on, None) == [{VOLTAGE}, {VOLTAGE}]
        assert await kept_of_one(on, f"{ENERGY},{VOLTAGE}") == [{VOLTAGE}, {ENERGY, VOLTAGE}]
        assert await kept_of_one(on, "") == [{ENERGY, VOLTAGE}]
        assert await kept_of_one(on, None) == []

    async def kept_of_one(on: Changing, value: str | None) -> list[set[str]]:
        """A transaction of two samples, with a change between them: measurands of its samples in transactionData."""
        measured(on)
        on.bench.begin()
        await trio.sleep(61)
        if value is not None:
            await on.change(value)
        await trio.sleep(60)
        on.end(1, "s1")
        on.charge_point.on_session_stopped(1, "s1")
        await trio.sleep(59)
        told = on.bench.sent("StopTransaction")[-1].get("transactionData", [])
        of_context = [entry for entry in told if entry["sampledValue"][0].get("context") == context]
        return samples([{"meterValue": of_context}])


kept_measurands(core.STOP_TXN_SAMPLED_DATA, "Sample.Periodic", MeterValueSampleInterval=60)
kept_measurands(core.STOP_TXN_ALIGNED_DATA, "Sample.Clock", ClockAlignedDataInterval=60)


# How much may flow

ON_POWER: dict[str, Any] = {"SmartCharging__ChargingScheduleAllowedChargingRateUnit": "Power,Current"}


@effect(
    internal.ALLOW_CHARGING_PROFILE_WITHOUT_START_SCHEDULE, Internal__AllowChargingProfileWithoutStartSchedule=False
)
async def a_profile_without_start(on: Changing) -> None:
    profile = on.profile(1, 10, startSchedule=None)
    on.bench.begin()
    assert await on.bench.install(1, profile) != "Accepted"
    await on.change("true")
    assert await on.bench.install(1, profile) == "Accepted"
    await trio.sleep(0.1)
    assert on.bench.limits() == [10, None]
    await on.change("false")
    assert await on.bench.install(1, {**profile, "chargingProfileId": 2}) != "Accepted"
    assert on.bench.installed() == [1]


@effect(internal.COMPOSITE_SCHEDULE_DEFAULT_LIMIT_AMPS, Internal__CompositeScheduleDefaultLimitAmps=48)
async def amperes_without_a_profile(on: Changing) -> None:
    assert await on.bench.schedule(1, chargingRateUnit="A") == [[0, 48]]
    for value in (20, 63):
        await on.change(str(value))
        assert await on.bench.schedule(1, chargingRateUnit="A") == [[0, value]]


@effect(internal.COMPOSITE_SCHEDULE_DEFAULT_LIMIT_WATTS, Internal__CompositeScheduleDefaultLimitWatts=33120)
async def watts_without_a_profile(on: Changing) -> None:
    assert await on.bench.schedule(1, chargingRateUnit="W") == [[0, 33120]]
    for value in (5000, 50000):
        await on.change(str(value))
        assert await on.bench.schedule(1, chargingRateUnit="W") == [[0, value]]


@effect(internal.COMPOSITE_SCHEDULE_DEFAULT_NUMBER_PHASES, Internal__CompositeScheduleDefaultNumberPhases=3, **ON_POWER)
async def phases_that_no_profile_names(on: Changing) -> None:
    await limited(on, 6900, {"1": 2300, "2": 4600, "3": 6900})


@effect(internal.SUPPLY_VOLTAGE, Internal__SupplyVoltage=230, **ON_POWER)
async def volts_of_the_supply(on: Changing) -> None:
    await limited(on, 6900, {"240": 7200, "115": 3450})


async def limited(on: Changing, first: float, watts: dict[str, float]) -> None:
    """10 A are so many watts; what the station is told, and what is reported, follow at once."""
    on.bench.begin()
    await on.bench.install(1, on.profile(1, 10))
    await trio.sleep(0.1)
    assert on.station.limits[1][:2] == (first, "W")
    for value, limit in watts.items():
        await on.change(value)
        assert on.station.limits[1].limit == limit
        assert (await on.bench.schedule(1, chargingRateUnit="W"))[0][:2] == [0, limit]


@effect(internal.IGNORED_PROFILE_PURPOSES_OFFLINE, Internal__IgnoredProfilePurposesOffline="")
async def what_does_not_count_offline(on: Changing) -> None:
    """A charge point that is Pending takes changes, and is not online."""
    await on.bench.install(0, on.profile(1, 8, chargingProfilePurpose="ChargePointMaxProfile"))
    await on.pending(600)
    assert on.bench.limits() == [8, 8]
    await on.change("ChargePointMaxProfile")
    assert on.bench.limits() == [None, None]
    await on.change("")
    assert on.bench.limits() == [8, 8]
    await trio.sleep(600)
    await on.change("ChargePointMaxProfile")
    assert on.bench.limits() == [8, 8], "accepted, it counts"
    async with on.offline():
        assert on.bench.limits() == [None, None]


# What becomes of transactions and resets


@effect(core.CONNECTION_TIME_OUT, Core__ConnectionTimeOut=60)
async def how_long_the_other_half_may_take(on: Changing) -> None:
    """The station is told, and a charging profile that came with a remote start waits as long as it does."""
    assert on.station.asked("set_connection_timeout") == [(60,)]
    await remote_start(on, 1)
    await trio.sleep(10)
    await on.change("20")
    await trio.sleep(11)
    on.bench.begin(1, "s1", "R")
    assert on.bench.limits() == [None, None], "too late"
    await remote_start(on, 2)
    await trio.sleep(10)
    await on.change("200")
    await trio.sleep(180)
    on.bench.begin(2, "s2", "R")
    assert on.bench.limits() == [None, 8]
    on.end(1, "s1")
    on.charge_point.on_session_stopped(1, "s1")
    await remote_start(on, 1)
    await trio.sleep(100)
    await on.change("50")  # it is over by now
    await trio.sleep(0.1)
    on.bench.begin(1, "s3", "R")
    assert on.bench.limits() == [None, 8]
    assert on.station.asked("set_connection_timeout") == [(60,), (20,), (200,), (50,)]


async def remote_start(on: Changing, connector_id: int) -> None:
    profile = on.profile(connector_id, 8, chargingProfilePurpose="TxProfile")
    request = {"idTag": "R", "connectorId": connector_id, "chargingProfile": profile}
    assert await on.bench.call("RemoteStartTransaction", request) == {"status": "Accepted"}


@effect(core.RESET_RETRIES, Core__ResetRetries=5)
async def how_often_a_reset_is_tried(on: Changing) -> None:
    """Each time a minute after the one before."""
    on.station.answers["reset"] = False
    assert await attempts(on, ["2"]) == 3
    assert await attempts(on, ["4"]) == 5
    assert await attempts(on, ["3", "0"]) == 1
    assert await attempts(on, ["5"]) == 1, "it was over when there were no retries"
    assert await attempts(on, ["1"], after=61) == 2


async def attempts(on: Changing, values: list[str], after: float = 1) -> int:
    """How often a reset is tried when the key changes so many seconds after the first attempt."""
    before = len(on.station.asked("reset"))
    await on.bench.call("Reset", {"type": "Soft"})
    await trio.sleep(after)
    for value in values:
        await on.change(value)
    await trio.sleep(600)
    return len(on.station.asked("reset")) - before


@effect(internal.WAIT_FOR_STOP_TRANSACTIONS_ON_RESET_TIMEOUT, Internal__WaitForStopTransactionsOnResetTimeout=600)
async def how_long_a_reset_waits(on: Changing) -> None:
    on.station.answers["stop_transaction"] = False
    on.bench.begin()
    for resets, value, seconds in ((1, "20", 10), (2, "100", 90), (3, "5", 0)):  # the last one is over by then
        await on.bench.call("Reset", {"type": "Soft"})
        await trio.sleep(10)
        assert len(on.station.asked("reset")) == resets - 1
        await on.change(value)
        if seconds:
            await trio.sleep(seconds - 1)
            assert len(on.station.asked("reset")) == resets - 1
        await trio.sleep(2)
        assert len(on.station.asked("reset")) == resets


@effect(internal.STOP_TRANSACTION_IF_UNLOCK_NOT_SUPPORTED, Internal__StopTransactionIfUnlockNotSupported=False)
async def an_unlock_that_cannot_be(on: Changing) -> None:
    on.station.answers["unlock_connector"] = UnlockStatus.NOT_SUPPORTED
    for connector_id in (1, 2):
        on.bench.begin(connector_id, f"s{connector_id}")
    await trio.sleep(1)
    for connector_id, value, stops in ((1, "", 0), (1, "true", 1), (2, "false", 1)):
        if value:
            await on.change(value)
        assert await on.bench.call("UnlockConnector", {"connectorId": connector_id}) == {"status": "NotSupported"}
        await trio.sleep(1)
        assert on.count("StopTransaction") == stops


@effect(core.UNLOCK_CONNECTOR_ON_EV_SIDE_DISCONNECT, Core__UnlockConnectorOnEVSideDisconnect=True)
async def the_cable_is_released(on: Changing) -> None:
    for number, value, unlocks in ((1, "", 1), (2, "false", 1), (3, "true", 2)):
        on.bench.begin(1, f"s{number}")
        await trio.sleep(1)
        if value:
            await on.change(value)
        on.end(1, f"s{number}", Reason.EV_DISCONNECTED)
        on.charge_point.on_session_stopped(1, f"s{number}")
        await trio.sleep(1)
        assert len(on.station.asked("unlock_connector")) == unlocks
