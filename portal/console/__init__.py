"""The analyst console."""

from . import access, cases, comments, people
from .face import console

__all__ = ["access", "cases", "comments", "console", "people"]
