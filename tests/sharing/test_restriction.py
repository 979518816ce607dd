"""Restricting a case: who still sees it, what stands in the way, and that it never goes together with the outside."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from portal.accounts.permissions import Permission
from portal.extensions import db
from portal.refusals import NotAllowed, Refusal, Stale
from portal.sharing import restriction
from portal.sharing.access import set_access
from portal.sharing.models import Access
from tests.fixtures.rooms import Cast, newest_audit
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]


def test_only_the_named_see_a_restricted_case(world: World, browse: Browse) -> None:
    path = f"/console/cases/{world.cases['internal']}"
    olga = browse("olga")
    assert browse("ruth").get(path).status_code == 200
    assert olga.post(f"{path}/restriction", {"visible_to": "named", "users": [world.people["ada"]]}).status_code == 303
    assert {who: browse(who).get(path).status_code for who in ("olga", "ada", "ruth")} == {"olga": 200, "ada": 200, "ruth": 404}
    assert "The internal case" not in browse("ruth").get("/console/cases").text
    assert olga.post(f"{path}/restriction", {"visible_to": "all"}).status_code == 303
    assert browse("ruth").get(path).status_code == 200


def test_the_assignee_and_oneself_cannot_be_left_out(cast: Cast) -> None:
    case = cast.case("internal")
    assert restriction.restrict(case, set(), by=cast("olga"))
    assert restriction.named_colleagues(case) == {cast.world.people["ada"], cast.world.people["olga"]}
    assert newest_audit()[0].changes == {"access": ["internal", "restricted"], "people": [None, ["Ada Person", "Olga Person"]]}
    assert not restriction.restrict(case, set(), by=cast("olga"))


def test_a_shared_case_cannot_be_restricted_nor_a_restricted_one_shared(cast: Cast) -> None:
    with pytest.raises(Refusal, match="shared with external users"):
        restriction.restrict(cast.case("shared"), set(), by=cast("olga"))
    case = cast.case("internal")
    restriction.restrict(case, set(), by=cast("olga"))
    with pytest.raises(Refusal, match="restricted case cannot be shared"):
        set_access(case, Access.EXTERNAL, {cast.world.people["hanna"]}, by=cast("olga"))


@pytest.mark.parametrize("who", ["hanna", "otto", "pia"])
def test_nobody_but_colleagues_can_be_named(cast: Cast, who: str) -> None:
    with pytest.raises(Refusal, match="no colleague"):
        restriction.restrict(cast.case("internal"), {cast.world.people[who]}, by=cast("olga"))
    assert cast.case("internal").access is Access.INTERNAL


def test_ada_cannot_restrict_without_the_right(cast: Cast) -> None:
    assert not cast("ada").can(Permission.RESTRICT)
    with pytest.raises(NotAllowed):
        restriction.restrict(cast.case("internal"), set(), by=cast("ada"))


def test_a_stale_drawer_is_shown_the_present(cast: Cast) -> None:
    case = cast.case("internal")
    version = case.version
    restriction.restrict(case, set(), by=cast("olga"), version=version)
    db.session.flush()
    with pytest.raises(Stale):
        restriction.make_visible(case, by=cast("olga"), version=version)


def test_a_mistake_is_said_and_changes_nothing(world: World, browse: Browse) -> None:
    path = f"/console/cases/{world.cases['internal']}/restriction"
    olga = browse("olga")
    assert olga.get(path).status_code == 200
    assert olga.get(path, htmx=True).text.lstrip().startswith("<dialog")
    assert "Choose who should see this case." in olga.post(path, {}).text
    assert olga.post(path, {"visible_to": "named", "users": "x"}).status_code == 422
    assert "cannot be restricted" in olga.get(f"/console/cases/{world.cases['shared']}/restriction").text
    assert olga.post(f"/console/cases/{world.cases['shared']}/restriction", {"visible_to": "named"}).status_code == 422
