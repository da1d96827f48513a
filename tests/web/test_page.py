"""The page in a browser, worked as a person would: a session, forms, traffic, limits."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ocpp16.lint.trace_format import TraceFormat

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (extra test)")

from page_hands import card, press, rows, status
from playwright.sync_api import expect

pytestmark = [pytest.mark.world, pytest.mark.timeout(600)]


def test_a_session_by_clicks_alone(station: Any, make_page: Any) -> None:
    page = make_page(station.url())
    status(page, "Available")
    expect(page).to_have_title(re.compile("web-1"))
    press(page, "Plug in")
    status(page, "Preparing")
    page.get_by_label("Card").fill("ANNA-7")
    press(page, "Present card")
    status(page, "Charging")
    expect(card(page)).to_contain_text("ANNA-7, no. ")
    expect(card(page).locator(".power")).to_contain_text("kW")
    press(page, "Pause")
    status(page, "SuspendedEV")
    press(page, "Resume")
    status(page, "Charging")
    press(page, "Raise fault")
    status(page, "Faulted: OtherError")
    press(page, "Clear fault")
    status(page, "Charging")
    press(page, "Present card")
    status(page, "Finishing")
    press(page, "Unplug")
    status(page, "Available")
    press(page, "Out of service")
    status(page, "Unavailable")
    press(page, "Into service")
    status(page, "Available")
    for action in ("StartTransaction", "StopTransaction", "Authorize"):
        expect(rows(page, action).first).to_contain_text("Accepted")
    page.get_by_role("button", name="Disconnect").click()
    expect(page.locator("#badges")).to_contain_text("offline")
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.locator("#badges")).to_contain_text("connected")
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Stop now").click()
    expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("Stop: done")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(page.locator("#badges")).to_contain_text("stopped")
    page.get_by_role("button", name="Restart").click()
    expect(page.locator("#badges")).to_contain_text("connected")


def test_a_form_of_a_command_and_its_result(station: Any, make_page: Any) -> None:
    page = make_page(station.url())
    status(page, "Available", 2)
    card(page, 2).get_by_role("button", name="More").click()
    page.get_by_label("Find a command").fill("reserve")
    page.get_by_role("button", name=re.compile("^Reserve")).click()
    form = page.get_by_role("dialog")
    expect(form.get_by_label("Connector")).to_have_value("2")
    form.get_by_label("Id tag", exact=True).fill("BERT")
    form.get_by_text("More (").click()
    form.get_by_label("Reservation id").fill("4711")
    form.get_by_role("button", name="Reserve", exact=True).click()
    expect(form.get_by_role("status")).to_contain_text("Reserve: Accepted")
    page.keyboard.press("Escape")
    status(page, "Reserved", 2)
    page.get_by_role("button", name="Cancel reservation 4711").click()
    status(page, "Available", 2)
    page.get_by_role("button", name=re.compile("All commands")).click()
    page.get_by_label("Find a command").fill("get configuration")
    page.get_by_role("button", name=re.compile("^Get configuration")).click()
    form.get_by_label("Keys").fill("HeartbeatInterval,Nonsense")
    form.get_by_role("button", name="Get configuration").click()
    expect(form.get_by_role("cell", name="HeartbeatInterval")).to_be_visible()
    expect(form.get_by_role("status")).to_contain_text("Nonsense")


def test_traffic_is_joined_filtered_copied_and_downloaded(station: Any, make_page: Any, tmp_path: Path) -> None:
    page = make_page(station.url(), permissions=["clipboard-read", "clipboard-write"])
    status(page, "Available")
    page.get_by_role("button", name="Clear", exact=True).click()
    station.do("data_transfer", vendor_id="com.example", data="needle")
    station.do("heartbeat")
    for action in ("DataTransfer", "Heartbeat"):
        expect(rows(page, action)).to_have_count(1)
        expect(rows(page, action).locator(".chip")).not_to_have_text("waiting …")
        expect(rows(page, action).locator("td.took")).to_contain_text("ms")
    page.get_by_label("Filter the traffic").fill("NEEDLE com.example")
    expect(page.locator("#messages tr.exchange")).to_have_count(1)
    expect(page.locator("#rows")).to_contain_text("1 of ")
    opener = page.get_by_role("button", name="DataTransfer", exact=True)
    opener.click()
    expect(opener).to_have_attribute("aria-expanded", "true")
    page.get_by_role("button", name="Copy as JSON").click()
    expect(page.locator("#said")).to_have_text("The exchange copied")
    request, answer = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert request[2:] == ["DataTransfer", {"vendorId": "com.example", "data": "needle"}]
    assert answer[:2] == [3, request[1]]
    page.get_by_label("Filter the traffic").fill("")
    page.get_by_label("problems").check()
    expect(rows(page, "Heartbeat")).to_have_count(0)
    page.get_by_label("problems").uncheck()
    expect(rows(page, "Heartbeat")).to_have_count(1)
    page.get_by_role("button", name="Hold").click()
    station.do("heartbeat")
    expect(page.locator("#rows")).to_contain_text("behind")
    expect(rows(page, "Heartbeat")).to_have_count(1)
    page.get_by_role("button", name="Go on").click()
    expect(rows(page, "Heartbeat")).to_have_count(2)
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download trace").click()
    assert downloading.value.suggested_filename == "web-1.jsonl"
    path = tmp_path / "trace.jsonl"
    downloading.value.save_as(path)
    lines = path.read_bytes().splitlines()
    reader = TraceFormat(lines[0], "")
    frames = [frame for number, line in enumerate(lines, 1) for frame in reader.read(number, line)]
    assert {"DataTransfer", "Heartbeat", "BootNotification"} <= {frame.action for frame in frames}


def test_what_the_central_system_asks_and_what_went_wrong(station: Any, central_system: Any, make_page: Any) -> None:
    page = make_page(station.url())
    status(page, "Available")
    central_system.say('call web-1 UnlockConnector {"connectorId": 1}')
    unlocked = rows(page, "UnlockConnector").last
    expect(unlocked.locator(".chip")).to_have_text("Unlocked")
    expect(unlocked).to_contain_text("Central System asks")
    central_system.say('call web-1 RemoteStopTransaction {"transactionId": 4711}')
    expect(rows(page, "RemoteStopTransaction").last.locator(".chip.refusal")).to_have_text("Rejected")
    central_system.say("call web-1 Heartbeat {}")
    wrong = rows(page, "Heartbeat").last
    expect(wrong.locator(".chip.error")).to_have_text(re.compile("^Not(Implemented|Supported)$"))
    page.get_by_label("problems").check()
    expect(rows(page, "UnlockConnector")).to_have_count(0)
    expect(rows(page, "RemoteStopTransaction")).not_to_have_count(0)
    expect(wrong).to_be_visible()
    wrong.get_by_role("button").click()
    expect(page.get_by_role("heading", name="Answer", exact=True).locator("..")).to_contain_text("Heartbeat")


def test_errors_of_what_is_typed_are_said(station: Any, make_page: Any) -> None:
    page = make_page(station.url())
    status(page, "Available")
    answer = station.ask("/api/command", {"do": "data_transfer", "arguments": {"vendor_id": ""}})
    assert answer["ok"] is False
    profile = {"chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "TxProfile"}
    page.get_by_role("button", name=re.compile("All commands")).click()
    page.get_by_label("Find a command").fill("set charging")
    page.get_by_role("button", name=re.compile("^Set charging profile")).click()
    form = page.get_by_role("dialog")
    form.get_by_label("Profile").fill("{")
    form.get_by_role("button", name="Set charging profile").click()
    expect(form.get_by_role("status")).to_contain_text("cannot be read as JSON")
    form.get_by_label("Profile").fill(json.dumps(profile))
    form.get_by_role("button", name="Set charging profile").click()
    expect(form.get_by_role("status").locator(".bad")).to_contain_text("chargingProfileKind")
    assert form.get_by_label("Profile").input_value() == json.dumps(profile), "what was typed is still there"


def test_a_profile_keeps_its_colour_when_another_goes(station: Any, make_page: Any) -> None:
    page = make_page(station.url())
    status(page, "Available")
    for number in (5, 6):
        profile = {
            "chargingProfileId": number,
            "stackLevel": number,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": {
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10 + number}],
            },
        }
        assert station.do("set_charging_profile", connector=1, profile=profile) == "Accepted"
    picture = page.get_by_role("img", name=re.compile("Composite schedule of connector 1"))
    expect(picture.locator("path.profile")).to_have_count(2)
    legend = {n: page.locator(".legend li").filter(has_text=f"{n}: TxDefaultProfile") for n in (5, 6)}
    colours = {n: legend[n].locator("path").get_attribute("class") for n in legend}
    assert colours[5] != colours[6]
    first, second = sorted(
        legend, key=lambda n: page.locator(".legend li").all_inner_texts().index(legend[n].inner_text())
    )
    assert station.do("clear_charging_profiles", profile_id=first) == 1
    expect(picture.locator("path.profile")).to_have_count(1)
    assert legend[second].locator("path").get_attribute("class") == colours[second]
    assert picture.locator("path.profile").get_attribute("class") == colours[second]


def test_the_limits_ahead_are_drawn(station: Any, make_page: Any) -> None:
    page = make_page(station.url())
    status(page, "Available")
    profile = {
        "chargingProfileId": 5,
        "stackLevel": 1,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Recurring",
        "recurrencyKind": "Daily",
        "chargingSchedule": {
            "startSchedule": "2020-01-01T00:00:00Z",
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10}, {"startPeriod": 43200, "limit": 20}],
        },
    }
    assert station.do("set_charging_profile", connector=1, profile=profile) == "Accepted"
    picture = page.get_by_role("img", name=re.compile("Composite schedule of connector 1"))
    expect(picture).to_have_attribute("aria-label", re.compile("[23] steps"))
    expect(picture.locator("path.profile")).to_have_count(1)
    expect(page.locator(".legend")).to_contain_text("5: TxDefaultProfile, level 1")
    page.get_by_text("As a table").click()
    table = page.get_by_role("region", name="Steps of the composite schedule")
    expect(table.get_by_role("row").nth(1)).to_contain_text(re.compile("10|20"))
    page.get_by_label("Limits of").select_option("0")
    expect(page.get_by_role("img", name=re.compile("Composite schedule of the whole station"))).to_be_visible()
    card(page, 1).get_by_role("button", name="More").click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Remove profile 5").click()
    expect(page.get_by_role("dialog").get_by_label("Connector")).to_have_value("")  # not of the list of before
    page.get_by_role("dialog").get_by_role("button", name="Clear charging profiles now").click()
    expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("1")
    page.keyboard.press("Escape")
    expect(page.locator("#lists")).to_contain_text("None is installed.")
    assert station.do("reserve", connector=1, id_tag="LATER", seconds=259_200, reservation_id=77) == "Accepted"
    expect(page.get_by_role("row", name=re.compile(r"^77 1 LATER [A-Z][a-z]{2} \d{1,2}, \d\d:\d\d"))).to_be_visible()
    assert station.do("cancel_reservation", reservation_id=77)
