"""Letters are said in their reader's language, whole, and nobody else's gets in."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import current_app
from sqlalchemy import update

from portal import words
from portal.accounts import links
from portal.accounts.models import Membership, Purpose
from portal.cases.models import Stage
from portal.clock import now
from portal.dates import reading_of, time_words
from portal.extensions import db
from portal.mail import letters as written
from portal.mail import transport
from portal.mail.models import OutboxMessage
from portal.mail.outbox import post
from portal.organisations.models import Organisation, Party, PartyKind
from portal.settings import values
from portal.sharing.window import Window
from tests.fixtures.post import PostOffice, text_of
from tests.fixtures.rooms import Cast, at_once, letters
from tests.mail.catalogues import unsaid
from tests.mail.telling import ADA, HANNA, LATER, both, drain, shared_with_hanna, tell

RHEA, VIC = "rhea@people.example", "vic@people.example"
AT = "2027-03-01T10:00:00+00:00"
# What people wrote and called things, and addresses; each may stand in a letter as it is.
THEIRS = re.compile(r"https?://\S+|Northwind|Olga Person|Case \d+|Titled \S+|-- |[*\s]")


class _Read(HTMLParser):
    """All that somebody sees or hears of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.text = self.tongue = ""

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag == "html":
            self.tongue = known["lang"] or ""
        self.said += [known[name] or "" for name in ("title", "alt", "aria-label") if name in known]


def read(letter: EmailMessage) -> _Read:
    page = _Read()
    page.feed(text_of(letter, "html"))
    return page


def speaks(cast: Cast, who: str, chosen: str = "", browser: str = "") -> None:
    user = cast.user(who)
    user.language, user.browser_language = chosen, browser
    db.session.commit()


def put(cast: Cast, letter: str, **more: object) -> OutboxMessage:
    about: dict[str, Any] = {"organisation_id": cast.world.places["here"], "to_user_id": cast("hanna").user_id, **more}
    return post(letter, **about)


def about_case(letter: str, **extra: object) -> Callable[[Cast], object]:
    return lambda cast: put(cast, letter, case_id=cast.case("shared").id, extra=extra)


def about_account(letter: str, **extra: object) -> Callable[[Cast], object]:
    return lambda cast: put(cast, letter, extra={"at": AT, **extra})


def with_link(letter: str, purpose: Purpose, by: str = "") -> Callable[[Cast], object]:
    def act(cast: Cast) -> None:
        user = cast.user("hanna")
        user.activated_at = None if purpose is Purpose.INVITATION else user.activated_at
        here = cast.world.places["here"]
        link = links.make_link(purpose, user=user, organisation_id=here, by=cast(by) if by else None)
        link.email = "h@new.example"
        put(cast, letter, link_id=link.id)

    return act


def _titled(cast: Cast) -> None:
    db.session.get_one(Organisation, cast.world.places["here"]).titles_in_mail = True
    cast.case("shared").title = "Titled ;-)"
    tell(cast)


def _ends(cast: Cast) -> None:
    cast.case("shared").shared_until = now() + timedelta(minutes=1)
    about_case("access_ending")(cast)


def _ended(cast: Cast) -> None:
    cast.user("hanna").activated_at = now() - timedelta(days=2)
    cast.case("shared").shared_until = now() - timedelta(days=1)
    about_case("access_ended")(cast)


def _manages(by: str) -> Callable[[Cast], object]:
    def act(cast: Cast) -> None:
        here = cast.world.places["here"]
        works = Party(organisation_id=here, name="Titled ;-)", kind=PartyKind.CLIENT)
        db.session.add(works)
        db.session.flush()
        seat = update(Membership).where(Membership.user_id == cast("hanna").user_id, Membership.organisation_id == here)
        db.session.execute(seat.values(party_id=works.id, portal_admin=True))
        put(cast, "portal_admin", extra={"by": by})

    return act


def _invited_to_manage(cast: Cast) -> None:
    _manages("")(cast)
    with_link("invitation", Purpose.INVITATION, "olga")(cast)


