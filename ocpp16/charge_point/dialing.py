"""The stream a configuration asks for: what is trusted, what is checked before, and how it is opened."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import trio

from ocpp16.configuration.configuration import Configuration
from ocpp16.configuration.keys import internal, security
from ocpp16.errors import ConfigurationError
from ocpp16.log import FoldingLog
from ocpp16.security.tls import client_context, prepare_keylog
from ocpp16.transport.dial import Endpoint, open_stream


def csms_roots(certificates_path: str | Path | None, security_configuration: Mapping[str, Any]) -> Path | None:
    bundle = security_configuration.get("csms_ca_bundle")
    if bundle:
        return Path(bundle)
    return None if certificates_path is None else Path(certificates_path) / "ca" / "csms"


def check_tls(configuration: Configuration, roots: Path | None) -> None:
    """Raises ConfigurationError if TLS is asked for and nothing could be trusted, or its secrets cannot be logged."""
    if configuration[security.SECURITY_PROFILE] < 2:
        return
    if roots is None and not configuration[internal.USE_SSL_DEFAULT_VERIFY_PATHS]:
        where = "certificates_path, a folder whose ca/csms holds them, or UseSslDefaultVerifyPaths: true"
        raise ConfigurationError([f"wss:// needs the root certificates of the Central System: {where}"])
    keylog = _keylog_file(configuration)
    if keylog is not None:
        prepare_keylog(keylog)


def _keylog_file(configuration: Configuration) -> Path | None:
    path = configuration[internal.TLS_KEYLOG_FILE]
    return Path(path) if path and configuration[internal.ENABLE_TLS_KEYLOG] else None


async def dial(
    configuration: Configuration, roots: Path | None, log: FoldingLog, endpoint: Endpoint
) -> trio.abc.Stream:
    """The stream the configuration asks for: TCP, or TLS that trusts `certs/ca/csms` only, unless told otherwise."""
    context = None
    if endpoint.is_tls:
        check_tls(configuration, roots)
        suites12 = configuration[internal.SUPPORTED_CIPHERS12]
        suites13 = configuration[internal.SUPPORTED_CIPHERS13]
        context = client_context(
            roots,
            ciphers12=":".join(suites12),
            ciphers13=":".join(suites13),
            use_default_verify_paths=configuration[internal.USE_SSL_DEFAULT_VERIFY_PATHS],
            verify_name=configuration[internal.VERIFY_CSMS_COMMON_NAME],
            allow_wildcards=configuration[internal.VERIFY_CSMS_ALLOW_WILDCARDS],
            keylog_file=_keylog_file(configuration),
            warn=log.warning,
        )
    return await open_stream(endpoint, ssl_context=context, interface=configuration[internal.IFACE])
