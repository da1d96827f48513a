"""The cases of the compliance tool that need TLS, on loopback: each passes against a Central System that does what it
should, and fails for the reason that it should against one that does not."""

import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
import trio
import trio.testing

from ocpp16.configuration.configuration import Configuration
from ocpp16.scenario import Outcome, Progress, Scenario, load_scenario, run_scenario
from ocpp16.scenario.attempt import Attempt, Attempts, Found
from ocpp16.security.lab_pki import Authority, Use
from ocpp16.security.tls import server_context
from ocpp16.testing import CentralSystem

pytestmark = pytest.mark.world
SPEED = 20.0
SHORT, LONGER = 20.0, 60.0
"""Virtual seconds until a wait that is to fail does: what it waits for does not come, or came long before."""
CLOCKS_DIFFER = 3600.0
"""Seconds before now from which all certificates are valid."""
RENEWED = {"requestedMessage": "SignChargePointCertificate"}


class Site:
    """A root, a Central System with a certificate of it, and the folder of a charge point that trusts it."""

    def __init__(self, folder: Path, *, names: tuple[str, ...] = ("127.0.0.1",)) -> None:
        now = time.time() - CLOCKS_DIFFER
        self.root = Authority("Root", now)
        self.other = Authority("Another root", now)
        self.certs = folder / "certs"
        self._folder = folder
        self.names = names
        client = self.root.issue("CP1", organization="Operator", use=Use.CLIENT, days=30)
        put(self.certs / "ca/csms/CSMS_ROOT_CA.pem", self.root.certificate)
        put(self.certs / "client/csms/first.pem", client.chain)
        put(self.certs / "client/csms/first.key", client.key).chmod(0o600)
        self.clients = put(folder / "clients.pem", self.root.certificate)

    def context(self, *, wants_certificate: bool, by: Authority | None = None) -> ssl.SSLContext:
        """Of a Central System, with a certificate of the root, or `by` another one."""
        issued = (by or self.root).issue("csms", names=self.names, use=Use.SERVER)
        chain, key = put(self._folder / "server.pem", issued.chain), put(self._folder / "server.key", issued.key)
        return server_context(chain, key, client_ca=self.clients if wants_certificate else None)


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


class Operator:
    """Asks the Central System for what a scenario waits for; `then` is what else it does after that."""

    def __init__(self, csms: CentralSystem, acts: dict[str, Callable[[], dict[str, Any]]]) -> None:
        self._csms = csms
        self._acts = dict(acts)

    def __call__(self, progress: Progress) -> None:
        for action in list(self._acts):
            if f"waiting for {action} of the Central System" in progress.waiting and self._csms.connected:
                self._csms.spawn(self._ask, action, self._acts.pop(action)())

    async def _ask(self, action: str, payload: dict[str, Any]) -> None:
        for identity in list(self._csms.connected):
            await self._csms.call(identity, action, payload)


Acts = Callable[[CentralSystem], dict[str, Callable[[], dict[str, Any]]]]


def hurried(case: str, within: float) -> Scenario:
    """The case with waits that take so many seconds at most."""
    scenario = load_scenario(f"{case}_CSMS")
    steps = [
        replace(step, arguments={**step.arguments, "within": min(step.arguments["within"], within)})
        if "within" in step.arguments
        else step
        for step in scenario.steps
    ]
    return replace(scenario, steps=tuple(steps))


def played(
    case: str,
    site: Site,
    context: ssl.SSLContext,
    acts: Acts | None = None,
    *,
    within: float = 600.0,
    both: "Both | None" = None,
) -> dict[str, Any]:
    """Why what was not met; empty where it passed. within: seconds of waits, where one is to fail. both: the port is
    one where both, TLS and none, are spoken, and the charge point begins without."""

    async def play() -> Outcome:
        async with CentralSystem(now=lambda: round(time.time() * 1e6)) as csms:
            port = await csms.listen("127.0.0.1", ssl_context=context)
            url = f"wss://127.0.0.1:{port}/ocpp"
            if both is not None:
                url = f"127.0.0.1:{await both.listen(csms, await csms.listen('127.0.0.1'), port)}/ocpp"
            return await run_scenario(
                hurried(case, within),
                url,
                ids=["CP1"],
                certificates_path=site.certs,
                progress=Operator(csms, {} if acts is None else acts(csms)),
                keys={
                    "Internal": {"RetryBackoffWaitMinimum": 1, "RetryBackoffRandomRange": 0},
                    "Security": {} if both is None else {"SecurityProfile": 1},
                },
            )

    outcome = trio.run(play, clock=trio.testing.MockClock(rate=SPEED))
    assert outcome.is_complete
    found = {one.name: one.failures[0].why for one in outcome.expectations if not one.is_met}
    assert outcome.is_passed is not bool(found)
    return found


