"""Whatever analysts and outsiders do, the portal shows each person what an independent model says, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from portal.accounts import joining, people, sessions
from portal.accounts.models import Profile
from portal.accounts.permissions import ProfileType
from portal.accounts.viewer import Viewer
from portal.cases import attachments, cases, comments, fields, lifecycle, observables
from portal.cases.models import Case, Observable
from portal.clock import now
from portal.database import start_writing
from portal.extensions import db
from portal.organisations.models import Party, PartyKind
from portal.refusals import NotVisible, Refusal
from portal.sharing import access, marks, restriction, scope
from portal.sharing.models import Access
from portal.sharing.window import Window
from tests import factories as make
from tests.access.rows import contents, put_back
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
OUTSIDERS = ("hanna", "rhea", "vic")
CASES = 3
FIRMS = ("Contoso", "Fabrikam")
EXAMPLES = int(os.environ.get("PORTAL_TEST_EXAMPLES", "12"))


@dataclass
class Thing:
    """A comment, a file, an observable or a field's value: the word that gives it away, who wrote it, whether outsiders may read it."""

    word: str
    uid: str
    author: str
    external: bool
    kind: str = "comment"


@dataclass
class Shelf:
    """What the model knows of a case. It looks nothing up in the product."""

    number: int
    kind: str = "internal"
    named: set[str] = field(default_factory=set)
    firms: set[str] = field(default_factory=set)
    things: list[Thing] = field(default_factory=list)
    gone: bool = False
    region: str = ""

    @property
    def shared(self) -> bool:
        return not self.gone and self.kind in ("some", "all")

    def seen_by(self, who: str, locked: set[str], works: dict[str, str]) -> bool:
        named = who in self.named or works.get(who) in self.firms
        return who not in locked and (self.kind == "all" or (self.kind == "some" and named)) and not self.gone


