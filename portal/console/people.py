"""People: who has an account here."""

from __future__ import annotations

from typing import Any

from flask import g, request

from ..accounts import directory, selection
from ..accounts.permissions import Permission
from ..web.export import FORMATS
from ..web.show import show
from .face import console
from .people_filters import chips, headers, list_url, read_filters


@console.route("/people", needs=Permission.MANAGE_USER, endpoint="people")
def people_list() -> Any:
    """Everybody of the organisation, with the state of their account."""
    form, chosen = read_filters()
    after = request.args.get("after", "")
    page, total = directory.listed(g.viewer, selection.Filters(**chosen), after)
    return show(
        "console/people/list.html",
        "console/people/_table.html",
        rows=page.rows,
        total=total,
        filters=form,
        chips=chips(form, chosen),
        headers=headers(chosen),
        files=[(kind, list_url(chosen, ".export_people", format=kind)) for kind in FORMATS],
        following=list_url(chosen, after=page.next) if page.next else None,
        first=list_url(chosen) if after else None,
    )
