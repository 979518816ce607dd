"""Evidence items in the portal: plain lines, plain types, nothing told of what analysts know, and ten minutes to take one back."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from portal.accounts.viewer import Viewer
from portal.audit.kinds import Kind
from portal.audit.models import AuditEntry
from portal.cases import observables
from portal.cases.models import Case, Observable
from portal.cases.observables import Facets
from portal.clock import at, now
from portal.database import start_writing
from portal.extensions import db
from portal.notices.models import Notice
from tests.access.roads import plain
from tests.fixtures.rooms import Cast
from tests.fixtures.statements import counted
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]


def path(world: World, rest: str = "", case: str = "shared") -> str:
    return f"/portal/cases/{world.cases[case]}/evidence{rest}"


def kept(app: Flask, world: World, case: str = "shared") -> dict[str, Observable]:
    """What outsiders added to the case beside what the world holds."""
    with app.app_context():
        wanted = select(Observable).join(Case, Case.id == Observable.case_id).where(Case.number == world.cases[case])
        rows = db.session.scalars(wanted.where(Observable.author_external))
        return {row.value: row for row in rows if row.uid not in world.items.values()}


def test_hanna_adds_lines_and_what_is_left_out_is_named(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    lines = "hxxps://evil[.]example/login\n\nboss@evil.example\nhttps://SHARED.example\nhttps://evil.example/login\n" + "y" * 5000
    answer = hanna.post(path(world), {"kind": "", "text": lines}, htmx=True)
    page = unescape(answer.text)
    assert answer.status_code == 200
    for words in ("2 items are added", "Left out, line 4, ", "on the case already", "same as line 1", "longer than 4,096"):
        assert words in page, words
    rows = kept(app, world)
    assert {value: row.type for value, row in rows.items()} == {"https://evil.example/login": "url", "boss@evil.example": "mail"}
    assert all(row.author_external and row.author_name == "Hanna Person" and not row.ioc for row in rows.values())
    assert "hxxps://evil[.]example/login" in browse("rhea").get(path(world)).text
    assert "hxxps://evil[.]example/login" in browse("ada").get(f"/console/cases/{world.cases['shared']}/observables").text
    with app.app_context():
        entry = db.session.scalars(
            select(AuditEntry).where(AuditEntry.kind == Kind.OBSERVABLE_ADDED).order_by(AuditEntry.id.desc())
        ).first()
        assert entry is not None
        assert (entry.channel, entry.actor_external) == ("portal", True)
        wanted = select(Notice).where(Notice.user_id == world.people["ada"], Notice.actor_external)
        assert db.session.scalars(wanted).all()


@pytest.mark.parametrize(
    ("kind", "text", "type_", "value"),
    [
        ("url", "https://a.example/x", "url", "https://a.example/x"),
        ("url", "www.a.example", "fqdn", "www.a.example"),
        ("mail", "Boss@A.example", "mail", "Boss@A.example"),
        ("mail", "the boss", "other", "the boss"),
        ("phone", "+41 44 000 00 00", "phone", "+41 44 000 00 00"),
        ("phone", "044 000", "phone", "044 000"),
        ("filename", "invoice.pdf.exe", "filename", "invoice.pdf.exe"),
        ("ip", "192[.]0[.]2[.]7", "ip", "192.0.2.7"),
        ("ip", "not one", "other", "not one"),
        ("other", "https://a.example/x", "other", "https://a.example/x"),
        ("", "wallet 1A2b", "other", "wallet 1A2b"),
    ],
)
def test_plain_words_become_types_and_nothing_is_refused_for_its_name(
    app: Flask, world: World, browse: Browse, kind: str, text: str, type_: str, value: str
) -> None:
    assert browse("hanna").post(path(world), {"kind": kind, "text": text}).status_code == 303
    assert [(row.type, row.value) for row in kept(app, world).values()] == [(type_, value)]


@pytest.mark.parametrize("data", [{}, {"kind": "", "text": " \n "}, {"kind": "file", "text": "x"}, {"kind": "domain", "text": "x.example"}])
def test_odd_forms_are_explained(app: Flask, world: World, browse: Browse, data: dict[str, str]) -> None:
    for htmx in (False, True):
        answer = browse("hanna").post(path(world), data, htmx=htmx)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text
    assert not kept(app, world)


def test_what_an_analyst_knows_is_not_betrayed_by_any_answer(app: Flask, world: World, browse: Browse) -> None:
    """The same line is added on two cases alike; on one an analyst holds it: answers and statements are the same."""
    secret = "http://secret.example/"
    with app.app_context():
        cast = Cast(world)
        observables.add_lines(cast.case("all"), "url", secret, observables.Facets(), one_per_line=True, by=cast("ada"))
        db.session.commit()
    hanna, answers, asked = browse("hanna"), [], []
    hanna.get(path(world, case="all"))
    for text in (secret, "http://public.example/"):
        with counted(app) as statements:
            answer = hanna.post(path(world, case="all"), {"kind": "", "text": text}, htmx=True)
        assert "One item is added" in answer.text
        answers.append(re.sub(r"item[-s/]+\w+|[0-9a-f]{32}|\d+ [a-z]+ ago|datetime=\S+|title=\"[^\"]*\"", "~", plain(answer)))
        asked.append(statements)
    assert asked[0] == asked[1]
    assert answers[0].count("secret[.]example") == 2 * answers[0].count("One item") or "secret[.]example" in answers[0]
    told = hanna.post(path(world, case="all"), {"kind": "", "text": secret}, htmx=True)
    assert told.status_code == 422  # now it is there for her, too
    assert "on the case already" in told.text
    rows = browse("ada").get(f"/console/cases/{world.cases['all']}/observables").text
    assert rows.count("hxxp://secret[.]example/") >= 2


def test_rhea_reads_but_has_no_form(world: World, browse: Browse) -> None:
    rhea = browse("rhea")
    page = rhea.get(f"/portal/cases/{world.cases['shared']}").text
    assert "hxxps://shared[.]example/" in page
    assert "Add evidence" not in page
    assert rhea.post(path(world), {"kind": "", "text": "x"}).status_code == 403
    assert browse("vic").post(path(world), {"kind": "", "text": "x"}).status_code == 404


def test_the_teams_observables_and_files_never_show(world: World, browse: Browse) -> None:
    page = browse("hanna").get(path(world)).text
    assert "sample-of-shared" not in page


def test_an_own_item_can_be_withdrawn_for_ten_minutes(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    hanna.post(path(world), {"kind": "", "text": "http://slip.example/"})
    uid = kept(app, world)["http://slip.example/"].uid
    assert "hxxp://slip[.]example/" in hanna.get(path(world, f"/{uid}/withdraw")).text
    assert browse("rhea").post(path(world, f"/{uid}/withdraw"), {}).status_code == 403
    with at(now() + timedelta(minutes=11)):
        assert "so it stays" in hanna.post(path(world, f"/{uid}/withdraw"), {}).text
    assert kept(app, world)
    answer = hanna.post(path(world, f"/{uid}/withdraw"), {})
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith("#evidence-title")
    assert not kept(app, world)
    assert "slip[.]example" not in browse("rhea").get(path(world)).text
    with app.app_context():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.kind == Kind.OBSERVABLE_DELETED)).one()
        assert entry.changes["observable"] == ["url http://slip.example/", None]


def test_what_colleagues_wrote_on_a_withdrawn_item_stays_with_their_own_one(app: Flask, world: World, browse: Browse) -> None:
    def add(who: str, message: str, **facets: Any) -> None:
        case, by = held(who)
        observables.add_lines(case, "ip", "203.0.113.78", Facets(message, **facets), one_per_line=True, by=by)
        db.session.commit()

    def held(who: str) -> tuple[Case, Viewer]:
        start_writing()
        cast = Cast(world)
        return cast.case("shared"), cast(who)

    with app.app_context():
        add("ada", "Seen in March.", tags=("old",), tlp=1)
    hanna = browse("hanna")
    hanna.post(path(world), {"kind": "ip", "text": "203.0.113.78"})
    uid = kept(app, world)["203.0.113.78"].uid
    with app.app_context():
        case, ada = held("ada")
        noted = Facets("**Botnet** of May.", ("botnet", "old"), ioc=True, sighted=True, pap=3)
        observables.change(case, observables.load_observable(case, uid), noted, by=ada)
        db.session.commit()
    assert hanna.post(path(world, f"/{uid}/withdraw"), {}).status_code == 303
    with app.app_context():
        row = db.session.scalars(select(Observable).where(Observable.value == "203.0.113.78")).one()
        assert (row.author_external, row.author_name, row.version) == (False, "Ada Person", 2)
        assert (row.message, row.tags) == ("Seen in March.\n\n**Botnet** of May.", ["botnet", "old"])
        assert "<strong>Botnet</strong>" in row.message_html
        assert (row.ioc, row.sighted, row.sighted_at is None, row.tlp, row.pap) == (True, True, False, 1, 3)
        told = db.session.scalars(
            select(AuditEntry).where(AuditEntry.object_id == row.uid, AuditEntry.kind == Kind.OBSERVABLE_EDITED)
        ).one()
        assert told.changes["message"] == ["Seen in March.", row.message]
        assert told.changes["tags"] == [["old"], ["botnet", "old"]]
        assert (told.actor_id, told.actor_name, told.actor_external) == (None, "the system", False)
        assert "the one that Hanna Person had added, and withdrew" in told.changes["observable"][1]
        gone = db.session.scalars(select(AuditEntry).where(AuditEntry.object_id == uid, AuditEntry.kind == Kind.OBSERVABLE_DELETED)).one()
        assert gone.actor_name == "Hanna Person"
    page = hanna.get(f"/portal/cases/{world.cases['shared']}").text
    assert "203[.]0[.]113[.]78" not in page
    assert "Botnet" not in page


def test_what_colleagues_keep_of_a_withdrawn_item_is_said_to_be_withdrawn(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    hanna.post(path(world), {"kind": "ip", "text": "203.0.113.79"})
    uid = kept(app, world)["203.0.113.79"].uid
    with app.app_context():
        start_writing()
        cast = Cast(world)
        case, ada = cast.case("shared"), cast("ada")
        observables.change(case, observables.load_observable(case, uid), Facets("Seen before."), by=ada)
        db.session.commit()
    assert hanna.post(path(world, f"/{uid}/withdraw"), {}).status_code == 303
    page = browse("ada").get(f"/console/cases/{world.cases['shared']}/history").text
    assert "withdrew an observable they had added; colleagues keep it" in page
    assert "deleted an observable" not in page
    assert "203[.]0[.]113[.]79" not in hanna.get(path(world)).text


def test_nobody_withdraws_what_somebody_else_added(app: Flask, world: World, browse: Browse) -> None:
    with app.app_context():
        db.session.execute(update(Observable).values(author_id=world.people["vic"]).where(Observable.uid == world.items["shared"]))
        db.session.commit()
    hanna = browse("hanna")
    there, gone = (hanna.post(path(world, f"/{uid}/withdraw"), {}) for uid in (world.items["shared"], "f" * 16))
    assert there.status_code == gone.status_code == 404


def test_many_items_come_in_pages(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    hanna.post(path(world), {"kind": "other", "text": "\n".join(f"thing {number:03}" for number in range(60))})
    page = hanna.get(path(world)).text
    seen = set(re.findall(r"thing \d{3}", page))
    while older := re.search(r'href="([^"]*after=[^"]*)"', page):
        page = hanna.get(unescape(older[1])).text
        seen |= set(re.findall(r"thing \d{3}", page))
    assert len(seen) == 60


def test_the_next_page_does_not_tell_what_others_added(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    hanna.post(path(world), {"kind": "other", "text": "\n".join(f"thing {number:03}" for number in range(60))})
    page = hanna.get(path(world)).text
    older = re.search(r'href="[^"]*after=([^"&]*)"', page)
    assert older
    uids = {row.uid: row for row in kept(app, world).values()}
    assert f"/{older[1]}/withdraw" in page, "it is the last item of the page"
    second = hanna.get(path(world, f"?after={older[1]}")).text
    assert uids[older[1]].value not in second
    assert len(set(re.findall(r"thing \d{3}", second))) == 25


def test_a_place_that_is_not_theirs_gives_the_first_page(app: Flask, world: World, browse: Browse) -> None:
    """An internal item's name is as unknown as garbage, though it has a place on this very case."""
    hanna = browse("hanna")
    hanna.post(path(world), {"kind": "other", "text": "\n".join(f"thing {number:03}" for number in range(30))})
    with app.app_context():
        cast = Cast(world)
        observables.add_lines(cast.case("shared"), "other", "between us", observables.Facets(), one_per_line=True, by=cast("ada"))
        db.session.commit()
        hidden = db.session.scalars(select(Observable.uid).where(Observable.value == "between us")).one()
    hanna.post(path(world, case="all"), {"kind": "other", "text": "elsewhere"})
    elsewhere = kept(app, world, "all")["elsewhere"].uid
    first = re.findall(r"thing \d{3}", hanna.get(path(world)).text)
    statements = []
    for after in (hidden, elsewhere, "f" * 16, "1-1", "%00", "x" * 5000):
        with counted(app) as asked:
            answer = hanna.get(path(world, f"?after={after}"))
        assert (answer.status_code, re.findall(r"thing \d{3}", answer.text)) == (200, first), after
        statements.append(asked)
    assert all(asked == statements[0] for asked in statements)


def test_a_flood_of_items_is_slowed_down(world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    for number in range(31):
        answer = hanna.post(path(world), {"kind": "", "text": f"thing {number}"})
    assert answer.status_code == 422
    assert "many times within a few minutes" in answer.text
