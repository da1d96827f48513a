"""The doors: `open_charge_point`, from a configuration and a station to a charge point ready to start, and
`open_charge_points` for many; behind them `blocks`, with all the rest.

A program is not to wait for the rest before it says its first word: what is behind a door is imported when somebody
first comes in, and that first opening takes the longer, in one step. A host that cannot have its loop stand still calls
`preload` before.
Must not know: anything of ocpp16 but `ctrl_c` before a door is used; a test keeps the list.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocpp16.ctrl_c import entered_and_left_whole

if TYPE_CHECKING:
    from ocpp16.charge_point.charge_point import ChargePoint
    from ocpp16.charge_point.charge_points import ChargePoints
    from ocpp16.charge_point.connectivity import StreamOpener
    from ocpp16.configuration.configuration import Configuration
    from ocpp16.observer import Observer
    from ocpp16.rpc.calls import FrameListener, LinkListener
    from ocpp16.security.evse_security import EvseSecurity
    from ocpp16.station import CoreStation
    from ocpp16.store.base import Store
    from ocpp16.store.journal import Journal


@entered_and_left_whole
@asynccontextmanager
async def open_charge_point(
    config: "str | Path | Mapping[str, Any] | Configuration",
    station: "CoreStation",
    *,
    user_config_path: str | Path | None = None,
    database_path: str | Path | None = None,
    store: "Store | Journal | None" = None,
    share_path: str | Path | None = None,
    custom_schema_path: str | Path | None = None,
    certificates_path: str | Path | None = None,
    security_configuration: Mapping[str, Any] | None = None,
    evse_security: "EvseSecurity | None" = None,
    observer: "Observer | None" = None,
    connector: "StreamOpener | None" = None,
    tolerances: Iterable[str] | None = None,
    anchor: float | None = None,
    seed: int | None = None,
    trace_messages: bool = False,
    message_log_path: str | Path | None = None,
    frames: "FrameListener | None" = None,
    links: "LinkListener | None" = None,
) -> AsyncIterator["ChargePoint"]:
    """Open a charge point; it begins with `await charge_point.start()`, and leaving the block stops it in order.

    config: path of a JSON file, a mapping of the same form, or a Configuration; what was changed over it earlier comes
    on top, from `user_config_path` or the store.
    station: the hardware; if it has a method `attach`, that is given the charge point. user_config_path: JSON file
    that holds what was changed over the configuration (made when needed; secrets go to a file of mode 0600 beside it);
    without it, changes go to the store. database_path: folder of the database `<ChargePointId>.db`, or a path ending
    in `.db`. store: instead, a journal of `open_store`, or a driver of your own; either may be lent to many charge
    points, and is not closed here. With neither, nothing outlives the block; both cannot be given. share_path: data
    files instead of the package's. custom_schema_path: JSON Schema of your own keys instead of the Custom.json there.
    certificates_path: folder `certs`, whose `ca/csms` is trusted for wss://. security_configuration: single paths of
    that layout elsewhere, by libocpp's names; `csms_ca_bundle` is a PEM file or a folder. evse_security: keeps roots,
    certificates and keys instead of these files (see `ocpp16.security.evse_security`). observer: is told what
    happens (see `ocpp16.observer`). connector: opens the stream to an endpoint, for tests and tunnels. tolerances:
    names of the repairs made on what the Central System sends (`Tolerance.parse`); None: as key Tolerances says.
    anchor: wall time now in seconds since 1970 instead of the system's clock. seed: makes message ids and waits
    repeatable. trace_messages: tells the observer every text frame. message_log_path: folder for the message log, made
    when needed; the LogMessages… keys say what is written there. Without it there are no files but those of sessions
    that have a folder of their own. frames: is told each text frame in the moment it is written or read, secrets and
    all (`ocpp16.fleet.FrameListener`; who keeps one takes them out by `ocpp16.redaction.redacted`). links: is told each
    change of the connection in its moment (`ocpp16.fleet.LinkListener`).

    Raises ConfigurationError naming every problem of the arguments and the station, or else of the configuration;
    ValueError for an anchor that is no number; StoreError (SchemaTooNew) when the database belongs to somebody else,
    when the store cannot be read, and when a charge point of this identity is open on it already. One that cannot be
    written now (full disk, read-only) is no reason not to start: the charge point then works from memory, says so, and
    stores when it can. What the block raises is raised as it is, not in a group.
    """
    given = dict(locals())  # before there is any other name
    from ocpp16.charge_point.argument_check import check_arguments
    from ocpp16.charge_point.blocks import clock_of, one_opened
    from ocpp16.charge_point.plan import planned
    from ocpp16.rpc.calls import Listeners

    clock = clock_of(anchor)
    check_arguments(given)
    plan = planned(
        config,
        station,
        clock,
        has_store=store is not None or database_path is not None,
        user_config_path=user_config_path,
        share_path=share_path,
        custom_schema_path=custom_schema_path,
        certificates_path=certificates_path,
        security_configuration=security_configuration,
        evse_security=evse_security,
        observer=observer,
        connector=connector,
        tolerances=tolerances,
        seed=seed,
        trace_messages=trace_messages,
        message_log_path=message_log_path,
        listeners=Listeners(frames=frames, links=links),
    )
    async with one_opened(plan, store, database_path) as charge_point:
        yield charge_point


@entered_and_left_whole
@asynccontextmanager
async def open_charge_points(
    *,
    store: "Store | Journal | None" = None,
    database_path: str | Path | None = None,
    most_connecting: int | None = None,
) -> AsyncIterator["ChargePoints"]:
    """A block for many charge points, which `ChargePoints.open` opens: they share one store, its journal and a nursery.

    store, database_path: as of `open_charge_point`, for all of them; of a folder, the database is `charge_points.db`.
    With neither, nothing outlives the block. most_connecting: how many of them may be between the first packet and the
    end of the WebSocket handshake at a time; the others wait their turn, so that neither end drowns. None: all.
    Leaving the block stops those that are open, all at the same time, each in order. Raises ConfigurationError for
    arguments that cannot be meant, StoreError when the database cannot be used. What the block raises is raised as it
    is, not in a group.
    """
    given = dict(locals())  # before there is any other name
    from ocpp16.charge_point.argument_check import check_arguments
    from ocpp16.charge_point.blocks import many_opened

    check_arguments(given)
    async with many_opened(store, database_path, most_connecting) as charge_points:
        yield charge_points


def preload() -> None:
    """Import now what the first opening, its database and its connection would import when they need it.

    For a program whose loop must not stand still later, or that has no charge point yet but time: call it before
    `trio.run`, or where waiting hurts nobody. It takes one and a half times what `import trio` takes, and nothing when
    it is called again. fastjsonschema is not among it: only keys of the host's own need that. Raises what an import
    raises where the installation is broken.
    """
    from importlib.resources import files

    for part in _BEHIND:
        import_module(part)
    files("ocpp16.share")  # what reads the files of a package is imported by who asks for them first


_BEHIND = (
    "ocpp16.charge_point.argument_check",
    "ocpp16.charge_point.blocks",
    "ocpp16.charge_point.plan",
    "ocpp16.message_log.message_log",
    "ocpp16.store.owner",
    "encodings.idna",
)
"""What the doors and `store.open` import inside functions, and what Python does for the name of a host."""
