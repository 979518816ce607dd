"""The front door both faces share: signing in and out, invitations, forgotten passwords, one's own account."""

from . import account, first_start, invitation, reset, sign_in
from .face import entry

__all__ = ["account", "entry", "first_start", "invitation", "reset", "sign_in"]
