"""What the options of `ocpp16 charge-point` come to: the configuration and the station, or everything that is wrong.

The options lie over the configuration file, and without a file over the one of the package. What was changed at run
time lies over both. The security profile is not asked for: it follows from the scheme of the URL and the password.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ocpp16.cli.failure import CommandFailed
from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.file import read_json_object
from ocpp16.errors import ConfigurationError
from ocpp16.regular_file import read_regular
from ocpp16.simulation import StationOptions
from ocpp16.store.overlay import Overlay

CONFIGURATION = "config.json"
"""The file that counts where none is named."""
OVERLAY = "user_config.json"
"""What was changed at run time, in the main directory."""
LOGS = "logs"
"""Folder of the message log, in the main directory."""
CARS = "cars.json"
"""The cars that are plugged in, there as well."""
PROFILE = "Security.SecurityProfile"
MOST_CONNECTORS = 1_000
MOST_OF_A_PASSWORD = 1_000
"""Bytes of its file: more than any has, in any form."""
SPEEDS = (0.5, 200.0)
"""Slowest and fastest clock."""

_OPTION_OF = {
    "Internal.CentralSystemURI": "--csms",
    "Internal.ChargePointId": "--id",
    "Core.NumberOfConnectors": "--connectors",
    "Internal.FreeVendActive": "--free-vend",
    "Internal.FreeVendIdTag": "--free-vend",
}
"""The option that a person has given for a key, so that a problem is told of what was typed."""


@dataclass(frozen=True, slots=True)
class Given:
    """The options as they were typed; None: not given. `protocols`: those that files are transferred by; `has_roots`: a
    folder with roots to trust is given elsewhere."""

    maindir: Path | None
    conf: str | None
    station: Path | None
    share: Path | None
    csms: str | None
    identity: str | None
    connectors: str | None
    password: str | None
    password_file: Path | None
    free_vend: str | None
    speed: str | None
    signed_meter: bool = False
    protocols: Sequence[str] | None = None
    has_roots: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be run; `speed` is how many times faster than in reality time passes; `logs`: folder that the
    configuration wants a message log in."""

    configuration: Mapping[str, Any]
    options: StationOptions
    speed: float
    logs: Path | None


def choose(given: Given) -> Chosen:
    """Raises ConfigurationError with every problem of all options and files."""
    return _Choice(given).run()


def password_in(path: Path) -> str:
    """The only line of a file (--password-file). Raises ConfigurationError."""
    try:
        password = read_regular(path, MOST_OF_A_PASSWORD).decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise ConfigurationError([f"--password-file: {path}: cannot be read: {error.strerror or error}"]) from error
    except UnicodeDecodeError:
        raise ConfigurationError([f"--password-file: {path}: is not UTF-8"]) from None
    if "\n" in password:
        raise ConfigurationError([f"--password-file: {path}: has more than one line"])
    return password


def chosen_password(password: str | None, file: Path | None) -> str | None:
    """What --password says, or --password-file. Raises CommandFailed and ConfigurationError."""
    if file is None:
        return password
    if password is not None:
        raise CommandFailed("--password and --password-file: give one of them")
    return password_in(file)


