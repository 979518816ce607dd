"""Every road into the product: each route of the url map, with every kind of value its address can take, and who travels on it."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from typing import IO, Any
from zipfile import ZipFile

from flask import Flask
from pypdf import PdfReader
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from portal.web import paper
from tests.fixtures.world import BASE, TOKEN, Browser, World

IMPLIED = {"HEAD", "OPTIONS"}
UNKNOWN_CASE, UNKNOWN_PERSON, UNKNOWN_COMMENT = 987_654, 987_653, "f" * 16
UNKNOWN_PARTY = 987_648
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@dataclass(frozen=True)
class Road:
    """One request that can be made. `case`, `comment`, `person`, `place` are names of the world, empty where the address has none;
    `owner` is whose it is, where it is nobody else's business."""

    endpoint: str
    needs: Any
    method: str
    path: str
    case: str = ""
    comment: str = ""
    person: str = ""
    place: str = ""
    owner: str = ""
    values: dict[str, Any] = field(default_factory=dict, hash=False, compare=False)

    @property
    def face(self) -> str:
        """The face the address belongs to, if any."""
        first = self.path.split("/")[1]
        return first if first in ("console", "portal") else ""

    def __str__(self) -> str:
        names = " ".join(filter(None, (self.case, self.comment, self.person, self.place, self.owner)))
        return f"{self.method} {self.path} ({self.endpoint} {names})"


def roads(app: Flask, world: World, method: str) -> Iterator[Road]:
    """All of them for this method. An address with a new kind of value fails here until it is taught below."""
    adapter = app.create_url_adapter(None) if app.config.get("SERVER_NAME") else app.url_map.bind("127.0.0.1:8000")
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.endpoint):
        if method not in (rule.methods or ()):
            continue
        needs = app.view_functions[rule.endpoint].needs  # type: ignore[attr-defined]
        for values, names in _values(rule, world):
            yield Road(rule.endpoint, needs, method, adapter.build(rule.endpoint, values, method=method), values=values, **names)


def _values(rule: Rule, world: World) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    arguments = sorted(rule.arguments)
    if {"task", "observable", "file", "item"} & set(arguments):
        yield from _hung(rule, arguments, world)
        return
    if "party_id" in arguments:  # the world has no external organisations; tests/console/test_parties_foreign.py walks those of `company`
        yield dict.fromkeys(arguments, UNKNOWN_PARTY), {"case": "unknown"}
        return
    if "uid" in arguments:
        for case, number in world.cases.items():
            for comment in _comments(case, world):
                yield {"number": number, "uid": world.comments.get(comment, UNKNOWN_COMMENT)}, {"case": case, "comment": comment}
        return
    kinds: dict[str, list[tuple[Any, dict[str, str]]]] = {
        "face": [("console", {}), ("portal", {})],
        "number": [(number, {"case": name}) for name, number in {**world.cases, "unknown": UNKNOWN_CASE}.items()],
        "user_id": [(key, {"person": name}) for name, key in {**world.people, "unknown": UNKNOWN_PERSON}.items()],
        "token": [("forged", {})],
        "organisation_id": [(key, {"place": name}) for name, key in world.places.items()],
        # Seen by whoever sees the cases everybody of that organisation sees.
        "template_id": [
            (UNKNOWN_CASE, {"case": "unknown"}),
            *((key, {"case": {"here": "shared", "there": "foreign"}[place]}) for place, key in world.templates.items()),
        ],
        "profile_id": [(key, {}) for key in (1, 3)],  # Admin, which stays as it is, and Analyst
        "version": [("0" * 12, {})],
        "name": [("app.js", {})],
        "what": [("severity", {})],  # a fact of a case, or what many cases are given
        "browser": _owned(world.browsers, "0" * 16),
        "act": [("app", {}), ("passkey", {}), ("codes", {})],
        "passkey": [("0" * 16, {})],
        "notice_id": _owned(world.notices, 987_650),
        "agreement": _owned(world.agreements, "0" * 16),
        "status_id": [(key, {}) for key in (1, 3)],
        "type_id": [(key, {}) for key in (1, 2)],
        "field_id": [(key, {}) for key in (1, 2)],
    }
    for combination in product(*(kinds[argument] for argument in arguments)):
        values = {argument: value for argument, (value, _) in zip(arguments, combination, strict=True)}
        yield values, {key: name for _, names in combination for key, name in names.items()}


def _owned(known: Mapping[str, int | str], unknown: int | str) -> list[tuple[Any, dict[str, str]]]:
    return [(unknown, {"owner": "nobody"}), *((key, {"owner": name}) for name, key in known.items())]


