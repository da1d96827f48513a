"""Our certificates towards cars, asked about again and again: when, in what order, and what a slow answer holds up."""

from itertools import pairwise
from typing import Any

import pytest
import trio
from contract_bench import NOW, URL, Pki, PncCentralSystem, on_wire, transfer

from ocpp16.errors import CallFailed
from ocpp16.security.evse_security import LeafCertificateType
from ocpp16.security.lab_pki import Issued, Use

DAY = 86_400.0


class Responder:
    """A keeper with one certificate towards cars, whose status a Central System tells as `answer` has it."""

    def __init__(self) -> None:
        self.pki = Pki(lambda: NOW + trio.current_time())
        self.days: float | None = 30.0
        self.is_revoked = False
        self.issued: dict[str, Issued] = {}
        self.csms = PncCentralSystem(
            SignCertificate={"status": "Accepted"}, GetCertificateStatus=self.answer, Authorize=...
        )

    async def prepare(self, leaves: int = 1) -> "Responder":
        await self.pki.trust()
        for number in range(leaves):
            await self.install(f"station{number}")
        return self

    async def install(self, name: str) -> None:
        made = await self.pki.keeper.generate_certificate_signing_request(
            LeafCertificateType.V2G, "NL", "Operator", name, False
        )
        issued = self.pki.cpo.sign_request(made.csr, use=Use.SERVER, days=900, responder_url=f"{URL}{name}")
        self.issued[f"{URL}{name}"] = issued
        result = await self.pki.keeper.update_leaf_certificate(issued.chain, LeafCertificateType.V2G)
        assert result == "Accepted"

    def answer(self, request: Any) -> Any:
        certificate = self.issued[request["ocspRequestData"]["responderURL"]].certificate
        now = NOW + trio.current_time()
        said = self.pki.cpo.certificate_status(certificate, now, days=self.days, is_revoked=self.is_revoked)
        return {"status": "Accepted", "ocspResult": said}

    def times(self) -> list[float]:
        """Seconds from the first request to each of the others."""
        asked = [
            call.time for call in self.csms.calls("DataTransfer") if call.payload["messageId"] == "GetCertificateStatus"
        ]
        return [round(time - asked[0]) for time in asked]

    async def kept(self) -> int:
        """Answers that can be handed to a car."""
        found = 0
        for one in await self.pki.keeper.get_v2g_ocsp_request_data():
            found += await self.pki.keeper.get_ocsp_response(one.hash_data) is not None
        return found


@pytest.fixture
async def responder() -> Responder:
    return await Responder().prepare()


async def test_a_minute_after_the_registration_and_by_the_interval(
    open_bench: Any, make_config: Any, responder: Responder
) -> None:
    document = make_config(**on_wire(), Internal__OcspRequestInterval=100_000)
    async with open_bench(csms=responder.csms, document=document, evse_security=responder.pki.keeper) as bench:
        await trio.sleep(59)
        assert responder.csms.of("GetCertificateStatus") == []
        await trio.sleep(2)
        [request] = responder.csms.of("GetCertificateStatus")
        assert request["ocspRequestData"]["responderURL"] == f"{URL}station0"
        assert await responder.kept() == 1
        await trio.sleep(4 * DAY)
        assert responder.times() == [0, 100_000, 200_000, 300_000]
        assert bench.charge_point.plug_and_charge.next_certificate_status_at is not None


async def test_before_an_answer_ends_it_is_asked_for_anew(
    open_bench: Any, make_config: Any, responder: Responder
) -> None:
    responder.days = 0.5
    async with open_bench(csms=responder.csms, document=make_config(**on_wire()), evse_security=responder.pki.keeper):
        await trio.sleep(61 + DAY)
        assert responder.times() == [0, 43_200, 86_400]


@pytest.mark.parametrize("days", [0.001, -0.001])
async def test_one_that_ends_at_once_is_no_flood(
    open_bench: Any, make_config: Any, responder: Responder, days: float
) -> None:
    """A good one is asked for again an hour later; what is out of date is not kept, and asked for as if unanswered."""
    responder.days = days
    async with open_bench(csms=responder.csms, document=make_config(**on_wire()), evse_security=responder.pki.keeper):
        await trio.sleep(61 + 7_300)
        assert len(responder.times()) == (3 if days > 0 else 7)


async def test_without_an_end_the_interval_counts(open_bench: Any, make_config: Any, responder: Responder) -> None:
    responder.days = None
    async with open_bench(csms=responder.csms, document=make_config(**on_wire()), evse_security=responder.pki.keeper):
        await trio.sleep(8 * DAY)
        assert responder.times() == [0, 604_800]


async def test_a_new_interval_counts_at_once(open_bench: Any, make_config: Any, responder: Responder) -> None:
    async with open_bench(
        csms=responder.csms, document=make_config(**on_wire()), evse_security=responder.pki.keeper
    ) as bench:
        await trio.sleep(10_061)
        answer = await bench.call("ChangeConfiguration", {"key": "OcspRequestInterval", "value": "86400"})
        assert answer == {"status": "Accepted"}
        await trio.sleep(2 * DAY + 100)
        first, second, third = responder.times()
        assert (first, third - second) == (0, 86_400)
        assert 96_000 < second < 96_500


