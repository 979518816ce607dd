"""Bare extension objects; create_app() ties them to an application."""

from __future__ import annotations

import secrets
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from flask_alembic import Alembic
from flask_login import LoginManager
from flask_mail import Mail
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import BigInteger, Enum, Integer, MetaData
from sqlalchemy.orm import DeclarativeBase, registry

from .clock import UTCDateTime

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
# SQLite numbers rows by itself only for INTEGER keys; elsewhere keys are 64 bits wide.
Key = BigInteger().with_variant(Integer, "sqlite")


def words(kind: type[StrEnum]) -> Enum:
    """A column that holds one of a fixed set of words, as text on every database."""
    return Enum(kind, native_enum=False, length=16, values_callable=lambda members: [member.value for member in members])


def new_uid() -> str:
    """A name for the outside that tells neither order nor number."""
    return secrets.token_hex(8)


class Base(DeclarativeBase):
    """The one metadata; constraint names are fixed so that migrations can name them on every database."""

    registry = registry(metadata=MetaData(naming_convention=NAMES), type_annotation_map={datetime: UTCDateTime(), int: Key})
    metadata = registry.metadata


# Rows stay readable after the commit: nothing is fetched again behind a view's back.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model

alembic = Alembic()
csrf = CSRFProtect()
login = LoginManager()
mail = Mail()
