"""What can happen: the kinds of audit entries and how each reads."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """object:what-happened"""

    SIGNED_IN = "session:opened"
    SIGN_IN_FAILED = "session:refused"
    SIGNED_OUT = "session:closed"
    PASSWORD_CHANGED = "user:password-changed"
    PASSWORD_RESET_ASKED = "user:reset-asked"
    USER_CREATED = "user:created"
    USER_INVITED = "user:invited"
    USER_ACTIVATED = "user:activated"
    USER_DEACTIVATED = "user:deactivated"
    USER_REACTIVATED = "user:reactivated"
    ORGANISATION_CREATED = "organisation:created"
    CASE_CREATED = "case:created"
    CASE_UPDATED = "case:updated"
    CASE_VIEWED = "case:viewed"
    ACCESS_CHANGED = "case:access-changed"
    COMMENT_ADDED = "comment:added"
    COMMENT_EDITED = "comment:edited"
    COMMENT_DELETED = "comment:deleted"
    COMMENT_SHARED = "comment:shared"
    COMMENT_WITHDRAWN = "comment:withdrawn"


SENTENCES: dict[Kind, str] = {
    Kind.SIGNED_IN: "signed in",
    Kind.SIGN_IN_FAILED: "failed to sign in",
    Kind.SIGNED_OUT: "signed out",
    Kind.PASSWORD_CHANGED: "changed their password",
    Kind.PASSWORD_RESET_ASKED: "asked for a password reset",
    Kind.USER_CREATED: "added a person",
    Kind.USER_INVITED: "sent an invitation",
    Kind.USER_ACTIVATED: "activated their account",
    Kind.USER_DEACTIVATED: "deactivated an account",
    Kind.USER_REACTIVATED: "reactivated an account",
    Kind.ORGANISATION_CREATED: "created the organisation",
    Kind.CASE_CREATED: "created the case",
    Kind.CASE_UPDATED: "edited the case",
    Kind.CASE_VIEWED: "opened the case in the portal",
    Kind.ACCESS_CHANGED: "changed who outside can see the case",
    Kind.COMMENT_ADDED: "wrote a comment",
    Kind.COMMENT_EDITED: "edited a comment",
    Kind.COMMENT_DELETED: "deleted a comment",
    Kind.COMMENT_SHARED: "made a comment external",
    Kind.COMMENT_WITHDRAWN: "made a comment internal",
}
