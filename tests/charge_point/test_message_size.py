"""No message is larger than MaxMessageSize: what a host or a Central System may make long is refused, or cut."""

from contextlib import suppress
from typing import Any

import orjson
import pytest
import trio

from ocpp16.enums import DataTransferStatus
from ocpp16.models import DataTransferResponse

LIMIT = 32_000


@pytest.fixture
def document(make_config: Any) -> Any:
    return make_config(Internal__MaxMessageSize=LIMIT, Core__GetConfigurationMaxKeys=0)


def longest(bench: Any) -> int:
    """Bytes of the longest frame that the Central System received."""
    traffic = bench.csms.recording.traffic
    return max(len(frame.text.encode()) for frame in traffic if frame.direction == "received")


@pytest.mark.parametrize("letter", ["x", "ü", "\n"])
async def test_a_data_transfer_of_the_host(open_bench: Any, document: Any, letter: str) -> None:
    async with open_bench(document=document) as bench:
        await bench.charge_point.wait_registered()
        data = LIMIT // len(orjson.dumps(letter)[1:-1])
        for length in range(data - 150, data, 5):
            with suppress(ValueError):
                await bench.charge_point.data_transfer("v", "m", letter * length)
        assert LIMIT - 20 < longest(bench) <= LIMIT


async def test_the_longest_data_transfer_is_sent(open_bench: Any, document: Any) -> None:
    async with open_bench(document=document) as bench:
        await bench.charge_point.wait_registered()
        frame = len('[2,"","DataTransfer",{"vendorId":"v","data":""}]') + 36
        await bench.charge_point.data_transfer("v", None, "x" * (LIMIT - frame))
        assert longest(bench) == LIMIT
        with pytest.raises(ValueError, match="data makes a message of 32001 bytes; MaxMessageSize is 32000"):
            await bench.charge_point.data_transfer("v", None, "x" * (LIMIT - frame + 1))
        bench.charge_point.connection.disconnect()
        await trio.sleep(1)
        with pytest.raises(ValueError, match="data"):
            await bench.charge_point.data_transfer("v", None, "x" * LIMIT)


async def test_an_answer_of_the_station_goes_out_without_its_data(open_bench: Any, document: Any, caplog: Any) -> None:
    async with open_bench(document=document) as bench:

        async def handler(data: str | None) -> DataTransferResponse:
            return DataTransferResponse(DataTransferStatus.ACCEPTED, "y" * LIMIT)

        bench.station.answers["data_transfer"] = DataTransferResponse(DataTransferStatus.ACCEPTED, "y" * LIMIT)
        bench.charge_point.on_data_transfer("mine", None, handler)
        for vendor in ("v", "mine"):
            assert await bench.call("DataTransfer", {"vendorId": vendor}) == {"status": "Accepted"}
        assert "without its data" in caplog.text
        bench.station.answers["data_transfer"] = DataTransferResponse(DataTransferStatus.ACCEPTED, "y" * 31_000)
        assert len((await bench.call("DataTransfer", {"vendorId": "v"}))["data"]) == 31_000
        assert longest(bench) <= LIMIT


async def test_a_configuration_is_cut(open_bench: Any, document: Any, caplog: Any) -> None:
    """A name asked twice is answered twice, as long as there is room."""
    async with open_bench(document=document) as bench:
        whole = await bench.call("GetConfiguration", {})
        assert len(whole["configurationKey"]) > 50
        assert "MaxMessageSize" not in caplog.text
        repeated = await bench.call("GetConfiguration", {"key": ["HeartbeatInterval", "nothing"] * 3})
        assert (len(repeated["configurationKey"]), repeated["unknownKey"]) == (3, ["nothing"] * 3)
        for _ in range(2):
            answer = await bench.call("GetConfiguration", {"key": ["HeartbeatInterval"] * 5000 + ["nothing"]})
            assert 400 < len(answer["configurationKey"]) < 600
            assert "unknownKey" not in answer
        answer = await bench.call("GetConfiguration", {"key": ["HeartbeatInterval"] + ["nothing"] * 5000})
        assert len(answer["configurationKey"]) == 1
        assert 3000 < len(answer["unknownKey"]) < 3300
        assert caplog.text.count("GetConfiguration.conf would be larger than MaxMessageSize") == 1
        assert LIMIT - 1000 < longest(bench) <= LIMIT
        told = bench.charge_point.configuration.get(["HeartbeatInterval"] * 5000)
        assert len(told["configurationKey"]) == 5000, "the host has no message"
