"""API keys: shown once, good for one account, gone when anything about it is."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.accounts import invitations, joining, keys, people, platform
from portal.accounts.joining import Seat
from portal.accounts.models import AccountType, ApiKey, User
from portal.database import start_writing
from portal.extensions import db
from portal.organisations.models import Organisation
from portal.refusals import NotAllowed, NotVisible, Refusal
from tests.fixtures.rooms import Cast, letters, newest_audit


def make(cast: Cast, who: str, by: str = "olga") -> str:
    start_writing()
    key = keys.make(cast.world.people[who], by=cast(by))
    db.session.commit()
    return key


def test_a_key_stands_for_its_owner(cast: Cast) -> None:
    key = make(cast, "ada")
    owner = keys.owner_of(key)
    assert owner is not None
    assert owner == cast("ada")
    assert len(key) >= 46
    row = db.session.scalars(select(ApiKey)).one()
    assert (row.start, row.created_by_name) == (key[:8], "Olga Person")
    assert key not in (row.key_hash, row.start)
    entry = newest_audit()[0]
    assert (entry.kind, entry.changes) == ("user:api-key-made", {"key": [None, key[:8]]})


@pytest.mark.parametrize("wrong", ["", "pk_", "pk_wrong", "\0", "é" * 500])
def test_anything_else_opens_nothing(cast: Cast, wrong: str) -> None:
    make(cast, "ada")
    assert keys.owner_of(wrong) is None


def test_a_new_key_ends_the_older_one(cast: Cast) -> None:
    first, second = make(cast, "ada"), make(cast, "ada")
    assert (keys.owner_of(first), keys.owner_of(second) is not None) == (None, True)
    assert newest_audit()[0].changes == {"key": [first[:8], second[:8]]}


def test_a_revoked_key_opens_nothing(cast: Cast) -> None:
    key = make(cast, "ada")
    keys.revoke(cast.world.people["ada"], by=cast("olga"))
    db.session.commit()
    assert keys.owner_of(key) is None
    assert newest_audit()[0].changes == {"key": [key[:8], None]}
    with pytest.raises(Refusal, match="has no API key"):
        keys.revoke(cast.world.people["ada"], by=cast("olga"))


def test_a_key_sleeps_while_its_account_is_locked_and_dies_with_it(cast: Cast) -> None:
    key, ada = make(cast, "ada"), cast.world.people["ada"]
    people.lock(ada, by=cast("olga"))
    db.session.commit()
    assert keys.owner_of(key) is None
    people.unlock(ada, by=cast("olga"))
    db.session.commit()
    assert keys.owner_of(key) is not None
    people.delete(ada, by=cast("pia"))
    db.session.commit()
    assert keys.owner_of(key) is None
    assert db.session.scalars(select(ApiKey)).all() == []


def test_a_locked_organisation_opens_to_no_key(cast: Cast) -> None:
    key = make(cast, "ada")
    db.session.get_one(Organisation, cast.world.places["here"]).locked = True
    db.session.commit()
    assert keys.owner_of(key) is None


def test_a_program_is_made_without_mail_and_gets_a_key(cast: Cast) -> None:
    before, olga = len(letters()), cast("olga")
    start_writing()
    seat = Seat(olga.organisation_id, frozenset({platform.profile("Analyst").id}))
    robot = invitations.invite(email="robot@people.example", name="Robot", kind=AccountType.SERVICE, seats=[seat], by=olga)
    key = keys.make(robot.id, by=olga)
    db.session.commit()
    owner = keys.owner_of(key)
    assert owner is not None
    assert (owner.name, owner.organisation_id, owner.can("manageCase/create")) == ("Robot", olga.organisation_id, True)
    assert len(letters()) == before
    for act in (invitations.resend, people.send_reset):
        with pytest.raises(Refusal, match="is a program"):
            act(robot.id, by=olga)


@pytest.mark.parametrize(
    ("who", "sentence"), [("hanna", "portal only"), ("newt", "portal only"), ("dora", "portal only")], ids=["external", "invited", "locked"]
)
def test_external_users_get_no_key(cast: Cast, who: str, sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence):
        make(cast, who)


def test_a_key_needs_an_account_in_use(cast: Cast) -> None:
    people.lock(cast.world.people["ada"], by=cast("olga"))
    db.session.commit()
    with pytest.raises(Refusal, match="is locked"):
        make(cast, "ada")
    user = db.session.get_one(User, cast.world.people["ruth"])
    user.activated_at = None
    db.session.commit()
    with pytest.raises(Refusal, match="has not set up"):
        make(cast, "ruth")


def test_nobody_gets_a_key_that_opens_another_organisation(cast: Cast) -> None:
    """Olga would be handed what Ada may do elsewhere."""
    start_writing()
    joining.add(cast.world.people["ada"], Seat(cast.world.places["there"], frozenset({platform.profile("Analyst").id})), by=cast("pia"))
    db.session.commit()
    with pytest.raises(Refusal, match="also works in another"):
        make(cast, "ada")
    assert make(cast, "ada", by="pia")


def test_keys_of_others_are_out_of_reach(cast: Cast) -> None:
    with pytest.raises(NotVisible):
        make(cast, "ada", by="otto")
    with pytest.raises(NotAllowed):
        make(cast, "ruth", by="ada")
