"""Addresses that can never work, judged without a network."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocpp16.address import (
    address_problems,
    identity_problems,
    scheme_of,
    scheme_problem,
    user_name_problem,
    without_credentials,
)

GOOD = [
    "csms.example/ocpp/",
    "csms:9443/ocpp/",
    "u",
    "ws://127.0.0.1:9000/ocpp/",
    "WSS://csms.example",
    "wss://[::1]:8443/ocpp?tenant=5",
    "[fe80::1%25eth0]:80/",
    "ws://csms.example./",
    "ws://bücher.example/",
    "ws://h/path@with/colon:s",
    " ws://csms/ ",
    "ws://csms/a path with blanks",
]
BAD = [
    ("", "empty"),
    ("   ", "empty"),
    ("http://csms/", "must begin with"),
    ("://csms/", "no usable host"),
    ("ws://", "no usable host"),
    ("ws:///ocpp", "no usable host"),
    ("ws://:80/", "no usable host"),
    ("ws://host:99999/", "no usable host"),
    ("ws://host:0/", "no usable host"),
    ("ws://host:http/", "no usable host"),
    ("ws://[::1/", "no usable host"),
    ("ws://a..b/", "no usable host"),
    ("ws://./", "no usable host"),
    ("ws://" + "x" * 64 + ".example/", "no usable host"),
    ("ws://a|b/", "no usable host"),
    ("ws://user:password@host/", "credentials"),
    ("ws://@host/", "credentials"),
    ("user:password@host/", "credentials"),
    ("ws://host/#part", "fragment"),
    ("ws://host/#", "fragment"),
    ("ws://ho st/", "no usable host"),
    ("ws://host/\r\nEvil: header", "control character"),
    ("ws://host/\x7f", "control character"),
    ("ws://host/\ud800", "no Unicode character"),
]


@pytest.mark.parametrize("uri", GOOD)
def test_addresses_that_may_work(uri: str) -> None:
    assert address_problems(uri) == ()


@pytest.mark.parametrize(("uri", "reason"), BAD)
def test_addresses_that_never_work(uri: str, reason: str) -> None:
    problems = address_problems(uri)
    assert any(reason in problem for problem in problems), problems
    assert not any("password@" in problem for problem in problems)


def test_all_that_is_wrong_is_told() -> None:
    assert len(address_problems("http://user@host:0/#part")) == 4


@settings(derandomize=True, deadline=None, database=None)
@given(st.text() | st.text(alphabet="ws:/[]@#%?.a0\\\x00\ud800 ", max_size=20))
def test_no_text_is_more_than_a_problem(text: str) -> None:
    assert isinstance(address_problems(text), tuple)
    assert isinstance(identity_problems(text), list)
    for profile in range(4):
        assert isinstance(scheme_problem(text, profile) + user_name_problem(text, profile), str)
    assert without_credentials(text).rpartition("@")[0] in ("", f"{text.partition('://')[0]}://…", "…")


@pytest.mark.parametrize("identity", ["cp001", "Site 7/A", "ü" * 40, "a:b", "%2F", "..."])
def test_identities_that_work(identity: str) -> None:
    assert identity_problems(identity) == []


@pytest.mark.parametrize(
    "identity", ["", ".", "..", "a\nb", "\x1b[2J", "\x9b", "a\u2028b", "\udcff", "x" * 241, "ü" * 41]
)
def test_identities_that_never_work(identity: str) -> None:
    assert len(identity_problems(identity)) == 1


@pytest.mark.parametrize(
    ("uri", "profile", "is_right"),
    [
        ("ws://h/", 0, True),
        ("ws://h/", 1, True),
        ("WS://h/", 2, False),
        ("wss://h/", 0, False),
        ("wss://h/", 1, False),
        ("Wss://h/", 2, True),
        ("h:80/", 0, True),
        ("h:443/", 2, True),
    ],
)
def test_the_scheme_follows_the_security_profile(uri: str, profile: int, is_right: bool) -> None:
    assert (scheme_problem(uri, profile) == "") is is_right


def test_a_scheme_is_read_in_any_case_and_only_with_its_slashes() -> None:
    assert [scheme_of(uri) for uri in ("WSS://h", "h:80", " ws://h", "http:h")] == ["wss", "", "ws", ""]


def test_a_user_name_has_no_colon() -> None:
    assert [bool(user_name_problem("a:b", profile)) for profile in range(4)] == [False, True, True, False]
    assert user_name_problem("ab", 1) == ""


@pytest.mark.parametrize(
    ("uri", "text"),
    [
        ("ws://user:password@host/", "ws://…@host/"),
        ("user:password@host", "…@host"),
        ("ws://user:p@ssword@host/", "ws://…@host/"),
        ("ws://host/", "ws://host/"),
    ],
)
def test_credentials_are_not_shown(uri: str, text: str) -> None:
    assert without_credentials(uri) == text
