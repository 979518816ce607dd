"""Every answer carries its headers, whatever it is an answer to; cookies carry every attribute that protects them."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from portal.accounts import sessions
from portal.accounts.models import User
from portal.database import start_writing
from portal.extensions import db
from portal.web.assets import BUNDLES, load
from portal.web.face import Needs
from tests.access.roads import HTMX, Road, roads, traveller
from tests.factories import PASSWORD
from tests.fixtures.pace import few
from tests.fixtures.world import BASE, TOKEN, Browser, World

Browse = Callable[[str], Browser]
SECURE = "https://cases.example.org"
EXACT = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
POLICY = re.compile(
    r"default-src 'none'; script-src 'nonce-([\w-]{20,})'; style-src 'self'; img-src 'self' blob:; font-src 'self'; "
    r"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'; "
    r"trusted-types htmx; require-trusted-types-for 'script'"
)


def missing(answer: TestResponse) -> list[str]:
    """What this answer's headers lack or have too much of."""
    headers = answer.headers
    found = [f"{name}: {headers.get(name)}" for name, value in EXACT.items() if headers.get(name) != value]
    policy = POLICY.fullmatch(headers.get("Content-Security-Policy", ""))
    if policy is None and answer.mimetype in ("application/zip", "application/pdf"):  # kept as files; they may do nothing at all
        found += [] if headers.get("Content-Security-Policy") == "sandbox; default-src 'none'" else ["a sandbox"]
    elif policy is None:
        found.append("Content-Security-Policy")
    elif set(re.findall(r'nonce="([^"]*)"', answer.get_data(as_text=True))) - {policy[1]}:
        found.append("a nonce that is not the policy's")
    if headers.get("Referrer-Policy") not in ("same-origin", "no-referrer"):
        found.append("Referrer-Policy")
    if "camera=()" not in headers.get("Permissions-Policy", ""):
        found.append("Permissions-Policy")
    if headers.get("Cache-Control") != "no-store" or not {"cookie", "hx-request", "hx-request-type"} <= {v.lower() for v in answer.vary}:
        found.append("Cache-Control or Vary")
    found += [name for name in ("Server", "X-Powered-By", "ETag", "Last-Modified", "Access-Control-Allow-Origin") if name in headers]
    return found


@pytest.mark.parametrize("who", few(["", "hanna", "ada", "pia"], {"hanna", "ada"}), ids=lambda who: who or "anonymous")
def test_every_answer_carries_the_headers(app: Flask, world: World, browse: Browse, who: str) -> None:
    person, statuses, wrong = traveller(app, browse, who), set(), []
    for road in [*roads(app, world, "GET"), *roads(app, world, "POST")]:
        if road.endpoint in ("entry.static_file", "entry.sign_out") or (road.method == "POST" and "delete" in road.endpoint):
            continue
        answer = person.go(road, **(HTMX if road.needs is not Needs.ANYONE and road.case == "all" else {}))
        statuses.add(answer.status_code)
        wrong += [f"{road} {answer.status_code}: {what}" for what in missing(answer)]
    assert wrong == []
    assert {200, 303, 410, 422} <= statuses
    assert {"": 401, "hanna": 404, "ada": 403, "pia": 403}[who] in statuses


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing/here", 404),
        ("GET", "/portal/nothing", 404),
        ("GET", "/console/cases/0", 404),
        ("GET", "/console/cases/99999999999999999999999", 404),
        ("DELETE", "/portal/sign-in", 405),
        ("PUT", "/console/cases", 405),
        ("OPTIONS", "/portal/sign-in", 200),
        ("HEAD", "/portal/sign-in", 200),
        ("GET", "/healthz", 200),
        ("GET", "/static/0/nothing.js", 404),
        ("GET", "/static/0/..%2f..%2fconfig.py", 404),
    ],
)
def test_odd_requests_carry_the_headers_too(app: Flask, method: str, path: str, status: int) -> None:
    answer = app.test_client().open(path, method=method, base_url=BASE)
    assert answer.status_code == status
    assert missing(answer) == []


def test_a_fault_is_a_page_with_a_reference_and_the_headers(app: Flask, browse: Browse) -> None:
    def broken() -> str:
        raise RuntimeError("secret detail of the inside")

    broken.needs = Needs.ANYONE  # type: ignore[attr-defined]
    app.add_url_rule("/portal/broken", "broken", broken)
    page, part = browse("hanna").get("/portal/broken"), browse("hanna").get("/portal/broken", htmx=True)
    for answer in (page, part):
        assert answer.status_code == 500
        assert missing(answer) == []
        assert "secret detail" not in answer.text
        assert re.search(r"<code>[0-9a-f]{16}</code>", answer.text)
    assert part.headers["HX-Reswap"] == "none"


def test_too_much_is_refused_with_the_headers(app: Flask, browse: Browse, world: World) -> None:
    hanna = browse("hanna")
    answer = hanna.post(f"/portal/cases/{world.cases['shared']}/comments", {"message": "x" * 1_100_000})
    assert answer.status_code == 413
    assert missing(answer) == []


