"""The bus: order of delivery, and what an exception does."""

from dataclasses import FrozenInstanceError

import pytest
from strange_errors import STRANGE

from ocpp16.enums import ChargePointStatus
from ocpp16.state.signals import ClockSet, Connected, ConnectorStatusChanged, Disconnected, Signal, Signals


def test_subscribers_act_in_the_order_of_their_subscription() -> None:
    signals, heard = Signals(), list[str]()
    signals.on(Connected, lambda _: heard.append("first"))
    signals.on(Disconnected, lambda _: heard.append("other"))
    signals.on(Connected, lambda _: heard.append("second"))
    signals.emit(Connected())
    assert heard == ["first", "second"]


def test_a_signal_nobody_hears() -> None:
    Signals().emit(Connected())


def test_the_signal_itself_is_handed_over() -> None:
    signals, heard = Signals(), list[Signal]()
    signals.on(ConnectorStatusChanged, heard.append)
    signal = ConnectorStatusChanged(1, ChargePointStatus.CHARGING)
    signals.emit(signal)
    assert heard == [signal]
    assert heard[0] is signal


def test_what_a_subscriber_emits_comes_after_the_signal_in_hand() -> None:
    signals, heard = Signals(), list[str]()

    def first(_: Connected) -> None:
        heard.append("first")
        signals.emit(ClockSet(1))
        signals.emit(Disconnected())
        heard.append("first is done")

    signals.on(Connected, first)
    signals.on(Connected, lambda _: heard.append("second"))
    signals.on(ClockSet, lambda signal: heard.append(f"clock {signal.shift}"))
    signals.on(Disconnected, lambda _: heard.append("disconnected"))
    signals.emit(Connected())
    assert heard == ["first", "first is done", "second", "clock 1", "disconnected"]


def test_an_exception_reaches_the_emitter_and_ends_the_delivery() -> None:
    signals, heard = Signals(), list[str]()

    def broken(_: Connected) -> None:
        signals.emit(ClockSet(1))
        raise RuntimeError("broken")

    signals.on(Connected, broken)
    signals.on(Connected, lambda _: heard.append("never"))
    signals.on(ClockSet, lambda _: heard.append("never"))
    with pytest.raises(RuntimeError, match="broken"):
        signals.emit(Connected())
    assert heard == []
    # The bus is usable after it, and nothing of before is left.
    signals.on(Disconnected, lambda _: heard.append("disconnected"))
    signals.emit(Disconnected())
    assert heard == ["disconnected"]


def test_with_a_hook_the_others_hear_the_signal_all_the_same() -> None:
    signals, heard, errors = Signals(), list[str](), list[tuple[str, str]]()
    signals.on_error = lambda place, error: errors.append((place, str(error)))

    def broken(_: Connected) -> None:
        signals.emit(ClockSet(1))
        raise RuntimeError("broken")

    signals.on(Connected, broken)
    signals.on(Connected, lambda _: heard.append("second"))
    signals.on(ClockSet, lambda _: heard.append("clock"))
    signals.emit(Connected())
    assert heard == ["second", "clock"]
    assert errors == [("signal Connected", "broken")]
    signals.emit(Connected())
    assert heard == ["second", "clock"] * 2


@pytest.mark.parametrize("kind", STRANGE)
def test_what_is_no_exception_ends_nothing_either(kind: str) -> None:
    signals, heard = Signals(), list[str]()
    signals.on_error = lambda place, error: heard.append(place)

    def broken(_: Connected) -> None:
        raise STRANGE[kind]()

    signals.on(Connected, broken)
    signals.on(Connected, lambda _: heard.append("second"))
    signals.emit(Connected())
    assert heard == ["signal Connected", "second"]


def test_the_hook_is_not_asked_when_a_task_is_to_end() -> None:
    signals, heard = Signals(), list[str]()
    signals.on_error = lambda place, error: heard.append(place)

    def ended(_: Connected) -> None:
        raise KeyboardInterrupt

    signals.on(Connected, ended)
    with pytest.raises(KeyboardInterrupt):
        signals.emit(Connected())
    assert heard == []
    signals.on(Disconnected, lambda _: heard.append("disconnected"))
    signals.emit(Disconnected())
    assert heard == ["disconnected"]


def test_signals_are_values() -> None:
    signal = ClockSet(5)
    assert signal == ClockSet(5, is_first=False)
    with pytest.raises(FrozenInstanceError):
        signal.shift = 6  # type: ignore[misc]


def test_buses_are_independent() -> None:
    one, other, heard = Signals(), Signals(), list[str]()
    one.on(Connected, lambda _: heard.append("one"))
    other.emit(Connected())
    assert heard == []