def _many(cast: Cast) -> None:
    found = shared_with_hanna(cast, 22)
    put(cast, "cases_shared", extra={"cases": [case.id for case in found]})
    tell(cast, found[3])
    _ends(cast)
    about_case("case_status", was="Closed")(cast)


def _one_case(cast: Cast) -> None:
    tell(cast)
    about_case("case_news", files="2020-01-01T00:00:00+00:00")(cast)


LETTERS: dict[str, Callable[[Cast], object]] = {
    "invitation": with_link("invitation", Purpose.INVITATION, "olga"),
    "invitation by nobody": with_link("invitation", Purpose.INVITATION),
    "invitation to manage": _invited_to_manage,
    "invitation_reminder": with_link("invitation_reminder", Purpose.INVITATION, "olga"),
    "portal_admin": _manages("Olga Person"),
    "portal_admin by nobody": _manages(""),
    "reset": with_link("reset", Purpose.RESET),
    "reset by somebody": with_link("reset", Purpose.RESET, "olga"),
    "email_change": with_link("email_change", Purpose.EMAIL),
    "email_changed": about_account("email_changed"),
    "password_changed": about_account("password_changed"),
    "mfa_reset": about_account("mfa_reset", by="Olga Person"),
    "mfa_reset by nobody": about_account("mfa_reset", by=""),
    **{f"mfa {what}": about_account("mfa_changed", what=what) for what in ("app-added", "app-removed", "passkey-added", "passkey-removed")},
    "mfa codes": about_account("mfa_changed", what="codes"),
    **{f"mfa {left} codes left": about_account("mfa_changed", what="code-used", left=left) for left in (0, 1, 9)},
    "case_shared": about_case("case_shared"),
    "cases_shared": lambda cast: put(cast, "cases_shared", extra={"cases": [cast.case("shared").id]}),
    "case_news": tell,
    "case_news with a title": _titled,
    "case_news of a file": about_case("case_news", files="2020-01-01T00:00:00+00:00"),
    "case_status": about_case("case_status", was=Stage.CLOSED.value),
    "access_ending": _ends,
    "access_ended": _ended,
    "report_received": about_case("report_received"),
    "digest of one case": _one_case,
    "digest of many cases": _many,
}


def test_every_letter_somebody_outside_can_get_is_among_them() -> None:
    """Those only colleagues get are English."""
    named = {name.split()[0] for name in LETTERS} - {"mfa", "digest"} | {"mfa_changed"}
    assert named == set(written.LETTERS) - {"external_reply", "case_reported", "case_assigned", "people_digest"}


@pytest.mark.parametrize("name", LETTERS)
def test_every_letter_is_said_whole(sending: Cast, smtp_server: PostOffice, tongues: None, name: str) -> None:
    speaks(sending, "hanna", "fr")
    LETTERS[name](sending)
    drain()
    [letter] = [message for message, to in zip(smtp_server.messages, smtp_server.recipients, strict=True) if to[0][0] == "h"]
    page = read(letter)
    assert page.tongue == "fr"
    said = [letter["Subject"], text_of(letter), page.text, *page.said]
    assert [THEIRS.sub("", unsaid(text)) for text in said] == [""] * len(said)
    assert all("⟦fr|" in text for text in said[:3])
    assert "&#" not in "".join(said[:2])  # what is no page is not escaped


def everybody_is_told(cast: Cast) -> None:
    tell(cast, cast.case("all"))


def test_each_gets_the_same_news_in_their_own_language(sending: Cast, smtp_server: PostOffice, tongues: None) -> None:
    speaks(sending, "hanna", "fr", "de")
    speaks(sending, "rhea", "", "de")
    everybody_is_told(sending)
    drain()
    told = {str(letter["To"]): letter for letter in smtp_server.messages}
    assert sorted(told) == [HANNA, RHEA, VIC]
    for address, tongue in ((HANNA, "fr"), (RHEA, "de")):
        for text in (told[address]["Subject"], text_of(told[address]), text_of(told[address], "html")):
            assert set(re.findall(r"⟦(\w\w)", text)) == {tongue}
    assert "⟦" not in told[VIC]["Subject"] + both(told[VIC])
    assert read(told[VIC]).tongue == "en"


