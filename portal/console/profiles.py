"""Profiles: the list, one of them, making, changing and deleting."""

from __future__ import annotations

from typing import Any

from flask import g, request

from ..accounts import profiles
from ..accounts.models import Profile
from ..accounts.permissions import ALWAYS, CATALOGUE, Permission, ProfileType, in_words
from ..refusals import Refusal, Stale, Unfit
from ..web.show import see_other, show
from .admin_forms import TYPES, EditProfileForm, ProfileForm
from .face import console

MANAGE = Permission.MANAGE_PROFILE


@console.route("/profiles", needs=MANAGE, endpoint="profiles")
def profile_list() -> Any:
    """Every profile, grouped by type."""
    rows = profiles.listed(by=g.viewer)
    groups = [(kind.value, words, ALWAYS[kind], [row for row in rows if row.kind is kind]) for kind, words in TYPES.items()]
    return show("console/profiles/list.html", groups=groups)


@console.route("/profiles/new", needs=MANAGE, methods=["GET", "POST"])
def new_profile() -> Any:
    """Make a profile, from nothing or like another one."""
    if request.method == "GET":
        return _new_page(_blank())
    form = ProfileForm()
    if _ticked(form) or not form.validate():
        return _new_page(form)
    kind = ProfileType(form.kind.data)
    chosen = form.permissions_of(kind)
    try:
        made = profiles.create(name=form.name.data, kind=kind, permissions=chosen.data or (), by=g.viewer)
    except Refusal as refusal:
        return _new_page(form, _place(form, kind, refusal))
    return see_other(".profile", f"The profile {made.name} is created. You can give it to people now.", profile_id=made.id)


def _blank() -> ProfileForm:
    """An empty form, or a copy of the profile the address names; the copy needs a name of its own."""
    like = request.args.get("like", "")
    if not (like.isascii() and like.isdigit() and len(like) < 18):
        return ProfileForm(formdata=None)
    model = profiles.load(int(like), by=g.viewer)
    copied = {"kind": model.type.value, "name": f"{model.name} copy"[: profiles.LONGEST_NAME]}
    return ProfileForm(formdata=None, data={**copied, f"{model.type.value.lower()}_permissions": model.permissions})


def _ticked(form: ProfileForm, kind: ProfileType | None = None) -> bool:
    """Without JavaScript "Select all" and "Select none" come here; the form goes back with the boxes as asked."""
    wanted = request.form.get("tick", "")
    if wanted not in ("all", "none"):
        return False
    kind = kind or next((kind for kind in ProfileType if kind.value == form.kind.data), None)
    if kind is not None:
        form.permissions_of(kind).data = [p.value for p in CATALOGUE[kind]] if wanted == "all" else []
    return True


def _place(form: ProfileForm, kind: ProfileType, refusal: Refusal) -> str | None:
    """Put the sentence beside the field it is about; what is about none is returned."""
    if not isinstance(refusal, Unfit):
        return refusal.sentence
    field = form.name if refusal.field == "name" else form.permissions_of(kind)
    field.errors = [*field.errors, refusal.sentence]
    return None


def _new_page(form: ProfileForm, problem: str | None = None) -> Any:
    status = 422 if problem or form.errors else 200
    return show("console/profiles/new.html", status=status, form=form, problem=problem, **_words())


def _words() -> dict[str, Any]:
    """What the page of a profile says beside the boxes: technical names, types in words."""
    names = {kind: {words: permission.value for permission, words in CATALOGUE[kind].items()} for kind in ProfileType}
    return {"names": {kind.value: named for kind, named in names.items()}, "types": {kind.value: text for kind, text in TYPES.items()}}


@console.route("/profiles/<id:profile_id>", needs=MANAGE, methods=["GET", "POST"])
def profile(profile_id: int) -> Any:
    """What a profile lets people do; the form that changes it unless it is locked."""
    found = profiles.load(profile_id, by=g.viewer, change=request.method == "POST")
    if request.method == "GET":
        return _page(found, EditProfileForm(formdata=None, data=_data(found)))
    form = EditProfileForm()
    if not found.locked and (_ticked(form, found.type) or not form.validate()):
        return _page(found, form)
    return _save(found, form)


def _save(found: Profile, form: EditProfileForm) -> Any:
    chosen = form.permissions_of(found.type).data or ()
    try:
        profiles.edit(found.id, name=form.name.data, permissions=chosen, version=form.version.data, by=g.viewer)
    except Stale as refusal:
        return _page(found, _brought_up(form, found.version), refusal.sentence, stale=_differences(form, found))
    except Refusal as refusal:
        return _page(found, form, _place(form, found.type, refusal))
    return see_other(".profile", f"The profile {found.name} is saved. It holds from everybody's next click.", profile_id=found.id)


def _brought_up(form: Any, version: int) -> Any:
    """The form again, to be sent once more knowing what the other one did."""
    form.version.data, form.version.raw_data = version, [str(version)]
    return form


def _data(found: Profile) -> dict[str, Any]:
    return {"name": found.name, "version": found.version, f"{found.type.value.lower()}_permissions": found.permissions}


def _differences(form: EditProfileForm, found: Profile) -> list[tuple[str, str, str]]:
    """Where the stored profile and the form differ: what, theirs, yours."""
    told = [("Name", found.name, form.name.data)] if found.name != form.name.data else []
    chosen = set(form.permissions_of(found.type).data or ())
    for permission, words in CATALOGUE[found.type].items():
        theirs, yours = permission.value in found.permissions, permission.value in chosen
        if theirs != yours:
            told.append((words, "Allowed" if theirs else "Not allowed", "Allowed" if yours else "Not allowed"))
    return told


def _page(found: Profile, form: EditProfileForm, problem: str | None = None, *, stale: list[Any] | None = None) -> Any:
    status = 422 if problem or form.errors else 200
    held = [(words, permission.value) for permission, words in CATALOGUE[found.type].items() if permission.value in found.permissions]
    reason = profiles.LOCKED if found.locked else None
    context: dict[str, Any] = {
        "profile": found,
        "held": held,
        "always": ALWAYS[found.type],
        "holders": profiles.holders(found.id),
        "reason": reason,
    }
    chosen = form.permissions_of(found.type)
    return show("console/profiles/show.html", status=status, form=form, chosen=chosen, problem=problem, stale=stale, **context, **_words())


@console.route("/profiles/<id:profile_id>/delete", needs=MANAGE, methods=["GET", "POST"])
def delete_profile(profile_id: int) -> Any:
    """Ask, then delete."""
    found = profiles.load(profile_id, by=g.viewer)
    if request.method == "GET":
        return _delete_page(found)
    try:
        name = profiles.delete(profile_id, by=g.viewer)
    except Refusal as refusal:
        return _delete_page(found, refusal.sentence)
    return see_other(".profiles", f"The profile {name} is deleted.")


def _delete_page(found: Profile, problem: str | None = None) -> Any:
    holders = profiles.holders(found.id)
    reason = profiles.LOCKED if found.locked else profiles.in_use(found.name, holders) if holders else None
    words = in_words(found.permissions, found.type)
    status = 422 if problem else 200
    return show("console/profiles/delete.html", status=status, profile=found, holders=holders, reason=problem or reason, words=words)
