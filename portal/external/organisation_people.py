"""The people of your organisation, for its portal administrators: the list, adding some, and what can be done to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import g, request, url_for

from ..refusals import Refusal
from ..sharing.records import AddedPerson, OwnOutcome, OwnPerson, TypedAddress
from ..web import results
from ..web.face import Needs, go_to
from ..web.show import see_other, show, wants_fragment
from ..words import Wording, _, later, ngettext
from .face import external
from .organisation import PATH
from .organisation_acts import ACTS, asking, done
from .organisation_forms import LONGEST_LIST, AddForm, RolesForm

PEOPLE = f"{PATH}/people"
# What can be asked for of how an account stands.
FILTERS = ("active", "invited", "expired", "uninvited", "locked")
SORTS = Wording(
    {
        "name": later("Name, A to Z"),
        "-name": later("Name, Z to A"),
        "seen": later("Last sign-in, latest first"),
        "-seen": later("Last sign-in, earliest first"),
    }
)
INVITABLE = ("uninvited", "expired", "undelivered")
COLUMNS = 7  # with more roles than this, they stand in one column
LONGEST_PLACE = 400  # characters of where a page of the list begins
NOBODY = later("Tick at least one person, then choose what to do with them.")


@dataclass(frozen=True)
class Wanted:
    """What of the address of the list makes sense."""

    q: str
    state: str
    sort: str
    after: str

    @property
    def kept(self) -> dict[str, Any]:
        """What pages that lead back to the list take along in their addresses."""
        values = {"q": self.q, "state": self.state, "sort": self.sort if self.sort != "name" else "", "after": self.after}
        return {name: text for name, text in values.items() if text}

    @property
    def back(self) -> str:
        """The address of the list as it was."""
        return url_for("external.people", **self.kept)

    def url(self, **changes: str) -> str:
        """The address of its first page with these wishes, some of them changed."""
        values: dict[str, Any] = {**self.kept, "after": "", **changes}
        return url_for("external.people", **{name: text for name, text in values.items() if text})

    def heading(self, column: str) -> tuple[str, str]:
        """How the list is sorted by this now, in ARIA's words, and where its heading leads."""
        first, second = column, f"-{column}"
        said = {"name": "ascending", "-name": "descending", "seen": "descending", "-seen": "ascending"}
        sort = second if self.sort == first else first
        return said[self.sort] if self.sort in (first, second) else "", self.url(sort="" if sort == "name" else sort)


def _wanted() -> Wanted:
    text = " ".join(request.args.get("q", "").replace("\0", "").split())[:128]
    state, sort, after = (request.args.get(name, "") for name in ("state", "sort", "after"))
    return Wanted(text, state if state in FILTERS else "", sort if sort in SORTS else "name", after.replace("\0", "")[:LONGEST_PLACE])


@external.route(PEOPLE, needs=Needs.PORTAL_ADMIN)
def people() -> Any:
    """Everybody who works for the organisation and has an account."""
    own, wanted = g.window.organisation, _wanted()
    page = own.people(q=wanted.q, sort=wanted.sort, state=wanted.state, after=wanted.after)
    if wanted.after and not page.rows:  # who stood there does not fit any more
        return go_to(wanted.url())
    context = {"filters": FILTERS, "sorts": SORTS, "acts": ACTS, "invitable": INVITABLE, "columns": COLUMNS, "states": own.states}
    context |= {"rows": page.rows, "following": wanted.url(after=page.next) if page.next else None}
    context |= {"wanted": wanted, "first": wanted.url() if wanted.after else None, "roles": own.role_names(), "mails": own.mails}
    fragment = wants_fragment()
    context |= {"uninvited": 0 if fragment else own.uninvited(), "fragment": fragment}
    return show("external/organisation/people.html", "external/organisation/_people.html", **context)


@external.route(f"{PEOPLE}/add", needs=Needs.PORTAL_ADMIN)
def new_people() -> Any:
    """One box for many addresses, and what their people may do; or once more what became of them."""
    if results.NAME not in request.args:
        return _adding(AddForm(formdata=None))
    lines = results.told("added")
    return go_to(_wanted().back) if lines is None else _added([AddedPerson(*line) for line in lines])


def _adding(form: AddForm, *, problem: str | None = None, status: int = 200) -> Any:
    own = g.window.organisation
    roles = own.roles()
    form.offer(roles)
    form.addresses.description = _(
        "Up to %(count)s at once, with spaces, commas or line breaks between. You can paste a list.", count=own.most
    )
    if len(roles) == 1 and form.roles.data is None:
        form.roles.data = [roles[0].uid]
    context = {"form": form, "roles": roles, "own": own.details(), "mark": own.mark, "typed": _looked_at(form), "problem": problem}
    return show("external/organisation/add.html", status=status, wanted=_wanted(), **context)


def _looked_at(form: AddForm) -> list[TypedAddress]:
    """What was typed, address by address; nothing where it is too much to look at."""
    text = form.addresses.data or ""
    try:
        told: list[TypedAddress] = g.window.organisation.check(text) if len(text) <= LONGEST_LIST else []
    except Refusal:
        return []
    return told