class Story:
    """The product and the model side by side: each act is done in both."""

    def __init__(self, world: World) -> None:
        self.world, self.locked, self.hidden, self.words = world, set[str](), set[str](), 0
        self.shelves: list[Shelf] = []
        self.works: dict[str, str] = {}  # whom everybody works for, "" for nobody
        start_writing()
        self.firms = {name: self._firm(name) for name in FIRMS}
        db.session.commit()
        for _ in range(CASES):
            start_writing()
            made = cases.create_case(cases.Draft(title=self.word("title"), description=self.word("description")), by=self.viewer("ada"))
            db.session.commit()
            self.shelves.append(Shelf(made.number))

    def _firm(self, name: str) -> int:
        firm = Party(organisation_id=self.world.places["here"], name=name, kind=PartyKind.CLIENT)
        db.session.add(firm)
        db.session.flush()
        return firm.id

    def sees(self, shelf: Shelf, who: str) -> bool:
        return shelf.seen_by(who, self.locked, self.works)

    def word(self, kind: str) -> str:
        self.words += 1
        return f"word{kind}{self.words:03d}x"

    def viewer(self, who: str) -> Viewer:
        found = sessions.viewer_of(self.world.people[who], self.world.places["here"])
        assert found is not None
        return found

    def act(self, name: str, place: int, who: set[str], pick: int) -> None:
        """Do it; what the product refuses must not be something the model takes for done."""
        shelf = self.shelves[place % CASES]
        start_writing()
        with suppress(Refusal, NotVisible):
            done = getattr(self, f"_{name}")(shelf, who, pick)
            db.session.commit()
            if done is not None:
                done()
        db.session.rollback()

    def _case(self, shelf: Shelf) -> Case:
        return cases.load(shelf.number, change=True)

    def _share(self, shelf: Shelf, who: set[str], pick: int) -> Callable[[], Any]:
        ids = {self.world.people[name] for name in who}
        access.set_access(self._case(shelf), Access.EXTERNAL, ids, by=self.viewer("ada"), again=True)
        return lambda: vars(shelf).update(kind="some", named=set(who), firms=set())

    def _share_firm(self, shelf: Shelf, who: set[str], pick: int) -> Callable[[], Any]:
        """With one or both of the organisations, and some people by name as well."""
        firms, named = set(FIRMS[: 1 + pick % 2] if pick % 3 else FIRMS[1:]), who if pick % 4 == 0 else set[str]()
        ids = {self.world.people[name] for name in named}
        parties = {self.firms[firm] for firm in firms}
        access.set_access(self._case(shelf), Access.EXTERNAL, ids, parties=parties, by=self.viewer("ada"), again=True)
        return lambda: vars(shelf).update(kind="some", named=set(named), firms=firms)

    def _move(self, shelf: Shelf, who: set[str], pick: int) -> Callable[[], Any]:
        """Somebody begins to work for another organisation, or for none."""
        name, firm = OUTSIDERS[pick % len(OUTSIDERS)], (*FIRMS, "")[pick % 4 % 3]
        place, roles = self.world.places["here"], select(Profile.id).where(Profile.type == ProfileType.EXTERNAL)
        held = joining.held_at(self.world.people[name], place, by=self.viewer("olga"))
        assert {profile.id for profile in held.profiles} <= set(db.session.scalars(roles))
        ids = [profile.id for profile in held.profiles]
        joining.set_profiles(self.world.people[name], place, ids, works_for=firm, by=self.viewer("olga"))
        return lambda: self.works.update({name: firm})

    def _share_all(self, shelf: Shelf, who: set[str], pick: int) -> Callable[[], Any]:
        access.set_access(self._case(shelf), Access.ALL_EXTERNAL, set(), by=self.viewer("ada"), again=True)
        return lambda: vars(shelf).update(kind="all", named=set(), firms=set())

    def _revoke(self, shelf: Shelf, who: set[str], pick: int) -> Callable[[], Any]:
        access.set_access(self._case(shelf), Access.INTERNAL, set(), by=self.viewer("ada"))
        return lambda: vars(shelf).update(kind="internal", named=set(), firms=set())

    def _restrict(self, shelf: Shelf, who: set[str], pick: int) -> Callable[[], Any]:
        restriction.restrict(self._case(shelf), set(), by=self.viewer("olga"))
        return lambda: vars(shelf).update(kind="restricted", named=set(), firms=set())

    def _make_visible(self, shelf: Shelf, who: set[str], pick: int) -> Callable[[], Any]:
        changed = restriction.make_visible(self._case(shelf), by=self.viewer("olga"))
        return lambda: vars(shelf).update(kind="internal") if changed else None

    def _end(self, shelf: Shelf, who: set[str], pick: int) -> Callable[[], Any] | None:
        if not shelf.shared:
            return None
        moment = now() - timedelta(seconds=1)
        db.session.execute(update(Case).where(Case.number == shelf.number).values(shared_until=moment))
        return lambda: vars(shelf).update(kind="internal", named=set(), firms=set())

    def _say(self, shelf: Shelf, who: set[str], pick: int) -> Callable[[], Any]:
        word, external = self.word("said"), bool(pick % 2)
        made = comments.add_comment(self._case(shelf), word, external=external, by=self.viewer("ada"))
        uid = made.uid
        return lambda: shelf.things.append(Thing(word, uid, "ada", external))

    def _attach(self, shelf: Shelf, who: set[str], pick: int) -> Callable[[], Any]:
        word, external = self.word("file"), bool(pick % 2)
        made = make.attach(self._case(shelf), self.viewer("ada"), f"{word}.txt", word.encode(), external=external)
        thing = Thing(word, made.uid, "ada", external, "file")
        return lambda: shelf.things.append(thing)

    def _observe(self, shelf: Shelf, who: set[str], pick: int) -> Callable[[], Any] | None:
        word, author = self.word("observed"), ("ada", "hanna")[pick % 2]
        if author in self.locked:
            return None
        made = observables.new_observable(self._case(shelf), "other", word, word, observables.Facets(), by=self.viewer(author))
        observables.keep_new(self._case(shelf), [made], by=self.viewer(author))
        thing = Thing(word, made.uid, author, author == "hanna", "observable")
        return lambda: shelf.things.append(thing)

    def _fill(self, shelf: Shelf, who: set[str], pick: int) -> Callable[[], Any]:
        """One field is shown in the portal, the other is not and holds a number."""
        word, case = self.word("region"), self._case(shelf)
        fields.set_values(case, {"region": [word], "loss": [f"77{self.words:05d}"]}, version=case.version, by=self.viewer("ada"))
        self.hidden.add(f"77{self.words:05d}")
        return lambda: vars(shelf).update(region=word)

    def _answer(self, shelf: Shelf, who: set[str], pick: int) -> Callable[[], Any] | None:
        writer = ("hanna", "vic")[pick % 2]
        word = self.word("answered")
        if writer in self.locked:
            return None
        before = {row.uid for row in comments.comments_of(cases.load(shelf.number))} if not shelf.gone else set()
        Window(self.viewer(writer)).add_message(shelf.number, word)
        assert self.sees(shelf, writer), f"{writer} wrote on a case they cannot see"
        uid = next(row.uid for row in comments.comments_of(cases.load(shelf.number)) if row.uid not in before)
        return lambda: shelf.things.append(Thing(word, uid, writer, external=True))

    def _mark(self, shelf: Shelf, who: set[str], pick: int) -> Callable[[], Any] | None:
        markable = [thing for thing in shelf.things if thing.kind in ("comment", "file")]
        if not markable:
            return None
        thing, case, by = markable[pick % len(markable)], self._case(shelf), self.viewer("ada")
        if thing.kind == "file":
            marks.mark_attachment(case, attachments.load_file(case, thing.uid), not thing.external, by=by)
        else:
            marks.mark_comment(case, comments.load_comment(case, thing.uid), not thing.external, by=by)
        return lambda: setattr(thing, "external", not thing.external)

    def _lock(self, shelf: Shelf, who: set[str], pick: int) -> Callable[[], Any]:
        name = OUTSIDERS[pick % len(OUTSIDERS)]
        (people.unlock if name in self.locked else people.lock)(self.world.people[name], by=self.viewer("olga"))
        return lambda: self.locked.symmetric_difference_update({name})

    def _withdraw(self, shelf: Shelf, who: set[str], pick: int) -> Callable[[], Any] | None:
        """Hanna takes back what she added herself a moment ago."""
        own = [thing for thing in shelf.things if thing.kind == "observable" and thing.author == "hanna"]
        if not own or "hanna" in self.locked:
            return None
        thing = own[pick % len(own)]
        Window(self.viewer("hanna")).evidence.withdraw_item(shelf.number, thing.uid)
        return lambda: shelf.things.remove(thing)

    def _retract(self, shelf: Shelf, who: set[str], pick: int) -> Callable[[], Any] | None:
        """Somebody deletes a message of theirs."""
        own = [thing for thing in shelf.things if thing.kind == "comment" and thing.author in OUTSIDERS]
        if not own or own[pick % len(own)].author in self.locked:
            return None
        thing = own[pick % len(own)]
        Window(self.viewer(thing.author)).delete_message(shelf.number, thing.uid)
        return lambda: shelf.things.remove(thing)

    def _mute(self, shelf: Shelf, who: set[str], pick: int) -> Callable[[], Any] | None:
        """No letters about it any more; nothing else."""
        name = OUTSIDERS[pick % len(OUTSIDERS)]
        if name in self.locked:
            return None
        Window(self.viewer(name)).letters.mute(shelf.number, bool(pick % 2))
        return None

    def _delete(self, shelf: Shelf, who: set[str], pick: int) -> Callable[[], Any] | None:
        if pick % 3:
            return None
        case = self._case(shelf)
        lifecycle.delete_case(case, str(case.number), version=case.version, by=self.viewer("ada"))
        return lambda: setattr(shelf, "gone", True)

    def expected(self, who: str) -> set[str]:
        """Every word this person must meet: titles on the home page, the rest on the case pages."""
        words = set()
        for place, shelf in enumerate(self.shelves):
            if self.sees(shelf, who):
                words |= {f"wordtitle{place * 2 + 1:03d}x", f"worddescription{place * 2 + 2:03d}x"}
                words |= {thing.word for thing in shelf.things if thing.external}
                words |= {shelf.region} - {""}
        return words

    def observed(self, who: str) -> set[str]:
        """What of guests' observables the rules give this person."""
        seen = [shelf for shelf in self.shelves if self.sees(shelf, who)]
        return {thing.word for shelf in seen for thing in shelf.things if thing.kind == "observable" and thing.external}

    def all_words(self) -> set[str]:
        told = {thing.word for shelf in self.shelves for thing in shelf.things}
        told |= self.hidden | {shelf.region for shelf in self.shelves} - {""}
        return told | {word for n in range(CASES) for word in (f"wordtitle{n * 2 + 1:03d}x", f"worddescription{n * 2 + 2:03d}x")}


