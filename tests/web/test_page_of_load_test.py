"""The page of a load test in a browser: figures, pictures, the charge points as squares, and one opened in place."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import panel_world
import pytest

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (extra test)")

from page_hands import press, rows, status
from playwright.sync_api import expect

pytestmark = [pytest.mark.world, pytest.mark.timeout(600)]


@contextmanager
def running(folder: Path, central_system: Any, *options: str) -> Iterator[panel_world.LoadTest]:
    test = panel_world.LoadTest(folder, central_system, *options, count=30, seconds=600)
    try:
        yield test
    finally:
        test.close()


def test_figures_squares_and_one_in_place(tmp_path: Path, central_system: Any, make_page: Any) -> None:
    with running(tmp_path, central_system, "--threshold", "BootNotification.count == 30") as test:
        page = make_page(test.url, quiet=False)
        failures: list[str] = []
        page.on("pageerror", lambda error: failures.append(str(error)))
        expect(page.get_by_role("heading", name="Load test: story")).to_be_visible()
        expect(page.locator("#number-connected")).to_have_text("30 of 30")
        expect(page.locator("#number-accepted")).to_have_text("30")
        for name in ("Latency of all calls", "Calls answered in a second", "Charge points"):
            expect(page.get_by_role("img", name=re.compile(f"^{name}, in the last second"))).to_be_visible()
        expect(page.get_by_role("row", name=re.compile("^BootNotification 30 0 0 0 .*ms"))).to_be_visible()
        expect(page.locator("#thresholds")).to_contain_text("Met: BootNotification.count == 30")
        expect(page.locator("#states")).to_have_text("30 Available")
        page.get_by_role("combobox", name="Latency of").select_option("BootNotification")
        expect(page.get_by_role("img", name=re.compile("^Latency of BootNotification, in"))).to_be_visible()
        assert page.locator("#mosaic").evaluate("canvas => canvas.width * canvas.height") > 0

        page.locator("#mosaic").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        expect(page.locator("#chosen")).to_have_text("CP00002: Available")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="CP00002")).to_be_visible()
        expect(page.get_by_text("since it was opened here")).to_be_visible()
        status(page, "Available")
        press(page, "Plug in")
        status(page, "Preparing")
        expect(rows(page, "StatusNotification").last.locator(".chip")).to_have_text("OK")
        expect(page.locator("tr.event").last).to_contain_text("status · connector 1 · status Preparing")
        page.get_by_role("link", name="Load test").click()
        expect(page.locator("#states")).to_contain_text("29 Available")
        expect(page.locator("#states")).to_contain_text("1 Preparing")

        page.get_by_label("Charge point", exact=True).fill("CP00007")
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_role("heading", name="CP00007")).to_be_visible()
        page.get_by_role("link", name="Load test").click()
        page.get_by_label("Charge point", exact=True).fill("nobody")
        page.get_by_role("button", name="Open").click()
        expect(page.locator("#trouble")).to_contain_text("nobody is not in this load test")
        page.get_by_role("link", name="Load test").click()
        expect(page.locator("#number-connected")).to_have_text("30 of 30")
        assert test.interrupt() == 130
        expect(page.locator("#trouble")).to_contain_text("ended: the test is not complete: interrupted")
        expect(page.locator("#badges")).to_contain_text("incomplete")
        assert failures == []


def test_several_processes_and_a_narrow_dark_screen(tmp_path: Path, central_system: Any, make_page: Any) -> None:
    with running(tmp_path, central_system, "--processes", "2") as test:
        page = make_page(test.url, width=400, color_scheme="dark", quiet=False)
        expect(page.locator("#number-connected")).to_have_text("30 of 30")
        expect(page.locator("#csms")).to_contain_text("2 processes")
        expect(page.locator("#elsewhere")).to_contain_text("in other processes")
        expect(page.locator("#squares")).to_be_hidden()
        expect(page.get_by_role("button", name="Open")).to_be_hidden()
        expect(page.get_by_role("img", name=re.compile("^Latency of all calls"))).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
