"""Commands of the search."""

from __future__ import annotations

import click
from flask import Flask

from .index import rebuild


def rebuild_index(app: Flask) -> None:
    """Write the text index anew and say of how many cases."""
    with app.app_context():
        done = rebuild()
    click.echo(f"The text index was written anew for {done} case{'' if done == 1 else 's'}.")
