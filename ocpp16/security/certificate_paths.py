"""Where certificates and keys lie: the folder layout of libocpp, or single paths by its names.

ca/csms  ca/mf  ca/mo  ca/v2g    roots: every *.pem and *.der in there, CSMS_ROOT_CA.pem among them
client/csms                      certificates and keys of the charge point
client/cso                       those towards cars, with answers about their revocation in client/cso/ocsp
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ocpp16.errors import ConfigurationError
from ocpp16.security.evse_security import CaCertificateType, LeafCertificateType
from ocpp16.texts import shown

__all__ = ["BUNDLES", "LEAF_FOLDERS", "PASSWORD", "PATHS", "CertificatePaths", "LeafPaths"]

BUNDLES: Final[Mapping[str, tuple[CaCertificateType, str]]] = {
    "csms_ca_bundle": (CaCertificateType.CSMS, "ca/csms"),
    "mf_ca_bundle": (CaCertificateType.MF, "ca/mf"),
    "mo_ca_bundle": (CaCertificateType.MO, "ca/mo"),
    "v2g_ca_bundle": (CaCertificateType.V2G, "ca/v2g"),
}
LEAF_FOLDERS: Final = {
    "csms_leaf_cert_directory": "client/csms",
    "csms_leaf_key_directory": "client/csms",
    "secc_leaf_cert_directory": "client/cso",
    "secc_leaf_key_directory": "client/cso",
}
PATHS: Final = (*BUNDLES, *LEAF_FOLDERS, "secc_leaf_cert_link", "secc_leaf_key_link", "cpo_cert_chain_link")
"""Of `security_configuration`, by libocpp's names."""
PASSWORD: Final = "private_key_password"  # noqa: S105 - the name of the one that is no path
ENDINGS: Final = frozenset({".pem", ".der"})
"""Files with others are not looked at."""


@dataclass(frozen=True, slots=True)
class LeafPaths:
    """Folders of certificates and of keys of one kind, and how files begin that are made in them."""

    certificates: Path
    keys: Path
    prefix: str

    @property
    def ocsp(self) -> Path:
        """Answers about revocation. Beside the certificates, not the keys."""
        return self.certificates / "ocsp"


@dataclass(frozen=True, slots=True)
class CertificatePaths:
    """All of them."""

    bundles: Mapping[CaCertificateType, Path]
    leaves: Mapping[LeafCertificateType, LeafPaths]

    @classmethod
    def of(cls, certificates_path: Path | None, single: Mapping[str, str | Path | None]) -> "CertificatePaths":
        """`single` paths lie over the layout of `certificates_path`. Raises ConfigurationError with all faults."""
        problems = [f"{shown(name)}: no path of certificates has this name" for name in single if name not in _LAYOUT]
        paths: dict[str, Path] = {}
        for name, place in _LAYOUT.items():
            given = single.get(name)
            if given is not None and given != "":
                paths[name] = Path(given)
            elif certificates_path is not None:
                paths[name] = certificates_path / place
            else:
                problems.append(f"{name}: a path is needed, or certificates_path")
        if not problems:
            problems += _problems_of(paths)
        if problems:
            raise ConfigurationError(problems)
        return cls(
            {kind: paths[name] for name, (kind, _) in BUNDLES.items()},
            {
                LeafCertificateType.CSMS: LeafPaths(
                    paths["csms_leaf_cert_directory"], paths["csms_leaf_key_directory"], "CSMS_LEAF"
                ),
                LeafCertificateType.V2G: LeafPaths(
                    paths["secc_leaf_cert_directory"], paths["secc_leaf_key_directory"], "SECC_LEAF"
                ),
            },
        )


_LAYOUT: Final = {**{name: place for name, (_, place) in BUNDLES.items()}, **LEAF_FOLDERS}


def _problems_of(paths: Mapping[str, Path]) -> list[str]:
    problems = []
    bundles = {paths[name] for name in BUNDLES}
    for name in LEAF_FOLDERS:
        path = paths[name]
        if path in bundles:
            problems.append(f"{name}: {shown(path)} is where roots are")
        elif path.exists() and not path.is_dir():
            problems.append(f"{name}: {shown(path)} is no folder")
    return problems
