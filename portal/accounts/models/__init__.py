"""People, what they may do where, and the ways they prove who they are."""

from .people import AccountType, Membership, Profile, User, folded, membership_profile, search_text_of
from .proofs import (
    ApiKey,
    Attempt,
    Challenge,
    LoginSession,
    OneTimeLink,
    Passkey,
    Picture,
    Purpose,
    RecoveryCode,
    Submission,
    Totp,
)

__all__ = [
    "AccountType",
    "ApiKey",
    "Attempt",
    "Challenge",
    "LoginSession",
    "Membership",
    "OneTimeLink",
    "Passkey",
    "Picture",
    "Profile",
    "Purpose",
    "RecoveryCode",
    "Submission",
    "Totp",
    "User",
    "folded",
    "membership_profile",
    "search_text_of",
]
