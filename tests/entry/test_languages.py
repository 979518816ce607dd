"""The front door in four languages: whatever it says is said in them, and the language can be chosen before anybody signs in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask

from portal.accounts.models import Purpose
from portal.clock import at, now
from portal.web import errors
from portal.words import LANGUAGES, Later
from tests.entry.test_links import make
from tests.factories import PASSWORD
from tests.fixtures.factors import add_app, signed_in
from tests.fixtures.languages import unmarked
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
Visitor = Callable[..., Browser]
NEW = "velvet-harbour-onion-38"
# Names: of languages, of people and organisations, of the time zone database, of programs.
OWN = (
    *(*LANGUAGES.values(), "English (day first)", "English (month first)", "UTC"),
    *(
        "Hanna Person",
        "HP",
        "Newt Person",
        "Northwind CSIRT",
        "Northwind",
        "hanna@people.example",
        "newt@people.example",
        "hanna@new.example",
    ),
    *("The shared case", "Laptop", "Chrome", "Linux"),
)


def french(browser: Browser) -> Browser:
    """The same, asking for French."""
    browser.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "fr"
    return browser


def left(text: str, *own: str) -> list[str]:
    return unmarked(text, *OWN, *own)


DOOR = ["/portal/sign-in", "/portal/forgotten", "/new-link", "/invitation", "/reset", "/new-address", "/portal/none"]
MISTAKES = [{}, {"name": " "}, {"password": "short"}, {"password": "password1234"}, {"password": NEW, "again": "else"}]


@pytest.mark.usefixtures("marking")
@pytest.mark.parametrize("path", DOOR)
def test_a_visitor_reads_their_language(visitor: Visitor, path: str) -> None:
    answer = french(visitor()).get(path)
    assert '<html lang="fr"' in answer.text
    assert left(answer.text) == []


@pytest.mark.usefixtures("marking")
@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/portal/sign-in", {}),
        ("/portal/sign-in", {"email": "hanna@people.example", "password": "wrong-password"}),
        ("/portal/sign-in", {"email": "ada@people.example", "password": PASSWORD}),
        ("/portal/sign-in", {"email": "ä@people.example", "password": PASSWORD}),
        ("/portal/forgotten", {"email": "nobody"}),
        ("/portal/forgotten", {"email": "hanna@people.example"}),
        ("/new-link", {"email": ""}),
        ("/new-link", {"email": "newt@people.example"}),
        ("/portal/cases/1/comments", {"message": "Hanna Person"}),
        ("/portal/report", {"happened": "Hanna Person", "title": "Hanna Person"}),
        ("/portal/account/name", {}),
    ],
)
def test_a_visitor_who_sends_something_reads_their_language(world: World, visitor: Visitor, path: str, sent: dict[str, str]) -> None:
    browser = french(visitor())
    for htmx in (False, True):
        answer = browser.post(path, sent, htmx=htmx)
        assert answer.status_code in (200, 401, 404, 422)
        assert left(answer.text) == []


@pytest.mark.usefixtures("marking")
def test_tries_are_counted_in_their_language(world: World, visitor: Visitor) -> None:
    browser = french(visitor())
    answers = [browser.post("/portal/sign-in", {"email": "hanna@people.example", "password": "wrong-password"}) for _ in range(11)]
    assert answers[-1].status_code == 429
    assert left(answers[-1].text) == []


@pytest.mark.usefixtures("marking")
@pytest.mark.parametrize("sent", MISTAKES)
def test_newt_is_welcomed_in_their_language(app: Flask, world: World, visitor: Visitor, sent: dict[str, str]) -> None:
    browser = french(visitor())
    browser.get(f"/invitation/{make(app, world, Purpose.INVITATION, 'newt')}")
    assert left(browser.get("/invitation").text) == []
    browser.post("/invitation")
    assert left(browser.get("/invitation/account").text) == []
    whole = {"name": "Newt Person", "password": NEW, "again": sent.get("password", NEW), **sent}
    answer = browser.post("/invitation/account", whole, follow_redirects=True)
    assert (answer.status_code == 200) == (not sent)
    if sent:
        assert left(answer.text) == []


@pytest.mark.usefixtures("marking")
def test_hanna_chooses_a_password_in_her_language(app: Flask, world: World, visitor: Visitor) -> None:
    browser = french(visitor())
    browser.get(f"/reset/{make(app, world, Purpose.RESET, 'hanna')}")
    assert left(browser.get("/reset").text) == []
    assert left(browser.post("/reset", {"password": "people people", "again": "people people"}).text) == []
    assert left(browser.post("/reset", {"password": NEW, "again": NEW}, follow_redirects=True).text) == []


@pytest.mark.usefixtures("marking")
def test_a_colleague_is_welcomed_in_english(app: Flask, world: World, visitor: Visitor) -> None:
    browser = french(visitor())
    browser.get(f"/reset/{make(app, world, Purpose.RESET, 'ada')}")
    page = browser.get("/reset").text
    assert '<html lang="en"' in page
    assert "⟦" not in page
    assert "⟦" not in browser.get("/console/sign-in").text


@pytest.mark.usefixtures("marking")
@pytest.mark.parametrize(
    "path",
    ["account", "account/letters", "account/second-step", *(f"account/second-step/begin/{act}" for act in ("app", "passkey", "codes"))],
)
def test_hanna_reads_her_account_in_her_language(world: World, browse: Browse, path: str) -> None:
    hanna = french(browse("hanna"))
    hanna.post(f"/portal/cases/{world.cases['shared']}/letters", {"quiet": "y"})
    hanna.get("/portal/account")
    answer = hanna.get(f"/portal/{path}")
    assert answer.status_code == 200
    assert left(answer.text) == []


@pytest.mark.usefixtures("marking")
@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("name", {"name": ""}),
        ("name", {"name": "Security Team"}),
        ("name", {"name": "Hanna Person"}),
        ("picture", {}),
        ("picture/remove", {}),
        ("email", {"email": "nobody", "password": ""}),
        ("email", {"email": "hanna@people.example", "password": PASSWORD}),
        ("email", {"email": "hanna@new.example", "password": "wrong-password"}),
        ("email", {"email": "hanna@new.example", "password": PASSWORD}),
        ("email/cancel", {}),
        ("password", {"current": "", "password": "short", "again": ""}),
        ("password", {"current": PASSWORD, "password": PASSWORD, "again": PASSWORD}),
        ("password", {"current": "wrong-password", "password": NEW, "again": NEW}),
        ("password", {"current": PASSWORD, "password": "qwertyuiopas", "again": "qwertyuiopas"}),
        ("password", {"current": PASSWORD, "password": NEW, "again": NEW}),
        ("reading", {"language": "xx", "time_zone": "Mars/Olympus"}),
        ("reading", {"language": "fr", "time_zone": ""}),
        ("browsers/0000000000000000/end", {}),
        ("browsers/end", {}),
        ("letters", {"wanted": "message"}),
        ("second-step/begin/app", {"password": "wrong-password"}),
        ("second-step/begin/app", {"password": PASSWORD}),
        ("second-step/begin/codes", {"password": PASSWORD}),
        ("second-step/app", {"code": "1"}),
        ("second-step/codes", {}),
    ],
)
def test_hanna_changes_her_account_in_her_language(world: World, browse: Browse, path: str, sent: dict[str, str]) -> None:
    hanna = french(browse("hanna"))
    answer = hanna.post(f"/portal/account/{path}", sent, follow_redirects=True)
    assert left(re.sub(r'<code class="secret">.*?</code>', "", answer.text)) == []


@pytest.mark.usefixtures("marking")
def test_the_second_step_is_asked_for_in_her_language(app: Flask, world: World, visitor: Visitor, browse: Browse) -> None:
    from portal.accounts import sessions

    with app.app_context(), at(now() - timedelta(minutes=5)):
        found = sessions.viewer_of(world.people["hanna"], world.places["here"])
        assert found is not None
        add_app(signed_in(found))
    browser, sent = french(visitor()), {"email": "hanna@people.example", "password": PASSWORD}
    assert left(browser.post("/portal/sign-in", sent, follow_redirects=True).text) == []
    for way in ("code", "recovery", "passkey"):
        for proof in ("", "123456"):
            answer = browser.post("/portal/sign-in/step", {"way": way, "code": proof, "recovery_code": proof, "credential": proof})
            assert answer.status_code == 422
            assert left(answer.text) == []
    hanna = french(browse("hanna"))
    for page in ("", "/app/remove"):
        assert left(hanna.get(f"/portal/account/second-step{page}").text) == []
    removed = hanna.post("/portal/account/second-step/app/remove", {"password": PASSWORD}, follow_redirects=True)
    assert left(removed.text) == []


@pytest.mark.usefixtures("marking")
def test_what_was_typed_is_shown_with_words_in_her_language(world: World, browse: Browse) -> None:
    hanna, path = french(browse("hanna")), f"/portal/cases/{world.cases['shared']}/comments"
    hanna.get("/portal/account")
    hanna.client.delete_cookie("portal", domain="127.0.0.1")
    stopped = hanna.post(path, {"message": "Hanna Person"})
    assert stopped.status_code == 401
    kept = re.search(r'name="kept" value="([^"]+)"', stopped.text)
    assert kept
    assert 'class="languages"' not in stopped.text, "a step aside would lose it"
    resumed = hanna.post("/portal/sign-in", {"email": "hanna@people.example", "password": PASSWORD, "kept": unescape(kept[1])})
    assert resumed.status_code == 200
    assert left(resumed.text) == []


def test_every_error_has_words_in_every_language() -> None:
    assert all(isinstance(text, Later) for table in (errors.TITLES, errors.SENTENCES) for text in table.values())


@pytest.mark.usefixtures("marking")
def test_scripts_are_given_their_words_in_her_language_only(world: World, browse: Browse) -> None:
    page = french(browse("hanna")).get("/portal/account").text
    given = re.search(r'/app\.js" data-words="([^"]+)"', page)
    assert given
    texts = json.loads(unescape(given[1]))
    assert len(texts) >= 3
    assert all(said == f"⟦{text}⟧" for text, said in texts.items())
    assert "data-words" not in browse("ada").get("/console/").text
    assert "data-words" not in browse("hanna").get("/portal/account").text


# The choice before signing in.


@pytest.mark.usefixtures("marking")
@pytest.mark.parametrize("code", ["fr", "de", "es"])
def test_a_visitor_can_choose_a_language(visitor: Visitor, code: str) -> None:
    browser = visitor()
    page = browser.get("/portal/sign-in?to=/portal/cases/1").text
    assert 'value="en" lang="en" aria-current="true">English' in page
    to = re.search(r'name="to" value="(/portal/sign-in[^"]*)"', page)
    assert to
    answer = browser.post("/portal/language", {"language": code, "to": unescape(to[1])})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/portal/sign-in?to=/portal/cases/1")
    cookie = answer.headers["Set-Cookie"]
    assert all(part in cookie for part in (f"language={code};", "Max-Age=31536000", "HttpOnly", "SameSite=Lax", "Path=/"))
    page = browser.get("/portal/sign-in").text
    assert f'<html lang="{code}"' in page
    assert left(page) == []
    back = browser.post("/portal/language", {"language": "en", "to": "/portal/sign-in"}, headers={"Accept-Language": "fr, en-US;q=0.5"})
    assert "language=en-US;" in back.headers["Set-Cookie"]
    assert "⟦" not in browser.get("/portal/sign-in").text


def test_an_opened_invitation_survives_the_choice(app: Flask, world: World, visitor: Visitor) -> None:
    browser, token = visitor(), make(app, world, Purpose.INVITATION, "newt")
    browser.get(f"/invitation/{token}")
    page = browser.get("/invitation").text
    assert 'name="to" value="/invitation?"' in page
    answer = browser.post("/portal/language", {"language": "de", "to": "/invitation?"})
    assert answer.headers["Location"] == "/invitation"
    assert browser.get("/invitation").status_code == 200


def test_a_broken_link_is_not_written_into_its_page(visitor: Visitor) -> None:
    for path in ("/invitation/s3cret", "/reset/s3cret", "/new-address/s3cret"):
        assert "s3cret" not in visitor().get(path).text


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/",
        "//evil.example/portal/sign-in",
        "/\\evil.example",
        "//[",
        "javascript:alert(1)",
        "/console/sign-in",
        "/console/",
        "/nowhere",
        "",
        "\0",
        "/portal/account/theme",
        "/portal/cases/99999999999999999999999",
    ],
)
def test_the_choice_leads_nowhere_else(visitor: Visitor, to: str) -> None:
    answer = visitor().post("/portal/language", {"language": "fr", "to": to})
    assert answer.status_code == 303
    assert re.fullmatch(r"/portal/(sign-in|cases/\d+)", answer.headers["Location"])


@pytest.mark.parametrize("language", ["", "xx", "en-GB", "fr; Domain=evil.example", "\0", "FR"])
def test_what_is_no_language_is_not_kept(visitor: Visitor, language: str) -> None:
    answer = visitor().post("/portal/language", {"language": language})
    assert "language=" not in answer.headers.get("Set-Cookie", "")


@pytest.mark.usefixtures("marking")
def test_the_choice_of_an_account_counts_more(world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    hanna.post("/portal/account/reading", {"language": "en-GB", "time_zone": ""})
    hanna.post("/portal/language", {"language": "fr", "to": "/portal/account"})
    page = hanna.get("/portal/account").text
    assert "⟦" not in page
    assert 'class="languages"' not in page


def test_the_console_offers_none(world: World, visitor: Visitor, browse: Browse) -> None:
    assert 'class="languages"' not in visitor("console").get("/console/sign-in").text
    choice = re.search(r'<select[^>]*name="language".*?</select>', browse("ada").get("/console/account").text, re.DOTALL)
    assert choice
    assert re.findall(r'value="([^"]*)"', choice[0]) == ["", "en-GB", "en-US"]
    answer = browse("ada").post("/console/account/reading", {"language": "fr", "time_zone": ""})
    assert answer.status_code == 422
    choice = re.search(r'<select[^>]*name="language".*?</select>', browse("hanna").get("/portal/account").text, re.DOTALL)
    assert choice
    assert re.findall(r'value="([^"]*)"', choice[0]) == ["", "en-GB", "en-US", "fr", "de", "es"]