ACTS = [name[1:] for name in vars(Story) if name.startswith("_") and not name.startswith("__") and name not in ("_case", "_firm")]
steps = st.lists(
    st.tuples(st.sampled_from(ACTS), st.integers(0, 2), st.sets(st.sampled_from(OUTSIDERS), min_size=1), st.integers(0, 11)),
    min_size=4,
    max_size=16,
)


def test_outsiders_cannot_see_anything_but_what_the_model_says(app: Flask, world: World, browse: Browse) -> None:
    """Home, pages and parts, after every act. PORTAL_TEST_EXAMPLES sets how many stories are told."""
    whole = contents(app)

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
    @given(steps)
    def told(story_steps: list[tuple[str, int, set[str], int]]) -> None:
        put_back(app, whole)
        with app.app_context():
            story = Story(world)
        for name, place, who, pick in story_steps:
            with app.app_context():
                story.act(name, place, who, pick)
        for who in OUTSIDERS:
            _compare(app, story, who, browse)

    told()


def _compare(app: Flask, story: Story, who: str, browse: Browse) -> None:
    if who in story.locked:
        return  # cannot sign in: tests/access/test_revoke.py
    with app.app_context():
        given = set(db.session.scalars(scope.visible(story.viewer(who), Observable, Observable.value)))
    assert {word for word in given if word.startswith("word")} == story.observed(who), who
    browser, met = browse(who), ""
    for path in ["/portal/", *(f"/portal/cases/{shelf.number}" for shelf in story.shelves)]:
        for htmx in (False, True):
            answer = browser.get(path, htmx=htmx)
            met += answer.text
    assert {word for word in story.all_words() if word in met} == story.expected(who), who
    for shelf in story.shelves:
        expected = 200 if story.sees(shelf, who) else 404
        assert browser.get(f"/portal/cases/{shelf.number}").status_code == expected


def test_each_kind_of_thing_is_really_put_on_a_case(app: Flask, world: World, browse: Browse) -> None:
    """A story whose acts are all refused would prove nothing."""
    with app.app_context():
        story = Story(world)
        for name, pick in (("share", 0), ("say", 1), ("attach", 1), ("attach", 0), ("observe", 1), ("observe", 0), ("fill", 0)):
            story.act(name, 0, {"hanna"}, pick)
        told = [(thing.kind, thing.external) for thing in story.shelves[0].things]
        assert told == [("comment", True), ("file", True), ("file", False), ("observable", True), ("observable", False)]
        assert len(story.expected("hanna")) == 6
    for who in OUTSIDERS:
        _compare(app, story, who, browse)
