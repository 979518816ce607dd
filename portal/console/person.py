"""One person's page, their details, closing and deleting their account."""

from __future__ import annotations

from typing import Any

from flask import g, request

from ..accounts import directory, invitations, joining, keys, people, powers, standing
from ..accounts.models import AccountType, User
from ..accounts.permissions import Permission
from ..refusals import NotAllowed, Refusal
from ..settings import values
from ..web.show import see_other, show
from .face import console
from .people_forms import DeleteForm, PersonForm

MANAGE = Permission.MANAGE_USER
KIND = {
    AccountType.NORMAL: "Colleague: uses the console",
    AccountType.SERVICE: "Program: uses the API only",
    AccountType.EXTERNAL: "External user: uses the portal only",
}


@console.route("/people/<id:user_id>", needs=MANAGE)
def person(user_id: int) -> Any:
    """Who somebody is, what they may do where, and what can be done."""
    user, _organisation = powers.find_member(user_id, by=g.viewer)
    return show("console/people/show.html", person=user, kind=KIND[user.type], **_known(user), **_possible(user))


def _known(user: User) -> dict[str, Any]:
    return {
        "standing": standing.standing_of(user),
        "invitation": invitations.newest(user.id) if user.activated_at is None else None,
        "seats": joining.held_by(user.id, by=g.viewer),
        "theirs": people.closed_outside(user),
        "browsers": people.browsers(user),
        "key": keys.key_of(user.id),
        "mails": values.mail_is_set_up(),
    }


def _possible(user: User) -> dict[str, Any]:
    """What the viewer may do here: `may`, anything at all; `whole`, also what touches the account as a whole."""
    may, elsewhere = not powers.outranks(user, g.viewer), powers.elsewhere(user.id, g.viewer)
    return {"me": user.id == g.viewer.user_id, "may": may, "elsewhere": elsewhere, "whole": may and not elsewhere}


def back(user_id: int, notice: str | Refusal) -> Any:
    """To the person's page, with what was done or why it was not; what needs more rights than one has is an answer of its own."""
    if isinstance(notice, NotAllowed):
        raise notice
    if isinstance(notice, Refusal):
        return see_other(".person", notice.sentence, warning=True, user_id=user_id)
    return see_other(".person", notice, user_id=user_id)


def posted(sentence: str) -> str:
    """What is said of a letter: that it is on its way, or that it lies in a file while mail is not set up."""
    if values.mail_is_set_up():
        return sentence
    return f"{sentence} Mail is not set up, though: the letter is written to the instance's mail folder, not sent."


def confirm(user: User, title: str, points: list[str], button: str, **more: Any) -> Any:
    """Ask before something that cannot be undone; the page's form sends to its own address."""
    form = more.get("form")
    status = 422 if form is not None and form.errors else 200
    context = {"person": user, "title": title, "points": points, "button": button, "form": None, **more}
    return show("console/people/confirm.html", status=status, **context)


@console.route("/people/<id:user_id>/edit", needs=MANAGE, methods=["GET", "POST"])
def edit_person(user_id: int) -> Any:
    """Another name; another address while nobody has taken possession of the account."""
    user, _ = powers.member(user_id, by=g.viewer, change=request.method == "POST")
    form = PersonForm() if request.method == "POST" else PersonForm(formdata=None, data=_details(user))
    if request.method == "GET" or not form.validate():
        return _edit_page(user, form)
    before = user.email
    try:
        people.edit(user_id, name=form.name.data, email=form.email.data, seen=form.seen.data, by=g.viewer)
    except Refusal as refusal:
        problem = form.place(refusal)
        return _edit_page(user, form, problem)
    invited = user.email != before and user.active and user.type is not AccountType.SERVICE
    return back(user_id, f"{user.name} is saved." + (posted(f" A new invitation to {user.email} is on its way.") if invited else ""))


def _details(user: User) -> dict[str, str]:
    return {"name": user.name, "email": user.email, "seen": people.details_mark(user)}


def _edit_page(user: User, form: PersonForm, problem: str | None = None) -> Any:
    fixed = people.FIXED_ADDRESS if user.activated_at is not None and user.type is not AccountType.SERVICE else None
    status = 422 if problem or form.errors else 200
    form.seen.data = people.details_mark(user)
    return show("console/people/edit.html", status=status, person=user, form=form, fixed=fixed, problem=problem)


@console.route("/people/<id:user_id>/lock", needs=MANAGE, methods=["POST"])
def lock(user_id: int) -> Any:
    """Close an account at once."""
    was_closed = people.closed_outside(powers.find_member(user_id, by=g.viewer)[0])
    try:
        user = people.lock(user_id, by=g.viewer)
    except Refusal as refusal:
        return back(user_id, refusal)
    said = "stays locked: only the security team can unlock it" if was_closed else "is locked and signed out everywhere"
    return back(user_id, f"{user.name} {said}.")


@console.route("/people/<id:user_id>/unlock", needs=MANAGE, methods=["POST"])
def unlock(user_id: int) -> Any:
    """Open an account again."""
    try:
        user = people.unlock(user_id, by=g.viewer)
    except Refusal as refusal:
        return back(user_id, refusal)
    set_up = user.activated_at is not None
    return back(user_id, f"{user.name} can sign in again." if set_up else f"{user.name} is active again. Send a new invitation.")


@console.route("/people/<id:user_id>/delete", needs=MANAGE, methods=["GET", "POST"])
def delete_person(user_id: int) -> Any:
    """Delete the account for good, once its name was typed."""
    try:
        user, _ = powers.account(user_id, by=g.viewer, change=request.method == "POST")
        form = DeleteForm()
        if user_id == g.viewer.user_id:
            raise Refusal("You cannot delete your own account. Ask another administrator.")
        if request.method == "GET" or not _typed(form, user):
            return _delete_page(user, form)
        name = people.delete(user_id, by=g.viewer)
    except Refusal as refusal:
        return back(user_id, refusal)
    return see_other(".people", f"{name}'s account is deleted. The address can be used again.")


def _typed(form: DeleteForm, user: User) -> bool:
    written = " ".join((form.confirm.data or "").split()).casefold()
    if written in (" ".join(user.name.split()).casefold(), user.email):
        return True
    form.complain("confirm", f"Type {user.name} or {user.email}, exactly as it is written here.")
    return False


def _delete_page(user: User, form: DeleteForm) -> Any:
    points = [
        f"{user.name} is signed out everywhere and can never sign in again.",
        "Password, second factor, API key, picture and all profiles are deleted. Nothing brings them back.",
        "Cases and comments stay, and keep the name.",
        f"The address {user.email} is free. A new account with it is a new person, who owns nothing of this one.",
    ]
    return confirm(user, f"Delete {user.name}?", points, "Delete account", form=form)


def parties() -> list[str]:
    """Outside organisations to suggest while typing."""
    return directory.parties(g.viewer.organisation_id)