@pytest.mark.parametrize("chosen", ["", "fr", "en-US"])
def test_colleagues_read_english_whatever_is_kept_of_them(sending: Cast, smtp_server: PostOffice, tongues: None, chosen: str) -> None:
    speaks(sending, "ada", chosen, "de")
    speaks(sending, "rhea", "fr")
    Window(sending("hanna")).add_message(sending.world.cases["shared"], "Fresh news")
    put(sending, "password_changed", to_user_id=sending("ada").user_id, extra={"at": AT})
    drain()
    mine = smtp_server.to(ADA)
    assert len(mine) == 2
    assert not [letter["Subject"] for letter in mine if "⟦" in letter["Subject"] + both(letter)]
    assert {read(letter).tongue for letter in mine} == {"en-US" if chosen == "en-US" else "en"}
    assert "⟦fr|" in smtp_server.to(RHEA)[0]["Subject"]


@pytest.mark.parametrize(("chosen", "browser", "tongue"), [("", "", "en"), ("en-GB", "fr", "en-GB"), ("tlh", "de", "de"), ("", "xx", "en")])
def test_what_was_chosen_goes_before_what_the_browser_asks(
    sending: Cast, smtp_server: PostOffice, tongues: None, chosen: str, browser: str, tongue: str
) -> None:
    speaks(sending, "hanna", chosen, browser)
    tell(sending)
    drain()
    [letter] = smtp_server.to(HANNA)
    assert read(letter).tongue == tongue
    assert ("⟦de|" in letter["Subject"]) == (tongue == "de")


def test_who_was_never_here_is_invited_in_english(sending: Cast, smtp_server: PostOffice, tongues: None) -> None:
    with words.speaking("fr"):  # Olga does it from a page in any language
        link = links.make_link(
            Purpose.INVITATION, user=sending.user("newt"), organisation_id=sending.world.places["here"], by=sending("olga")
        )
        put(sending, "invitation", to_user_id=sending("newt").user_id, link_id=link.id)
        drain()
    assert smtp_server.messages[0]["Subject"] == "Olga Person invites you to the case portal of Northwind"
    # Who chose no zone is told whose time it is.
    assert re.search(r"until \d+ \w+ \d{4}, \d\d:\d\d UTC\.", text_of(smtp_server.messages[0]))


@pytest.mark.parametrize(
    ("there", "tongue"),
    [((("", "de"),), "de"), ((("fr", "de"), ("", "fr"), ("es", "")), "fr"), ((("", "es"), ("", "de")), "de"), ((("", ""), ("", "xx")), "")],
)
def test_who_was_never_here_is_invited_in_the_language_of_those_they_work_with(
    sending: Cast, smtp_server: PostOffice, tongues: None, there: tuple[tuple[str, str], ...], tongue: str
) -> None:
    newt, place = sending.user("newt"), sending.world.places["here"]
    party = Party(organisation_id=place, name="Contoso", kind=PartyKind.CLIENT)
    db.session.add(party)
    db.session.flush()
    others = ("hanna", "rhea", "vic")[: len(there)]
    for who, (chosen, browser) in zip(others, there, strict=True):
        speaks(sending, who, chosen, browser)
        sending.user(who).last_sign_in_at = now()
    ids = [newt.id, *(sending.user(who).id for who in others)]
    db.session.execute(update(Membership).where(Membership.user_id.in_(ids)).values(party_id=party.id))
    speaks(sending, "gast", "", "fr")  # works for nobody they know
    link = links.make_link(Purpose.INVITATION, user=newt, organisation_id=place, by=sending("olga"))
    put(sending, "invitation", to_user_id=newt.id, link_id=link.id)
    drain()
    (letter,) = smtp_server.messages
    assert set(re.findall(r"⟦(\w\w)", letter["Subject"] + both(letter))) == ({tongue} if tongue else set())


