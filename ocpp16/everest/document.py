"""The configuration of the charge point: EVerest's file, with what EVerest itself knows better."""

from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from ocpp16.configuration.file import read_json_object
from ocpp16.errors import ConfigurationError
from ocpp16.everest.border import Part
from ocpp16.everest.settings import Settings, found_file
from ocpp16.everest.side import EverestSide

__all__ = ["charge_point_document"]

INFORMATION: Final = MappingProxyType(
    {
        "vendor": ("ChargePointVendor", 20),
        "model": ("ChargePointModel", 20),
        "chargepoint_serial": ("ChargePointSerialNumber", 25),
        "chargebox_serial": ("ChargeBoxSerialNumber", 25),
        "firmware_version": ("FirmwareVersion", 50),
    }
)
"""Member of ChargerInformation → key of the section Internal, and the characters that BootNotification carries."""


def charge_point_document(
    settings: Settings, share: Path, side: EverestSide, number_of_connectors: int
) -> dict[str, Any]:
    """What the charge point is opened with. Raises ConfigurationError that names the file."""
    path = found_file(settings.charge_point_config_path, share)
    if not path.exists():
        given = settings.charge_point_config_path
        where = given if Path(given).is_absolute() else f"{given}, neither as it is given nor in {share}"
        raise ConfigurationError([f"ChargePointConfigPath: there is no {where}"])
    document = read_json_object(path)
    _section(document, "Core")["NumberOfConnectors"] = number_of_connectors
    if side.connections("charger_information"):
        _section(document, "Internal").update(_information(side))
    return document


def _section(document: dict[str, Any], name: str) -> dict[str, Any]:
    """One that is no object is left to the check of the whole file."""
    found = document.setdefault(name, {})
    return found if isinstance(found, dict) else {}


def _information(side: EverestSide) -> dict[str, str]:
    answer = side.ask("charger_information", "get_charger_information")
    if answer is None:
        return {}
    part, found = Part(answer, "charger_information", side.log), {}
    for name, (key, most) in INFORMATION.items():
        value = part.text(name, least=1, is_needed=name in ("vendor", "model"))
        if value is not None:
            if len(value) > most:
                side.log.warning("charger_information.%s is cut to %s characters: %s", name, most, value)
            found[key] = value[:most]
    return found
