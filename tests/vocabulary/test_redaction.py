"""Secrets are not shown, however they are spelt."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocpp16.redaction import HIDDEN, UNREADABLE, redacted, redacted_prose

SECRET = "s3cr3t-P4ssw0rd"
NAME = "AuthorizationKey"


def spelt(text: str, escapes: list[bool], cases: list[bool]) -> str:
    """A JSON string that means `text` in some case, with some of its letters escaped."""
    letters = []
    for letter, is_escaped, is_upper in zip(text, escapes, cases, strict=True):
        letter = letter.upper() if is_upper else letter.lower()
        letters.append(f"\\u{ord(letter):04x}" if is_escaped else letter)
    return '"' + "".join(letters) + '"'


FLAGS = st.lists(st.booleans(), min_size=len(NAME), max_size=len(NAME))
VALUES: list[Any] = [SECRET, [SECRET], {"x": SECRET}, [[SECRET]], {SECRET: 1}]


@settings(deadline=None, derandomize=True, database=None)
@given(
    FLAGS, FLAGS, st.sampled_from(VALUES), st.booleans(), st.sampled_from(["key", "Key", "KEY"]), st.integers(0, 200)
)
def test_whatever_the_spelling_and_wherever_it_is_cut(
    escapes: list[bool], cases: list[bool], value: Any, is_first: bool, key: str, cut: int
) -> None:
    members = [f'"{key}":{spelt(NAME, escapes, cases)}', f'"value":{json.dumps(value)}']
    if is_first:
        members.reverse()
    for text in (
        f'[2,"1","ChangeConfiguration",{{{",".join(members)}}}]',
        f'[3,"1",{{"configurationKey":[{{"readonly":false,{",".join(members)}}}]}}]',
        f'[4,"1","GenericError","",{{{",".join(members)}}}]',
    ):
        assert SECRET not in redacted(text)
        json.loads(redacted(text))
    change = f'[2,"1","ChangeConfiguration",{{{",".join(members)}}}]'
    assert SECRET not in redacted(change[:cut]) or cut >= len(change)


MEMBERS = ["key", "value", "readonly", "configurationKey", "unknownKey", "vendorId", "data", NAME, "Key", SECRET, "x"]
TEXTS = st.sampled_from(
    [NAME, SECRET, SECRET, "x", f"{NAME} {SECRET}", f"{SECRET} is no {NAME}", "HeartbeatInterval", ""]
)
LEAVES = st.one_of(TEXTS, st.booleans(), st.none(), st.integers(0, 9))


def objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """JSON objects as text, with members in any order and number."""
    pairs = st.lists(st.tuples(st.sampled_from(MEMBERS).map(json.dumps), inner), max_size=4)
    return pairs.map(lambda members: "{" + ",".join(f"{name}:{value}" for name, value in members) + "}")


JSON = st.recursive(
    LEAVES.map(json.dumps),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: "[" + ",".join(items) + "]"),
        objects(inner),
        inner.map(json.dumps),  # JSON in JSON
    ),
    max_leaves=12,
)
BEGINNINGS = [
    "[",
    "",
    '[2,"1",',
    '[2,"1","ChangeConfiguration",',
    '[3,"1",',
    '[4,"1","GenericError",',
    '[4,"1","GenericError","",',
]


@settings(deadline=None, derandomize=True, database=None, max_examples=3000)
@given(st.sampled_from(BEGINNINGS), JSON, st.lists(JSON, max_size=2), st.integers(0, 400))
def test_no_shape_of_json_lets_a_secret_through(beginning: str, first: str, more: list[str], cut: int) -> None:
    text = beginning + ",".join([first, *more]) + ("]" if beginning.startswith("[") else "")
    for part in (text, text[:cut]):
        if NAME in part:
            assert SECRET not in redacted(part)


@pytest.mark.parametrize(
    "shape",
    [
        '{"key":{"a":"AuthorizationKey"},"value":"%s"}',
        '{"key":["AuthorizationKey"],"value":"%s"}',
        '{"keys":"AuthorizationKey","value":"%s"}',
        '{"name":"AuthorizationKey","value":"%s"}',
        '["%s","AuthorizationKey"]',
        '{"key":"AuthorizationKey"},{"value":"%s"}',
        '{"AuthorizationKey":"x","value":"%s"}',
        '{"key":"AuthorizationKey","readonly":"%s"}',
        '{"k":{"key":"AuthorizationKey"},"v":{"value":"%s"}}',
        '{"key":"Authorization\\u200bKey","value":"%s"}',
        '{"key":"\\uff21uthorization-Key ","value":"%s"}',
        '{"key":"Author\\u0130zation\\u0000Key","value":"%s"}',
        '"{\\"key\\":\\"\\\\u0041uthorizationKey\\",\\"value\\":\\"%s\\"}"',
        '{"data":"\\\\u005c\\\\u005cu0041uthorizationKey %s"}',
        '{"key":"HeartbeatInterval","value":"%s"},"AuthorizationKey"',
    ],
)
@pytest.mark.parametrize("frame", ['[2,"1","ChangeConfiguration",%s]', '[3,"1",%s]', "%s", '[2,"1",%s', "key=%s"])
def test_shapes_that_frames_do_not_have(frame: str, shape: str) -> None:
    assert SECRET not in redacted(frame % (shape % SECRET))


def test_a_list_of_keys_is_shown_but_for_the_secret() -> None:
    entries = [
        {"key": "HeartbeatInterval", "readonly": False, "value": "300"},
        {"key": "vendor.colour2", "readonly": True, "value": "red"},
        {"key": "AuthorizationKey", "readonly": False, "value": SECRET},
    ]
    shown = redacted(json.dumps([3, "1", {"configurationKey": entries, "unknownKey": ["NoSuchKey", SECRET]}]))
    entries[2]["value"] = HIDDEN
    assert json.loads(shown) == [3, "1", {"configurationKey": entries, "unknownKey": ["NoSuchKey", HIDDEN]}]


def test_prose_that_names_a_secret_is_not_shown() -> None:
    assert redacted_prose("KeyError: 'key'") == "KeyError: 'key'"
    assert SECRET not in redacted_prose(f"cannot set Authorization-Key to {SECRET}")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('[2,"1","Heartbeat",{}]', '[2,"1","Heartbeat",{}]'),
        (
            '[2,"1","ChangeConfiguration",{"key":"HeartbeatInterval","value":"5"}]',
            '[2,"1","ChangeConfiguration",{"key":"HeartbeatInterval","value":"5"}]',
        ),
        (
            '[2,"1","GetConfiguration",{"key":["AuthorizationKey","HeartbeatInterval"]}]',
            '[2,"1","GetConfiguration",{"key":["AuthorizationKey","HeartbeatInterval"]}]',
        ),
        (
            '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":12345}]',
            '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"***"}]',
        ),
        (
            '[2,"1","ChangeConfiguration",{"key":"x","key":"AuthorizationKey","key":"y","value":"s"}]',
            '[2,"1","ChangeConfiguration",{"key":"x","key":"AuthorizationKey","key":"y","value":"***"}]',
        ),
        (
            '[4,"1","PropertyConstraintViolation","AuthorizationKey s3cr3t is too short",{}]',
            '[4,"1","PropertyConstraintViolation","AuthorizationKey***",{}]',
        ),
        (
            '[2,"1","ChangeConfiguration",["AuthorizationKey","s"]]',
            '[2,"1","ChangeConfiguration",["AuthorizationKey","***"]]',
        ),
        ('[2,"1","X",{"AuthorizationKey":"s"}]', '[2,"1","X",{"AuthorizationKey":"***"}]'),
        ('[2,"1","ChangeConfiguration",{"value":"s","key":"Auth', UNREADABLE),
        ("AuthorizationKey = s", UNREADABLE),
        ('{"AuthorizationKey":' * 5000, UNREADABLE),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert redacted(text) == shown


def test_the_mark_is_one() -> None:
    assert HIDDEN == "***"


@pytest.mark.parametrize(
    "payload",
    [
        {"value": SECRET},
        {"key": 5, "value": SECRET},
        {"key": [], "value": SECRET},
        {"key": "Author\u0131zationKey", "value": SECRET},
        {"key": "\u0410uthorizationKey", "value": SECRET},
        {"key": "AuthorisationKey", "value": SECRET},
        {"keyy": "x", "value": SECRET},
        [SECRET],
        SECRET,
    ],
)
@pytest.mark.parametrize("action", ["ChangeConfiguration", "changeConfiguration ", r"Change\u0043onfiguration"])
def test_a_change_of_who_knows_which_key_is_not_shown(action: str, payload: Any) -> None:
    assert SECRET not in redacted(f'[2,"1","{action}",{json.dumps(payload, ensure_ascii=False)}]')


def test_a_change_of_a_key_by_a_plain_name_is_shown() -> None:
    for key in ("HeartbeatInterval", "Custom.Key_1", "x", ""):
        frame = json.dumps([2, "1", "ChangeConfiguration", {"key": key, "value": "300"}])
        assert redacted(frame) is frame


def test_values_of_the_hosts_own_secrets_are_hidden_and_nothing_else_is() -> None:
    def seen(text: str) -> str:
        return redacted(text, frozenset({"pin"}))

    assert seen('[2,"1","ChangeConfiguration",{"key":"PIN","value":"0000"}]') == (
        '[2,"1","ChangeConfiguration",{"key":"PIN","value":"***"}]'
    )
    assert "0000" not in seen('[2,"1","changeConfiguration",{"\\u006bey":"P\\u0069n","value":["0000"]},1]')
    listed = '[3,"1",{"configurationKey":[{"key":"Pin","readonly":false,"value":"0000"},{"key":"A","value":"1111"}]}]'
    assert "0000" not in seen(listed)
    assert "1111" in seen(listed)
    for harmless in (
        '[2, "1", "ChangeConfiguration", {"key": "Spinning", "value": "0000"}]',
        '[2, "1", "DataTransfer", {"vendorId": "key", "data": "Pin"}]',
        '[2,"1","Heartbeat",{}]',
    ):
        assert seen(harmless) is harmless


def test_what_is_shown_has_a_form_in_utf_8() -> None:
    text = redacted('[2,"\\ud800","ChangeConfiguration",{"key":"AuthorizationKey","value":"x"}]')
    assert json.loads(text.encode())[1] == "\ud800"


@pytest.mark.timeout(60)  # it takes a fraction of a second
@pytest.mark.parametrize("filler", ["\\", "\\u", "\\\\u005", "authorization ", "authorization_"])
def test_a_long_frame_is_read_in_one_pass(filler: str) -> None:
    """Where each character were looked at once for each other, this would take hours."""
    text = filler * (4_000_000 // len(filler))
    assert redacted(text + " AuthorizationKey") == UNREADABLE
    assert redacted_prose(text + "\\\\u0041uthorizationKey") != text


@pytest.mark.parametrize(
    ("frame", "harmless"),
    [
        ('[2,"1","X",{"a":"ftp://u:PW@h/x","b":"k@l"}]', '[2,"1","X",{"a":"ftp://***@h/x","b":"k@l"}]'),
        ('[2,"1","X",{"a":"ftp:\\/\\/u:PW\\u0040h"}]', '[2,"1","X",{"a":"ftp:\\/\\/***@h"}]'),
        ('[2,"1","X",{"a":"ftp\\u003A\\u002f\\u002Fu:PW@h"}]', '[2,"1","X",{"a":"ftp\\u003A\\u002f\\u002F***@h"}]'),
        ('[2,"1","X",{"a":"ftp://u:P W\\"@PW/@h"}]', '[2,"1","X",{"a":"ftp://***@h"}]'),
        ('[2,"1","X",{"a":"ftp://u:PW@h', '[2,"1","X",{"a":"ftp://***@h'),
        ("ftp://u:PW@h and ftp://h", "ftp://***@h and ftp://h"),
    ],
)
def test_who_logs_in_by_a_url_is_hidden(frame: str, harmless: str) -> None:
    assert redacted(frame) == harmless
    assert redacted_prose(frame) == harmless


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("no such URL: ftp://user:P W@host/x", "no such URL: ftp://***@host/x"),
        ("bad 'ftp://user:P\"W@host/x'", "bad 'ftp://***@host/x'"),
        ("bad 'ftp://user:P'W/ P@W@host/x'", "bad 'ftp://***@host/x'"),
        ("ftp://user:12 PW@host/x and a@b", "ftp://***@host/x and a@b"),
        ("ftp://u:P/W W@host", "ftp://***@host"),
        ("ftp://u:PW@h failed, mail a@b", "ftp://***@h failed, mail a@b"),
        ("ftp://h:21/x failed\nmail a@b", "ftp://h:21/x failed\nmail a@b"),
        ("http://h:80/x said: mail a@b", "http://h:80/x said: mail a@b"),
    ],
)
def test_who_logs_in_by_a_url_in_prose_is_hidden(text: str, harmless: str) -> None:
    assert redacted_prose(text) == harmless


@pytest.mark.parametrize(
    "text", ["a@b", '["http://h","a@b"]', "http://h/ a@b", "wss://h/ocpp", '{"a":"@://"}', "\\u0040"]
)
def test_what_has_no_login_comes_back_as_it_is(text: str) -> None:
    assert redacted(text) is text
    assert redacted_prose(text) is text


@pytest.mark.parametrize(
    "text",
    ["://" * 100_000, '"\\"' * 100_000, "\\" * 300_000, ":\\\\/" * 100_000, '"@' * 100_000, "://h " * 100_000],
    ids=range(6),
)
def test_a_frame_of_nothing_but_slashes_is_read_once(text: str) -> None:
    """In steps that grow with its length: the test ends."""
    assert len(redacted_prose("@" + text)) <= len(text) + 1
    assert redacted_prose(text + "/@")
