"""Which letters one gets about cases, and the cases one wants none about."""

from __future__ import annotations

from typing import Any

from flask import g, render_template, request

from ..mail.news import News
from ..mail.wishes import Wishes
from ..refusals import Refusal
from ..web.face import Needs
from ..web.show import see_other
from ..words import _, later
from .account import BASE
from .face import entry
from .sign_in import FACE

# What each is, to its reader: a name, and a sentence.
WORDS: dict[News, tuple[str, str]] = {
    News.SHARED: (later("A case is shared with you"), later("You can read it from then on.")),
    News.MESSAGE: (later("There is a new message"), later("On a case you can read.")),
    News.FILE: (later("There is a new file"), later("On a case you can read.")),
    News.STATUS: (later("The status of a case changes"), later("For example when work on it begins, or when it is closed.")),
    News.ENDING: (later("Your access to a case ends"), later("Some days before, and when it has ended.")),
    News.REPLY: ("Somebody outside answers", "On a case that is assigned to you."),
    News.REPORTED: ("A case is reported in the portal", "To everybody who takes on cases, while it is assigned to nobody."),
    News.ASSIGNED: ("A case is assigned to you", "By somebody else."),
    News.PEOPLE: ("External organisations change their people", "Once a day at most: what their portal administrators did."),
}


@entry.route(f"/{FACE}/account/letters", needs=Needs.SIGNED_IN)
def letters(face: str) -> Any:
    """The choice as it stands."""
    return _page(face)


@entry.route(f"/{FACE}/account/letters", needs=Needs.SIGNED_IN, methods=["POST"])
def choose_letters(face: str) -> Any:
    """Choose which letters to get."""
    try:
        Wishes(g.viewer).choose(request.form.getlist("wanted"))
    except Refusal as refusal:
        return _page(face, refusal.sentence)
    return see_other(".letters", _("Your choice is saved."), face=face)


@entry.route(f"/{FACE}/account/letters/<id:number>", needs=Needs.SIGNED_IN, methods=["POST"])
def unmute(face: str, number: int) -> Any:
    """Get letters about a case again."""
    Wishes(g.viewer).mute(number, False)
    return see_other(".letters", _("You get e-mails about case #%(number)s again.", number=number), face=face, _anchor="muted")


def _page(face: str, problem: str | None = None) -> Any:
    wishes = Wishes(g.viewer)
    choices = [(kind.value, *WORDS[kind]) for kind in wishes.kinds]
    wanted = {kind.value for kind in wishes.wanted()}
    known = {"base": BASE[face], "choices": choices, "wanted": wanted, "muted": wishes.muted(), "problem": problem}
    return render_template("entry/letters.html", **known), 422 if problem else 200
