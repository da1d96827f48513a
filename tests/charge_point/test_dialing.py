"""What a configuration and an EvseSecurity make of the context of a TLS connection."""

import ssl
import time
from pathlib import Path
from typing import Any

import pytest
from certificate_steps import put
from forged import DAY, NOW, below, root

from ocpp16.charge_point import dialing
from ocpp16.charge_point.built_in_security import built_in
from ocpp16.charge_point.dialing import Dialer
from ocpp16.configuration.configuration import Configuration
from ocpp16.log import FoldingLog
from ocpp16.profiles.asked_security import AskedSecurity
from ocpp16.transport.dial import Endpoint

TODAY = (time.time() - NOW) / DAY
VALID = {"start": TODAY - 1, "end": TODAY + 100}


def unexpected(*what: object) -> None:
    pytest.fail(repr(what))


@pytest.fixture
def dialled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_config: Any) -> Any:
    """`context = await dialled(key=value)`: that of a connection of profile 2 with the roots in `certs`."""

    async def dial(*, identity: str = "cp001", **keys: Any) -> ssl.SSLContext:
        contexts = []

        async def open_stream(*_: Any, ssl_context: ssl.SSLContext, **__: Any) -> None:
            contexts.append(ssl_context)

        monkeypatch.setattr(dialing, "open_stream", open_stream)
        document = make_config(
            Internal__CentralSystemURI="wss://csms/",
            Security__SecurityProfile=2,
            Security__AuthorizationKey="0123456789abcdef",
            Internal__ChargePointId=identity,
            **keys,
        )
        configuration = Configuration.load(document)
        certificates = built_in(tmp_path / "certs", {}, configuration, now=time.time, inline=True)
        security = AskedSecurity(certificates, unexpected, unexpected)
        dialer = Dialer(configuration, security, FoldingLog("cp001", time.monotonic))
        await dialer(Endpoint(True, "csms", 443, "/"))
        return contexts[0]

    return dial


@pytest.mark.parametrize("is_checked", [True, False])
async def test_additional_root_certificate_check_lets_a_chain_end_at_a_successor(
    dialled: Any, tmp_path: Path, is_checked: bool
) -> None:
    first = root("First", **VALID)
    put(tmp_path / "certs/ca/csms/roots.pem", first.pem + below(first, "Second", **VALID).pem)
    context = await dialled(Security__AdditionalRootCertificateCheck=is_checked)
    assert bool(context.verify_flags & ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN) is is_checked


async def test_a_thousand_connections_share_one_context(dialled: Any, tmp_path: Path) -> None:
    put(tmp_path / "certs/ca/csms/root.pem", root("Root", **VALID).pem)
    contexts = [await dialled(identity=f"cp{number:04}") for number in range(1000)]
    assert len(contexts) == 1000
    assert len({id(context) for context in contexts}) == 1
