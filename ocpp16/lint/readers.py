"""The table of formats that are read. A new one is a class in a file of its own, and a row here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ocpp16.lint.message_log_html import MessageLogHtml
from ocpp16.lint.message_log_text import MessageLogText
from ocpp16.lint.python_ocpp_log import PythonOcppLog
from ocpp16.lint.reader import Reader
from ocpp16.lint.steve_log import SteveLog
from ocpp16.lint.trace_format import TraceFormat

READERS: Final[Mapping[str, type[Reader]]] = MappingProxyType(
    {kind.name: kind for kind in (TraceFormat, MessageLogHtml, MessageLogText, SteveLog, PythonOcppLog)}
)
"""Name → reader, in the order in which they are asked whether they know a file."""


def reader_for(head: bytes, name: str | None) -> type[Reader]:
    """The one of this name, else the first that knows the beginning of the file, else that of the trace format.
    Raises KeyError for a name that no reader has."""
    if name is not None:
        return READERS[name]
    return next((kind for kind in READERS.values() if kind.knows(head)), TraceFormat)
