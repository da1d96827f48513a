"""OCPP-J frames: JSON text ↔ Call, CallResult, CallError (OCPP-J 1.6 §4)."""

from typing import Any, ClassVar, Final, Literal, Self, final

MAX_DEPTH: Final[int]

class EchoedId(str):
    raw: str | int
    def __new__(cls, raw: str | int) -> Self: ...

class FramingError(ValueError):
    code: str
    kind: Literal[2, 3, 4] | None
    unique_id: str | None
    frame: list[Any] | None
    def __init__(
        self,
        text: str,
        kind: Literal[2, 3, 4] | None = None,
        unique_id: str | None = None,
        frame: list[Any] | None = None,
    ) -> None: ...
    @property
    def raw_id(self) -> Any: ...

@final
class Call:
    __match_args__: ClassVar[tuple[str, ...]]
    __hash__: ClassVar[None]  # type: ignore[assignment]
    @property
    def unique_id(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def payload(self) -> dict[str, Any]: ...
    def __init__(self, unique_id: str, action: str, payload: dict[str, Any]) -> None: ...

@final
class CallResult:
    __match_args__: ClassVar[tuple[str, ...]]
    __hash__: ClassVar[None]  # type: ignore[assignment]
    @property
    def unique_id(self) -> str: ...
    @property
    def payload(self) -> dict[str, Any]: ...
    def __init__(self, unique_id: str, payload: dict[str, Any]) -> None: ...

@final
class CallError:
    __match_args__: ClassVar[tuple[str, ...]]
    __hash__: ClassVar[None]  # type: ignore[assignment]
    @property
    def unique_id(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def details(self) -> dict[str, Any]: ...
    def __init__(
        self, unique_id: str, code: str, description: str = "", details: dict[str, Any] | None = None
    ) -> None: ...

def parse(text: str | bytes | bytearray | memoryview) -> Call | CallResult | CallError: ...
def without_byte_order_mark(text: str | bytes | bytearray | memoryview) -> str | bytes | None: ...
def serialize(frame: Call | CallResult | CallError) -> bytes: ...
def json_text(value: object) -> str: ...
def duplicate_members(text: str | bytes | bytearray | memoryview) -> list[tuple[str | int, ...]]: ...