class Both:
    """One port for TLS and for none; who speaks none is let in as long as `lets_in_all`."""

    def __init__(self) -> None:
        self.lets_in_all = True

    async def listen(self, csms: CentralSystem, plain: int, tls: int) -> int:
        async def serve(near: trio.SocketStream) -> None:
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                async with near:
                    first = await near.receive_some()
                    is_tls = first[:1] == b"\x16"
                    if not is_tls and not self.lets_in_all:
                        await near.send_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                        return
                    async with await trio.open_tcp_stream("127.0.0.1", tls if is_tls else plain) as far:
                        await far.send_all(first)
                        async with trio.open_nursery() as nursery:
                            nursery.start_soon(carry, near, far, nursery.cancel_scope)
                            nursery.start_soon(carry, far, near, nursery.cancel_scope)

        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        csms.start_soon(trio.serve_listeners, serve, listeners)
        port: int = listeners[0].socket.getsockname()[1]
        return port


async def carry(source: trio.SocketStream, target: trio.SocketStream, scope: trio.CancelScope) -> None:
    with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        while data := await source.receive_some():
            await target.send_all(data)
    scope.cancel()


# TC_086, TC_087: the two certificates, and TLS


@pytest.mark.parametrize("case", ["TC_086", "TC_087"])
def test_certificates_and_tls(case: str, site: Site) -> None:
    assert played(case, site, site.context(wants_certificate=case == "TC_087")) == {}


def test_a_central_system_whose_certificate_is_of_somebody_else(site: Site) -> None:
    found = played("TC_086", site, site.context(wants_certificate=False, by=site.other), within=SHORT)
    assert f"it was not registered within {SHORT:g} s: TLS: the certificate of 127.0.0.1 is refused" in found.pop(
        "step 1: wait_registered"
    )
    assert list(found) == ["the boot is accepted"]


def test_a_central_system_whose_certificate_has_another_name(tmp_path: Path) -> None:
    site = Site(tmp_path, names=("csms.example",))
    found = played("TC_086", site, site.context(wants_certificate=False), within=SHORT)
    assert "IP address mismatch" in found["step 1: wait_registered"]


@pytest.mark.parametrize(
    ("strength", "left"),
    [("AES 128", "ECDHE-ECDSA-AES256-GCM-SHA384"), ("AES 256", "ECDHE-ECDSA-AES128-GCM-SHA256")],
)
def test_a_central_system_without_one_of_the_suites(site: Site, strength: str, left: str) -> None:
    context = site.context(wants_certificate=False)
    context.set_ciphers(left)
    why = "the attempt was refused, not accepted: TLS: handshake with 127.0.0.1 failed: no common cipher suite"
    (found,) = played("TC_086", site, context).items()
    assert found[0].endswith(f": a suite with {strength}")
    assert found[1] == why


def test_a_central_system_without_tls_1_2(site: Site) -> None:
    """It is newer than it may be: the suites of the white paper are of 1.2."""
    context = site.context(wants_certificate=False)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    (why,) = played("TC_086", site, context).values()
    assert why.endswith("no common TLS version; at least TLS 1.2 is needed")


def test_a_central_system_that_lets_in_who_has_no_certificate(site: Site) -> None:
    context = site.context(wants_certificate=True)
    context.verify_mode = ssl.CERT_OPTIONAL
    (found,) = played("TC_087", site, context).items()
    assert found[0].endswith(": without a certificate nobody comes in")
    assert found[1] == "the attempt was accepted, not refused: it chose the subprotocol ocpp1.6"


def test_a_central_system_that_knows_no_certificate_of_ours(site: Site) -> None:
    site.clients.write_text(site.other.certificate)
    found = played("TC_087", site, site.context(wants_certificate=True), within=SHORT)
    assert "does not accept the client certificate" in found["step 1: wait_registered"]


# TC_074: another certificate


def signs(authority: Authority) -> Acts:
    """A Central System that has the charge point ask for a certificate, and signs it."""

    def acts(csms: CentralSystem) -> dict[str, Callable[[], dict[str, Any]]]:
        def signed() -> dict[str, Any]:
            csr = csms.calls("SignCertificate")[-1].payload["csr"]
            return {"certificateChain": authority.sign_request(csr).chain}

        return {"ExtendedTriggerMessage": lambda: RENEWED, "CertificateSigned": signed}

    return acts


def test_another_certificate(site: Site) -> None:
    assert played("TC_074", site, site.context(wants_certificate=True), signs(site.root)) == {}
    kept = sorted((site.certs / "client/csms").glob("*.pem"))
    assert len(kept) >= 2


def test_a_certificate_that_is_signed_by_nobody_we_trust(site: Site) -> None:
    (found,) = played("TC_074", site, site.context(wants_certificate=True), signs(site.other), within=LONGER).items()
    assert found[0].endswith(": wait_received CertificateSigned")
    assert found[1].endswith("status is 'Rejected', not 'Accepted'")


