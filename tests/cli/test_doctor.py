"""`ocpp16 doctor` against Central Systems in all states: the first step that fails, with what to do about it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import trio
import trustme

from ocpp16.cli import main
from ocpp16.cli.examination import Finding, Step, examine
from ocpp16.configuration.configuration import Configuration
from ocpp16.security.evse_security import CaCertificateType
from ocpp16.security.tls import server_context
from ocpp16.testing.central_system import CentralSystem
from ocpp16.transport.handshake import Accept, Reject, UpgradeRequest

pytestmark = pytest.mark.world

KEY = bytes(range(16))


def configuration(port: int, profile: int = 0, **internal: Any) -> Configuration:
    return Configuration.load(
        {
            "Internal": {
                "ChargePointId": "cp1",
                "CentralSystemURI": f"localhost:{port}",
                "ChargePointVendor": "V",
                "ChargePointModel": "M",
                **internal,
            },
            "Core": {"NumberOfConnectors": 1},
            "Security": {"SecurityProfile": profile, "AuthorizationKey": f"hex:{KEY.hex()}"},
        }
    )


class Roots:
    """An EvseSecurity with roots only."""

    def __init__(self, path: Any) -> None:
        self.path = path

    async def get_verify_location(self, kind: CaCertificateType) -> Any:
        return self.path

    def __getattr__(self, name: str) -> Any:
        async def question(*args: Any) -> Any:
            raise NotImplementedError

        return question


async def examined(config: Configuration, certificates: Any = None) -> list[Finding]:
    findings: list[Finding] = []
    await examine(config, certificates, findings.append)
    return findings


def steps(findings: list[Finding]) -> list[Step]:
    return [finding.step for finding in findings if not finding.is_warning]


async def test_all_of_it_works() -> None:
    async with CentralSystem(keys={"cp1": KEY}) as csms:
        findings = await examined(configuration(await csms.listen("127.0.0.1"), profile=1))
    assert steps(findings) == [
        Step.CONFIGURATION,
        Step.NAME,
        Step.TCP,
        Step.HTTP,
        Step.PASSWORD,
        Step.SUBPROTOCOL,
        Step.BOOT,
    ]
    assert all(finding.is_good for finding in findings)


async def test_tls_is_told_with_its_certificate(tmp_path: Any) -> None:
    authority = trustme.CA(organization_name="Lab")
    ends = datetime.now(UTC) + timedelta(days=100, hours=23)
    leaf = authority.issue_cert("localhost", common_name="csms", not_after=ends)
    (tmp_path / "chain.pem").write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    (tmp_path / "key.pem").write_bytes(leaf.private_key_pem.bytes())
    (tmp_path / "roots.pem").write_bytes(authority.cert_pem.bytes())
    (tmp_path / "other.pem").write_bytes(trustme.CA().cert_pem.bytes())
    context = server_context(tmp_path / "chain.pem", tmp_path / "key.pem")
    async with CentralSystem(keys={"cp1": KEY}) as csms:
        port = await csms.listen("127.0.0.1", 0, context)
        found = await examined(configuration(port, profile=2), Roots(tmp_path / "roots.pem"))
        assert all(finding.is_good for finding in found)
        [tls] = [finding for finding in found if finding.step is Step.TLS and not finding.is_warning]
        assert "TLSv1.3" in tls.text
        assert "csms" in tls.text
        assert tls.text.endswith("for 100 more days"), "those that are whole, as `ocpp16 certificates list` has them"
        last = (await examined(configuration(port, profile=2), Roots(tmp_path / "other.pem")))[-1]
        assert (last.step, last.is_good) == (Step.TLS, False)
        assert "roots" in last.text
        assert "ca/csms" in last.remedy or "root" in last.remedy
        other_name = configuration(port, profile=2, CentralSystemName="other")
        last = (await examined(other_name, Roots(tmp_path / "roots.pem")))[-1]
        assert "mismatch" in last.text.lower()
        assert "CentralSystemName" in last.remedy


async def refuse(status: int, csms: CentralSystem) -> None:
    csms.refuse_handshake(status, "because")


async def no_subprotocol(csms: CentralSystem) -> None:
    csms.subprotocols = ()


async def rejected(csms: CentralSystem) -> None:
    csms.refuse_boot("Rejected")


async def pending(csms: CentralSystem) -> None:
    csms.refuse_boot("Pending")


@pytest.mark.parametrize(
    ("behave", "step", "words"),
    [
        (partial(refuse, 401), Step.PASSWORD, "AuthorizationKey"),
        (partial(refuse, 403), Step.HTTP, "not allowed"),
        (partial(refuse, 404), Step.HTTP, "ChargePointId"),
        (partial(refuse, 503), Step.HTTP, "later"),
        (no_subprotocol, Step.SUBPROTOCOL, "ocpp1.6"),
        (rejected, Step.BOOT, "register"),
    ],
)
async def test_the_first_step_that_fails(
    behave: Callable[[CentralSystem], Awaitable[None]], step: Step, words: str
) -> None:
    async with CentralSystem() as csms:
        port = await csms.listen("127.0.0.1")
        await behave(csms)
        found = await examined(configuration(port, profile=1))
    assert (found[-1].step, found[-1].is_good) == (step, False)
    assert words in found[-1].remedy
    assert all(finding.is_good for finding in found[:-1])


async def test_pending_is_no_failure() -> None:
    async with CentralSystem() as csms:
        port = await csms.listen("127.0.0.1")
        await pending(csms)
        last = (await examined(configuration(port)))[-1]
    assert (last.step, last.is_good, last.is_warning) == (Step.BOOT, True, True)


@pytest.mark.parametrize(
    ("internal", "step"),
    [
        ({"CentralSystemURI": "ws://nobody.invalid/"}, Step.NAME),
        ({"IFace": "nothing0"}, Step.INTERFACE),
        ({"CentralSystemURI": "ws://127.0.0.1:1/"}, Step.TCP),
        ({"HttpProxy": "http://127.0.0.1:1"}, Step.TCP),
    ],
)
async def test_nobody_there(internal: dict[str, Any], step: Step) -> None:
    found = await examined(configuration(9, **internal))
    assert (found[-1].step, found[-1].is_good) == (step, False)
    assert found[-1].remedy


async def test_a_clock_that_is_wrong_is_said() -> None:
    async with CentralSystem() as csms:
        port = await csms.listen("127.0.0.1")
        csms.answers["BootNotification"] = {
            "status": "Accepted",
            "currentTime": "2001-01-01T00:00:00Z",
            "interval": 300,
        }
        last = (await examined(configuration(port)))[-1]
    assert last.is_good
    assert "ahead" in last.text


async def test_it_comes_as_the_charge_point_does() -> None:
    seen: list[str | None] = []

    class Looking(CentralSystem):
        def _decide(self, request: UpgradeRequest) -> Accept | Reject:
            seen.append(request.header("user-host"))
            return super()._decide(request)

    async with Looking() as csms:
        await examined(configuration(await csms.listen("127.0.0.1"), HostName="garage"))
    assert seen == ["garage"]


async def test_it_can_be_cancelled_at_any_step() -> None:
    async with CentralSystem() as csms:
        port = await csms.listen("127.0.0.1")

        async def hang(payload: Any, call: Any) -> dict[str, Any]:
            scope.cancel()
            await trio.sleep_forever()
            raise AssertionError

        csms.answers["BootNotification"] = hang
        with trio.CancelScope() as scope:
            await examined(configuration(port))
        assert scope.cancelled_caught


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--help"], 0, "step by step"),
        ([], 2, "nothing says what to connect to"),
        (["--csms", "http://x/", "--id", "cp"], 2, "--csms"),
        (["--conf", "/nowhere/config.json"], 2, "config.json"),
        (["--csms", "ws://127.0.0.1:1/", "--id", "cp"], 1, "TCP"),
        (
            ["--csms", "wss://localhost/", "--id", "cp", "--password", "Secret12", "--certs", "/"],
            1,
            "ca/csms of the folder of certificates",
        ),
        (["--csms", "ws://127.0.0.1:1/", "--id", "cp", "--certs", "/none"], 2, "'/none' does not exist"),
        (["--csms", "ws://127.0.0.1:1/", "--id", "cp", "--json"], 1, '"step":"TCP","ok":false'),
    ],
)
def test_the_command(arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", *arguments]) == code
    out, err = capsys.readouterr()
    assert words in out + err
