"""The second step of signing in: each proof good for one use, each step for ten minutes, and guessing stopped."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.accounts import mfa, second_step, sessions, sign_in, steps
from portal.accounts.models import Attempt, Challenge, RecoveryCode, User
from portal.accounts.second_step import Way
from portal.accounts.steps import Aim
from portal.clock import at, now
from portal.extensions import db
from portal.refusals import Refusal, TooMany
from tests.factories import PASSWORD
from tests.fixtures.factors import TRACE, add_app, begin, code_of, codes, due, finish, signed_in
from tests.fixtures.rooms import Cast, at_once, newest_audit


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_a_code_next_to_the_present_one_is_taken(cast: Cast, step: int) -> None:
    hanna = signed_in(cast("hanna"))
    with at(now() - timedelta(minutes=5)):
        secret, _ = add_app(hanna)
    finish(due(), Way.CODE, code_of(secret, step))


@pytest.mark.parametrize("step", [-3, -2, 2, 3])
def test_a_code_farther_off_is_not(cast: Cast, step: int) -> None:
    hanna = signed_in(cast("hanna"))
    with at(now() - timedelta(minutes=5)):
        secret, _ = add_app(hanna)
    key = due()
    with pytest.raises(Refusal, match="code is not right"):
        finish(key, Way.CODE, code_of(secret, step))


def test_a_code_works_once_and_none_before_it(cast: Cast) -> None:
    hanna = signed_in(cast("hanna"))
    with at(now() - timedelta(minutes=5)):
        secret, _ = add_app(hanna)
    moment = now()
    with at(moment):
        finish(due(), Way.CODE, code_of(secret))
        key = due()
        for step in (0, -1):
            with pytest.raises(Refusal, match="code is not right"):
                finish(key, Way.CODE, code_of(secret, step))
        finish(key, Way.CODE, code_of(secret, 1))


def test_the_code_that_set_the_app_up_is_used(cast: Cast) -> None:
    hanna = signed_in(cast("hanna"))
    with at(now()):
        secret, _ = add_app(hanna)
        key = due()
        with pytest.raises(Refusal, match="code is not right"):
            finish(key, Way.CODE, code_of(secret, -1))


def test_two_browsers_cannot_use_one_code(app: Flask, cast: Cast) -> None:
    hanna = signed_in(cast("hanna"))
    secret, _ = add_app(hanna)
    code, keys = code_of(secret), [due() for _ in range(4)]
    results = at_once(app, *[lambda key=key: finish(key, Way.CODE, code) for key in keys])
    assert [type(result) for result in results].count(sign_in.SignedIn) == 1, results


def test_two_browsers_cannot_use_one_step(app: Flask, cast: Cast) -> None:
    hanna = signed_in(cast("hanna"))
    _, changed = add_app(hanna)
    key, kept = due(), codes(changed)
    results = at_once(app, *[lambda code=code: finish(key, Way.RECOVERY, code) for code in kept[:4]])
    assert [type(result) for result in results].count(sign_in.SignedIn) == 1, results
    assert db.session.scalar(select(func.count(RecoveryCode.id)).where(RecoveryCode.used_at.is_not(None))) == 1


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "\x00\x00\x00\x00\x00\x00", "-12345", "1" * 500])
def test_what_is_no_code_is_refused(cast: Cast, code: str) -> None:
    add_app(signed_in(cast("hanna")))
    key = due()
    with pytest.raises(Refusal, match="code is not right"):
        finish(key, Way.CODE, code)


def test_a_step_ends_after_ten_minutes(cast: Cast) -> None:
    hanna = signed_in(cast("hanna"))
    secret, _ = add_app(hanna)
    key = due()
    assert second_step.due(key, "portal") is not None
    with at(now() + timedelta(minutes=10, seconds=1)):
        assert second_step.due(key, "portal") is None
        with pytest.raises(mfa.Over):
            finish(key, Way.CODE, code_of(secret))


def test_a_step_ends_when_the_account_changes(cast: Cast) -> None:
    hanna = signed_in(cast("hanna"))
    secret, changed = add_app(hanna)
    found = sessions.find(changed.key, "portal")
    assert found is not None
    first = due()
    sign_in.change_password(found.viewer, PASSWORD, "velvet-harbour-onion-38", face="portal", trace=TRACE)
    db.session.commit()
    with pytest.raises(mfa.Over):
        finish(first, Way.CODE, code_of(secret))


def test_a_locked_account_cannot_finish(cast: Cast) -> None:
    hanna = signed_in(cast("hanna"))
    secret, _ = add_app(hanna)
    key = due()
    cast.user("hanna").active = False
    db.session.commit()
    with pytest.raises(mfa.Over):
        finish(key, Way.CODE, code_of(secret))


@pytest.mark.parametrize("key", ["", "forged", "\x00", "ä" * 300])
def test_a_forged_key_is_no_step(cast: Cast, key: str) -> None:
    add_app(signed_in(cast("hanna")))
    due()
    assert second_step.due(key, "portal") is None
    with pytest.raises(mfa.Over):
        finish(key, Way.CODE, "123456")


def test_a_step_of_one_kind_or_face_is_none_of_another(cast: Cast) -> None:
    hanna = signed_in(cast("hanna"))
    _, changed = add_app(hanna)
    key = due()
    assert steps.find(key, "console", Aim.SIGN_IN) is None
    assert steps.find(key, "portal", Aim.APP, Aim.PASSKEY, Aim.CODES, Aim.FIRST_CODES) is None
    found = sessions.find(changed.key, "portal")
    assert found is not None
    setting_up = begin(found.viewer, Aim.APP)
    with pytest.raises(mfa.Over):
        finish(setting_up, Way.CODE, "123456")
    with pytest.raises(mfa.Over):
        mfa.step_of(cast("rhea"), setting_up, "portal", Aim.APP)


def test_guessing_codes_is_stopped_and_the_owner_still_gets_in(cast: Cast) -> None:
    hanna = signed_in(cast("hanna"))
    secret, changed = add_app(hanna)
    kept, key = codes(changed), due()
    for _ in range(5):
        with pytest.raises(Refusal, match="code is not right"):
            finish(key, Way.CODE, "000000")
    assert newest_audit()[0].kind == "session:mfa-refused"
    with pytest.raises(TooMany):
        finish(key, Way.CODE, code_of(secret))
    with pytest.raises(TooMany):
        finish(due(), Way.CODE, code_of(secret))
    finish(key, Way.RECOVERY, kept[0])
    with at(now() + timedelta(minutes=5, seconds=5)):
        finish(due(), Way.CODE, code_of(secret))


def test_guessing_slowly_is_stopped_too(cast: Cast) -> None:
    add_app(signed_in(cast("hanna")))
    begun, tries = now(), 0
    for minutes in range(0, 60, 6):
        with at(begun + timedelta(minutes=minutes)):
            key = due()
            for _ in range(5):
                try:
                    finish(key, Way.CODE, "000000")
                except TooMany:
                    break
                except Refusal:
                    tries += 1
    assert tries == 20


def test_the_step_is_learnt_of_only_with_the_right_password(cast: Cast) -> None:
    add_app(signed_in(cast("hanna")))
    with pytest.raises(Refusal) as refused:
        sign_in.sign_in("hanna@people.example", "wrong", face="portal", trace=TRACE)
    assert refused.value.sentence == str(sign_in.WRONG)
    assert db.session.scalar(select(func.count(Challenge.id)).where(Challenge.purpose == "sign-in")) == 0


def test_the_wrong_face_is_refused_before_the_step(cast: Cast) -> None:
    add_app(signed_in(cast("hanna")))
    with pytest.raises(Refusal, match="belongs to the portal"):
        sign_in.sign_in("hanna@people.example", PASSWORD, face="console", trace=TRACE)


def test_success_gives_its_own_try_back_only(cast: Cast) -> None:
    hanna = signed_in(cast("hanna"))
    with at(now() - timedelta(minutes=20)):
        secret, _ = add_app(hanna)
    key = due()
    with pytest.raises(Refusal):
        finish(key, Way.CODE, "000000")
    before = db.session.scalar(select(func.count(Attempt.id)))
    finish(key, Way.CODE, code_of(secret))
    assert db.session.scalar(select(func.count(Attempt.id))) == before
    assert db.session.get_one(User, hanna.user_id).last_sign_in_at is not None
