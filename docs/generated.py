"""What pages show of tables in the code: made when the pages are built, so that nothing is written twice.

A page has a line `<!-- generated: NAME -->` where the text of that name in `TEXTS` is to stand; `expanded` puts it
there. conf.py calls it for each page, and so do the tests that look for what has to be on them.
"""

import inspect
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from functools import partial
from pathlib import Path
from textwrap import indent
from typing import Any, Final

import click
from pictures import layers, states
from sphinx.pycode import ModuleAnalyzer

from ocpp16 import observer, station
from ocpp16.charge_point.charge_point import ChargePoint
from ocpp16.charge_point.events import StationEvents
from ocpp16.cli.command_line import root
from ocpp16.load.exporter import LoadCollector
from ocpp16.load.html import page
from ocpp16.load.results import Results
from ocpp16.messages.actions import ACTIONS, CARRIED, Action, Carried
from ocpp16.metrics.prometheus import ChargePointCollector
from ocpp16.state.connector_table import TRANSITIONS, TRANSITIONS_ZERO, ConnectorEvent, Table

ROOT: Final = Path(__file__).resolve().parents[1]
PACKAGE: Final = ROOT / "ocpp16"
SCHEMAS: Final = ROOT / "share" / "message_schemas"
LAYERING: Final = ROOT / "tests" / "source" / "layering.toml"
LOAD_RESULTS: Final = ROOT / "docs" / "examples" / "tester" / "load.json"
"""Of the load test of the tutorial, as it was measured."""

PROFILES: Final = (
    "Core",
    "FirmwareManagement",
    "LocalAuthListManagement",
    "RemoteTrigger",
    "Reservation",
    "SmartCharging",
    "Security",
    "ISO15118PnC",
    "CaliforniaPricing",
)
FOR_ALL: Final = frozenset({"--verbose", "--log-level", "--help"})
"""Options that every command has."""
LISTED: Final = ("load", "proxy", "replay", "everest-module")
"""Commands with a page of their own: the command line lists their options as they are, those of others in words."""
SIDES: Final = {"ChargePoint": "the charge point", "CentralSystem": "the Central System", "both": "either side"}

_DOCSTRING: Final = re.compile(r'(?:#.*\n|\s)*"""(.+?)"""', re.DOTALL)
_FIRST: Final = re.compile(r"\.(?=\s|$)|\n\n")
_PLACE: Final = re.compile(r"^( *)<!-- generated: ([\w -]+) -->$", re.MULTILINE)


def expanded(text: str) -> str:
    """The page with all that is generated on it. Raises KeyError for a name that there is not."""
    return _PLACE.sub(lambda found: indent(TEXTS[found[2]](), found[1]), text)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """As Markdown has it; a cell's line breaks and bars are made harmless."""
    lines = [list(head)]
    lines += ([_cell(cell) for cell in row] for row in rows)
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


# Messages


def messages() -> str:
    """A section for each feature profile, with two tables for each message, and at last all enumerations."""
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(SCHEMAS.glob("*.json"))]
    if {document["x-profile"] for document in documents} != set(PROFILES):
        raise AssertionError("PROFILES does not name those of share/message_schemas")
    definitions = {name: schema for document in documents for name, schema in document["definitions"].items()}
    parts = [part for profile in PROFILES for part in _profile(profile, definitions)]
    parts += ["## Enumerations", "Values are compared with regard to case."]
    for name, schema in sorted(one for one in definitions.items() if "enum" in one[1]):
        parts += [f"({_anchor(name)})=", f"### {name}", ", ".join(f"`{value}`" for value in schema["enum"])]
    return "\n\n".join(parts)


