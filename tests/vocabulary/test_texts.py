"""Texts of others are shown on one line, harmless and bounded."""

from hypothesis import given
from hypothesis import strategies as st

from ocpp16.texts import SHOWN_LENGTH, shown

FOREIGN = st.text(st.characters(categories=None, exclude_categories=()), max_size=600)


@given(FOREIGN, st.integers(1, 300))
def test_nothing_that_moves_a_cursor_or_forges_a_line(text: str, limit: int) -> None:
    seen = shown(text, limit)
    assert seen.isprintable()
    assert len(seen) <= limit + len("…(+999999)")


def test_what_is_printable_stays_as_it_is() -> None:
    assert shown("Ladesäule 東京 – 7 kW") == "Ladesäule 東京 – 7 kW"


def test_control_characters_direction_marks_and_surrogates_become_visible() -> None:
    assert shown("\x1b[2Ja\r\nb\u202ec\ud800") == "\\x1b[2Ja\\r\\nb\\u202ec\\ud800"


def test_what_is_left_out_is_said() -> None:
    assert shown("x" * 3000) == "x" * SHOWN_LENGTH + "…(+2745)"


def test_other_values_are_shown_by_their_text() -> None:
    assert shown(None) == "None"
