"""Changing the platform's settings: who may, what is refused, what is kept, what holds from then on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts import links, passwords, sessions, throttle
from portal.accounts.models import Attempt, Purpose
from portal.accounts.permissions import Permission
from portal.clock import at, now
from portal.database import start_writing
from portal.extensions import db
from portal.refusals import NotAllowed, Refusal, Stale, TooMany, Unfit
from portal.settings import change, values
from portal.settings.models import Setting
from portal.settings.values import SignInPolicy
from tests.fixtures.rooms import Cast, at_once, newest_audit
from tests.fixtures.world import World

MAIL = {"smtp_host": "smtp.example.org", "smtp_port": 465, "smtp_security": "tls", "smtp_username": "portal"}
SECRET = "open-sesame-please"


def save(cast: Cast, version: int = 0, **chosen: Any) -> None:
    """As Pia, and committed."""
    start_writing()
    change.save_mail({**MAIL, **chosen}, version=version, by=cast("pia"))
    db.session.commit()
    values.forget()


def stored(name: str = "mail") -> dict[str, Any]:
    return dict(db.session.scalar(select(Setting.value).where(Setting.name == name)) or {})


def test_what_is_saved_holds_at_once(cast: Cast) -> None:
    assert not values.mail_is_set_up()
    save(cast, invitation_hours=48, reset_minutes=10, mail_from="cases@example.org")
    now_ = values.current()
    assert values.mail_is_set_up()
    assert (now_.smtp_host, now_.smtp_port, now_.smtp_security, now_.mail_from) == ("smtp.example.org", 465, "tls", "cases@example.org")
    assert links.lifetime(Purpose.INVITATION) == timedelta(hours=48)
    assert links.lifetime(Purpose.RESET) == timedelta(minutes=10)


def test_only_what_differs_from_the_defaults_is_kept(cast: Cast) -> None:
    save(cast, invitation_hours=24, mail_from="")
    assert set(stored()) == {"smtp_host", "smtp_port", "smtp_security", "smtp_username"}
    save(cast, 1, smtp_host="", smtp_port=587, smtp_security="starttls", smtp_username="")
    assert stored() == {}
    assert not values.mail_is_set_up()


@pytest.mark.parametrize("who", ["ada", "olga", "ruth", "hanna"])
def test_others_cannot_change_settings(cast: Cast, who: str) -> None:
    for act in (
        lambda: change.save_mail(MAIL, version=0, by=cast(who)),
        lambda: change.draft_mail(MAIL, by=cast(who)),
        lambda: change.save_sign_in(SignInPolicy(attempts=5), version=0, by=cast(who)),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert stored() == {}


def test_the_password_lies_sealed_and_is_never_told(cast: Cast) -> None:
    save(cast, smtp_password=SECRET)
    assert SECRET not in str(stored())
    assert values.current().smtp_password == SECRET
    assert change.password_state() == "kept"
    [entry] = newest_audit()
    assert entry.changes["smtp_password"] == [None, "changed"]
    assert SECRET not in str(entry.changes)
    assert stored()["smtp_password"] not in str(entry.changes)


def test_an_empty_password_keeps_the_one_there_is(cast: Cast) -> None:
    save(cast, smtp_password=SECRET)
    save(cast, 1, smtp_port=587, smtp_password="")
    assert values.current().smtp_password == SECRET
    save(cast, 2, smtp_password="another-one")
    assert values.current().smtp_password == "another-one"
    save(cast, 3, smtp_password="", forget_password=True)
    assert (values.current().smtp_password, change.password_state()) == ("", "none")
    assert newest_audit()[0].changes["smtp_password"] == [None, "removed"]


def test_a_kept_password_goes_to_no_other_server(cast: Cast) -> None:
    """Whoever may change the settings could else send it to a machine of their own and read it there."""
    save(cast, smtp_password=SECRET)
    for act in (
        lambda: save(cast, 1, smtp_host="evil.example"),
        lambda: change.draft_mail({**MAIL, "smtp_host": "evil.example"}, by=cast("pia")),
    ):
        with pytest.raises(Unfit) as refused:
            act()
        assert refused.value.field == "smtp_password"
    db.session.rollback()
    save(cast, 1, smtp_host="")  # by a detour
    with pytest.raises(Unfit):
        save(cast, 2, smtp_host="evil.example")
    db.session.rollback()
    save(cast, 2, smtp_host="new.example", smtp_password=SECRET)
    assert values.current().smtp_host == "new.example"


def test_with_another_key_the_password_is_lost_and_nothing_breaks(cast: Cast, make_app: Callable[..., Flask]) -> None:
    save(cast, smtp_password=SECRET)
    with make_app(secret_key="another-installation-" * 3).app_context():
        assert (values.current().smtp_password, change.password_state()) == ("", "lost")


@pytest.mark.parametrize(
    ("chosen", "field"),
    [
        ({"smtp_host": "https://smtp.example.org"}, "smtp_host"),
        ({"smtp_host": "smtp example"}, "smtp_host"),
        ({"smtp_port": 0}, "smtp_port"),
        ({"smtp_port": 65536}, "smtp_port"),
        ({"smtp_security": "ssl"}, "smtp_security"),
        ({"smtp_security": "none"}, "smtp_security"),
        ({"invitation_hours": 0}, "invitation_hours"),
        ({"invitation_hours": 721}, "invitation_hours"),
        ({"reset_minutes": 4}, "reset_minutes"),
        ({"reset_minutes": 1441}, "reset_minutes"),
    ],
    ids=str,
)
def test_what_cannot_work_is_refused_at_its_field(cast: Cast, chosen: dict[str, Any], field: str) -> None:
    with pytest.raises(Unfit) as refused:
        save(cast, **chosen)
    assert refused.value.field == field
    assert refused.value.sentence.endswith(".")
    db.session.rollback()
    assert stored() == {}


def test_unencrypted_mail_may_stay_on_this_machine(cast: Cast, make_app: Callable[..., Flask]) -> None:
    save(cast, smtp_host="127.0.0.1", smtp_security="none")
    assert values.current().smtp_security == "none"
    with make_app(smtp_host="smtp.example.org").app_context():  # since then the environment names another server
        assert values.current().smtp_security == "starttls"
    with make_app(allow_http=True).app_context():
        save(cast, 1, smtp_security="none")
        assert values.current().smtp_host == "smtp.example.org"


def test_the_environment_overrules_and_cannot_be_changed(cast: Cast, make_app: Callable[..., Flask]) -> None:
    save(cast, smtp_password=SECRET)
    settled = make_app(smtp_host="mail.example.org", smtp_security="tls", smtp_password="given", invitation_hours=2)
    with settled.app_context():
        save(cast, 1, smtp_host="evil.example", smtp_password="typed", forget_password=True, invitation_hours=700, reset_minutes=30)
        now_ = values.current()
        assert (now_.smtp_host, now_.smtp_password, now_.invitation_hours) == ("mail.example.org", "given", 2)
        assert (now_.reset_minutes, now_.smtp_username) == (30, "portal")
        assert change.password_state() == "environment"
    values.forget()
    db.session.rollback()
    assert (values.current().smtp_host, values.current().smtp_password) == ("smtp.example.org", SECRET)


def test_the_later_of_two_is_told_and_changes_nothing(cast: Cast) -> None:
    save(cast)
    with pytest.raises(Stale):
        save(cast, 0, smtp_port=2525)
    db.session.rollback()
    values.forget()
    assert values.current().smtp_port == 465
    save(cast, 0)  # the same once more, by a double click
    assert change.version_of("mail") == 1


def test_two_at_once_make_one_change(app: Flask, cast: Cast) -> None:
    pia = cast("pia")

    def attempt(port: int) -> Callable[[], None]:
        def run() -> None:
            start_writing()
            change.save_mail({**MAIL, "smtp_port": port}, version=0, by=pia)
            db.session.commit()

        return run

    results = at_once(app, attempt(2525), attempt(2526))
    assert {type(result) for result in results} == {type(None), Stale}
    assert change.version_of("mail") == 1


def test_a_change_is_noted_with_old_and_new(cast: Cast) -> None:
    save(cast)
    save(cast, 1, smtp_host="other.example.org")
    [entry] = newest_audit()
    assert (entry.kind, entry.actor_id, entry.object_id) == ("settings:changed", cast.world.people["pia"], "mail")
    assert entry.changes == {"smtp_host": ["smtp.example.org", "other.example.org"]}


def sign_in(cast: Cast, **changes: Any) -> None:
    """As Pia, on top of what the world begins with, and committed."""
    start_writing()
    policy = replace(values.sign_in_policy(), **changes)
    change.save_sign_in(policy, version=change.version_of("sign_in"), by=cast("pia"))
    db.session.commit()
    values.forget()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"password_shortest": 11}, "password_shortest"),
        ({"password_shortest": 65}, "password_shortest"),
        ({"attempts": 2}, "attempts"),
        ({"attempts": 51}, "attempts"),
        ({"attempt_minutes": 0}, "attempt_minutes"),
        ({"attempt_minutes": 121}, "attempt_minutes"),
        ({"idle_minutes_console": 4}, "idle_minutes_console"),
        ({"idle_minutes_portal": 721}, "idle_minutes_portal"),
        ({"hours_console": 0}, "hours_console"),
        ({"hours_portal": 73}, "hours_portal"),
        ({"idle_minutes_console": 60, "hours_console": 1}, "idle_minutes_console"),
        ({"idle_minutes_portal": 61, "hours_portal": 1}, "idle_minutes_portal"),
    ],
    ids=str,
)
def test_a_policy_that_cannot_work_is_refused(cast: Cast, changes: dict[str, Any], field: str) -> None:
    before = stored("sign_in")
    with pytest.raises(Unfit) as refused:
        sign_in(cast, **changes)
    assert refused.value.field == field
    db.session.rollback()
    assert stored("sign_in") == before


def test_the_policy_steers_passwords(cast: Cast) -> None:
    passwords.check_strength("meadow-lantern-7", [])
    sign_in(cast, password_shortest=20)
    with pytest.raises(Refusal, match="Use at least 20 characters"):
        passwords.check_strength("meadow-lantern-7", [])
    passwords.check_strength("meadow-lantern-quartz-71", [])


def test_the_policy_steers_how_often_one_may_try(cast: Cast) -> None:
    sign_in(cast, attempts=3, attempt_minutes=2)
    budget = ("sign-in", "hanna@people.example|192.0.2.1", throttle.SIGN_IN_ACCOUNT)
    for _ in range(3):
        throttle.spend(budget)
    with pytest.raises(TooMany) as refused:
        throttle.spend(budget)
    assert refused.value.retry_after <= 120
    with at(now() + timedelta(minutes=2, seconds=1)):
        throttle.spend(budget)


def test_sessions_that_are_now_too_old_end_at_the_next_request(cast: Cast) -> None:
    start_writing()
    key = sessions.open_session(cast.user("hanna"), cast.world.places["here"], "portal")
    db.session.commit()
    with at(now() + timedelta(minutes=20)):
        assert sessions.find(key, "portal") is not None
        sign_in(cast, idle_minutes_portal=10)
        assert sessions.find(key, "portal") is None


def test_a_required_second_step_is_asked_for_at_the_next_request(cast: Cast) -> None:
    start_writing()
    key = sessions.open_session(cast.user("hanna"), cast.world.places["here"], "portal")
    db.session.commit()
    found = sessions.find(key, "portal")
    assert found is not None
    assert not found.viewer.must_enrol
    sign_in(cast, mfa_external=True)
    found = sessions.find(key, "portal")
    assert found is not None
    assert found.viewer.must_enrol


def test_one_try_can_be_given_back(cast: Cast) -> None:
    for _ in range(3):
        throttle.spend(("network", "192.0.2.1", throttle.SIGN_IN_NETWORK))
    start_writing()
    throttle.forgive("network", "192.0.2.1", tries=1)
    db.session.commit()
    assert len(list(db.session.scalars(select(Attempt.id)))) == 2
    start_writing()
    throttle.forgive("network", "192.0.2.1")
    db.session.commit()
    assert list(db.session.scalars(select(Attempt.id))) == []


def test_without_a_word_from_anybody_the_defaults_hold(app: Flask, world: World) -> None:
    with app.app_context():
        assert values.current() == app.config["SETTINGS"]
        assert values.policy_from(None) == SignInPolicy()
        assert values.policy_from({"attempts": 4, "of_tomorrow": 1}) == replace(SignInPolicy(), attempts=4)


def test_only_a_full_administrator_decides_where_letters_go(cast: Cast) -> None:
    """The letters carry links that open accounts, also those of people who may do more."""
    pia = cast("pia")
    lesser = replace(pia, permissions=frozenset({Permission.MANAGE_PLATFORM.value}))
    with pytest.raises(NotAllowed, match="how they leave"):
        change.save_mail({**MAIL, "smtp_host": "mail.evil.example"}, version=0, by=lesser)
    db.session.rollback()
