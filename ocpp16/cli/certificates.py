"""`ocpp16 certificates`: what a charge point has of roots, certificates and keys, and what it trusts from now on.

It works on the files of a station, which may be running: changes wait for each other, whoever makes them.
"""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click
import orjson

from ocpp16.cli.failure import CommandFailed
from ocpp16.cli.log import LogChoice, log_options
from ocpp16.der import is_der
from ocpp16.regular_file import read_regular
from ocpp16.security.certificate import Certificate, certificates_in
from ocpp16.security.certificate_facts import facts_of, hash_data_facts
from ocpp16.security.certificate_files import LARGEST, DiskFiles
from ocpp16.security.certificate_paths import CertificatePaths
from ocpp16.security.certificate_store import CertificateStore
from ocpp16.security.evse_security import (
    CaCertificateType,
    CertificateHashData,
    DeleteCertificateResult,
    InstallCertificateResult,
    LeafCertificateType,
)
from ocpp16.security.store_rules import StoreRules
from ocpp16.texts import shown

SHORT: Final = 16
"""Digits of a fingerprint in a list; so many, or more, or fewer, name a certificate."""
LONGEST_CELL: Final = 60

ROOTS: Final = {
    "csms-root": CaCertificateType.CSMS,
    "mf-root": CaCertificateType.MF,
    "mo-root": CaCertificateType.MO,
    "v2g-root": CaCertificateType.V2G,
}
LEAVES: Final = {"csms-leaf": LeafCertificateType.CSMS, "v2g-leaf": LeafCertificateType.V2G}

_folder = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False, exists=True))
_password = click.option(
    "--password-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="File with the password of encrypted keys.",
)
_json = click.option("--json", "is_json", is_flag=True, help="Print JSON instead of text.")


@click.group("certificates")
@log_options
def certificates() -> None:
    """Certificates and keys of a charge point.

    DIR is the folder of certificates, or the --maindir of a station, in which that is certs.
    """


@certificates.command("list")
@_folder
@_password
@_json
@log_options
@click.pass_obj
def list_certificates(choice: LogChoice, folder: Path, password_file: Path | None, is_json: bool) -> int:
    """What is installed, and until when."""
    choice.begin("warning")
    found = list(_facts(_store(folder, password_file), time.time()))
    if is_json:
        click.echo(orjson.dumps(found).decode())
    elif found:
        for line in _table(found):
            click.echo(line)
    else:
        click.echo("no certificates")
    return 0


@certificates.command("show")
@click.argument("path", metavar="PATH", type=click.Path(path_type=Path, exists=True))
@click.argument("which", required=False)
@_json
@log_options
@click.pass_obj
def show(choice: LogChoice, path: Path, which: str | None, is_json: bool) -> int:
    """All about certificates: those of the file PATH, or the one of the folder PATH that WHICH names.

    WHICH is the beginning of its fingerprint, or its serial number.
    """
    choice.begin("warning")
    if path.is_dir():
        if which is None:
            raise CommandFailed(f"{path} is a folder: say which certificate, by its fingerprint or serial number")
        found = [_named(_store(path), which)]
    else:
        found = [facts_of(one, time.time()) for one in certificates_in(_content(path))]
        if not found:
            raise CommandFailed(f"{path}: no certificate that can be read")
    if is_json:
        click.echo(orjson.dumps(found).decode())
        return 0
    for number, facts in enumerate(found):
        if number:
            click.echo()
        for name, value in facts.items():
            click.echo(f"{name.replace('_', ' '):<13} {_told(value)}")
    return 0


@certificates.command("install")
@_folder
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--as", "use", type=click.Choice([*ROOTS, *LEAVES]), required=True, help="What it is to be.")
@click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Private key of a leaf (PEM), if it is not there yet.",
)
@_password
@log_options
@click.pass_obj
def install(choice: LogChoice, folder: Path, file: Path, use: str, key: Path | None, password_file: Path | None) -> int:
    """Trust the root in FILE, or use the certificate in FILE (leaf first, with the intermediate ones).

    It is checked as if the Central System had sent it.
    """
    choice.begin("warning")
    if key is not None and use in ROOTS:
        raise CommandFailed("--key: a root has no key here")
    store, content = _store(folder, password_file), _content(file)
    text = _as_text(content)
    key_content = None if key is None else _content(key)
    try:
        with store.changing():
            if use in ROOTS:
                result = store.install_ca(text, ROOTS[use], time.time(), (), lambda: True)
            else:
                result = store.update_leaf(text, LEAVES[use], time.time(), lambda: True, key=key_content)
    except OSError as error:
        raise _disk(folder, error) from error
    except ValueError as error:
        raise CommandFailed(f"{key}: {error}") from error
    if result is not InstallCertificateResult.ACCEPTED:
        raise CommandFailed(f"{file}: {result}: {_REASONS[result]}")
    click.echo("installed")
    return 0


