"""EVerest comes in versions, and so does its framework: commands, variables and functions that are there, or not."""

from collections.abc import Callable

import pytest
from everest_site import NEWER, Site, by_key, variable, warnings


def test_commands_of_a_newer_everest(site: Callable[..., Site], caplog: pytest.LogCaptureFixture) -> None:
    """The framework asks for all of them before it takes a module for ready."""
    here = site(newer=(NEWER, ("main", "make_coffee")), document={"Core": {"HeartbeatInterval": 300}})
    here.begin()
    asked = [variable("HeartbeatInterval"), variable("NoSuch")]
    early = [{"status": "Rejected", "component_variable": it} for it in asked]
    assert here.everest.call(*NEWER, component_variables=asked) == early
    here.everest.all_ready()
    here.everest.evses_ready()
    here.wait_registered()
    assert here.everest.call(*NEWER, component_variables=asked) == [
        {"status": "Accepted", "value": "300", "attribute_type": "Actual", **by_key("HeartbeatInterval")},
        {"status": "UnknownVariable", **by_key("NoSuch")},
    ]
    assert here.ask("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "9"}) == {"status": "Accepted"}
    assert here.everest.wait_published("ocpp_generic", "event_data")["component_variable"] == asked[0]
    assert here.everest.call("main", "make_coffee") is None
    assert "main.make_coffee is a command of a newer EVerest" in warnings(caplog.records)


@pytest.mark.parametrize("says_what_it_has", [True, False])
def test_an_older_everest_has_less(site: Callable[..., Site], says_what_it_has: bool) -> None:
    """And a framework that does not say what there is, is taken to have what this module was made for."""
    older = (("ocpp_generic", "monitor_variables"), ("evse_manager", "powermeter_public_key_ocmf"))
    here = site(older=older if says_what_it_has else (), says_what_it_has=says_what_it_has).start()
    assert (older[0] in here.everest.handlers) is not says_what_it_has
    assert NEWER not in here.everest.handlers
    assert bool(here.everest.subscribed["connector_1", "evse", older[1][1]]) is not says_what_it_has


def test_a_command_without_arguments_may_come_with_none(
    site: Callable[..., Site], caplog: pytest.LogCaptureFixture
) -> None:
    here = site().start()
    assert here.everest.handlers["ocpp_generic", "restart"](None) is False
    assert warnings(caplog.records) == ""


def test_a_framework_without_shutdown(site: Callable[..., Site]) -> None:
    site(shuts_down=False).start()


def test_a_framework_that_does_not_take_the_module(
    site: Callable[..., Site], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = site(newer=(("main", "make_coffee"),), says_what_it_has=False)
    here.module.run()
    assert "EVerest's framework does not take the module: RuntimeError: main does not provide all" in warnings(
        caplog.records
    )
