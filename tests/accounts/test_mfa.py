"""Second factors: set up with the password, and never fewer than are required; recovery codes; resets."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from portal.accounts import mfa, second_step, sessions, sign_in
from portal.accounts.models import Challenge, RecoveryCode, Totp
from portal.accounts.second_step import Way
from portal.accounts.steps import Aim
from portal.clock import at, now
from portal.config import Settings
from portal.database import start_writing
from portal.extensions import db
from portal.refusals import NotAllowed, NotVisible, Refusal, TooMany, Unfit
from portal.settings import values
from portal.settings.models import Setting
from tests.factories import PASSWORD
from tests.fixtures.factors import TRACE, add_app, add_passkey, begin, code_of, codes, due, face_of, finish, signed_in
from tests.fixtures.passkeys import SoftKey
from tests.fixtures.product import settings_for
from tests.fixtures.rooms import Cast, letters, newest_audit

ORIGIN = "http://localhost:8000"


@pytest.fixture
def settings(instance: object, database_url: str) -> Settings:
    """Passkeys need a name."""
    return settings_for(instance, database_url, base_url=ORIGIN)  # type: ignore[arg-type]


def demand(**changes: bool) -> None:
    start_writing()
    db.session.execute(
        update(Setting).where(Setting.name == "sign_in").values(value={"mfa_admin": False, "mfa_organisation": False, **changes})
    )
    db.session.commit()
    values.forget()


def test_hanna_can_set_up_an_app_and_sign_in_with_it(cast: Cast) -> None:
    hanna = signed_in(cast("hanna"))
    elsewhere = signed_in(hanna)
    secret, changed = add_app(hanna)
    assert cast.user("hanna").mfa
    found = sessions.find(changed.key, "portal")
    assert found is not None
    assert [row.user_id for row in sessions.sessions_of(hanna.user_id)] == [hanna.user_id], "the other browsers are signed out"
    assert elsewhere.session_id != found.viewer.session_id
    assert sessions.sessions_of(hanna.user_id)[0].mfa_at is not None
    key = due()
    assert sessions.find(key, "portal") is None, "the key of a step opens nothing"
    opened = finish(key, Way.CODE, f" {code_of(secret)[:3]} {code_of(secret)[3:]}")
    assert sessions.find(opened.key, "portal") is not None
    assert newest_audit()[0].kind == "session:opened"


def test_the_secret_is_sealed_and_kept_only_once_a_code_was_right(cast: Cast) -> None:
    hanna = signed_in(cast("hanna"))
    key = begin(hanna, Aim.APP)
    secret = mfa.secret_of(mfa.step_of(hanna, key, "portal", Aim.APP))
    with pytest.raises(Unfit, match="not right"):
        mfa.add_app(hanna, key, "000000", face="portal", trace=TRACE)
    db.session.rollback()
    assert db.session.scalar(select(func.count(Totp.id))) == 0
    assert not cast.user("hanna").mfa
    add_app(hanna)
    stored = db.session.scalars(select(Totp)).one()
    assert secret not in stored.secret
    assert len(secret) == 32
    assert secret not in str([vars(row) for row in db.session.scalars(select(Challenge))])


def test_adding_and_removing_is_told_and_on_record(cast: Cast) -> None:
    hanna = signed_in(cast("hanna"))
    _, changed = add_app(hanna)
    assert {entry.kind for entry in newest_audit(2)} == {"user:mfa-added", "user:recovery-codes-made"}
    assert letters("mfa_changed")[-1].extra["what"] == "app-added"
    found = sessions.find(changed.key, "portal")
    assert found is not None
    mfa.remove_app(found.viewer, PASSWORD, face="portal", trace=TRACE)
    db.session.commit()
    assert newest_audit()[0].kind == "user:mfa-removed"
    assert letters("mfa_changed")[-1].extra["what"] == "app-removed"
    assert sessions.find(changed.key, "portal") is None
    assert (cast.user("hanna").mfa, db.session.scalar(select(func.count(RecoveryCode.id)))) == (False, 0)
    assert isinstance(sign_in.sign_in("hanna@people.example", PASSWORD, face="portal", trace=TRACE), sign_in.SignedIn)


@pytest.mark.parametrize("aim", [Aim.APP, Aim.PASSKEY, Aim.CODES])
def test_nothing_begins_without_the_password_and_guesses_are_counted(cast: Cast, aim: Aim) -> None:
    hanna = signed_in(cast("hanna"))
    for _ in range(10):
        with pytest.raises(Unfit, match="password is not right"):
            mfa.start(hanna, aim, "wrong", face="portal")
    with pytest.raises(TooMany):
        mfa.start(hanna, aim, PASSWORD, face="portal")


def test_removing_asks_for_the_password(cast: Cast) -> None:
    hanna = signed_in(cast("hanna"))
    add_app(hanna)
    with pytest.raises(Unfit, match="password is not right"):
        mfa.remove_app(hanna, "wrong", face="portal", trace=TRACE)
    db.session.rollback()
    assert cast.user("hanna").mfa


def test_another_app_replaces_the_first(cast: Cast) -> None:
    hanna = signed_in(cast("hanna"))
    with at(now() - timedelta(minutes=5)):
        older, changed = add_app(hanna)
        assert changed.codes
        found = sessions.find(changed.key, "portal")
    assert found is not None
    with at(now() - timedelta(minutes=2)):
        newer, changed = add_app(found.viewer)
        assert changed.codes == "", "the recovery codes stay as they are"
    key = due()
    with pytest.raises(Refusal, match="code is not right"):
        finish(key, Way.CODE, code_of(older))
    finish(key, Way.CODE, code_of(newer))


def test_another_secret_key_makes_apps_useless_but_not_recovery_codes(cast: Cast) -> None:
    hanna = signed_in(cast("hanna"))
    secret, changed = add_app(hanna)
    kept = codes(changed)
    db.session.execute(update(Totp).values(secret="v1:" + "A" * 80))
    db.session.commit()
    key = due()
    with pytest.raises(Refusal, match="code is not right"):
        finish(key, Way.CODE, code_of(secret))
    finish(key, Way.RECOVERY, kept[0])


def test_there_are_ten_recovery_codes_of_120_bits_kept_as_hashes(cast: Cast) -> None:
    _, changed = add_app(signed_in(cast("hanna")))
    kept = codes(changed)
    assert len(set(kept)) == 10
    assert {len(code.replace("-", "")) for code in kept} == {24}
    stored = [row.code_hash for row in db.session.scalars(select(RecoveryCode))]
    assert not set(stored) & set(kept)


def test_a_recovery_code_works_once_and_its_owner_is_told(cast: Cast) -> None:
    _, changed = add_app(signed_in(cast("hanna")))
    kept = codes(changed)
    finish(due(), Way.RECOVERY, kept[3].lower().replace("-", " "))
    assert [entry.kind for entry in newest_audit(2)] == ["session:opened", "user:recovery-code-used"]
    assert letters("mfa_changed")[-1].extra["what"] == "code-used"
    assert letters("mfa_changed")[-1].extra["left"] == 9
    key = due()
    with pytest.raises(Refusal, match="used before"):
        finish(key, Way.RECOVERY, kept[3])
    assert letters("mfa_changed")[-1].extra["left"] == 9
    finish(key, Way.RECOVERY, kept[4])


def test_a_code_of_somebody_else_does_not_work(cast: Cast) -> None:
    add_app(signed_in(cast("hanna")))
    _, changed = add_app(signed_in(cast("rhea")))
    key = due()
    with pytest.raises(Refusal, match="recovery code is not right"):
        finish(key, Way.RECOVERY, codes(changed)[0])


def test_new_recovery_codes_replace_the_old(cast: Cast) -> None:
    _, changed = add_app(signed_in(cast("hanna")))
    older = codes(changed)
    found = sessions.find(changed.key, "portal")
    assert found is not None
    key = begin(found.viewer, Aim.CODES)
    newer = mfa.codes_of(mfa.step_of(found.viewer, key, "portal", Aim.CODES))
    assert not set(older) & set(newer)
    assert newest_audit()[0].kind == "user:recovery-codes-made"
    step = due()
    with pytest.raises(Refusal, match="recovery code is not right"):
        finish(step, Way.RECOVERY, older[0])
    finish(step, Way.RECOVERY, newer[0])


def test_recovery_codes_alone_are_no_second_step(cast: Cast) -> None:
    with pytest.raises(Refusal, match="app or a passkey first"):
        mfa.start(signed_in(cast("hanna")), Aim.CODES, PASSWORD, face="portal")
    db.session.rollback()
    assert db.session.scalar(select(func.count(RecoveryCode.id))) == 0


def test_codes_are_not_shown_again_once_they_are_kept(cast: Cast) -> None:
    _, changed = add_app(signed_in(cast("hanna")))
    found = sessions.find(changed.key, "portal")
    assert found is not None
    step = mfa.step_of(found.viewer, changed.codes, "portal", Aim.FIRST_CODES)
    with pytest.raises(NotVisible):
        mfa.close_codes(cast("rhea"), step)
    mfa.close_codes(found.viewer, step)
    db.session.commit()
    with pytest.raises(mfa.Over):
        mfa.step_of(found.viewer, changed.codes, "portal", Aim.FIRST_CODES)


def test_the_last_factor_stays_while_it_is_required(cast: Cast) -> None:
    demand(mfa_external=True)
    hanna = signed_in(cast("hanna"))
    assert hanna.must_enrol
    _, changed = add_app(hanna)
    found = sessions.find(changed.key, "portal")
    assert found is not None
    assert not found.viewer.must_enrol
    with pytest.raises(Refusal, match="the last one stays"):
        mfa.remove_app(found.viewer, PASSWORD, face="portal", trace=TRACE)
    db.session.rollback()
    changed = add_passkey(found.viewer, SoftKey(ORIGIN))
    found = sessions.find(changed.key, "portal")
    assert found is not None
    mfa.remove_app(found.viewer, PASSWORD, face="portal", trace=TRACE)
    db.session.commit()
    assert cast.user("hanna").mfa


def test_olga_can_reset_the_second_step_of_her_people(cast: Cast) -> None:
    _, changed = add_app(signed_in(cast("hanna")))
    key = due()
    start_writing()
    mfa.reset(cast.world.people["hanna"], by=cast("olga"))
    db.session.commit()
    assert sessions.find(changed.key, "portal") is None
    assert second_step.due(key, "portal") is None
    user = cast.user("hanna")
    assert (user.mfa, [db.session.scalar(select(func.count(model.id))) for model in (Totp, RecoveryCode)]) == (False, [0, 0])
    entry, letter = newest_audit()[0], letters("mfa_reset")[-1]
    assert (entry.kind, entry.actor_id, entry.object_id) == ("user:mfa-reset", cast.world.people["olga"], str(user.id))
    assert (letter.to_user_id, letter.extra["by"]) == (user.id, "Olga Person")
    assert isinstance(sign_in.sign_in("hanna@people.example", PASSWORD, face="portal", trace=TRACE), sign_in.SignedIn)


@pytest.mark.parametrize(("who", "error"), [("ruth", NotAllowed), ("otto", NotVisible)])
def test_others_cannot_reset_it(cast: Cast, who: str, error: type[Exception]) -> None:
    add_app(signed_in(cast("hanna")))
    with pytest.raises(error):
        mfa.reset(cast.world.people["hanna"], by=cast(who))
    db.session.rollback()
    assert cast.user("hanna").mfa


def test_nobody_can_reset_their_own_or_what_is_not_there(cast: Cast) -> None:
    add_app(signed_in(cast("olga")))
    with pytest.raises(Refusal, match="your own second step"):
        mfa.reset(cast.world.people["olga"], by=cast("olga"))
    with pytest.raises(Refusal, match="no second step"):
        mfa.reset(cast.world.people["hanna"], by=cast("olga"))


def test_changing_the_password_keeps_what_was_shown(cast: Cast) -> None:
    _, changed = add_app(signed_in(cast("olga")))
    found = sessions.find(changed.key, "console")
    assert found is not None
    assert face_of(found.viewer) == "console"
    sign_in.change_password(found.viewer, PASSWORD, "velvet-harbour-onion-38", face="console", trace=TRACE)
    db.session.commit()
    assert sessions.sessions_of(found.viewer.user_id)[0].mfa_at is not None
