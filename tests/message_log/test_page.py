"""The page in a browser: requests and answers are joined, the filter works, nothing of others runs."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from ocpp16.message_log.html import HtmlFormat
from ocpp16.message_log.record import RECEIVED, SENT, Kind, Reader, Record

BROWSER = next((found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None)
EVIL = "</pre></details><script>document.title='caught'</script><img src=x onerror=\"document.title='caught'\">"

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium here (ci/test installs Debian's where it may)")


def page(folder: Path) -> Path:
    reader, form = Reader(), HtmlFormat("cp001", is_raw=False)
    told: list[tuple[str, object]] = [
        (SENT, [2, "1", "Heartbeat", {}]),
        (RECEIVED, [2, "1", "ClearCache", {}]),  # the same id, asked by the other side
        (RECEIVED, [3, "1", {"currentTime": "2026-01-01T00:00:00Z"}]),
        (SENT, [3, "1", {"status": "Rejected"}]),
        (SENT, [2, "2", "MeterValues", {"connectorId": 4711}]),
        (RECEIVED, [2, EVIL, EVIL, {EVIL: EVIL}]),
        (SENT, [4, EVIL, EVIL, EVIL, {}]),
        (RECEIVED, EVIL),
    ]
    rows = [form.opening, form.row(Record(0, Kind.EVENT, EVIL))]
    for number, (direction, frame) in enumerate(told):
        text = frame if isinstance(frame, str) else json.dumps(frame)
        rows.append(form.row(reader.read(number, 0, number / 8, direction, text)))
    path = folder / "page.html"
    path.write_bytes(b"".join(rows) + b'<details class="cp " data-kind="CA')  # killed in the middle of a row
    return path


def shown(path: Path, address: str = "") -> tuple[str, list[dict[str, Any]]]:
    """The title, and the rows as the browser has them when the script has run."""
    assert BROWSER is not None
    profile = f"--user-data-dir={path.parent / 'browser'}"
    command = [
        BROWSER,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        profile,
        "--dump-dom",
        f"{path.as_uri()}{address}",
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=100)
    title = re.search("<title>(.*?)</title>", done.stdout)
    assert title is not None
    rows = []
    for tag, content in re.findall(r"<details ([^>]*)>(.*?)</details>", done.stdout, re.DOTALL):
        rows.append(
            {
                "id": "".join(re.findall(r'\bid="(m\d+)"', tag)),
                "classes": re.findall(r'class="([^"]*)"', tag)[0].split(),
                "is_hidden": re.search(r"\bhidden\b", tag) is not None,
                "name": unescape(re.sub("<.*?>", "", re.findall(r"<b>(.*?)</b>", content, re.DOTALL)[0])),
                "corner": unescape(re.sub("<.*?>", "", "".join(re.findall(r"<i>(.*?)</i>", content, re.DOTALL)))),
                "twin": "".join(re.findall(r'href="#(m\d+)"', content)),
            }
        )
    return title[1], rows


def visible(rows: list[dict[str, Any]]) -> list[str]:
    return [row["name"] for row in rows if not row["is_hidden"]]


@pytest.mark.timeout(300)
def test_requests_and_answers_are_joined_and_nothing_of_others_runs(tmp_path: Path) -> None:
    title, rows = shown(page(tmp_path))
    assert title == "OCPP messages: cp001"
    named = {row["name"]: row for row in rows}
    heartbeat, its_answer = named["Heartbeat"], named["HeartbeatResponse"]
    assert (heartbeat["twin"], its_answer["twin"]) == (its_answer["id"], heartbeat["id"])
    assert (heartbeat["corner"], its_answer["corner"]) == ("250 ms ↓", "↑ 250 ms")
    assert named["ClearCache"]["twin"] == named["ClearCacheResponse"]["id"]
    assert "refusal" in named["ClearCacheResponse"]["classes"]
    assert (named["MeterValues"]["twin"], named["MeterValues"]["corner"]) == ("", "no answer")
    assert "error" in named["(no OCPP message)"]["classes"]
    assert len(rows) >= 9
    assert all(not row["is_hidden"] for row in rows)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("#filter=4711", ["MeterValues"]),
        ("#filter=heartbeat", ["Heartbeat", "HeartbeatResponse"]),
        ("#filter=2026-01-01T00 currentTIME", ["Heartbeat", "HeartbeatResponse"]),
        ("#filter=ClearCache%20Heartbeat", []),
    ],
)
def test_the_filter_shows_a_row_with_its_request_or_answer(tmp_path: Path, address: str, expected: list[str]) -> None:
    _, rows = shown(page(tmp_path), address)
    assert visible(rows) == expected


@pytest.mark.timeout(300)
def test_only_problems(tmp_path: Path) -> None:
    _, rows = shown(page(tmp_path), "#problems")
    found = visible(rows)
    assert {"ClearCache", "ClearCacheResponse", "MeterValues", "(no OCPP message)"} <= set(found)
    assert "Heartbeat" not in found
