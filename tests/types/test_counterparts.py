"""Types that are written down beside what they are of: neither lags behind the other."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ocpp16 import observer, station
from ocpp16.charge_point import open as doors
from ocpp16.fleet import fleet
from ocpp16.hosts import arguments
from ocpp16.pytest_plugin.charge_points import ChargePoint
from ocpp16.security import evse_security
from ocpp16.simulation.command_table import COMMANDS

PACKAGE = Path(inspect.getfile(doors)).parents[1]
VERBS = PACKAGE / "pytest_plugin" / "verbs.pyi"


def parsed(module: Any) -> ast.Module:
    return ast.parse(Path(inspect.getfile(module)).read_text())


def named(tree: ast.Module, name: str) -> Any:
    return next(node for node in tree.body if getattr(node, "name", None) == name)


def plain(annotation: ast.expr | None) -> str:
    """The annotation without quotes."""
    assert annotation is not None
    text = ast.unparse(annotation)
    return text.strip("'\"")


def asked(arguments: ast.arguments) -> list[tuple[str, str]]:
    return [(it.arg, plain(it.annotation)) for it in [*arguments.args[1:], *arguments.kwonlyargs]]


@pytest.mark.parametrize(
    ("module", "function", "types"),
    [
        (doors, "open_charge_point", "Arguments"),
        (doors, "open_charge_points", "ManyArguments"),
        (fleet, "open_fleet", "FleetArguments"),
    ],
)
def test_arguments_of_asyncio(module: Any, function: str, types: str) -> None:
    given = named(parsed(module), function).args.kwonlyargs
    written = [node for node in named(parsed(arguments), types).body if isinstance(node, ast.AnnAssign)]
    assert [(ast.unparse(node.target), plain(node.annotation)) for node in written] == [
        (it.arg, plain(it.annotation).replace("Observer", "AsyncioObserver").replace("EvseSecurity", "HostSecurity"))
        for it in given
    ]


def methods(node: ast.ClassDef) -> Iterator[tuple[str, list[tuple[str, str]], str, bool]]:
    for it in node.body:
        if isinstance(it, ast.FunctionDef | ast.AsyncFunctionDef):
            yield it.name, asked(it.args), plain(it.returns), isinstance(it, ast.AsyncFunctionDef)


@pytest.mark.parametrize(
    ("module", "name", "types"),
    [
        (station, "CoreStation", "AsyncioStation"),
        (observer, "Observer", "AsyncioObserver"),
        (evse_security, "EvseSecurity", "HostSecurity"),
    ],
)
def test_what_asyncio_is_asked(module: Any, name: str, types: str) -> None:
    """Awaited or at once, where it is not plain in trio, too; what is not used may be anything."""
    expected = [
        (method, given, f"Awaitable[{result}] | {result}" if is_async and result != "object" else result, False)
        for method, given, result, is_async in methods(named(parsed(module), name))
    ]
    assert list(methods(named(parsed(arguments), types))) == expected


def test_verbs_of_the_plugin() -> None:
    """Names, order and defaults of arguments, and what is given, are those of the table of commands."""
    verbs = {it.name: it for it in named(ast.parse(VERBS.read_text()), "Verbs").body if isinstance(it, ast.FunctionDef)}
    made = {name for name in COMMANDS if hasattr(ChargePoint, name)}
    assert set(verbs) == made
    for name, verb in verbs.items():
        command = COMMANDS[name]
        parameters = inspect.signature(getattr(ChargePoint, name)).parameters
        assert [it.arg for it in verb.args.args] == list(parameters), name
        defaults = [it.default for it in parameters.values() if it.default is not inspect.Parameter.empty]
        written = [None if ast.unparse(it) == "..." else ast.literal_eval(it) for it in verb.args.defaults]
        assert written == [it if isinstance(it, int | float | str) else None for it in defaults], name
        result = inspect.signature(command.handler).return_annotation
        told = "None" if result is None else getattr(result, "__name__", str(result))
        told = told if "[" not in str(result) else str(result).replace("typing.", "")
        assert plain(verb.returns) == ("Any" if command.is_deferred else told), name
