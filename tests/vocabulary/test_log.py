"""The log: repeats of a cause are folded, nothing of others forges a line."""

import logging

import pytest
from strange_errors import STRANGE

from ocpp16.log import FoldingLog
from ocpp16.rpc.folding import VARIANTS


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "ocpp16")
    return caplog


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_one_cause_is_told_once_a_minute_with_its_number(lines: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    log = FoldingLog("cp", clock)
    assert [log.warning("%d is late", 1) for _ in range(1000)] == [True] + [False] * 999
    clock.now = 60
    assert log.warning("%d is late", 1)
    assert lines.messages == ["cp: 1 is late", "cp: 1 is late (and 999 times more since it was told)"]


def test_of_varied_noise_a_few_are_told(lines: pytest.LogCaptureFixture) -> None:
    log = FoldingLog("cp", Clock())
    for number in range(1000):
        log.info("refused: %s", number)
        log.error("other")
    assert len(lines.messages) == VARIANTS + 1


def test_causes_are_told_apart_by_text_and_subject(lines: pytest.LogCaptureFixture) -> None:
    log = FoldingLog("", Clock())
    for _ in range(3):
        for number in range(20):
            log.error("late", about=number)
    assert lines.messages == ["late"] * 20


def test_what_is_not_shown_is_not_kept() -> None:
    logging.getLogger("ocpp16").setLevel(logging.WARNING)
    try:
        log = FoldingLog("cp", Clock())
        assert not log.info("x")
        assert log._folding is None
    finally:
        logging.getLogger("ocpp16").setLevel(logging.NOTSET)


def test_nothing_of_others_forges_a_line(lines: pytest.LogCaptureFixture) -> None:
    log = FoldingLog("c\np", Clock())
    log.error(
        "%s: %.1f s", "a\r\nERROR \x1b[2J" + "x" * 2000, 1.25, error=ValueError("y\nERROR forged\u202e" + "y" * 20_000)
    )
    first, *traceback = logging.Formatter().format(lines.records[0]).split("\n")
    assert first == lines.messages[0]
    assert first.startswith("c\\np: a\\r\\nERROR \\x1b[2Jxxx")
    assert ": 1.2 s" in first
    assert len(first) < 350
    assert traceback[0] == "Traceback:"
    assert all(line.startswith("  ") for line in traceback[1:])
    assert len("".join(traceback)) < 500


def test_the_record_names_who_wrote_it(lines: pytest.LogCaptureFixture) -> None:
    FoldingLog("cp", Clock()).error("x")
    assert lines.records[0].funcName == "test_the_record_names_who_wrote_it"


@pytest.mark.parametrize("kind", STRANGE)
def test_a_handler_of_the_host_may_raise(kind: str) -> None:
    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise STRANGE[kind]()

    handler = Handler()
    logging.getLogger("ocpp16").addHandler(handler)
    try:
        assert FoldingLog("cp", Clock()).error("x", error=ValueError())
    finally:
        logging.getLogger("ocpp16").removeHandler(handler)
