"""Organisations: the list, one of them, making, changing, locking and unlocking."""

from __future__ import annotations

from typing import Any

from flask import g, request, url_for

from ..accounts import pictures
from ..accounts.permissions import Permission
from ..organisations import organisations
from ..organisations.models import Organisation
from ..refusals import Refusal, Stale, Unfit
from ..web.show import see_other, show
from .admin_forms import EditOrganisationForm, OrganisationForm, PictureForm
from .face import console

MANAGE = Permission.MANAGE_ORGANISATION


@console.route("/organisations", needs=MANAGE, endpoint="organisations")
def organisation_list() -> Any:
    """The organisations by name, a page at a time."""
    search, after = request.args.get("q", "")[:128], request.args.get("after", "")
    start = int(after) if after.isascii() and after.isdigit() and len(after) < 18 else 0
    page = organisations.listed(search, start, by=g.viewer)
    asked: dict[str, Any] = {"q": search} if search else {}
    more = url_for(".organisations", after=page.next, **asked) if page.next else None
    first = url_for(".organisations", **asked) if start else None
    return show("console/organisations/list.html", rows=page.rows, search=search, more=more, first=first)


@console.route("/organisations/new", needs=MANAGE, methods=["GET", "POST"])
def new_organisation() -> Any:
    """Make an organisation."""
    form = OrganisationForm()
    if request.method == "GET" or not form.validate():
        return _new_page(form)
    try:
        made = organisations.create(**_draft(form), by=g.viewer)
    except Refusal as refusal:
        return _new_page(form, _place(form, refusal))
    return see_other(".organisation", f"The organisation {made.name} is created. Invite its first people.", organisation_id=made.id)


def _draft(form: OrganisationForm) -> dict[str, Any]:
    return {
        "name": form.name.data,
        "description": form.description.data or "",
        "names_analysts": "names_analysts" not in form or form.names_analysts.data == "name",
        "titles_in_mail": "titles_in_mail" in form and form.titles_in_mail.data,
    }


def _place(form: OrganisationForm, refusal: Refusal) -> str | None:
    """Put the sentence beside the field it is about; what is about none is returned."""
    if not isinstance(refusal, Unfit):
        return refusal.sentence
    field = form[refusal.field]
    field.errors = [*field.errors, refusal.sentence]
    return None


def _new_page(form: OrganisationForm, problem: str | None = None) -> Any:
    status = 422 if problem or form.errors else 200
    return show("console/organisations/new.html", status=status, form=form, problem=problem)


@console.route("/organisations/<id:organisation_id>", needs=MANAGE, methods=["GET", "POST"])
def organisation(organisation_id: int) -> Any:
    """What is known of an organisation, its people, and the form that changes it."""
    found = organisations.load(organisation_id, by=g.viewer, change=request.method == "POST")
    if request.method == "GET":
        return _page(found, _stored(found))
    form = _fitting(EditOrganisationForm(), found)
    return _save(found, form) if form.validate() else _page(found, form)


def _stored(found: Organisation) -> EditOrganisationForm:
    return _fitting(EditOrganisationForm(formdata=None, data=_data(found)), found)


def _fitting(form: EditOrganisationForm, found: Organisation) -> EditOrganisationForm:
    """The admin organisation has no cases, so nobody signs anything there."""
    if found.built_in:
        del form.names_analysts, form.titles_in_mail
    return form


def _save(found: Organisation, form: EditOrganisationForm) -> Any:
    try:
        organisations.edit(found.id, **_draft(form), version=form.version.data, by=g.viewer)
    except Stale as refusal:
        form.version.data, form.version.raw_data = found.version, [str(found.version)]
        return _page(found, form, refusal.sentence, stale=_differences(form, found))
    except Refusal as refusal:
        return _page(found, form, _place(form, refusal))
    return see_other(".organisation", f"{found.name} is saved.", organisation_id=found.id)


def _data(found: Organisation) -> dict[str, Any]:
    signs = "name" if found.names_analysts else "team"
    known = {"name": found.name, "description": found.description, "names_analysts": signs, "version": found.version}
    return {**known, "titles_in_mail": found.titles_in_mail}


