"""Signatures of firmware files."""

import os
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from forged import Forged, leaf, root

from ocpp16.security import signature
from ocpp16.security.signature import verify_file_signature

ROOT = root()
EC = leaf(ROOT)
RSA = leaf(ROOT, key="rsa")
CONTENT = bytes(range(256)) * 100


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signature, "CHUNK", 1000)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "firmware.bin"
    path.write_bytes(CONTENT)
    return path


def signed(by: Forged, *how: Any, content: bytes = CONTENT, algorithm: Any = None) -> str:
    algorithm = algorithm or hashes.SHA256()
    arguments = (*how, algorithm) if how else (ec.ECDSA(algorithm),)
    return b64encode(by.private.sign(content, *arguments)).decode()


def pss(salt: Any) -> Any:
    return padding.PSS(padding.MGF1(hashes.SHA256()), salt)


@pytest.mark.parametrize("salt", [0, 32, padding.PSS.MAX_LENGTH])
def test_rsa_pss(file: Path, salt: Any) -> None:
    text = signed(RSA, pss(salt))
    assert verify_file_signature(file, RSA.pem, text)
    assert verify_file_signature(file, RSA.pem, text, allow_pkcs1v15=False)


def test_ecdsa(file: Path) -> None:
    assert verify_file_signature(file, EC.pem, signed(EC))


def test_the_older_form_of_rsa_can_be_refused(file: Path) -> None:
    text = signed(RSA, padding.PKCS1v15())
    assert verify_file_signature(file, RSA.pem, text)
    assert not verify_file_signature(file, RSA.pem, text, allow_pkcs1v15=False)


def test_line_ends_and_a_chain_do_no_harm(file: Path) -> None:
    text = signed(EC)
    wrapped = "\r\n".join(text[place : place + 20] for place in range(0, len(text), 20))
    assert verify_file_signature(file, EC.pem.replace("\n", "\r\n") + ROOT.pem, wrapped)


@pytest.mark.parametrize("by", [EC, RSA], ids=["EC", "RSA"])
def test_what_is_not_its_signature(file: Path, by: Forged) -> None:
    how = () if by is EC else (pss(32),)
    good = signed(by, *how)
    assert verify_file_signature(file, by.pem, good)
    assert not verify_file_signature(file, by.pem, signed(by, *how, content=CONTENT[:-1]))
    assert not verify_file_signature(file, by.pem, signed(by, *how, algorithm=hashes.SHA512()))
    assert not verify_file_signature(file, (RSA if by is EC else EC).pem, good)
    assert not verify_file_signature(file, leaf(ROOT).pem, good)
    for wrong in ("", "no base64!", good[:-8], good + "AAAA", "A" * 10_000, "\ud800"):
        assert not verify_file_signature(file, by.pem, wrong)
    for wrong in ("", "nonsense", ROOT.pem):
        assert not verify_file_signature(file, wrong, good)
    file.write_bytes(CONTENT + b"\0")
    assert not verify_file_signature(file, by.pem, good)


def test_a_weak_key_proves_nothing(file: Path) -> None:
    weak = leaf(ROOT, key="rsa1024")
    assert not verify_file_signature(file, weak.pem, signed(weak, pss(32)))


def test_it_can_be_ended(file: Path) -> None:
    asked: list[None] = []

    def may_proceed() -> bool:
        asked.append(None)
        return len(asked) < 3

    assert not verify_file_signature(file, EC.pem, signed(EC), may_proceed=may_proceed)
    assert len(asked) == 3


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        verify_file_signature(tmp_path / "gone", EC.pem, signed(EC))
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(OSError):
            verify_file_signature(path, EC.pem, signed(EC))
