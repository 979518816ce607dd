"""`post_office`: the product told to send its mail to a real server on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import delete

from portal.extensions import db
from portal.mail.models import OutboxMessage
from tests.fixtures.post import PostOffice
from tests.fixtures.rooms import Cast
from tests.fixtures.world import World
from tests.mail.catalogues import french, tongues

__all__ = ["french", "sending", "tongues"]


@pytest.fixture
def sending(make_app: Callable[..., Flask], world: World, smtp_server: PostOffice) -> Iterator[Cast]:
    """The world's people inside a product that sends by SMTP and tries again after a second; the outbox is empty."""
    app = make_app(**smtp_server.settings, mail_retry_seconds=1)
    with app.app_context():
        db.session.execute(delete(OutboxMessage))
        db.session.commit()
        yield Cast(world)
        db.session.rollback()
