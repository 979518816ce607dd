"""What is a phone number, and that one stored long ago is in nobody's way."""

from __future__ import annotations

import pytest

from portal.organisations import phone_numbers
from portal.refusals import Unfit


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
    ],
)
def test_numbers_are_kept_as_they_are_written(number: str) -> None:
    assert phone_numbers.tidied(number) == number


def test_dashes_of_word_processors_become_plain_ones() -> None:
    assert phone_numbers.tidied("030 \N{EN DASH} 12\N{NON-BREAKING HYPHEN}34") == "030 - 12-34"


@pytest.mark.parametrize(
    "text",
    ["call me", "+", "()", "030 12345 ask for Ann", "ext. 12", "x12", "<b>030</b>", "030 1234 ext", "\N{ARABIC-INDIC DIGIT ONE}123"],
)
def test_what_is_no_number_is_refused_at_its_field(text: str) -> None:
    with pytest.raises(Unfit) as refused:
        phone_numbers.tidied(text)
    assert refused.value.field == "phone"
    assert refused.value.sentence.startswith("Type a phone number such as")


def test_what_is_stored_already_may_stay() -> None:
    assert phone_numbers.tidied("ask Ann \N{EN DASH} 12", "ask Ann \N{EN DASH} 12") == "ask Ann \N{EN DASH} 12"
    assert phone_numbers.tidied("", "ask Ann") == ""