def test_a_certificate_that_its_central_system_does_not_take(site: Site) -> None:
    """It goes on with the first one, which is not what the case asks."""
    put(site.certs / "ca/csms/CSMS_ROOT_CA.pem", site.root.certificate + site.other.certificate)
    context = site.context(wants_certificate=True)
    (found,) = played("TC_074", site, context, signs(site.other)).items()
    assert found[0].endswith(": wait_connected")
    assert found[1].startswith("its first attempt to connect failed: TLS: the Central System does not accept")


def test_a_trigger_that_names_a_connector(site: Site) -> None:
    def acts(csms: CentralSystem) -> dict[str, Callable[[], dict[str, Any]]]:
        return {"ExtendedTriggerMessage": lambda: {**RENEWED, "connectorId": 1}}

    (found,) = played("TC_074", site, site.context(wants_certificate=True), acts, within=LONGER).items()
    assert found[0].endswith(": wait_received ExtendedTriggerMessage")


# TC_083: the security profile is raised


def raises(context: ssl.SSLContext, after: int) -> Acts:
    """A Central System that raises the security profile to 3, and wants a certificate from then on: `after`wards."""

    def acts(csms: CentralSystem) -> dict[str, Callable[[], dict[str, Any]]]:
        def changed() -> dict[str, Any]:
            context.verify_mode = ssl.VerifyMode(after)
            return {"key": "SecurityProfile", "value": "3"}

        return {"ChangeConfiguration": changed, "Reset": lambda: {"type": "Hard"}}

    return acts


def test_a_raised_security_profile(site: Site) -> None:
    context = site.context(wants_certificate=True)
    context.verify_mode = ssl.CERT_OPTIONAL
    assert played("TC_083", site, context, raises(context, ssl.CERT_REQUIRED)) == {}


def test_a_security_profile_that_is_raised_for_show(site: Site) -> None:
    context = site.context(wants_certificate=True)
    context.verify_mode = ssl.CERT_OPTIONAL
    (found,) = played("TC_083", site, context, raises(context, ssl.CERT_OPTIONAL)).items()
    assert found[0].endswith(": the profile of before is refused")
    assert found[1] == "the attempt was accepted, not refused: it chose the subprotocol ocpp1.6"


def test_a_central_system_that_resets_softly(site: Site) -> None:
    context = site.context(wants_certificate=True)
    context.verify_mode = ssl.CERT_OPTIONAL

    def softly(csms: CentralSystem) -> dict[str, Callable[[], dict[str, Any]]]:
        return {**raises(context, ssl.CERT_REQUIRED)(csms), "Reset": lambda: {"type": "Soft"}}

    (found,) = played("TC_083", site, context, softly, within=LONGER).items()
    assert found[0].endswith(": wait_received Reset")
    assert "type is 'Soft', not 'Hard'" in found[1]


@pytest.mark.parametrize("is_right", [True, False])
def test_from_a_password_to_tls(site: Site, is_right: bool) -> None:
    """From profile 1 to 2, at an address without a scheme."""
    both = Both()

    def acts(csms: CentralSystem) -> dict[str, Callable[[], dict[str, Any]]]:
        def reset() -> dict[str, Any]:
            both.lets_in_all = not is_right
            return {"type": "Hard"}

        return {"ChangeConfiguration": lambda: {"key": "SecurityProfile", "value": "2"}, "Reset": reset}

    found = played("TC_083", site, site.context(wants_certificate=False), acts, both=both)
    assert [name.partition(": ")[2] for name in found] == ([] if is_right else ["the profile of before is refused"])


def test_whom_we_do_not_trust_and_whom_we_do_not_reach_refused_nobody(site: Site) -> None:
    async def play() -> list[Found]:
        async with CentralSystem() as csms:
            port = await csms.listen("127.0.0.1", ssl_context=site.context(wants_certificate=False, by=site.other))
            with trio.socket.socket() as closed:
                await closed.bind(("127.0.0.1", 0))
                keys = [
                    Configuration.load(
                        {
                            "Internal": {
                                "ChargePointId": "CP1",
                                "ChargePointVendor": "V",
                                "ChargePointModel": "M",
                                "CentralSystemURI": f"wss://127.0.0.1:{number}/",
                            },
                            "Security": {"SecurityProfile": 3},
                        }
                    )
                    for number in (port, closed.getsockname()[1])
                ]
                attempts = Attempts(None, site.certs)
                return [await attempts.make(Attempt(), cast(Any, one), Random(1)) for one in keys]

    untrusted, unreached = trio.run(play)
    assert untrusted.is_accepted is None
    assert untrusted.text.startswith("TLS: the certificate of 127.0.0.1 is refused")
    assert unreached.is_accepted is None
    assert unreached.text.startswith("TCP: cannot connect")
