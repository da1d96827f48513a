"""A double of `everest.framework`: real threads, as the framework has them, and every value that crosses is checked.

`Everest` is the manager with all required modules, as stubs: `answers[module id, command]` is what a stub answers, a
value or a function of the arguments, which may raise or hang. `Nonsense(value)` is answered, or told, past the check.
"""

import json
import threading
import weakref
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

from everest_interfaces import Violation, interfaces

from ocpp16.everest.manifest import PROVIDES, REQUIRES

TIMEOUT = 120.0


class Nonsense(NamedTuple):
    value: Any


class NoMapping:
    """As Fulfillment of the framework, which tells Python nothing of mappings."""

    def __init__(self, module_id: str, implementation_id: str) -> None:
        self.module_id = module_id
        self.implementation_id = implementation_id


class Fulfillment(NoMapping):
    """As one of a framework that tells of them."""

    def __init__(self, module_id: str, implementation_id: str, evse: int | None = None) -> None:
        super().__init__(module_id, implementation_id)
        self.mapping = None if evse is None else SimpleNamespace(evse=evse, connector=None)


def copied(value: Any) -> Any:
    """What JSON makes of it: nothing else crosses."""
    return json.loads(json.dumps(value, allow_nan=False))


class Everest:
    """`evses`: for each its connector ids. `sinks`: evses (0: station) of connections of evse_energy_sink. `newer`:
    commands that this EVerest has besides, `older`: commands and variables that it has not, both with implementation or
    requirement. `says_what_it_has`: as the framework does; `shuts_down`: its Module has a `shutdown_handler`."""

    def __init__(
        self,
        share: str,
        *,
        evses: tuple[tuple[int, ...], ...] = ((1,), (1,)),
        config: Mapping[str, Any] | None = None,
        sinks: tuple[int | None, ...] = (),
        has_mappings: bool = True,
        optional: tuple[str, ...] = (),
        extensions: int = 0,
        has_one_thread: bool = False,
        newer: tuple[tuple[str, str], ...] = (),
        older: tuple[tuple[str, str], ...] = (),
        says_what_it_has: bool = True,
        shuts_down: bool = True,
    ) -> None:
        self.interfaces = interfaces()
        self.violations: list[str] = []
        self.published: list[tuple[str, str, Any]] = []
        self.calls: list[tuple[str, str, Any]] = []
        """Module id, command, arguments."""
        self.log: list[tuple[str, str]] = []
        self.answers: dict[tuple[str, str], Any] = {}
        self.news = threading.Condition()
        self.handlers: dict[tuple[str, str], Callable[[Any], Any]] = {}
        self.subscribed: dict[tuple[str, str, str], list[Callable[[Any], None]]] = defaultdict(list)
        self.error_callbacks: dict[str, list[tuple[Callable[[Any], None], Callable[[Any], None]]]] = defaultdict(list)
        self.connections: dict[str, list[Any]] = {name: [] for name in REQUIRES}
        self.connections["evse_manager"] = [
            NoMapping(f"connector_{number}", "evse") for number in range(1, len(evses) + 1)
        ]
        for name in ("reservation", "auth", "system", "security", *optional):
            self.connections[name] = [NoMapping(name, "main")]
        self.connections["evse_energy_sink"] = [
            Fulfillment(f"sink_{index}", "limits", evse) if has_mappings else NoMapping(f"sink_{index}", "limits")
            for index, evse in enumerate(sinks)
        ]
        self.connections["extensions_15118"] = [
            NoMapping(f"iso15118_{number}", "extensions") for number in range(1, extensions + 1)
        ]
        self.requirement_of = {
            (one.module_id, one.implementation_id): name for name, them in self.connections.items() for one in them
        }
        self.config = dict(config or {})
        self.share = share
        self.evses = evses
        self.newer = newer
        self.older = older
        self.says_what_it_has = says_what_it_has
        self.shuts_down = shuts_down
        self.on_shutdown: Callable[[], None] | None = None
        self.is_initialised = threading.Event()
        self._on_ready: Callable[[], None] | None = None
        self._threads = ThreadPoolExecutor(16, thread_name_prefix="framework")
        self._told = ThreadPoolExecutor(1, thread_name_prefix="framework variables")
        if has_one_thread:  # commands and variables wait for one another
            self._threads = self._told
        self._usual = _usual_answers(evses)

    # What the module sees

    @property
    def module(self) -> "Module":
        return Module(self)

    @property
    def framework(self) -> ModuleType:
        """`everest.framework`."""
        found: Any = ModuleType("everest.framework")
        found.RuntimeSession = RuntimeSession
        found.Module = lambda session: Module(self, session)
        found.log = SimpleNamespace(
            update_process_name=lambda name: self.log.append(("name", name)),
            **{
                level: lambda text, level=level: self.log.append((level, text))
                for level in ("debug", "info", "warning", "error", "critical")
            },
        )
        return found  # type: ignore[no-any-return]

    # What happens in EVerest

    def commands(self, implementation: str) -> set[str]:
        """That are to be implemented."""
        known = {(implementation, name) for name in self.interfaces.commands(PROVIDES[implementation][0])}
        return {name for place, name in (known | set(self.newer)) - set(self.older) if place == implementation}

    def variables(self, requirement: str) -> set[str]:
        """That may be subscribed to."""
        known = {(requirement, name) for name in self.interfaces.variables(REQUIRES[requirement].interface)}
        return {name for _, name in known - set(self.older)}

    def shut_down(self) -> None:
        """What the manager tells all modules when it ends; afterwards nothing crosses any more."""
        assert self.on_shutdown is not None
        self._threads.submit(self.on_shutdown).result(TIMEOUT)

    def all_ready(self) -> None:
        """The manager found all modules initialised."""
        assert self.is_initialised.wait(TIMEOUT)
        assert self._on_ready is not None
        self._threads.submit(self._on_ready).result(TIMEOUT)

    def evses_ready(self, variable: str = "waiting_for_external_ready") -> None:
        for number in range(1, len(self.evses) + 1):
            self.tell(f"connector_{number}", variable, True)

    def tell(self, module_id: str, variable: str, value: Any) -> None:
        """A module publishes; its subscribers are called one after another, in a thread."""
        implementation = self._fulfillment(module_id).implementation_id
        interface = REQUIRES[self.requirement_of[module_id, implementation]].interface
        if isinstance(value, Nonsense):
            value = value.value
        else:
            self.interfaces.check_variable(interface, variable, value)
        for callback in self.subscribed[module_id, implementation, variable]:
            self._told.submit(callback, copied(value)).result(TIMEOUT)

    def begin_telling(self, value: Any) -> "Future[Any]":
        """As `tell` of a session event by connector_1, and not waited for."""
        callback = self.subscribed["connector_1", "evse", "session_event"][0]
        return self._told.submit(callback, copied(value))

    def raise_error(self, module_id: str, error: Any) -> None:
        for callback, _ in self.error_callbacks[module_id]:
            self._told.submit(callback, error).result(TIMEOUT)

    def clear_error(self, module_id: str, error: Any) -> None:
        for _, callback in self.error_callbacks[module_id]:
            self._told.submit(callback, error).result(TIMEOUT)

    def begin(self, implementation: str, command: str, /, **arguments: Any) -> "Future[Any]":
        """Another module calls a command of ours; in a thread."""
        interface = PROVIDES[implementation][0]
        raw = {name: value.value if isinstance(value, Nonsense) else value for name, value in arguments.items()}
        is_newer = (implementation, command) in self.newer
        if not is_newer and not any(isinstance(value, Nonsense) for value in arguments.values()):
            self.interfaces.check_arguments(interface, command, arguments)

        def called() -> Any:
            result = self.handlers[implementation, command](copied(raw))
            if not is_newer:
                self.judge(self.interfaces.check_result, interface, command, result)
            return copied(result)

        return self._threads.submit(called)

    def call(self, implementation: str, command: str, /, **arguments: Any) -> Any:
        return self.begin(implementation, command, **arguments).result(TIMEOUT)

    # What can be seen

    def values(self, implementation: str, variable: str) -> list[Any]:
        return [value for *place, value in tuple(self.published) if place == [implementation, variable]]

    def called(self, module_id: str, command: str) -> list[Any]:
        return [arguments for *place, arguments in tuple(self.calls) if place == [module_id, command]]

    def wait(self, is_so: Callable[[], Any], what: str = "") -> Any:
        with self.news:
            if not self.news.wait_for(is_so, TIMEOUT):
                raise AssertionError(f"it did not come: {what}; violations: {self.violations}")
            return is_so()

    def wait_published(self, implementation: str, variable: str, count: int = 1) -> Any:
        self.wait(lambda: len(self.values(implementation, variable)) >= count, f"{implementation}.{variable}")
        return self.values(implementation, variable)[count - 1]

    def wait_called(self, module_id: str, command: str, count: int = 1) -> Any:
        self.wait(lambda: len(self.called(module_id, command)) >= count, f"{module_id}.{command}")
        return self.called(module_id, command)[count - 1]

    def judge(self, check: Callable[..., None], *arguments: Any) -> None:
        try:
            check(*arguments)
        except Violation as violation:
            self.violations.append(str(violation))
            raise

    def close(self) -> None:
        self._threads.shutdown(wait=False)
        self._told.shutdown(wait=False)

    def _fulfillment(self, module_id: str) -> Any:
        return next(one for them in self.connections.values() for one in them if one.module_id == module_id)

    def answer(self, fulfillment: Any, command: str, arguments: Any) -> Any:
        """Of a stub."""
        requirement = self.requirement_of[fulfillment.module_id, fulfillment.implementation_id]
        interface = REQUIRES[requirement].interface
        assert type(arguments) is dict
        self.judge(self.interfaces.check_arguments, interface, command, arguments)
        with self.news:
            self.calls.append((fulfillment.module_id, command, copied(arguments)))
            self.news.notify_all()
        usual: Any = self._usual.get((requirement, command))
        found: Any = self.answers.get((fulfillment.module_id, command), usual)
        if callable(found):
            found = found(fulfillment.module_id, copied(arguments)) if found is usual else found(copied(arguments))
        if isinstance(found, Nonsense):
            return found.value
        self.interfaces.check_result(interface, command, found)
        return copied(found)


