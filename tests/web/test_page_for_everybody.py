"""The page for whoever looks: light and dark, narrow, by the keyboard, by the names a screen reader hears."""

import re
from itertools import pairwise
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (extra test)")

from page_hands import press, rows, status
from playwright.sync_api import expect

pytestmark = [pytest.mark.world, pytest.mark.timeout(600)]


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
    expect(page.get_by_role("dialog").get_by_role("status")).not_to_be_empty()
    assert page.evaluate(too_wide) == 0
    assert page.evaluate("document.querySelector('dialog[open]').scrollWidth") <= width
    station.do("cancel_reservation", reservation_id=12345)


def test_by_the_keyboard_alone(station: Any, make_page: Any) -> None:
    page = make_page(station.url())
    status(page, "Available")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_contain_text("filter the traffic")
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
    expect(page.locator("#no-traffic")).to_have_text("Nothing fits the filter.")
    page.keyboard.press("Escape")
    expect(page.locator("#messages .opener").first).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    assert page.evaluate("document.activeElement.className") == "opener"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator(":focus")).to_have_attribute("aria-expanded", "true")
    reached = page.evaluate(REACHABLE)
    assert reached == []
    page.locator("#open-keys").click()
    page.get_by_label("single keys work").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    expect(page.get_by_role("dialog")).to_have_count(0)


REACHABLE = """() => [...document.querySelectorAll("button, a, input, select, textarea, summary")]
  .filter((node) => node.checkVisibility() && !node.disabled && node.tabIndex < 0).map((node) => node.outerHTML)"""


def test_every_control_has_a_name_and_the_page_its_landmarks(station: Any, make_page: Any) -> None:
    page = make_page(station.url())
    status(page, "Available")
    for role, name in (("banner", None), ("main", None), ("navigation", "Sections")):
        expect(page.get_by_role(role, name=name) if name else page.get_by_role(role)).to_have_count(1)
    for name in ("Connectors", "Traffic", "Limits ahead", "Waiting", "Counters"):
        expect(page.get_by_role("region", name=name, exact=True).first).to_be_visible()
    assert page.get_by_role("heading", level=1).inner_text() == "web-1"
    expect(page.get_by_role("columnheader", name="Answer")).to_be_visible()
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
    expect(page.locator("#said")).not_to_be_empty()


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


@pytest.mark.parametrize("width", [400, 900, 1400])
@pytest.mark.parametrize("span", ["24 hours", "7 days"])
def test_times_under_the_limits_ahead_can_be_read(station: Any, make_page: Any, width: int, span: str) -> None:
    page = make_page(station.url(), width=width)
    status(page, "Available")
    page.get_by_label("Limits for").select_option(label=span)
    time = r"^\w{3} \d\d:\d\d$" if span == "7 days" else r"^\d\d:\d\d$"
    whole, boxes = page.wait_for_function(BOXES, arg=time).json_value()
    assert len(boxes) >= 2
    assert all(left[1] + 4 <= right[0] for left, right in pairwise(boxes)), boxes
    assert whole[0] <= boxes[0][0]
    assert boxes[-1][1] <= whole[1]


def test_there_are_times_to_read_at_each_hour(station: Any, make_page: Any) -> None:
    """Labels are at full hours and midnights, so where they lie depends on when it is; no two lie over each other."""
    page = make_page(station.url())
    status(page, "Available")
    found = page.evaluate(LABELS)
    assert len(found) > 1000
    for duration, start, width, places in found:
        assert len(places) >= 2, (duration, start, width)
        room = 66 if duration > 172_800 else 44
        assert all(left + room <= right for left, right in pairwise(places)), (duration, start, width, places)


LABELS = """async () => {
    const script = [...document.querySelectorAll("script[src]")].map((node) => node.src)[0];
    const { times } = await import(new URL("schedule.js", script));
    const found = [];
    const choices = [...document.querySelectorAll("#schedule-duration option")];
    for (const duration of choices.map((node) => Number(node.value)))
        for (let minute = 0; minute < 1440; minute += 23)
            for (const width of [280, 336, 500, 800, 1200]) {
                const start = 1767225600000 + minute * 60000;
                const places = times({ duration, start }, width).map(([second]) => (second / duration) * width);
                found.push([duration, start, width, places]);
            }
    return found;
}"""
"""Where the labels of an axis lie, in pixels, for each choice of how far ahead, all day, at several widths."""


BOXES = """(time) => {
    const picture = document.querySelector("svg[aria-label^='Composite schedule']");
    const box = (node) => { const {left, right} = node.getBoundingClientRect(); return [left, right]; };
    const all = [...(picture?.querySelectorAll("text") ?? [])];
    const texts = all.filter((text) => new RegExp(time).test(text.textContent));
    return texts.length ? [box(picture), texts.map(box)] : null;
}"""
"""Where the picture of limits begins and ends from left to right, and its texts of this form, once there are any: all
at one moment, for it is drawn anew now and then."""
