"""The page in a browser, worked as a person would: by clicks, by the keyboard, by the names a screen reader hears."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import panel_world
import pytest

from ocpp16.lint.trace_format import TraceFormat

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (extra test)")

pytestmark = [
    pytest.mark.world,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        panel_world.CHROMIUM is None, reason="no Chromium here (ci/test installs Debian's where it may)"
    ),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        try:
            found = driver.chromium.launch(executable_path=panel_world.CHROMIUM, args=panel_world.ARGUMENTS)
        except playwright.Error as error:
            pytest.skip(f"Chromium cannot be started: {error}")
        yield found
        found.close()


@pytest.fixture(scope="module")
def central_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    found = panel_world.CentralSystem(tmp_path_factory.mktemp("central_system"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def _shared_station(tmp_path_factory: pytest.TempPathFactory, central_system: Any) -> Iterator[Any]:
    found = panel_world.Station(tmp_path_factory.mktemp("station"), central_system, "--connectors", "2")
    yield found
    found.close()
    assert b"Traceback" not in b"".join(found.errors)


@pytest.fixture
def station(_shared_station: Any) -> Any:
    """As at the beginning, whatever the test before has done."""
    station = _shared_station
    station.do("restart")
    station.do("connect")
    station.do("clear_charging_profiles")
    for connector in (1, 2):
        station.do("change_availability", connector=connector, kind="Operative")
        station.do("unplug", connector=connector)
        status = {row["connector"]: row for row in station.do("status")["connectors"]}[connector]
        if status["error"] != "NoError":
            station.do("clear_fault", connector=connector, error=status["error"])
    return station


@pytest.fixture
def make_page(chromium: Any) -> Iterator[Any]:
    """Opens a page: `make_page(url, width=…, color_scheme=…)`. The browser may complain of nothing in it, unless
    `quiet=False`."""
    contexts, complaints = [], []

    def opened(url: str, *, width: int = 1400, height: int = 900, quiet: bool = True, **options: Any) -> Any:
        context = chromium.new_context(viewport={"width": width, "height": height}, accept_downloads=True, **options)
        context.set_default_timeout(panel_world.PATIENCE * 1000)
        contexts.append(context)
        page = context.new_page()
        if quiet:
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def card(page: Any, connector: int = 1) -> Any:
    return page.get_by_role("article", name=f"Connector {connector}")


def status(page: Any, text: str, connector: int = 1) -> None:
    playwright.expect(card(page, connector).locator(".state")).to_contain_text(
        text, timeout=panel_world.PATIENCE * 1000
    )


def press(page: Any, name: str, connector: int = 1) -> None:
    card(page, connector).get_by_role("button", name=name).click()


def rows(page: Any, action: str) -> Any:
    return page.locator("#messages tr.exchange", has=page.get_by_role("button", name=action, exact=True))


def test_a_session_by_clicks_alone(station: Any, make_page: Any) -> None:
    page = make_page(station.url())
    status(page, "Available")
    playwright.expect(page).to_have_title(re.compile("web-1"))
    press(page, "Plug in")
    status(page, "Preparing")
    page.get_by_label("Card").fill("ANNA-7")
    press(page, "Present card")
    status(page, "Charging")
    playwright.expect(card(page)).to_contain_text("ANNA-7, no. ")
    playwright.expect(card(page).locator(".power")).to_contain_text("kW")
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
        playwright.expect(rows(page, action).first).to_contain_text("Accepted")
    page.get_by_role("button", name="Disconnect").click()
    playwright.expect(page.locator("#badges")).to_contain_text("offline")
    page.get_by_role("button", name="Connect", exact=True).click()
    playwright.expect(page.locator("#badges")).to_contain_text("connected")
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Stop now").click()
    playwright.expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("Stop: done")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    playwright.expect(page.locator("#badges")).to_contain_text("stopped")
    page.get_by_role("button", name="Restart").click()
    playwright.expect(page.locator("#badges")).to_contain_text("connected")


def test_a_form_of_a_command_and_its_result(station: Any, make_page: Any) -> None:
    page = make_page(station.url())
    status(page, "Available", 2)
    card(page, 2).get_by_role("button", name="More").click()
    page.get_by_label("Find a command").fill("reserve")
    page.get_by_role("button", name=re.compile("^Reserve")).click()
    form = page.get_by_role("dialog")
    playwright.expect(form.get_by_label("Connector")).to_have_value("2")
    form.get_by_label("Id tag", exact=True).fill("BERT")
    form.get_by_text("More (").click()
    form.get_by_label("Reservation id").fill("4711")
    form.get_by_role("button", name="Reserve", exact=True).click()
    playwright.expect(form.get_by_role("status")).to_contain_text("Reserve: Accepted")
    page.keyboard.press("Escape")
    status(page, "Reserved", 2)
    page.get_by_role("button", name="Cancel reservation 4711").click()
    status(page, "Available", 2)
    page.get_by_role("button", name=re.compile("All commands")).click()
    page.get_by_label("Find a command").fill("get configuration")
    page.get_by_role("button", name=re.compile("^Get configuration")).click()
    form.get_by_label("Keys").fill("HeartbeatInterval,Nonsense")
    form.get_by_role("button", name="Get configuration").click()
    playwright.expect(form.get_by_role("cell", name="HeartbeatInterval")).to_be_visible()
    playwright.expect(form.get_by_role("status")).to_contain_text("Nonsense")


def test_traffic_is_joined_filtered_copied_and_downloaded(station: Any, make_page: Any, tmp_path: Path) -> None:
    page = make_page(station.url(), permissions=["clipboard-read", "clipboard-write"])
    status(page, "Available")
    page.get_by_role("button", name="Clear", exact=True).click()
    station.do("data_transfer", vendor_id="com.example", data="needle")
    station.do("heartbeat")
    for action in ("DataTransfer", "Heartbeat"):
        playwright.expect(rows(page, action)).to_have_count(1)
        playwright.expect(rows(page, action).locator(".chip")).not_to_have_text("waiting …")
        playwright.expect(rows(page, action).locator("td.took")).to_contain_text("ms")
    page.get_by_label("Filter the traffic").fill("NEEDLE com.example")
    playwright.expect(page.locator("#messages tr.exchange")).to_have_count(1)
    playwright.expect(page.locator("#rows")).to_contain_text("1 of ")
    opener = page.get_by_role("button", name="DataTransfer", exact=True)
    opener.click()
    playwright.expect(opener).to_have_attribute("aria-expanded", "true")
    page.get_by_role("button", name="Copy as JSON").click()
    playwright.expect(page.locator("#said")).to_have_text("The exchange copied")
    request, answer = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert request[2:] == ["DataTransfer", {"vendorId": "com.example", "data": "needle"}]
    assert answer[:2] == [3, request[1]]
    page.get_by_label("Filter the traffic").fill("")
    page.get_by_label("problems").check()
    playwright.expect(rows(page, "Heartbeat")).to_have_count(0)
    page.get_by_label("problems").uncheck()
    playwright.expect(rows(page, "Heartbeat")).to_have_count(1)
    page.get_by_role("button", name="Hold").click()
    station.do("heartbeat")
    playwright.expect(page.locator("#rows")).to_contain_text("behind")
    playwright.expect(rows(page, "Heartbeat")).to_have_count(1)
    page.get_by_role("button", name="Go on").click()
    playwright.expect(rows(page, "Heartbeat")).to_have_count(2)
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download trace").click()
    assert downloading.value.suggested_filename == "web-1.jsonl"
    path = tmp_path / "trace.jsonl"
    downloading.value.save_as(path)
    lines = path.read_bytes().splitlines()
    reader = TraceFormat(lines[0], "")
    frames = [frame for number, line in enumerate(lines, 1) for frame in reader.read(number, line)]
    assert {"DataTransfer", "Heartbeat", "BootNotification"} <= {frame.action for frame in frames}


def test_errors_are_marked(station: Any, make_page: Any) -> None:
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
    playwright.expect(form.get_by_role("status")).to_contain_text("cannot be read as JSON")
    form.get_by_label("Profile").fill(json.dumps(profile))
    form.get_by_role("button", name="Set charging profile").click()
    playwright.expect(form.get_by_role("status").locator(".bad")).to_contain_text("chargingProfileKind")
    assert form.get_by_label("Profile").input_value() == json.dumps(profile), "what was typed is still there"


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
    playwright.expect(picture).to_have_attribute("aria-label", re.compile("[23] steps"))
    playwright.expect(picture.locator("path.profile")).to_have_count(1)
    playwright.expect(page.locator(".legend")).to_contain_text("5: TxDefaultProfile, level 1")
    page.get_by_text("As a table").click()
    table = page.get_by_role("region", name="Steps of the composite schedule")
    playwright.expect(table.get_by_role("row").nth(1)).to_contain_text(re.compile("10|20"))
    page.get_by_label("Limits of").select_option("0")
    playwright.expect(
        page.get_by_role("img", name=re.compile("Composite schedule of the whole station"))
    ).to_be_visible()
    page.get_by_role("button", name="Remove profile 5").click()
    page.get_by_role("dialog").get_by_role("button", name="Clear charging profiles now").click()
    playwright.expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("1")
    page.keyboard.press("Escape")
    playwright.expect(page.locator("#lists")).to_contain_text("None is installed.")


def test_light_and_dark(station: Any, make_page: Any) -> None:
    found = {}
    for scheme in ("light", "dark"):
        page = make_page(station.url(), color_scheme=scheme)
        status(page, "Available")
        found[scheme] = page.evaluate(CONTRASTS)
        assert found[scheme]["low"] == []
    assert found["light"]["page"] > 200 > 60 > found["dark"]["page"]


CONTRASTS = """() => {
  const channel = (value) => (value /= 255, value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const back = (node) => {
    for (; node; node = node.parentElement) {
      const colour = parse(getComputedStyle(node).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!own || !node.checkVisibility() || node.closest(":disabled, .hidden, dialog:not([open])")) continue;
    const [one, other] = [luminance(parse(getComputedStyle(node).color)), luminance(back(node))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < 4.5) low.push(`${node.tagName}.${node.className} ${node.textContent.slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return { low, page: parse(getComputedStyle(document.body).backgroundColor)[0] };
}"""


@pytest.mark.parametrize("width", [400, 800, 1400])
def test_nothing_is_wider_than_the_window(station: Any, make_page: Any, width: int) -> None:
    page = make_page(station.url(), width=width)
    status(page, "Available")
    station.do("reserve", connector=2, id_tag="A-LONG-ID-TAG-HERE-1", seconds=600, reservation_id=12345)
    station.do("data_transfer", vendor_id="v" * 255, data="x" * 5_000)
    rows(page, "DataTransfer").last.get_by_role("button").click()
    status(page, "Reserved", 2)
    too_wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(too_wide) == 0
    page.keyboard.press("c")
    page.get_by_label("Find a command").fill("local list")
    page.get_by_role("button", name=re.compile("^Local list")).click()
    page.get_by_role("dialog").get_by_role("button", name="Local list").click()
    playwright.expect(page.get_by_role("dialog").get_by_role("status")).not_to_be_empty()
    assert page.evaluate(too_wide) == 0
    assert page.evaluate("document.querySelector('dialog[open]').scrollWidth") <= width
    station.do("cancel_reservation", reservation_id=12345)


def test_by_the_keyboard_alone(station: Any, make_page: Any) -> None:
    page = make_page(station.url())
    status(page, "Available")
    page.keyboard.press("?")
    playwright.expect(page.get_by_role("dialog", name="Keyboard")).to_contain_text("filter the traffic")
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    assert "Plug in" in page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    status(page, "Preparing")
    page.keyboard.press("Tab")
    assert "Present card" in page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    status(page, "Charging")
    page.keyboard.press("1")
    assert "Unplug" in page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    status(page, "Available")
    page.keyboard.press("/")
    page.keyboard.type("StopTransaction p 1 c ?")
    assert page.evaluate("document.activeElement.id") == "filter", "keys do nothing else where something is typed"
    playwright.expect(page.locator("#no-traffic")).to_have_text("Nothing fits the filter.")
    page.keyboard.press("Escape")
    playwright.expect(page.locator("#messages .opener").first).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    assert page.evaluate("document.activeElement.className") == "opener"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    playwright.expect(page.locator(":focus")).to_have_attribute("aria-expanded", "true")
    reached = page.evaluate(REACHABLE)
    assert reached == []
    page.locator("#open-keys").click()
    page.get_by_label("single keys work").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    playwright.expect(page.get_by_role("dialog")).to_have_count(0)


REACHABLE = """() => [...document.querySelectorAll("button, a, input, select, textarea, summary")]
  .filter((node) => node.checkVisibility() && !node.disabled && node.tabIndex < 0).map((node) => node.outerHTML)"""


def test_every_control_has_a_name_and_the_page_its_landmarks(station: Any, make_page: Any) -> None:
    page = make_page(station.url())
    status(page, "Available")
    for role, name in (("banner", None), ("main", None), ("navigation", "Sections")):
        playwright.expect(page.get_by_role(role, name=name) if name else page.get_by_role(role)).to_have_count(1)
    for name in ("Connectors", "Traffic", "Limits ahead", "Waiting", "Counters"):
        playwright.expect(page.get_by_role("region", name=name, exact=True).first).to_be_visible()
    assert page.get_by_role("heading", level=1).inner_text() == "web-1"
    playwright.expect(page.get_by_role("columnheader", name="Answer")).to_be_visible()
    assert page.locator("[aria-live=polite]").count() >= 1
    assert unnamed(page) == []
    page.keyboard.press("c")
    assert unnamed(page) == []
    page.get_by_label("Find a command").fill("plug in")
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^Plug in")).click()
    page.get_by_text("More (").click()
    assert unnamed(page) == []
    assert page.evaluate(DOUBLED) == []
    page.keyboard.press("Escape")
    press(page, "Raise fault")
    status(page, "Faulted")
    playwright.expect(page.locator("#said")).not_to_be_empty()


DOUBLED = """() => [...document.querySelectorAll("[id]")].map((node) => node.id)
  .filter((id, index, all) => all.indexOf(id) !== index)"""


def unnamed(page: Any) -> list[Any]:
    """Controls of the tree that a screen reader is given, without a name."""
    client = page.context.new_cdp_session(page)
    nodes = client.send("Accessibility.getFullAXTree")["nodes"]
    client.detach()
    controls = {
        "button",
        "link",
        "textbox",
        "searchbox",
        "checkbox",
        "combobox",
        "spinbutton",
        "dialog",
        "img",
        "region",
    }
    return [
        node
        for node in nodes
        if not node["ignored"]
        and node.get("role", {}).get("value") in controls
        and not node.get("name", {}).get("value", "").strip()
    ]


def test_a_token_that_is_wrong_is_asked_for(station: Any, make_page: Any) -> None:
    page = make_page(station.url().replace(panel_world.TOKEN, "a-token-of-yesterday-x"), quiet=False)
    dialog = page.get_by_role("dialog", name="Which token?")
    playwright.expect(dialog).to_contain_text("not the token of the program that runs now")
    assert page.locator(".connector").count() == 0
    dialog.get_by_label("Token").fill(panel_world.TOKEN)
    dialog.get_by_role("button").click()
    status(page, "Available")
    assert page.url.endswith(f"#{panel_world.TOKEN}")
    page.reload()
    status(page, "Available")
    assert panel_world.TOKEN not in page.content()


def test_the_network_is_cut_and_comes_back(station: Any, make_page: Any) -> None:
    with panel_world.network(station.port) as way:
        page = make_page(station.url(way.port), quiet=False)
        status(page, "Available")
        way.cut()
        trouble = page.get_by_role("alert")
        playwright.expect(trouble).to_contain_text("does not answer")
        station.do("plug_in", connector=1, plug_after=0)
        station.do("data_transfer", vendor_id="while-away")
        press(page, "Plug in", 2)
        playwright.expect(page.locator("#said")).to_contain_text("does not answer")
        way.mend()
        trouble.get_by_role("button", name="Try now").click()
        status(page, "Preparing")
        playwright.expect(trouble).to_be_hidden()
        playwright.expect(rows(page, "DataTransfer").last).to_contain_text("while-away")
        playwright.expect(page.locator("#messages")).to_contain_text("This page was cut off for")
        assert len(set(page.locator("#messages .time").all_inner_texts())) > 1
        page.context.close()


def test_the_program_is_killed_and_started_again(tmp_path: Path, central_system: Any, make_page: Any) -> None:
    station = panel_world.Station(tmp_path, central_system, "--connectors", "1")
    try:
        page = make_page(station.url(), quiet=False)
        status(page, "Available")
        press(page, "Plug in")
        status(page, "Preparing")
        station.kill()
        playwright.expect(page.get_by_role("alert")).to_contain_text("it was ended, or the network is cut")
        station.start()
        status(page, "Available")
        playwright.expect(page.get_by_role("alert")).to_be_hidden()
        playwright.expect(page.locator("#messages")).to_contain_text("The program was started again.")
        press(page, "Plug in")
        status(page, "Preparing")
        page.context.close()
    finally:
        station.close()


def busy(station: Any, page: Any, seconds: float) -> None:
    """A hundred messages a second; judged by counts, not by time."""
    before = station.ask("/api/state")["last"]
    number = round(seconds * 50)
    for index in range(number):
        station.write("data_transfer", vendor_id="busy", data=str(index))
        if index % 5 == 4:
            time.sleep(0.1)
    for _ in range(round(panel_world.PATIENCE * 10)):
        counters = station.ask("/api/state")["parts"]["counters"]
        if (
            station.ask("/api/state")["parts"]["queue"]["count"] == 0
            and counters["calls_sent"] == counters["calls_answered"]
        ):
            break
        time.sleep(0.1)
    last = station.ask("/api/state")["last"]
    assert last - before >= 2 * number
    page.wait_for_function("(last) => Number(document.getElementById('rows').dataset.total) >= last", arg=last)
    assert page.locator("#messages tr.note").count() == 0, "nothing was missed"
    assert page.evaluate("document.querySelectorAll('#messages tr').length") <= 600
    page.get_by_label("Filter the traffic").fill(f'"{number - 1}"')
    playwright.expect(rows(page, "DataTransfer").last).to_contain_text(f"data:{number - 1}")


def test_a_hundred_messages_a_second(station: Any, make_page: Any) -> None:
    page = make_page(station.url())
    status(page, "Available")
    busy(station, page, 3)


@pytest.mark.soak
def test_a_hundred_messages_a_second_for_a_minute(station: Any, make_page: Any) -> None:
    page = make_page(station.url())
    status(page, "Available")
    busy(station, page, 60)
    heap = page.evaluate("performance.memory?.usedJSHeapSize ?? 0")
    assert heap < 200 * 1024 * 1024
