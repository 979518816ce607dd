"""Who gets a letter is asked again when it is sent, and no letter carries anything of a case."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import delete

from portal.accounts import invitations, links, people, platform, sign_in
from portal.accounts.joining import Seat
from portal.accounts.models import AccountType, OneTimeLink, Purpose
from portal.audit.record import Trace
from portal.cases import comments
from portal.clock import at, now
from portal.extensions import db
from portal.mail import sender
from portal.mail.models import OutboxMessage, State
from portal.mail.outbox import post
from portal.organisations.models import Organisation
from portal.sharing import marks
from portal.sharing.access import set_access
from portal.sharing.models import Access
from portal.sharing.window import Window
from tests.factories import mark, restrict, say, share
from tests.fixtures.post import PostOffice, text_of
from tests.fixtures.rooms import Cast, carry_out, letters


def receivers(office: PostOffice) -> list[str]:
    return sorted(address.split("@")[0] for people in office.recipients for address in people)


def sent(cast: Cast, office: PostOffice) -> list[str]:
    """Commit, drain, and say who got something."""
    db.session.commit()
    sender.drain()
    db.session.rollback()
    return receivers(office)


def whole(letter: EmailMessage) -> str:
    return "\n".join([*(f"{name}: {value}" for name, value in letter.items()), text_of(letter), text_of(letter, "html")])


def tell(cast: Cast, name: str = "shared", by: str = "ada") -> None:
    case = cast.case(name)
    comment = say(case, cast(by), "Fresh news", external=True)
    marks.tell_outside(case, comment, but=cast(by).user_id)


def test_news_reach_the_audience_without_its_author(sending: Cast, smtp_server: PostOffice) -> None:
    tell(sending)
    assert sent(sending, smtp_server) == ["hanna", "rhea"]


def test_what_hanna_writes_reaches_the_assignee_and_the_others(sending: Cast, smtp_server: PostOffice) -> None:
    Window(sending("hanna")).add_message(sending.world.cases["shared"], "Fresh news")
    assert sent(sending, smtp_server) == ["ada", "rhea"]
    [to_ada] = smtp_server.to("ada@people.example")
    [to_rhea] = smtp_server.to("rhea@people.example")
    number = sending.world.cases["shared"]
    assert f"/console/cases/{number}" in text_of(to_ada)
    assert f"/portal/cases/{number}" in text_of(to_rhea)


def test_news_for_everybody_reach_those_who_can_sign_in(sending: Cast, smtp_server: PostOffice) -> None:
    """Not Dora (locked), not Newt (invited, told by the invitation), not Gast (another organisation)."""
    tell(sending, "all")
    assert sent(sending, smtp_server) == ["hanna", "rhea", "vic"]


def test_everybody_is_who_is_there_when_it_is_sent(sending: Cast, smtp_server: PostOffice) -> None:
    tell(sending, "all")
    db.session.commit()
    sending.user("newt").activated_at = now()
    assert sent(sending, smtp_server) == ["hanna", "newt", "rhea", "vic"]


def _revoke(cast: Cast) -> None:
    share(cast.case("shared"), cast("ada"))


def _narrow(cast: Cast) -> None:
    share(cast.case("shared"), cast("ada"), cast("rhea"))


def _withdraw(cast: Cast) -> None:
    mark(cast.case("shared"), comments.comments_of(cast.case("shared"))[-1], False, cast("ada"))


def _delete(cast: Cast) -> None:
    comments.delete_comment(cast.case("shared"), comments.comments_of(cast.case("shared"))[-1], by=cast("ada"))


def _deactivate(cast: Cast) -> None:
    people.lock(cast.world.people["hanna"], by=cast("olga"))


def _lock(cast: Cast) -> None:
    db.session.get_one(Organisation, cast.world.places["here"]).locked = True


@pytest.mark.parametrize("spread", [False, True], ids=["before-spreading", "after-spreading"])
@pytest.mark.parametrize(
    ("change", "left"),
    [(_revoke, []), (_narrow, ["rhea"]), (_withdraw, []), (_delete, []), (_deactivate, ["rhea"]), (_lock, [])],
)
def test_a_right_that_ended_meanwhile_ends_the_letter(
    sending: Cast, smtp_server: PostOffice, change: Callable[[Cast], None], left: list[str], spread: bool
) -> None:
    tell(sending)
    db.session.commit()
    if spread:
        lease = sender._claim()
        assert lease is not None
        sender._handle(lease)
    change(sending)
    assert sent(sending, smtp_server) == left
    db.session.rollback()
    assert {row.state for row in letters()} <= {State.SENT, State.DROPPED}


@pytest.mark.parametrize("change", [_revoke, _narrow, _deactivate])
def test_the_news_of_being_invited_to_a_case_end_with_the_access(
    sending: Cast, smtp_server: PostOffice, change: Callable[[Cast], None]
) -> None:
    case = sending.case("internal")
    set_access(case, Access.EXTERNAL, {sending.world.people["vic"]}, by=sending("ada"))
    db.session.commit()
    set_access(case, Access.INTERNAL, set(), by=sending("ada"))
    assert sent(sending, smtp_server) == []
    assert [row.state for row in letters("case_shared")] == [State.DROPPED]


def test_sharing_tells_those_who_gain_it_only(sending: Cast, smtp_server: PostOffice) -> None:
    set_access(sending.case("shared"), Access.ALL_EXTERNAL, set(), by=sending("ada"))
    assert sent(sending, smtp_server) == ["vic"]  # Newt cannot sign in yet


def test_a_restricted_case_is_news_to_its_own_people_only(sending: Cast, smtp_server: PostOffice) -> None:
    """The assignee may have lost the case between the message and the mail."""
    Window(sending("hanna")).add_message(sending.world.cases["shared"], "Fresh news")
    db.session.commit()
    case = sending.case("shared")
    share(case, sending("ada"))
    restrict(case, sending("olga"))
    case.assignee_id = sending.world.people["olga"]
    assert sent(sending, smtp_server) == []


def test_letters_carry_nothing_of_a_case(sending: Cast, smtp_server: PostOffice) -> None:
    case = sending.case("shared")
    case.title, case.description, case.tags = "CANARY title", "CANARY description", ["CANARY"]
    Window(sending("hanna")).add_message(case.number, "CANARY message")
    case = sending.case("shared")
    say(case, sending("ada"), "CANARY internal")
    comment = say(case, sending("ada"), "CANARY external", external=True)
    marks.tell_outside(case, comment, but=0)
    share(case, sending("ada"), everybody=True)
    assert set(sent(sending, smtp_server)) == {"ada", "hanna", "rhea", "vic"}
    assert [letter["Subject"] for letter in smtp_server.messages if "CANARY" in whole(letter)] == []
    for letter in smtp_server.messages:
        assert f"#{case.number}" in letter["Subject"]
        assert "ada@people.example" not in whole(letter).replace("To: ada@people.example", "")
        assert "<img" not in whole(letter)


def test_an_invitation_carries_a_link_that_works(sending: Cast, smtp_server: PostOffice) -> None:
    invitations.resend(sending.world.people["newt"], by=sending("olga"))
    assert sent(sending, smtp_server) == ["newt"]
    text = text_of(smtp_server.messages[0])
    token = text.split("/invitation/")[1].split()[0]
    assert f"/invitation/{token}" in text_of(smtp_server.messages[0], "html")
    assert "Olga Person invites you to work with Northwind." in text
    assert "secure portal" in text
    assert invitations.accept(token, name="Newt", password="velvet-harbour-onion-38").id == sending.world.people["newt"]


def test_a_colleague_is_invited_to_the_console(sending: Cast, smtp_server: PostOffice) -> None:
    olga = sending("olga")
    seat = Seat(olga.organisation_id, frozenset({platform.profile("Analyst").id}), default=True)
    invitations.invite(email="c@team.example", name="Cleo", kind=AccountType.NORMAL, seats=[seat], by=olga)
    assert sent(sending, smtp_server) == ["c"]
    assert "case console" in text_of(smtp_server.messages[0])


@pytest.mark.parametrize("end", ["superseded", "expired", "epoch", "used"])
def test_a_dead_link_is_not_mailed(sending: Cast, smtp_server: PostOffice, end: str) -> None:
    sign_in.ask_for_reset("hanna@people.example", trace=Trace())
    db.session.commit()
    carry_out()
    row = letters("reset")[-1]
    link = db.session.get_one(OneTimeLink, row.link_id)
    if end == "superseded":
        links.make_link(Purpose.RESET, user=sending.user("hanna"))
    if end == "epoch":
        sending.user("hanna").epoch += 1
    if end == "used":
        links.consume(link)
    db.session.commit()
    with at(now() + timedelta(minutes=61 if end == "expired" else 0, seconds=1)):
        sender.drain()
    db.session.rollback()
    assert (smtp_server.messages, letters("reset")[-1].state) == ([], State.DROPPED)


def test_names_cannot_forge_headers_or_markup(sending: Cast, smtp_server: PostOffice) -> None:
    user = sending.user("olga")
    user.name = "Olga\r\nBcc: all@evil.example\r\n\r\n<b onclick=x>O'Hara & Sons</b>"
    db.session.get_one(Organisation, sending.world.places["here"]).name = 'North"wind & <i>Co</i>\nX-Evil: 1'
    db.session.commit()
    invitations.resend(sending.world.people["newt"], by=sending("olga"))
    assert sent(sending, smtp_server) == ["newt"]
    [letter] = smtp_server.messages
    assert letter["Bcc"] is None
    assert letter["X-Evil"] is None
    assert "O'Hara & Sons" in letter["Subject"]
    assert "O'Hara & Sons" in text_of(letter)
    assert "<b onclick" not in text_of(letter, "html")
    assert "<i>" not in text_of(letter, "html")


def test_a_letter_to_nobody_ends(sending: Cast, smtp_server: PostOffice) -> None:
    """A note for an audience whose case has gone."""
    db.session.execute(delete(OutboxMessage))
    post("case_news", organisation_id=sending.world.places["here"])
    assert sent(sending, smtp_server) == []
    assert [row.state for row in letters()] == [State.SENT]
