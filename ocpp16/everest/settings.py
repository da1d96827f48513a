"""The module's configuration as its rows in EVerest's YAML file have it, checked once."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ocpp16.everest.manifest import CONFIG, Setting
from ocpp16.log import FoldingLog
from ocpp16.spelling import did_you_mean
from ocpp16.values import described, flag, text, whole

__all__ = ["Settings", "found_file"]

UNITS: Final = ("A", "W")


@dataclass(frozen=True, slots=True)
class Settings:
    """By the names of the manifest. Seconds, but for `delay_ocpp_start`, milliseconds there, seconds here."""

    charge_point_config_path: str
    user_config_path: str
    database_path: Path
    publish_interval: int
    publish_duration: int
    message_log_path: Path
    message_queue_resume_delay: int
    unit: str
    delay_ocpp_start: float
    reset_stop_delay: int

    @classmethod
    def of(cls, given: Mapping[str, Any], log: FoldingLog) -> "Settings":
        """What is wrong is warned of, and has its default."""
        values = {name: _value(name, setting, given, log) for name, setting in CONFIG.items()}
        for name in given:
            if name not in CONFIG:
                log.warning("configuration of the module: %s", f"there is no key {name}{did_you_mean(name, CONFIG)}")
        if values["RequestCompositeScheduleUnit"] not in UNITS:
            wrong = described(values["RequestCompositeScheduleUnit"])
            log.warning(
                "configuration of the module: RequestCompositeScheduleUnit must be A or W, not %s: it is A", wrong
            )
            values["RequestCompositeScheduleUnit"] = "A"
        if values["EnableExternalWebsocketControl"]:
            log.warning(
                "configuration of the module: EnableExternalWebsocketControl has no effect, for EVerest offers no MQTT "
                "to modules in Python; there are ocpp_generic.stop and restart"
            )
        return cls(
            charge_point_config_path=values["ChargePointConfigPath"],
            user_config_path=values["UserConfigPath"],
            database_path=Path(values["DatabasePath"]),
            publish_interval=values["PublishChargingScheduleIntervalS"],
            publish_duration=values["PublishChargingScheduleDurationS"],
            message_log_path=Path(values["MessageLogPath"]),
            message_queue_resume_delay=values["MessageQueueResumeDelay"],
            unit=values["RequestCompositeScheduleUnit"],
            delay_ocpp_start=values["DelayOcppStart"] / 1000,
            reset_stop_delay=values["ResetStopDelay"],
        )


def _value(name: str, setting: Setting, given: Mapping[str, Any], log: FoldingLog) -> Any:
    value = given.get(name)
    if value is None:
        return setting.default
    try:
        if setting.kind is bool:
            return flag(value, name)
        if setting.kind is int:
            return whole(value, name, setting.low, setting.high)
        return text(value, name, 4096, 1)
    except ValueError as error:
        log.warning("configuration of the module: %s: it is %s", str(error), described(setting.default), about=name)
        return setting.default


def found_file(path: str, share: Path) -> Path:
    """The file that a path of the configuration means: a relative one as it is given, if that is there, else in the
    share folder of the module."""
    given = Path(path)
    return given if given.is_absolute() or given.exists() else share / given
