"""The page: one row a message, in two lanes, with a script that joins requests and answers and filters.

It is complete after each row: what is open at its end (`body`, `html`) HTML lets end by itself. So rows stream, a
killed process leaves a page, and rotation has nothing to close. It works without a network and, but for filter and
joining, without its script. Whatever comes from outside is escaped; and should that ever fail, the page's policy lets
no script run but its own.
"""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from ocpp16.message_log.record import SENT, WORD_LIMIT, Kind, Record
from ocpp16.message_log.words import body, latency_text, time_text
from ocpp16.texts import shown

GLANCE = 160
"""Characters of a payload that are shown while a row is closed."""
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


def escaped(text: str, limit: int | None = None) -> str:
    """Harmless as content and as the value of an attribute; `limit` in characters before escaping."""
    return (text if limit is None else shown(text, limit)).translate(_ESCAPES)


class HtmlFormat:
    """Parameters: `subject` is what the page is about; `is_raw`: frames as they went over the wire."""

    suffix = ".html"
    end = b">\n"
    """`>` stands in no row but as markup, and there no line ends after it but the last."""
    is_for_events = True

    def __init__(self, subject: str, *, is_raw: bool) -> None:
        self._is_raw = is_raw
        self._subject = escaped(subject, WORD_LIMIT)

    @property
    def opening(self) -> bytes:
        """Made for each file that begins: kept, it would be the greater part of a log, and there may be thousands."""
        style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
        script = Path(__file__).with_name("page.js").read_text(encoding="utf-8")
        return _OPENING.format(
            hash=b64encode(sha256(script.encode()).digest()).decode(),
            subject=self._subject,
            style=style,
            script=script,
        ).encode(errors="backslashreplace")

    def row(self, record: Record) -> bytes:
        time = time_text(record.at)
        day, _, clock = time.removesuffix("Z").partition("T")
        stamp = f'<time datetime="{time}"><span>{day} </span>{clock}</time>'
        if record.kind is Kind.EVENT:
            row = f'<details class="sys"><summary>{stamp}<b>{escaped(record.text, GLANCE)}</b></summary></details>\n'
            return row.encode(errors="backslashreplace")
        lane = "cp" if record.direction == SENT else "csms"
        kind = "error" if record.is_error else "refusal" if record.is_refusal else ""
        asker = "cp" if record.asker == SENT else "csms" if record.asker else ""
        latency = "" if record.latency is None else f"<i>{latency_text(record.latency)}</i>"
        row = (
            f'<details class="{lane} {kind}" data-kind="{record.kind}" data-asker="{asker}"'
            f' data-id="{escaped(record.unique_id, WORD_LIMIT)}"><summary>{stamp}<b>{escaped(record.title, GLANCE)}</b>'
            f"{latency}<q>{escaped(_glance(record), GLANCE)}</q></summary>"
            f"<pre>{escaped(body(record, is_raw=self._is_raw))}</pre></details>\n"
        )
        return row.encode(errors="backslashreplace")


def _glance(record: Record) -> str:
    """The beginning of what matters of a frame, without what the row says already."""
    text = record.text.strip()
    if record.kind is Kind.MALFORMED:
        return text
    if record.kind is Kind.CALLERROR:  # the title has the code
        return ", ".join(part for part in record.frame[3:] if isinstance(part, str) and part)
    start = text.find("{")
    return text[start if start > 0 else 0 :].removesuffix("]")


_OPENING = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
script-src 'sha256-{hash}'">
<title>OCPP messages: {subject}</title>
<style>
{style}</style>
<script>{script}</script>
</head>
<body>
<header>
<h1>{subject}</h1>
<form hidden>
<input type="search" id="filter" placeholder="Filter: words, ids, values …" aria-label="Filter">
<label><input type="checkbox" id="problems"> only problems</label>
<label><input type="checkbox" id="bodies"> open all</label>
<output id="count"></output>
</form>
<p><span class="cp">Charge point</span><span class="csms">Central System</span></p>
</header>
"""
