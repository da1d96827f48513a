"""Contracts, authorized by a Central System, by a local check, or by nobody; and whatever anybody answers."""

from typing import Any

import pytest
import trio
from contract_bench import EMAID, URL, Pki, PncCentralSystem, on_wire

from ocpp16.errors import CallFailed, FeatureNotBuilt
from ocpp16.observer import ContractAuthorized
from ocpp16.security.evse_security import CertificateHashData, OcspRequestData

HASHES = [OcspRequestData(CertificateHashData("SHA256", "ab" * 32, "cd" * 32, "1f"), URL)]
ON_THE_WIRE = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "ab" * 32,
    "issuerKeyHash": "cd" * 32,
    "serialNumber": "1f",
    "responderURL": URL,
}
ACCEPTED = {"idTokenInfo": {"status": "Accepted"}, "certificateStatus": "Accepted"}


@pytest.fixture
async def pki() -> Pki:
    return await Pki().trust()


async def test_by_hash_data(open_bench: Any, make_config: Any) -> None:
    csms = PncCentralSystem(
        Authorize={
            "idTokenInfo": {"status": "Accepted", "cacheExpiryDateTime": "2026-03-01T00:00:00Z"},
            "certificateStatus": "Accepted",
        }
    )
    async with open_bench(csms=csms, document=make_config(**on_wire())) as bench:
        found = await bench.charge_point.plug_and_charge.data_transfer_pnc_authorize(EMAID, None, HASHES)
        assert csms.of("Authorize") == [
            {"idToken": {"idToken": EMAID}, "iso15118CertificateHashData": [ON_THE_WIRE]},
        ]
        assert found.id_token_info.status == "Accepted"
        assert found.id_token_info.cache_expiry_date_time.isoformat() == "2026-03-01T00:00:00+00:00"
        assert found.certificate_status == "Accepted"
        assert found.is_accepted
        assert (found.source, found.key) == ("the Central System", "")
        await trio.sleep(0.1)
        assert bench.events.of(ContractAuthorized) == [ContractAuthorized(EMAID, found)]


async def test_a_chain_that_holds_is_asked_by_its_hashes(open_bench: Any, make_config: Any, pki: Pki) -> None:
    csms = PncCentralSystem(Authorize=ACCEPTED)
    async with open_bench(csms=csms, document=make_config(**on_wire()), evse_security=pki.keeper) as bench:
        chain = pki.contract()
        found = await bench.charge_point.plug_and_charge.data_transfer_pnc_authorize(EMAID, chain)
        [request] = csms.of("Authorize")
        [named] = request["iso15118CertificateHashData"]
        assert named["responderURL"] == URL
        assert "certificate" not in request
        assert found.is_accepted


@pytest.mark.parametrize("is_allowed", [False, True])
@pytest.mark.parametrize("kind", ["foreign", "expired", "no responder"])
async def test_what_cannot_be_asked_by_hashes(
    open_bench: Any, make_config: Any, pki: Pki, kind: str, is_allowed: bool
) -> None:
    chain = {
        "foreign": lambda: pki.contract(pki.stranger),
        "expired": lambda: pki.contract(starts_in=-0.9, days=0.5),
        "no responder": lambda: pki.contract(responder_url=""),
    }[kind]()
    csms = PncCentralSystem(Authorize=ACCEPTED)
    document = make_config(**on_wire(CentralContractValidationAllowed=is_allowed))
    async with open_bench(csms=csms, document=document, evse_security=pki.keeper) as bench:
        found = await bench.charge_point.plug_and_charge.data_transfer_pnc_authorize(EMAID, chain)
        assert found.key == "CentralContractValidationAllowed"
        if is_allowed:
            assert csms.of("Authorize") == [{"idToken": {"idToken": EMAID}, "certificate": chain}]
            assert found.is_accepted
        else:
            assert csms.asked == []
            assert found.id_token_info.status == "Invalid"
            assert (
                found.certificate_status
                == {
                    "foreign": "NoCertificateAvailable",
                    "expired": "CertificateExpired",
                    "no responder": "Accepted",
                }[kind]
            )
            assert not found.is_accepted


@pytest.mark.parametrize(
    ("keys", "listed", "expected"),
    [
        ({}, True, ("Accepted", "Accepted")),
        ({}, False, ("Invalid", "Accepted")),
        ({"Core__LocalAuthorizeOffline": False}, True, ("Unknown", "Accepted")),
        ({"PnC__ContractValidationOffline": False}, True, ("NotAtThisTime", None)),
        ({"PnC__ISO15118PnCEnabled": False}, True, ("Invalid", None)),
    ],
)
async def test_offline(
    open_bench: Any, make_config: Any, pki: Pki, keys: dict[str, Any], listed: bool, expected: Any
) -> None:
    document = make_config(
        **{
            **on_wire(),
            "Core__SupportedFeatureProfiles": "Core,LocalAuthListManagement",
            "LocalAuthListManagement__LocalAuthListEnabled": True,
            "Core__LocalAuthorizeOffline": True,
            **keys,
        }
    )
    csms = PncCentralSystem(Authorize=ACCEPTED)
    async with open_bench(csms=csms, document=document, evse_security=pki.keeper) as bench:
        entries = [{"idTag": EMAID.lower(), "idTagInfo": {"status": "Accepted"}}] if listed else []
        await bench.call("SendLocalList", {"listVersion": 1, "updateType": "Full", "localAuthorizationList": entries})
        csms.is_reachable = False
        await csms.close("cp001")
        await trio.sleep(1)
        found = await bench.charge_point.plug_and_charge.data_transfer_pnc_authorize(EMAID, pki.contract(), HASHES)
        assert (found.id_token_info.status, found.certificate_status) == expected
        assert csms.asked == []


