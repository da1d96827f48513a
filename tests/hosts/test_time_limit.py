"""A thread that must come back waits no longer than its limit, whatever the Central System and trio's thread do."""

import threading
from typing import Any

import pytest
from host_faces import TIMEOUT, Server, Threaded

from ocpp16 import blocking
from ocpp16.enums import SessionStartedReason


def test_what_waits_for_the_central_system_is_let_go(server: Server) -> None:
    server.system.answers["Authorize"] = None  # no answer at all
    with blocking.open_charge_point(server.config(StopTimeout=0), Threaded()) as charge_point:
        charge_point.start()
        charge_point.wait_registered()
        with pytest.raises(TimeoutError, match="time limit of the caller"), blocking.time_limit(0.05):
            charge_point.authorize_id_token("TAG")
        assert charge_point.heartbeat_now(), "the charge point goes on, and the thread has no limit any more"


def test_what_did_not_begin_is_not_done_any_more(server: Server) -> None:
    """Trio's thread is held by the one function of a host's that runs there."""
    held, go_on = threading.Event(), threading.Event()

    def strategy(*arguments: Any) -> Any:
        held.set()
        go_on.wait(TIMEOUT)
        return {}

    document = server.config() | {"SmartCharging": {}}
    with blocking.open_charge_point(document, Charging()) as charge_point:
        charge_point.start()
        charge_point.smart_charging.share_limits(strategy, fuse=32.0)
        thread = threading.Thread(target=_charge, args=(charge_point,))
        thread.start()
        assert held.wait(TIMEOUT)
        with pytest.raises(TimeoutError), blocking.time_limit(0.05):
            charge_point.on_session_started(2, "late", SessionStartedReason.EV_CONNECTED)
        with pytest.raises(TimeoutError), blocking.time_limit(0.05):
            charge_point.stop()
        go_on.set()
        thread.join(TIMEOUT)
        assert charge_point.connector_status(2).status == "Available"
        assert charge_point.is_running
        assert charge_point.transaction(1) is not None


def test_what_came_too_late_to_be_had_in_hand_is_closed_again(server: Server) -> None:
    """Its time is over when it is open, in the middle of what a host does with it."""

    go_on = threading.Event()

    def hold() -> None:
        """Trio's thread."""
        charge_points._house.thread._token.run_sync_soon(go_on.wait, TIMEOUT)  # type: ignore[attr-defined]

    class Late(Threaded):
        def attach(self, charge_point: Any) -> None:
            hold()
            go_on.wait(0.3)
            raise OSError("no hardware")

    with blocking.open_charge_points() as charge_points:
        with pytest.raises(OSError), blocking.time_limit(0.2):
            charge_points.open(server.config(), Late())
        go_on.set()
        for _ in range(1000):
            if len(charge_points) == 0:
                break
            threading.Event().wait(0.01)
        assert len(charge_points) == 0
        charge_point = charge_points.open(server.config(), Threaded())
        go_on.clear()
        hold()
        with pytest.raises(TimeoutError), blocking.time_limit(0):
            charge_points.close(charge_point)
        go_on.set()
        assert list(charge_points) == [charge_point]
        assert charge_points.close(charge_point) is True
        assert not charge_points._house.faces  # type: ignore[attr-defined]


class Charging(Threaded):
    def charging_limit_changed(self, connector_id: int, limit: Any) -> None: ...

    def signal_set_charging_profiles(self) -> None: ...


def _charge(charge_point: Any) -> None:
    charge_point.on_session_started(1, "s", SessionStartedReason.EV_CONNECTED)
    charge_point.on_transaction_started(1, "s", "TAG", 1000)


def test_a_block_in_another_one_has_the_end_that_comes_first(server: Server) -> None:
    server.system.answers["Authorize"] = None
    with blocking.open_charge_point(server.config(StopTimeout=0), Threaded()) as charge_point:
        charge_point.start()
        charge_point.wait_registered()
        with blocking.time_limit(TIMEOUT), pytest.raises(TimeoutError), blocking.time_limit(0.01):
            charge_point.authorize_id_token("TAG")
        with blocking.time_limit(0.01), pytest.raises(TimeoutError), blocking.time_limit(TIMEOUT):
            charge_point.authorize_id_token("TAG")
        with pytest.raises(ValueError), blocking.time_limit(TIMEOUT):
            charge_point.connector_status(99)


@pytest.mark.parametrize("wrong", [-1, float("nan"), True, "5"])
def test_what_is_no_number_of_seconds(wrong: Any) -> None:
    with pytest.raises(ValueError, match="seconds"), blocking.time_limit(wrong):
        pass
