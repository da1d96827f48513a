"""`ocpp16.codec`, the door for those who want nothing but frames and payloads."""

import copy
import pickle
import subprocess
import sys
from typing import Any

import pytest

from ocpp16 import codec


def test_it_imports_neither_trio_nor_ssl_nor_sqlite3() -> None:
    code = (
        "import sys, ocpp16.codec; "
        "print(sorted({'trio', 'ssl', 'sqlite3', 'wsproto', 'cryptography', 'asyncio'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_parse_and_serialize_are_the_compiled_functions() -> None:
    for function in (codec.parse, codec.serialize, codec.validate):
        assert type(function).__name__ == "cython_function_or_method"
        assert function.__doc__


def test_strict_unless_told_otherwise() -> None:
    payload: dict[str, Any] = {"currentTime": "2026-03-01 12:00:00", "vendor": None}
    with pytest.raises(codec.ValidationError):
        codec.validate("Heartbeat", "response", payload)
    with pytest.raises(codec.ValidationError):
        codec.validate("Heartbeat", "response", payload, tolerant=False)
    codec.validate("Heartbeat", "response", payload, tolerant=True)
    assert payload == {"currentTime": "2026-03-01T12:00:00Z"}


def test_tolerance_does_not_cure_everything() -> None:
    with pytest.raises(codec.ValidationError, match=r"Heartbeat\.conf: currentTime is missing"):
        codec.validate("Heartbeat", "response", {"currentTime": None}, tolerant=True)
    with pytest.raises(codec.ValidationError, match="unknown action"):
        codec.validate("Frobnicate", "response", {}, tolerant=True)
    codec.validate("Heartbeat", "request", None, tolerant=True)


def test_results_go_to_another_process() -> None:
    with pytest.raises(codec.ValidationError) as invalid:
        codec.validate("MeterValues", "request", {"connectorId": 1, "meterValue": [{}]})
    with pytest.raises(codec.FramingError) as unframed:
        codec.parse('[2,5,"Heartbeat",{}]')
    for error in (invalid.value, unframed.value):
        found = pickle.loads(pickle.dumps(error))
        assert (type(found), str(found), vars(found)) == (type(error), str(error), vars(error))
    texts = ('[2,"1","Heartbeat",{}]', '[3,"1",{"a":[1.5]}]', '[4,"1","GenericError","why",{"b":null}]')
    frames = [codec.parse(text) for text in texts]
    assert pickle.loads(pickle.dumps(frames)) == copy.deepcopy(frames) == frames


def test_names_of_carried_messages_are_no_actions() -> None:
    assert len(codec.ACTIONS) == 39
    assert len(codec.CARRIED) == 13
    assert not set(codec.ACTIONS) & set(codec.CARRIED)
    for message in codec.CARRIED.values():
        assert message.name.endswith(f".{message.message_id}")
        codec.validate("DataTransfer", "request", {"vendorId": message.vendor_id, "messageId": message.message_id})


def test_all_names_exist() -> None:
    for name in codec.__all__:
        assert hasattr(codec, name)
