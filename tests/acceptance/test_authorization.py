"""Who may charge: Central System, cache, local list, offline."""

from collections.abc import Callable
from typing import Any

import pytest
from outside import Outside

Begin = Callable[..., Outside]

REFUSALS = ["Invalid", "Expired", "Blocked"]


def entry(id_tag: str, status: str = "Accepted", **members: Any) -> dict[str, Any]:
    return {"idTag": id_tag, "idTagInfo": {"status": status, **members}}


def full(version: int, *entries: dict[str, Any]) -> dict[str, Any]:
    return {"listVersion": version, "updateType": "Full", "localAuthorizationList": list(entries)}


def refuses(one: Outside, id_tag: str) -> None:
    """The tag is refused, and nothing starts."""
    one.told("authorization", id_tag=id_tag)
    one.settle()
    assert one.calls("StartTransaction") == []


@pytest.mark.parametrize("status", REFUSALS)
def test_tc_023_refused_by_the_central_system(begin: Begin, status: str) -> None:
    """Authorize.conf Invalid, Expired or Blocked: no transaction."""
    one = begin()
    one.id_tag_info("Authorize", status)
    one.plug_in()
    one.status(1, "Preparing")
    one.card("CARD", 1)
    one.expect("Authorize", idTag="CARD")
    assert one.told("authorization", id_tag="CARD")["status"] == status
    one.settle()
    assert one.calls("StartTransaction") == []


def test_authorize_answered_by_an_error_is_no_permission(begin: Begin) -> None:
    """A CALLERROR to Authorize: refused, and the next attempt asks again."""
    one = begin()
    one.answer_next("Authorize", "InternalError")
    one.plug_in()
    one.card("CARD", 1)
    refuses(one, "CARD")
    one.card("CARD", 1)
    one.charges()


def test_tc_007_cached_id(begin: Begin) -> None:
    """LocalPreAuthorize with the cache: who was accepted before starts without Authorize."""
    one = begin(Core={"LocalPreAuthorize": True, "AuthorizationCacheEnabled": True})
    one.charge()
    one.unplug()
    one.status(1, "Available")
    one.charge()
    assert len(one.calls("Authorize")) == 1


def test_a_cached_tag_is_found_in_any_case(begin: Begin) -> None:
    """idTag is a CiString."""
    one = begin(Core={"LocalPreAuthorize": True, "AuthorizationCacheEnabled": True})
    one.charge(1, "Card")
    one.unplug()
    one.status(1, "Available")
    one.charge(1, "cARD")
    assert len(one.calls("Authorize")) == 1


def test_a_cache_that_is_off_knows_nobody(begin: Begin) -> None:
    """AuthorizationCacheEnabled false: Authorize every time, and ClearCache is Rejected."""
    one = begin(Core={"LocalPreAuthorize": True, "AuthorizationCacheEnabled": False})
    one.charge()
    one.unplug()
    one.status(1, "Available")
    one.charge()
    assert len(one.calls("Authorize")) == 2
    assert one.ask("ClearCache") == "Rejected"


def test_tc_061_clear_cache(begin: Begin) -> None:
    """ClearCache: Accepted, and who was cached is asked about again."""
    one = begin(Core={"LocalPreAuthorize": True, "AuthorizationCacheEnabled": True})
    one.charge()
    one.unplug()
    one.status(1, "Available")
    assert one.do("cache")["count"] == 1
    assert one.ask("ClearCache") == "Accepted"
    assert one.do("cache")["count"] == 0
    one.charge()
    assert len(one.calls("Authorize")) == 2


def test_an_expired_cache_entry_is_asked_about(begin: Begin) -> None:
    """expiryDate in the past: the entry counts no more."""
    one = begin(Core={"LocalPreAuthorize": True, "AuthorizationCacheEnabled": True})
    one.id_tag_info("StartTransaction", "Accepted", expiryDate="2020-01-01T00:00:00Z")
    one.charge()
    one.unplug()
    one.status(1, "Available")
    one.charge()
    assert len(one.calls("Authorize")) == 2


def test_without_local_pre_authorize_it_always_asks(begin: Begin) -> None:
    """Online, cache and list do not help when LocalPreAuthorize is false."""
    one = begin(Core={"AuthorizationCacheEnabled": True})
    assert one.ask("SendLocalList", **full(1, entry("CARD"))) == "Accepted"
    one.charge()
    one.unplug()
    one.status(1, "Available")
    one.charge()
    assert len(one.calls("Authorize")) == 2


def test_a_listed_tag_starts_without_asking(begin: Begin) -> None:
    """LocalPreAuthorize with the local list."""
    one = begin(Core={"LocalPreAuthorize": True})
    assert one.ask("SendLocalList", **full(1, entry("CARD"))) == "Accepted"
    one.charge()
    assert one.calls("Authorize") == []


@pytest.mark.parametrize("status", REFUSALS)
def test_a_listed_tag_that_is_not_accepted_is_asked_about(begin: Begin, status: str) -> None:
    """Online the Central System may know better (§3.5.3)."""
    one = begin(Core={"LocalPreAuthorize": True})
    assert one.ask("SendLocalList", **full(1, entry("CARD", status))) == "Accepted"
    one.charge()
    assert len(one.calls("Authorize")) == 1