@external.route(f"{PEOPLE}/check", needs=Needs.PORTAL_ADMIN, methods=["POST"], dry=True)
def check_people() -> Any:
    """What is typed so far, address by address; nothing is kept. Without a script it is said when the form is sent."""
    if not wants_fragment():
        return see_other(".new_people")
    return show("external/organisation/_chips.html", typed=_looked_at(AddForm()))


@external.route(PEOPLE, needs=Needs.PORTAL_ADMIN, methods=["POST"])
def add_people() -> Any:
    """Add them, and say what became of each address."""
    form, own = AddForm(), g.window.organisation
    if form.organisation.data not in ("", None, own.mark):
        form.organisation.data = own.mark
        return _adding(form, problem=_("You have switched to another organisation since you opened this. Nobody was added."), status=422)
    if not form.validate():
        return _adding(form, status=422)
    try:
        told = own.add(form.addresses.data or "", form.roles.data or ())
    except Refusal as refusal:
        return _adding(form, problem=form.place(refusal), status=422)
    if mark := results.keep("added", told):
        return see_other(".new_people", told=mark, **_wanted().kept)
    return _added(told)


def _added(told: list[AddedPerson]) -> Any:
    own = g.window.organisation
    uids = [line.uid for line in told if line.done and line.uid]
    people = own.chosen(uids, still=True) if uids else []
    uninvited = [person for person in people if person.state in INVITABLE]
    locked = [person.uid for person in people if person.state == "locked"]
    return show("external/organisation/added.html", told=told, uninvited=uninvited, locked=locked, mails=own.mails, wanted=_wanted())


@external.route(f"{PEOPLE}/act", needs=Needs.PORTAL_ADMIN, methods=["GET", "POST"])
def act_on_people() -> Any:
    """Say what would be done to whom; with POST, do it; then what became of each."""
    act, uids = request.values.get("act", ""), _ticked()
    if act not in ACTS or not uids:
        return _without_people(act)
    chosen, form = g.window.organisation.chosen(uids), RolesForm()
    if request.method == "GET" or not form.validate():
        return _ask(act, chosen, form)
    try:
        outcomes = _do(act, uids, form)
    except Refusal as refusal:
        return _ask(act, chosen, form, problem=form.place(refusal), status=422)
    return _tell(act, outcomes)


def _without_people(act: str) -> Any:
    lines = results.told(act) if act in ACTS and request.method == "GET" else None
    if lines is not None:
        return _done(act, [OwnOutcome(*line) for line in lines])
    asked = request.values and results.NAME not in request.args
    return see_other(".people", str(NOBODY) if asked else None, warning=True, **_wanted().kept)


def _ticked() -> list[str]:
    """Whom it is about. Odd names are nobody's, which the verb finds out."""
    uids = request.values.getlist("people")
    if len(uids) > (most := g.window.organisation.most):
        raise Refusal(ngettext("Tick at most %(num)s person at once.", "Tick at most %(num)s people at once.", most))
    return list(dict.fromkeys(uids))


def _ask(act: str, chosen: list[OwnPerson], form: RolesForm, *, problem: str | None = None, status: int = 200) -> Any:
    own = g.window.organisation
    roles = own.roles() if act == "roles" else []
    form.offer(roles)
    if request.method == "GET":
        held = set.intersection(*(set(person.role_uids) for person in chosen))
        form.roles.data = [role.uid for role in roles if role.uid in held]
    leaving = act == "remove-admin" and any(person.me for person in chosen)
    context = {
        "act": act,
        "people": chosen,
        "asking": asking(act, chosen, mails=own.mails),
        "leaving": leaving,
        "last": leaving and sum(person.portal_admin for person in chosen) == 1 and own.only_admin(),
        "form": form,
        "roles": roles,
        "problem": problem,
        "wanted": _wanted(),
        "states": own.states,
    }
    status = 422 if form.errors else status
    return show("external/organisation/ask.html", "external/organisation/_ask.html", status=status, **context)


def _do(act: str, uids: Iterable[str], form: RolesForm) -> list[OwnOutcome]:
    own = g.window.organisation
    told: list[OwnOutcome] = own.set_roles(uids, form.roles.data or ()) if act == "roles" else own.act(act, uids)
    return told


def _tell(act: str, outcomes: list[OwnOutcome]) -> Any:
    if act == "remove-admin" and any(outcome.done and outcome.me for outcome in outcomes):
        return see_other(".home", _("You are no longer portal administrator."))  # the list is not theirs to see any more
    if len(outcomes) == 1 and outcomes[0].done:
        told = _("%(name)s: %(sentence)s", name=outcomes[0].name, sentence=outcomes[0].sentence)
        return see_other(".people", told, **_wanted().kept)
    if mark := results.keep(act, outcomes):
        return see_other(".act_on_people", act=act, told=mark, **_wanted().kept)
    return _done(act, outcomes)


def _done(act: str, outcomes: list[OwnOutcome]) -> Any:
    title, mails = done(act, sum(outcome.done for outcome in outcomes)), g.window.organisation.mails
    return show("external/organisation/done.html", act=act, outcomes=outcomes, title=title, mails=mails, wanted=_wanted())
