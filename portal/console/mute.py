"""No letters about a case, or letters again: for oneself, seen by nobody else."""

from __future__ import annotations

from typing import Any

from flask import g, request

from ..cases import cases, queries
from ..mail.wishes import Wishes
from ..web.face import Needs
from ..web.show import see_other, show
from .face import console

DONE = {True: "You get no more e-mails about case #{}.", False: "You get e-mails about case #{} again."}


@console.route("/cases/<id:number>/letters", needs=Needs.TEAM, methods=["GET", "POST"])
def mute(number: int) -> Any:
    """Say whether letters come; with POST, stop them or get them again."""
    case, wishes = cases.load(number), Wishes(g.viewer)
    if request.method == "GET":
        view, _ = queries.case_view(case)
        return show("console/mute/edit.html", "console/mute/_edit.html", case=view, muted=wishes.mutes(number))
    quiet = request.form.get("quiet") == "y"
    wishes.mute(number, quiet)
    return see_other(".case", DONE[quiet].format(number), number=number)
