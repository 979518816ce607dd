"""The settings pages: saved, refused, tried out, overruled, changed by two; letters sent again."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select

from portal.accounts.models import User
from portal.clock import now
from portal.database import start_writing
from portal.extensions import db
from portal.mail import sender
from portal.mail.models import OutboxMessage, State
from portal.settings import values
from portal.settings.models import Setting
from tests.fixtures.post import PostOffice, free_port
from tests.fixtures.rooms import letters, newest_audit
from tests.fixtures.statements import counted
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
PATH, SIGN_IN = "/console/settings/mail", "/console/settings/sign-in"
FORM = {
    "smtp_host": "smtp.example.org",
    "smtp_port": "587",
    "smtp_security": "starttls",
    "smtp_username": "",
    "smtp_password": "",
    "mail_from": "",
    "invitation_hours": "24",
    "reset_minutes": "60",
    "version": "0",
}
SECRET = "open-sesame-please"
POLICY = {
    "password_shortest": "14",
    "attempts": "5",
    "attempt_minutes": "10",
    "idle_minutes_console": "20",
    "hours_console": "10",
    "idle_minutes_portal": "25",
    "hours_portal": "9",
}


def stored(app: Flask, name: str = "mail") -> dict[str, Any]:
    with app.app_context():
        return dict(db.session.scalar(select(Setting.value).where(Setting.name == name)) or {})


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', text)
    assert found is not None, name
    return unescape(found[1])


def test_pia_can_set_up_mail_and_everybody_stops_being_told(app: Flask, browse: Browse) -> None:
    pia, ada = browse("pia"), browse("ada")
    assert "Mail is not set up" in ada.get("/console/cases").text
    assert "Set up mail" not in ada.get("/console/cases").text
    assert 'href="/console/settings/mail">Set up mail' in pia.get("/console/people").text
    answer = pia.post(PATH, {**FORM, "smtp_password": SECRET, "invitation_hours": "36"})
    assert (answer.status_code, answer.headers["Location"]) == (303, PATH)
    page = unescape(pia.get(PATH).text)
    assert "The mail settings are saved." in page
    assert "A password is kept. Type a new one to replace it." in page
    assert "Remove the password that is kept" in page
    assert 'value="smtp.example.org"' in page
    assert "Mail is not set up" not in ada.get("/console/cases").text
    assert "36 hours" in browse("olga").get("/console/people/new").text
    assert SECRET not in page
    assert stored(app)["smtp_password"] not in page


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"smtp_port": "0"}, "Use a whole number between 1 and 65535."),
        ({"smtp_port": "²"}, "Use a whole number between 1 and 65535."),
        ({"smtp_port": "9" * 5000}, "Use a whole number between 1 and 65535."),
        ({"smtp_port": "\x00"}, "Use a whole number between 1 and 65535."),
        ({"smtp_host": "https://smtp.example.org/"}, "Enter the name or address of a mail server"),
        ({"smtp_host": "a" * 254}, "Use at most 253 characters."),
        ({"smtp_security": "none"}, "Without encryption anybody on the way"),
        ({"smtp_security": "ssl"}, "Not a valid choice"),
        ({"mail_from": "nobody"}, "Enter an e-mail address"),
        ({"mail_from": "jörg@example.org"}, "Many mail servers cannot write"),
        ({"invitation_hours": "721"}, "Use a whole number between 1 and 720."),
        ({"reset_minutes": "-5"}, "Use a whole number between 5 and 1440."),
        ({"version": ""}, "Reload the page"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_mistake_is_told_and_nothing_is_lost_or_changed(app: Flask, browse: Browse, change: dict[str, str], sentence: str) -> None:
    pia = browse("pia")
    answer = pia.post(PATH, {**FORM, "smtp_username": "somebody", "smtp_password": SECRET, **change})
    assert answer.status_code == 422
    page = unescape(answer.text)
    assert sentence in page
    assert 'value="somebody"' in page
    assert SECRET not in page
    assert stored(app) == {}


def test_a_typed_password_goes_with_the_form_without_being_in_it(app: Flask, browse: Browse) -> None:
    pia = browse("pia")
    page = pia.post(PATH, {**FORM, "smtp_password": SECRET, "smtp_port": "0"}).text
    sealed = hidden(page, "typed_password")
    assert SECRET not in page
    other = browse("pia")  # the same person in another session: the text is worth nothing there
    other.post(PATH, {**FORM, "typed_password": sealed})
    assert "smtp_password" not in stored(app)
    pia.post(PATH, {**FORM, "typed_password": sealed, "version": "1"})
    with app.app_context():
        assert values.current().smtp_password == SECRET


def test_the_later_of_two_administrators_is_shown_the_change(app: Flask, browse: Browse) -> None:
    first, second = browse("pia"), browse("pia")
    assert first.post(PATH, FORM).status_code == 303
    answer = second.post(PATH, {**FORM, "smtp_host": "other.example.org"})
    page = unescape(answer.text)
    assert answer.status_code == 422
    assert "Somebody changed these settings after you opened the page." in page
    assert re.search(r"Mail server</th>\s*<td[^>]*>smtp.example.org</td>\s*<td[^>]*>other.example.org</td>", page)
    assert stored(app)["smtp_host"] == "smtp.example.org"
    assert second.post(PATH, {**FORM, "smtp_host": "other.example.org", "version": hidden(page, "version")}).status_code == 303
    assert stored(app)["smtp_host"] == "other.example.org"


def test_what_the_environment_settles_is_shown_and_stays(make_app: Callable[..., Flask], world: World) -> None:
    app = make_app(smtp_host="mail.example.org", smtp_password=SECRET, invitation_hours=5)
    pia = signed_in(app, world, "pia")
    page = unescape(pia.get(PATH).text)
    for name in ("HOST", "PASSWORD"):
        assert f"Set by <code>PORTAL_SMTP_{name}</code>" in page
    assert "mail.example.org" in page
    assert "A password is set" in page
    assert SECRET not in page
    for name in ("smtp_host", "smtp_password", "forget_password", "invitation_hours"):
        assert f'name="{name}"' not in page
    answer = pia.post(PATH, {**FORM, "smtp_host": "evil.example", "invitation_hours": "700", "smtp_password": "x", "reset_minutes": "30"})
    assert answer.status_code == 303
    assert stored(app) == {"reset_minutes": 30}


def signed_in(app: Flask, world: World, who: str) -> Browser:
    """Like `browse`, in another product on the same database."""
    from portal.accounts import sessions

    with app.app_context():
        start_writing()
        user = db.session.get_one(User, world.people[who])
        key = sessions.open_session(user, world.places["admin" if who == "pia" else "here"], "console")
        db.session.commit()
    client = app.test_client()
    client.set_cookie("console", key, domain="127.0.0.1")
    return Browser(client, "console")


def local(office: PostOffice) -> dict[str, str]:
    return {**FORM, "smtp_host": office.host, "smtp_port": str(office.port), "smtp_security": "none"}


def test_a_test_letter_leaves_before_anything_is_saved(app: Flask, browse: Browse, smtp_server: PostOffice) -> None:
    pia = browse("pia")
    answer = pia.post(f"{PATH}/test", {**local(smtp_server), "mail_from": "cases@example.org"})
    assert answer.status_code == 200
    assert f"127.0.0.1, port {smtp_server.port} accepted the test letter to pia@people.example." in answer.text
    [letter] = smtp_server.to("pia@people.example")
    assert (letter["Subject"], letter["From"]) == ("Test mail", "cases@example.org")
    assert stored(app) == {}
    assert f'value="{smtp_server.port}"' in answer.text


def test_a_test_that_fails_says_what_the_server_said(app: Flask, browse: Browse, smtp_server: PostOffice) -> None:
    pia = browse("pia")
    smtp_server.refuse("550 5.7.1 go away", at="RCPT")
    answer = pia.post(f"{PATH}/test", {**local(smtp_server), "smtp_username": ""})
    assert "the server refused the recipient (550 5.7.1 go away)" in unescape(answer.text)
    down = pia.post(f"{PATH}/test", {**local(smtp_server), "smtp_port": str(free_port()), "smtp_password": SECRET})
    assert "nobody answers at the server's address" in unescape(down.text)
    assert 'name="typed_password"' in down.text
    assert SECRET not in down.text
    odd = pia.post(f"{PATH}/test", {**FORM, "smtp_host": "a..b"})
    assert (odd.status_code, "No test letter was sent" in odd.text) == (200, True)
    assert stored(app) == {}


def test_a_test_goes_to_oneself_only_and_not_without_end(browse: Browse, smtp_server: PostOffice) -> None:
    pia = browse("pia")
    answers = [pia.post(f"{PATH}/test", {**local(smtp_server), "to": "victim@example.org"}) for _ in range(21)]
    assert {to for people in smtp_server.recipients for to in people} == {"pia@people.example"}
    assert len(smtp_server.messages) == 20
    assert "Too many tries" in answers[-1].text


def test_without_a_server_the_test_says_where_the_letter_is(app: Flask, browse: Browse) -> None:
    answer = browse("pia").post(f"{PATH}/test", {**FORM, "smtp_host": ""})
    [path] = app.config["SETTINGS"].mail_folder.iterdir()
    assert path.name in answer.text


@pytest.mark.parametrize("who", ["ada", "olga", "ruth"])
def test_colleagues_cannot_see_or_change_settings(app: Flask, browse: Browse, who: str) -> None:
    browser = browse(who)
    for path in (PATH, SIGN_IN):
        assert browser.get(path).status_code == 403
        assert path not in browser.get("/console/cases").text
        assert browser.post(path, {**FORM, **POLICY}).status_code == 403
    assert browser.post(f"{PATH}/test", FORM).status_code == 403
    assert browser.post(f"{PATH}/again", {"letter": "failed"}).status_code == 403
    assert stored(app) == {}


def stuck(app: Flask, world: World, *states: State) -> list[int]:
    """Letters to Hanna in these states, alone in the outbox."""
    with app.app_context():
        start_writing()
        db.session.execute(delete(OutboxMessage))
        rows = [
            OutboxMessage(
                message_id=f"<{number}@test>",
                letter="password_changed",
                to_user_id=world.people["hanna"],
                extra={"at": now().isoformat()},
                state=state,
                attempts=7,
                last_error="the server answered <b>550</b> no",
            )
            for number, state in enumerate(states)
        ]
        db.session.add_all(rows)
        db.session.commit()
        return [row.id for row in rows]


def test_letters_that_did_not_leave_are_listed_and_sent_again(app: Flask, world: World, browse: Browse) -> None:
    failed, unknown, sent = stuck(app, world, State.FAILED, State.UNKNOWN, State.SENT)
    pia = browse("pia")
    page = pia.get(PATH).text
    assert "The server answered &lt;b&gt;550&lt;/b&gt; no" in page
    assert page.count("hanna@people.example") >= 2
    assert pia.post(f"{PATH}/again", {"letter": str(failed)}).status_code == 303
    asked = pia.post(f"{PATH}/again", {"letter": str(unknown)})
    assert "it may arrive twice" in asked.text
    for odd in (str(sent), "0", "9" * 40, "x", "\x00", ""):
        assert pia.post(f"{PATH}/again", {"letter": odd}).status_code == 303
    with app.app_context():
        assert {row.id: row.state for row in letters()} == {failed: State.WAITING, unknown: State.UNKNOWN, sent: State.SENT}
        assert newest_audit()[0].kind == "mail:retried"
    assert pia.get(f"{PATH}/again?letter={unknown}").status_code == 200
    assert pia.get(f"{PATH}/again?letter=x").status_code == 303
    pia.post(f"{PATH}/again", {"letter": str(unknown), "twice": "1"})
    with app.app_context():
        assert sender.drain() == 2
        assert {row.state for row in letters()} == {State.SENT}
    assert "None. Letters a mail server refuses" in pia.get(PATH).text


def test_all_that_failed_can_be_sent_again_but_not_what_may_have_arrived(app: Flask, world: World, browse: Browse) -> None:
    one, two, unknown = stuck(app, world, State.FAILED, State.FAILED, State.UNKNOWN)
    pia = browse("pia")
    assert "Send all failed again" in pia.get(PATH).text
    pia.post(f"{PATH}/again", {"letter": "failed", "twice": "1"})
    assert "2 letters are tried again now." in pia.get(PATH).text
    with app.app_context():
        assert {row.id: row.state for row in letters()} == {one: State.WAITING, two: State.WAITING, unknown: State.UNKNOWN}
        assert newest_audit()[0].changes == {"letters": [None, 2]}


def version(browser: Browser) -> str:
    return hidden(browser.get(SIGN_IN).text, "version")


def test_pia_can_say_how_people_sign_in(app: Flask, browse: Browse) -> None:
    pia = browse("pia")
    answer = pia.post(SIGN_IN, {**POLICY, "second_step": ["mfa_external"], "version": version(pia)})
    assert answer.headers["Location"] == SIGN_IN
    policy = values.policy_from(stored(app, "sign_in"))
    assert (policy.password_shortest, policy.attempts, policy.hours_portal) == (14, 5, 9)
    assert (policy.mfa_admin, policy.mfa_organisation, policy.mfa_external) == (False, False, True)
    with app.app_context():
        assert newest_audit()[0].changes["attempts"] == [10, 5]
    for who, path in (("ada", "/console/account"), ("olga", "/console/account")):
        page = browse(who).get(path).text
        if 'name="password"' in page:
            assert "At least 14 characters" in page
            assert 'minlength="14"' in page


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"password_shortest": "11"}, "between 12 and 64"),
        ({"attempts": "x"}, "between 3 and 50"),
        ({"attempt_minutes": ""}, "between 1 and 120"),
        ({"idle_minutes_console": "720", "hours_console": "12"}, "This must be shorter than the longest time signed in, which is 12 h."),
        ({"hours_portal": "73"}, "between 1 and 72"),
    ],
    ids=str,
)
def test_a_policy_that_cannot_work_is_told_at_its_field(app: Flask, browse: Browse, change: dict[str, str], sentence: str) -> None:
    pia, before = browse("pia"), stored(app, "sign_in")
    answer = pia.post(SIGN_IN, {**POLICY, "version": version(pia), **change})
    assert answer.status_code == 422
    assert sentence in unescape(answer.text)
    assert stored(app, "sign_in") == before


def test_the_later_policy_is_shown_the_change(app: Flask, browse: Browse) -> None:
    first, second = browse("pia"), browse("pia")
    opened = version(first)
    assert first.post(SIGN_IN, {**POLICY, "version": opened}).status_code == 303
    answer = second.post(SIGN_IN, {**POLICY, "attempts": "9", "second_step": "mfa_external", "version": opened})
    page = unescape(answer.text)
    assert answer.status_code == 422
    assert "What is different" in page
    assert re.search(r"Second step for External users</th>\s*<td[^>]*>Not required</td>\s*<td[^>]*>Required</td>", page)
    assert stored(app, "sign_in")["attempts"] == 5


def test_an_administrator_without_a_second_step_is_warned(app: Flask, world: World, browse: Browse) -> None:
    pia = browse("pia")
    with app.app_context():
        start_writing()
        db.session.get_one(User, world.people["pia"]).mfa = False
        db.session.commit()
    assert "You have no second step yourself." in pia.get(SIGN_IN).text
    with app.app_context():
        start_writing()
        db.session.get_one(User, world.people["pia"]).mfa = True
        db.session.commit()
    assert "You have no second step yourself." not in pia.get(SIGN_IN).text


def test_the_notice_costs_no_question(app: Flask, browse: Browse) -> None:
    """It is on every page, so it is answered from what the session was looked up with."""
    for who, path in (("ada", "/console/cases"), ("hanna", "/portal/")):
        browser = browse(who)
        browser.get(path)
        with counted(app) as made:
            browser.get(path)
        assert [statement for statement in made if "FROM setting" in statement and "login_session" not in statement] == []
