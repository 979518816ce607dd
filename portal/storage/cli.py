"""Commands about files."""

from __future__ import annotations

import click
from flask import Flask

from . import sweep
from .sweep import SET_ASIDE_FOR


def remove_unused(app: Flask) -> None:
    """Remove what nothing names any more."""
    with app.app_context():
        gone = sweep.sweep()
    click.echo("Nothing to remove." if not gone else f"{gone} unused {'file' if gone == 1 else 'files'} removed.")


def compare(app: Flask) -> None:
    """Compare rows and bytes; ends with an error when something that was accepted is not there as it was."""
    with app.app_context():
        found = sweep.check()
    for sha256 in found.missing:
        click.echo(f"missing  {sha256}")
    for sha256 in found.changed:
        click.echo(f"changed  {sha256}")
    for sha256 in found.unnamed:
        click.echo(f"unused   {sha256}")
    for day, sha256 in found.aside:
        click.echo(f"aside    {sha256}  since {day}, in no row of the database; removed {SET_ASIDE_FOR.days} days later")
    if not found.well:
        raise click.ClickException(
            f"{len(found.missing)} missing and {len(found.changed)} changed of {found.rows}. Restore them from a backup."
        )
    click.echo(f"All {found.rows} contents are there, byte for byte.")
