"""Meters that sign, and batteries: what is signed, what is told and what the battery got are the same energy."""

from math import inf
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from ocpp16.metering import ocmf
from ocpp16.metering.public_key import key_bytes
from ocpp16.metering.signature import verify
from ocpp16.simulation import CARS


@pytest.mark.parametrize(("is_dc", "part"), [(False, 0.9), (True, 0.96)])
async def test_signed_told_and_charged_agree(autojump_clock: MockClock, site: Any, is_dc: bool, part: float) -> None:
    wanted = {"MeterValuesSampledData": "Energy.Active.Import.Register,SoC", "MeterValueSampleInterval": 60}
    async with site(signed_meter=True, dc=is_dc, seed=4, core=wanted) as here:
        battery = CARS["city"].battery
        await here.charge(1, draw_for=inf, battery=battery)
        await trio.sleep(6 * 3600)
        here.station.present_id_tag("TAG1", [1])
        await trio.sleep(10)
        [start], [stop] = here.csms.calls("StartTransaction"), here.csms.calls("StopTransaction")
        texts = [
            value["value"]
            for told in stop.payload["transactionData"]
            for value in told["sampledValue"]
            if value.get("format") == "SignedData"
        ]
        end = ocmf.parse(texts[-1])
        verify(end, key_bytes(here.station.signing.public_key(1)))
        told = [start.payload["meterStart"], stop.payload["meterStop"]]
        assert [reading.energy for reading in end.readings] == told
        assert told[1] - told[0] == pytest.approx(0.8 * battery.capacity / part, abs=3)
        samples = [
            [float(value["value"]) for value in meter["sampledValue"]]
            for call in here.csms.calls("MeterValues")
            if call.payload["connectorId"] == 1 and "transactionId" in call.payload
            for meter in call.payload["meterValue"]
        ]
        assert len(samples) > 100
        for energy, *_, soc in samples:  # AC tells its phases, too
            assert soc == pytest.approx(20 + 100 * part * (energy - told[0]) / battery.capacity, abs=0.03)
        assert samples[-1][-1] == 100
        assert [status for status in here.statuses() if status.startswith("1 ")] == [
            "1 Preparing",
            "1 Charging",
            "1 SuspendedEV",
            "1 Finishing",
        ]
