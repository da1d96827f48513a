"""Throws random and broken texts at the codec: `python benchmarks/fuzz_codec.py [SECONDS] [SEED]`.

Whatever comes in, the codec answers with a frame or a typed error; what it took it can write; what it repaired is
valid. Anything else ends the run with the text that did it.
"""

import json
import random
import sys
import time
from typing import Any

import payloads

from ocpp16 import codec

TEXTS = [
    *(json.dumps([2, payloads.UNIQUE_ID, action, payload]) for action, payload in payloads.REQUESTS.values()),
    '[3,"1",{"status":"Accepted","currentTime":"2026-03-01T12:00:00Z","interval":300}]',
    '[4,"1","GenericError","why",{"a":[1,null,true,"\\u20ac"]}]',
    '[2,17,"StatusNotification",{"connectorId":1.0,"errorCode":"Error","status":"Available","info":null}]',
]
PIECES = [b'"', b"\\", b"[", b"]", b"{", b"}", b",", b":", b"null", b"1e999", b"-0", b"\x00", b"\xff", b"\\ud800", b"2"]
ACTIONS = [*codec.ACTIONS, *codec.CARRIED]
KINDS: tuple[codec.Kind, ...] = ("request", "response")


def mutated(generator: random.Random) -> bytes:
    """A frame with some bytes changed, cut out, doubled or put in."""
    data = bytearray(generator.choice(TEXTS).encode())
    for _ in range(generator.randint(0, 6)):
        place = generator.randrange(len(data) + 1)
        match generator.randrange(4):
            case 0:
                data[place : place + 1] = generator.randbytes(1)
            case 1:
                del data[place : place + generator.randint(1, 20)]
            case 2:
                data[place:place] = data[place : place + generator.randint(1, 40)]
            case 3:
                data[place:place] = generator.choice(PIECES)
    return bytes(data)


def random_value(generator: random.Random, depth: int = 0) -> Any:
    kind = generator.randrange(9 if depth < 4 else 6)
    if kind == 0:
        return generator.choice([None, True, False])
    if kind == 1:
        return generator.choice([0, 1, -1, 2**31, 2**63, -(2**63)])
    if kind == 2:
        return generator.choice([0.1, 8.15, 30.0, 1e300, -1e-300])
    if kind <= 5:
        return "".join(generator.choices("aA0Z:-T.\x00é€𝄞", k=generator.randrange(30)))
    if kind == 6:
        return [random_value(generator, depth + 1) for _ in range(generator.randrange(4))]
    names = ["status", "timestamp", "connectorId", "value", "x", "meterValue", "sampledValue", ""]
    return {generator.choice(names): random_value(generator, depth + 1) for _ in range(generator.randrange(5))}


def outcome(text: bytes | bytearray) -> tuple[Any, ...]:
    """What becomes of a text, 1, 1.0 and True being different things."""
    try:
        return (repr(codec.parse(text)),)
    except codec.FramingError as error:
        return (str(error), error.code, error.kind, error.unique_id, repr(error.frame))


def try_text(text: bytes) -> None:
    assert outcome(text) == outcome(bytearray(text))  # which only the general reader takes
    for tolerance in (codec.Tolerance.STRICT, codec.Tolerance.DEFAULT, codec.Tolerance(*codec.Repair)):
        try:
            frame, _ = codec.repair_frame(text, tolerance)
        except codec.FramingError:
            continue
        try:
            data = codec.serialize(frame)
        except TypeError:  # nested deeper than the writer goes
            continue
        again, repairs = codec.repair_frame(data, tolerance)
        assert again == frame
        assert not repairs or isinstance(frame.unique_id, codec.EchoedId)
        if isinstance(frame, codec.Call):
            try_payload(frame.action, "request", frame.payload)


def try_payload(action: str, kind: codec.Kind, payload: Any) -> None:
    violation = codec.check(action, kind, payload)
    try:
        repaired, repairs = codec.repair_payload(action, kind, payload, codec.Tolerance(*codec.Repair))
    except codec.ValidationError as error:
        assert violation is not None, str(error)  # noqa: PT017
    else:
        assert (violation is None) == (not repairs)
        assert codec.check(action, kind, repaired) is None


def main(seconds: float = 10, seed: int = 1) -> None:
    generator = random.Random(seed)
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for _ in range(200):
            text = generator.randbytes(generator.randrange(60)) if generator.random() < 0.1 else mutated(generator)
            payload = random_value(generator)
            try:
                try_text(text)
                try_payload(generator.choice(ACTIONS), generator.choice(KINDS), payload)
            except BaseException:
                print(f"seed {seed}, text {count}: {text!r}, payload {payload!r}", file=sys.stderr)
                raise
            count += 1
    print(f"{count} texts and payloads, seed {seed}: frames and typed errors only")


if __name__ == "__main__":
    arguments = [*sys.argv[1:], *("10", "1")[len(sys.argv) - 1 :]]
    main(float(arguments[0]), int(arguments[1]))
