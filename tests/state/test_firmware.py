"""The steps of an update: every status at every step, as the white paper and OCPP 1.6 have them."""

import pytest

from ocpp16.enums import FirmwareStatus
from ocpp16.enums import FirmwareStatusEnumType as Status
from ocpp16.state.firmware import HOLDS_CONNECTORS, TABLE, Step, failure_at, step_after, wire_status

# One letter for each step, in their order; lower case: told as another word, or not at all.
# S scheduled, D downloading, V verifying, W waiting, C clearing, G cleared (go-ahead), I installing, O over; -: refused
UNSIGNED = {
    #                          S D V W C G I
    "DownloadScheduled": "SD-----",
    "Downloading": "DD-----",
    "DownloadPaused": "DD-----",
    "Downloaded": "CCC-CG-",
    "SignatureVerified": "SDVWCGI",
    "InstallScheduled": "SDVWCG-",
    "Installing": "IIIIIII",
    "InstallRebooting": "IIIIIII",
    "Installed": "OOOOOOO",
    "DownloadFailed": "OOOOOOO",
    "InvalidSignature": "OOOOOOO",
    "InstallVerificationFailed": "OOOOOOO",
    "InstallationFailed": "OOOOOOO",
    "Idle": "-------",
}
SIGNED = {**UNSIGNED, "Downloaded": "VVV----", "SignatureVerified": "CCC-CG-"}
LETTERS = dict(zip("SDVWCGIO", Step, strict=True))


@pytest.mark.parametrize("is_signed", [False, True])
@pytest.mark.parametrize("status", [*Status])
def test_each_status_at_each_step(status: Status, is_signed: bool) -> None:
    expected = (SIGNED if is_signed else UNSIGNED)[status]
    for step, letter in zip(Step, expected, strict=False):
        assert step_after(step, status, is_signed=is_signed) is LETTERS.get(letter), step


def test_after_the_end_nothing_fits() -> None:
    assert {step_after(Step.OVER, status, is_signed=True) for status in Status} == {None}


def test_only_idle_is_nothing_that_a_station_tells() -> None:
    assert set(Status) - set(TABLE) == {Status.IDLE}


@pytest.mark.parametrize("status", [*Status])
def test_signed_updates_know_every_word(status: Status) -> None:
    assert wire_status(status, is_signed=True) == status


@pytest.mark.parametrize("status", [*FirmwareStatus])
def test_what_has_the_same_name_is_told_by_it(status: FirmwareStatus) -> None:
    assert wire_status(Status(status), is_signed=False) == status


@pytest.mark.parametrize("status", [*Status])
def test_every_end_is_told(status: Status) -> None:
    is_end = status in TABLE and TABLE[status].unsigned is Step.OVER
    word = wire_status(status, is_signed=False)
    if is_end:
        assert word in ("Installed", "DownloadFailed", "InstallationFailed")
    assert word is None or word in tuple(FirmwareStatus)


def test_connectors_are_held_from_the_moment_they_are_in_the_way() -> None:
    assert {Step.CLEARING, Step.CLEARED, Step.INSTALLING} == HOLDS_CONNECTORS


def test_what_a_failure_is_called() -> None:
    assert [failure_at(step) for step in Step][:2] == [Status.DOWNLOAD_FAILED] * 2
    assert {failure_at(step) for step in Step if step >= Step.VERIFYING} == {Status.INSTALLATION_FAILED}
