"""Limits on guessing: per place, whatever the visitor claims, and what one may believe of a proxy."""

from __future__ import annotations

import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable

import pytest
from sqlalchemy import create_engine, text

from portal import database
from portal.accounts import throttle
from portal.refusals import TooMany
from tests.fixtures.rooms import Cast
from tests.fixtures.server import LiveServer


@pytest.mark.parametrize(
    ("ip", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("", ""),
        ("nonsense", "nonsense"),
    ],
)
def test_one_customer_is_one_place(ip: str, place: str) -> None:
    assert throttle.network(ip) == place


def test_hopping_through_ones_own_network_wins_nothing(cast: Cast) -> None:
    budget = ((3, 900),)
    for last in range(3):
        throttle.spend(("network", throttle.network(f"2001:db8:1:2::{last}"), budget))
    with pytest.raises(TooMany):
        throttle.spend(("network", throttle.network("2001:db8:1:2:dead:beef::1"), budget))
    throttle.spend(("network", throttle.network("2001:db8:1:3::1"), budget))


def test_all_budgets_must_have_room_and_a_refused_try_costs_nothing(cast: Cast) -> None:
    throttle.spend(("b", "x", ((1, 900),)))
    for _ in range(3):
        with pytest.raises(TooMany):
            throttle.spend(("a", "x", ((2, 900),)), ("b", "x", ((1, 900),)))
    throttle.spend(("a", "x", ((1, 900),)))


def fail(server: LiveServer, **headers: str) -> None:
    """A sign-in that fails, from here, with these headers."""
    jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), jar)
    page = opener.open(f"{server.url}/portal/sign-in", timeout=10).read().decode()
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found is not None
    form = urllib.parse.urlencode({"csrf_token": found[1], "email": "x@example.org", "password": "wrong"}).encode()
    request = urllib.request.Request(f"{server.url}/portal/sign-in", form, {"Origin": server.url, **headers})  # noqa: S310
    with pytest.raises(urllib.error.HTTPError) as refused:
        opener.open(request, timeout=10)
    refused.value.close()


def seen(server: LiveServer) -> str:
    """Where the newest failed sign-in came from, as it was noted."""
    url = server.environ.get("PORTAL_DATABASE_URL", f"sqlite:///{server.instance}/portal.sqlite")
    engine = create_engine(url, module=database.driver()) if url.startswith("sqlite") else create_engine(_psycopg(url))
    with engine.connect() as connection:
        found = connection.scalar(text("select ip from audit_entry where kind = 'session:refused' order by id desc"))
    engine.dispose()
    return str(found)


def _psycopg(url: str) -> str:
    return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)


def test_without_a_proxy_nobody_can_claim_another_address(live_server: LiveServer) -> None:
    for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded"):
        fail(live_server, **{name: "203.0.113.9"})
        assert seen(live_server) == "127.0.0.1"


def test_a_proxy_is_believed_as_far_as_it_is_counted(start_server: Callable[..., LiveServer]) -> None:
    server = start_server(PORTAL_PROXIES="1")
    fail(server, **{"X-Forwarded-For": "203.0.113.9"})
    assert seen(server) == "203.0.113.9"
    fail(server, **{"X-Forwarded-For": "198.51.100.1, 203.0.113.9"})  # the visitor's own claim stands before what the proxy adds
    assert seen(server) == "203.0.113.9"