def test_a_letter_in_french(sending: Cast, smtp_server: PostOffice, french: None) -> None:
    db.session.get_one(Organisation, sending.world.places["here"]).titles_in_mail = True
    found = shared_with_hanna(sending, 2)
    speaks(sending, "hanna", "fr")
    found[0].title = "L'été & <b>la</b> suite"
    tell(sending, found[0])
    drain()
    for case in found:
        tell(sending, case)
    drain(LATER)
    first, second = smtp_server.to(HANNA)
    number = found[0].number
    assert first["Subject"] == f"Du nouveau sur le dossier n° {number} : L'été & <b>la</b> suite"
    lines = [line for line in text_of(first).splitlines() if line]
    assert lines[:3] == ["Bonjour Hanna Person,", "L'été & <b>la</b> suite", f"Un nouveau message vous attend (n° {number})."]
    assert lines[lines.index(f"Ouvrir le dossier n° {number} :") + 1].endswith(f"/portal/cases/{number}")
    page = text_of(first, "html")
    assert f">Ouvrir le dossier n° {number}</a>" in page
    assert re.search(r'Trop de messages \? <a href="http[^"]+/account/letters">Choisissez ceux que vous recevez</a>\.', page)
    assert second["Subject"] == "Du nouveau sur 2 dossiers"
    assert ": nouveau message d'aujourd'hui" in text_of(second)
    assert "&#" not in text_of(first) + text_of(second)


def test_times_are_said_in_the_language_of_the_letter(sending: Cast, smtp_server: PostOffice, french: None) -> None:
    speaks(sending, "hanna", "", "fr")
    put(sending, "password_changed", extra={"at": AT})
    when = time_words(datetime.fromisoformat(AT), reading_of("", "fr"))
    drain()
    [letter] = smtp_server.to(HANNA)
    assert f"Mot de passe changé le {when}." in text_of(letter)
    assert f"Mot de passe changé le {when}." in text_of(letter, "html")


def test_no_language_stays_behind(sending: Cast, smtp_server: PostOffice, tongues: None) -> None:
    """Not after a letter, not after one that could not be written, nor from the page that posted it."""
    speaks(sending, "hanna", "fr")
    with words.speaking("de"):
        put(sending, "mfa_changed", extra={"at": AT})  # says nothing of what happened, so it cannot be written
        everybody_is_told(sending)
        drain()
        assert words.language() == "de"
    assert words.language() == "en"
    assert [row.letter for row in letters("mfa_changed") if row.last_error]
    assert "⟦fr|" in smtp_server.to(HANNA)[0]["Subject"]
    assert "⟦" not in smtp_server.to(VIC)[0]["Subject"] + both(smtp_server.to(VIC)[0])


def test_the_senders_thread_knows_nothing_of_a_pages_language(sending: Cast, smtp_server: PostOffice, tongues: None) -> None:
    everybody_is_told(sending)
    db.session.commit()
    heard: list[str] = []

    def send() -> None:
        heard.append(words.language())
        drain()
        heard.append(words.language())

    with words.speaking("fr"):
        assert at_once(current_app._get_current_object(), send) == [None]
    assert heard == ["en", "en"]
    assert len(smtp_server.messages) == 3
    assert not [letter for letter in smtp_server.messages if "⟦" in letter["Subject"] + both(letter)]


def test_the_test_letter_is_english_whoever_sends_it(sending: Cast, smtp_server: PostOffice, tongues: None) -> None:
    with words.speaking("fr"):
        transport.send_test("somebody@people.example", values.current())
        assert words.language() == "fr"
    [letter] = smtp_server.messages
    assert letter["Subject"] == "Test mail"
    assert "⟦" not in both(letter)
    assert read(letter).tongue == "en"
