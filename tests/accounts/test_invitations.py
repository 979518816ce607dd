"""Invitations handed over by hand, cancelled, and sent to a corrected address."""

from __future__ import annotations

import pytest

from portal.accounts import invitations, links, people
from portal.accounts.joining import Seat
from portal.accounts.models import (
    AccountType,
    Purpose,
)
from portal.database import start_writing
from portal.extensions import db
from portal.refusals import NotVisible, Refusal
from portal.settings import values
from portal.settings.models import Setting
from tests.accounts.test_people import NEW, invite, profile_ids, row_of, token_of
from tests.fixtures.rooms import Cast, letters, newest_audit


def test_a_copied_invitation_has_no_letter(cast: Cast) -> None:
    user = invite(cast("olga"))
    mailed = token_of(user)
    link = invitations.copy(user.id, by=cast("olga"))
    db.session.commit()
    assert len([row for row in letters("invitation") if row.to_user_id == user.id]) == 1
    assert (links.open_link(Purpose.INVITATION, mailed), links.open_link(Purpose.INVITATION, links.token_for(link))) == (None, link)
    assert row_of(cast("olga"), user.id).state == "invited"


def test_nobody_copies_a_link_where_mail_works(cast: Cast) -> None:
    user = invite(cast("olga"))
    db.session.add(Setting(name="mail", value={"smtp_host": "mail.example"}))
    db.session.commit()
    values.forget()
    with pytest.raises(Refusal, match="nobody else sees the link"):
        invitations.copy(user.id, by=cast("olga"))


def test_a_link_to_an_account_of_another_organisation_too_is_not_handed_out(cast: Cast) -> None:
    """Whoever gets it would also be let in elsewhere; so would a changed address."""
    start_writing()
    seats = [Seat(cast.world.places[place], profile_ids("External-Reader"), place == "here") for place in ("here", "there")]
    user = invitations.invite(email="two@client.example", name="Two", kind=AccountType.EXTERNAL, seats=seats, by=cast("pia"))
    db.session.commit()
    for act in (
        lambda: invitations.copy(user.id, by=cast("olga")),
        lambda: people.edit(user.id, name="T", email="o@x.example", by=cast("olga")),
    ):
        with pytest.raises(Refusal, match="also works in another organisation"):
            act()
    invitations.resend(user.id, by=cast("olga"))


def test_cancelling_ends_the_link(cast: Cast) -> None:
    user = invite(cast("olga"))
    token = token_of(user)
    invitations.cancel(user.id, by=cast("olga"))
    db.session.commit()
    with pytest.raises(NotVisible):
        invitations.accept(token, name="Iris", password=NEW)
    assert row_of(cast("olga"), user.id).state == "uninvited"
    assert newest_audit()[0].kind == "user:invitation-cancelled"
    with pytest.raises(Refusal, match="Lock it"):
        invitations.cancel(cast.world.people["hanna"], by=cast("olga"))


def test_a_corrected_address_kills_the_older_link_even_while_locked(cast: Cast) -> None:
    user = invite(cast("olga"))
    token = token_of(user)
    people.lock(user.id, by=cast("olga"))
    people.edit(user.id, name="Iris", email="iris@right.example", by=cast("olga"))
    people.unlock(user.id, by=cast("olga"))
    db.session.commit()
    with pytest.raises(NotVisible):
        invitations.accept(token, name="Iris", password=NEW)
    assert newest_audit(3)[1].changes["email"] == ["iris@client.example", "iris@right.example"]
