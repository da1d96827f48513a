"""Says of each OCPP-J message in a file what it is, and what is wrong with it.

python judge.py traffic.txt
"""

import sys

from ocpp16.codec import Call, CallResult, FramingError, ValidationError, parse, validate


def judged(lines):
    """Yields (line number, what it is, what is wrong or None)."""
    actions = {}  # message id → action: a CALLRESULT does not say what it answers
    for number, line in enumerate(lines, 1):
        try:
            frame = parse(line.strip())
        except FramingError as error:
            yield number, "no message", str(error)
            continue
        match frame:
            case Call(unique_id, action, payload):
                actions[unique_id] = action
                what, kind = action, "request"
            case CallResult(unique_id, payload):
                action = actions.pop(unique_id, None)
                what, kind = f"answer to {action or 'nothing'}", "response"
            case _:  # a CallError
                yield number, f"{frame.code}: {frame.description}", None
                continue
        yield number, what, fault(action, kind, payload)


def fault(action, kind, payload):
    if action is None:
        return "nobody asked"
    try:
        validate(action, kind, payload)
    except ValidationError as error:
        return f"{error.code}: {error}"
    return None


def main(path):
    wrong = 0
    with open(path, encoding="utf-8") as lines:
        for number, what, reason in judged(lines):
            wrong += reason is not None
            print(f"{number:4}  {what:32}  {reason or 'right'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