async def test_one_that_comes_while_others_are_asked_about_is_asked_about_at_once(
    open_bench: Any, make_config: Any, responder: Responder
) -> None:
    def answer(request: Any) -> Any:
        if not responder.times()[1:]:
            bench.charge_point._runtime.features.plug_and_charge.ocsp.at_once()
        return responder.answer(request)

    responder.csms.pnc["GetCertificateStatus"] = answer
    async with open_bench(
        csms=responder.csms, document=make_config(**on_wire()), evse_security=responder.pki.keeper
    ) as bench:
        await trio.sleep(70)
        assert responder.times() == [0, 0]


async def test_a_new_interval_puts_nothing_off_that_is_to_be_asked_again(
    open_bench: Any, make_config: Any, responder: Responder
) -> None:
    good, failed = responder.csms.pnc["GetCertificateStatus"], {"status": "Failed"}
    responder.csms.pnc["GetCertificateStatus"] = failed
    async with open_bench(
        csms=responder.csms, document=make_config(**on_wire()), evse_security=responder.pki.keeper
    ) as bench:
        await trio.sleep(90)
        await bench.call("ChangeConfiguration", {"key": "OcspRequestInterval", "value": "86400"})
        await trio.sleep(300)
        assert responder.times() == [0, 60, 180]
        responder.csms.pnc["GetCertificateStatus"] = good
        await trio.sleep(200)
        assert await responder.kept() == 1
        responder.csms.pnc["GetCertificateStatus"] = failed
        count = len(responder.times())
        await trio.sleep(DAY + 100)
        first, second, *_ = responder.times()[count:]
        assert second - first == 60, "the waits begin anew"


async def test_a_new_certificate_is_asked_about_at_once(open_bench: Any, make_config: Any) -> None:
    responder = await Responder().prepare(leaves=0)
    async with open_bench(
        csms=responder.csms,
        document=make_config(**on_wire(), Security__CpoName="Us"),
        evse_security=responder.pki.keeper,
    ) as bench:
        await trio.sleep(70)
        assert responder.csms.of("GetCertificateStatus") == []
        [request] = responder.csms.of("SignCertificate")
        issued = responder.pki.cpo.sign_request(request["csr"], use=Use.SERVER, responder_url=f"{URL}new")
        responder.issued[f"{URL}new"] = issued
        answer = await transfer(bench, "CertificateSigned", {"certificateChain": issued.chain})
        assert answer == ("Accepted", {"status": "Accepted"})
        await trio.sleep(1)
        assert len(responder.csms.of("GetCertificateStatus")) == 1
        assert await responder.kept() == 1


async def test_it_goes_on_over_reconnects_and_restarts(open_bench: Any, make_config: Any, responder: Responder) -> None:
    document = make_config(**on_wire(), Internal__OcspRequestInterval=86_400)
    async with open_bench(csms=responder.csms, document=document, evse_security=responder.pki.keeper) as bench:
        await trio.sleep(100)
        responder.csms.is_reachable = False
        await responder.csms.close("cp001")
        await trio.sleep(2 * DAY)
        assert len(responder.times()) == 1, "nobody can be asked"
        responder.csms.is_reachable = True
        await trio.sleep(600)
        assert len(responder.times()) == 2, "and it is made up for"
        await trio.sleep(DAY)
        assert len(responder.times()) == 3
        await bench.charge_point.stop()
        await bench.charge_point.restart()
        assert await responder.kept() == 1, "what was said lies with the certificates"
        await trio.sleep(70)
        assert len(responder.times()) == 4


async def test_a_slow_responder_holds_up_nobody(open_bench: Any, make_config: Any, responder: Responder) -> None:
    """Others go after five seconds, and the answer is taken when it comes."""
    said: list[Any] = []

    async def slow(payload: dict[str, Any], call: Any) -> Any:
        await trio.sleep(40)
        said.append(payload)
        return usual(payload, call)

    usual: Any = responder.csms.answers["DataTransfer"]
    responder.csms.answers["DataTransfer"] = slow
    async with open_bench(
        csms=responder.csms, document=make_config(**on_wire()), evse_security=responder.pki.keeper
    ) as bench:
        await trio.sleep(61)
        bench.begin()
        await trio.sleep(10)
        assert bench.sent("StartTransaction"), "it did not wait for the responder"
        assert bench.charge_point.transaction(1).transaction_id is not None
        assert said == []
        await trio.sleep(40)
        assert len(said) == 1
        assert await responder.kept() == 1
        await trio.sleep(DAY)
        assert len(responder.times()) == 1