def test_files_are_kept_for_good_under_their_own_version_only(app: Flask) -> None:
    client = app.test_client()
    for name in BUNDLES:
        version = load(name).version
        answer = client.get(f"/static/{version}/{name}", base_url=BASE)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in answer.headers
        older = client.get(f"/static/0123456789ab/{name}", base_url=BASE)
        assert older.headers["Cache-Control"] == "public, max-age=0"
        assert older.get_data() == answer.get_data()


def test_pages_name_the_present_version_of_each_file(app: Flask, browse: Browse) -> None:
    page = browse("ada").get("/console/cases").text
    assert f"/static/{load('console.css').version}/console.css" in page
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", page), "nothing comes from a third party"


def test_a_nonce_is_used_once(browse: Browse) -> None:
    ada = browse("ada")
    policies = {ada.get("/console/cases").headers["Content-Security-Policy"] for _ in range(3)}
    assert len(policies) == 3


def attributes(answer: TestResponse) -> dict[str, set[str]]:
    """Cookie name -> its attributes, lower case, values left out except where they matter."""
    found = {}
    for header in answer.headers.getlist("Set-Cookie"):
        pair, *rest = header.split("; ")
        found[pair.split("=")[0]] = {part.lower() for part in rest if not part.lower().startswith(("expires", "max-age"))}
    return found


def signed_in(app: Flask, base: str) -> tuple[Any, list[TestResponse]]:
    """Everything that sets a cookie, once: the form, signing in, the theme, signing out."""
    client = app.test_client()
    page = client.get("/portal/sign-in", base_url=base)
    token = TOKEN.search(page.text)
    assert token is not None
    data = {"csrf_token": token[1], "email": "hanna@people.example", "password": PASSWORD}
    entered = client.post("/portal/sign-in", base_url=base, data=data, headers={"Origin": base})
    assert entered.status_code == 303
    inside = client.get("/portal/", base_url=base)
    token = TOKEN.search(inside.text)
    assert token is not None
    themed = client.post("/portal/account/theme", base_url=base, data={"csrf_token": token[1], "theme": "dark"}, headers={"Origin": base})
    left = client.post("/portal/sign-out", base_url=base, data={"csrf_token": token[1]}, headers={"Origin": base})
    return client, [page, entered, themed, left]


def test_cookies_over_tls_are_host_cookies(make_app: Callable[..., Flask], world: World) -> None:
    _, answers = signed_in(make_app(base_url=SECURE), SECURE)
    cookies = {name: flags for answer in answers for name, flags in attributes(answer).items()}
    assert set(cookies) == {"__Host-state", "__Host-portal", "theme"}
    for flags in cookies.values():
        assert flags == {"secure", "httponly", "samesite=lax", "path=/"}
    assert all(answer.headers["Strict-Transport-Security"].startswith("max-age=") for answer in answers)
    assert answers[3].headers["Clear-Site-Data"] == '"cache", "storage"'


def test_cookies_on_one_machine_do_without_tls(app: Flask, world: World) -> None:
    _, answers = signed_in(app, BASE)
    cookies = {name: flags for answer in answers for name, flags in attributes(answer).items()}
    assert set(cookies) == {"state", "portal", "theme"}
    for flags in cookies.values():
        assert flags == {"httponly", "samesite=lax", "path=/"}
    assert not any("Strict-Transport-Security" in answer.headers for answer in answers)


def test_a_plain_cookie_is_no_key_over_tls(make_app: Callable[..., Flask], world: World) -> None:
    """A neighbour's site can set cookies without the prefix; they must not count."""
    app = make_app(base_url=SECURE)
    with app.app_context():
        start_writing()
        key = sessions.open_session(db.session.get_one(User, world.people["hanna"]), world.places["here"], "portal")
        db.session.commit()
    plain = app.test_client(use_cookies=False).get("/portal/", base_url=SECURE, headers={"Cookie": f"portal={key}"})
    host = app.test_client(use_cookies=False).get("/portal/", base_url=SECURE, headers={"Cookie": f"__Host-portal={key}"})
    assert (plain.status_code, host.status_code) == (303, 200)


def test_links_in_the_address_leave_no_referrer(app: Flask, browse: Browse, world: World) -> None:
    answer = traveller(app, browse).go(Road("", None, "GET", "/invitation"))
    assert answer.headers["Referrer-Policy"] in ("same-origin", "no-referrer")


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_text_is_packed_where_the_browser_can_unpack_it(browse: Browse, encoding: str) -> None:
    ada = browse("ada")
    answer = ada.client.get("/console/cases", base_url=BASE, headers={"Accept-Encoding": encoding})
    assert answer.headers.get("Content-Encoding", "") == encoding
    body = gzip.decompress(answer.data) if encoding else answer.data
    assert b"The shared case" in body
    assert "accept-encoding" in {value.lower() for value in answer.vary} or not encoding
