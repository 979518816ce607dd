"""The floor: the least a page of this kind costs on this stack. Flask-Login, SQLAlchemy's ORM, Jinja: a list and a case.

FLOOR_DATABASE names it: an SQLite file, or the address of a PostgreSQL.
"""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any

from flask import Flask, abort, redirect, render_template, request, url_for
from flask_login import LoginManager, UserMixin, current_user, login_required, login_user
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, ForeignKey, Select, String, Text, event, exists, select, tuple_
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship, undefer

PAGE = 25
PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=5000", "cache_size=-16000", "mmap_size=268435456")


class Base(DeclarativeBase):
    """The floor's own tables."""


app = Flask(__name__)
app.config.update(SECRET_KEY="floor-only", TEMPLATES_AUTO_RELOAD=False)
WHERE = os.environ["FLOOR_DATABASE"]
app.config["SQLALCHEMY_DATABASE_URI"] = WHERE if "://" in WHERE else f"sqlite:///{WHERE}"
app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_size": 8, "max_overflow": 0}
db = SQLAlchemy(app, model_class=Base)
login = LoginManager(app)
login.login_view = "sign_in"


class User(UserMixin, db.Model):  # type: ignore[name-defined]
    """Somebody who signs in."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)


class Case(db.Model):  # type: ignore[name-defined]
    """A case."""

    __tablename__ = "cases"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text, deferred=True)
    status: Mapped[str] = mapped_column(String(16))
    severity: Mapped[int]
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(DateTime)
    updated_at: Mapped[datetime] = mapped_column(DateTime)
    owner: Mapped[User] = relationship()


class Share(db.Model):  # type: ignore[name-defined]
    """Who sees which case."""

    __tablename__ = "shares"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)


class Comment(db.Model):  # type: ignore[name-defined]
    """What somebody wrote on a case."""

    __tablename__ = "comments"
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime)
    author: Mapped[User] = relationship()


def pragmas(dbapi: Any, _record: Any) -> None:
    """Lay SQLite's settings on a connection."""
    for pragma in PRAGMAS:
        dbapi.execute(f"pragma {pragma}")


if "://" not in WHERE:
    with app.app_context():
        event.listen(db.engine, "connect", pragmas)


@login.user_loader
def load_user(key: str) -> User | None:
    """The person of a session."""
    return db.session.get(User, int(key))


@app.template_filter("ago")
def ago(moment: datetime) -> str:
    """A moment as text."""
    return moment.strftime("%Y-%m-%d %H:%M")


def visible(user_id: int) -> Select[tuple[Case]]:
    """The cases of a person."""
    return select(Case).where(exists().where(Share.case_id == Case.id, Share.user_id == user_id)).options(joinedload(Case.owner))


@app.route("/login", methods=["GET", "POST"])
def sign_in() -> Any:
    """Sign in by name; no password is hashed here."""
    if request.method == "GET":
        return render_template("login.html")
    user = db.session.scalar(select(User).where(User.name == request.form.get("username", "")))
    if user is None:
        abort(403)
    login_user(user)
    return redirect(url_for("case_list"))


@app.get("/cases")
@login_required
def case_list() -> Any:
    """Twenty-five cases, latest change first."""
    wanted = visible(int(current_user.get_id()))
    if before := request.args.get("before", ""):
        moment, key = before.rsplit("_", 1)
        wanted = wanted.where(tuple_(Case.updated_at, Case.id) < (datetime.fromisoformat(moment), int(key)))
    rows = db.session.scalars(wanted.order_by(Case.updated_at.desc(), Case.id.desc()).limit(PAGE + 1)).all()
    return render_template("list.html", rows=rows[:PAGE], more=len(rows) > PAGE)


@app.get("/cases/<int:case_id>")
@login_required
def case_show(case_id: int) -> Any:
    """One case and what was said on it."""
    case = db.session.scalar(visible(int(current_user.get_id())).where(Case.id == case_id).options(undefer(Case.body)))
    if case is None:
        abort(404)
    said = select(Comment).where(Comment.case_id == case_id).options(joinedload(Comment.author)).order_by(Comment.id)
    return render_template("show.html", case=case, comments=db.session.scalars(said).all())