async def test_one_after_the_other(open_bench: Any, make_config: Any) -> None:
    responder = await Responder().prepare(leaves=3)
    under_way: list[int] = [0]

    async def slow(payload: dict[str, Any], call: Any) -> Any:
        under_way.append(under_way[-1] + 1)
        await trio.sleep(20)
        under_way.append(under_way[-1] - 1)
        return usual(payload, call)

    usual: Any = responder.csms.answers["DataTransfer"]
    responder.csms.answers["DataTransfer"] = slow
    async with open_bench(csms=responder.csms, document=make_config(**on_wire()), evse_security=responder.pki.keeper):
        await trio.sleep(150)
        assert len(responder.times()) == 3
        assert max(under_way) == 1
        assert await responder.kept() == 3


@pytest.mark.parametrize(
    "answer",
    [
        ...,
        None,
        "nonsense",
        {"status": "Failed"},
        {"status": "Accepted"},
        {"status": "Accepted", "ocspResult": ""},
        {"status": "Accepted", "ocspResult": "no base64 at all!"},
        {"status": "Accepted", "ocspResult": "MAMKAQA="},
        {"status": "Accepted", "ocspResult": "x" * 5_501},
        {"status": 5},
        CallFailed("DataTransfer", "callerror", "InternalError"),
    ],
)
async def test_what_is_not_answered_is_asked_again_after_waits_that_grow(
    open_bench: Any, make_config: Any, responder: Responder, answer: Any
) -> None:
    good = responder.csms.pnc["GetCertificateStatus"]
    responder.csms.pnc["GetCertificateStatus"] = answer
    async with open_bench(
        csms=responder.csms, document=make_config(**on_wire()), evse_security=responder.pki.keeper
    ) as bench:
        bench.begin()
        await trio.sleep(10_000)
        waits = [round(later - earlier) for earlier, later in pairwise(responder.times())]
        slack = 60 if answer is ... else 0
        assert waits[:4] == [60 + slack, 120 + slack, 240 + slack, 480 + slack]
        assert max(waits) <= 3_600 + slack
        assert await responder.kept() == 0
        responder.csms.pnc["GetCertificateStatus"] = good
        await trio.sleep(3_700)
        assert await responder.kept() == 1
        assert bench.charge_point.transaction(1) is not None
        count = len(responder.times())
        await trio.sleep(DAY)
        assert len(responder.times()) == count


async def test_a_central_system_that_takes_no_part_is_left_alone(
    open_bench: Any, make_config: Any, responder: Responder
) -> None:
    responder.csms.outer = "UnknownVendorId"
    async with open_bench(csms=responder.csms, document=make_config(**on_wire()), evse_security=responder.pki.keeper):
        await trio.sleep(6 * DAY)
        assert len(responder.times()) == 1
        await trio.sleep(2 * DAY)
        assert len(responder.times()) == 2


async def test_switched_off_and_on(open_bench: Any, make_config: Any, responder: Responder) -> None:
    async with open_bench(
        csms=responder.csms, document=make_config(**on_wire()), evse_security=responder.pki.keeper
    ) as bench:
        await trio.sleep(30)
        request = {"key": "ISO15118CertificateManagementEnabled", "value": "false"}
        await bench.call("ChangeConfiguration", request)
        assert bench.charge_point.plug_and_charge.next_certificate_status_at is None
        await trio.sleep(8 * DAY)
        assert responder.csms.of("GetCertificateStatus") == []
        await bench.call("ChangeConfiguration", {**request, "value": "true"})
        await trio.sleep(61)
        assert len(responder.csms.of("GetCertificateStatus")) == 1


async def test_a_chain_that_is_revoked_is_not_held_good(responder: Responder) -> None:
    """As its responder said, as long as that holds."""
    keeper, chain = responder.pki.keeper, responder.issued[f"{URL}station0"].chain
    assert await keeper.verify_certificate(chain, [LeafCertificateType.V2G]) == "Valid"
    responder.is_revoked = True
    [one] = await keeper.get_v2g_ocsp_request_data()
    said = responder.answer({"ocspRequestData": {"responderURL": one.responder_url}})["ocspResult"]
    await keeper.update_ocsp_cache(one.hash_data, said)
    assert await keeper.verify_certificate(chain, [LeafCertificateType.V2G]) == "Revoked"


@pytest.mark.parametrize("fault", ["raises", "hangs", "lies"])
async def test_a_keeper_that_fails_ends_nothing(
    open_bench: Any, make_config: Any, responder: Responder, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(self: Any, *arguments: Any) -> Any:
        if fault == "raises":
            raise OSError("disk")
        if fault == "hangs":
            await trio.sleep_forever()
        return "data"

    document = make_config(**on_wire(), Internal__OcspRequestInterval=86_400)
    async with open_bench(csms=responder.csms, document=document, evse_security=responder.pki.keeper):
        with monkeypatch.context() as patched:
            patched.setattr(type(responder.pki.keeper), "get_v2g_ocsp_request_data", fail)
            await trio.sleep(200)
        assert responder.csms.of("GetCertificateStatus") == []
        await trio.sleep(DAY)
        assert len(responder.csms.of("GetCertificateStatus")) == 1, "the next round comes"
