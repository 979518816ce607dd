"""What is a phone number, and that one stored long ago is in nobody's way."""

from __future__ import annotations

import re

import pytest

from portal.organisations import phone_numbers
from portal.refusals import Unfit
from portal.words import speaking


@pytest.mark.parametrize(
    "number",
    [
        "+49 30 1234567",
        "(030) 123-45",
        "030/1234.56",
        "112",
        "+1 (555) 010-0199 ext. 12",
        "0301234 ext 7",
        "555 0199 x12",
        "555 0199 EXT.12",
        "01 23 45 67 89 poste 12",
        "030 123450 Durchwahl 4",
        "030 123450 DW 4",
        "030 123450 dw. 4",
        "91 123 45 67 int. 12",
        "555 0199 #12",
        "(0)1",
    ],
)
def test_numbers_are_kept_as_they_are_written(number: str) -> None:
    assert phone_numbers.tidied(number) == number


def test_dashes_of_word_processors_become_plain_ones() -> None:
    assert phone_numbers.tidied("030 \N{EN DASH} 12\N{NON-BREAKING HYPHEN}34") == "030 - 12-34"


@pytest.mark.parametrize(
    ("copied", "kept"),
    [
        ("\u202a+49 30 1234567\u202c", "+49 30 1234567"),
        ("\u2066 030 12\u200b34 \u2069", "030 1234"),
        ("\u202a\u202c", ""),
    ],
)
def test_marks_nobody_sees_are_left_behind(copied: str, kept: str) -> None:
    assert phone_numbers.tidied(copied) == kept


@pytest.mark.parametrize(
    "text",
    [
        "call me",
        "+",
        "()",
        "...1",
        "030 12345 ask for Ann",
        "ext. 12",
        "x12",
        "#12",
        "DW 12",
        "<b>030</b>",
        "030 1234 ext",
        "030 1234 #",
        "030 1234 poste",
        "030 1234 #.12",
        "\N{ARABIC-INDIC DIGIT ONE}123",
    ],
)
def test_what_is_no_number_is_refused_at_its_field(text: str) -> None:
    with pytest.raises(Unfit) as refused:
        phone_numbers.tidied(text)
    assert refused.value.field == "phone"
    assert refused.value.sentence.startswith("Type a phone number such as")
    assert "An extension can follow, such as ext. 12." in refused.value.sentence


@pytest.mark.parametrize("language", ["en", "fr", "de", "es"])
def test_the_extension_it_names_is_taken(language: str) -> None:
    with speaking(language), pytest.raises(Unfit) as refused:
        phone_numbers.tidied("call me")
    found = re.search(r"(\w+\.? 12)\b", refused.value.sentence)
    assert found is not None
    assert phone_numbers.tidied(f"030 1234 {found[1]}") == f"030 1234 {found[1]}"


def test_what_is_stored_already_may_stay() -> None:
    assert phone_numbers.tidied("ask Ann \N{EN DASH} 12", "ask Ann \N{EN DASH} 12") == "ask Ann \N{EN DASH} 12"
    assert phone_numbers.tidied("", "ask Ann") == ""
