"""Messages in the portal: writing where one may, changing one's own, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from portal.cases import comments
from portal.cases.models import Case, Comment
from portal.clock import at, now
from portal.extensions import db
from portal.mail.models import OutboxMessage
from tests.fixtures.world import SHOWN, Browser, World

HERS = "Hanna's word on shared."
Browse = Callable[[str], Browser]


def shared(world: World, rest: str = "") -> str:
    """The address of the case shared with Hanna and Rhea."""
    return f"/portal/cases/{world.cases['shared']}{rest}"


def own(world: World, act: str) -> str:
    """An act on Hanna's own message."""
    return shared(world, f"/comments/{world.comments['shared-hanna']}/{act}")


def test_hanna_can_write_and_everybody_concerned_reads_it(app: Flask, world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    answer = hanna.post(shared(world, "/comments"), {"message": "We changed **all** passwords."})
    assert answer.headers["Location"] == shared(world, "#conversation")
    page = hanna.get(shared(world)).text
    assert "We changed <strong>all</strong> passwords." in page
    assert "Your message is sent." in page
    assert "We changed <strong>all</strong> passwords." in browse("rhea").get(shared(world)).text
    assert "We changed <strong>all</strong> passwords." in browse("ada").get(f"/console/cases/{world.cases['shared']}").text
    with app.app_context():
        row = db.session.scalars(select(Comment).order_by(Comment.id.desc())).first()
        assert row is not None
        assert (row.external, row.author_external, row.author_name) == (True, True, "Hanna Person")
        letters = db.session.scalars(select(OutboxMessage.letter).where(OutboxMessage.comment_id == row.id)).all()
        assert sorted(letters) == ["case_news", "external_reply"]


@pytest.mark.parametrize("extra", [{"external": "0"}, {"audience": "internal"}, {"author_id": "1"}, {"case_id": "2"}])
def test_what_hanna_writes_is_external_and_hers_whatever_she_sends(app: Flask, world: World, browse: Browse, extra: dict[str, str]) -> None:
    browse("hanna").post(shared(world, "/comments"), {"message": "Words", **extra})
    with app.app_context():
        row = db.session.scalars(select(Comment).order_by(Comment.id.desc())).first()
        assert row is not None
        assert row.external
        assert row.author_id == world.people["hanna"]
        assert row.case_id == 1


def test_htmx_gets_the_conversation_with_an_empty_box(world: World, browse: Browse) -> None:
    answer = browse("hanna").post(shared(world, "/comments"), {"message": "A new thing"}, htmx=True)
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<section id="conversation"')
    assert answer.text.count("A new thing") == 1


def news_of(fragment: str) -> str:
    """What the fragment says first of the case, beside its own part of the page."""
    [news] = re.findall(r'<hx-partial[^>]*hx-target="#news"[^>]*>(.*?)</hx-partial>', fragment, re.DOTALL)
    return news


def test_the_news_go_with_what_hanna_does(app: Flask, world: World, browse: Browse) -> None:
    console, hanna = f"/console/cases/{world.cases['shared']}", browse("hanna")
    browse("ada").confirm(f"{console}/comments", {"message": "What did you see?", "audience": "external"}, asked=console)
    page = hanna.get(shared(world)).text
    assert "The security team wrote last" in page
    assert page.count('id="news"') == 1
    with app.app_context():
        db.session.execute(update(Case).values(outside_at=now() - timedelta(days=2)))
        db.session.commit()
    assert "2 days ago" in hanna.get(shared(world)).text
    asked = news_of(hanna.get(shared(world, "/files"), htmx=True).text)
    assert "The security team wrote last" in asked
    added = hanna.post(shared(world, "/evidence"), {"kind": "", "text": "203.0.113.77"}, htmx=True).text
    assert "The security team wrote last" in news_of(added)
    assert "2 days ago" not in news_of(added)
    with app.app_context():
        db.session.execute(update(Case).values(outside_at=now() - timedelta(days=2)))
        db.session.commit()
    said = hanna.post(shared(world, "/comments"), {"message": "A red window."}, htmx=True).text
    assert "2 days ago" not in news_of(said)
    assert "Go to the newest message" in news_of(said)
    assert "The security team wrote last" not in said


@pytest.mark.parametrize("message", ["", " \n ", "y" * 65_537])
@pytest.mark.parametrize("htmx", [False, True])
def test_a_mistake_is_explained_and_keeps_the_text(world: World, browse: Browse, message: str, htmx: bool) -> None:
    answer = browse("hanna").post(shared(world, "/comments"), {"message": message}, htmx=htmx)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert not message.strip() or message in answer.text


def test_rhea_has_no_form_and_cannot_write(world: World, browse: Browse) -> None:
    rhea = browse("rhea")
    page = rhea.get(shared(world)).text
    assert "<textarea" not in page
    assert "/edit" not in page
    for rest in ("/comments", f"/comments/{world.comments['shared-hanna']}/edit", f"/comments/{world.comments['shared-hanna']}/delete"):
        assert rhea.post(shared(world, rest), {"message": "May I?"}).status_code == 403
    assert "May I?" not in browse("ada").get(f"/console/cases/{world.cases['shared']}").text


def test_hanna_can_change_her_own_words(world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    assert "Hanna&#39;s word on shared." in hanna.get(own(world, "edit")).text
    assert hanna.post(own(world, "edit"), {"message": ""}).status_code == 422
    assert hanna.confirm(own(world, "edit"), {"message": "Better words"}).status_code == 303
    page = browse("rhea").get(shared(world)).text
    assert "Better words" in page
    assert "edited" in page
    assert HERS not in page


def test_hanna_can_take_her_own_words_back(world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    assert hanna.get(own(world, "delete")).status_code == 200
    assert HERS in hanna.get(shared(world)).text, "asking deletes nothing"
    assert hanna.post(own(world, "delete")).status_code == 303
    assert HERS not in hanna.get(shared(world)).text
    assert hanna.get(own(world, "delete")).status_code == 404
    assert hanna.post(own(world, "delete")).status_code == 404


def test_edits_and_deletions_come_back_as_parts(world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    assert hanna.get(own(world, "edit"), htmx=True).text.lstrip().startswith("<dialog")
    saved = hanna.confirm(own(world, "edit"), {"message": "Better words"}, htmx=True)
    assert saved.status_code == 200
    assert "Better words" in saved.text
    assert "<html" not in saved.text
    assert "Better words" not in hanna.post(own(world, "delete"), htmx=True).text


@pytest.mark.parametrize("comment", ["shared-external", "shared-internal", "all-hanna"])
@pytest.mark.parametrize("act", ["edit", "delete"])
def test_hanna_cannot_change_what_is_not_hers_or_not_there(world: World, browse: Browse, comment: str, act: str) -> None:
    hanna, path = browse("hanna"), shared(world, f"/comments/{world.comments[comment]}/{act}")
    assert hanna.get(path).status_code == 404
    assert hanna.post(path, {"message": "Mine now"}).status_code == 404
    assert "Mine now" not in browse("ada").get(f"/console/cases/{world.cases['shared']}").text


def test_words_made_internal_are_out_of_their_authors_reach(world: World, browse: Browse) -> None:
    hanna, ada = browse("hanna"), browse("ada")
    mark = f"/console/cases/{world.cases['shared']}/comments/{world.comments['shared-hanna']}/external"
    assert ada.post(mark, {"external": "0"}).status_code == 303
    assert HERS not in hanna.get(shared(world)).text
    assert hanna.post(own(world, "edit"), {"message": "Still mine"}).status_code == 404


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "![x](https://evil.example/x.png)",
        '<img src=x onerror="alert(1)">',
        "{{ 7*7 }}",
    ],
)
def test_what_a_guest_writes_cannot_run_in_the_console(world: World, browse: Browse, text: str) -> None:
    browse("hanna").post(shared(world, "/comments"), {"message": text})
    for page in (browse("ada").get(f"/console/cases/{world.cases['shared']}").text, browse("rhea").get(shared(world)).text):
        conversation = page[page.index("word on shared") :]
        assert "<script>alert" not in page
        assert "<img" not in conversation
        assert 'href="javascript' not in conversation
        assert "49" not in conversation.split('class="prose"')[-1][:60]


@pytest.mark.parametrize("uid", ["%00", "..%2f", "0" * 15, "zzzzzzzzzzzzzzzz", "²²²²²²²²²²²²²²²²"])
def test_hanna_gets_not_found_for_a_name_no_message_can_have(browse: Callable[[str], Browser], world: World, uid: str) -> None:
    for act in ("edit", "delete"):
        path = f"/portal/cases/{world.cases['shared']}/comments/{uid}/{act}"
        assert browse("hanna").get(path, follow_redirects=True).status_code == 404  # two slashes become one first


def test_a_flood_of_messages_is_stopped_and_the_last_one_kept(browse: Callable[[str], Browser], world: World) -> None:
    hanna, path = browse("hanna"), shared(world, "/comments")
    statuses = [hanna.post(path, {"message": f"Message {number}."}).status_code for number in range(comments.MOST_MESSAGES)]
    assert 303 in statuses
    answer = hanna.post(path, {"message": "One too many."})
    assert answer.status_code == 422
    assert "Wait a little" in answer.text
    assert "One too many." in answer.text
    with at(now() + comments.MESSAGES_WITHIN):
        assert hanna.post(path, {"message": "Later."}).status_code == 303


def test_a_second_window_does_not_overwrite_what_the_first_saved(world: World, browse: Browse) -> None:
    hanna = browse("hanna")
    shown = dict(SHOWN.findall(hanna.get(own(world, "edit")).text))
    assert hanna.post(own(world, "edit"), {"message": "From the first window", **shown}).status_code == 303
    held = hanna.post(own(world, "edit"), {"message": "From the second window", **shown})
    assert held.status_code == 422
    assert "<p>From the first window</p>" in held.text
    assert "From the second window</textarea>" in held.text
    assert "From the first window" in hanna.get(shared(world)).text
    assert hanna.post(own(world, "edit"), {"message": "From the second window", **dict(SHOWN.findall(held.text))}).status_code == 303
    assert "From the second window" in hanna.get(shared(world)).text


def test_a_flood_of_changes_is_stopped_and_the_last_one_kept(browse: Callable[[str], Browser], world: World) -> None:
    hanna, path = browse("hanna"), own(world, "edit")
    statuses = {hanna.confirm(path, {"message": f"Version {number}."}).status_code for number in range(comments.MOST_MESSAGES)}
    assert 303 in statuses
    answer = hanna.confirm(path, {"message": "One too many."})
    assert answer.status_code == 422
    assert "Wait a little" in answer.text
    assert "One too many." in answer.text
    assert hanna.post(shared(world, "/comments"), {"message": "A new one."}).status_code == 422
    with at(now() + comments.MESSAGES_WITHIN):
        assert hanna.confirm(path, {"message": "Later."}).status_code == 303


def test_taking_messages_back_does_not_let_more_through(app: Flask, browse: Callable[[str], Browser], world: World) -> None:
    hanna, path = browse("hanna"), shared(world, "/comments")
    for number in range(comments.MOST_MESSAGES):
        if hanna.post(path, {"message": f"Message {number}."}).status_code != 303:
            break  # hers that were there before count as well
        with app.app_context():
            uid = db.session.scalars(select(Comment.uid).order_by(Comment.id.desc()).limit(1)).one()
        assert hanna.post(f"{path}/{uid}/delete").status_code == 303
    assert hanna.post(path, {"message": "One too many."}).status_code == 422
