"""The pages of profiles: the list, making one, changing it, deleting it, with every mistake at its field."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import select

from portal.accounts.models import Profile
from portal.accounts.permissions import CATALOGUE, ProfileType
from portal.extensions import db
from tests.fixtures.world import Browser

Browse = Callable[[str], Browser]
NEW = {"kind": "Organisation", "name": "Writer", "organisation_permissions": ["manageComment", "manageCase/create"]}


def find(app: Flask, name: str) -> Profile | None:
    with app.app_context():
        found: Profile | None = db.session.scalar(select(Profile).where(Profile.name == name))
        return found


def path(app: Flask, name: str) -> str:
    found = find(app, name)
    assert found is not None
    return f"/console/profiles/{found.id}"


def ticked(page: str, field: str) -> set[str]:
    """The values of the boxes that are ticked."""
    boxes = re.findall(rf'<input type="checkbox"\s+name="{field}"[^>]*>', page)
    assert boxes
    return {re.findall(r'value="([^"]*)"', box)[0] for box in boxes if " checked" in box}


def at_field(page: str, field: str) -> str:
    """The sentence beside a field."""
    found = re.search(rf'id="{field}-error".*?<span>(.*?)</span>', page, re.DOTALL)
    return unescape(found[1]) if found else ""


def test_pia_sees_profiles_by_type_in_plain_words(browse: Browse) -> None:
    page = unescape(browse("pia").get("/console/profiles").text)
    assert [page.index(f'id="type-{kind}"') for kind in ("Organisation", "External", "Admin")] == sorted(
        page.index(f'id="type-{kind}"') for kind in ("Organisation", "External", "Admin")
    )
    assert "Write comments and decide who sees them" in page
    assert "5 people" in page
    assert "Read the organisation's cases" in page
    assert 'href="/console/organisations"' in page


@pytest.mark.parametrize("who", ["ada", "olga", "ruth"])
def test_colleagues_cannot_see_profiles(browse: Browse, who: str) -> None:
    browser = browse(who)
    assert browser.get("/console/profiles").status_code == 403
    assert "/console/profiles" not in browser.get("/console/cases").text


def test_pia_can_make_a_profile(app: Flask, browse: Browse) -> None:
    pia = browse("pia")
    answer = pia.post("/console/profiles/new", NEW)
    assert answer.status_code == 303
    page = pia.get(answer.headers["Location"]).text
    assert "The profile Writer is created." in page
    assert "manageCase/create" in page
    made = find(app, "Writer")
    assert made is not None
    assert made.permissions == ["manageCase/create", "manageComment"]


def test_sending_the_form_twice_makes_one(app: Flask, browse: Browse) -> None:
    pia = browse("pia")
    token = re.findall(r'name="submission" value="([^"]+)"', pia.get("/console/profiles/new").text)[0]
    first, second = (pia.post("/console/profiles/new", {**NEW, "submission": token}) for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"]


def test_boxes_of_another_type_say_nothing(app: Flask, browse: Browse) -> None:
    """They are hidden once the type is chosen; what was ticked before must not slip in, least of all under the same name."""
    sent = {"kind": "External", "name": "Guest", "organisation_permissions": ["manageComment"], "admin_permissions": ["manageUser"]}
    assert browse("pia").post("/console/profiles/new", sent).status_code == 303
    made = find(app, "Guest")
    assert made is not None
    assert (made.type, made.permissions) == (ProfileType.EXTERNAL, [])


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"name": ""}, "name", "Give the profile a name."),
        ({"name": " \x00 "}, "name", "Give the profile a name."),
        ({"name": "x" * 65}, "name", "Use at most 64 characters."),
        ({"name": "ORG-ADMIN"}, "name", "There is already a profile called Org-Admin."),
        ({"kind": ""}, "kind", ""),
        ({"kind": "Root"}, "kind", ""),
        ({"organisation_permissions": ["managePlatform"]}, "organisation_permissions", "is not for profiles of the type Organisation"),
        ({"organisation_permissions": ["\x00"]}, "organisation_permissions", "is not for profiles of the type Organisation"),
    ],
    ids=["nameless", "nul", "long", "taken", "no-type", "odd-type", "wrong-permission", "nul-permission"],
)
def test_a_mistake_is_told_at_its_field(app: Flask, browse: Browse, change: dict[str, object], field: str, sentence: str) -> None:
    answer = browse("pia").post("/console/profiles/new", {**NEW, **change})
    assert answer.status_code == 422
    said = at_field(answer.text, field)
    assert said
    assert sentence in said
    if "organisation_permissions" not in change:
        assert ticked(answer.text, "organisation_permissions") == set(NEW["organisation_permissions"])
    assert find(app, "Writer") is None


@pytest.mark.parametrize(("tick", "count"), [("all", len(CATALOGUE[ProfileType.ORGANISATION])), ("none", 0)])
def test_all_or_none_can_be_ticked_without_javascript(app: Flask, browse: Browse, tick: str, count: int) -> None:
    answer = browse("pia").post("/console/profiles/new", {**NEW, "tick": tick})
    assert answer.status_code == 200
    assert len(ticked(answer.text, "organisation_permissions")) == count
    assert 'value="Writer"' in answer.text
    assert find(app, "Writer") is None
    edited = browse("pia").post(path(app, "Sharer"), {"name": "Kept", "version": "1", "tick": tick})
    assert len(ticked(edited.text, "organisation_permissions")) == count
    assert 'value="Kept"' in edited.text


def test_a_duplicate_begins_like_its_model(app: Flask, browse: Browse) -> None:
    pia = browse("pia")
    number = path(app, "Org-Admin").rsplit("/", 1)[1]
    page = pia.get(f"/console/profiles/new?like={number}").text
    assert 'value="Org-Admin copy"' in page
    assert ticked(page, "organisation_permissions") == {p.value for p in CATALOGUE[ProfileType.ORGANISATION]}
    assert ticked(page, "admin_permissions") == set()
    for odd in ("987654", "9" * 17):
        assert pia.get(f"/console/profiles/new?like={odd}").status_code == 404
    for odd in ("", "x", "9" * 40, "%00", "-1", "٣"):
        assert pia.get(f"/console/profiles/new?like={odd}").status_code == 200


def test_a_locked_profile_says_why(app: Flask, browse: Browse) -> None:
    pia, where = browse("pia"), path(app, "Org-Admin")
    page = pia.get(where).text
    assert "Built-in profiles stay as they are. Duplicate it to make your own." in page
    assert "Save profile" not in page
    assert '/delete"' not in page
    for sent in ({}, {"name": "Mine", "version": "1"}, {"tick": "all"}):
        answer = pia.post(where, sent)
        assert (answer.status_code, "Duplicate it to make your own." in answer.text) == (422, True)
    answer = pia.post(f"{where}/delete")
    assert (answer.status_code, "Org-Admin cannot be deleted" in answer.text) == (422, True)
    assert find(app, "Org-Admin") is not None


def test_an_edit_bites_on_the_holders_next_request(app: Flask, browse: Browse) -> None:
    ada, pia, where = browse("ada"), browse("pia"), path(app, "Sharer")
    assert ada.get("/console/cases/new").status_code == 200
    answer = pia.post(where, {"name": "Sharer", "version": "1", "organisation_permissions": ["manageComment"]})
    assert answer.status_code == 303
    assert ada.get("/console/cases/new").status_code == 403
    page = pia.get(where).text
    assert "The profile Sharer is saved." in page
    assert ticked(page, "organisation_permissions") == {"manageComment"}


def test_the_later_of_two_administrators_is_shown_the_change(app: Flask, browse: Browse) -> None:
    pia, where = browse("pia"), path(app, "Sharer")
    pia.post(where, {"name": "Teller", "version": "1", "organisation_permissions": ["manageComment"]})
    late = {"name": "Sharer", "version": "1", "organisation_permissions": ["manageComment", "manageUser"]}
    answer = pia.post(where, late)
    page = unescape(answer.text)
    assert answer.status_code == 422
    assert "Somebody changed this profile after you opened it." in page
    row = re.search(r"Invite and manage people of the organisation</th>\s*<td[^>]*>(.*?)</td>\s*<td[^>]*>(.*?)</td>", page)
    assert row is not None
    assert row.groups() == ("Not allowed", "Allowed")
    assert re.search(r"Name</th>\s*<td[^>]*>Teller</td>\s*<td[^>]*>Sharer</td>", page)
    assert ticked(page, "organisation_permissions") == {"manageComment", "manageUser"}
    assert re.search(r'name="version"[^>]*value="2"', page)
    assert pia.post(where, {**late, "version": "2"}).status_code == 303
    changed = find(app, "Sharer")
    assert changed is not None
    assert "manageUser" in changed.permissions


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 40, "1.5"])
def test_an_odd_version_changes_nothing(app: Flask, browse: Browse, version: str) -> None:
    sent = {"name": "Other", "version": version}
    assert browse("pia").post(path(app, "Sharer"), sent).status_code == 422
    assert find(app, "Other") is None


def test_a_profile_in_use_cannot_be_deleted(app: Flask, browse: Browse) -> None:
    pia, where = browse("pia"), path(app, "Sharer")
    for answer in (pia.get(f"{where}/delete"), pia.post(f"{where}/delete")):
        assert "1 person has the profile Sharer. Give them another one before you delete it." in answer.text
        assert f"/console/people?profile={where.rsplit('/', 1)[1]}" in answer.text
    assert answer.status_code == 422
    assert find(app, "Sharer") is not None


def test_pia_can_delete_a_profile_nobody_has(app: Flask, browse: Browse) -> None:
    pia, where = browse("pia"), path(app, "Analyst")
    assert "Delete Analyst?" in pia.get(f"{where}/delete").text
    assert find(app, "Analyst") is not None
    assert pia.post(f"{where}/delete").headers["Location"] == "/console/profiles"
    assert "The profile Analyst is deleted." in pia.get("/console/profiles").text
    assert find(app, "Analyst") is None
    assert pia.post(f"{where}/delete").status_code == 404


def test_what_is_unknown_is_not_there(browse: Browse) -> None:
    pia = browse("pia")
    for number in ("987654", "9" * 17, "9" * 40, "0", "-1", "x"):
        assert pia.get(f"/console/profiles/{number}").status_code == 404
        assert pia.post(f"/console/profiles/{number}", {"name": "x", "version": "1"}).status_code == 404
        assert pia.post(f"/console/profiles/{number}/delete").status_code == 404


def test_home_leads_an_administrator_where_they_may_go(app: Flask, browse: Browse) -> None:
    """Not everybody who administers the platform manages people."""
    pia = browse("pia")
    assert pia.get("/console/").headers["Location"] == "/console/people"
    for rights, place in (
        (["manageProfile"], "/console/profiles"),
        (["manageOrganisation", "manageProfile"], "/console/organisations"),
        ([], "/console/account"),
    ):
        with app.app_context():
            profile = db.session.scalars(select(Profile).where(Profile.name == "Admin")).one()
            profile.permissions = rights
            db.session.commit()
        assert pia.get("/console/").headers["Location"] == place
        assert pia.get(place).status_code == 200