class RuntimeSession:
    """As the framework's, which keeps what a Module refers to."""


class Module:
    """As the framework's, with what the module may use of it, and nothing else. It refers to its session, which must be
    kept."""

    def __init__(self, everest: Everest, session: RuntimeSession | None = None) -> None:
        self._everest = everest
        self._session = None if session is None else weakref.ref(session)
        if everest.shuts_down:
            self.shutdown_handler = self._shutdown_handler
        if everest.says_what_it_has:
            self.implementations = {
                name: SimpleNamespace(commands=sorted(everest.commands(name)), variables=[]) for name in PROVIDES
            }
            self.requirements = {
                name: SimpleNamespace(commands=[], variables=sorted(everest.variables(name))) for name in REQUIRES
            }
        self.info = SimpleNamespace(
            id="ocpp",
            name="OCPP16",
            paths=SimpleNamespace(share=everest.share, etc="/etc/everest", libexec="/usr/libexec"),
        )

    def _shutdown_handler(self, handler: Callable[[], None]) -> None:
        self._everest.on_shutdown = handler

    def say_hello(self) -> Any:
        self._check_session()
        configs = SimpleNamespace(module=copied(self._everest.config), implementations={})
        return SimpleNamespace(configs=configs, connections=dict(self._everest.connections))

    def implement_command(self, implementation: str, command: str, handler: Callable[[Any], Any]) -> None:
        everest = self._everest
        assert not everest.is_initialised.is_set(), "commands are implemented before init_done"
        assert command in everest.commands(implementation), (implementation, command)
        assert (implementation, command) not in everest.handlers
        everest.handlers[implementation, command] = handler

    def subscribe_variable(self, fulfillment: Any, variable: str, callback: Callable[[Any], None]) -> None:
        place = (fulfillment.module_id, fulfillment.implementation_id)
        requirement = self._everest.requirement_of[place]
        if variable not in self._everest.variables(requirement):
            raise RuntimeError(f"{requirement}->{variable}: Variable not defined in manifest!")
        self._everest.subscribed[(*place, variable)].append(callback)

    def subscribe_all_errors(
        self, fulfillment: Any, callback: Callable[[Any], None], clear_callback: Callable[[Any], None]
    ) -> None:
        self._everest.error_callbacks[fulfillment.module_id].append((callback, clear_callback))

    def call_command(self, fulfillment: Any, command: str, arguments: dict[str, Any]) -> Any:
        assert self._everest.is_initialised.is_set(), "commands are called after init_done"
        self._check_session()
        return self._everest.answer(fulfillment, command, arguments)

    def publish_variable(self, implementation: str, variable: str, value: Any) -> None:
        everest = self._everest
        everest.judge(everest.interfaces.check_variable, PROVIDES[implementation][0], variable, value)
        with everest.news:
            everest.published.append((implementation, variable, copied(value)))
            everest.news.notify_all()

    def init_done(self, on_ready: Callable[[], None]) -> None:
        for implementation in PROVIDES:
            missing = self._everest.commands(implementation) - {
                name for place, name in self._everest.handlers if place == implementation
            }
            if missing:
                raise RuntimeError(f"{implementation} does not provide all cmds listed in manifest! {missing}")
        self._everest._on_ready = on_ready
        self._everest.is_initialised.set()

    def _check_session(self) -> None:
        assert self._session is None or self._session() is not None, "the session is gone that the Module refers to"


