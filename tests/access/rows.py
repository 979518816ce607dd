"""The database as a whole: read it, compare it, put it back as it was."""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import delete, insert, select

from portal.database import start_writing
from portal.extensions import Base, db

Contents = dict[str, list[dict[str, Any]]]


def contents(app: Flask, *, leave_out: tuple[str, ...] = ()) -> Contents:
    """Every row of every table, as plain values; `leave_out` names columns as "table.column"."""
    with app.app_context():
        found: Contents = {}
        for table in Base.metadata.sorted_tables:
            rows = db.session.connection().execute(select(table).order_by(*table.primary_key.columns)).mappings()
            kept = [column.name for column in table.columns if f"{table.name}.{column.name}" not in leave_out]
            found[table.name] = [{name: row[name] for name in kept} for row in rows]
        db.session.rollback()
        return found


def put_back(app: Flask, wanted: Contents) -> None:
    """Make the tables hold exactly these rows again."""
    with app.app_context():
        start_writing()
        connection = db.session.connection()
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(delete(table))
        for table in Base.metadata.sorted_tables:
            if wanted[table.name]:
                connection.execute(insert(table), wanted[table.name])
        db.session.commit()