@pytest.mark.parametrize("emaid", ["N", "NL-ABC-C00000001-X", "x" * 21, "x" * 36])
@pytest.mark.parametrize("is_online", [True, False])
async def test_emaids_of_every_length(open_bench: Any, make_config: Any, pki: Pki, emaid: str, is_online: bool) -> None:
    csms = PncCentralSystem(Authorize=ACCEPTED)
    async with open_bench(
        csms=csms, document=make_config(**on_wire()), evse_security=pki.keeper, start=is_online
    ) as bench:
        found = await bench.charge_point.plug_and_charge.data_transfer_pnc_authorize(emaid, pki.contract())
        assert found.is_accepted == is_online
        assert [request["idToken"] for request in csms.of("Authorize")] == [{"idToken": emaid}] * is_online


WRONG_ANSWERS: list[Any] = [
    None,
    "",
    "{",
    "null",
    "[]",
    "5",
    '"Accepted"',
    "{}",
    "[" * 100_000,
    "\x00",
    {"idTokenInfo": None},
    {"idTokenInfo": []},
    {"idTokenInfo": {}},
    {"idTokenInfo": {"status": None}},
    {"idTokenInfo": {"status": "accepted!"}},
    {"idTokenInfo": {"status": 5}},
    {"idTokenInfo": {"status": "Accepted", "cacheExpiryDateTime": "tomorrow"}},
    {"idTokenInfo": {"status": "Accepted"}, "certificateStatus": "Fine"},
    {"idTokenInfo": {"status": "Accepted"}, "certificateStatus": ["Accepted"]},
    CallFailed("DataTransfer", "callerror", "InternalError"),
    CallFailed("DataTransfer", "callerror", "NotImplemented"),
]


@pytest.mark.parametrize("answer", WRONG_ANSWERS)
async def test_an_answer_that_is_none_is_a_status(open_bench: Any, make_config: Any, answer: Any) -> None:
    csms = PncCentralSystem(Authorize=answer)
    async with open_bench(csms=csms, document=make_config(**on_wire())) as bench:
        bench.begin()
        found = await bench.charge_point.plug_and_charge.data_transfer_pnc_authorize(EMAID, None, HASHES)
        assert (found.id_token_info.status, found.certificate_status) == ("Unknown", None)
        assert found.reason
        assert bench.charge_point.transaction(1) is not None, "the charge goes on"
        csms.pnc["Authorize"] = ACCEPTED
        again = await bench.charge_point.plug_and_charge.data_transfer_pnc_authorize(EMAID, None, HASHES)
        assert again.is_accepted


@pytest.mark.parametrize("outer", ["Rejected", "UnknownVendorId", "UnknownMessageId"])
async def test_a_transfer_that_is_refused_is_not_looked_into(open_bench: Any, make_config: Any, outer: str) -> None:
    csms = PncCentralSystem(Authorize=ACCEPTED)
    csms.outer = outer
    async with open_bench(csms=csms, document=make_config(**on_wire())) as bench:
        found = await bench.charge_point.plug_and_charge.data_transfer_pnc_authorize(EMAID, None, HASHES)
        assert found.id_token_info.status == "Unknown"
        assert outer in found.reason


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"idTokenInfo": {"status": "NoCredit"}}, ("Blocked", None)),
        ({"idTokenInfo": {"status": "Unknown"}}, ("Invalid", None)),
        ({"idTokenInfo": {"status": "Accepted", "language1": "en"}, "customData": {}}, ("Accepted", None)),
        (
            {"idTokenInfo": {"status": "Accepted"}, "certificateStatus": "CertificateRevoked"},
            ("Accepted", "CertificateRevoked"),
        ),
    ],
)
async def test_the_form_of_ocpp_2_is_understood(
    open_bench: Any, make_config: Any, answer: Any, expected: tuple[str, Any]
) -> None:
    csms = PncCentralSystem(Authorize=answer)
    async with open_bench(csms=csms, document=make_config(**on_wire())) as bench:
        found = await bench.charge_point.plug_and_charge.data_transfer_pnc_authorize(EMAID, None, HASHES)
        assert (found.id_token_info.status, found.certificate_status) == expected
        assert found.is_accepted == (expected == ("Accepted", None)), "not with a certificate that is refused"


