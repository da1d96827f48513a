"""A car wants a contract certificate: an answer in the time that it waits, or a clean refusal; told twice, the same."""

from typing import Any

import pytest
import trio
from contract_bench import PncCentralSystem, on_wire

from ocpp16.contracts import CertificateAction
from ocpp16.errors import CallFailed, FeatureNotBuilt
from ocpp16.observer import EvCertificateAnswered

SCHEMA = "urn:iso:15118:2:2013:MsgDef"
EXI = "gJgCVE5MQUJDQzAwMDAwMDAx"


def install(bench: Any, **options: Any) -> Any:
    door = bench.charge_point.plug_and_charge
    return door.data_transfer_pnc_get_15118_ev_certificate(1, EXI, SCHEMA, **options)


@pytest.mark.parametrize("action", ["Install", "Update"])
async def test_a_contract_for_the_car(open_bench: Any, make_config: Any, action: str) -> None:
    csms = PncCentralSystem(Get15118EVCertificate={"status": "Accepted", "exiResponse": "gJkC"})
    async with open_bench(csms=csms, document=make_config(**on_wire())) as bench:
        found = await install(bench, certificate_action=action)
        assert csms.of("Get15118EVCertificate") == [
            {"iso15118SchemaVersion": SCHEMA, "action": action, "exiRequest": EXI},
        ]
        assert (found.status, found.exi_response, found.reason) == ("Accepted", "gJkC", "")
        await trio.sleep(0.1)
        assert bench.events.of(EvCertificateAnswered) == [
            EvCertificateAnswered(1, found, CertificateAction(action)),
        ]


@pytest.mark.parametrize(
    ("answer", "exi"),
    [
        ({"status": "Failed", "exiResponse": "gJkC"}, "gJkC"),
        ({"status": "Failed"}, ""),
        ({"status": "Failed", "exiResponse": None}, ""),
        ({"status": "Accepted", "exiResponse": ""}, ""),
        ({"status": "Accepted"}, ""),
        ({"status": "Perhaps", "exiResponse": "x"}, ""),
        ({"status": "Accepted", "exiResponse": 5}, ""),
        ({"status": "Accepted", "exiResponse": "x" * 5_601}, ""),
        ({"status": 5}, ""),
        (None, ""),
        ("{", ""),
        ("[]", ""),
        (CallFailed("DataTransfer", "callerror", "InternalError"), ""),
    ],
)
async def test_a_refusal_is_told_too(open_bench: Any, make_config: Any, answer: Any, exi: str) -> None:
    csms = PncCentralSystem(Get15118EVCertificate=answer)
    async with open_bench(csms=csms, document=make_config(**on_wire())) as bench:
        bench.begin()
        found = await install(bench)
        assert (found.status, found.exi_response) == ("Failed", exi)
        await trio.sleep(0.1)
        [told] = bench.events.of(EvCertificateAnswered)
        assert told.response == found
        assert bench.charge_point.transaction(1) is not None


@pytest.mark.parametrize("outer", ["Rejected", "UnknownMessageId", "UnknownVendorId"])
async def test_a_transfer_that_is_refused(open_bench: Any, make_config: Any, outer: str) -> None:
    csms = PncCentralSystem(Get15118EVCertificate={"status": "Accepted", "exiResponse": "gJkC"})
    csms.outer = outer
    async with open_bench(csms=csms, document=make_config(**on_wire())) as bench:
        found = await install(bench)
        assert found.status == "Failed"
        assert outer in found.reason


@pytest.mark.parametrize("budget", [None, 2.0, 60])
async def test_in_the_time_that_the_car_waits(open_bench: Any, make_config: Any, budget: float | None) -> None:
    csms = PncCentralSystem(Get15118EVCertificate=...)
    async with open_bench(csms=csms, document=make_config(**on_wire())) as bench:
        begun = trio.current_time()
        found = await install(bench, **({} if budget is None else {"budget": budget}))
        assert trio.current_time() - begun == pytest.approx(budget or 5.0, abs=0.1)
        assert found.status == "Failed"
        assert "timeout" in found.reason or "no answer" in found.reason
        csms.pnc["Get15118EVCertificate"] = {"status": "Accepted", "exiResponse": "gJkC"}
        again = await install(bench)
        assert again.is_accepted, "the next car is served"


async def test_the_queue_does_not_use_up_the_time_of_others(open_bench: Any, make_config: Any) -> None:
    """What is behind a message that is not answered is refused in time, and is not sent when nobody waits any more."""
    csms = PncCentralSystem(Get15118EVCertificate={"status": "Accepted", "exiResponse": "gJkC"})
    csms.answers["StartTransaction"] = None
    async with open_bench(csms=csms, document=make_config(**on_wire())) as bench:
        bench.begin()
        await trio.sleep(1)
        begun = trio.current_time()
        found = await install(bench)
        assert trio.current_time() - begun <= 5.1
        assert found.status == "Failed"
        await trio.sleep(100)
        assert csms.of("Get15118EVCertificate") == []


@pytest.mark.parametrize("key", ["ISO15118PnCEnabled"])
async def test_switched_off_nothing_is_asked(open_bench: Any, make_config: Any, key: str) -> None:
    csms = PncCentralSystem(Get15118EVCertificate={"status": "Accepted", "exiResponse": "gJkC"})
    async with open_bench(csms=csms, document=make_config(**on_wire(**{key: False}))) as bench:
        found = await install(bench)
        assert (found.status, csms.asked) == ("Failed", [])
        assert key in found.reason


async def test_offline_it_is_refused_at_once(open_bench: Any, make_config: Any) -> None:
    async with open_bench(document=make_config(**on_wire()), start=False) as bench:
        begun = trio.current_time()
        assert (await install(bench)).status == "Failed"
        assert trio.current_time() == begun


@pytest.mark.parametrize(
    "arguments",
    [
        (0, EXI, SCHEMA),
        (3, EXI, SCHEMA),
        (1, "x" * 5_601, SCHEMA),
        (1, EXI, "s" * 51),
        (1, b"x", SCHEMA),
        (1, EXI, SCHEMA, "Delete"),
        (1, EXI, SCHEMA, "Install", 0),
        (1, EXI, SCHEMA, "Install", 61),
        (1, EXI, SCHEMA, "Install", float("nan")),
    ],
)
async def test_what_is_no_question(open_bench: Any, make_config: Any, arguments: tuple[Any, ...]) -> None:
    async with open_bench(document=make_config(**on_wire())) as bench:
        with pytest.raises(ValueError, match=r"connector|exi_request|schema|action|budget"):
            await bench.charge_point.plug_and_charge.data_transfer_pnc_get_15118_ev_certificate(*arguments)


async def test_without_its_section_there_is_none(open_bench: Any) -> None:
    async with open_bench() as bench:
        with pytest.raises(FeatureNotBuilt):
            await install(bench)
