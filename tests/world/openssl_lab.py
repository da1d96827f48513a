"""Contracts of every kind of wrongness, made by the command openssl: a PKI tool that is not the library under test.

Everything is made by `openssl ca`, so that beginning and end can be any date, and what is revoked is in its list.
"""

import subprocess
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

DAY = 86_400.0
RESPONDER = "http://ocsp.example/"

_CONFIGURATION = """
[ca]
default_ca = here
[here]
database = {folder}/{name}.index
serial = {folder}/{name}.serial
crlnumber = {folder}/{name}.crlnumber
new_certs_dir = {folder}
default_md = sha256
default_crl_days = 30
policy = any
unique_subject = no
[any]
domainComponent = optional
countryName = optional
organizationName = optional
commonName = supplied
[authority]
basicConstraints = critical,CA:true{path_length}
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical,CA:false
subjectKeyIdentifier = hash
{leaf}
"""


class OpensslLab:
    """An authority; a root without `above`. `now`: seconds since 1970 that times count from, in days."""

    def __init__(
        self,
        folder: Path,
        name: str,
        now: float,
        above: "OpensslLab | None" = None,
        *,
        start: float = -30,
        end: float = 3650,
        path_length: int | None = None,
        responder: str = "",
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.name, self._now, self.above = folder, name, now, above
        self._limit = "" if path_length is None else f",pathlen:{path_length}"
        for ending, content in (("index", ""), ("serial", "1000\n"), ("crlnumber", "1000\n")):
            (folder / f"{name}.{ending}").write_text(content)
        self.key = self._new_key(name)
        signer = self if above is None else above
        leaf = f"authorityInfoAccess = OCSP;URI:{responder}\n" if responder else ""
        self._write_configuration(leaf)
        self.certificate = signer._sign(name, self.key, f"/CN={name}", "authority", start, end, leaf, self._limit)

    @property
    def chain(self) -> str:
        """Its own certificate and those above it, without the root."""
        return "" if self.above is None else self.certificate + self.above.chain

    def contract(
        self,
        emaid: str = "NLABCC00000001",
        *,
        start: float = -1,
        end: float = 300,
        usage: str = "critical,digitalSignature,keyAgreement",
        uses: str = "",
        responder: str = RESPONDER,
    ) -> str:
        """A contract chain, leaf first, in PEM."""
        lines = [f"keyUsage = {usage}"]
        lines += [f"extendedKeyUsage = {uses}"] * bool(uses)
        lines += [f"authorityInfoAccess = OCSP;URI:{responder}"] * bool(responder)
        key = self._new_key(f"contract-{emaid}")
        leaf = self._sign(f"contract-{emaid}", key, f"/CN={emaid}", "leaf", start, end, "\n".join(lines))
        return leaf + self.chain

    def station(self, csr: str, *, start: float = -1, end: float = 300) -> str:
        """The chain that a request for a certificate towards cars asks for."""
        request, signed = self.folder / "station.csr", self.folder / "station.pem"
        request.write_text(csr)
        uses = "keyUsage = critical,digitalSignature,keyAgreement\nextendedKeyUsage = serverAuth\n"
        self._write_configuration(f"{uses}authorityInfoAccess = OCSP;URI:{RESPONDER}")
        self._issue(request, signed, self._self(), "leaf", start, end)
        return signed.read_text() + self.chain

    def status(self, certificate: str, days: int = 7) -> str:
        """What a responder says of one that it has signed: base64 of its DER."""
        asked, answer = self.folder / "asked.pem", self.folder / "answer.der"
        asked.write_text(certificate)
        own = self.folder / f"{self.name}.pem"
        self._openssl(
            *("ocsp", "-index", self.folder / f"{self.name}.index", "-CA", own, "-rsigner", own, "-rkey", self.key),
            *("-issuer", own, "-sha256", "-cert", asked, "-ndays", str(days), "-respout", answer),
        )
        return b64encode(answer.read_bytes()).decode()

    def revoke(self, certificate: str) -> None:
        """Also one that somebody else has signed: the list is of serial numbers."""
        path = self.folder / "to-revoke.pem"
        path.write_text(certificate)
        serial = self._openssl("x509", "-in", path, "-noout", "-serial").strip().partition("=")[2]
        index = self.folder / f"{self.name}.index"
        kept = [line for line in index.read_text().splitlines() if line.split("\t")[3] != serial]
        yesterday, later = self._date(-1)[2:], self._date(3000)[2:]
        index.write_text("\n".join([*kept, f"R\t{later}\t{yesterday}\t{serial}\tunknown\t/CN=revoked", ""]))

    def list_of_revoked(self) -> str:
        path = self.folder / f"{self.name}.crl"
        self._openssl("ca", "-config", self._config, *self._self(), "-gencrl", "-out", path)
        return path.read_text()

    def _self(self) -> Sequence[str | Path]:
        return ("-keyfile", self.key, "-cert", self.folder / f"{self.name}.pem")

    @property
    def _config(self) -> Path:
        return self.folder / f"{self.name}.cnf"

    def _write_configuration(self, leaf: str, path_length: str = "") -> None:
        text = _CONFIGURATION.format(folder=self.folder, name=self.name, leaf=leaf, path_length=path_length)
        self._config.write_text(text)

    def _new_key(self, name: str) -> Path:
        path = self.folder / f"{name}.key"
        self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path)
        return path

    def _sign(
        self, name: str, key: Path, subject: str, kind: str, start: float, end: float, leaf: str, limit: str = ""
    ) -> str:
        request, signed = self.folder / f"{name}.csr", self.folder / f"{name}.pem"
        self._openssl("req", "-new", "-key", key, "-subj", subject, "-out", request)
        self._write_configuration(leaf, limit)
        itself = ("-selfsign", "-keyfile", key) if key == self.key else self._self()
        self._issue(request, signed, itself, kind, start, end)
        return signed.read_text()

    def _issue(
        self, request: Path, signed: Path, by: Sequence[str | Path], kind: str, start: float, end: float
    ) -> None:
        self._openssl(
            *("ca", "-batch", "-notext", "-config", self._config, *by, "-extensions", kind),
            *("-startdate", self._date(start), "-enddate", self._date(end), "-in", request, "-out", signed),
        )

    def _date(self, days: float) -> str:
        return datetime.fromtimestamp(self._now + days * DAY, UTC).strftime("%Y%m%d%H%M%SZ")

    @staticmethod
    def _openssl(*arguments: str | Path) -> str:
        return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def with_a_broken_signature(chain: str) -> str:
    """The same chain with one bit of the leaf's signature turned."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    first, rest = chain.split(end, 1)
    der = bytearray(b64decode(first.split(begin, 1)[1]))
    der[-1] ^= 1
    text = b64encode(bytes(der)).decode()
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"{begin}\n{lines}\n{end}{rest}"
