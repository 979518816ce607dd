"""The command line: `portal`, a thin group over the rooms' commands."""

from __future__ import annotations

import gc
import json
import logging
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import IO, Any

import click
from flask import Flask
from sqlalchemy.exc import OperationalError

from . import __version__, create_app
from .accounts.cli import create_admin_account, import_people, list_people, print_set_up_link, reset_second_step
from .config import BadSettings, from_env, instance_folder
from .database import driver, is_affected
from .mail.cli import send_test
from .sample import load as sample
from .search.cli import rebuild_index
from .settings.values import mail_is_set_up
from .storage.cli import compare, remove_unused
from .upgrade import bring_up_to_date
from .web import oversize
from .web.uploads import largest_request
from .worker import Background, work


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Share security cases with people outside the team, item by item."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _app(*, upgraded: bool = True, **defaults: Any) -> Flask:
    """The application, `upgraded` with its database up to date; settings that cannot work end the command with their sentence."""
    try:
        app = create_app(from_env(create=True, **defaults))
        copied = bring_up_to_date(app) if upgraded else None
    except BadSettings as error:
        raise click.ClickException(str(error)) from error
    except OperationalError as error:
        raise click.ClickException(f"The database cannot be used: {str(error.orig).splitlines()[0]}") from error
    if copied:
        click.echo(f"The database was upgraded. A copy of the one before is in {copied}.")
    return app


@main.command()
def serve() -> None:
    """Serve the product with the built-in server, and send its mail (PORTAL_WORKER=separate leaves that to `portal worker`)."""
    app = _app()
    print_set_up_link(app)
    _serve(app)


