"""The end of the module, and what the next one finds."""

from collections.abc import Callable

import pytest
from everest_site import Site, event, warnings


def test_it_can_be_ended_at_any_time(site: Callable[..., Site]) -> None:
    for number, far in enumerate(("begun", "ready", "evses", "started")):
        here = site(identity=f"CP{number}")
        here.begin()
        if far != "begun":
            here.everest.all_ready()
        if far in {"evses", "started"}:
            here.everest.evses_ready()
        if far == "started":
            here.wait_registered()
        here.close()
        assert here.code == 0


def test_a_module_that_ends_leaves_transactions_to_the_next_start(site: Callable[..., Site]) -> None:
    """EVerest ends, and with it whoever could end them; of the sessions it resumes some."""
    first = site(document={"Internal": {"StopTimeout": 60}}).start()
    first.plug_in(session="goes-on")
    first.plug_in(2, session="does-not", tag="TAG2")
    first.everest.wait(lambda: len(first.everest.values("ocpp_generic", "ocpp_transaction_event")) >= 4)
    first.close()
    assert first.code == 0
    assert first.everest.called("connector_1", "stop_transaction") == []
    second = site()
    second.begin()
    second.tell(1, event("SessionResumed", "goes-on"))
    second.everest.all_ready()
    second.everest.evses_ready()
    assert (
        second.wait_call("StopTransaction")["transactionId"],
        second.server.payload("StopTransaction")["reason"],
    ) == (
        2,
        "PowerLoss",
    )
    second.tell(
        1, event("TransactionFinished", "goes-on", transaction_finished=second.finished()["transaction_finished"])
    )
    assert second.wait_call("StopTransaction", 2)["transactionId"] == 1


def test_what_is_told_is_taken_still_when_the_module_ends(site: Callable[..., Site]) -> None:
    here = site().start()
    here.status(2, "Available")
    here.tell(1, event("Disabled", ""))
    here.close()
    here.server.do(here.server.system.wait_disconnected, "CP1")
    assert here.status(1, "Unavailable")


def test_the_module_of_before_may_be_ending_still(site: Callable[..., Site], caplog: pytest.LogCaptureFixture) -> None:
    """A manager that ends does not wait for its modules, and the next one begins at once."""
    first = site().start()
    second = site()
    second.begin()
    second.everest.all_ready()
    second.everest.evses_ready()
    second.until(lambda: "it is tried again for some seconds" in warnings(caplog.records))
    first.close()
    second.wait_registered()


def test_a_shutdown_of_everest_waits_for_the_module(site: Callable[..., Site]) -> None:
    here = site().start()
    here.plug_in()
    here.wait_call("StartTransaction")
    here.everest.shut_down()
    here.until(lambda: here.code == 0)
    here.server.do(here.server.system.wait_disconnected, "CP1")