def _usual_answers(evses: tuple[tuple[int, ...], ...]) -> dict[tuple[str, str], Any]:
    """Requirement and command → what a module that works answers: a value, or a function of module id and arguments."""

    def get_evse(module_id: str, arguments: Any) -> Any:
        number = int(module_id.rpartition("_")[2])
        return {"id": number, "connectors": [{"id": one, "type": "cType2"} for one in evses[number - 1]]}

    return {
        ("evse_manager", "get_evse"): get_evse,
        ("evse_manager", "enable_disable"): lambda module_id, given: given["cmd_source"]["enable_state"] == "Enable",
        ("evse_manager", "pause_charging"): True,
        ("evse_manager", "stop_transaction"): True,
        ("evse_manager", "force_unlock"): True,
        ("evse_manager", "external_ready_to_start_charging"): True,
        ("charger_information", "get_charger_information"): {"vendor": "Everest Vendor", "model": "Everest Model"},
        ("reservation", "reserve_now"): "Accepted",
        ("reservation", "cancel_reservation"): True,
        ("reservation", "exists_reservation"): "ReservedForToken",
        ("system", "update_firmware"): "Accepted",
        ("system", "upload_logs"): {"upload_logs_status": "Accepted", "file_name": "logs.tar.gz"},
        ("system", "is_reset_allowed"): True,
        ("system", "set_system_time"): True,
        ("system", "get_boot_reason"): "PowerUp",
        ("data_transfer", "data_transfer"): {"status": "Accepted", "data": "from EVerest"},
        ("display_message", "set_display_message"): {"status": "Accepted"},
        ("security", "install_ca_certificate"): "Accepted",
        ("security", "delete_certificate"): "Accepted",
        ("security", "update_leaf_certificate"): "Accepted",
        ("security", "verify_certificate"): "Valid",
        ("security", "get_installed_certificates"): {"status": "NotFound", "certificate_hash_data_chain": []},
        ("security", "get_v2g_ocsp_request_data"): {"ocsp_request_data_list": []},
        ("security", "get_mo_ocsp_request_data"): {"ocsp_request_data_list": []},
        ("security", "is_ca_certificate_installed"): False,
        ("security", "generate_certificate_signing_request"): {"status": "Accepted", "csr": "a request"},
        ("security", "get_leaf_certificate_info"): {"status": "NotFound"},
        ("security", "get_verify_location"): "",
        ("security", "get_leaf_expiry_days_count"): 0,
    }
