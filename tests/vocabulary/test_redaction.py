"""Secrets are not shown, however they are spelt."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocpp16.redaction import HIDDEN, UNREADABLE, redacted

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
