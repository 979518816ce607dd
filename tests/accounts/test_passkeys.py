"""Passkeys: only what was signed for this step, this site and this person counts."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.accounts import mfa, passkeys, sessions
from portal.accounts.models import Passkey
from portal.accounts.second_step import Way
from portal.accounts.steps import Aim
from portal.config import Settings
from portal.extensions import db
from portal.refusals import NotVisible, Refusal
from tests.factories import PASSWORD
from tests.fixtures.factors import TRACE, add_passkey, begin, due, finish, passkey_request, signed_in
from tests.fixtures.passkeys import SoftKey
from tests.fixtures.product import settings_for
from tests.fixtures.rooms import Cast

ORIGIN = "http://localhost:8000"


@pytest.fixture
def settings(instance: object, database_url: str) -> Settings:
    """Passkeys need a name."""
    return settings_for(instance, database_url, base_url=ORIGIN)  # type: ignore[arg-type]


@pytest.mark.parametrize("counts", [True, False])
def test_hanna_can_set_up_a_passkey_and_sign_in_with_it(cast: Cast, counts: bool) -> None:
    device = SoftKey(ORIGIN, counts=counts)
    changed = add_passkey(signed_in(cast("hanna")), device)
    assert changed.codes
    assert cast.user("hanna").mfa
    for _ in range(2):
        key = due()
        finish(key, Way.PASSKEY, device.get(passkey_request(key)))
    assert db.session.scalars(select(Passkey)).one().last_used_at is not None


def test_a_counter_that_goes_back_is_refused(cast: Cast) -> None:
    device = SoftKey(ORIGIN, counts=True, counter=40)
    add_passkey(signed_in(cast("hanna")), device)
    device.counter = 12
    key = due()
    with pytest.raises(Refusal, match="could not be checked"):
        finish(key, Way.PASSKEY, device.get(passkey_request(key)))


def test_an_answer_to_another_step_site_or_person_is_refused(cast: Cast) -> None:
    device, stranger = SoftKey(ORIGIN), SoftKey(ORIGIN)
    add_passkey(signed_in(cast("hanna")), device)
    add_passkey(signed_in(cast("rhea")), stranger)
    older, key = due(), due()
    wanted = passkey_request(key)
    elsewhere = SoftKey("http://localhost:9000", id=device.id, key=device.key)
    forged = SoftKey(ORIGIN, id=device.id)
    wrong = [device.get(passkey_request(older)), elsewhere.get(wanted), forged.get(wanted), stranger.get(wanted)]
    for answer in wrong:
        with pytest.raises(Refusal, match="could not be checked"):
            finish(key, Way.PASSKEY, answer)
    finish(key, Way.PASSKEY, device.get(wanted))
    with pytest.raises(mfa.Over):
        finish(key, Way.PASSKEY, device.get(wanted))


BROKEN = [
    "",
    "null",
    "[]",
    "3",
    '"x"',
    "{}",
    "{",
    '{"id": 3}',
    '{"rawId": "eA", "id": "eA", "type": "public-key", "response": {}}',
    "[" * 9000,
]


@pytest.mark.parametrize("answer", BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_answer_is_refused(cast: Cast, answer: str) -> None:
    hanna = signed_in(cast("hanna"))
    key = begin(hanna, Aim.PASSKEY)
    with pytest.raises(Refusal):
        mfa.add_passkey(hanna, key, "Laptop", answer, face="portal", trace=TRACE)
    db.session.rollback()
    add_passkey(hanna, SoftKey(ORIGIN))
    step = due()
    with pytest.raises(Refusal, match="could not be checked"):
        finish(step, Way.PASSKEY, answer)


def test_a_passkey_cannot_be_registered_twice(cast: Cast) -> None:
    device = SoftKey(ORIGIN)
    changed = add_passkey(signed_in(cast("hanna")), device)
    found = sessions.find(changed.key, "portal")
    assert found is not None
    key = begin(found.viewer, Aim.PASSKEY)
    options = passkeys.creation_options(cast.user("hanna"), mfa.step_of(found.viewer, key, "portal", Aim.PASSKEY))
    assert '"excludeCredentials": [{' in options
    with pytest.raises(Refusal, match="in use already"):
        mfa.add_passkey(found.viewer, key, "Again", device.create(options), face="portal", trace=TRACE)
    db.session.rollback()
    with pytest.raises(Refusal, match="in use already"):
        add_passkey(signed_in(cast("rhea")), device)


def test_a_passkey_is_its_owners_only(cast: Cast) -> None:
    add_passkey(signed_in(cast("hanna")), SoftKey(ORIGIN))
    passkey = db.session.scalars(select(Passkey)).one()
    with pytest.raises(NotVisible):
        mfa.remove_passkey(signed_in(cast("rhea")), passkey.uid, PASSWORD, face="portal", trace=TRACE)


@pytest.mark.parametrize(
    ("base_url", "can"),
    [
        ("http://127.0.0.1:8000", False),
        ("https://192.0.2.7", False),
        ("https://[2001:db8::7]", False),
        ("http://localhost:8000", True),
        ("https://cases.example.org", True),
    ],
)
def test_passkeys_need_a_name_and_tls(make_app: object, base_url: str, can: bool) -> None:
    with make_app(base_url=base_url).app_context():  # type: ignore[operator]
        assert passkeys.possible() is can


def test_where_passkeys_are_impossible_none_begins(make_app: object, cast: Cast) -> None:
    hanna = signed_in(cast("hanna"))
    with (
        make_app(base_url="http://127.0.0.1:8000").app_context(),  # type: ignore[operator]
        pytest.raises(Refusal, match="reached by a name, over https"),
    ):
        mfa.start(hanna, Aim.PASSKEY, PASSWORD, face="portal")