class _Choice:
    """One look at the options; problems are collected, so that nobody mends them one by one."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self._problems: list[str] = []
        self._password = self._given_password()

    def run(self) -> Chosen:
        self._check_place()
        speed = self._speed()
        connectors = self._connectors()
        options = self._options()
        document = self._document(connectors, options)
        if self._problems:
            raise ConfigurationError(list(dict.fromkeys(self._problems)))
        return Chosen(document, options, speed, self._logs(document))

    def _check_place(self) -> None:
        given = self._given
        if given.csms is None and given.conf is None and given.maindir is None:
            self._problems.append("nothing says what to connect to: give --csms URL and --id NAME, --conf or --maindir")
        elif given.csms is not None and given.conf is None and given.identity is None:
            self._problems.append("--csms needs the name of the charge point: --id NAME")
        if given.share is not None and not given.share.is_dir():
            self._problems.append(f"{given.share}: there is no such folder")

    def _given_password(self) -> str | None:
        """As `AuthorizationKey` is written in a file."""
        given = self._given
        password = given.password
        if given.password_file is not None:
            if password is not None:
                self._problems.append("--password and --password-file: give one of them")
            try:
                password = password_in(given.password_file)
            except ConfigurationError as error:
                self._problems += error.problems
        if password is not None and not password.startswith(("hex:", "text:")):
            password = f"text:{password}"
        return password

    def _logs(self, document: Mapping[str, Any]) -> Path | None:
        """By default there is no message log, whose files nobody would delete: the file has to ask for it."""
        wants_log = document.get("Internal", {}).get("LogMessages") is True
        return self._given.maindir / LOGS if wants_log and self._given.maindir is not None else None

    def _speed(self) -> float:
        text = self._given.speed
        try:
            speed = 1.0 if text is None else float(text)
        except ValueError:
            speed = 0.0
        if not SPEEDS[0] <= speed <= SPEEDS[1]:
            self._problems.append(f"--speed: {text!r} is no number from {SPEEDS[0]:g} to {SPEEDS[1]:g}")
        return speed

    def _connectors(self) -> int | None:
        text = self._given.connectors
        if text is None:
            return None
        if text.isascii() and text.isdecimal() and len(text) < 9 and 1 <= int(text) <= MOST_CONNECTORS:
            return int(text)
        self._problems.append(f"--connectors: {text!r} is no number from 1 to {MOST_CONNECTORS}")
        return None

    def _options(self) -> StationOptions:
        path = self._given.station
        typed = {"signed_meter": True} if self._given.signed_meter else {}
        if path is None:
            return StationOptions.load(typed)
        try:
            return StationOptions.load({**read_json_object(path), **typed})
        except ConfigurationError as error:
            self._problems += _told_of(path, error)
            return StationOptions()

    def _document(self, connectors: int | None, options: StationOptions) -> dict[str, Any]:
        """The configuration, with all that is wrong with it told."""
        given = self._given
        share = given.share if given.share is not None and given.share.is_dir() else None
        path: Traversable | None = None
        document: dict[str, Any] = {}
        try:
            if given.conf is None and given.csms is not None:
                path = _share(share) / CONFIGURATION
            else:
                path = find_configuration(given.conf or CONFIGURATION, share)
            document = read_json_object(path)
        except CommandFailed as error:
            self._problems += error.problems
        except ConfigurationError as error:
            self._problems += _told_of(path, error)
            path = None
        named = self._lay_over(document, connectors)
        if given.maindir is None and not given.has_roots and not options.security.get("csms_ca_bundle"):
            # Without a place there is no folder of roots: those of the system are what is left.
            _section(document, "Internal").setdefault("UseSslDefaultVerifyPaths", True)
        try:
            Configuration.load(document, share_path=share, is_complete=given.maindir is None)
        except ConfigurationError as error:
            self._tell(error, path, named)
        return document

    def _tell(self, error: ConfigurationError, path: Traversable | None, named: Mapping[str, str]) -> None:
        """The problems of the configuration: of what was typed by the option, of all else by the file."""
        keys = [problem.partition(" ")[0].rstrip(":") for problem in error.problems]
        for key, problem in zip(keys, error.problems, strict=True):
            option = named.get(key)
            if option is not None and any(told.startswith(f"{option}:") for told in self._problems):
                continue  # told already, and better
            if key == PROFILE and key in named and (self._problems or set(keys) & set(named) - {PROFILE}):
                continue  # it follows from what is wrong with the others
            if option is not None or path is not None:
                self._problems.append(f"{option or path}: {problem}")

    def _lay_over(self, document: dict[str, Any], connectors: int | None) -> dict[str, str]:
        """Put the options into the document; returns the keys that came from them, with the option."""
        given, password = self._given, self._password
        of_password = "--password" if given.password_file is None else "--password-file"
        values = {
            "Internal.CentralSystemURI": given.csms,
            "Internal.ChargePointId": given.identity,
            "Core.NumberOfConnectors": connectors,
            "Security.AuthorizationKey": password,
            "Internal.FreeVendActive": None if given.free_vend is None else True,
            "Internal.FreeVendIdTag": given.free_vend,
        }
        named = {}
        for name, value in values.items():
            if value is not None:
                section, key = name.split(".")
                _section(document, section)[key] = value
                named[name] = _OPTION_OF.get(name, of_password)
        if given.identity is not None and given.conf is None:
            _section(document, "Internal").pop("ChargeBoxSerialNumber", None)  # it would be another one's
        if connectors is not None and given.conf is None:
            rotations = [f"{number}.RST" for number in range(connectors + 1)]
            _section(document, "Core")["ConnectorPhaseRotation"] = ",".join(rotations)
        if given.protocols:  # a file that says others knows of a network that lets only these through
            protocols = ",".join(given.protocols)
            _section(document, "FirmwareManagement").setdefault("SupportedFileTransferProtocols", protocols)
        if given.csms is not None or password is not None:
            self._set_profile(document)
            named[PROFILE] = "--csms" if given.csms is not None else of_password
        return named

    def _set_profile(self, document: dict[str, Any]) -> None:
        """The security profile (OCPP-J 1.6 §6, security white paper §3) from URL and password."""
        uri = _section(document, "Internal").get("CentralSystemURI")
        scheme = _scheme(uri) if isinstance(uri, str) else None
        if scheme is None:
            if self._given.csms is not None:
                self._problems.append(f"--csms: {self._given.csms!r} has to begin with ws:// or wss://")
            return
        has_password = _section(document, "Security").get("AuthorizationKey") is not None or self._is_password_kept()
        if scheme == "wss" and not has_password and self._given.password_file is None:
            self._problems.append(
                "--csms: wss:// needs a password (security profile 2): --password TEXT or hex:DIGITS, --password-file"
            )
            has_password = False
        profile = (1 if has_password else 0) if scheme == "ws" else 2
        _section(document, "Security")["SecurityProfile"] = profile

    def _is_password_kept(self) -> bool:
        """Was a password set at run time in an earlier life?"""
        if self._given.maindir is None or not self._given.maindir.is_dir():
            return False
        secrets = Overlay(self._given.maindir / OVERLAY).secrets.get("Security")
        return isinstance(secrets, Mapping) and secrets.get("AuthorizationKey") is not None


def find_configuration(name: str, share: Path | None) -> Traversable:
    """The file at the path `name`, else the file of that name in the share folder. Raises CommandFailed."""
    folder = _share(share)
    for candidate in (Path(name), folder / name):
        if candidate.is_file():
            return candidate
    if Path(name).exists():
        kind = "a folder" if Path(name).is_dir() else "no file that holds anything"
        raise CommandFailed(f"{name}: is {kind}, and no configuration")
    raise CommandFailed(f"{name}: there is no such file, nor is it in the share folder {folder}")


def _share(share: Path | None) -> Traversable:
    return files("ocpp16.share") if share is None else share


def _section(document: dict[str, Any], name: str) -> dict[str, Any]:
    """A section to be changed. One that is no object stays as it is: it is a problem of its own."""
    section = document.setdefault(name, {})
    return section if isinstance(section, dict) else {}


def _scheme(uri: str) -> str | None:
    """The scheme if it is one of a WebSocket."""
    try:
        scheme = urlsplit(uri.strip()).scheme
    except ValueError:
        return None
    return scheme if scheme in {"ws", "wss"} else None


def _told_of(path: Any, error: ConfigurationError) -> list[str]:
    """The problems, each with the file it is in."""
    return [problem if problem.startswith(f"{path}:") else f"{path}: {problem}" for problem in error.problems]
