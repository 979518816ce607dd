"""What is typed into the search box, and how texts are taken apart."""

from __future__ import annotations

import pytest

from portal.search.terms import Term, for_postgres, for_sqlite, number_in, read
from portal.search.words import fold, places, split


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("phishing", [Term(("phishing",), open=True)]),
        ("ab 443 abc", [Term(("ab",), open=False), Term(("443",), open=False), Term(("abc",), open=True)]),
        ('"phishing"', [Term(("phishing",), open=False)]),
        ("Phish*", [Term(("phish",), open=True)]),
        ("10.0.0.5", [Term(("10", "0", "0", "5"), open=False)]),
        ('"lost laptop" oslo', [Term(("lost", "laptop"), open=False), Term(("oslo",), open=True)]),
        ("Ängström ANGSTROM", [Term(("angstrom",), open=True)]),
        ("OR NOT NEAR(x", [Term(("or",), open=False), Term(("not",), open=True), Term(("near", "x"), open=False)]),
        ("mail**", [Term(("mail",), open=True)]),
        ("- % word", [Term(("word",), open=True)]),
    ],
)
def test_a_search_is_taken_apart(text: str, terms: list[Term]) -> None:
    question = read(text)
    assert (list(question.terms), question.problem) == (terms, "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("*", "no letter or number"),
        ("*** **", "no letter or number"),
        ("?!-", "no letter or number"),
        ('""', "no letter or number"),
        ("x" * 10_000, "longer than 200"),
        ("*mid*", "goes at the end"),
        ("m*d", "goes at the end"),
        (" ".join(f"w{n}" for n in range(20)), "more than 12 words"),
    ],
)
def test_a_search_that_makes_no_sense_is_explained(text: str, said: str) -> None:
    question = read(text)
    assert said in question.problem
    assert not question.terms


def test_a_lonely_quotation_mark_is_passed_over_with_a_word() -> None:
    question = read('lost "laptop')
    assert [term.words for term in question.terms] == [("lost",), ("laptop",)]
    assert "without its partner" in question.note


def test_terms_are_written_for_each_database() -> None:
    terms = read('"lost laptop" mail*').terms
    assert for_sqlite(terms) == '"lost" + "laptop" AND "mail" *'
    assert for_postgres(terms) == "('lost' <-> 'laptop') & ('mail':*)"


@pytest.mark.parametrize(
    ("text", "number"), [("#46", 46), ("46", 46), (" 46 ", 46), ("046", None), ("#", None), ("46 x", None), ("9" * 19, None)]
)
def test_a_number_alone_is_a_case(text: str, number: int | None) -> None:
    assert number_in(text) == number


@pytest.mark.parametrize("text", ["Zoé Ångström", "İstanbul", "straße", "ŁÓDŹ", "e\u0301", "日本語", "ﬁ", "𝔘"])
def test_folding_keeps_every_place(text: str) -> None:
    assert len(fold(text)) == len(text)


def test_words_know_their_places() -> None:
    assert split("E\u0301t\u00e9, 2x: a_b") == ["ete", "2x", "a", "b"]
    assert places("one two One") == "'one':1,3 'two':2"
