"""What hosts with asyncio give to open a charge point, in types: nothing here is imported when a program runs.

The arguments are those of `ocpp16.open_charge_point`, the questions those of `ocpp16.CoreStation`; tests/types compares
them, so that neither can lag behind.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypedDict

from ocpp16.charge_point.connectivity import StreamOpener
from ocpp16.enums import Reason, ResetType, UnlockStatus
from ocpp16.fleet.fleet import Keys
from ocpp16.models import DataTransferResponse, Measurement
from ocpp16.observer import ObserverEvent
from ocpp16.rpc.calls import CallListener, FrameListener, LinkListener
from ocpp16.rpc.violations import ViolationListener
from ocpp16.security.evse_security import (
    CaCertificateType,
    CertificateHashData,
    CertificateHashDataChain,
    CertificateSigningRequest,
    CertificateType,
    CertificateValidationResult,
    DeleteCertificateResult,
    InstallCertificateResult,
    LeafCertificate,
    LeafCertificateType,
    OcspRequestData,
)
from ocpp16.store.base import Store
from ocpp16.store.journal import Journal


class AsyncioStation(Protocol):
    """`CoreStation` in asyncio: but for `measurement`, which is plain, each method is a coroutine function or a plain
    one that returns at once. What is asked, and which answer is the safe one, is told there."""

    def measurement(self, connector_id: int) -> Measurement | None: ...

    def enable_evse(self, connector_id: int) -> object: ...

    def disable_evse(self, connector_id: int) -> object: ...

    def pause_charging(self, connector_id: int) -> object: ...

    def provide_token(self, id_tag: str, connectors: Sequence[int], prevalidated: bool) -> Awaitable[None] | None: ...

    def stop_transaction(self, connector_id: int, reason: Reason) -> object: ...

    def unlock_connector(self, connector_id: int) -> Awaitable[UnlockStatus] | UnlockStatus: ...

    def is_reset_allowed(self, kind: ResetType) -> Awaitable[bool] | bool: ...

    def reset(self, kind: ResetType) -> object: ...

    def set_system_time(self, time: datetime) -> Awaitable[None] | None: ...

    def set_connection_timeout(self, seconds: int) -> Awaitable[None] | None: ...

    def data_transfer(
        self, vendor_id: str, message_id: str | None, data: str | None
    ) -> Awaitable[DataTransferResponse] | DataTransferResponse: ...


class AsyncioObserver(Protocol):
    """`Observer` in asyncio: its one method is a coroutine function or a plain one."""

    def notify(self, event: ObserverEvent) -> Awaitable[None] | None: ...


class HostSecurity(Protocol):
    """`EvseSecurity` of a host: each method is a plain one, called in the host's world, or a coroutine function of
    trio, as those of the built-in `FileEvseSecurity` are. Which answer is the safe one is told there."""

    def install_ca_certificate(
        self, certificate: str, certificate_type: CaCertificateType
    ) -> Awaitable[InstallCertificateResult] | InstallCertificateResult: ...

    def delete_certificate(
        self, hash_data: CertificateHashData
    ) -> Awaitable[DeleteCertificateResult] | DeleteCertificateResult: ...

    def get_installed_certificates(
        self, certificate_types: Sequence[CertificateType]
    ) -> Awaitable[Sequence[CertificateHashDataChain]] | Sequence[CertificateHashDataChain]: ...

    def is_ca_certificate_installed(self, certificate_type: CaCertificateType) -> Awaitable[bool] | bool: ...

    def verify_certificate(
        self, certificate_chain: str, leaf_types: Sequence[LeafCertificateType]
    ) -> Awaitable[CertificateValidationResult] | CertificateValidationResult: ...

    def update_leaf_certificate(
        self, certificate_chain: str, leaf_type: LeafCertificateType
    ) -> Awaitable[InstallCertificateResult] | InstallCertificateResult: ...

    def generate_certificate_signing_request(
        self, leaf_type: LeafCertificateType, country: str, organization: str, common_name: str, use_tpm: bool
    ) -> Awaitable[CertificateSigningRequest] | CertificateSigningRequest: ...

    def get_leaf_certificate_info(
        self, leaf_type: LeafCertificateType, refused: Sequence[str] = ()
    ) -> Awaitable[LeafCertificate] | LeafCertificate: ...

    def get_leaf_expiry_days_count(self, leaf_type: LeafCertificateType) -> Awaitable[int] | int: ...

    def get_verify_location(self, certificate_type: CaCertificateType) -> Awaitable[Path | None] | Path | None: ...

    def get_v2g_ocsp_request_data(self) -> Awaitable[Sequence[OcspRequestData]] | Sequence[OcspRequestData]: ...

    def get_mo_ocsp_request_data(
        self, certificate_chain: str
    ) -> Awaitable[Sequence[OcspRequestData]] | Sequence[OcspRequestData]: ...

    def update_ocsp_cache(self, hash_data: CertificateHashData, ocsp_response: str) -> Awaitable[None] | None: ...


class ManyArguments(TypedDict, total=False):
    """Of `open_charge_points`."""

    store: Store | Journal | None
    database_path: str | Path | None
    most_connecting: int | None


class Arguments(TypedDict, total=False):
    """Of `open_charge_point`, but for the configuration and the station."""

    user_config_path: str | Path | None
    database_path: str | Path | None
    store: Store | Journal | None
    share_path: str | Path | None
    custom_schema_path: str | Path | None
    certificates_path: str | Path | None
    security_configuration: Mapping[str, Any] | None
    evse_security: HostSecurity | None
    observer: AsyncioObserver | None
    connector: StreamOpener | None
    tolerances: Iterable[str] | None
    anchor: float | None
    seed: int | None
    trace_messages: bool
    message_log_path: str | Path | None
    frames: FrameListener | None
    links: LinkListener | None


class FleetArguments(TypedDict, total=False):
    """Of `open_fleet`, but for the Central System and what a station is made of."""

    keys: Keys | Callable[[str], Keys] | None
    store: Store | Journal | None
    database_path: str | Path | None
    most_connecting: int
    spread: float
    source_addresses: Iterable[str]
    observer: Callable[[str], AsyncioObserver | None] | None
    connector: StreamOpener | None
    connector_of: Callable[[str], StreamOpener | None] | None
    certificates_path: str | Path | None
    trace_messages: bool
    seed: int | None
    calls: CallListener | None
    frames: FrameListener | None
    links: LinkListener | None
    violations: ViolationListener | None