async def test_silence_has_an_end(open_bench: Any, make_config: Any) -> None:
    csms = PncCentralSystem(Authorize=...)
    async with open_bench(csms=csms, document=make_config(**on_wire())) as bench:
        with trio.fail_after(61):
            found = await bench.charge_point.plug_and_charge.data_transfer_pnc_authorize(EMAID, None, HASHES)
        assert found.rule == "asked: no answer in time"
        assert found.id_token_info.status == "Unknown"


async def test_whoever_is_cancelled_leaves_nothing_behind(open_bench: Any, make_config: Any) -> None:
    csms = PncCentralSystem(Authorize=...)
    async with open_bench(csms=csms, document=make_config(**on_wire())) as bench:
        with trio.move_on_after(3):
            await bench.charge_point.plug_and_charge.data_transfer_pnc_authorize(EMAID, None, HASHES)
        csms.pnc["Authorize"] = ACCEPTED
        with trio.fail_after(120):
            again = await bench.charge_point.plug_and_charge.data_transfer_pnc_authorize(EMAID, None, HASHES)
        assert again.is_accepted


async def test_a_connection_that_ends_and_a_stop_end_the_wait(open_bench: Any, make_config: Any) -> None:
    csms = PncCentralSystem(Authorize=...)
    async with open_bench(csms=csms, document=make_config(**on_wire())) as bench:
        authorize = bench.charge_point.plug_and_charge.data_transfer_pnc_authorize
        rules: list[str] = []

        async def ask() -> None:
            rules.append((await authorize(EMAID, None, HASHES)).rule)

        for end in (lambda: csms.close("cp001"), bench.charge_point.stop):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask)
                await trio.sleep(5)
                await end()
            await trio.sleep(20)
        assert rules == ["asked: the connection ended"] * 2, "a stop closes the connection first"


@pytest.mark.parametrize("answer", [None, OSError("x"), "Valid!", 5, ...])
async def test_a_keeper_that_lies_lets_nobody_charge(
    open_bench: Any, make_config: Any, pki: Pki, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def examine(self: Any, *arguments: Any) -> Any:
        if isinstance(answer, BaseException):
            raise answer
        if answer is ...:
            await trio.sleep_forever()
        return answer

    monkeypatch.setattr(type(pki.keeper), "examine_certificate", examine)
    csms = PncCentralSystem(Authorize=ACCEPTED)
    async with open_bench(csms=csms, document=make_config(**on_wire()), evse_security=pki.keeper) as bench:
        with trio.fail_after(70):
            found = await bench.charge_point.plug_and_charge.data_transfer_pnc_authorize(EMAID, pki.contract())
        assert (found.id_token_info.status, csms.asked) == ("Invalid", [])


@pytest.mark.parametrize(
    "arguments",
    [
        ("",),
        ("x" * 37,),
        (5,),
        (EMAID, 5),
        (EMAID, None, HASHES * 5),
        (EMAID, None, [ON_THE_WIRE]),
        (EMAID, None, [OcspRequestData(HASHES[0].hash_data._replace(serial_number="1" * 41), URL)]),
        (EMAID, None, [OcspRequestData(HASHES[0].hash_data, "u" * 513)]),
        (EMAID, None, 5),
    ],
)
async def test_what_is_no_question(open_bench: Any, make_config: Any, arguments: tuple[Any, ...]) -> None:
    async with open_bench(document=make_config(**on_wire())) as bench:
        with pytest.raises(ValueError, match=r"emaid|certificate|ocsp_request_data|serial_number|responder_url"):
            await bench.charge_point.plug_and_charge.data_transfer_pnc_authorize(*arguments)


async def test_a_chain_that_no_message_holds_is_not_sent(open_bench: Any, make_config: Any, pki: Pki) -> None:
    csms = PncCentralSystem(Authorize=ACCEPTED)
    document = make_config(**on_wire(CentralContractValidationAllowed=True))
    async with open_bench(csms=csms, document=document, evse_security=pki.keeper) as bench:
        chain = pki.contract(pki.stranger) * 9
        found = await bench.charge_point.plug_and_charge.data_transfer_pnc_authorize(EMAID, chain)
        assert found.rule == "not asked: it cannot be put into a message"
        assert csms.asked == []


async def test_without_its_section_there_is_none(open_bench: Any) -> None:
    async with open_bench() as bench:
        assert not bench.charge_point.plug_and_charge.is_built
        with pytest.raises(FeatureNotBuilt, match="PnC"):
            await bench.charge_point.plug_and_charge.data_transfer_pnc_authorize(EMAID)


async def test_the_switch_acts_at_once(open_bench: Any, make_config: Any) -> None:
    csms = PncCentralSystem(Authorize=ACCEPTED)
    async with open_bench(csms=csms, document=make_config(**on_wire(ISO15118PnCEnabled=False))) as bench:
        authorize = bench.charge_point.plug_and_charge.data_transfer_pnc_authorize
        assert not (await authorize(EMAID, None, HASHES)).is_accepted
        await bench.call("ChangeConfiguration", {"key": "ISO15118PnCEnabled", "value": "true"})
        assert (await authorize(EMAID, None, HASHES)).is_accepted
