"""The page when something is wrong: the token, the network, the program; and when much happens."""

import time
from pathlib import Path
from typing import Any

import panel_world
import pytest

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (extra test)")

from page_hands import press, rows, status
from playwright.sync_api import expect

pytestmark = [pytest.mark.world, pytest.mark.timeout(600)]


def test_a_token_that_is_wrong_is_asked_for(station: Any, make_page: Any) -> None:
    page = make_page(station.url().replace(panel_world.TOKEN, "a-token-of-yesterday-x"), quiet=False)
    dialog = page.get_by_role("dialog", name="Which token?")
    expect(dialog).to_contain_text("not the token of the program that runs now")
    assert page.locator(".connector").count() == 0
    dialog.get_by_label("Token").fill(panel_world.TOKEN)
    dialog.get_by_role("button").click()
    status(page, "Available")
    assert page.url.endswith(f"#{panel_world.TOKEN}")
    page.reload()
    status(page, "Available")
    assert panel_world.TOKEN not in page.content()
    page = make_page(station.url().replace(panel_world.TOKEN, "%E0%A4%A-is-no-encoding"), quiet=False)
    expect(page.get_by_role("dialog", name="Which token?")).to_contain_text(
        "not the token of the program that runs now"
    )


def test_a_code_is_changed_for_the_token(station: Any, make_page: Any) -> None:
    """As --open starts a browser; one whose code was used already asks for the token."""
    address = station.url().partition("#")[0]
    page = make_page(f"{address}#once:a-code-that-was-used", quiet=False)
    expect(page.get_by_role("dialog", name="Which token?")).to_be_visible()
    assert "once:" not in page.url
    asked: list[str] = []

    def answered(route: Any) -> None:
        asked.append(f"{route.request.method} {route.request.headers['authorization']}")
        route.fulfill(status=200, body=panel_world.TOKEN)

    page.route("**/api/token", answered)
    page.goto("about:blank")
    page.goto(f"{address}#once:a-code-of-these-tests")
    status(page, "Available")
    assert page.url.endswith(f"#{panel_world.TOKEN}")
    assert asked == ["POST Bearer a-code-of-these-tests"]


HIDDEN = """
    window.isSeen = true;
    Object.defineProperty(document, "hidden", {get: () => !window.isSeen});
    window.see = (isSeen) => { window.isSeen = isSeen; document.dispatchEvent(new Event("visibilitychange")); };
"""
"""In a browser without a screen each page is seen; this is what a tab behind others is told."""


def test_pages_that_nobody_sees_make_room_for_others(station: Any, make_page: Any) -> None:
    """A browser has six connections to a program, and each page takes one."""
    first = make_page(station.url())
    first.context.add_init_script(HIDDEN)
    first.reload()
    status(first, "Available")
    pages = [first]
    for _ in range(6):
        pages[-1].evaluate("see(false)")
        pages.append(first.context.new_page())
        pages[-1].goto(station.url())
    last = pages[-1]
    status(last, "Available")
    expect(last.get_by_role("alert")).to_be_hidden()
    press(last, "Plug in")
    status(last, "Preparing")
    station.do("data_transfer", vendor_id="while-nobody-saw-it")
    told = rows(last, "DataTransfer").filter(has_text="while-nobody-saw-it")
    expect(told).to_have_count(1)
    last.evaluate("see(false)")
    for page in pages[:-1]:  # each of them once more, whoever gave way before
        page.evaluate("see(true)")
        status(page, "Preparing")
        expect(rows(page, "DataTransfer").filter(has_text="while-nobody-saw-it")).to_have_count(1)
        expect(page.get_by_role("alert")).to_be_hidden()
        expect(page.locator("#messages")).not_to_contain_text("cut off")
        page.evaluate("see(false)")


def test_a_request_that_is_never_answered_is_a_problem(station: Any, central_system: Any, make_page: Any) -> None:
    page = make_page(station.url())
    status(page, "Available")
    page.get_by_role("button", name="Clear", exact=True).click()
    with central_system.standing_still():
        station.do("heartbeat")
        expect(rows(page, "Heartbeat").locator(".chip")).to_have_text("waiting …")
        station.do("drop")
    station.do("connect")
    page.get_by_label("problems").check()
    try:
        expect(rows(page, "Heartbeat").first.locator(".chip")).to_have_text("no answer")
    finally:
        page.get_by_label("problems").uncheck()


def test_the_network_is_cut_and_comes_back(station: Any, make_page: Any) -> None:
    with panel_world.network(station.port) as way:
        page = make_page(station.url(way.port), quiet=False)
        status(page, "Available")
        way.cut()
        trouble = page.get_by_role("alert")
        expect(trouble).to_contain_text("does not answer")
        station.do("plug_in", connector=1, plug_after=0)
        station.do("data_transfer", vendor_id="while-away")
        press(page, "Plug in", 2)
        expect(page.locator("#said")).to_contain_text("does not answer")
        trouble.get_by_role("button", name="Try now").click()
        expect(trouble).to_contain_text("does not answer")
        way.mend()  # and it comes back by itself
        status(page, "Preparing")
        expect(trouble).to_be_hidden()
        expect(rows(page, "DataTransfer").last).to_contain_text("while-away")
        expect(page.locator("#messages")).to_contain_text("This page was cut off for")
        assert len(set(page.locator("#messages .time").all_inner_texts())) > 1
        page.context.close()


def test_a_large_station_whose_program_is_killed_and_started_again(
    tmp_path: Path, central_system: Any, make_page: Any
) -> None:
    station = panel_world.Station(tmp_path, central_system, "--connectors", "20")
    try:
        page = make_page(station.url(), quiet=False)
        mosaic = page.get_by_role("group", name="Choose a connector")
        expect(mosaic.get_by_role("button")).to_have_count(20)
        status(page, "Available")
        mosaic.get_by_role("button", name="Connector 16: Available").click()
        page.keyboard.press("End")
        page.keyboard.press("ArrowLeft")
        expect(mosaic.get_by_role("button", name="Connector 19: Available", pressed=True)).to_be_focused()
        assert mosaic.evaluate("group => [...group.children].filter((tile) => tile.tabIndex === 0).length") == 1
        page.keyboard.press("Home")
        for _ in range(16):
            page.keyboard.press("ArrowRight")
        press(page, "Plug in", 17)
        status(page, "Preparing", 17)
        expect(mosaic.get_by_role("button", name="Connector 17: Preparing", pressed=True)).to_be_visible()
        states = page.get_by_role("list", name="Connectors by state").get_by_role("listitem")
        expect(states).to_have_text(["19 Available", "1 Preparing"])
        expect(page.get_by_role("article")).to_have_count(1)
        station.kill()
        expect(page.get_by_role("alert")).to_contain_text("it was ended, or the network is cut")
        station.start()
        status(page, "Available")
        expect(page.get_by_role("alert")).to_be_hidden()
        expect(page.locator("#messages")).to_contain_text("The program was started again.")
        expect(mosaic.get_by_role("button", name="Connector 17: Available")).to_be_visible()
        expect(states).to_have_text(["20 Available"])
        press(page, "Plug in")
        status(page, "Preparing")
        station.process.terminate()
        expect(page.get_by_role("alert")).to_contain_text("The program has ended: SIGTERM")
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
    expect(rows(page, "DataTransfer").last).to_contain_text(f"data:{number - 1}")


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
