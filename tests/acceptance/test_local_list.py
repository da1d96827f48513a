"""The local authorization list, as the Central System keeps it."""

from collections.abc import Callable
from typing import Any

import pytest
from outside import Outside

Begin = Callable[..., Outside]


def entry(id_tag: str, status: str = "Accepted", **members: Any) -> dict[str, Any]:
    return {"idTag": id_tag, "idTagInfo": {"status": status, **members}}


def send(one: Outside, kind: str, version: int, *entries: dict[str, Any]) -> str:
    return one.ask("SendLocalList", listVersion=version, updateType=kind, localAuthorizationList=list(entries))


def version(one: Outside) -> int:
    number: int = one.call("GetLocalListVersion")["listVersion"]
    return number


def listed(one: Outside) -> dict[str, str]:
    return {known["id_tag"].upper(): known["status"] for known in one.do("local_list")["entries"]}


def test_tc_042_1_version_where_there_is_no_list(begin: Begin) -> None:
    """-1: the list is not supported, or is off."""
    assert version(begin(LocalAuthListManagement={"LocalAuthListEnabled": False})) == -1


def test_tc_042_2_version_of_an_empty_list(begin: Begin) -> None:
    """0: nothing was ever sent."""
    assert version(begin()) == 0


def test_tc_043_1_not_supported(begin: Begin) -> None:
    """The list is off."""
    one = begin(LocalAuthListManagement={"LocalAuthListEnabled": False})
    assert send(one, "Full", 1, entry("A")) == "NotSupported"


@pytest.mark.parametrize("second", [4, 5])
def test_tc_043_2_version_mismatch(begin: Begin, second: int) -> None:
    """A differential update must be newer than what is there."""
    one = begin()
    assert send(one, "Full", 5, entry("A")) == "Accepted"
    assert send(one, "Differential", second, entry("B")) == "VersionMismatch"
    assert version(one) == 5
    assert listed(one) == {"A": "Accepted"}


def test_tc_043_3_failed(begin: Begin) -> None:
    """More entries than SendLocalListMaxLength: Failed, and the old list stays."""
    one = begin(LocalAuthListManagement={"SendLocalListMaxLength": 2, "LocalAuthListEnabled": True})
    assert send(one, "Full", 1, entry("A")) == "Accepted"
    refused = one.ask_badly(
        "SendLocalList",
        {"listVersion": 2, "updateType": "Full", "localAuthorizationList": [entry(tag) for tag in "BCD"]},
    )
    assert refused[2] == {"status": "Failed"} or refused[0] == 4
    assert version(one) == 1
    assert listed(one) == {"A": "Accepted"}


def test_tc_043_4_full(begin: Begin) -> None:
    """A full list replaces the old one."""
    one = begin()
    assert send(one, "Full", 1, entry("A"), entry("B", "Blocked")) == "Accepted"
    assert send(one, "Full", 2, entry("C")) == "Accepted"
    assert version(one) == 2
    assert listed(one) == {"C": "Accepted"}


def test_tc_043_5_differential(begin: Begin) -> None:
    """Entries with idTagInfo are added or changed, those without are removed."""
    one = begin()
    assert send(one, "Full", 1, entry("A"), entry("B"), entry("C")) == "Accepted"
    assert send(one, "Differential", 2, entry("B", "Blocked"), {"idTag": "C"}, entry("D")) == "Accepted"
    assert version(one) == 2
    assert listed(one) == {"A": "Accepted", "B": "Blocked", "D": "Accepted"}


def test_an_empty_full_list_clears(begin: Begin) -> None:
    """Full without entries: everything is gone, the version is 0 for an empty list (§5.10)."""
    one = begin()
    assert send(one, "Full", 3, entry("A")) == "Accepted"
    assert one.ask("SendLocalList", listVersion=4, updateType="Full") == "Accepted"
    assert listed(one) == {}
    assert version(one) in (0, 4)


def test_a_full_list_may_be_older(begin: Begin) -> None:
    """Full updates go by no order."""
    one = begin()
    assert send(one, "Full", 9, entry("A")) == "Accepted"
    assert send(one, "Full", 2, entry("B")) == "Accepted"
    assert version(one) == 2


@pytest.mark.parametrize("number", [0, -1])
def test_versions_that_are_none(begin: Begin, number: int) -> None:
    """-1 and 0 mean something else: no list gets them."""
    one = begin()
    answer = one.ask_badly(
        "SendLocalList", {"listVersion": number, "updateType": "Full", "localAuthorizationList": [entry("A")]}
    )
    assert answer[0] == 4 or answer[2]["status"] == "Failed"
    assert listed(one) == {}


def test_a_tag_twice_in_one_update(begin: Begin) -> None:
    """Two entries for one tag, in whatever case: Failed as a whole."""
    one = begin()
    assert send(one, "Full", 1, entry("A"), entry("a", "Blocked")) == "Failed"
    assert listed(one) == {}


def test_more_than_fits(begin: Begin) -> None:
    """LocalAuthListMaxLength holds for what would be there after a differential update."""
    one = begin(LocalAuthListManagement={"LocalAuthListMaxLength": 2, "LocalAuthListEnabled": True})
    assert send(one, "Full", 1, entry("A"), entry("B")) == "Accepted"
    assert send(one, "Differential", 2, entry("C")) == "Failed"
    assert send(one, "Differential", 3, {"idTag": "A"}, entry("C")) == "Accepted"
    assert listed(one) == {"B": "Accepted", "C": "Accepted"}


def test_a_list_survives_a_power_cut(begin: Begin) -> None:
    """What was answered Accepted is there after kill -9."""
    one = begin()
    assert send(one, "Full", 7, entry("A"), entry("B", "Expired")) == "Accepted"
    one.power_cut()
    one.power_up()
    one.booted()
    assert version(one) == 7
    assert listed(one) == {"A": "Accepted", "B": "Expired"}


def test_a_tag_of_the_list_is_not_cached(begin: Begin) -> None:
    """Cache and list do not overlap (§3.5.1)."""
    one = begin(Core={"AuthorizationCacheEnabled": True})
    assert send(one, "Full", 1, entry("CARD")) == "Accepted"
    one.charge()
    assert one.do("cache")["count"] == 0


def test_a_tag_that_is_too_long(begin: Begin) -> None:
    """One bad entry: the whole update is refused as badly formed."""
    one = begin()
    payload = {"listVersion": 1, "updateType": "Full", "localAuthorizationList": [entry("A"), entry("X" * 21)]}
    assert one.ask_badly("SendLocalList", payload)[2] == "PropertyConstraintViolation"
    assert version(one) == 0
