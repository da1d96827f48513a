"""OCMF texts: read, refused with a reason, verified with signatures that openssl made, and written."""

import random
import string
import subprocess
from base64 import b64encode
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp16.metering import ocmf, ocmf_text
from ocpp16.metering.failure import SignedDataError
from ocpp16.metering.public_key import key_bytes
from ocpp16.metering.signature import SigningKey, verify

PAYLOAD = (
    '{"FV":"1.0","GI":"Gate","GS":"g-7","PG":"T12","MV":"Maker","MM":"One","MS":"m-1","MF":"2.1","IS":true,"IL":"VERIFIED",'
    '"IF":["RFID_PLAIN","OCPP_AUTH"],"IT":"ISO14443","ID":"0A|B}","TT":"","CT":"EVSEID","CI":"DE*1",'
    '"RD":[{"TM":"2026-01-01T12:00:00,250+0100 S","TX":"B","RV":1.500,"RI":"01-00:B2.08.00*FF","RU":"kWh","RT":"AC",'
    '"EF":"","ST":"G"},{"TM":"2026-01-01T13:00:00,000+0100 S","TX":"E","RV":2.750}]}'
)
SIGNATURE = '{"SA":"ECDSA-secp256r1-SHA256","SD":"3006020101020101"}'
TEXT = f"OCMF|{PAYLOAD}|{SIGNATURE}"

CURVES = {
    "prime192v1": "ECDSA-secp192r1-SHA256",
    "secp256k1": "ECDSA-secp256k1-SHA256",
    "prime256v1": "ECDSA-secp256r1-SHA256",
    "brainpoolP256r1": "ECDSA-brainpool256r1-SHA256",
    "secp384r1": "ECDSA-secp384r1-SHA256",
    "brainpoolP384r1": "ECDSA-brainpool384r1-SHA256",
    "secp521r1": "ECDSA-secp521r1-SHA256",
}
"""Name of openssl → that of OCMF."""


def openssl(*arguments: str, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments], input=given, check=True, capture_output=True).stdout


def signed_by_openssl(
    folder: Path, curve: str, payload: str, digest: str = "sha256", encoding: str = ""
) -> tuple[str, bytes]:
    """A whole text, and the public key as DER; the signature is of another program than ours."""
    private = folder / f"{curve}.pem"
    openssl("ecparam", "-name", curve, "-genkey", "-noout", "-out", str(private))
    public = openssl("ec", "-in", str(private), "-pubout", "-outform", "DER")
    signature = openssl("dgst", f"-{digest}", "-sign", str(private), given=payload.encode())
    members: dict[str, str] = {"SA": CURVES[curve].replace("SHA256", digest.upper())}
    if encoding:
        members["SE"] = encoding
    members["SD"] = b64encode(signature).decode() if encoding == "base64" else signature.hex()
    return f"OCMF|{payload}|{orjson.dumps(members).decode()}", public


def test_what_a_text_says() -> None:
    read = ocmf.parse(TEXT)
    assert read.payload == PAYLOAD
    assert (read.page, read.page_number, read.serial, read.gateway_serial, read.meter) == (
        "T12",
        12,
        "m-1",
        "g-7",
        "m-1",
    )
    assert (read.is_identified, read.level, read.flags) == (True, "VERIFIED", ("RFID_PLAIN", "OCPP_AUTH"))
    assert (read.id_type, read.identification, read.evse_type, read.evse) == ("ISO14443", "0A|B}", "EVSEID", "DE*1")
    assert read.signature == bytes.fromhex("3006020101020101")
    first, last = read.readings
    assert first.time == datetime(2026, 1, 1, 11, 0, 0, 250_000, UTC)
    assert (first.time_status, first.transaction, first.value, first.status) == ("S", "B", Decimal("1.500"), "G")
    assert (first.energy, last.energy) == (Decimal(1500), Decimal(2750))
    assert (last.unit, last.obis, last.current, last.status) == ("kWh", "01-00:B2.08.00*FF", "AC", "G"), (
        "as the one before"
    )


def test_a_value_is_never_that_of_the_reading_before() -> None:
    read = ocmf.parse(TEXT.replace(',"RV":2.750', ""))
    assert (read.readings[1].value, read.readings[1].energy) == (None, None)


