"""The analyst console."""

from . import access, cases, comments, feed, people, restriction
from .face import console

__all__ = ["access", "cases", "comments", "console", "feed", "people", "restriction"]
