"""What must not be shown in a trace of messages: the value of a ChangeConfiguration for AuthorizationKey."""

import re

_HIDES = "authorizationkey"
_VALUE = re.compile(r'("value"\s*:\s*")(?:[^"\\]|\\.)*(")')

HIDDEN = "***"


def redacted(text: str) -> str:
    """`text` of a frame with the values of secrets hidden; most frames come back as they are."""
    if _HIDES not in text.lower():
        return text
    return _VALUE.sub(rf"\g<1>{HIDDEN}\g<2>", text)
