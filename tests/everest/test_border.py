"""What comes from EVerest is read member by member; what is wrong is named, and nothing else is lost."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from ocpp16.enums import Reason
from ocpp16.everest.border import MOST, Part, rfc3339
from ocpp16.log import FoldingLog

READ: list[tuple[str, Any, Any, Any]] = [
    ("text", "a", "a", [5, None, ["a"], "\ud800"]),
    ("number", 1.5, 1.5, ["1", True, float("nan"), 10**400]),
    ("whole", 7, 7, [7.0, True, 2**31, "7"]),
    ("flag", True, True, [1, "true", 0]),
    ("time", "2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC), ["2026-01-01", "x", 5, "2026-01-01T00:00:00"]),
]


def part(value: Any) -> Part:
    return Part(value, "it", FoldingLog("", lambda: 0.0))


@pytest.mark.parametrize(("kind", "right", "expected", "wrong"), READ)
def test_a_member(kind: str, right: Any, expected: Any, wrong: list[Any], caplog: pytest.LogCaptureFixture) -> None:
    assert getattr(part({"a": right}), kind)("a") == expected
    assert caplog.text == ""
    for value in wrong:
        caplog.clear()
        assert getattr(part({"a": value, "b": right}), kind)("a") is None
        assert value is None or "from EVerest: it.a must be" in caplog.text
        assert getattr(part({"a": value, "b": right}), kind)("b") == expected
    caplog.clear()
    assert getattr(part({}), kind)("a") is None
    assert caplog.text == ""
    assert getattr(part({}), kind)("a", is_needed=True) is None
    assert "it.a is missing" in caplog.text


def test_words_parts_and_lists(caplog: pytest.LogCaptureFixture) -> None:
    whole = part(
        {"word": "Local", "wrong": "Magic", "part": {"x": 1}, "list": [{"x": 1}, 5, None, {"x": 2}], "t": ["a", 1]}
    )
    assert whole.word(Reason, "word") is Reason.LOCAL
    assert whole.word(Reason, "wrong") is None
    inner = whole.part("part")
    assert inner is not None
    assert (inner.place, inner.whole("x")) == ("it.part", 1)
    assert [one.whole("x") for one in whole.parts("list")] == [1, None, 2]
    assert whole.texts("t") == ["a"]
    assert whole.part("word") is None
    assert whole.parts("word") == []
    assert part({"many": [{}] * (MOST + 1)}).parts("many") == []
    for place in ("it.wrong", "it.list[1] must be an object", "it.t[1] must be text", "it.word must be", "it.many"):
        assert place in caplog.text, place
    assert part(5).text("a") is None
    assert "it must be an object, not 5" in caplog.text


def test_times_are_written_as_everest_writes_them() -> None:
    here = datetime(2026, 1, 1, 2, 3, 4, 567_890, tzinfo=timezone(timedelta(hours=2)))
    assert rfc3339(here) == "2026-01-01T00:03:04.567Z"
