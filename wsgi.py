"""For WSGI servers: `wsgi:app`, configured by PORTAL_* variables. Run `portal upgrade` before it."""

from portal import create_app

app = create_app()