def _profile(profile: str, definitions: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {profile}"
    messages: list[Action | Carried] = [*ACTIONS.values(), *CARRIED.values()]
    for action in (one for one in messages if one.profile == profile):
        request, response = definitions[f"{action.name}Request"], definitions[f"{action.name}Response"]
        yield f"### {action.name}"
        said = [request.get("description", ""), f"Asked by {SIDES[action.initiator]}."]
        if action.name in CARRIED:
            carried = CARRIED[action.name]
            said.append(f"Carried in DataTransfer: `{carried.vendor_id}`, `{carried.message_id}`.")
        elif ACTIONS[action.name].transaction_related:
            said.append("Kept in order, and sent until it is answered.")
        yield " ".join(filter(None, said))
        for what, schema in (("Request", request), ("Response", response)):
            rows = list(_members(schema, definitions, ""))
            empty = f"**{what}**: no members."
            yield f"**{what}**\n\n{table(('Member', 'Type', 'Needed', 'Bounds'), rows)}" if rows else empty


def _members(schema: Mapping[str, Any], definitions: Mapping[str, Any], before: str) -> Iterator[tuple[str, ...]]:
    for name, member in schema.get("properties", {}).items():
        found, path, bounds = _resolved(member, definitions), f"{before}{name}", []
        while found.get("type") == "array":
            bounds += _bounds(found)
            found, path = _resolved(found["items"], definitions), f"{path}[]"
        is_needed = "yes" if name in schema.get("required", ()) else "no"
        default = [f"`{member['default']}` where it is absent"] if "default" in member else []
        yield f"`{path}`", _type(found), is_needed, "; ".join(bounds + _bounds(found) + default)
        yield from _members(found, definitions, f"{path}.")


def _resolved(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return dict(schema)
    name = schema["$ref"].rpartition("/")[2]
    return {**definitions[name], "name": name}


def _type(schema: Mapping[str, Any]) -> str:
    if "enum" in schema and "name" in schema:
        return f"[{schema['name']}](#{_anchor(schema['name'])})"
    return {"date-time": "date-time", "uri": "URI"}.get(schema.get("format", ""), str(schema.get("type", "any")))


def _anchor(name: str) -> str:
    return f"enumeration-{name.lower().replace('.', '-')}"


def _tolerated(found: tuple[str, str | None]) -> str:
    written, meant = found
    return f"`{written}` for `{meant}`" if meant else f"`{written}`, which is left out"


_BOUNDS: Final[Mapping[str, Callable[[Any], str]]] = {
    "maxLength": lambda value: f"at most {value} characters",
    "minimum": lambda value: f"at least {value}",
    "minItems": lambda value: f"at least {value} of them",
    "maxItems": lambda value: f"at most {value} of them",
    "multipleOf": lambda value: f"a multiple of {value}",
    "x-unit": lambda value: f"in {value}",
    "x-case-insensitive": lambda value: "compared without regard to case",
    "x-bits": lambda value: f"{value} bits",
    "x-tolerated": lambda value: "taken as well: " + ", ".join(map(_tolerated, value.items())),
}


def _bounds(schema: Mapping[str, Any]) -> list[str]:
    found = [say(schema[rule]) for rule, say in _BOUNDS.items() if rule in schema]
    sending = schema.get("x-sending", {})
    found += [f"{say(sending[rule])}, when we send it" for rule, say in _BOUNDS.items() if rule in sending]
    if "enum" in schema and "name" not in schema:
        found.append("one of " + ", ".join(f"`{value}`" for value in schema["enum"]))
    return found


# Events, and what the station is asked


def observer_events() -> str:
    """What is told to an observer, with the members of each."""
    said = ModuleAnalyzer.for_module(observer.__name__).find_attr_docs()
    events = [
        kind
        for kind in vars(observer).values()
        if isinstance(kind, type) and issubclass(kind, observer.ObserverEvent) and kind is not observer.ObserverEvent
    ]
    rows = []
    for event in events:
        members = [
            f"`{field.name}`: {_code(field.type)}" + _after(" ".join(said.get((event.__name__, field.name), ())))
            for field in fields(event)
        ]
        rows.append((f"{{py:class}}`~{event.__module__}.{event.__name__}`", _sentence(event), "<br>".join(members)))
    return table(("Event", "When", "Members"), rows)


def station_events() -> str:
    """What a station tells: the `on_…` of a charge point."""
    return table(
        ("Handler", "What it tells"),
        (
            (f"{{py:meth}}`{name}() <{owner.__module__}.{owner.__name__}.{name}>`", _sentence(function))
            for owner in (StationEvents,)
            for name, function in vars(owner).items()
            if name.startswith("on_")
        ),
    )


def host_events() -> str:
    """What a host has itself called for."""
    return table(
        ("Method", "What it is for"),
        (
            (f"{{py:meth}}`{name}() <ocpp16.ChargePoint.{name}>`", _sentence(function))
            for name, function in vars(ChargePoint).items()
            if name.startswith("on_")
        ),
    )


def questions() -> str:
    """What a station is asked, by Protocol."""
    kinds = [
        kind
        for kind in vars(station).values()
        if getattr(kind, "_is_protocol", False) and kind.__module__ == station.__name__
    ]
    return table(
        ("Asked of", "Method", "What it is asked"),
        (
            (
                f"{{py:class}}`~ocpp16.station.{kind.__name__}`",
                f"{{py:meth}}`{name}() <ocpp16.station.{kind.__name__}.{name}>`",
                _sentence(function),
            )
            for kind in kinds
            for name, function in vars(kind).items()
            if not name.startswith("_") and inspect.isfunction(function)
        ),
    )


def _sentence(documented: Any) -> str:
    """The first paragraph of a docstring; of a dataclass without one nothing, and not its signature."""
    text = inspect.cleandoc(documented.__doc__ or "").partition("\n\n")[0]
    return "" if text.startswith(f"{documented.__name__}(") else text


def _code(kind: Any) -> str:
    return f"`{kind if isinstance(kind, str) else getattr(kind, '__name__', None) or str(kind)}`"


def _after(text: str) -> str:
    return f". {text.strip()}" if text.strip() else ""


# Metrics


def metrics() -> str:
    return _families(
        ChargePointCollector(()).describe(), {"ocpp16_connectors": ("status",), "ocpp16_repairs": ("repair",)}
    )


def load_metrics() -> str:
    found = list(LoadCollector(lambda: Results.load(LOAD_RESULTS)).collect())
    return _families(found, {})


def write_load_report(path: Path) -> None:
    """The page of that load test, as `ocpp16 load --html` writes it."""
    path.write_text(page(Results.load(LOAD_RESULTS)), encoding="utf-8")


def _families(found: Iterable[Any], labels: Mapping[str, tuple[str, ...]]) -> str:
    rows = []
    for family in found:
        names = set(labels.get(family.name, ())).union(*(sample.labels for sample in family.samples)) - {"le"}
        told = "".join(f"{{{', '.join(sorted(names))}}}" if names else "")
        suffix = "_total" if family.type == "counter" else ""
        rows.append((f"`{family.name}{suffix}{told}`", family.type, family.documentation))
    return table(("Metric", "Type", "What it is"), rows)


# Commands


def command(name: str) -> click.Command:
    """The subcommand. Raises KeyError for one that there is not."""
    found = root.get_command(click.Context(root), name)
    if found is None:
        raise KeyError(name)
    return found


def options(name: str) -> str:
    """Those of a command that none else has, as `--help` tells them."""
    found = command(name)
    context = click.Context(found, info_name=name)
    options = [it for it in found.params if isinstance(it, click.Option) and not FOR_ALL.intersection(it.opts)]
    records = filter(None, (option.get_help_record(context) for option in options))
    rows = ((f"`{names.replace(' RANGE', '')}`", *_help_and_bounds(told)) for names, told in records)
    return table(("Option", "", "Default, range"), rows)


def _help_and_bounds(told: str) -> tuple[str, str]:
    """The help text of click, and what it says in brackets behind it."""
    text, _, bounds = told.partition("  [")
    parts = [part.removeprefix("default: ") for part in bounds.removesuffix("]").split("; ")]
    text = re.sub(r"(?<![\w-])(--[a-z][\w-]*|\w+://)", r"`\1`", text.replace("<", "\\<"))
    return text, ", ".join(f"`{part}`" if re.search(r"\d", part) else part for part in parts)


# The status of a connector, and the storeys


def connector_table() -> str:
    return _transitions(TRANSITIONS)


def connector_zero_table() -> str:
    return _transitions(TRANSITIONS_ZERO)


def _transitions(transitions: Table) -> str:
    events = [event for event in ConnectorEvent if any(event in row for row in transitions.values())]
    rows = ((f"**{state}**", *(str(row.get(event, "")) for event in events)) for state, row in transitions.items())
    return table(("", *map(str, events)), rows)


def storeys() -> dict[int, list[str]]:
    """Storey → packages, the highest first, as the layering test has them."""
    found: dict[int, list[str]] = {}
    for name, storey in tomllib.loads(LAYERING.read_text(encoding="utf-8"))["storeys"].items():
        if name != "__main__":
            found.setdefault(storey, []).append(name)
    return dict(sorted(found.items(), reverse=True))


def rooms() -> str:
    """A section for each package, with its files and the first sentence that each says of itself."""
    folders: dict[Path, list[Path]] = {}
    for path in sorted([*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.pyx")]):
        if "share" not in path.relative_to(PACKAGE).parts:
            folders.setdefault(path.parent, []).append(path)
    sections = []
    for folder, paths in folders.items():
        files = [path for path in paths if path.name != "__init__.py"]
        about = "".join(_says(path) for path in paths if path.name == "__init__.py")
        rows = ((f"`{path.relative_to(folder)}`", _says(path)) for path in files)
        texts = [f"## `{folder.relative_to(PACKAGE.parent)}/`", about, table(("", ""), rows) if files else ""]
        sections += [text for text in texts if text]
    return "\n\n".join(sections)


def _says(path: Path) -> str:
    """The first sentence of a file's docstring, without its full stop."""
    documented = _DOCSTRING.match(path.read_text(encoding="utf-8"))
    return "" if documented is None else _FIRST.split(documented[1].strip(), maxsplit=1)[0]


def _picture(svg: str) -> str:
    return f"```{{raw}} html\n{svg}\n```"


TEXTS: Final[Mapping[str, Callable[[], str]]] = {
    "messages": messages,
    "observer events": observer_events,
    "station events": station_events,
    "host events": host_events,
    "questions": questions,
    "metrics": metrics,
    "load metrics": load_metrics,
    **{f"options of {name}": partial(options, name) for name in LISTED},
    "connector table": connector_table,
    "connector zero table": connector_zero_table,
    "connector picture": lambda: _picture(states(TRANSITIONS)),
    "storeys picture": lambda: _picture(layers(storeys())),
    "rooms": rooms,
}
