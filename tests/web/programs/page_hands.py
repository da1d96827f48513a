"""How a person works the page: what they see of a connector, press, and read."""

from typing import Any

import panel_world
from playwright.sync_api import expect

expect.set_options(timeout=panel_world.PATIENCE * 1000)


def card(page: Any, connector: int = 1) -> Any:
    return page.get_by_role("article", name=f"Connector {connector}")


def status(page: Any, text: str, connector: int = 1) -> None:
    expect(card(page, connector).locator(".state")).to_contain_text(text)


def press(page: Any, name: str, connector: int = 1) -> None:
    card(page, connector).get_by_role("button", name=name).click()


def rows(page: Any, action: str) -> Any:
    return page.locator("#messages tr.exchange", has=page.get_by_role("button", name=action, exact=True))
