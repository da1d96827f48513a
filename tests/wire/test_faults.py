"""Faults as data: read from a table, from words of a command line, and refused by the name of the field."""

from typing import Any

import pytest

from ocpp16.errors import ConfigurationError
from ocpp16.wire import Fault, Junk, Way, WireFaults, Word


def test_values_alone_mean_what_a_word_needs() -> None:
    found = WireFaults.load({"latency": 0.2, "drop": 0.01, "raw": ["[2]"], "cut": {"every": 60}})
    assert found.faults == (
        Fault(word=Word.LATENCY, seconds=0.2),
        Fault(word=Word.DROP, probability=0.01),
        Fault(word=Word.RAW, way=Way.OUT, texts=("[2]",), is_once=True, probability=1.0),
        Fault(word=Word.CUT, every=60),
    )


def test_a_direction_beside_the_words_is_that_of_all_without_their_own() -> None:
    found = WireFaults.load({"drop": 0.5, "direction": "in", "duplicate": {"probability": 0.1, "direction": "out"}})
    assert [(fault.word, fault.way) for fault in found.faults] == [(Word.DROP, Way.IN), (Word.DUPLICATE, Way.OUT)]


def test_garbage_and_raw_texts_are_ours_unless_said_otherwise() -> None:
    found = WireFaults.load({"garbage": {"probability": 0.1, "kind": "utf8"}, "raw": ["x"], "half_open": 0.1})
    assert [fault.way for fault in found.faults] == [Way.OUT, Way.OUT, Way.BOTH]
    assert found.faults[0].junk is Junk.UTF8


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"latncy": 1}, "no word latncy; did you mean latency?"),
        ({"latency": "much"}, "faults.latency must be a finite number"),
        ({"latency": -1}, "faults.latency must be seconds from 0 to 3600, not -1"),
        ({"drop": 1.5}, "faults.drop must be a probability from 0 to 1, not 1.5"),
        ({"drop": {"probability": 0.1, "direction": "up"}}, "faults.drop.direction must be one of out, in, both"),
        ({"drop": {"propability": 0.1}}, "faults.drop: no member propability; did you mean probability?"),
        ({"drop": {"probability": 0.1, "every": 2}}, "faults.drop: either probability or every, not both"),
        ({"drop": {"direction": "in"}}, "faults.drop needs probability or every"),
        ({"cut": {"every": 0}}, "faults.cut must be seconds from 0.01"),
        ({"raw": []}, "faults.raw must have 1 to 1,000 texts, not 0"),
        ({"raw": ["ok", 7]}, "faults.raw[1] must be text"),
        ({"garbage": {"probability": 0.1, "kind": "noise"}}, "faults.garbage.kind must be one of text, json"),
        ({"refuse": {"probability": 0.1, "status": 200}}, "faults.refuse.status must be a whole number from 300"),
        ({"direction": "sideways", "drop": 0.1}, "faults.direction must be one of"),
        ([("drop", 0.1)], "faults must be a mapping"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_field(given: Any, says: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        WireFaults.load(given)
    assert says in str(refused.value)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as refused:
        WireFaults.load({"drop": 2, "cut": -1, "fog": 1})
    assert len(refused.value.problems) == 3


def test_words_of_a_command_line() -> None:
    found = WireFaults.read(
        ["latency=0.2,jitter=0.1", "drop=0.01,direction=in", "cut,every=60", 'raw=[2,"x","Heartbeat",{}]']
    )
    assert found.faults == (
        Fault(word=Word.LATENCY, seconds=0.2),
        Fault(word=Word.JITTER, seconds=0.1),
        Fault(word=Word.DROP, probability=0.01, way=Way.IN),
        Fault(word=Word.CUT, every=60),
        Fault(word=Word.RAW, way=Way.OUT, texts=('[2,"x","Heartbeat",{}]',), is_once=True, probability=1.0),
    )


@pytest.mark.parametrize(
    ("group", "says"),
    [
        ("drop", "faults.drop needs probability or every"),
        ("every=5", "has no word"),
        ("latency=0.1,every=5", "every means nothing to latency"),
        ("drop=often", "faults.drop must be a finite number"),
        ("dorp=0.1", "no word dorp; did you mean drop?"),
        ("", "has no word"),
    ],
)
def test_words_that_mean_nothing_are_refused(group: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        WireFaults.read([group])
    assert says in str(refused.value)
