"""One's own account on both faces: who one is, how one signs in and where, theme and times, the organisation worked in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app, g, render_template, request, url_for
from werkzeug.exceptions import NotFound

from ..accounts import account as own
from ..accounts import pictures, sessions, sign_in, throttle
from ..refusals import Refusal, TooMany, Unfit
from ..web.face import Needs
from ..web.filters import THEMES
from ..web.show import see_other
from ..words import _, ngettext
from . import cookies
from .account_forms import NameForm, NewEmailForm, PictureForm, ReadingForm
from .face import entry
from .forms import PasswordForm
from .sign_in import FACE

BASE = {"console": "console/base.html", "portal": "external/base.html"}
SECOND_STEP = "entry.second_factor"
MOST_PICTURES = ((30, 3600),)


@dataclass(frozen=True)
class Browser:
    """A signed-in browser, for its owner."""

    mark: str
    created_at: datetime
    last_seen_at: datetime
    current: bool
    device: str
    ip: str


def _device(user_agent: str) -> str:
    names = (("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
    systems = (
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    )
    browser = next((name for mark, name in names if mark in user_agent), _("A browser"))
    system = next((name for mark, name in systems if mark in user_agent), "")
    return _("%(browser)s on %(system)s", browser=browser, system=system) if system else browser


def _browsers() -> list[Browser]:
    found = [
        Browser(sessions.mark_of(row), row.created_at, row.last_seen_at, row.id == g.viewer.session_id, _device(row.user_agent), row.ip)
        for row in sessions.sessions_of(g.viewer.user_id)
    ]
    return sorted(found, key=lambda browser: not browser.current)


def _forms() -> dict[str, Any]:
    """Every form of the page, as it is before anything is typed."""
    viewer = g.viewer
    return {
        "name": NameForm(formdata=None, data={"name": viewer.name}),
        "picture": PictureForm(formdata=None),
        "email": NewEmailForm(formdata=None),
        "password": PasswordForm(formdata=None),
        "reading": ReadingForm(formdata=None, data={"language": viewer.language, "time_zone": viewer.time_zone}),
    }


def page(face: str, sent: str = "", form: Any = None, refusal: Refusal | None = None) -> Any:
    """The account page; with the form that was `sent`, and why it was refused, where it stands."""
    forms, problem, status = _forms(), None, 422 if sent else 200
    if isinstance(refusal, Unfit):
        form[refusal.field].errors = [refusal.sentence]
    elif refusal is not None:
        problem, status = refusal.sentence, 429 if refusal.status == 429 else 422
    if sent:
        forms[sent] = form
    html = render_template(
        "entry/account.html",
        base=BASE[face],
        forms=forms,
        sent=sent,
        problem=problem,
        browsers=_browsers(),
        places=own.places(g.viewer),
        pending=own.pending_email(g.viewer),
        second_step=url_for(SECOND_STEP, face=face) if SECOND_STEP in current_app.view_functions else "",
    )
    headers = {"Retry-After": str(refusal.retry_after)} if isinstance(refusal, TooMany) else {}
    return html, status, headers


def back(face: str, notice: str, section: str) -> Any:
    """To the page again, at the section where something was done."""
    return see_other("entry.account", notice, face=face, _anchor=section)


@entry.route(f"/{FACE}/account", needs=Needs.SIGNED_IN)
def account(face: str) -> Any:
    """The account page."""
    return page(face)


@entry.route(f"/{FACE}/account/name", needs=Needs.SIGNED_IN, methods=["POST"])
def set_name(face: str) -> Any:
    """Be called something else."""
    form = NameForm()
    if not form.validate():
        return page(face, "name", form)
    try:
        own.rename(g.viewer, form.name.data)
    except Refusal as refusal:
        return page(face, "name", form, refusal)
    return back(face, _("Your name is saved."), "who")


@entry.route(f"/{FACE}/account/picture", needs=Needs.SIGNED_IN, methods=["POST"], late=True)
def set_picture(face: str) -> Any:
    """A new picture."""
    form = PictureForm()
    try:
        throttle.spend(("picture", str(g.viewer.user_id), MOST_PICTURES))
        pictures.set_person_picture(g.viewer, form.content())
    except TooMany as refusal:
        return page(face, "picture", form, refusal)
    except Refusal as refusal:
        return page(face, "picture", form, Unfit("picture", refusal.sentence))
    return back(face, _("Your picture is saved."), "who")


@entry.route(f"/{FACE}/account/picture/remove", needs=Needs.SIGNED_IN, methods=["POST"])
def remove_picture(face: str) -> Any:
    """Initials again."""
    pictures.remove_person_picture(g.viewer)
    return back(face, _("Your picture is removed."), "who")


@entry.route(f"/{FACE}/account/password", needs=Needs.SIGNED_IN, methods=["POST"], late=True)
def change_password(face: str) -> Any:
    """Change the password; other browsers are signed out."""
    form = PasswordForm()
    if not form.validate():
        return page(face, "password", form)
    try:
        opened = sign_in.change_password(g.viewer, form.current.data, form.password.data, face=face, trace=cookies.trace())
    except Refusal as refusal:
        return page(face, "password", form, refusal)
    cookies.start_over()
    return cookies.welcome(back(face, _("Your password is changed. Other browsers are signed out."), "password"), opened)


@entry.route(f"/{FACE}/account/reading", needs=Needs.SIGNED_IN, methods=["POST"])
def set_reading(face: str) -> Any:
    """Choose language and time zone."""
    form = ReadingForm()
    if not form.validate():
        return page(face, "reading", form)
    own.set_reading(g.viewer, language=form.language.data, time_zone=form.time_zone.data)
    answer = back(face, _("Saved. Dates and times are shown this way from now on."), "reading")
    if face == "portal":  # so that the way in speaks it, too
        cookies.keep_choice(answer, "language", form.language.data)
    return answer


@entry.route(f"/{FACE}/account/theme", needs=Needs.ANYONE, methods=["POST"])
def set_theme(face: str) -> Any:
    """Keep the chosen theme in a cookie."""
    chosen = request.form.get("theme", "")
    response = see_other("entry.account" if g.viewer else "entry.sign_in", face=face)
    if chosen in THEMES:
        cookies.keep_choice(response, "theme", chosen)
    return response


@entry.route(f"/{FACE}/account/browsers/<uid:browser>/end", needs=Needs.SIGNED_IN, methods=["POST"])
def end_browser(face: str, browser: str) -> Any:
    """Sign another of one's browsers out."""
    own.end_browser(g.viewer, browser)
    return back(face, _("That browser is signed out."), "browsers")


@entry.route(f"/{FACE}/account/browsers/end", needs=Needs.SIGNED_IN, methods=["POST"])
def end_other_browsers(face: str) -> Any:
    """Sign out everywhere but here."""
    ended = own.end_other_browsers(g.viewer)
    return back(face, ngettext("%(num)s other browser signed out.", "%(num)s other browsers signed out.", ended), "browsers")


@entry.route(f"/{FACE}/switch", needs=Needs.SIGNED_IN, methods=["POST"])
def switch_organisation(face: str) -> Any:
    """Work in another of one's own organisations."""
    wanted = request.form.get("organisation", "")
    places = {str(place): name for place, name in g.viewer.organisations}
    if wanted not in places:
        raise NotFound
    sessions.switch(g.viewer.session_id, int(wanted))
    place = places[wanted]
    shared = _("You now see what this team shares with you: %(team)s.", team=place)
    return see_other(cookies.HOME[face], shared if face == "portal" else f"You are now working in {place}.")
