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


@pytest.mark.parametrize("tenant", TENANTS)
def test_ordinary_names_are_not_refused(tenant: str) -> None:
    assert [name for name in (*PEOPLE, *ORGANISATIONS) if is_team(name, tenant)] == []


def test_names_are_the_same_however_they_are_typed() -> None:
    for other in ("Mu\u0308ller GmbH", "MÜLLER GMBH", "Ｍüller GmbH"):
        assert same_name("Müller GmbH", other)
    assert not same_name("Müller GmbH", "Muller GmbH")
