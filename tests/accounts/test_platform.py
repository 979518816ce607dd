"""The first start: what every installation has, and how the first administrator comes to be, once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.accounts import links, platform, sessions
from portal.accounts.models import Profile, Purpose, User
from portal.accounts.permissions import BUILT_IN
from portal.database import start_writing
from portal.extensions import db
from portal.organisations.models import Organisation
from portal.refusals import Refusal
from tests.fixtures.rooms import at_once

FIRST = {"team": "Northwind CSIRT", "name": "Ines", "email": "Ines@Northwind.Example", "password": "velvet-harbour-onion-38"}


@pytest.fixture
def inside(app: Flask) -> Iterator[Flask]:
    """The context of a product nobody has used yet."""
    with app.app_context():
        yield app
        db.session.rollback()


def count(model: type[User | Organisation | Profile]) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_a_fresh_installation_has_no_account(inside: Flask) -> None:
    assert not platform.has_people()
    assert (count(User), count(Organisation), count(Profile)) == (0, 1, len(BUILT_IN))


def test_seeding_again_changes_nothing(inside: Flask) -> None:
    start_writing()
    analyst = platform.profile("Analyst")
    analyst.permissions = []
    db.session.commit()
    platform.seed()
    db.session.commit()
    assert (count(Organisation), count(Profile), platform.profile("Analyst").permissions) == (1, len(BUILT_IN), [])


def test_the_first_administrator_runs_the_platform_and_the_team(inside: Flask) -> None:
    start_writing()
    link = platform.set_up_link()
    assert link is not None
    token = links.token_for(link)
    db.session.commit()
    user, team = platform.create_first_administrator(**FIRST)
    db.session.commit()
    assert user.email == "ines@northwind.example"
    here = sessions.viewer_of(user.id, team.id)
    admin = sessions.viewer_of(user.id, db.session.scalars(select(Organisation.id).where(Organisation.built_in)).one())
    assert here is not None
    assert admin is not None
    assert (here.platform, here.can("manageCaseAccess/external"), admin.platform, admin.can("manageCase/create")) == (
        False,
        True,
        True,
        False,
    )
    assert links.open_link(Purpose.SETUP, token) is None
    assert platform.set_up_link() is None


def test_there_is_no_second_first_administrator(inside: Flask) -> None:
    platform.create_first_administrator(**FIRST)
    db.session.commit()
    with pytest.raises(Refusal, match="set up already"):
        platform.create_first_administrator(**{**FIRST, "team": "Other", "email": "mallory@people.example"})
    db.session.rollback()
    assert count(User) == 1


def test_two_first_administrators_at_once_become_one(inside: Flask) -> None:
    def make(number: int) -> int:
        user, _ = platform.create_first_administrator(**{**FIRST, "team": f"Team {number}", "email": f"p{number}@people.example"})
        db.session.commit()
        return user.id

    results = at_once(inside, *[lambda number=number: make(number) for number in range(4)])
    assert [type(result).__name__ for result in results].count("Refusal") == 3, results
    assert (count(User), count(Organisation)) == (1, 2)


def test_a_weak_password_makes_nobody(inside: Flask) -> None:
    with pytest.raises(Refusal):
        platform.create_first_administrator(**{**FIRST, "password": "northwindcsirt"})
    assert not platform.has_people()


def test_two_organisations_do_not_share_a_name(inside: Flask) -> None:
    platform.create_organisation("Northwind")
    with pytest.raises(Refusal, match="exists already"):
        platform.create_organisation("NORTHWIND")
    platform.create_organisation("Ångström")
    with pytest.raises(Refusal):
        platform.create_organisation("ÅNGSTRÖM")
