"""Errors are the same after they went to another process, as from a pool of those back to who asked."""

import copy
import pickle

import pytest

from ocpp16 import errors
from ocpp16.enums import ErrorCode
from ocpp16.scenario.problems import ScenarioError


@pytest.mark.parametrize(
    "error",
    [
        errors.CallFailed("Authorize", "callerror", "GenericError", "why"),
        errors.Offline("Authorize", "no connection"),
        errors.Refusal(ErrorCode.NOT_SUPPORTED, "no", {"a": 1}),
        errors.ConfigurationError(["a", "b"]),
        errors.HandshakeRefused(503, "busy", "Service Unavailable", 5.0),
        errors.ConnectionClosed(1001, "going away"),
        errors.StoreError("disk full"),
        ScenarioError("a.toml", "[[stage]] 1", "csms", "is missing"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_is_the_same_elsewhere(error: errors.Ocpp16Error) -> None:
    error.add_note("seen by a worker")
    for found in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(found) is type(error)
        assert (str(found), found.args, vars(found)) == (str(error), error.args, vars(error))
