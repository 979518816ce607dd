"""The front door both faces share: signing in and out, invitations, forgotten passwords, one's own account."""

from . import account, email, first_start, invitation, languages, letters, pictures, reset, second_factor, second_step, sign_in
from .face import entry

__all__ = [
    "account",
    "email",
    "entry",
    "first_start",
    "invitation",
    "languages",
    "letters",
    "pictures",
    "reset",
    "second_factor",
    "second_step",
    "sign_in",
]