@certificates.command("delete")
@_folder
@click.argument("which")
@log_options
@click.pass_obj
def delete(choice: LogChoice, folder: Path, which: str) -> int:
    """Delete the root, or the chain towards cars, that WHICH names.

    WHICH is the beginning of its fingerprint, or its serial number. Neither the last root of the Central System is
    deleted nor the certificate of the charge point itself.
    """
    choice.begin("warning")
    store = _store(folder)
    facts = _named(store, which)
    if facts["hash_data"] is None:
        raise CommandFailed(f"{which}: its issuer is not here, so it cannot be named to be deleted; delete its file")
    try:
        with store.changing():
            hash_data = CertificateHashData(*facts["hash_data"].values())
            result = store.delete(hash_data, time.time(), (), lambda: True)
    except OSError as error:
        raise _disk(folder, error) from error
    if result is not DeleteCertificateResult.ACCEPTED:
        raise CommandFailed(f"{which}: {result}: it is the last root, or the certificate of the charge point itself")
    click.echo("deleted")
    return 0


_REASONS: Final[Mapping[InstallCertificateResult, str]] = {
    InstallCertificateResult.INVALID_SIGNATURE: "a signature is wrong, or a key or signature too weak",
    InstallCertificateResult.INVALID_CERTIFICATE_CHAIN: "it may not be used for this",
    InstallCertificateResult.INVALID_FORMAT: "not one certificate that can be read",
    InstallCertificateResult.INVALID_COMMON_NAME: "it has the wrong common name",
    InstallCertificateResult.NO_ROOT_CERTIFICATE_INSTALLED: "it leads to no root that is installed",
    InstallCertificateResult.EXPIRED: "it is expired, or not valid yet",
    InstallCertificateResult.CERTIFICATE_STORE_MAX_LENGTH_EXCEEDED: "the store is full",
    InstallCertificateResult.WRITE_ERROR: "there is no private key for it",
}


def _store(folder: Path, password_file: Path | None = None) -> CertificateStore:
    first = [] if password_file is None else _content(password_file).decode("utf-8", "replace").splitlines()[:1]
    place = folder / "certs" if (folder / "certs").is_dir() else folder
    return CertificateStore(DiskFiles(), CertificatePaths.of(place, {}), StoreRules(), "".join(first) or None)


def _facts(store: CertificateStore, now: float) -> Iterator[dict[str, Any]]:
    for family, root in store.roots():
        yield _entry(store, f"{family}RootCertificate", root.certificate, now, path=str(root.path))
    for kind, leaf, key in store.leaves():
        name = "ChargePointCertificate" if kind is LeafCertificateType.CSMS else "V2GCertificateChain"
        paths = {"path": str(leaf.paths[0]), "key_path": None if key is None else str(key)}
        yield _entry(store, name, leaf.certificate, now, chain=leaf.chain, **paths)


def _entry(
    store: CertificateStore,
    kind: str,
    certificate: Certificate,
    now: float,
    *,
    chain: list[Certificate] | None = None,
    **paths: str | None,
) -> dict[str, Any]:
    hash_data = hash_data_facts(store.hash_data(certificate, chain or ()))
    return {"type": kind, **facts_of(certificate, now), "hash_data": hash_data, **paths}


def _named(store: CertificateStore, which: str) -> dict[str, Any]:
    wanted = which.lower().replace(":", "")
    every = list(_facts(store, time.time()))
    found = [one for one in every if one["serial"] == wanted.lstrip("0") or one["fingerprint"].startswith(wanted)]
    if not wanted or len({one["fingerprint"] for one in found}) != 1:
        raise CommandFailed(f"{shown(which)}: {'more than one certificate' if found else 'no certificate here'}")
    return found[0]


def _table(found: list[dict[str, Any]]) -> Iterator[str]:
    heads = ("type", "subject", "expires", "days", "serial", "fingerprint")
    rows = [heads]
    for one in found:
        subject = shown(one["subject"], LONGEST_CELL) + (
            "" if one.get("key_path", "") is not None else " (no key that opens)"
        )
        days = str(one["days_left"]) if one["valid"] else "expired" if one["days_left"] < 0 else "not yet"
        digits = one["fingerprint"][:SHORT]
        rows.append((one["type"], subject, one["not_after"], days, shown(one["serial"], LONGEST_CELL), digits))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _told(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return " ".join(f"{name}={shown(text)}" for name, text in value.items())
    return ", ".join(shown(one) for one in value) or "-" if isinstance(value, list) else shown(value)


def _content(path: Path) -> bytes:
    try:
        return read_regular(path, LARGEST)
    except OSError as error:
        raise _disk(path, error) from error


def _as_text(content: bytes) -> str:
    """PEM, also of what was DER."""
    if is_der(content):
        return "".join(one.pem for one in certificates_in(content))
    return content.decode("latin-1")


def _disk(path: Path, error: OSError) -> CommandFailed:
    return CommandFailed(f"{path}: {error.strerror or error}")
