"""Signed data as it travels in OCPP: written as the note has it, recognised in the forms that are seen; public keys."""

import contextlib
import json
from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp16.metering.failure import SignedDataError
from ocpp16.metering.public_key import key_bytes, oca_text
from ocpp16.metering.signature import SigningKey
from ocpp16.metering.signed_data import Form, note_text, recognised

OCMF = 'OCMF|{"PG":"T1"}|{"SA":"ECDSA-secp384r1-SHA256","SD":"00"}'
NOTE = note_text(OCMF, "", "", "aabb")


def test_the_form_of_the_note() -> None:
    value = json.loads(NOTE)
    assert b64decode(value["signedMeterData"]).decode() == OCMF
    assert value["signingMethod"] == "ECDSA-secp384r1-SHA256", "as the text says"
    assert value["encodingMethod"] == "OCMF"
    assert b64decode(value["publicKey"]) == b"oca:base16:asn1:aabb"
    assert json.loads(note_text(OCMF, "", "", ""))["publicKey"] == ""
    given_methods = json.loads(note_text("x", "one", "two", ""))
    assert (given_methods["signingMethod"], given_methods["encodingMethod"]) == ("one", "two")
    assert json.loads(note_text("OCMF|{}|{}", "", "", ""))["signingMethod"] == "ECDSA-secp256r1-SHA256", "by default"


@pytest.mark.parametrize(
    ("data", "carried"),
    [
        (OCMF, OCMF.encode()),
        (b64encode(b"\x01\x02data").decode(), b"\x01\x02data"),
        ("0a" * 200_000, b"\x0a" * 200_000),
        ("0a0B0c", b"\x0a\x0b\x0c"),
        ("<signed/>", b"<signed/>"),
        ('{"of": "its own"}', b'{"of": "its own"}'),
        (NOTE, NOTE.encode()),
        ("", b""),
    ],
)
def test_the_data_set_is_carried_in_base64(data: str, carried: bytes) -> None:
    assert b64decode(json.loads(note_text(data, "", "", ""))["signedMeterData"]) == carried


@pytest.mark.parametrize(
    ("value", "form", "data"),
    [
        (NOTE, Form.NOTE, OCMF.encode()),
        (f"  {OCMF}\n", Form.PLAIN, OCMF.encode()),
        (OCMF.encode().hex(), Form.HEX, OCMF.encode()),
        (b64encode(OCMF.encode()).decode(), Form.BASE64, OCMF.encode()),
    ],
)
def test_each_form_is_recognised(value: str, form: Form, data: bytes) -> None:
    found = recognised(value)
    assert (found.form, found.data_set) == (form, data)
    with pytest.raises(SignedDataError, match="MS and GS"):
        found.ocmf()


def changed(name: str, value: object) -> str:
    return json.dumps({**json.loads(NOTE), name: value})


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "neither JSON of the note, OCMF, hexadecimal nor base64"),
        ("abc", "neither JSON"),
        ("\x1b[31m", "neither JSON"),
        ("{", "SignedMeterValueType: no JSON"),
        ('{"signedMeterData": "\ud800"}', "SignedMeterValueType: no JSON"),
        ("{}", "signedMeterData must be there, and text"),
        (changed("publicKey", None), "publicKey must be there, and text"),
        (changed("signedMeterData", "!"), "signedMeterData is no base64"),
        (changed("signedMeterData", ""), "signedMeterData is empty"),
        ("a" * 300_000, "262144 characters at most"),
    ],
)
def test_what_is_in_no_form_is_refused(value: str, why: str) -> None:
    with pytest.raises(SignedDataError) as refusal:
        recognised(value)
    assert why in str(refusal.value)
    assert str(refusal.value).isprintable()


def test_a_data_set_that_is_no_text_is_no_ocmf() -> None:
    with pytest.raises(SignedDataError, match="no text"):
        recognised("ffff").ocmf()


@given(
    st.text(max_size=60) | st.sampled_from([NOTE, OCMF]).flatmap(lambda it: st.sampled_from([it[:n] for n in range(9)]))
)
def test_whatever_the_value_nothing_else_is_raised(value: str) -> None:
    with contextlib.suppress(SignedDataError):
        recognised(value).ocmf()


DER = SigningKey(5).public_der
BASE64 = b64encode(DER).decode()
PEM = f"-----BEGIN PUBLIC KEY-----\n{BASE64[:64]}\n{BASE64[64:]}\n-----END PUBLIC KEY-----\n"


@pytest.mark.parametrize(
    "text",
    [
        DER.hex(),
        DER.hex().upper(),
        DER.hex(":"),
        f"0x{DER.hex()}",
        BASE64,
        PEM,
        PEM.replace("\n", "\r\n"),
        f"oca:base16:asn1:{DER.hex()}",
        f"oca:base64:asn1:{BASE64}",
        oca_text(PEM),
    ],
)
def test_each_form_of_a_key_is_the_key(text: str) -> None:
    assert key_bytes(text) == DER
    assert b64decode(oca_text(text)) == f"oca:base16:asn1:{DER.hex()}".encode()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "must be PEM, hexadecimal or base64"),
        ("no key", "must be PEM, hexadecimal or base64"),
        (PEM.replace("PUBLIC", "PRIVATE"), "PEM of a PUBLIC KEY, not of a PRIVATE KEY"),
        ("oca:base16:asn1:zz", "must be PEM, hexadecimal or base64"),
        (b64encode(b"oca:nothing").decode(), "must be PEM, hexadecimal or base64"),
        ("a" * 9_000, "8192 characters at most"),
    ],
)
def test_what_is_no_key_is_refused(text: str, why: str) -> None:
    with pytest.raises(SignedDataError, match=why):
        key_bytes(text)


def test_a_key_that_nobody_can_read_is_sent_as_it_is() -> None:
    assert b64decode(oca_text("of the maker")) == b"of the maker"
