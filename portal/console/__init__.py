"""The analyst console."""

from . import access, cases, comments, feed, lifecycle, people, restriction
from .face import console

__all__ = ["access", "cases", "comments", "console", "feed", "lifecycle", "people", "restriction"]
