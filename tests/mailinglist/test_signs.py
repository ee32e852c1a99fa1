"""Which signs a text about a person may hold."""

import pytest

from mailinglist import signs


@pytest.mark.parametrize(
    ("text", "one_line", "control"),
    [
        ("Ada L.", True, None),
        ("A\x00", False, "\x00"),
        ("A\x9fb", False, "\x9f"),
        ("two\nlines\t", False, None),
        ("two\nlines", True, "\n"),
        ("A\u2028B", True, "\u2028"),
    ],
)
def test_the_first_control_character_is_found(text: str, one_line: bool, control: str | None) -> None:
    assert signs.first_control(text, one_line=one_line) == control


@pytest.mark.parametrize(("text", "is_text"), [("Zoë 🙂", True), ("\ud800", False), ("a\udfff", False)])
def test_half_of_a_surrogate_pair_is_no_text(text: str, is_text: bool) -> None:
    assert signs.is_text(text) is is_text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ada\u202elave", "Adalave"),
        ("\u2066Ada\u2069\ufeff", "Ada"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("Zoe\u0308", "Zoë"),
        ("\u202e Ada \u202e", "Ada"),
        ("\u202e", ""),
    ],
)
def test_a_name_has_no_invisible_signs_and_one_spelling(text: str, name: str) -> None:
    assert signs.person_name(text) == name
