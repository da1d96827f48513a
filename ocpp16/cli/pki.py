"""`ocpp16 pki`: certificates to try security profiles 2 and 3 with, in the folder layout of a station.

For a laboratory: the keys of the authorities lie beside all else.
"""

import re
import time
from pathlib import Path
from shlex import quote
from typing import Any, Final

import click
import orjson

from ocpp16.cli.failure import CommandFailed
from ocpp16.cli.log import LogChoice, log_options
from ocpp16.security.certificate_files import DiskFiles, FileChange
from ocpp16.security.lab_pki import Authority, Issued, Use
from ocpp16.testing.plug_and_charge import RESPONDER
from ocpp16.texts import shown

NAMES: Final = ("localhost", "127.0.0.1", "::1")
EMAID: Final = "DELABC123456789"
"""Of the contract."""
PASSWORD: Final = "only-for-the-lab"  # noqa: S105 - shown, typed, and good for nothing else
EARLIER: Final = 3600.0
"""Seconds before now from which all of it is valid: clocks differ."""
_IDENTITY: Final = re.compile(r"[A-Za-z0-9*\-_=:+|@.]{1,48}")
"""What an identity may be made of (OCPP-J 1.6, of the connection URL), as far as a file can have its name."""


@click.command("pki", short_help="Make certificates to try profiles 2 and 3 with.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--name", "names", multiple=True, help="DNS name or address of the Central System, again for more.")
@click.option("--id", "identity", default="cp001", show_default=True, help="The charge point.")
@click.option("--organization", default="Lab", show_default=True, help="Its operator (CpoName).")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="How long leaves last.")
@click.option("--v2g", is_flag=True, help="A root, and a certificate towards cars (ISO 15118), too.")
@click.option("--mo", is_flag=True, help="A root, and a contract certificate, of a mobility operator, too.")
@click.option("--port", type=click.IntRange(1, 65_535), default=9000, show_default=True, help="For the commands told.")
@click.option("--force", is_flag=True, help="Write over what is there.")
@log_options
@click.pass_obj
def pki(
    choice: LogChoice,
    folder: Path,
    names: tuple[str, ...],
    identity: str,
    organization: str,
    days: int,
    v2g: bool,
    mo: bool,
    port: int,
    force: bool,
) -> int:
    """Make authorities and certificates for trying things out, in DIR.

    Without --name the Central System is localhost, 127.0.0.1 and ::1.
    """
    choice.begin("warning")
    if _IDENTITY.fullmatch(identity) is None or identity.startswith("."):
        raise CommandFailed(f"--id: {shown(identity)} is no name of a charge point")
    if not _is_unicode(str(folder.absolute())):
        raise CommandFailed(f"{shown(folder.absolute())}: is not UTF-8, and the files that are made have to name it")
    if "" in names:
        raise CommandFailed("--name: it is empty")
    laboratory = Laboratory(folder.absolute(), time.time() - EARLIER, days)
    try:
        laboratory.central_system(names or NAMES)
        laboratory.charge_point(identity, organization)
        laboratory.firmware()
        if v2g:
            laboratory.towards_cars(identity)
        if mo:
            laboratory.contracts()
        if v2g and mo:
            laboratory.plug_and_charge(f"ws://localhost:{port}/ocpp/", identity, organization)
    except ValueError as error:
        raise CommandFailed(f"no certificate can have these names: {shown(error)}") from error
    laboratory.configuration(f"wss://{_in_url((names or NAMES)[0])}:{port}/ocpp/", identity, organization)
    laboratory.write(is_forced=force)
    for line in laboratory.told(port, f"wss://{_in_url((names or NAMES)[0])}:{port}/ocpp/", identity):
        click.echo(line)
    return 0


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Laboratory:
    """What is to be written into a folder: nothing, until all of it is made."""

    def __init__(self, folder: Path, now: float, days: float) -> None:
        self._folder = folder
        self._now = now
        self._days = days
        self._changes: list[FileChange] = []
        self._has_contracts = False
        self._csms = self._root("CSMS")
        self._between = Authority("Lab CSMS intermediate", now, days=3650, above=self._csms, path_length=0)
        self._add("authorities/CSMS_INTERMEDIATE_CA.pem", self._between.certificate)
        self._add("authorities/CSMS_INTERMEDIATE_CA.key", self._between.key, is_secret=True)

    def central_system(self, names: tuple[str, ...]) -> None:
        """Its certificate."""
        issued = self._between.issue(names[0], names=names, use=Use.SERVER, days=self._days)
        self._add("server/chain.pem", issued.chain)
        self._add("server/key.pem", issued.key, is_secret=True)

    def charge_point(self, identity: str, organization: str) -> None:
        """Its client certificate, as the white paper has it: the common name is the charge point, the organization its
        operator."""
        issued = self._between.issue(identity, organization=organization, use=Use.CLIENT, days=self._days)
        self._leaf("client/csms", f"CSMS_LEAF_{identity}", issued)

    def firmware(self) -> None:
        """Who signs it."""
        issued = self._root("MF").issue("Lab firmware signing", use=Use.CODE, days=self._days)
        self._leaf("firmware", "signing", issued)

    def towards_cars(self, identity: str) -> None:
        """A certificate of the charging station for ISO 15118."""
        self._leaf(
            "client/cso",
            f"SECC_LEAF_{identity}",
            self._root("V2G").issue(identity, use=Use.SERVER, days=self._days, responder_url=RESPONDER),
        )

    def contracts(self) -> None:
        """One contract, as a car has it: below an authority of its own, as those of mobility operators are."""
        below = Authority("Lab MO intermediate", self._now, days=3650, above=self._root("MO"), path_length=0)
        self._leaf("contract", "contract", below.issue(EMAID, days=self._days, responder_url=RESPONDER))

    def plug_and_charge(self, uri: str, identity: str, organization: str) -> None:
        """The configuration of a charge point that takes contracts."""
        document = self._document(uri, identity, organization, 0)
        document["PnC"] = {
            "ISO15118PnCEnabled": True,
            "ISO15118CertificateManagementEnabled": True,
            "ContractValidationOffline": True,
        }
        self._add("plug_and_charge.json", orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")
        self._has_contracts = True

    @staticmethod
    def _document(uri: str, identity: str, organization: str, profile: int) -> dict[str, dict[str, Any]]:
        return {
            "Internal": {
                "ChargePointId": identity,
                "CentralSystemURI": uri,
                "ChargePointVendor": "ocpp16",
                "ChargePointModel": "Simulated",
                "ChargeBoxSerialNumber": identity[:25],
            },
            "Core": {"NumberOfConnectors": 2},
            "Security": {"SecurityProfile": profile, "CpoName": organization},
        }

    def configuration(self, uri: str, identity: str, organization: str) -> None:
        """For security profile 3, which no option asks for."""
        document = self._document(uri, identity, organization, 3)
        places = {
            "csms_ca_bundle": "ca/csms",
            "mf_ca_bundle": "ca/mf",
            "mo_ca_bundle": "ca/mo",
            "v2g_ca_bundle": "ca/v2g",
            "csms_leaf_cert_directory": "client/csms",
            "csms_leaf_key_directory": "client/csms",
            "secc_leaf_cert_directory": "client/cso",
            "secc_leaf_key_directory": "client/cso",
        }
        security = {name: str(self._folder / place) for name, place in places.items()}
        self._add("profile3.json", orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")
        station = orjson.dumps({"security": security}, option=orjson.OPT_INDENT_2)
        self._add("station.json", station.decode() + "\n")

    def write(self, *, is_forced: bool) -> None:
        """All files, durably. Raises CommandFailed, without `is_forced` also where one is there."""
        there = [change.path for change in self._changes if change.path.exists()]
        if there and not is_forced:
            raise CommandFailed(*(f"{path}: it is there already; --force writes over it" for path in there))
        try:
            DiskFiles().apply(self._changes, lambda: True)
        except OSError as error:
            raise CommandFailed(f"{error.filename or self._folder}: {error.strerror or error}") from error

    def told(self, port: int, uri: str, identity: str) -> list[str]:
        """The commands to try it with."""
        chain, key, roots, configuration, options = (
            quote(str(self._folder / place))
            for place in (
                "server/chain.pem",
                "server/key.pem",
                "ca/csms/CSMS_ROOT_CA.pem",
                "profile3.json",
                "station.json",
            )
        )
        contracts = []
        if self._has_contracts:
            conf, contract = (
                quote(str(self._folder / place)) for place in ("plug_and_charge.json", "contract/contract.pem")
            )
            contracts = [
                "",
                "Plug & Charge; in the second one: plug_in 1 contract=" + contract,
                f"  ocpp16 central-system --port {port} --host localhost --pki {quote(str(self._folder))}",
                f"  ocpp16 charge-point --conf {conf} --station {options}",
            ]
        serve = f"ocpp16 central-system --port {port} --tls {chain} --key {key}"
        return [
            f"{len(self._changes)} files in {shown(self._folder)}",
            "",
            "security profile 2, in two terminals:",
            f"  {serve}",
            f"  ocpp16 charge-point --csms {uri} --id {quote(identity)} --password {PASSWORD} --station {options}",
            "",
            "security profile 3:",
            f"  {serve} --client-ca {roots}",
            f"  ocpp16 charge-point --conf {configuration} --station {options}",
            *contracts,
        ]

    def _root(self, family: str) -> Authority:
        authority = Authority(f"Lab {family} root", self._now, days=3650)
        self._add(f"ca/{family.lower()}/{family}_ROOT_CA.pem", authority.certificate)
        self._add(f"authorities/{family}_ROOT_CA.key", authority.key, is_secret=True)
        return authority

    def _leaf(self, place: str, name: str, issued: Issued) -> None:
        self._add(f"{place}/{name}.pem", issued.chain)
        self._add(f"{place}/{name}.key", issued.key, is_secret=True)

    def _add(self, place: str, text: str, *, is_secret: bool = False) -> None:
        self._changes.append(FileChange(self._folder / place, text.encode(), is_secret))


def _in_url(name: str) -> str:
    return f"[{name}]" if ":" in name else name