def _differences(form: EditOrganisationForm, found: Organisation) -> list[tuple[str, str, str]]:
    """Where the stored organisation and the form differ: label, theirs, yours."""
    told, stored = [], _data(found)
    for name in ("name", "description", "names_analysts"):
        if name not in form:
            continue
        theirs, yours = stored[name], (form[name].data or "").replace("\r\n", "\n").strip()
        words = {choice.value: choice.label for choice in form[name].iter_choices()} if name == "names_analysts" else {}
        if theirs != yours:
            told.append((form[name].label.text, words.get(theirs, theirs), words.get(yours, yours)))
    if "titles_in_mail" in form and form.titles_in_mail.data != found.titles_in_mail:
        told.append((form.titles_in_mail.label.text, *(("Yes", "No") if found.titles_in_mail else ("No", "Yes"))))
    return told


def _page(
    found: Organisation,
    form: EditOrganisationForm,
    problem: str | None = None,
    *,
    stale: list[Any] | None = None,
    upload: PictureForm | None = None,
) -> Any:
    status = 422 if problem or form.errors or upload else 200
    people, number = organisations.first_members(found.id), organisations.count_members(found.id)
    context: dict[str, Any] = {"organisation": found, "people": people, "number": number, "wrong": upload or form}
    context |= {"form": form, "upload": upload or PictureForm(formdata=None), "problem": problem, "stale": stale}
    return show("console/organisations/show.html", status=status, **context)


@console.route("/organisations/<id:organisation_id>/lock", needs=MANAGE, methods=["GET", "POST"])
def lock_organisation(organisation_id: int) -> Any:
    """Say what locking would do, then do it."""
    if request.method == "GET":
        return _lock_page(organisations.load(organisation_id, by=g.viewer))
    try:
        found = organisations.lock(organisation_id, by=g.viewer)
    except Refusal as refusal:
        return see_other(".organisation", refusal.sentence, warning=True, organisation_id=organisation_id)
    return see_other(".organisation", f"{found.name} is locked. Nobody can work in it until you unlock it.", organisation_id=found.id)


def _lock_page(found: Organisation) -> Any:
    reason = organisations.BUILT_IN_LOCK if found.built_in else "This organisation is locked already." if found.locked else None
    leaving, number = organisations.only_here(found.id), organisations.count_members(found.id)
    return show("console/organisations/lock.html", organisation=found, leaving=leaving, staying=number - leaving, reason=reason)


@console.route("/organisations/<id:organisation_id>/unlock", needs=MANAGE, methods=["POST"])
def unlock_organisation(organisation_id: int) -> Any:
    """Open the organisation again."""
    found = organisations.unlock(organisation_id, by=g.viewer)
    return see_other(".organisation", f"{found.name} is open again. Its people can sign in.", organisation_id=found.id)


@console.route("/organisations/<id:organisation_id>/picture", needs=MANAGE, methods=["POST"], late=True)
def organisation_picture(organisation_id: int) -> Any:
    """Give the organisation a picture, or another one."""
    sent = request.files.get("picture")
    try:
        pictures.set_organisation_picture(organisation_id, sent.read() if sent else b"", by=g.viewer)
    except Refusal as refusal:
        return _refused_picture(organisations.load(organisation_id, by=g.viewer), refusal.sentence)
    return see_other(".organisation", "The picture is saved.", organisation_id=organisation_id)


def _refused_picture(found: Organisation, sentence: str) -> Any:
    upload = PictureForm(formdata=None)
    upload.picture.errors = [sentence]
    return _page(found, _stored(found), upload=upload)


@console.route("/organisations/<id:organisation_id>/picture/remove", needs=MANAGE, methods=["POST"])
def remove_organisation_picture(organisation_id: int) -> Any:
    """Show no picture any more."""
    pictures.remove_organisation_picture(organisation_id, by=g.viewer)
    return see_other(".organisation", "The picture is removed.", organisation_id=organisation_id)
