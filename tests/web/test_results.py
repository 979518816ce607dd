"""What became of a list of people, kept in the browser: its owner reads there no more than the page says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Flask, g, request, session
from flask.sessions import SecureCookieSessionInterface

from portal.web import results
from tests.fixtures.company import Company
from tests.fixtures.world import BASE, Browser

ADD = "/portal/organisation/people"


@dataclass(frozen=True)
class Line:
    """As an outcome is."""

    name: str
    done: bool


@dataclass(frozen=True)
class Somebody:
    """As much of a viewer as it needs."""

    user_id: int
    organisation_id: int = 1
    party_id: int | None = None


def test_the_cookie_says_nothing_to_who_unpacks_it(app: Flask, company: Company, enter: Callable[[str], Browser]) -> None:
    petra = enter("petra")
    sent = {"addresses": "new.one@people.example, loose@contoso.example", "roles": company.jobs["External-Actor"]}
    answer = petra.post(ADD, sent)
    assert "told=" in answer.headers["Location"]
    cookie = petra.client.get_cookie(app.config["SESSION_COOKIE_NAME"], domain=urlsplit(BASE).hostname or "")
    assert cookie is not None
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None
    held = signer.loads(cookie.value)[results.NAME]
    assert isinstance(held, str)
    assert "people.example" not in json.dumps(held)
    page = petra.get(answer.headers["Location"]).text
    assert "new.one@people.example" in page.replace("<wbr>", "")


def test_it_can_be_read_again_for_its_owner_and_page_only(app: Flask) -> None:
    lines = [Line(f"Person {count}", count % 2 == 0) for count in range(50)]
    with app.test_request_context("/"):
        g.viewer = Somebody(1)
        mark, held = results.keep("added", lines), session[results.NAME]
    for viewer, about, asked, found in (
        (Somebody(1), "added", mark, [[line.name, line.done] for line in lines]),
        (Somebody(2), "added", mark, None),
        (Somebody(1, party_id=5), "added", mark, None),
        (Somebody(1), "invite", mark, None),
        (Somebody(1), "added", "other", None),
    ):
        with app.test_request_context(f"/?told={asked}"):
            g.viewer, session[results.NAME] = viewer, held
            assert results.told(about) == found
            assert request.args[results.NAME] == asked


def test_what_is_too_much_or_of_an_older_version_is_not_there(app: Flask) -> None:
    with app.test_request_context("/?told=x"):
        g.viewer = Somebody(1)
        assert results.keep("added", [Line(f"{count**9}", True) for count in range(2_000)]) == ""
        assert results.told("added") is None
        session[results.NAME] = {"mark": "x", "whose": ["added", 1, 1, None], "lines": []}
        assert results.told("added") is None
