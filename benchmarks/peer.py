"""The peer of the codec benchmarks: `ocpp` 2.1.0, by the cheapest way it has, which validates in the calling thread."""

from typing import Any

from ocpp import messages

messages.ASYNC_VALIDATION = False


def receive(text: str) -> Any:
    """Text → validated Call."""
    call = messages.unpack(text)
    messages._validate_payload(call, "1.6")
    return call


def send(unique_id: str, action: str, payload: dict[str, Any]) -> str:
    """Payload → validated text of a CALL."""
    call = messages.Call(unique_id, action, payload)
    messages._validate_payload(call, "1.6")
    text: str = messages.pack(call)
    return text
