from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocpp16.errors import ConfigurationError
from ocpp16.security.basic_auth import authorization_header, credentials, is_same_key


def test_key_bytes_stand_in_the_header_not_their_digits() -> None:
    key = bytes.fromhex("0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF")
    assert authorization_header("AL1000", key) == "Basic QUwxMDAwOgABAgMEBQYH////////////////"


@pytest.mark.parametrize("key", [b"a:b:c", b"\xff\xfe:\x00", bytes(range(20)), b"plain text password"])
@pytest.mark.parametrize("identity", ["CP1", "RDAM 123", "Säule"])
def test_any_byte_may_be_in_a_key(identity: Any, key: Any) -> None:
    assert credentials(authorization_header(identity, key)) == (identity, key)


def test_missing_key() -> None:
    with pytest.raises(ConfigurationError, match="AuthorizationKey"):
        authorization_header("CP1", b"")


def test_colon_in_the_identity() -> None:
    with pytest.raises(ConfigurationError, match="colon"):
        authorization_header("NL:1", b"k" * 16)


def test_an_identity_that_is_no_text() -> None:
    with pytest.raises(ConfigurationError, match="no Unicode character"):
        authorization_header("NL\ud800", b"k" * 16)


@given(st.text(st.characters(categories=None, exclude_categories=()), max_size=40).map(lambda text: f"Basic {text}"))
@settings(derandomize=True, deadline=None, database=None)
def test_any_header_is_read_or_not(header: str) -> None:
    found = credentials(header)
    assert found is None or isinstance(found[0], str)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic ###",
        "Bearer QUw6eA==",
        "Basic " + b64encode(b"no colon").decode(),
        "Basic " + b64encode(b"\xff\xfe:key").decode(),
    ],
)
def test_unreadable_headers(header: Any) -> None:
    assert credentials(header) is None


def test_scheme_in_any_case() -> None:
    assert credentials("bAsIc  QUw6eA== ") == ("AL", b"x")


def test_comparison() -> None:
    assert is_same_key(b"\x00\xff", b"\x00\xff")
    assert not is_same_key(b"\x00\xff", b"\x00\xfe")
    assert not is_same_key(b"", b"x")
