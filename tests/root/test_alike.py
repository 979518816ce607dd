"""Names that would pass for the team, or for the same organisation, and the many that do not."""

from __future__ import annotations

import unicodedata

import pytest

from portal.alike import is_team, same_name
from portal.words import LANGUAGES, _, speaking

TENANTS = ["Northwind CSIRT", "IT", "Martin", "Northwind", ""]
PEOPLE = [
    *("Ada Smith", "Martin Dupont", "Jean-Martin Roy", "Søren Ångström", "Minh Anh Lê", "Siobhán Mac Aodha", "Beatriz Quintanar"),
    *("Jürgen Groß", "I. T. Smith", "Itō Misaki", "伊藤 美咲", "Ольга Иванова", "Ελένη Παπαδοπούλου", "محمد علي", "Işıl Yılmaz"),
    *("José María de la Seguridad", "Anne d’Équipe", "O'Brien, Conor", "Dr. Petra Sicher", "Tim Security", "Petra (HR)", "X Æ A-12"),
    *("Team 42", "محمد\u200f علي", "R2-D2", "Anna 1", "7 Zwerge"),
]
ORGANISATIONS = ["Northwind Legal", "Northwind Human Resources", "Security Partners GmbH", "Team Rot AG", "Equipo Rojo", "IT-Service Weiß"]


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("shape", ["{}", "Petra Lind, {}", "{} (Acme)", "Petra{}", "\u200b{} "])
def test_what_the_portal_calls_the_team_is_its_own_in_each_language(code: str, shape: str) -> None:
    with speaking(code):
        told = [_("Security team"), _("The security team"), _("%(person)s, security team", person="Minh Anh Lê")]
    for name in told:
        for written in (name, name.upper(), unicodedata.normalize("NFD", name), name.replace(" ", "-"), name.replace("e", "е")):
            assert is_team(shape.format(written), "Northwind CSIRT"), written


@pytest.mark.parametrize("name", ["Sicherheitsteam", "Das Sicherheits-Team", "Équipe de sécurité", "Equipo de Seguridad", "Securıty team"])
def test_it_is_so_whatever_is_spoken_now(name: str) -> None:
    for code in LANGUAGES:
        with speaking(code):
            assert is_team(name, "")


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Petra, Northwind CSIRT",
            "Northwind CSIRT Petra",
            "Petra (NORTHWIND-CSIRT)",
            "Petra NorthwindCSIRT",
            "North\u200bwind CSIRT: Petra",
        ),
        *("northwind csirt", "Nörthwind Csirt.", "Ｎorthwind CSIRT / Petra"),
    ],
)
def test_the_tenant_s_name_counts_as_words_of_a_longer_one(name: str) -> None:
    assert is_team(name, "Northwind CSIRT")


@pytest.mark.parametrize("name", ["IT", "i.t.", "Petra, IT", "Petra (IT)", "IT - Petra", "Petra – IT", "Petra, it", "Petra @IT"])
def test_a_tenant_of_one_word_counts_where_it_is_set_apart(name: str) -> None:
    assert is_team(name, "IT")


@pytest.mark.parametrize(
    "name",
    [
        *("5ecurity team", "Security t3am", "$ECUR1TY TE4M", "5ecur|ty-team", "Petra, 53cur!ty t3@m", "Ｓｅｃｕｒｉｔｙ ｔ３ａｍ"),
        *("S1cherheitsteam", "3quip3 d3 s3curit3", "Equip0 de S3gur1dad", "N0rthwind C5IRT", "Petra (Northw1nd CS1RT)", "Nor7hwind-CSIRT"),
    ],
)
def test_digits_for_letters_make_it_no_other_name(name: str) -> None:
    assert is_team(name, "Northwind CSIRT")


@pytest.mark.parametrize("name", ["A1pha Lab", "A|pha Lab", "Alpha 1ab"])
def test_one_may_stand_for_either_letter(name: str) -> None:
    assert is_team(name, "Alpha Lab")


@pytest.mark.parametrize(
    "name", ["Northwind CSlRT", "Securlty Team", "Henrik Securlty Team", "Security tearn", "Northvvind CSIRT", "ꓢecurity team"]
)
def test_letters_that_are_told_apart_by_nobody_make_it_no_other_name(name: str) -> None:
    assert is_team(name, "Northwind CSIRT")


@pytest.mark.parametrize("name", ["HiIIside", "H1l1side", "Hil1s1de", "H1|lside", "Petra (HillsIde)"])
def test_a_name_of_one_word_is_looked_at_so_too(name: str) -> None:
    assert is_team(name, "Hillside")


@pytest.mark.parametrize(("name", "tenant"), [("Al", "A1"), ("Em", "3M"), ("Jo", "J0"), ("Io Lind", "10")])
def test_people_of_few_letters_keep_their_names(name: str, tenant: str) -> None:
    assert not is_team(name, tenant)


@pytest.mark.parametrize("name", ["\u202emaet ytiruceS", "Sec\u202eytiru\u202c team", "Petra \u2067dniwhtroN\u2069", "\u202dPetra"])
def test_letters_that_are_turned_round_are_nobodys_name(name: str) -> None:
    assert is_team(name, "Northwind")


@pytest.mark.parametrize("tenant", TENANTS)
def test_ordinary_names_are_not_refused(tenant: str) -> None:
    assert [name for name in (*PEOPLE, *ORGANISATIONS) if is_team(name, tenant)] == []


def test_names_are_the_same_however_they_are_typed() -> None:
    for other in ("Mu\u0308ller GmbH", "MÜLLER GMBH", "Ｍüller GmbH"):
        assert same_name("Müller GmbH", other)
    assert not same_name("Müller GmbH", "Muller GmbH")
