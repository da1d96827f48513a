"""Kinds of configuration values: what they take, how they write it, and that nothing gets lost between."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocpp16.configuration.addresses import Address, Header, Identity
from ocpp16.configuration.custom_keys import AnyJson
from ocpp16.configuration.documents import Document, FreeText
from ocpp16.configuration.lists import Measurands, PhaseRotations, TextList, Tolerances
from ocpp16.configuration.values import (
    AuthorizationKey,
    Boolean,
    CountryCode,
    DateTimeText,
    Integer,
    Number,
    Text,
    TimeOffset,
)

PRICE = Document({"type": "object", "required": ["priceText"], "properties": {"priceText": {"type": "string"}}})


def nested(levels: int) -> Any:
    value: Any = {}
    for _ in range(levels):
        value = {"a": value}
    return value


# kind, text on the wire, value, text that is reported
ACCEPTED: list[tuple[Any, str, Any, str]] = [
    (Boolean(), "true", True, "true"),
    (Boolean(), "FALSE", False, "false"),
    (Integer(), "42", 42, "42"),
    (Integer(), "+7", 7, "7"),
    (Integer(minimum=0), "-0", 0, "0"),
    (Integer(), "2147483647", 2147483647, "2147483647"),
    (Number(), "48", 48.0, "48"),
    (Number(), "0.5", 0.5, "0.5"),
    (Number(), "0.0000001", 1e-07, "0.0000001"),
    (Text(), "", "", ""),
    (Text(2, 2), "DE", "DE", "DE"),
    (TextList(), " a , b,,", ("a", "b"), "a,b"),
    (TextList(), "", (), ""),
    (TextList(choices=("x",), skips_unknown=True), "x,y", ("x",), "x"),
    (TextList(separator=":", is_array=True), "A:B", ("A", "B"), "A:B"),
    (Measurands(), "SoC, Voltage", ("SoC", "Voltage"), "SoC,Voltage"),
    (PhaseRotations(), "0.RST, 1 . RTS", ("0.RST", "1.RTS"), "0.RST,1.RTS"),
    (PhaseRotations(), "", (), ""),
    (TimeOffset(), "+01:00", "+01:00", "+01:00"),
    (CountryCode(), "DE", "DE", "DE"),
    (TimeOffset(), "-24:59", "-24:59", "-24:59"),
    (DateTimeText(), "2030-01-31T02:00:00Z", "2030-01-31T02:00:00Z", "2030-01-31T02:00:00Z"),
    (PRICE, ' {"priceText": "a"} ', {"priceText": "a"}, '{"priceText":"a"}'),
    (FreeText(), "ü", "ü", "ü"),
    (TextList(choices=("A", "B")), "B,A,B,B", ("B", "A"), "B,A"),
    (TextList(), "a,a", ("a", "a"), "a,a"),
    (Measurands(), "SoC,Voltage,SoC", ("SoC", "Voltage"), "SoC,Voltage"),
    (Tolerances(choices=("a", "b")), "strict,+a,-b,a,+a", ("strict", "+a", "-b", "a", "+a"), "strict,+a,-b,a,+a"),
    (Tolerances(choices=("a",)), "", (), ""),
    (Address(), " ws://csms/ ", "ws://csms/", "ws://csms/"),
    (Identity(), "cp 1/ü", "cp 1/ü", "cp 1/ü"),
    (Header(), "cp1.example", "cp1.example", "cp1.example"),
]

REFUSED: list[tuple[Any, str]] = [
    *((Boolean(), text) for text in ("", "1", "yes", "true ", "tru", "on")),
    *((Integer(minimum=0), text) for text in ("", "-1", "1.0", "1e3", " 1", "1 ", "0x1", "٣", "2147483648", "9" * 500)),
    *((Integer(), text) for text in ("-2147483649", "--1")),
    *((Number(minimum=0), text) for text in ("", "-0.1", "1e3", "nan", "inf", ".5", "5.", "1,5")),
    *((Text(7, 64), text) for text in ("short", "x" * 65)),
    (Text(choices=("A",)), "a"),
    (Text(), "\ud800"),
    (TextList(choices=("A", "B")), "A,a"),
    (TextList(item_minimum_length=7), "1234567,123456"),
    (TextList(maximum_length=5), "a,b,c,d"),
    (TextList(minimum_length=1), " , "),
    *(
        (Measurands(), text)
        for text in ("Voltage.L1", "Voltage.L1-N", "Current.Import.N", "voltage", "Volt", "SoC;RPM")
    ),
    *((PhaseRotations(), text) for text in ("RST", "0", "0.", ".RST", "0.ABC", "-1.RST", "0.rst", "١.RST", "0;RST")),
    *((PhaseRotations(), text) for text in ("1.RST,1.RTS", "0.RST,01.RST,1.RST")),
    *((Tolerances(choices=("a",)), text) for text in ("b", "+b", "a,strict", "+", "++a", "+default", "strict,default")),
    *((Address(), text) for text in ("http://csms/", "ws://", "ws://csms:99999/", "ws://a b/", "\ud800")),
    *((Identity(), text) for text in ("", ".", "..", "a\nb", "\x9b", "x" * 241, "\ud800")),
    *((Header(), text) for text in ("a\r\nEvil: b", "ü", " a", "a\t")),
    *((TimeOffset(), text) for text in ("", "1", "25:00", "01:60", "01:00:00", "+1", "+01:00Z", "000000000000001:00")),
    *((CountryCode(), text) for text in ("", "D", "DEU", "é1", "D1", "D ", "ДЕ")),
    *((DateTimeText(), text) for text in ("", "tomorrow", "2030-13-01T00:00:00Z")),
    *(
        (PRICE, text)
        for text in ("", "[]", "{}", '{"priceText": 1}', '{"priceText": "a", "b": null}', "{'a': 1}", "NaN")
    ),
]


@pytest.mark.parametrize(("kind", "text", "value", "reported"), ACCEPTED)
def test_accepted_texts(kind: Any, text: str, value: Any, reported: str) -> None:
    made = kind.from_text(text)
    assert made == value
    assert type(made) is type(value)
    assert kind.to_text(made) == reported
    assert kind.from_text(reported) == made
    assert kind.from_json(kind.to_json(made)) == made


@pytest.mark.parametrize(("kind", "text"), REFUSED)
def test_refused_texts(kind: Any, text: str) -> None:
    with pytest.raises(ValueError):
        kind.from_text(text)


@pytest.mark.parametrize(
    ("kind", "native"),
    [
        (Boolean(), 1),
        (Boolean(), "true"),
        (Integer(), True),
        (Integer(), "5"),
        (Integer(), 1.5),
        (Integer(), None),
        (Integer(), float("nan")),
        (Number(), False),
        (Number(), float("inf")),
        (Number(), float("nan")),
        (Number(), 10**400),
        (Number(minimum=0), -1),
        (Text(), 5),
        (TextList(), ["a"]),
        (TextList(is_array=True), "a"),
        (TextList(is_array=True), [5]),
        (PRICE, "text"),
        (PRICE, {}),
        (PRICE, {"priceText": "a", "more": object()}),
        (PRICE, {"priceText": "a", 5: "b"}),
        (PRICE, {"priceText": "a", "more": float("inf")}),
        (Document({}), nested(33)),
        (Document({}), nested(100_000)),
        (AnyJson(), nested(100_000)),
        (FreeText(), nested(100_000)),
        (AnyJson(), "\ud800"),
        (AuthorizationKey(), 5),
    ],
)
def test_native_values_of_another_type_are_refused(kind: Any, native: Any) -> None:
    with pytest.raises(ValueError):
        kind.from_json(native)


def test_a_number_too_long_to_be_written() -> None:
    for kind in (FreeText(), AnyJson(), Integer(maximum=5), Number()):
        with pytest.raises(ValueError):
            kind.from_json(10**5000)


def test_positions_in_an_array_that_mean_something_are_kept() -> None:
    kind = TextList(is_array=True, keeps_empty=True)
    assert kind.from_json(["", "key, of two", ""]) == ("", "key, of two", "")


@pytest.mark.parametrize("limit", range(12))
def test_a_list_is_shortened_to_whole_items(limit: int) -> None:
    kind = TextList()
    items = ("abc", "de", "f", "ghij")
    text = kind.shortened(items, limit)
    assert len(text) <= limit
    assert kind.from_text(text) == items[: len(kind.from_text(text))]


@settings(derandomize=True, deadline=None, database=None)
@given(st.binary(min_size=16, max_size=20))
def test_every_password_of_bytes_survives_wire_and_file(password: bytes) -> None:
    kind = AuthorizationKey("Hex")
    assert kind.from_text(password.hex()) == password
    assert kind.from_text(password.hex().upper()) == password
    for form in ("Hex", "Text"):
        # What is stored reads the same whatever the mode is by then.
        assert AuthorizationKey(form).from_json(kind.to_json(password)) == password


@pytest.mark.parametrize(
    "text", ["", "00" * 15, "00" * 21, "0" * 33, "g" * 32, "password-as-text", "hex:" + "00" * 16, " " + "00" * 16]
)
def test_hex_mode_takes_nothing_but_hex_on_the_wire(text: str) -> None:
    with pytest.raises(ValueError):
        AuthorizationKey("Hex").from_text(text)


def test_text_mode_takes_the_characters_themselves() -> None:
    kind = AuthorizationKey("Text")
    for text in ("password-as-text", "00" * 20, "hex:" + "00" * 16, "text:0123456789ab"):
        value = kind.from_text(text)
        assert value == text.encode()
        assert kind.from_json(kind.to_json(value)) == value
    for text in ("short", "x" * 41):
        with pytest.raises(ValueError):
            kind.from_text(text)


@pytest.mark.parametrize(
    ("form", "native", "password"),
    [
        ("Hex", "0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF", bytes(range(8)) + b"\xff" * 12),
        ("Text", "0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF", b"0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF"),
        ("Hex", "DEADBEEFDEADBEEF", b"DEADBEEFDEADBEEF"),  # 16 digits cannot be 16 bytes
        ("Hex", "0" * 33, b"0" * 33),
        ("Hex", "hex:4142434445464748", b"ABCDEFGH"),
        ("Hex", "text:" + "00" * 16, b"00" * 16),
        ("Text", "hex:4142434445464748", b"ABCDEFGH"),
    ],
)
def test_forms_of_a_password_in_a_file(form: str, native: str, password: bytes) -> None:
    assert AuthorizationKey(form).from_json(native) == password


@pytest.mark.parametrize("native", ["hex:", "hex:4", "hex:zz", "hex:41424344454647", "text:abc", "1234567", "x" * 101])
def test_unusable_passwords_in_a_file(native: str) -> None:
    with pytest.raises(ValueError):
        AuthorizationKey().from_json(native)


def test_a_password_has_no_text() -> None:
    assert AuthorizationKey().to_text(b"0123456789abcdef") == ""