@pytest.mark.parametrize("encoding", ["", "hex", "base64"])
@pytest.mark.parametrize("curve", CURVES)
def test_a_signature_of_openssl_is_verified(tmp_path: Path, curve: str, encoding: str) -> None:
    text, public = signed_by_openssl(tmp_path, curve, PAYLOAD, encoding=encoding)
    read = ocmf.parse(text)
    verify(read, public)
    verify(read, key_bytes(public.hex()))
    other = SigningKey(7, CURVES[curve]).public_der
    with pytest.raises(SignedDataError, match="not that of this text by this key"):
        verify(read, other)
    with pytest.raises(SignedDataError, match="not that of this text by this key"):
        verify(ocmf.parse(text.replace("2.750", "2.751")), public)


@pytest.mark.parametrize("digest", ["sha384", "sha512"])
def test_other_digests_are_verified(tmp_path: Path, digest: str) -> None:
    text, public = signed_by_openssl(tmp_path, "secp521r1", PAYLOAD, digest)
    verify(ocmf.parse(text), public)


def test_a_bare_point_of_the_curve_is_a_key(tmp_path: Path) -> None:
    text, public = signed_by_openssl(tmp_path, "prime256v1", PAYLOAD)
    verify(ocmf.parse(text), public[-65:])
    with pytest.raises(SignedDataError, match="no point of secp256r1"):
        verify(ocmf.parse(text), public[-65:-1])


def test_what_openssl_verifies_of_ours(tmp_path: Path) -> None:
    key = SigningKey(2**200 + 99)
    text = key.ocmf(PAYLOAD)
    (tmp_path / "key.der").write_bytes(key.public_der)
    (tmp_path / "signature").write_bytes(ocmf.parse(text).signature)
    openssl("pkey", "-pubin", "-inform", "DER", "-in", str(tmp_path / "key.der"), "-out", str(tmp_path / "key.pem"))
    verified = ("dgst", "-sha256", "-verify", str(tmp_path / "key.pem"), "-signature", str(tmp_path / "signature"))
    assert openssl(*verified, given=PAYLOAD.encode()).strip() == b"Verified OK"
    assert key.ocmf(PAYLOAD) == text, "the same key makes the same text"
    assert text != SigningKey(2**200 + 98).ocmf(PAYLOAD)


