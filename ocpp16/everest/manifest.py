"""What EVerest's manager has to know of the module: the manifest of its own OCPP 1.6 module, as tables.

Names, types, defaults and bounds are facts of EVerest's configuration files: a file written for its own module must go
on to be right. `everest.everest_module` in the tests holds them against the same facts.
"""

from typing import Any, Final, NamedTuple

__all__ = ["CONFIG", "PROVIDES", "REQUIRES", "Setting", "manifest_text"]


class Setting(NamedTuple):
    """A key of the module's configuration. `low`, `high`: of a number; a `kind` is a type of Python."""

    kind: type
    default: Any
    description: str
    low: int = 0
    high: int = 0


class Requirement(NamedTuple):
    interface: str
    fewest: int
    most: int


_SECONDS_A_DAY: Final = 86_400
_TYPES: Final = {str: "string", int: "integer", bool: "boolean"}

CONFIG: Final[dict[str, Setting]] = {
    "ChargePointConfigPath": Setting(
        str,
        "ocpp-config.json",
        "Configuration of the charge point. A relative path: as given, else in the share folder",
    ),
    "UserConfigPath": Setting(
        str, "user_config.json", "Where changed configuration keys are kept. A relative path: as the one above"
    ),
    "DatabasePath": Setting(
        str,
        "/tmp/ocpp_1_6_charge_point",  # noqa: S108 - EVerest's
        "Folder of the database, which lies in its folder ocpp16",
    ),
    "EnableExternalWebsocketControl": Setting(
        bool, False, "Connect and disconnect by MQTT. Not offered to Python: the module says so"
    ),
    "PublishChargingScheduleIntervalS": Setting(
        int, 30, "Seconds between two publications of the charging schedules; 0: on change only", 0, _SECONDS_A_DAY
    ),
    "PublishChargingScheduleDurationS": Setting(
        int, 600, "Seconds that the published charging schedules reach ahead", 1, _SECONDS_A_DAY
    ),
    "MessageLogPath": Setting(
        str,
        "/tmp/everest_ocpp_logs",  # noqa: S108 - EVerest's
        "Folder of the message log",
    ),
    "MessageQueueResumeDelay": Setting(
        int, 0, "Seconds for which messages that waited wait on after a reconnect", 0, 3_600
    ),
    "RequestCompositeScheduleUnit": Setting(str, "A", "Unit of the published charging schedules: A or W"),
    "DelayOcppStart": Setting(int, 0, "Milliseconds between the readiness of EVerest and the start", 0, 3_600_000),
    "ResetStopDelay": Setting(int, 0, "Seconds between an accepted Reset and the stop", 0, 3_600),
}

PROVIDES: Final[dict[str, tuple[str, str]]] = {
    "main": ("ocpp_1_6_charge_point", "The charge point, by the words of OCPP 1.6"),
    "auth_validator": ("auth_token_validator", "Says who may charge"),
    "auth_provider": ("auth_token_provider", "Provides the tokens of remote starts"),
    "data_transfer": ("ocpp_data_transfer", "DataTransfer to the Central System"),
    "ocpp_generic": ("ocpp", "The charge point, by words common to all versions of OCPP"),
    "session_cost": ("session_cost", "Prices and costs that the Central System tells"),
}

REQUIRES: Final[dict[str, Requirement]] = {
    "charger_information": Requirement("charger_information", 0, 1),
    "evse_manager": Requirement("evse_manager", 1, 128),
    "evse_energy_sink": Requirement("external_energy_limits", 0, 129),
    "reservation": Requirement("reservation", 1, 1),
    "auth": Requirement("auth", 1, 1),
    "system": Requirement("system", 1, 1),
    "security": Requirement("evse_security", 1, 1),
    "data_transfer": Requirement("ocpp_data_transfer", 0, 1),
    "display_message": Requirement("display_message", 0, 1),
    "extensions_15118": Requirement("iso15118_extensions", 0, 128),
}

_HEAD: Final = """\
description: OCPP 1.6J charge point by the Python library ocpp16
"""
_FOOT: Final = """\
enable_external_mqtt: true
enable_global_errors: true
metadata:
  license: https://opensource.org/licenses/Apache-2.0
  authors:
    - The ocpp16 authors
"""


def manifest_text() -> str:
    """`manifest.yaml`."""
    lines = [_HEAD + "config:"]
    for name, setting in CONFIG.items():
        lines += [
            f"  {name}:",
            f"    description: {_quoted(setting.description)}",
            f"    type: {_TYPES[setting.kind]}",
            f"    default: {_value(setting.default)}",
        ]
    lines.append("provides:")
    for name, (interface, description) in PROVIDES.items():
        lines += [f"  {name}:", f"    interface: {interface}", f"    description: {_quoted(description)}"]
    lines.append("requires:")
    for name, requirement in REQUIRES.items():
        lines += [
            f"  {name}:",
            f"    interface: {requirement.interface}",
            f"    min_connections: {requirement.fewest}",
            f"    max_connections: {requirement.most}",
        ]
    return "\n".join(lines) + "\n" + _FOOT


def _value(value: Any) -> str:
    return _quoted(value) if isinstance(value, str) else str(value).lower()


def _quoted(text: str) -> str:
    return f'"{text}"'
