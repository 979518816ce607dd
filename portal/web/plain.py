"""What was written, as plain text; see portal/plain.py."""

from ..plain import plain_text

__all__ = ["plain_text"]
