"""`tongues`: every language but English marks what is said in it with its name."""

from __future__ import annotations

from tests.mail.catalogues import tongues

__all__ = ["tongues"]
