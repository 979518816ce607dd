"""No e-mails about a case, or e-mails again: for oneself, seen by nobody else."""

from __future__ import annotations

from typing import Any

from flask import g, request

from ..web.face import Needs
from ..web.show import see_other, show, wants_fragment
from ..words import Wording, later
from .face import external

DONE = Wording({True: later("You get no more e-mails about this case."), False: later("You get e-mails about this case again.")})


@external.route("/cases/<id:number>/letters", needs=Needs.SIGNED_IN, methods=["POST"])
def mute(number: int) -> Any:
    """Stop the letters about a case, or get them again."""
    case, quiet = g.window.case(number), request.form.get("quiet") == "y"
    g.window.letters.mute(number, quiet)
    if wants_fragment():
        return show("external/_mute.html", case=case, muted=quiet, notice=DONE[quiet])
    return see_other(".case", DONE[quiet], number=number, _anchor="letters")