WRONG: list[tuple[Any, str]] = [
    (5, "must be text"),
    ("", "must begin with 'OCMF|'"),
    ("ocmf|{}|{}", "must begin with 'OCMF|'"),
    ("OCMF|" + "x" * 70_000, "65536 characters at most, not 70005"),
    ("OCMF|", "payload: no JSON"),
    ("OCMF|{}", "has no signature"),
    ("OCMF|{}{}|{}", "'{}' behind its JSON object"),
    ("OCMF|[]|{}", "payload: must be a JSON object"),
    ("OCMF|" + "[" * 60_000 + "|", "payload: no JSON"),
    (f"OCMF|{PAYLOAD}|", "signature: no JSON"),
    (f"OCMF|{PAYLOAD}|[]", "signature: must be a JSON object"),
    (f"OCMF|{PAYLOAD}|{{}}", "SD is missing"),
    (TEXT.replace("3006", "300"), "SD is no hex"),
    (TEXT.replace('"SD"', '"SE":"base64","SD"').replace("3006", "30_6"), "SD is no base64"),
    (TEXT.replace('"SD"', '"SE":"utf","SD"'), "SE must be hex or base64, not 'utf'"),
    (TEXT.replace('"PG":"T12",', ""), "PG must be T or F and a number, not ''"),
    (TEXT.replace('"T12"', '"12"'), "PG must be T or F and a number, not '12'"),
    (TEXT.replace('"T12"', "12"), "PG must be text"),
    (TEXT.replace('"MS":"m-1",', "").replace('"GS":"g-7",', ""), "one of MS and GS must be there"),
    (TEXT.replace('"MS":"m-1"', '"MS":["m-1"]'), "payload: MS must be text"),
    (TEXT.replace('"MS":"m-1"', '"MS":"\\ud800"'), "MS must be text that UTF-8 can carry"),
    (TEXT.replace('"IS":true', '"IS":1'), "IS must be true or false"),
    (TEXT.replace('"IF":["RFID_PLAIN",', '"IF":[5,'), "IF must be a list"),
    (TEXT.replace('"ID":', '"PG":'), "PG is there twice"),
    (TEXT.replace('"RD":[', '"RD":[], "XX":['), "RD must be a list of readings"),
    (TEXT.replace('"RD":[', '"RD":[5,'), "RD[0] must be an object"),
    (TEXT.replace('"RD":[', '"RD":[' + "{}," * 256), "256 readings at most, not 258"),
    (TEXT.replace("1.500", '"1.500"'), "RD[0]: RV must be a number"),
    (TEXT.replace("1.500", "NaN"), "NaN is no number"),
    (TEXT.replace("1.500", "1e15"), "1e15 is no number of a meter"),
    (TEXT.replace("1.500", "1e999999999"), "is no number of a meter"),
    (TEXT.replace("1.500", "0e-9999999999999999999"), "0e-9999999999999999999 is no number of a meter"),
    (TEXT.replace("1.500", "1e-30"), "1e-30 is no number of a meter"),
    (TEXT.replace("1.500", "1" * 5_000), "a number of 5000 characters"),
    (TEXT.replace('"RU":"kWh",', ""), "RD[0]: RU is missing"),
    (TEXT.replace('"TX":"B"', '"TX":"Z"'), "RD[0]: TX must be one of A, B, C"),
    (TEXT.replace('"ST":"G"', '"ST":"Q"'), "RD[0]: ST must be one of D, E, F"),
    (TEXT.replace("2026-01-01T13", "2026-13-01T13"), "RD[1]: TM must be a time as"),
    (TEXT.replace("13:00:00,000+0100 S", "13:00:00Z"), "RD[1]: TM must be a time as"),
    (TEXT.replace("+0100 S", "+9900 S"), "RD[0]: TM must be a time as"),
    (TEXT.replace("2026-01-01T12:00:00,250+0100", "0001-01-01T00:00:00,250+2300"), "TM must be a time as"),
]


@pytest.mark.parametrize(("text", "why"), WRONG, ids=[why for _, why in WRONG])
def test_what_is_malformed_is_refused_with_its_reason(text: Any, why: str) -> None:
    with pytest.raises(SignedDataError) as refusal:
        ocmf.parse(text)
    assert why in str(refusal.value)
    assert len(str(refusal.value)) < 300
    assert str(refusal.value).isprintable()


UNVERIFIABLE = [
    ('"SA":"ECDSA-secp256r1-SHA256"', '"SA":"ECDSA-secp192k1-SHA256"', "of a curve that cannot be verified here"),
    ('"SA":"ECDSA-secp256r1-SHA256"', '"SA":"RSA-2048-SHA256"', "is not known; known are ECDSA-secp192r1-SHA256"),
    (
        '"SA":"ECDSA-secp256r1-SHA256"',
        '"SA":"ECDSA-secp384r1-SHA256"',
        "one of secp256r1, but it is signed with ECDSA-secp384",
    ),
    ('"SD":"3006020101020101"', '"SD":"00","SM":"application/pgp"', "SM must be application/x-der"),
    ('"SD":"3006020101020101"', '"SD":"00"', "not that of this text by this key"),
]


@pytest.mark.parametrize(("old", "new", "why"), UNVERIFIABLE)
def test_what_cannot_be_verified_says_why(old: str, new: str, why: str) -> None:
    with pytest.raises(SignedDataError, match=why):
        verify(ocmf.parse(TEXT.replace(old, new)), SigningKey(1).public_der)


def test_keys_that_are_none() -> None:
    read = ocmf.parse(TEXT)
    rsa = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
    public = openssl("pkey", "-pubout", "-outform", "DER", given=rsa)
    with pytest.raises(SignedDataError, match="none of an elliptic curve"):
        verify(read, public)
    for key in (b"", b"\x00", b"\x30" * 90, public[:-5]):
        with pytest.raises(SignedDataError, match="public key"):
            verify(read, key)
    with pytest.raises(SignedDataError, match="cannot be verified here"):
        SigningKey(1, "ECDSA-secp192k1-SHA256")


