"""What the script of a charge point may say: the commands of a station, and steps that scenarios have of their own."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ocpp16.enums import BootReason, ChargePointStatus, ResetType
from ocpp16.fleet.names import numbered
from ocpp16.messages.actions import ACTIONS
from ocpp16.scenario.attempt import OLD_VERSIONS
from ocpp16.scenario.distribution import distribution
from ocpp16.scenario.kinds import Anything, Checked, Field, Flag, Many, Number, Record, Tagged, Text, Whole
from ocpp16.scenario.matching import Pattern, PatternKind, answered
from ocpp16.scenario.model import Step
from ocpp16.simulation.arguments import ANYTHING, REQUIRED, Argument
from ocpp16.simulation.command_table import COMMANDS

DO: Final = "do"
ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"
_NAMED = Field("name", Text(200), None, "What a report says of it.")
_FAILS = Field("fails", Flag(), False, "Is it to fail?")
_WITHIN = Field("within", Number(0.001, 1e7, "seconds"), 60.0, "Seconds that it may take.")
_CONNECTOR = Field("connector", Whole(0, 10_000), 1)
_PATTERN = PatternKind()
_ACTION = Field("action", Text(words=tuple(ACTIONS)))
_PAYLOAD = Field("payload", _PATTERN, None, "What the CALL says.")
_ANSWER = Field("answer", _PATTERN, None, "What its answer says.")
_STATUS = Field("status", Text(100), None, "The status in its answer, or that of the id tag there.")
_ERROR = Field("error", Text(100), None, "The code of the CALLERROR that answers it.")
_TOKEN: Final = re.compile(r"[-!#$%&'*+.^_`|~0-9a-zA-Z]+")


def _token(text: str) -> None:
    """Raises ValueError for what stands in no header, and in no list of suites."""
    if _TOKEN.fullmatch(text) is None:
        raise ValueError("it has a character that such names do not have")


OWN: Final[Mapping[str, tuple[Field, ...]]] = {
    "sleep": (Field("seconds", distribution()),),
    "wait_registered": (_WITHIN,),
    "wait_answered": (_WITHIN,),
    "wait_status": (_CONNECTOR, Field("status", Text(words=tuple(map(str, ChargePointStatus)))), _WITHIN),
    "wait_sent": (_ACTION, _PAYLOAD, _ANSWER, _STATUS, _ERROR, _WITHIN),
    "wait_received": (_ACTION, _PAYLOAD, _ANSWER, _STATUS, _ERROR, _WITHIN),
    "wait_connected": (
        Field("first_attempt", Flag(), False, "Must the first attempt succeed?"),
        _WITHIN,
    ),
    "try_connection": (
        Field("expect", Text(words=(ACCEPTED, REFUSED)), ACCEPTED, "What becomes of it."),
        Field("security_profile", Whole(0, 3), None, "Else the one in force."),
        Field("lowered", Flag(), False, "With one security profile lower?"),
        Field("subprotocols", Many(Text(100, check=_token), 1, 10), None, "Else ocpp1.6."),
        Field("ciphers", Many(Text(100, check=_token), 1, 50), None, "Suites of TLS 1.2, by OpenSSL's names."),
        Field("old_tls", Text(words=tuple(OLD_VERSIONS)), None, "Only this version of TLS is offered."),
        Field("within", Number(0.001, 1e7, "seconds"), 20.0, "Seconds that it may take."),
    ),
    "never": (_ACTION, _PAYLOAD, Field("seconds", Number(0.001, 1e7, "seconds"))),
    "power_cut": (Field("seconds", Number(0.0, 1e7, "seconds"), text="Until the power comes back."),),
    "reset": (
        Field("kind", Text(words=tuple(map(str, ResetType))), "Soft"),
        Field("reason", Text(words=tuple(map(str, BootReason))), str(BootReason.LOCAL_RESET), "Of the start."),
    ),
}
"""Step → its arguments. What each does is in `script`."""
WAITS: Final = (
    "wait_registered",
    "wait_answered",
    "wait_status",
    "wait_sent",
    "wait_received",
    "wait_connected",
    "try_connection",
    "never",
)
"""Steps that say whether something was so: a report has a line for each."""
_EXCHANGES: Final = ("wait_sent", "wait_received")
_LOOK_BACK: Final = (*_EXCHANGES, "never")
_NOT_HERE: Final = ("power_off", "help")
"""Commands for whoever sits before a process of its own."""
_MOST_CONNECTORS: Final = 10_000


def asked_for(steps: Iterable[Step]) -> frozenset[str]:
    """The actions that these look back for."""
    return frozenset(one.arguments["action"] for one in steps if one.do in _LOOK_BACK)


def _argument(argument: Argument) -> Field:
    return Field(
        argument.name,
        Checked(lambda value: argument.check(value, _MOST_CONNECTORS), {}),
        REQUIRED_FIELD if argument.default is REQUIRED and argument.kind is not ANYTHING else None,
    )


REQUIRED_FIELD: Final[Any] = Field("", Anything()).default


def _own(do: str) -> Any:
    def make(*, name: str = "", fails: bool = False, **arguments: Any) -> Step:
        if do in _EXCHANGES and ("answer" in arguments or "status" in arguments):
            answer: Pattern | None = arguments.pop("answer", None)
            arguments["answer"] = answered(arguments["action"], answer, arguments.pop("status", None))
        if "error" in arguments and arguments.get("answer"):
            raise ValueError("either error or answer and status: an answer is one of the two")
        return Step(do=do, arguments=arguments, name=name, fails=fails)

    return make


def _command(do: str) -> Any:
    def make(*, name: str = "", fails: bool = False, **arguments: Any) -> Step:
        if do == "overrule":
            arguments.setdefault("answer", None)  # TOML cannot say null
        for text in arguments.values():
            if isinstance(text, str):
                numbered(text, 1)
        return Step(do=do, arguments=arguments, name=name, fails=fails)

    return make


STEP: Final = Tagged(
    DO,
    {
        **{do: Record((*fields, _NAMED, _FAILS), _own(do), DO) for do, fields in OWN.items()},
        **{
            name: Record((*map(_argument, command.arguments), _NAMED, _FAILS), _command(name), DO)
            for name, command in COMMANDS.items()
            if name not in _NOT_HERE
        },
    },
)
