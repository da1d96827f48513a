"""What a host is told of calls and frames: in order, and of a host that is slow a bounded part."""

from functools import partial
from typing import Any

import pytest

from ocpp16.hosts import listener
from ocpp16.hosts.listener import Listener


class Slow:
    """A world that comes to nothing before it is let."""

    takes_coroutines = False

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.errors: list[str] = []
        self.log: Any = self

    def error(self, text: str, *arguments: Any, **more: Any) -> None:
        self.errors.append(text % arguments)

    def tell(self, about: Any, function: Any, *arguments: Any) -> None:
        self.told.append(partial(function, *arguments))

    def come_to_it(self) -> None:
        while self.told:
            self.told.pop(0)()


def test_a_listener_that_is_slow_is_told_a_bounded_part_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "MOST_UNTOLD", 4_000)
    monkeypatch.setattr(listener, "PORTION", 3)
    world, heard = Slow(), []
    tell = Listener(world, lambda text: heard.append(text), "frames")  # type: ignore[arg-type]
    for number in range(30):
        tell(f"{number:300}")
    assert len(world.told) == 1
    world.come_to_it()
    assert [int(text) for text in heard] == list(range(8))
    assert world.errors == ["frames of the host is too slow: 22 were left out"]
    tell("30")
    world.come_to_it()
    assert heard[-1] == "30"


def test_a_listener_that_raises_is_told_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    world, heard = Slow(), []

    def hear(text: str) -> None:
        heard.append(text)
        if text == "a":
            raise RuntimeError("oops")
        if text == "b":
            raise SystemExit(1)

    tell = Listener(world, hear, "frames")  # type: ignore[arg-type]
    for text in "abc":
        tell(text)
    with pytest.raises(SystemExit):
        world.come_to_it()
    world.come_to_it()
    assert heard == ["a", "b", "c"]
    assert "oops" in world.errors[0]
