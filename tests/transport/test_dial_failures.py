"""What a server says of a client certificate after the handshake of TLS 1.3, also where the connection was reset."""

import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trio
import trustme
from trio.testing import memory_stream_pair

from ocpp16.security.tls import client_context
from ocpp16.transport.dial_failures import late_refusal
from ocpp16.transport.websocket import WebSocket

CA = trustme.CA()


async def shaken(roots: Path, client_ca: trustme.CA | None) -> tuple[Any, Any]:
    """Both ends after the handshake as the client sees it; the server has said what it thinks of the client."""
    CA.cert_pem.write_to_path(str(roots))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert("csms").configure_cert(context)
    if client_ca is not None:
        client_ca.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    ours, theirs = memory_stream_pair()
    client = trio.SSLStream(ours, client_context(roots), server_hostname="csms", https_compatible=True)
    received, to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(received, to_send, server_side=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.do_handshake)
        for _ in range(2):
            received.write(await theirs.receive_some())
            with suppress(ssl.SSLError):
                server.do_handshake()
            await theirs.send_all(to_send.read())
    return client, theirs


def reset() -> trio.BrokenResourceError:
    error = trio.BrokenResourceError()
    error.__cause__ = ConnectionResetError(104, "Connection reset by peer")
    return error


async def test_an_alert_behind_a_reset_is_found(autojump_clock: Any, tmp_path: Path) -> None:
    client, _ = await shaken(tmp_path / "roots.pem", CA)
    failure = await late_refusal(client, reset())
    assert failure is not None
    assert str(failure) == "TLS: the Central System wants a client certificate (SecurityProfile 3), and got none"
    assert (failure.step, failure.security_event) == ("TLS", "FailedToAuthenticateAtCentralSystem")


async def test_an_alert_instead_of_an_answer_is_no_handshake_of_a_websocket(
    autojump_clock: Any, tmp_path: Path
) -> None:
    client, _ = await shaken(tmp_path / "roots.pem", CA)
    with pytest.raises(Exception, match="wants a client certificate") as caught:
        await WebSocket.connect(client, host="csms", target="/CP")
    assert getattr(caught.value, "security_event", "") == "FailedToAuthenticateAtCentralSystem"


@pytest.mark.parametrize("is_silent", [True, False])
async def test_a_reset_is_no_verdict(autojump_clock: Any, tmp_path: Path, is_silent: bool) -> None:
    """Where nothing lies there, or only session tickets; and nothing is waited for."""
    client, theirs = await shaken(tmp_path / "roots.pem", None)
    if is_silent:
        await client.transport_stream.receive_some()
    assert await late_refusal(client, reset()) is None
    assert trio.current_time() <= 1
    await theirs.aclose()


@pytest.mark.parametrize("error", [reset(), ValueError()])
async def test_what_is_no_tls_is_left_alone(error: Any) -> None:
    ours, _ = memory_stream_pair()
    assert await late_refusal(ours, error) is None
