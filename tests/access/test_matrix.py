"""Who may go where: the routes and what they need, line by line; and every route tried by everybody on every kind of case."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts import sessions
from portal.accounts.models import LoginSession
from portal.accounts.permissions import CATALOGUE, Permission, ProfileType
from portal.extensions import db
from portal.web.face import Needs
from tests.access.roads import IMPLIED, Road, Traveller, roads, traveller
from tests.access.rows import contents, put_back
from tests.fixtures.pace import few
from tests.fixtures.world import Browser, World

GOLDEN = Path(__file__).parent / "matrix.txt"
P = Permission
EVERYTHING = {kind: set(CATALOGUE[kind]) for kind in ProfileType}
RIGHTS: dict[str, set[Permission]] = {
    "ada": {P.CREATE_CASE, P.UPDATE_CASE, P.DELETE_CASE, P.REOPEN_CASE, P.COMMENT, P.OBSERVABLE, P.TASK, P.SHARE_OUTSIDE},
    "olga": EVERYTHING[ProfileType.ORGANISATION],
    "ruth": set(),
    "otto": EVERYTHING[ProfileType.ORGANISATION],
    "pia": EVERYTHING[ProfileType.ADMIN],
    "hanna": EVERYTHING[ProfileType.EXTERNAL],
    "rhea": set(),
    "vic": EVERYTHING[ProfileType.EXTERNAL],
    "gast": EVERYTHING[ProfileType.EXTERNAL],
}
SEES: dict[str, set[str]] = {
    "ada": {"shared", "internal", "restricted", "all", "revoked"},
    "olga": {"shared", "internal", "all", "revoked"},
    "ruth": {"shared", "internal", "all", "revoked"},
    "otto": {"foreign"},
    "pia": set(),
    "hanna": {"shared", "all"},
    "rhea": {"shared", "all"},
    "vic": {"all"},
    "gast": {"foreign"},
}
HERE = {"ada", "olga", "ruth", "hanna", "rhea", "vic", "dora", "newt"}
MANAGES = {"ada": HERE, "olga": HERE, "otto": {"otto", "gast"}, "pia": {*HERE, "otto", "gast", "pia"}}
CONSOLE = {"ada", "olga", "ruth", "otto", "pia"}
MANAGE_THEIR_OWN: set[str] = {"petra"}  # portal administrators, who are there with `company` only
# Where the right answer depends on more than the route: enough of a form to get as far as the verb.
FILLED: dict[str, dict[str, Any]] = {
    "console.new_case": {"title": "A new one", "description": "It happened.", "severity": 2, "tlp": 2, "pap": 2},
    "console.add_comment": {"message": "Words"},
    "console.edit_comment": {"message": "Other words"},
    "console.mark_comment": {"external": "1"},
    "console.mark_file": {"external": "1"},
    "console.access": {"access": "internal"},
    "console.restriction": {"visible_to": "all"},
    "external.add_comment": {"message": "Words"},
    "external.edit_comment": {"message": "Other words"},
    "external.add_items": {"text": "https://evil.example/"},
}
# Nobody of the world has a picture, nor a passkey of this name; tests/entry tries these with some.
EMPTY = {"entry.organisation_picture", "entry.own_logo", "entry.own_picture", "entry.person_picture", "entry.remove_passkey"}
PASSED = {"GET": {200, 303, 410}, "POST": {200, 303, 410, 422}}


def lines(app: Flask) -> list[str]:
    """endpoint, methods, needs: one line a route."""
    return sorted(
        f"{rule.endpoint} {'/'.join(sorted((rule.methods or set()) - IMPLIED))} {app.view_functions[rule.endpoint].needs}"  # type: ignore[attr-defined]
        for rule in app.url_map.iter_rules()
    )


def test_every_route_says_what_it_needs(app: Flask) -> None:
    """A change here widens or narrows access: it must be meant, and is seen in the diff of matrix.txt."""
    needs = {name: getattr(view, "needs", None) for name, view in app.view_functions.items()}
    assert None not in needs.values()
    assert lines(app) == GOLDEN.read_text().splitlines()


def test_nothing_that_writes_is_open_to_anyone_by_mistake(app: Flask) -> None:
    open_to_all = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and app.view_functions[rule.endpoint].needs is Needs.ANYONE  # type: ignore[attr-defined]
    }
    assert open_to_all == {
        "entry.accept",
        "entry.choose_language",
        "entry.forgotten",
        "entry.invitation",
        "entry.new_email",
        "entry.new_link",
        "entry.reset",
        "entry.second_step",
        "entry.set_theme",
        "entry.setup",
        "entry.sign_in",
    }


def refused(road: Road, who: str, rights: set[Permission] | None = None) -> int | None:
    """The status this person must get, or None when nothing stands in their way. `who` is empty for nobody on this face.

    `rights`: what they hold now, when it is not what the world gave them.
    """
    if road.needs is Needs.ANYONE:
        return None
    if not who or (who in CONSOLE) != (road.face == "console"):
        return 401 if road.method == "POST" else 303
    if road.needs is Needs.TEAM and who == "pia":
        return 403
    if road.needs is Needs.PORTAL_ADMIN and who not in MANAGE_THEIR_OWN:
        return 404
    if road.endpoint in EMPTY:
        return 404
    if road.owner and road.owner != who:
        return 404
    if isinstance(road.needs, Permission) and road.needs not in (RIGHTS[who] if rights is None else rights):
        return 403
    if road.case and road.case not in SEES[who]:
        return 404
    if road.person and (road.person not in MANAGES[who] or road.place not in ("", _place(road.person))):
        return 404
    return _refused_comment(road, who, RIGHTS[who] if rights is None else rights) if road.comment else None


def _refused_comment(road: Road, who: str, rights: set[Permission]) -> int | None:
    if not road.comment.startswith(f"{road.case}-"):
        return 404
    author = "hanna" if road.comment.endswith("-hanna") else "otto" if road.case == "foreign" else "ada"
    if author == who or road.endpoint in ("console.mark_comment", "console.comment_versions"):
        return None
    if road.endpoint == "console.delete_comment" and Permission.MANAGE_USER in rights:
        return None  # an administrator of the organisation removes what others wrote, and leaves a trace
    return 403 if who in CONSOLE else 404


def wrong(
    app: Flask,
    world: World,
    person: Traveller,
    who: str,
    method: str,
    *,
    rights: set[Permission] | None = None,
    on: list[Road] | None = None,
) -> list[str]:
    """Every road this person travels otherwise than they should; `on`: of these only."""
    told, before = [], contents(app)
    filled = {**FILLED, "entry.switch_organisation": {"organisation": str(world.places[_place(who)])}}
    for road in roads(app, world, method) if on is None else on:
        answer = person.go(road, filled.get(road.endpoint) if method == "POST" else None)
        wanted = refused(road, who, rights)
        good = answer.status_code == wanted if wanted else answer.status_code in PASSED[method]
        if wanted == 303:
            good = good and f"/{road.face}/sign-in" in answer.headers["Location"]
        if not good:
            told.append(f"{who or 'nobody'}: {road}: {answer.status_code} instead of {wanted or 'passing'}")
        if method == "POST" and answer.status_code < 400:
            put_back(app, before)
    return told


def _place(who: str) -> str:
    return "there" if who in ("otto", "gast") else "admin" if who == "pia" else "here"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("who", few(RIGHTS, {"ada", "hanna", "vic"}))
def test_everybody_gets_as_far_as_they_may(app: Flask, world: World, browse: Callable[[str], Browser], who: str, method: str) -> None:
    world.browsers = {other: _other_browser(app, browse, other) for other in ("ada", "hanna")}
    assert wrong(app, world, traveller(app, browse, who), who, method) == []


def _other_browser(app: Flask, browse: Callable[[str], Browser], who: str) -> str:
    browse(who)
    with app.app_context():
        return sessions.mark_of(db.session.scalars(select(LoginSession).order_by(LoginSession.id.desc()).limit(1)).one())


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("who", "face"),
    few([("", ""), ("dora", ""), ("ada", "portal"), ("olga", "portal"), ("pia", "portal"), ("hanna", "console")], {("", "")}),
    ids=["anonymous", "locked", "ada-on-portal", "olga-on-portal", "pia-on-portal", "hanna-on-console"],
)
def test_a_key_of_no_use_here_is_nobodys(
    app: Flask, world: World, browse: Callable[[str], Browser], who: str, face: str, method: str
) -> None:
    """No session, one of a locked person, or one of the other face: the answer is the same as to a stranger."""
    assert wrong(app, world, traveller(app, browse, who, face), "", method) == []


@pytest.mark.parametrize("face", ["console", "portal"])
def test_nobody_cannot_get_a_part_without_signing_in(app: Flask, world: World, browse: Callable[[str], Browser], face: str) -> None:
    person = traveller(app, browse)
    asked = [road for road in roads(app, world, "GET") if road.face == face and road.needs is not Needs.ANYONE]
    assert asked
    assert {person.go(road, **{"HX-Request": "true"}).status_code for road in asked} == {401}
