"""Whatever the peer sends, the session goes on."""

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from ocpp16._core import CallError, ValidationError

if TYPE_CHECKING:
    from tests.rpc.conftest import Line

LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=40)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner), max_leaves=8
)
IDS = st.sampled_from(["id-1", "cs-1", "", "x" * 50, 7, 1.5, None, "\u00e9"]) | VALUES
ACTIONS = st.sampled_from(["Reset", "GetConfiguration", "DataTransfer", "Invented", "", 3]) | VALUES
FRAMES = st.one_of(
    st.tuples(st.just(2), IDS, ACTIONS, VALUES),
    st.tuples(st.just(3), IDS, VALUES),
    st.tuples(st.just(4), IDS, ACTIONS, VALUES, VALUES),
    st.lists(VALUES, max_size=6),
).flatmap(lambda frame: st.integers(0, len(frame)).map(lambda cut: list(frame)[: cut or None]))
TEXTS = st.one_of(
    FRAMES.map(json.dumps),
    FRAMES.map(json.dumps).flatmap(lambda text: st.integers(0, len(text)).map(lambda cut: text[:cut])),
    st.text(),
    st.binary(),
)


@settings(max_examples=150, derandomize=True, database=None, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=5), action=st.sampled_from(["Authorize", "StartTransaction"]))
def test_the_session_survives_any_text(new_line: "type[Line]", texts: list[str | bytes], action: str) -> None:
    line = new_line()
    line.put(action, waits=action == "Authorize")
    line.take()
    for text in texts:
        call = line.session.receive(text, line.now)
        if call is not None:
            with suppress(ValidationError):
                assert isinstance(line.session.validate_request(call), dict)
            line.session.reply(CallError(call.unique_id, "GenericError"), call=call)
        replies = line.session.waiting_replies
        for _ in range(replies):
            assert line.frame().data.startswith(b"[4,")
    assert line.session.calls_in_work == 0
    line.lose()
    line.connect()
    line.put("BootNotification")
    assert line.take() == ["BootNotification"]


@settings(max_examples=100, derandomize=True, database=None, deadline=None)
@given(text=TEXTS)
def test_only_a_call_is_answered(new_line: "type[Line]", text: str | bytes) -> None:
    line = new_line()
    line.put("Heartbeat")
    line.take()
    line.session.receive(text, line.now)
    if line.session.waiting_replies:
        start = text if isinstance(text, str) else text.decode("latin-1")
        assert start.replace(" ", "").startswith("[2,")
