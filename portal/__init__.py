"""The application factory: the only module that knows every room."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter

from . import database, extensions
from .config import Settings, from_env
from .web.drawing import Templates
from .web.uploads import Received

__version__ = "0.1.0"


class Uid(BaseConverter):
    """The random name of a comment."""

    regex = r"[0-9A-Za-z_.-]{1,32}"


class House(Flask):
    """Flask with this product's template environment."""

    jinja_environment = Templates
    request_class = Received


class Id(BaseConverter):
    """A positive whole number that fits the database; anything else is not found rather than an error."""

    regex = r"[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> int:
        """The number."""
        return int(value)


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application from settings, by default those of the environment."""
    settings = settings or from_env()
    if not settings.allow_affected_sqlite:
        database.refuse_affected(settings.database_url)
    app = House(__name__, instance_path=str(settings.instance), static_folder=None)
    app.config.from_mapping(_flask_config(settings))
    app.url_map.converters.update(id=Id, uid=Uid)
    if settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=0)  # type: ignore[method-assign]
    _install_extensions(app)
    _install_web(app)
    return app


def _flask_config(settings: Settings) -> dict[str, object]:
    host = urlsplit(settings.base_url).hostname
    return {
        "SETTINGS": settings,
        "TESTING": settings.testing,
        "SECRET_KEY": settings.secret_key,
        "BASE_URL": settings.base_url,
        "TRUSTED_HOSTS": [host],
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": database.engine_options(settings.database_url),
        "ALEMBIC": {"script_location": "migrations"},
        "ALEMBIC_CONTEXT": {"compare_type": True, "render_as_batch": True},
        "SESSION_COOKIE_NAME": "__Host-state" if settings.secure else "state",
        "SESSION_COOKIE_SECURE": settings.secure,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PATH": "/",
        "WTF_CSRF_CHECK_DEFAULT": False,  # the gate checks, after the origin and the session
        "WTF_CSRF_TIME_LIMIT": None,
        "WTF_CSRF_SSL_STRICT": False,  # the gate compares the origin, which says more than a referrer
        "MAX_CONTENT_LENGTH": 1024 * 1024,
        "MAX_FORM_MEMORY_SIZE": 500_000,
        "MAX_FORM_PARTS": 500,
        "MAIL_SUPPRESS_SEND": False,
    }


def _install_extensions(app: Flask) -> None:
    from .accounts import models as _accounts  # noqa: F401  (the metadata must be whole before migrations look at it)
    from .audit import models as _audit  # noqa: F401
    from .cases import models as _cases  # noqa: F401
    from .mail import models as _mail  # noqa: F401
    from .notices import models as _notices  # noqa: F401
    from .organisations import models as _organisations  # noqa: F401
    from .search import index as _index  # noqa: F401  (listens to what is written)
    from .search import models as _search  # noqa: F401
    from .settings import models as _settings  # noqa: F401
    from .sharing import models as _sharing  # noqa: F401
    from .storage import models as _storage  # noqa: F401

    extensions.db.init_app(app)
    extensions.alembic.init_app(app)
    extensions.csrf.init_app(app)
    extensions.mail.init_app(app)
    with app.app_context():
        database.prepare(extensions.db.engine)


def _install_web(app: Flask) -> None:
    from .console import console
    from .entry import entry
    from .external import external
    from .sharing.window import Window
    from .web import errors, filters, gate, headers, marks

    app.config["WINDOW"] = Window
    filters.install(app)
    marks.install(app)
    gate.install(app)
    errors.install(app)
    headers.install(app)
    for face in (entry, console, external):
        app.register_blueprint(face)