@pytest.mark.parametrize("seed", range(20))
def test_no_byte_of_the_payload_can_change(seed: int) -> None:
    """Whatever character of it is another one, the text is refused, or its signature is wrong."""
    chance, key = random.Random(seed), SigningKey(5)
    text = key.ocmf(PAYLOAD)
    verify(ocmf.parse(text), key.public_der)
    for _ in range(40):
        place = chance.randrange(len("OCMF|"), len("OCMF|") + len(PAYLOAD))
        other = chance.choice([letter for letter in string.printable if letter != text[place]])
        with pytest.raises(SignedDataError):
            verify(ocmf.parse(text[:place] + other + text[place + 1 :]), key.public_der)


PIECES = [
    "OCMF|",
    "{",
    "}",
    "|",
    '"PG":"T1"',
    '"MS":"1"',
    '"RD":[',
    "]",
    ",",
    '"SD":"00"',
    TEXT,
    PAYLOAD,
    SIGNATURE,
    "1e9",
]


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=20)), max_size=12))
def test_whatever_the_text_nothing_else_is_raised(pieces: list[str]) -> None:
    text = "OCMF|" + "".join(pieces)
    try:
        read = ocmf.parse(text)
        verify(read, SigningKey(3).public_der)
    except SignedDataError:
        return
    raise AssertionError("nobody signed this")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=10,
)


@given(st.sampled_from(["PG", "MS", "GS", "IS", "IF", "ID", "CT", "RD", "TM", "TX", "RV", "RU", "ST", "EF"]), JSON)
def test_whatever_a_member_is_nothing_else_is_raised(name: str, value: Any) -> None:
    document = orjson.loads(PAYLOAD)
    holder = document if name in document else document["RD"][0]
    holder[name] = value
    try:
        payload = orjson.dumps(document).decode()
    except orjson.JSONEncodeError:
        return
    try:
        read = ocmf.parse(f"OCMF|{payload}|{SIGNATURE}")
    except SignedDataError:
        return
    assert read.payload == payload


def test_what_is_written_is_read_again() -> None:
    meter = ocmf_text.MeterIdentity('m"1', "Maker", "One", "2.1", "EVSEID", "DE*1")
    user = ocmf_text.UserAssignment("TÄG|1", "ISO14443", "VERIFIED", ["RFID_PLAIN"])
    time = datetime(2026, 1, 1, 12, 0, 0, 250_999, timezone(timedelta(hours=-3, minutes=-30)))
    readings = [
        ocmf_text.WrittenReading(time, "S", "B", Decimal("0.500")),
        ocmf_text.WrittenReading(time, "U", "E", Decimal(12345), "Wh", "M"),
    ]
    payload = ocmf_text.payload("T3", meter, user, readings)
    read = ocmf.parse(SigningKey(8).ocmf(payload, "base64"))
    assert '"RV":0.500,' in payload, "with the decimals of the meter"
    assert (read.serial, read.vendor, read.model, read.firmware) == ('m"1', "Maker", "One", "2.1")
    assert (read.identification, read.id_type, read.level, read.flags) == (
        "TÄG|1",
        "ISO14443",
        "VERIFIED",
        ("RFID_PLAIN",),
    )
    assert read.is_identified is True
    first, last = read.readings
    assert first.time == time.replace(microsecond=250_000)
    assert [(it.transaction, it.energy, it.time_status, it.status) for it in read.readings] == [
        ("B", Decimal(500), "S", "G"),
        ("E", Decimal(12345), "U", "M"),
    ]
    assert last.time.utcoffset() == timedelta(hours=-3, minutes=-30)
    nobody = ocmf.parse(SigningKey(8).ocmf(ocmf_text.payload("F1", meter, ocmf_text.UserAssignment(), readings)))
    assert (nobody.is_identified, nobody.identification, nobody.page) == (False, "", "F1")
    with pytest.raises(SignedDataError, match="encoding must be hex or base64"):
        SigningKey(8).ocmf(payload, "utf")
    with pytest.raises(SignedDataError, match="65536 characters at most"):
        SigningKey(8).ocmf(ocmf_text.payload("T3", meter, ocmf_text.UserAssignment("T" * 70_000), readings))
