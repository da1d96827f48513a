"""What a charge point is to be opened with: arguments checked, configuration read. Nothing is opened here.

Must not know: the store, the nursery, the wall clock.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ocpp16.charge_point.built_in_security import Present, built_in
from ocpp16.charge_point.connectivity import StreamOpener
from ocpp16.charge_point.dialing import check_tls
from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.file import read_json_object
from ocpp16.configuration.keys import internal
from ocpp16.errors import ConfigurationError
from ocpp16.faults import obey_exit, sentence
from ocpp16.observer import Observer
from ocpp16.rpc.calls import NOBODY, Listeners
from ocpp16.rpc.tolerance import Tolerance
from ocpp16.security.evse_security import EvseSecurity
from ocpp16.state.clock import Clock
from ocpp16.station import CoreStation
from ocpp16.store.open import is_virtual_clock
from ocpp16.store.overlay import Overlay
from ocpp16.values import items, pairs


@dataclass(frozen=True, slots=True)
class Plan:
    """`certificates`: who keeps roots and certificates. `overlay`: the files of what is changed, None where that goes
    to the store."""

    configuration: Configuration
    station: CoreStation
    clock: Clock
    present: Present
    overlay: Overlay | None
    certificates: EvseSecurity | None
    tolerance: Tolerance | None
    """What the host wants mended; None: what the configuration says at each start."""
    observer: Observer | None
    connector: StreamOpener | None
    seed: int | None
    trace_messages: bool
    message_log_path: Path | None
    listeners: Listeners = NOBODY

    @property
    def identity(self) -> str:
        return self.configuration[internal.CHARGE_POINT_ID]


def planned(
    config: str | Path | Mapping[str, Any] | Configuration,
    station: CoreStation,
    clock: Clock,
    *,
    has_store: bool,
    user_config_path: str | Path | None,
    share_path: str | Path | None,
    custom_schema_path: str | Path | None,
    certificates_path: str | Path | None,
    security_configuration: Mapping[str, Any] | None,
    evse_security: EvseSecurity | None,
    observer: Observer | None,
    connector: StreamOpener | None,
    tolerances: Iterable[str] | None,
    seed: int | None,
    trace_messages: bool,
    message_log_path: str | Path | None,
    listeners: Listeners = NOBODY,
) -> Plan:
    """The arguments of `open_charge_point`, which are checked already, put together.

    has_store: may there be changes of the configuration in the store? Raises ConfigurationError with every problem of
    the configuration.
    """
    overlay = None if user_config_path is None else Overlay(user_config_path)
    if overlay is not None:
        overlay.drop_unfinished()
    configuration = _configuration(config, overlay, share_path, custom_schema_path, is_complete=not has_store)
    tolerance = None if tolerances is None else _tolerance(tolerances)
    certificates, present = evse_security, Present(clock)
    if certificates is None:
        certificates = built_in(
            certificates_path,
            security_configuration or {},
            configuration,
            now=present.seconds,
            inline=is_virtual_clock(),
        )
    if connector is None:
        check_tls(configuration, has_security=certificates is not None)
    # Not relative any more: the program may go to another folder.
    log_folder = None if message_log_path is None else Path(message_log_path).absolute()
    return Plan(
        configuration,
        station,
        clock,
        present,
        overlay,
        certificates,
        tolerance,
        observer,
        connector,
        seed,
        trace_messages,
        log_folder,
        listeners,
    )


def _configuration(
    config: str | Path | Mapping[str, Any] | Configuration,
    overlay: Overlay | None,
    share_path: str | Path | None,
    custom_schema_path: str | Path | None,
    *,
    is_complete: bool,
) -> Configuration:
    if isinstance(config, Configuration):
        if custom_schema_path is not None:
            raise ConfigurationError(
                ["custom_schema_path: config is a Configuration and has its keys already; Configuration.load takes it"]
            )
        return config if overlay is None else config.with_changes(overlay.merged())
    document = _mapping(config) if isinstance(config, Mapping) else read_json_object(config)
    patch = {} if overlay is None else overlay.merged()
    try:
        configuration = Configuration.load(
            document,
            overlay=patch,
            share_path=share_path,
            custom_schema_path=custom_schema_path,
            is_complete=is_complete,
        )
    except ConfigurationError as error:
        if isinstance(config, Mapping):
            raise
        raise ConfigurationError([f"{config}: {problem}" for problem in error.problems]) from error
    except BaseException as error:
        if type(config) is dict:
            raise
        obey_exit(error)  # of a mapping of the host's own kind
        raise ConfigurationError([f"config cannot be read: {sentence(error)}"]) from error
    if overlay is not None:
        configuration.warnings += overlay.warnings
    return configuration


def _mapping(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The sections of a mapping of the host's own kind, read once. Raises ConfigurationError."""
    if type(config) is dict:
        return config
    try:
        return dict(pairs(config, "config"))
    except (TypeError, ValueError) as error:  # a name may be nothing that a dict can have
        raise ConfigurationError([str(error)]) from error


def _tolerance(names: Iterable[str]) -> Tolerance:
    try:
        return Tolerance.parse(items(names, "the repairs", "names"))
    except ValueError as error:
        raise ConfigurationError([f"tolerances: {error}"]) from error
