"""What a server says of a client certificate after the handshake of TLS 1.3, also where the connection was reset."""

import os
import socket
import ssl
from contextlib import suppress
from pathlib import Path

import pytest
import trio
import trio.testing
import trustme

from ocpp16.security.tls import client_context
from ocpp16.transport.dial_failures import late_refusal
from ocpp16.transport.tls_stream import TlsStream
from ocpp16.transport.websocket import WebSocket

CA = trustme.CA()


def reset() -> trio.BrokenResourceError:
    error = trio.BrokenResourceError()
    error.__cause__ = ConnectionResetError(104, "Connection reset by peer")
    return error


async def shaken(roots: Path, client_ca: trustme.CA | None) -> tuple[TlsStream, socket.socket]:
    """Both ends after the handshake as the client sees it; the server has said what it thinks of the client."""
    CA.cert_pem.write_to_path(str(roots))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert("csms").configure_cert(context)
    if client_ca is not None:
        client_ca.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    ours, theirs = socket.socketpair()
    client = TlsStream(trio.SocketStream(trio.socket.from_stdlib_socket(ours)), client_context(roots), "csms")
    received, to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(received, to_send, server_side=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.do_handshake)
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(2):
            received.write(theirs.recv(65_536))
            with suppress(ssl.SSLError):
                server.do_handshake()
            theirs.sendall(to_send.read())
            await trio.testing.wait_all_tasks_blocked(0.01)
    return client, theirs


async def test_an_alert_behind_a_broken_connection_is_found(tmp_path: Path) -> None:
    client, theirs = await shaken(tmp_path / "roots.pem", CA)
    theirs.close()
    with pytest.raises(trio.BrokenResourceError) as caught:
        await client.send_all(b"GET")
    failure = late_refusal(caught.value)
    assert failure is not None
    assert str(failure) == "TLS: the Central System wants a client certificate (SecurityProfile 3), and got none"
    assert (failure.step, failure.security_event) == ("TLS", "FailedToAuthenticateAtCentralSystem")
    await client.aclose()


async def test_an_alert_instead_of_an_answer_is_no_handshake_of_a_websocket(tmp_path: Path) -> None:
    client, theirs = await shaken(tmp_path / "roots.pem", CA)
    with theirs, pytest.raises(Exception, match="wants a client certificate") as caught:
        await WebSocket.connect(client, host="csms", target="/CP")
    assert getattr(caught.value, "security_event", "") == "FailedToAuthenticateAtCentralSystem"


@pytest.mark.parametrize("is_silent", [True, False])
async def test_a_broken_connection_is_no_verdict(tmp_path: Path, is_silent: bool) -> None:
    """Where nothing lies there, or only session tickets; and nothing is waited for."""
    client, theirs = await shaken(tmp_path / "roots.pem", None)
    if is_silent:
        os.read(client.socket.fileno(), 65_536)
    theirs.close()
    with pytest.raises(trio.BrokenResourceError) as caught:
        await client.send_all(b"GET")
    assert late_refusal(caught.value) is None
    await client.aclose()


@pytest.mark.parametrize("error", [reset(), ValueError(), trio.BrokenResourceError()])
def test_what_is_no_tls_is_left_alone(error: Exception) -> None:
    assert late_refusal(error) is None