def _hung(rule: Rule, arguments: list[str], world: World) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """What hangs on a case, under its own case and under another one, where it must not be found."""
    if "task" in arguments:
        yield from _tasks(arguments, world)
        return
    if "item" in arguments:
        yield from _items(world)
    elif "observable" in arguments:
        for case, number in world.cases.items():
            for owner, uid in {**world.observables, "unknown": UNKNOWN_COMMENT}.items():
                yield {"number": number, "observable": uid}, {"case": case if owner == case else "unknown"}
    elif "file" in arguments:
        for case, number in world.cases.items():
            for name, uid in {**world.files, "unknown": UNKNOWN_COMMENT}.items():
                there = name.startswith(f"{case}-") and not (rule.endpoint.startswith("external.") and name.endswith("-internal"))
                there = there and rule.endpoint != "external.withdraw_file"  # the files of the world are the team's
                yield {"number": number, "file": uid}, {"case": case if there else "unknown"}


def _items(world: World) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """Hanna's evidence under its own case and under another one."""
    for case, number in world.cases.items():
        for owner, uid in {**world.items, "unknown": UNKNOWN_COMMENT}.items():
            yield {"number": number, "item": uid}, {"case": case if owner == case else "unknown", "comment": f"{owner}-hanna"}


def _tasks(arguments: list[str], world: World) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """Each task and entry under its own case and under another one, where it must not be found."""
    for case, number in world.cases.items():
        for owner, uid in world.tasks.items():
            names = {"case": case if owner == case else "unknown"}
            if "file" in arguments:
                for other, file in {**world.log_files, "unknown": UNKNOWN_COMMENT}.items():
                    yield {"number": number, "task": uid, "file": file}, {"case": case if owner == case == other else "unknown"}
                continue
            if "log" not in arguments:
                yield {"number": number, "task": uid}, names
                continue
            for other, log in world.logs.items():
                yield {"number": number, "task": uid, "log": log}, {**names, "comment": f"{other}-log"}


def _comments(case: str, world: World) -> list[str]:
    """The case's own comments, one of another case, and none at all: parent and child must be asked for together."""
    own = [name for name in world.comments if name.startswith(f"{case}-")]
    return [*own, "all-hanna" if case == "shared" else "shared-hanna", "unknown"]


_really_pressed = paper._pressed
_on_the_road = threading.local()  # several travel at once


@lru_cache(maxsize=300)
def _document(html: str) -> bytes:
    with _really_pressed(html) as made:
        made.seek(0)
        return made.read()


def _pressed(html: str) -> IO[bytes]:
    """The same words make the same document, and setting them takes most of a second: once for all who travel."""
    return io.BytesIO(_document(html)) if getattr(_on_the_road, "here", False) else _really_pressed(html)


paper._pressed = _pressed


@dataclass(frozen=True)
class Traveller:
    """Somebody with cookies in hand; nothing the answers set is kept, so that every request starts alike."""

    app: Flask
    cookies: str
    token: str

    def go(self, road: Road, data: dict[str, Any] | None = None, **headers: str) -> TestResponse:
        """Make the request, with form token and origin where it writes."""
        client = self.app.test_client(use_cookies=False)
        sent = {"Cookie": self.cookies, **headers}
        if road.method == "POST":
            sent["Origin"] = BASE
            data = {"csrf_token": self.token, **(data or {})}
        _on_the_road.here = True
        try:
            return client.open(road.path, method=road.method, base_url=BASE, headers=sent, data=data)
        finally:
            _on_the_road.here = False


def traveller(app: Flask, browse: Callable[[str], Browser], who: str = "", face: str = "") -> Traveller:
    """`who` signed in (nobody when empty); `face` puts the session's key into the cookie of that face instead of their own."""
    page = app.test_client(use_cookies=False).get("/portal/sign-in", base_url=BASE)
    found = TOKEN.search(page.text)
    assert found is not None
    cookies = [page.headers["Set-Cookie"].split(";")[0]]
    if who:
        browser = browse(who)
        key = browser.client.get_cookie(browser.face, domain="127.0.0.1")
        assert key is not None
        cookies.append(f"{face or browser.face}={key.value}")
    return Traveller(app, "; ".join(cookies), found[1])


ONE_TIME = re.compile(
    r'nonce="[^"]*"|nonce-[\w-]+|name="(?:csrf_token|submission|kept|page)" value="[^"]*"|submission=\w+|state=[^;]*;', re.IGNORECASE
)


def plain(answer: TestResponse) -> str:
    """Status, headers and body without what is new in every answer: nonces, form tokens; of a ZIP and a PDF what is in them."""
    return ONE_TIME.sub("~", f"{answer.status}\n{answer.headers}\n{_body(answer)}".replace("<wbr>", ""))


def _body(answer: TestResponse) -> str:
    if answer.mimetype == "application/zip":
        with ZipFile(io.BytesIO(answer.data)) as archive:
            parts = [f"{info}\n{archive.read(info).decode(errors='replace')}" for info in archive.infolist()]
        return "\n".join(parts)
    if answer.mimetype == "application/pdf":
        return _printed(answer.data)
    return answer.get_data(as_text=True)


@lru_cache(maxsize=300)
def _printed(document: bytes) -> str:
    pdf = PdfReader(io.BytesIO(document))
    told = "\n".join([str(pdf.metadata), *(page.extract_text() for page in pdf.pages)])
    return told + told.replace("\n", "")  # a long word may be broken into lines
