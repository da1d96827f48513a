"""What is set for a test: by its marker, else in the ini file or on the command line, else by default.

    @pytest.mark.ocpp16(blueprint="ac-22kw-twin", keys={"Core": {"MeterValueSampleInterval": 1}}, lint="off")

Nothing of the library is imported here: options are read in every run of pytest, also where no test asks for a fixture.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import Any, Final

import pytest

MARKER: Final = "ocpp16"
LINT_LEVELS: Final = ("error", "warning", "off")
ENDS: Final = ("auto", "in_order", "cut")
MOST_CHARGE_POINTS: Final = 1_000
LONGEST_TIMEOUT: Final = 86_400.0
DEFAULT_TIMEOUT: Final = 30.0
DEFAULT_ID: Final = "PYTEST-{worker}-{number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One test's; the names are those of the marker's arguments, and of `Fleet.add`."""

    id: str = DEFAULT_ID
    """A format with the fields `worker` and `number`, or without them the id itself."""
    count: int | None = None
    """Charge points that `fleet` begins with."""
    blueprint: Any = "ac-22kw"
    connectors: int | None = None
    keys: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    password: str | None = None
    certificates: str | Path | None = None
    timeout: float = DEFAULT_TIMEOUT
    """Seconds that each wait takes at most."""
    lint: str = "error"
    lint_ignore: tuple[str, ...] = ()
    end: str = "auto"

    def over(self, place: str, changes: Mapping[str, Any]) -> "Settings":
        """With these changes, each checked. Raises pytest.UsageError that names `place` and the argument."""
        known = [one.name for one in fields(self)]
        for name in changes:
            if name not in known:
                close = get_close_matches(str(name), known, n=1)
                hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known)}"
                raise pytest.UsageError(f"{place} has no argument {name}{hint}")
        checked = {}
        for name, value in changes.items():
            try:
                checked[name] = _CHECKS[name](value)
            except ValueError as error:
                raise pytest.UsageError(f"{place}: {name} {error}") from None
        if "keys" in checked:
            checked["keys"] = {
                section: {**self.keys.get(section, {}), **checked["keys"].get(section, {})}
                for section in [*self.keys, *(one for one in checked["keys"] if one not in self.keys)]
            }
        if "lint_ignore" in checked:
            checked["lint_ignore"] = (*self.lint_ignore, *checked["lint_ignore"])
        return replace(self, **checked)

    def ends_in_order(self, *, is_async: bool) -> bool:
        """Or are connections cut off, as when the power fails? is_async: the test runs in a loop."""
        return not is_async if self.end == "auto" else self.end == "in_order"

    def identity(self, number: int) -> str:
        """The id of the charge point of this number in this process."""
        return self.id.format(worker=worker(), number=number)


