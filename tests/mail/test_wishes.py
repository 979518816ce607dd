"""What people want no letters about is theirs alone, and only of what they see."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from portal.audit.models import AuditEntry
from portal.cases.models import Mute
from portal.extensions import db
from portal.mail import news
from portal.mail.wishes import Wishes
from portal.refusals import NotAllowed, NotVisible, Refusal
from portal.sharing.window import Window
from tests.factories import share
from tests.fixtures.rooms import Cast


def test_everybody_is_told_of_everything_at_first(cast: Cast) -> None:
    assert Wishes(cast("hanna")).wanted() == list(news.OUTSIDE)
    assert Wishes(cast("ada")).wanted() == list(news.INSIDE)


def test_hanna_can_choose_and_nobody_learns_of_it(cast: Cast) -> None:
    before = db.session.scalar(select(func.count(AuditEntry.id)))
    wishes = Wishes(cast("hanna"))
    wishes.choose(["message", "file"])
    wishes.mute(cast.world.cases["shared"], True)
    wishes.mute(cast.world.cases["shared"], True)
    assert wishes.wanted() == [news.News.MESSAGE, news.News.FILE]
    assert [case.number for case in wishes.muted()] == [cast.world.cases["shared"]]
    assert (wishes.mutes(cast.world.cases["shared"]), wishes.mutes(cast.world.cases["all"])) == (True, False)
    assert (Wishes(cast("rhea")).muted(), Wishes(cast("rhea")).mutes(cast.world.cases["shared"])) == ([], False)
    assert db.session.scalar(select(func.count(AuditEntry.id))) == before
    wishes.mute(cast.world.cases["shared"], False)
    assert wishes.muted() == []


@pytest.mark.parametrize(("who", "words"), [("hanna", ["reply"]), ("ada", ["message"]), ("hanna", ["nonsense"]), ("hanna", ["\0"])])
def test_what_is_not_in_the_list_cannot_be_chosen(cast: Cast, who: str, words: list[str]) -> None:
    with pytest.raises(Refusal):
        Wishes(cast(who)).choose(words)


@pytest.mark.parametrize("name", ["internal", "revoked", "foreign", "restricted"])
def test_hanna_cannot_mute_what_she_cannot_see(cast: Cast, name: str) -> None:
    with pytest.raises(NotVisible):
        Wishes(cast("hanna")).mute(cast.world.cases[name], True)


def test_a_muted_case_that_was_revoked_is_not_named(cast: Cast) -> None:
    wishes, case = Wishes(cast("hanna")), cast.case("shared")
    wishes.mute(case.number, True)
    share(case, cast("ada"))
    db.session.flush()
    assert (wishes.muted(), wishes.mutes(case.number)) == ([], False)
    with pytest.raises(NotVisible):
        wishes.mute(case.number, False)


def test_who_looks_through_her_eyes_neither_learns_nor_changes_it(cast: Cast) -> None:
    number = cast.world.cases["shared"]
    Wishes(cast("hanna")).mute(number, True)
    eyes = Window(replace(cast("hanna"), viewed_by_id=cast("ada").user_id)).letters
    assert not eyes.mutes(number)
    for act in (lambda: eyes.mute(number, False), lambda: eyes.choose([])):
        with pytest.raises(NotAllowed):
            act()
    assert db.session.scalar(select(func.count(Mute.id))) == 1
