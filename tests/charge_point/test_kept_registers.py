"""What is kept of the register of each connector, for a meter that keeps none itself."""

from typing import Any

import trio

from ocpp16.enums import Reason


async def test_readings_are_kept_at_most_once_a_minute(open_bench: Any, tmp_path: Any) -> None:
    async with open_bench(database_path=tmp_path) as bench:
        await trio.sleep(1)  # the interval of the Heartbeat is kept as well
        journal = bench.charge_point._runtime.writer._journal
        before = journal.number
        for second in range(120):
            bench.charge_point.on_meter_values(1, bench.measure(1, 1000 + second))
            await trio.sleep(1)
        assert journal.number - before == 2
    async with open_bench(database_path=tmp_path) as bench:
        assert bench.charge_point.for_station.meter_checkpoint(1) == 1060


async def test_what_a_transaction_begins_and_ends_with_is_kept(
    open_bench: Any, until_power_fails: Any, tmp_path: Any
) -> None:
    """A meter that keeps no register goes on from there; else those of two transactions would overlap."""
    async with until_power_fails(database_path=tmp_path) as bench:
        bench.charge_point.on_transaction_started(1, "s1", "TAG1", 1000)
        await trio.sleep(1)
    async with open_bench(database_path=tmp_path) as bench:
        assert bench.charge_point.for_station.meter_checkpoint(1) == 1000
        bench.charge_point.on_transaction_started(1, "s2", "TAG1", 1000)
        bench.charge_point.on_transaction_stopped(1, "s2", Reason.LOCAL, 1010.4)
        await trio.sleep(1)
    async with open_bench(database_path=tmp_path) as bench:
        assert bench.charge_point.for_station.meter_checkpoint(1) == 1010
        bench.charge_point.on_transaction_started(1, "s3", "TAG1", 1010)
        bench.charge_point.on_meter_values(1, bench.measure(1, 1500))
        await trio.sleep(1)
        bench.charge_point.on_transaction_stopped(1, "s3", Reason.LOCAL, 1400)  # whoever told that did not look
        await trio.sleep(1)
    async with open_bench(database_path=tmp_path) as bench:
        assert bench.charge_point.for_station.meter_checkpoint(1) == 1500
        assert bench.charge_point.for_station.meter_checkpoint(2) is None
