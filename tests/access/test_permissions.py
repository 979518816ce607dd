"""Every permission against every route: with it the door opens, without it it stays shut; and each built-in profile, as it is named.

The rows come from the route map and the catalogue, so that neither a new route nor a new permission can be missed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import select, update

from portal.accounts.models import Membership, Profile, membership_profile
from portal.accounts.permissions import BUILT_IN, CATALOGUE, Permission, ProfileType
from portal.database import start_writing
from portal.extensions import db
from portal.web.face import Needs
from tests.access.roads import Road, roads, traveller
from tests.access.test_matrix import lines, wrong
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
# Who tries: somebody of each kind of account.
TRIES = {ProfileType.ADMIN: "pia", ProfileType.ORGANISATION: "ada", ProfileType.EXTERNAL: "hanna"}
ROWS = [(kind, permission) for kind in ProfileType for permission in CATALOGUE[kind]]
METHODS = ("GET", "POST")


def hold(app: Flask, world: World, who: str, kind: ProfileType, permissions: set[Permission]) -> None:
    """Give the person a profile of their own with exactly these permissions."""
    with app.app_context():
        start_writing()
        profile = Profile(name=f"Just for {who}", type=kind, permissions=sorted(p.value for p in permissions))
        db.session.add(profile)
        db.session.flush()
        _give(world, who, profile.id)
        db.session.commit()


def _give(world: World, who: str, profile_id: int) -> None:
    place = world.places["admin" if who == "pia" else "here"]
    membership = select(Membership.id).where(Membership.user_id == world.people[who], Membership.organisation_id == place).scalar_subquery()
    db.session.connection().execute(
        update(membership_profile).where(membership_profile.c.membership_id == membership).values(profile_id=profile_id)
    )


def one_each(app: Flask, world: World, method: str) -> Iterator[Road]:
    """A road to every route, where nothing but a missing permission would stand in the way: a case they see, a person below them."""
    seen: set[tuple[str, str]] = set()
    for road in roads(app, world, method):
        fits = (
            road.case in ("", "shared")
            and road.comment in ("", "shared-hanna", "shared-internal", "shared-log")
            and road.person in ("", "vic")
        )
        fits = fits and (not road.person or road.place in ("", "here"))
        own = road.comment != ("shared-hanna" if road.face == "console" else "shared-internal")
        if fits and own and (road.endpoint, road.face) not in seen:
            seen.add((road.endpoint, road.face))
            yield road


@pytest.mark.parametrize(("kind", "permission"), ROWS, ids=lambda value: value.value.replace("/", "-"))
def test_a_permission_opens_its_routes_and_no_other(
    app: Flask, world: World, browse: Browse, kind: ProfileType, permission: Permission
) -> None:
    who = TRIES[kind]
    hold(app, world, who, kind, {permission})
    person = traveller(app, browse, who)
    for method in METHODS:
        on = list(one_each(app, world, method))
        assert wrong(app, world, person, who, method, rights={permission}, on=on) == []


@pytest.mark.parametrize(("kind", "permission"), ROWS, ids=lambda value: value.value.replace("/", "-"))
def test_without_a_permission_its_routes_stay_shut(
    app: Flask, world: World, browse: Browse, kind: ProfileType, permission: Permission
) -> None:
    who, others = TRIES[kind], set(CATALOGUE[kind]) - {permission}
    hold(app, world, who, kind, others)
    person = traveller(app, browse, who)
    for method in METHODS:
        on = [road for road in one_each(app, world, method) if road.needs is permission]
        assert wrong(app, world, person, who, method, rights=others, on=on) == []


@pytest.mark.long
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", [name for name, *_ in BUILT_IN])
def test_a_built_in_profile_does_what_it_is_named_for(app: Flask, world: World, browse: Browse, name: str, method: str) -> None:
    """All routes, all kinds of cases and people, as somebody who holds the profile a fresh installation has."""
    kind, permissions = next((kind, set(permissions)) for built_in, kind, permissions, _ in BUILT_IN if built_in == name)
    who = TRIES[kind]
    with app.app_context():
        start_writing()
        profile = db.session.scalars(select(Profile).where(Profile.name == name)).one()
        assert set(profile.permissions) == {p.value for p in permissions}
        _give(world, who, profile.id)
        db.session.commit()
    assert wrong(app, world, traveller(app, browse, who), who, method, rights=permissions) == []


def test_every_permission_is_asked_for_by_a_route_of_its_face(app: Flask) -> None:
    """What no route asks for would do nothing: it must not be offered. (Rights a verb asks for by itself have a route as well.)"""
    asked = {line.rsplit(" ", 1)[1] for line in lines(app)}
    assert {permission.value for permission in Permission} <= asked
    offered = {permission for kind in ProfileType for permission in CATALOGUE[kind]}
    assert offered == set(Permission)


# Own files can be taken back, and the files of the world are the team's: tests/external/test_files.py.
BY_HAND = {"external.withdraw_file"}


def test_every_route_is_walked(app: Flask, world: World) -> None:
    walked = {road.endpoint for method in METHODS for road in one_each(app, world, method)}
    rules = [rule for rule in app.url_map.iter_rules() if app.view_functions[rule.endpoint].needs is not Needs.ANYONE]
    # The world has no external organisations: tests/console/test_parties_foreign.py walks all routes of those of `company`, with and
    # without the right.
    guarded = {rule.endpoint for rule in rules if "party_id" not in rule.arguments}
    assert guarded - BY_HAND <= walked