def test_a_list_that_is_switched_off_knows_nobody(begin: Begin) -> None:
    """LocalAuthListEnabled false, by ChangeConfiguration: Authorize again."""
    one = begin(Core={"LocalPreAuthorize": True})
    assert one.ask("SendLocalList", **full(1, entry("CARD"))) == "Accepted"
    assert one.ask("ChangeConfiguration", key="LocalAuthListEnabled", value="false") == "Accepted"
    one.charge()
    assert len(one.calls("Authorize")) == 1


@pytest.mark.parametrize("allowed", [True, False])
def test_offline_an_unknown_tag(begin: Begin, allowed: bool) -> None:
    """AllowOfflineTxForUnknownId decides."""
    one = begin(Core={"AllowOfflineTxForUnknownId": allowed})
    one.offline()
    one.plug_in()
    one.card("STRANGER", 1)
    decided = one.told("authorization", id_tag="STRANGER")
    assert (decided["status"] == "Accepted") is allowed
    one.online()
    one.settle()
    assert len(one.calls("StartTransaction")) == int(allowed)
    assert one.calls("Authorize") == []


@pytest.mark.parametrize("status", REFUSALS)
def test_offline_a_tag_known_as_refused_stays_refused(begin: Begin, status: str) -> None:
    """AllowOfflineTxForUnknownId is for the unknown only."""
    one = begin(Core={"AllowOfflineTxForUnknownId": True})
    assert one.ask("SendLocalList", **full(1, entry("CARD", status))) == "Accepted"
    one.offline()
    one.plug_in()
    one.card("CARD", 1)
    assert one.told("authorization", id_tag="CARD")["status"] == status
    one.online()
    one.settle()
    assert one.calls("StartTransaction") == []


@pytest.mark.parametrize("allowed", [True, False])
def test_offline_a_listed_tag(begin: Begin, allowed: bool) -> None:
    """LocalAuthorizeOffline decides whether the list counts."""
    one = begin(Core={"LocalAuthorizeOffline": allowed})
    assert one.ask("SendLocalList", **full(1, entry("CARD"))) == "Accepted"
    one.offline()
    one.plug_in()
    one.card("CARD", 1)
    assert (one.told("authorization", id_tag="CARD")["status"] == "Accepted") is allowed
    one.online()
    one.settle()
    assert len(one.calls("StartTransaction")) == int(allowed)


def test_offline_a_cached_tag(begin: Begin) -> None:
    """The cache counts offline, and over a power cut."""
    one = begin(Core={"AuthorizationCacheEnabled": True})
    one.charge()
    one.unplug()
    one.status(1, "Available")
    one.offline()
    one.plug_in()
    one.card("CARD", 1)
    assert one.told("authorization", id_tag="CARD", status="Accepted")
    one.online()
    one.wait_for_count("StartTransaction", 2)


@pytest.mark.parametrize("stops", [True, False])
@pytest.mark.parametrize("status", REFUSALS)
def test_refused_at_the_start_of_the_transaction(begin: Begin, status: str, stops: bool) -> None:
    """StartTransaction.conf refuses: DeAuthorized with StopTransactionOnInvalidId, else suspended without energy."""
    one = begin(Core={"StopTransactionOnInvalidId": stops, "MaxEnergyOnInvalidId": 0})
    one.id_tag_info("StartTransaction", status)
    one.plug_in()
    one.card("CARD", 1)
    one.expect("StartTransaction")
    if stops:
        one.expect("StopTransaction", reason="DeAuthorized")
        one.status(1, "Finishing")
    else:
        one.status(1, "SuspendedEVSE")
        one.settle()
        assert one.calls("StopTransaction") == []


def test_concurrent_tx_of_a_tag_that_charges_elsewhere(begin: Begin) -> None:
    """Authorize.conf ConcurrentTx: no transaction."""
    one = begin()
    one.id_tag_info("Authorize", "ConcurrentTx")
    one.plug_in()
    one.card("CARD", 1)
    refuses(one, "CARD")


def test_what_stop_transaction_says_of_a_tag_is_kept(begin: Begin) -> None:
    """idTagInfo of StopTransaction.conf goes into the cache, for the tag that stopped."""
    one = begin(Core={"LocalPreAuthorize": True, "AuthorizationCacheEnabled": True})
    number = one.charge()
    one.id_tag_info("StopTransaction", "Blocked")
    one.card("CARD", 1)
    one.expect("StopTransaction", transactionId=number)
    one.settle()
    (known,) = one.do("cache")["entries"]
    assert known["status"] == "Blocked"


def test_the_reason_of_a_decision_is_told(begin: Begin) -> None:
    """`why`: who decided, for each tag."""
    one = begin()
    one.id_tag_info("Authorize", "Blocked")
    one.plug_in()
    one.card("CARD", 1)
    one.told("authorization", id_tag="CARD")
    latest = one.do("why")[-1]
    assert (latest["id_tag"], latest["status"]) == ("CARD", "Blocked")
    assert latest["source"]
