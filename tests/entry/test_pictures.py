"""Pictures over HTTP: uploaded, shown with headers of their own, and nothing to anybody else."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO

import pytest
from flask import Flask
from PIL import Image
from werkzeug.test import TestResponse

from portal.accounts import pictures, sessions
from portal.extensions import db
from tests.fixtures.world import BASE, Browser, World

Browse = Callable[[str], Browser]


def photo(kind: str = "PNG", size: tuple[int, int] = (60, 40)) -> bytes:
    made = BytesIO()
    Image.new("RGB", size, (10, 120, 30)).save(made, kind)
    return made.getvalue()


def send(browser: Browser, data: bytes, name: str = "me.png", kind: str = "image/png") -> TestResponse:
    """As a browser does it; the test client would put a large body into a file and leave that open."""
    path = f"/{browser.face}/account/picture"
    browser.get(f"/{browser.face}/account")
    token = f'--edge\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{browser.token}\r\n'
    head = f'--edge\r\nContent-Disposition: form-data; name="picture"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'
    body = token.encode() + head.encode() + data + b"\r\n--edge--\r\n"
    return browser.client.post(path, base_url=BASE, headers={"Origin": BASE}, data=body, content_type="multipart/form-data; boundary=edge")


def address(browser: Browser) -> str:
    found = re.search(r'<img class="avatar"\s+src="([^"]+)"', browser.get(f"/{browser.face}/account").text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("who", ["ada", "hanna", "pia"])
def test_everybody_can_upload_look_at_and_remove_their_picture(browse: Browse, who: str) -> None:
    browser = browse(who)
    assert "<img" not in browser.get(f"/{browser.face}/account").text
    assert send(browser, photo("JPEG")).status_code == 303
    where = address(browser)
    answer = browser.get(where)
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    assert Image.open(BytesIO(answer.data)).size == (256, 256)
    assert browser.post(f"/{browser.face}/account/picture/remove").status_code == 303
    assert browser.get(where).status_code == 404
    assert "<img" not in browser.get(f"/{browser.face}/account").text


def test_a_picture_may_be_kept_by_its_reader_while_it_is_the_current_one(browse: Browse) -> None:
    hanna = browse("hanna")
    send(hanna, photo())
    where = address(hanna)
    headers = hanna.get(where).headers
    assert headers["Cache-Control"] == "private, max-age=86400, immutable"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    older = hanna.get(where.rsplit("/", 1)[0] + "/00000000")
    assert (older.status_code, older.headers["Cache-Control"]) == (200, "no-store")
    send(hanna, photo("JPEG"))
    assert address(hanna) != where


@pytest.mark.parametrize(
    ("data", "name", "kind", "sentence"),
    [
        (b"", "", "application/octet-stream", "Choose a picture first"),
        (b"<svg onload=alert(1)>", "me.png", "image/png", "not a PNG or JPEG"),
        (b"\x89PNG\r\n\x1a\nbroken", "me.png", "image/png", "cannot be read"),
        (b"\xff\xd8\xff" + b"0" * 600_000, "me.jpg", "image/jpeg", "under 500 kB"),
    ],
    ids=["nothing", "svg", "broken", "heavy"],
)
def test_what_is_no_fitting_picture_is_refused_at_its_field(browse: Browse, data: bytes, name: str, kind: str, sentence: str) -> None:
    hanna = browse("hanna")
    answer = send(hanna, data, name, kind)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'id="picture-picture-error"' in answer.text
    assert "<img" not in answer.text


def test_a_form_without_a_file_part_is_refused_too(browse: Browse) -> None:
    hanna = browse("hanna")
    assert hanna.post("/portal/account/picture", {}).status_code == 422
    assert hanna.post("/portal/account/picture", {"picture": "words"}).status_code == 422


def test_far_too_large_an_upload_says_what_would_be_right(browse: Browse) -> None:
    answer = send(browse("hanna"), b"\xff\xd8\xff" + b"0" * 1_200_000)
    assert answer.status_code == 413
    assert "choose a smaller file" in answer.text


def test_uploads_are_limited(browse: Browse) -> None:
    hanna = browse("hanna")
    statuses = [send(hanna, b"nonsense").status_code for _ in range(31)]
    assert statuses == [422] * 30 + [429]


def test_outsiders_can_see_their_own_picture_only_and_by_no_number(world: World, browse: Browse) -> None:
    for who in ("ada", "hanna"):
        send(browse(who), photo())
    version = address(browse("ada")).rsplit("/", 1)[1]
    for who, whose, status in (
        ("hanna", "ada", 404),
        ("vic", "hanna", 404),
        ("hanna", "hanna", 404),  # whoever may try numbers learns how many there are
        ("ruth", "ada", 200),
        ("ruth", "hanna", 200),
        ("otto", "ada", 404),
        ("pia", "ada", 200),
    ):
        browser = browse(who)
        assert browser.get(f"/{browser.face}/pictures/people/{world.people[whose]}/{version}").status_code == status, (who, whose)
    assert address(browse("hanna")).startswith("/portal/pictures/own/")
    assert browse("hanna").get(address(browse("hanna"))).mimetype == "image/png"
    assert browse("vic").get(address(browse("hanna"))).status_code == 404


def test_a_visitor_cannot_see_a_picture(world: World, browse: Browse, visitor: Callable[..., Browser]) -> None:
    send(browse("ada"), photo())
    answer = visitor("console").get(f"/console/pictures/people/{world.people['ada']}/x")
    assert answer.status_code == 303


def test_guests_see_the_logo_of_the_team_they_look_at(app: Flask, world: World, browse: Browse) -> None:
    with app.app_context():
        pia = sessions.viewer_of(world.people["pia"], world.places["admin"])
        assert pia is not None
        pictures.set_organisation_picture(world.places["here"], photo(), by=pia)
        db.session.commit()
    found = re.search(r'<img class="logo"\s+src="([^"]+)"', browse("hanna").get("/portal/").text)
    assert found is not None
    for who, status in (("hanna", 200), ("gast", 404)):
        assert browse(who).get(found[1]).status_code == status
    inside = found[1].replace("/portal/", "/console/")
    for who, status in (("ada", 200), ("otto", 404), ("pia", 404)):  # pia works in another one
        assert browse(who).get(inside).status_code == status
    version, place = inside.rsplit("/", 1)[1], f"organisations/{world.places['here']}"
    for who, status in (("ada", 200), ("otto", 404), ("pia", 200), ("hanna", 404)):
        browser = browse(who)
        assert browser.get(f"/{browser.face}/pictures/{place}/{version}").status_code == status


def test_odd_addresses_of_pictures_are_not_found(browse: Browse) -> None:
    ada = browse("ada")
    for path in ("people/0/x", "people/99999999999999999/x", "people/-1/x", "organisations/abc/x", "people/1/%00", "people/1/a/b"):
        assert ada.get(f"/console/pictures/{path}").status_code == 404, path


def test_removing_what_is_not_there_is_no_fault(browse: Browse) -> None:
    assert browse("hanna").post("/portal/account/picture/remove").status_code == 303
