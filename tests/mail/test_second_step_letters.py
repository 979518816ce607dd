"""Letters about the second step: whoever did it, the owner learns of it, and no secret travels."""

from __future__ import annotations

import pytest

from portal.accounts import mfa, sessions
from portal.accounts.second_step import Way
from portal.database import start_writing
from portal.extensions import db
from portal.mail import sender
from tests.factories import PASSWORD
from tests.fixtures.factors import TRACE, add_app, codes, due, finish, signed_in
from tests.fixtures.post import PostOffice, text_of
from tests.fixtures.rooms import Cast


def whole(office: PostOffice, who: str) -> list[str]:
    sender.drain()
    db.session.rollback()
    return ["\n".join([letter["Subject"], text_of(letter), text_of(letter, "html")]) for letter in office.to(f"{who}@people.example")]


def test_the_owner_is_told_what_changed(sending: Cast, smtp_server: PostOffice) -> None:
    secret, changed = add_app(signed_in(sending("hanna")))
    kept = codes(changed)
    finish(due(), Way.RECOVERY, kept[0])
    found = sessions.find(changed.key, "portal")
    assert found is not None
    mfa.remove_app(found.viewer, PASSWORD, face="portal", trace=TRACE)
    db.session.commit()
    letters = whole(smtp_server, "hanna")
    sentences = ("An authenticator app was added", "A recovery code was used", "The authenticator app was removed")
    for letter, sentence in zip(letters, sentences, strict=True):
        assert letter.count(sentence) >= 2
        assert secret not in letter
        assert not [code for code in kept if code in letter]
    assert "9 codes are left." in letters[1]


@pytest.mark.parametrize(("who", "face"), [("hanna", "portal"), ("ruth", "console")])
def test_the_owner_is_told_who_reset_it(sending: Cast, smtp_server: PostOffice, who: str, face: str) -> None:
    add_app(signed_in(sending(who)))
    whole(smtp_server, who)
    start_writing()
    mfa.reset(sending.world.people[who], by=sending("olga"))
    db.session.commit()
    letter = whole(smtp_server, who)[-1]
    assert letter.count("Your second step was reset by Olga Person on ") == 2
    assert f"/{face}/ and set up a new second step" in letter


def test_the_command_line_names_nobody(sending: Cast, smtp_server: PostOffice) -> None:
    add_app(signed_in(sending("hanna")))
    start_writing()
    mfa.take_away(sending.user("hanna"), by=None)
    db.session.commit()
    assert "Your second step was reset on " in whole(smtp_server, "hanna")[-1]
