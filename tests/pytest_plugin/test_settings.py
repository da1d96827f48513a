"""What may be set for a test, and what is said of what may not."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ocpp16 import pytest_plugin as plugin
from ocpp16.pytest_plugin.settings import Settings, checked_url


def test_pytest_finds_the_plugin_by_itself() -> None:
    document = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert document["project"]["entry-points"]["pytest11"] == {"ocpp16": plugin.__name__}
    assert {name for name in vars(plugin) if name.startswith("pytest_")} >= {"pytest_addoption", "pytest_configure"}
    assert "pytest" not in " ".join(document["project"]["dependencies"]), "who tests has it"


def test_the_nearest_has_the_last_word() -> None:
    under = Settings().over("a", {"keys": {"Core": {"A": 1, "B": 1}}, "lint_ignore": ["one"], "timeout": 5})
    settings = under.over("b", {"keys": {"Core": {"B": 2}, "Security": {"C": 3}}, "lint_ignore": ["two"]})
    assert settings.keys == {"Core": {"A": 1, "B": 2}, "Security": {"C": 3}}
    assert settings.lint_ignore == ("one", "two")
    assert settings.timeout == 5.0


def test_ids_are_of_their_own_in_each_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw3")
    assert Settings().identity(7) == "PYTEST-gw3-7"
    monkeypatch.delenv("PYTEST_XDIST_WORKER")
    assert Settings(id="A-{number:03}").identity(7) == "A-007"
    assert Settings(id="CP1").identity(7) == "CP1"
    assert Settings().identity(7) == "PYTEST-main-7"


@pytest.mark.parametrize(
    ("end", "is_async", "in_order"),
    [("auto", True, False), ("auto", False, True), ("in_order", True, True), ("cut", False, False)],
)
def test_how_charge_points_end(end: str, is_async: bool, in_order: bool) -> None:
    assert Settings(end=end).ends_in_order(is_async=is_async) is in_order


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"blueprnt": "x"}, "the marker has no argument blueprnt; did you mean blueprint?"),
        ({"zzz": "x"}, "the marker has no argument zzz; there are id, count, "),
        ({"id": "CP{nummer}"}, "id may have the fields {worker} and {number}, and no others"),
        ({"id": ""}, "id must be a text that is not empty"),
        ({"count": -1}, "count must be a whole number from 0 to 1000, not -1"),
        ({"count": True}, "count must be a whole number"),
        ({"connectors": 0}, "connectors must be a whole number from 1 to 1000, not 0"),
        ({"keys": ["Core"]}, "keys must be sections of keys"),
        ({"keys": {"HeartbeatInterval": 5}}, "'HeartbeatInterval' is none"),
        ({"password": ""}, "password must be a text that is not empty"),
        ({"timeout": 0}, "timeout must be more than 0 and at most 86400 s, not 0"),
        ({"timeout": "soon"}, "timeout must be a number of seconds, not 'soon'"),
        ({"lint": "loud"}, "lint must be error, warning or off, not 'loud'"),
        ({"lint_ignore": "frame"}, "lint_ignore must be a list of names, not 'frame'"),
        ({"end": "never"}, "end must be auto, in_order or cut, not 'never'"),
        ({"certificates": 5}, "certificates must be the path of a folder, not 5"),
    ],
)
def test_what_cannot_be_is_named(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(pytest.UsageError, match=re.escape(told)):
        Settings().over("the marker", changes)


def test_a_password_is_not_told() -> None:
    with pytest.raises(pytest.UsageError) as told:
        Settings().over("the marker", {"password": b"hush"})
    assert "hush" not in str(told.value)


@pytest.mark.parametrize("url", ["http://a/", "a:9000", "", None, 5, b"ws://a/"])
def test_a_url_is_one_of_a_central_system(url: object) -> None:
    with pytest.raises(pytest.UsageError, match="ocpp16_url must be a text that begins with ws:// or wss://"):
        checked_url(url)
    assert checked_url(" ws://a/ ") == "ws://a/"