def worker() -> str:
    """The process of pytest-xdist, as gw0; without it "main"."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def of_config(config: pytest.Config) -> Settings:
    """As ini file and command line say. Raises pytest.UsageError."""
    changes: dict[str, Any] = {}
    for name, option in _OPTIONS.items():
        value = config.getoption(option, default=None) if option else None
        place = f"--{option.replace('_', '-')}" if option and value is not None else f"ini option {MARKER}_{name}"
        if value is None:
            value = config.getini(f"{MARKER}_{name}") or None
        if value is not None:
            changes[name] = (place, value)
    settings = Settings()
    for name, (place, value) in changes.items():
        settings = settings.over(place, {name: _number(value) if name == "timeout" else value})
    return settings


def of_item(node: pytest.Item | pytest.Collector, config: pytest.Config) -> Settings:
    """Of a test, or of the module or session that a fixture is for: the nearest marker has the last word."""
    settings = of_config(config)
    for marker in reversed(list(node.iter_markers(MARKER))):
        if marker.args:
            raise pytest.UsageError(f"the marker {MARKER} takes arguments by name only, as in id={marker.args[0]!r}")
        settings = settings.over(f"the marker {MARKER}", marker.kwargs)
    return settings


def url_of(config: pytest.Config) -> str:
    """The Central System under test. Raises pytest.UsageError where nobody has said."""
    url = config.getoption("ocpp16_url", default=None) or config.getini("ocpp16_url")
    if not url:
        raise pytest.UsageError(
            "which Central System is to be tested? Say so by --ocpp16-url=ws://…, by ocpp16_url in the ini file,"
            " or by a fixture ocpp16_url of your own that returns the URL"
        )
    return str(url)


def checked_url(url: object) -> str:
    """What the fixture `ocpp16_url` gave. Raises pytest.UsageError for what is no URL of a Central System."""
    if not isinstance(url, str) or not url.strip().lower().startswith(("ws://", "wss://")):
        kind = f"a {type(url).__name__}" if not isinstance(url, str) else repr(url.partition("://")[0][:40])
        raise pytest.UsageError(f"ocpp16_url must be a text that begins with ws:// or wss://, not {kind}")
    return url.strip()


_OPTIONS: Final[Mapping[str, str]] = {
    "timeout": "ocpp16_timeout",
    "lint": "ocpp16_lint",
    "id": "",
    "blueprint": "",
    "password": "",
    "certificates": "",
    "lint_ignore": "",
    "end": "",
}
"""What can be set for all tests → its option of the command line, if there is one."""


def add_options(parser: pytest.Parser) -> None:
    """Those of the command line, and of the ini file."""
    group = parser.getgroup("ocpp16", "charge points for tests of a Central System")
    group.addoption("--ocpp16-url", metavar="URL", help="the Central System under test, as ws://127.0.0.1:9000/ocpp")
    group.addoption("--ocpp16-timeout", metavar="SECONDS", help="the longest that anything is waited for (30)")
    group.addoption("--ocpp16-lint", metavar="LEVEL", help="what fails a test: error, warning (these too), off")
    group.addoption("--ocpp16-trace-dir", metavar="DIR", help="write traffic of failed tests here (trace format 1.1)")
    parser.addini("ocpp16_url", "URL of the Central System under test")
    parser.addini("ocpp16_timeout", "seconds that anything is waited for at most (30)")
    parser.addini("ocpp16_lint", "which findings in the traffic fail a test: error, warning (these too), off")
    parser.addini("ocpp16_lint_ignore", "rules of the linter that do not count", type="args")
    parser.addini("ocpp16_id", f"ids of charge points, a format with worker and number ({DEFAULT_ID})")
    parser.addini("ocpp16_blueprint", "what a charge point is made of (ac-22kw)")
    parser.addini("ocpp16_password", "AuthorizationKey of all charge points")
    parser.addini("ocpp16_certificates", "folder whose ca/csms is trusted for wss://", type="string")
    parser.addini("ocpp16_end", "how charge points end: auto, in_order, cut")


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"must be a text that is not empty, not {value!r}")
    return value


def _id(value: Any) -> str:
    text = _text(value)
    try:
        text.format(worker="gw0", number=1)
    except (ValueError, LookupError, AttributeError):
        raise ValueError(f"may have the fields {{worker}} and {{number}}, and no others: {text!r}") from None
    return text


def _password(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("must be a text that is not empty")
    return value


def _whole(low: int, high: int) -> Any:
    def check(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}, not {value!r}")
        return value

    return check


def _number(value: str) -> Any:
    try:
        return float(value)
    except ValueError:
        return value


def patience(timeout: float | None, usual: float) -> float:
    """Seconds of one wait; None: the usual. Raises ValueError that names the argument."""
    if timeout is None:
        return usual
    try:
        return seconds(timeout)
    except ValueError as error:
        raise ValueError(f"timeout {error}") from None


def seconds(value: Any) -> float:
    """Of a wait. Raises ValueError."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value):
        raise ValueError(f"must be a number of seconds, not {value!r}")
    if not 0 < value <= LONGEST_TIMEOUT:
        raise ValueError(f"must be more than 0 and at most {LONGEST_TIMEOUT:g} s, not {value!r}")
    return float(value)


def _keys(value: Any) -> Mapping[str, Mapping[str, Any]]:
    if not isinstance(value, Mapping):
        raise ValueError(f'must be sections of keys, as {{"Core": {{"HeartbeatInterval": 5}}}}, not {value!r}')
    for section, keys in value.items():
        if not isinstance(section, str) or not isinstance(keys, Mapping):
            raise ValueError(f'must be sections of keys, as {{"Core": {{{section!r}: …}}}}; {section!r} is none')
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"must be a list of names, not {value!r}")
    return tuple(value)


def _one_of(*words: str) -> Any:
    def check(value: Any) -> str:
        if value not in words:
            raise ValueError(f"must be {', '.join(words[:-1])} or {words[-1]}, not {value!r}")
        return str(value)

    return check


def _path(value: Any) -> str | Path:
    if not isinstance(value, str | Path) or not str(value):
        raise ValueError(f"must be the path of a folder, not {value!r}")
    return value


_CHECKS: Final[Mapping[str, Any]] = {
    "id": _id,
    "count": _whole(0, MOST_CHARGE_POINTS),
    "blueprint": lambda value: value,  # the library knows them
    "connectors": _whole(1, 1_000),
    "keys": _keys,
    "password": _password,
    "certificates": _path,
    "timeout": seconds,
    "lint": _one_of(*LINT_LEVELS),
    "lint_ignore": _texts,
    "end": _one_of(*ENDS),
}