def _settle() -> None:
    """Let the collector of cycles leave alone what lives as long as the server, and come less often: a tenth of a page's time was its."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 20)


# 150 idle connections would block the default limit of 100; no Server header. What a slow reader has not taken yet waits in a file
# instead of holding one of the few threads: eight who began a download and read nothing stopped the whole product.
SECONDS_TO_FINISH = 15  # the letter in hand, when the server ends
WAITRESS: dict[str, Any] = {"connection_limit": 1000, "channel_timeout": 60, "ident": None, "outbuf_high_watermark": 2**30}


def _serve(app: Flask) -> None:
    from waitress import create_server

    settings = app.config["SETTINGS"]
    oversize.install()
    try:
        server = create_server(
            app,
            host=settings.host,
            port=settings.port,
            threads=settings.threads,
            **WAITRESS | {"max_request_body_size": largest_request(settings)},
            clear_untrusted_proxy_headers=settings.proxies == 0,
        )
    except OSError as error:
        raise click.ClickException(
            f"Port {settings.port} on {settings.host} cannot be used: {error.strerror}. Set PORTAL_PORT to another."
        ) from error
    background = Background(app) if settings.worker == "inline" else None
    with app.app_context():
        if not mail_is_set_up():
            click.echo(f"Mail is not set up: letters are written to {settings.mail_folder}.")
    click.echo(f"Listening on http://{settings.host}:{settings.port}, reached as {settings.base_url}. Stop with Ctrl+C.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _settle()
    try:
        server.run()  # returns on Ctrl+C and SIGTERM, after the requests under way
    finally:
        server.close()
        if background and not background.end(SECONDS_TO_FINISH):
            logging.getLogger("portal.mail").warning("a letter is still under way; it is sent again at the next start")


@main.command()
def worker() -> None:
    """Send mail and do the chores in a process of its own."""
    work(_app())


@main.command()
def upgrade() -> None:
    """Bring the database up to date without serving; for deployments that start wsgi:app."""
    _app()
    click.echo("The database is up to date.")


@main.command()
@click.option("--reset", is_flag=True, help="Throw the sample world away and start afresh.")
def demo(reset: bool) -> None:
    """Serve a sample world: a security team, its cases and the people it works with. Kept apart from real data."""
    folder = instance_folder() if os.environ.get("PORTAL_INSTANCE") else Path("instance", "demo").absolute()
    if reset and folder.exists():
        if not (folder / sample.MARK).exists() or os.environ.get("PORTAL_DATABASE_URL"):
            raise click.ClickException(f"{folder} does not hold a sample world of its own, so it is not thrown away.")
        shutil.rmtree(folder)
    # It holds nothing that could be lost, so it starts on any SQLite.
    app = _app(instance=folder, allow_affected_sqlite=True)
    if app.config["SETTINGS"].database_url.startswith("sqlite") and is_affected(driver().sqlite_version_info):
        click.echo(f"SQLite {driver().sqlite_version} can corrupt a database under load; that is good enough to look around only.")
    try:
        password = sample.load(app)
    except sample.RealData as error:
        raise click.ClickException(str(error)) from error
    click.echo(sample.welcome(app.config["SETTINGS"].base_url, password))
    _serve(app)


@main.command("create-admin")
@click.option("--email", prompt="E-mail address", help="The administrator signs in with it.")
@click.option("--name", prompt="Name", help="As others see it.")
@click.option("--team", default="", help="The security team's name; needed for the first administrator only.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
def create_admin(email: str, name: str, team: str, password_stdin: bool) -> None:
    """Make an administrator: the first one of a new installation, or another one of the platform."""
    create_admin_account(_app(), email=email, name=name, team=team, password_stdin=password_stdin)


@main.command("reset-mfa")
@click.argument("email")
def reset_mfa(email: str) -> None:
    """Take away the second step of the account with the address EMAIL, when nobody else can."""
    reset_second_step(_app(), email)


@main.group()
def people() -> None:
    """People of external organisations."""


TEAM = click.option("--team", default="", metavar="NAME", help="Only external organisations of this security team.")


@people.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--apply", is_flag=True, help="Do it. Without this, only say what would become of each row.")
@TEAM
def people_import(file: IO[bytes], apply: bool, team: str) -> None:
    """Add people of external organisations from FILE, a CSV file with the columns organisation, email, name, roles and portal
    administrator. Several roles are separated by semicolons."""
    import_people(_app(), file.read(), team=team, apply=apply)


@people.command("list")
@click.option("--party", default="", metavar="NAME", help="Only the people of this external organisation.")
@TEAM
def people_list(party: str, team: str) -> None:
    """Print the people of external organisations with their roles and where their accounts stand."""
    list_people(_app(), party=party, team=team)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def routes(as_json: bool) -> None:
    """List every route: rule, methods, endpoint, face, what it needs."""
    app = _app(upgraded=False)
    rows = []
    for rule in sorted(app.url_map.iter_rules(), key=lambda r: r.rule):
        needs = getattr(app.view_functions[rule.endpoint], "needs", None)
        methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        rows.append(
            {"rule": rule.rule, "methods": methods, "endpoint": rule.endpoint, "face": rule.endpoint.split(".")[0], "needs": str(needs)}
        )
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        click.echo(f"{'/'.join(row['methods']):9} {row['rule']:58} {row['endpoint']:28} {row['needs']}")


@main.group()
def files() -> None:
    """Files."""


@files.command("sweep")
def files_sweep() -> None:
    """Remove files nothing names any more; the server does so by itself, a day after."""
    remove_unused(_app(upgraded=False))


@files.command("check")
def files_check() -> None:
    """Compare the files with the database, byte for byte."""
    compare(_app(upgraded=False))


@main.group()
def mail() -> None:
    """Mail."""


@mail.command("test")
@click.argument("address")
def mail_test(address: str) -> None:
    """Send a test letter to ADDRESS now and say what happened."""
    send_test(_app(upgraded=False), address)


@main.group()
def search() -> None:
    """The text index of the cases."""


@search.command("rebuild")
def search_rebuild() -> None:
    """Write the text index anew: after cases were put into the database past the product, or when a search misses something."""
    rebuild_index(_app())


@main.command()
def version() -> None:
    """Print the version."""
    click.echo(__version__)
