"""(action, kind) → validator; violation → CALLERROR code and a sentence for people."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, Protocol

from ocpp16._core.violation import Violation

Kind = Literal["request", "response"]

CODES: Final[Mapping[str, str]]

class ValidationError(ValueError):
    action: str
    kind: Kind
    violation: Violation
    rule: str
    path: tuple[str | int, ...]
    code: str
    def __init__(self, action: str, kind: Kind, violation: Violation) -> None: ...

class Validate(Protocol):
    def __call__(self, action: str, kind: Kind, payload: object, tolerant: bool = False) -> None: ...

def check(action: str, kind: Kind, payload: object) -> Violation | None: ...
def check_sending(action: str, kind: Kind, payload: object) -> Violation | None: ...
def validate(action: str, kind: Kind, payload: object) -> None: ...
def validate_sending(action: str, kind: Kind, payload: object) -> None: ...
def tolerant_validate(repair: Callable[[str, Kind, Any], object]) -> Validate: ...
def code_of(violation: Violation) -> str: ...
def describe(action: str, kind: Kind, violation: Violation) -> str: ...
