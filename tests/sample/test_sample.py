"""The sample world: told with the product's own verbs, once, into an empty database, and true to what it says."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, func, select

from portal.accounts import directory, passwords, sessions
from portal.accounts.models import AccountType, User
from portal.audit.models import AuditEntry
from portal.cases.models import Case, Comment
from portal.clock import now
from portal.database import start_writing
from portal.extensions import alembic, db
from portal.mail.models import OutboxMessage
from portal.organisations.models import Organisation
from portal.sample import clients, departments, load, outside, vendors
from portal.sample.people import PARTIES, PEOPLE
from portal.sharing.models import SHARED, Access, Grant
from portal.sharing.window import Window
from portal.upgrade import bring_up_to_date
from tests.fixtures.product import close, product
from tests.fixtures.world import World

CASES = clients.CASES + departments.CASES + vendors.CASES
TOLD = (*CASES, *outside.REPORTS)


@pytest.fixture(scope="module")
def told(databases: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, str]]:
    """The product with the sample world, and everybody's password; only read by the tests of this file."""
    url = databases.migrated()
    app = product(tmp_path_factory.mktemp("sample"), url)
    yield app, load.load(app)
    close(app)
    databases.close(url)


@pytest.fixture
def inside(told: tuple[Flask, str]) -> Iterator[Flask]:
    """Its context."""
    with told[0].app_context():
        yield told[0]
        db.session.rollback()


def count(model: Any) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def viewer(key: str) -> Any:
    email = next(person.email for person in PEOPLE if person.key == key)
    user = db.session.scalars(select(User).where(User.email == email)).one()
    here = db.session.scalars(select(Organisation).where(Organisation.built_in.is_(False))).one()
    return sessions.viewer_of(user.id, here.id)


def test_everything_that_was_written_is_there(inside: Flask) -> None:
    assert count(User) == len(PEOPLE) + 1
    assert (count(Case), len(CASES) >= 12) == (len(TOLD), True)
    assert count(Comment) == sum(len(case.talk) for case in TOLD)
    assert {case.access for case in db.session.scalars(select(Case))} == set(Access)
    assert len(directory.parties(viewer("ines").organisation_id)) == len(PARTIES)


def test_loading_again_changes_nothing_and_knows_the_password(told: tuple[Flask, str], inside: Flask) -> None:
    app, password = told
    before = [count(model) for model in (User, Case, Comment, AuditEntry, OutboxMessage)]
    assert load.load(app) == password
    assert [count(model) for model in (User, Case, Comment, AuditEntry, OutboxMessage)] == before


def test_the_password_fits_those_who_can_sign_in_and_no_fixed_one_exists(told: tuple[Flask, str], inside: Flask) -> None:
    _, password = told
    passwords.check_strength(password, [])
    path = inside.config["SETTINGS"].instance / load.MARK
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (password, 0o600)
    states = {person.email: person.state for person in PEOPLE}
    for user in db.session.scalars(select(User)):
        state = states.get(user.email, "active")
        assert passwords.verify(user.password_hash, password) is (state != "invited"), user.email
        assert user.active is (state != "locked"), user.email


def test_what_is_told_lies_in_the_past_and_in_order(inside: Flask) -> None:
    for case in db.session.scalars(select(Case)):
        assert case.start_date <= case.created_at <= case.outside_at <= now(), case.title
        assert case.updated_at <= now(), case.title
        assert case.created_at >= now() - timedelta(days=151), case.title
    assert db.session.scalar(select(func.max(AuditEntry.at))) <= now()


def test_the_rules_hold_in_the_sample_too(inside: Flask) -> None:
    kinds = {user.id: user.type for user in db.session.scalars(select(User))}
    for case in db.session.scalars(select(Case)):
        named = list(db.session.scalars(select(Grant.user_id).where(Grant.case_id == case.id)))
        if case.access is Access.EXTERNAL:
            assert named, case.title
            assert {kinds[user_id] for user_id in named} == {AccountType.EXTERNAL}
        if case.access is Access.RESTRICTED:
            assert {kinds[user_id] for user_id in named} == {AccountType.NORMAL}
        external = db.session.scalars(select(Comment).where(Comment.case_id == case.id, Comment.external)).all()
        assert not external or case.access in SHARED, case.title


def test_outsiders_of_the_sample_see_their_own_cases(inside: Flask) -> None:
    for person in PEOPLE:
        if person.kind == "external" and person.state == "active":
            wanted = {case.title for case in CASES if case.access == "all_external" or person.key in case.shared_with}
            wanted |= {report.title for report in outside.REPORTS if report.by == person.key}
            assert {row.title for row in Window(viewer(person.key)).cases().rows} == wanted, person.key


def test_people_outside_report_incidents_and_add_evidence(inside: Flask) -> None:
    """So that whoever looks around sees both, in the console and in the portal: one that waits for somebody, and one that is over."""
    stages = set()
    for report in outside.REPORTS:
        window = Window(viewer(report.by))
        row = next(row for row in window.cases().rows if row.title == report.title)
        shown = window.evidence.items(row.number).rows
        assert len(shown) == len(report.items) + len(report.files), report.title
        assert report.answers["happened"].split(".")[0][:20] in db.session.scalar(select(Case.description).where(Case.number == row.number))
        stages.add(row.stage)
    assert stages == {"New", "InProgress", "Closed"}
    for key, clues in outside.CLUES.items():
        title = next(case.title for case in CASES if case.key == key)
        window = Window(viewer(clues[0].by))
        row = next(row for row in window.cases().rows if row.title == title)
        assert len(window.evidence.items(row.number).rows) == sum(len(clue.lines) for clue in clues), title


def test_no_old_mail_is_sent(inside: Flask) -> None:
    """Only the open invitation waits; nobody is told today what happened in spring."""
    invited = [person.email for person in PEOPLE if person.state == "invited"]
    waiting = [db.session.get_one(User, row.to_user_id).email for row in db.session.scalars(select(OutboxMessage))]
    assert waiting == invited


def test_the_welcome_names_everybody_who_can_sign_in(told: tuple[Flask, str]) -> None:
    text = load.welcome("http://127.0.0.1:8000", told[1])
    assert told[1] in text
    for person in PEOPLE:
        assert (person.email in text) is (person.state == "active"), person.email


def test_a_database_with_people_in_it_is_left_alone(app: Flask, world: World) -> None:
    with pytest.raises(load.RealData, match="holds real data"):
        load.load(app)
    with app.app_context():
        assert count(Case) == len(world.cases)
        assert not (app.config["SETTINGS"].instance / load.MARK).exists()


def test_a_sample_world_without_its_mark_is_not_trusted(make_app: Callable[..., Flask]) -> None:
    """Somebody copied the database, or it was put to real use: nobody's password is printed or changed."""
    app = make_app()
    load.load(app)
    (app.config["SETTINGS"].instance / load.MARK).unlink()
    with pytest.raises(load.RealData):
        load.load(app)


def test_a_mark_left_by_a_crash_does_no_harm(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    mark = app.config["SETTINGS"].instance / load.MARK
    mark.write_text("left-over")
    with app.app_context():
        start_writing()
        db.session.execute(delete(AuditEntry))
        db.session.commit()
    password = load.load(app)
    assert password != "left-over"
    assert mark.read_text() == password


@pytest.mark.sqlite_only
def test_the_sample_world_lives_through_an_upgrade(told: tuple[Flask, str], inside: Flask) -> None:
    assert bring_up_to_date(inside) is None
    assert not alembic.needs_upgrade()
    assert count(Case) == len(TOLD)
