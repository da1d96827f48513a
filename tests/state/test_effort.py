"""Work is counted by the turn."""

from ocpp16.state.effort import Effort


class Now:
    def __init__(self) -> None:
        self.seconds = 7.0

    def monotonic(self) -> float:
        return self.seconds


def test_what_is_much_is_so_until_the_next_turn() -> None:
    now = Now()
    effort = Effort(now, 10)
    assert not effort.is_much(10)
    assert effort.is_much(11)
    effort.note(6)
    now.seconds += 0.001
    assert (effort.is_much(4), effort.is_much(5)) == (False, True)
    effort.note(100)
    assert effort.is_much(0)
    now.seconds += 0.001
    assert not effort.is_much(10)
