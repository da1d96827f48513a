"""The stream a configuration asks for: what is trusted, what is checked before, and how it is opened."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from pathlib import Path

import trio

from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.keys import internal, security
from ocpp16.errors import ConfigurationError
from ocpp16.log import FoldingLog
from ocpp16.profiles.asked_security import AskedSecurity
from ocpp16.security.evse_security import (
    CaCertificateType,
    LeafCertificate,
    LeafCertificateStatus,
    LeafCertificateType,
)
from ocpp16.security.tls import SSLContext, client_context, prepare_keylog
from ocpp16.transport.dial import Endpoint, open_stream, trusted_root
from ocpp16.transport.proxy import ProxyAddress


def check_tls(configuration: Configuration, *, has_security: bool) -> None:
    """Raises ConfigurationError if TLS is asked for and nothing could be trusted, or its secrets cannot be logged."""
    profile = configuration[security.SECURITY_PROFILE]
    if profile < 2:
        return
    problems = []
    if not has_security and not configuration[internal.USE_SSL_DEFAULT_VERIFY_PATHS]:
        where = "certificates_path, a folder whose ca/csms holds them, or UseSslDefaultVerifyPaths: true"
        problems.append(f"wss:// needs the root certificates of the Central System: {where}")
    if not has_security and profile == 3:
        problems.append("SecurityProfile 3 needs a client certificate: certificates_path, or evse_security")
    if problems:
        raise ConfigurationError(problems)
    keylog = _keylog_file(configuration)
    if keylog is not None:
        prepare_keylog(keylog)


def _keylog_file(configuration: Configuration) -> Path | None:
    path = configuration[internal.TLS_KEYLOG_FILE]
    return Path(path) if path and configuration[internal.ENABLE_TLS_KEYLOG] else None


MOST_REFUSED = 100
"""Client certificates that are remembered as refused: a keeper may have another one each time."""


class Dialer:
    """Opens the streams that the configuration asks for: TCP, or TLS that trusts the roots of `certificates` only,
    unless told otherwise. A client certificate that is refused makes place for the next best.

    Parameters: `certificates` keeps roots and certificates, None: nobody does; `others_first` waits until other tasks
    had their turn, None: nobody has to wait for handshakes.
    """

    __slots__ = ("_certificates", "_configuration", "_log", "_others_first", "_presented", "_refused")

    def __init__(
        self,
        configuration: Configuration,
        certificates: AskedSecurity | None,
        log: FoldingLog,
        others_first: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._others_first = others_first
        self._configuration = configuration
        self._certificates = certificates
        self._log = log
        self._presented = ""
        """Fingerprint of the client certificate of the last attempt."""
        self._refused: tuple[str, ...] = ()

    async def __call__(self, endpoint: Endpoint) -> trio.abc.Stream:
        """Raises ConnectionFailed, or ConfigurationError for what will not do."""
        self._presented = ""
        context = await self._context(endpoint) if endpoint.is_tls else None
        proxy = self._configuration[internal.HTTP_PROXY]
        stream = await open_stream(
            endpoint,
            ssl_context=context,
            server_hostname=self._configuration[internal.CENTRAL_SYSTEM_NAME],
            interface=self._configuration[internal.IFACE],
            proxy=None if proxy is None else ProxyAddress.of(proxy),
            others_first=self._others_first,
        )
        if endpoint.is_tls and self._certificates is not None:
            self._certificates.believe(trusted_root(stream))
        return stream

    def refused(self) -> None:
        """The Central System was reached and ended the last attempt: maybe for the certificate."""
        if self._presented:
            self._refused = (*self._refused, self._presented)[-MOST_REFUSED:]

    async def _context(self, endpoint: Endpoint) -> SSLContext:
        configuration, certificates = self._configuration, self._certificates
        check_tls(configuration, has_security=certificates is not None)
        roots, client = None, LeafCertificate(LeafCertificateStatus.NOT_FOUND)
        if certificates is not None:
            roots = await certificates.get_verify_location(CaCertificateType.CSMS)
            if endpoint.wants_certificate:
                client = await self._client_certificate(certificates)
        suites12 = configuration[internal.SUPPORTED_CIPHERS12]
        suites13 = configuration[internal.SUPPORTED_CIPHERS13]
        return client_context(
            roots,
            ciphers12=":".join(suites12),
            ciphers13=":".join(suites13),
            use_default_verify_paths=configuration[internal.USE_SSL_DEFAULT_VERIFY_PATHS],
            verify_name=configuration[internal.VERIFY_CSMS_COMMON_NAME],
            allow_wildcards=configuration[internal.VERIFY_CSMS_ALLOW_WILDCARDS],
            successors_are_roots=bool(configuration[security.ADDITIONAL_ROOT_CERTIFICATE_CHECK]),
            certificate_chain=client.chain or client.certificate,
            private_key=client.key,
            key_password=client.key_password,
            keylog_file=_keylog_file(configuration),
            warn=self._log.warning,
        )

    async def _client_certificate(self, certificates: AskedSecurity) -> LeafCertificate:
        """That of this attempt. Raises ConfigurationError if there is none: without it nobody would let us in."""
        client = await certificates.get_leaf_certificate_info(LeafCertificateType.CSMS, self._refused)
        if client.status is not LeafCertificateStatus.ACCEPTED:
            raise ConfigurationError([f"SecurityProfile 3: no client certificate can be used: {client.status}"])
        if client.fingerprint in self._refused:  # all of them were: they have their turns anew
            self._refused = ()
        self._presented = client.fingerprint
        return client


_Opener = Callable[[Endpoint], Awaitable[trio.abc.Stream]]


class Detour(ABC):
    """A connector that does something to the streams which the charge point opens by itself."""

    @abstractmethod
    async def __call__(self, endpoint: Endpoint) -> trio.abc.Stream: ...

    @abstractmethod
    def by(self, own: _Opener) -> _Opener:
        """The connector of a charge point whose own one this is."""

    @abstractmethod
    def refused(self) -> None:
        """As `Dialer.refused`: to be handed on to the charge point's own."""


def connector_of(given: _Opener | None, own: _Opener) -> _Opener:
    """The one that a host gave, if any, or by way of which it wants the charge point's `own`."""
    if isinstance(given, Detour):
        return given.by(own)
    return own if given is None else given
