from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocpp16.errors import ConfigurationError
from ocpp16.transport.dial import Endpoint, endpoint

GOOD = [
    # uri, identity, security profile, expected URL, expected Host header
    ("ws://csms.example.com/ocppj", "CP1", 0, "ws://csms.example.com/ocppj/CP1", "csms.example.com"),
    ("ws://csms.example.com/ocppj/", "CP1", 1, "ws://csms.example.com/ocppj/CP1", "csms.example.com"),
    ("wss://csms.example.com", "CP1", 2, "wss://csms.example.com/CP1", "csms.example.com"),
    ("csms.example.com:9000/a/b", "CP1", 2, "wss://csms.example.com:9000/a/b/CP1", "csms.example.com:9000"),
    ("127.0.0.1:8180/steve", "CP1", 0, "ws://127.0.0.1:8180/steve/CP1", "127.0.0.1:8180"),
    ("localhost:9000", "CP1", 0, "ws://localhost:9000/CP1", "localhost:9000"),
    ("WS://CSMS.example.com", "CP1", 0, "ws://csms.example.com/CP1", "csms.example.com"),
    ("ws://csms/ocpp/CP1", "CP1", 0, "ws://csms/ocpp/CP1", "csms"),
    ("ws://csms/ocpp/CP1/", "CP1", 0, "ws://csms/ocpp/CP1", "csms"),
    ("ws://csms/CP1/CP1", "CP1", 0, "ws://csms/CP1/CP1", "csms"),
    ("ws://csms/ocpp/RDAM%20123", "RDAM 123", 0, "ws://csms/ocpp/RDAM%20123", "csms"),
    ("ws://csms/ocpp", "RDAM 123", 0, "ws://csms/ocpp/RDAM%20123", "csms"),
    ("ws://csms", "a/b?c#d%", 0, "ws://csms/a%2Fb%3Fc%23d%25", "csms"),
    ("ws://csms", "NL*ABC-1_2=3:4+5|6@7.8", 0, "ws://csms/NL*ABC-1_2=3:4+5%7C6@7.8", "csms"),
    ("ws://csms", "Säule", 0, "ws://csms/S%C3%A4ule", "csms"),
    ("ws://csms/my path", "CP1", 0, "ws://csms/my%20path/CP1", "csms"),
    ("ws://csms/a%2Fb", "CP1", 0, "ws://csms/a%2Fb/CP1", "csms"),
    ("ws://csms/ocpp?token=a/b", "CP1", 0, "ws://csms/ocpp/CP1?token=a/b", "csms"),
    ("wss://[::1]:9443/x", "CP1", 2, "wss://[::1]:9443/x/CP1", "[::1]:9443"),
    ("wss://csms:80", "CP1", 2, "wss://csms:80/CP1", "csms:80"),
    ("ws://csms:80", "CP1", 0, "ws://csms/CP1", "csms"),
    ("  ws://csms  ", "CP1", 0, "ws://csms/CP1", "csms"),
    ("ws://[fe80::1%25eth0]:80/", "CP1", 0, "ws://[fe80::1]/CP1", "[fe80::1]"),
    ("ws://" + "x" * 63 + ":9000", "CP1", 0, "ws://" + "x" * 63 + ":9000/CP1", "x" * 63 + ":9000"),
    ("ws://csms", "a:b", 0, "ws://csms/a:b", "csms"),
]


@pytest.mark.parametrize(("uri", "identity", "profile", "url", "authority"), GOOD)
def test_endpoints(uri: Any, identity: Any, profile: Any, url: Any, authority: Any) -> None:
    found = endpoint(uri, identity, profile)
    assert str(found) == url
    assert found.authority == authority


def test_an_endpoint_is_a_plain_tuple() -> None:
    assert (
        endpoint("wss://csms/a", "CP", 2) == Endpoint(True, "csms", 443, "/a/CP") == (True, "csms", 443, "/a/CP", False)
    )
    assert endpoint("ws://[::1]/", "CP", 0).host == "::1"
    assert endpoint("csms", "CP", 3) == Endpoint(True, "csms", 443, "/CP", wants_certificate=True)


BAD = [
    # uri, identity, security profile, what the problem names
    ("", "CP1", 0, "CentralSystemURI: must not be empty"),
    ("   ", "CP1", 0, "CentralSystemURI: must not be empty"),
    ("ws://csms", "", 0, "ChargePointId: must not be empty"),
    ("ws://csms", "CP\n1", 0, "ChargePointId: has a control character"),
    ("ws://csms", "CP\udc80", 0, "ChargePointId: has a control character or a character that is no Unicode"),
    ("ws://csms", "a:b", 1, "ChargePointId: must not have a colon"),
    ("wss://csms", "a:b", 2, "ChargePointId: must not have a colon"),
    ("wss://csms", "CP1", 0, "must be ws:// with SecurityProfile 0"),
    ("wss://csms", "CP1", 1, "must be ws:// with SecurityProfile 1"),
    ("ws://csms", "CP1", 2, "must be wss:// with SecurityProfile 2"),
    ("ws://csms", "CP1", 3, "must be wss:// with SecurityProfile 3"),
    ("wss://csms", "CP1", 4, "SecurityProfile: must be"),
    ("ws://csms", "CP1", -1, "SecurityProfile: must be"),
    ("https://csms", "CP1", 2, "must begin with ws:// or wss://"),
    ("tcp://csms", "CP1", 0, "must begin with ws:// or wss://"),
    ("ws://", "CP1", 0, "no usable host"),
    ("ws://ho st/", "CP1", 0, "no usable host"),
    ("ws://csms:0", "CP1", 0, "no usable host and port"),
    ("ws://csms:65536", "CP1", 0, "no usable host and port"),
    ("ws://csms:99999", "CP1", 0, "no usable host and port"),
    ("ws://csms:port", "CP1", 0, "no usable host and port"),
    ("ws://[::1", "CP1", 0, "no usable host and port"),
    ("ws://csms/\r\nX-Y: z", "CP1", 0, "control character"),
    ("ws://csms/\ud800", "CP1", 0, "no Unicode character"),
    ("ws://user:secret@csms", "CP1", 1, "AuthorizationKey"),
    ("ws://csms/#top", "CP1", 0, "fragment"),
]


@pytest.mark.parametrize(("uri", "identity", "profile", "problem"), BAD)
def test_unusable_endpoints(uri: Any, identity: Any, profile: Any, problem: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        endpoint(uri, identity, profile)
    assert any(problem in text for text in caught.value.problems), caught.value.problems
    assert "secret" not in str(caught.value)


def test_all_problems_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        endpoint("", "", 4)
    assert len(caught.value.problems) == 3
    with pytest.raises(ConfigurationError) as caught:
        endpoint("wss://user:secret@csms:0/#top", "a:b", 1)
    assert len(caught.value.problems) == 5


@given(
    st.text(max_size=30) | st.text(alphabet="ws:/[]@#%?.a0\\\x00\ud800 ", max_size=20),
    st.text(st.characters(categories=None, exclude_categories=()), max_size=10),
    st.integers(-1, 4),
)
@settings(derandomize=True, deadline=None, database=None)
def test_any_text_is_an_endpoint_or_a_problem(uri: str, identity: str, profile: int) -> None:
    try:
        found = endpoint(uri, identity, profile)
    except ConfigurationError:
        return
    assert found.host
    assert 0 < found.port < 65_536
    assert found.target.startswith("/")
    assert found.target.isascii()
    assert found.target.isprintable()
    assert " " not in found.target
