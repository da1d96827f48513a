"""The one door to the compiled core: frames, date-times, validation of payloads.

Pure functions and value types. The core imports orjson, with the first frame that asks for it, and nothing of `ocpp16`.
"""

TYPE_CHECKING = False  # type checkers take it as true; importing it would cost more than all units together

if TYPE_CHECKING:
    from ocpp16._core.kinds import Kind

try:
    from ocpp16._core.datetimes import format_datetime, parse_datetime, parse_datetime_tolerant
    from ocpp16._core.framing import (
        MAX_DEPTH,
        Call,
        CallError,
        CallResult,
        EchoedId,
        FramingError,
        call_text,
        duplicate_members,
        json_bytes,
        json_text,
        json_value,
        parse,
        result_text,
        serialize,
        without_byte_order_mark,
    )
    from ocpp16._core.validation import (
        CODES,
        ValidationError,
        check,
        check_sending,
        code_of,
        describe,
        tolerant_validate,
        validate,
        validate_sending,
    )
    from ocpp16._core.violation import Check, Violation
except ModuleNotFoundError as error:
    if error.name is None or not error.name.startswith("ocpp16._core."):
        raise
    raise ImportError(
        f"the compiled core of ocpp16 is not built ({error.name} is missing): install the package with pip, or run "
        "`pip install -e .` in a checkout; that needs a C compiler"
    ) from error

__all__ = [
    "CODES",
    "MAX_DEPTH",
    "Call",
    "CallError",
    "CallResult",
    "Check",
    "EchoedId",
    "FramingError",
    "Kind",
    "ValidationError",
    "Violation",
    "call_text",
    "check",
    "check_sending",
    "code_of",
    "describe",
    "duplicate_members",
    "format_datetime",
    "json_bytes",
    "json_text",
    "json_value",
    "parse",
    "parse_datetime",
    "parse_datetime_tolerant",
    "result_text",
    "serialize",
    "tolerant_validate",
    "validate",
    "validate_sending",
    "without_byte_order_mark",
]


def __getattr__(name: str) -> object:
    if name == "Kind":
        from ocpp16._core.kinds import Kind

        return Kind
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
