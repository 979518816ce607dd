"""Bringing the database up to date: a copy first where it is a file, then the migrations, then what every installation has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from flask import Flask, current_app
from sqlalchemy.engine import make_url

from .accounts import platform
from .clock import now
from .config import BadSettings
from .database import driver, learn, start_writing
from .extensions import alembic, db
from .search import index

try:
    import fcntl
except ImportError:  # Windows: start one process first there
    fcntl = None  # type: ignore[assignment]


def bring_up_to_date(app: Flask) -> Path | None:
    """Upgrade the schema to this program's and seed the platform; the backup's path if one was made."""
    with app.app_context(), _one_at_a_time(app.config["SETTINGS"].instance):
        copied = _back_up() if _pending() else None
        alembic.upgrade()
        db.session.remove()
        if index.is_missing():
            index.rebuild()
        start_writing()
        platform.seed()
        db.session.commit()
        if copied:  # new indexes are of no use before it is known what is in them
            learn()
            db.engine.dispose()
        return copied


@contextmanager
def _one_at_a_time(instance: Path) -> Iterator[None]:
    """Server and worker may start together; the second waits until the first has finished."""
    instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (instance / "upgrade.lock").open("w") as lock:
        if fcntl is not None:
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _pending() -> bool:
    try:
        present = {script.revision for script in alembic.current()}
    except (CommandError, ResolutionError) as error:
        raise BadSettings(
            "This database was made by a newer version of the product. Install that version, or restore an older backup."
        ) from error
    return present != set(alembic.script_directory.get_heads())


def _back_up() -> Path | None:
    """Copy a SQLite file with the online backup, so that a running worker does no harm."""
    settings = current_app.config["SETTINGS"]
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or not url.database or not Path(url.database).exists() or not alembic.current():
        return None
    folder: Path = settings.instance / "backups"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = folder / f"portal-{now():%Y%m%d-%H%M%S}.sqlite"
    sqlite = driver()
    source, copy = sqlite.connect(url.database), sqlite.connect(str(target))
    try:
        source.backup(copy)
    finally:
        copy.close()
        source.close()
    target.chmod(0o600)
    return target
