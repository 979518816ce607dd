"""View as: looking at the portal through an external person's eyes, read only and for a while."""

from __future__ import annotations

from typing import Any

from flask import flash, g, request, url_for

from ..accounts.permissions import Permission
from ..cases import cases
from ..refusals import NotVisible
from ..sharing import looking
from ..web import looking as door
from ..web.face import Needs, go_to
from ..web.gate import cookie_name
from ..web.show import see_other, show
from .face import console


@console.route("/cases/<id:number>/view-as", needs=Permission.SHARE_OUTSIDE, methods=["GET", "POST"])
def look(number: int) -> Any:
    """Choose whose eyes to look through; with POST, look."""
    case = cases.load(number)
    if request.method == "POST" and "person" in request.form:
        return _begin(case, request.form["person"])
    text = str(request.values.get("q", "")).replace("\0", "").strip()[:128]
    people, more = looking.candidates(case, text)
    context: dict[str, Any] = {"case": case, "people": people, "more": more, "q": text}
    part = "console/looking/_people.html" if "q" in request.args else "console/looking/_drawer.html"
    return show("console/looking/choose.html", part, **context)


def _begin(case: Any, text: str) -> Any:
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise NotVisible("person")
    key, person, sees = looking.look_as(case, int(text), by=g.viewer)
    if not sees:
        flash(f"{person.name} cannot see case #{case.number}. This is what they see instead.", "warning")
    to = url_for("external.case", number=case.number) if sees else url_for("external.home")
    return door.carry(go_to(to), cookie_name(door.COOKIE), key)


@console.route("/view-as/end", needs=Needs.SIGNED_IN, methods=["POST"])
def end_look() -> Any:
    """Come back to one's own eyes."""
    looking.end(by=g.viewer)
    number = request.form.get("number", "")
    known = number.isascii() and number.isdigit() and 0 < len(number) < 18 and int(number) > 0
    back = see_other(".case", number=int(number)) if known else see_other(".home")
    return door.leave(back, cookie_name(door.COOKIE))
