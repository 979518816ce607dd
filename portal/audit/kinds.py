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
    USER_LOCKED = "user:locked"
    USER_UNLOCKED = "user:unlocked"
    ORGANISATION_CREATED = "organisation:created"
    USER_DELETED = "user:deleted"
    USER_EDITED = "user:edited"
    USER_ENDED_SESSIONS = "user:sessions-ended"
    INVITATION_CANCELLED = "user:invitation-cancelled"
    INVITATION_COPIED = "user:invitation-copied"
    MEMBERSHIP_ADDED = "membership:added"
    MEMBERSHIP_CHANGED = "membership:changed"
    MEMBERSHIP_REMOVED = "membership:removed"
    EMAIL_CHANGE_ASKED = "user:email-asked"
    EMAIL_CHANGED = "user:email-changed"
    PICTURE_CHANGED = "user:picture-changed"
    MFA_ADDED = "user:mfa-added"
    MFA_REMOVED = "user:mfa-removed"
    MFA_RESET = "user:mfa-reset"
    MFA_FAILED = "session:mfa-refused"
    RECOVERY_CODE_USED = "user:recovery-code-used"
    RECOVERY_CODES_MADE = "user:recovery-codes-made"
    API_KEY_MADE = "user:api-key-made"
    API_KEY_REVOKED = "user:api-key-revoked"
    PROFILE_CREATED = "profile:created"
    PROFILE_EDITED = "profile:edited"
    PROFILE_DELETED = "profile:deleted"
    ORGANISATION_EDITED = "organisation:edited"
    ORGANISATION_LOCKED = "organisation:locked"
    ORGANISATION_UNLOCKED = "organisation:unlocked"
    SETTINGS_CHANGED = "settings:changed"
    PEOPLE_EXPORTED = "people:exported"
    STAFF_ADDED = "people:added"
    STAFF_ROLES_CHANGED = "people:roles-changed"
    STAFF_DEACTIVATED = "people:deactivated"
    STAFF_REACTIVATED = "people:reactivated"
    PORTAL_ADMIN_MADE = "people:admin-made"
    PORTAL_ADMIN_REMOVED = "people:admin-removed"
    LETTER_RETRIED = "mail:retried"
    CASE_CREATED = "case:created"
    CASE_UPDATED = "case:updated"
    CASE_CLOSED = "case:closed"
    CASE_REOPENED = "case:reopened"
    # Without the case's prefix: it is what remains when the case and its history may no longer be read.
    CASE_DELETED = "deleted:case"
    CASE_VIEWED = "case:viewed"
    ACCESS_CHANGED = "case:access-changed"
    COMMENT_ADDED = "comment:added"
    COMMENT_EDITED = "comment:edited"
    COMMENT_DELETED = "comment:deleted"
    COMMENT_SHARED = "comment:shared"
    COMMENT_WITHDRAWN = "comment:withdrawn"
    COMMENT_REMOVED = "comment:removed"
    FILE_ADDED = "file:added"
    FILE_DELETED = "file:deleted"
    FILE_SHARED = "file:shared"
    FILE_WITHDRAWN = "file:withdrawn"
    FILE_DOWNLOADED = "file:downloaded"
    CASE_DOWNLOADED = "case:downloaded"
    OBSERVABLE_ADDED = "observable:added"
    OBSERVABLE_EDITED = "observable:edited"
    OBSERVABLE_DELETED = "observable:deleted"
    OBSERVABLE_WITHDRAWN = "observable:withdrawn"
    OBSERVABLE_DOWNLOADED = "observable:downloaded"
    OBSERVABLES_EXPORTED = "observable:exported"
    TASK_ADDED = "task:added"
    TASK_EDITED = "task:edited"
    TASK_DELETED = "task:deleted"
    TASK_LOGGED = "task:logged"
    LOG_EDITED = "task:log-edited"
    LOG_DELETED = "task:log-deleted"
    FIELD_SET = "case:field-set"
    ACCESS_ENDED = "case:access-ended"
    ACCESS_ENDING_TOLD = "case:ending-told"
    CASE_VIEWED_AS = "case:viewed-as"
    CASES_EXPORTED = "cases:exported"
    SEEN_EXPORTED = "case:seen-exported"
    STATUS_CREATED = "status:created"
    STATUS_EDITED = "status:edited"
    STATUS_DELETED = "status:deleted"
    FIELD_CREATED = "field:created"
    FIELD_EDITED = "field:edited"
    FIELD_DELETED = "field:deleted"
    TYPE_CREATED = "type:created"
    TYPE_DELETED = "type:deleted"
    TEMPLATE_CREATED = "template:created"
    TEMPLATE_EDITED = "template:edited"
    TEMPLATE_DELETED = "template:deleted"
    PARTY_CREATED = "party:created"
    PARTY_EDITED = "party:edited"
    PARTY_ADDRESSES_CHANGED = "party:addresses-changed"
    CONTACT_CREATED = "party:contact-created"
    CONTACT_EDITED = "party:contact-edited"
    CONTACT_DELETED = "party:contact-deleted"
    CONTACTS_MERGED = "party:contacts-merged"
    AGREEMENT_CREATED = "party:agreement-created"
    AGREEMENT_EDITED = "party:agreement-edited"
    AGREEMENT_ENDED = "party:agreement-ended"
    AGREEMENT_DELETED = "party:agreement-deleted"


SENTENCES: dict[Kind, str] = {
    Kind.SIGNED_IN: "signed in",
    Kind.SIGN_IN_FAILED: "failed to sign in",
    Kind.SIGNED_OUT: "signed out",
    Kind.PASSWORD_CHANGED: "changed their password",
    Kind.PASSWORD_RESET_ASKED: "asked for a password reset",
    Kind.USER_CREATED: "added a person",
    Kind.USER_INVITED: "sent an invitation",
    Kind.USER_ACTIVATED: "activated their account",
    Kind.USER_LOCKED: "locked an account",
    Kind.USER_UNLOCKED: "unlocked an account",
    Kind.ORGANISATION_CREATED: "created the organisation",
    Kind.USER_DELETED: "deleted an account",
    Kind.USER_EDITED: "changed a person's details",
    Kind.USER_ENDED_SESSIONS: "signed a person out everywhere",
    Kind.INVITATION_CANCELLED: "withdrew an invitation",
    Kind.INVITATION_COPIED: "copied an invitation link",
    Kind.MEMBERSHIP_ADDED: "added a person to the organisation",
    Kind.MEMBERSHIP_CHANGED: "changed a person's profile",
    Kind.MEMBERSHIP_REMOVED: "removed a person from the organisation",
    Kind.EMAIL_CHANGE_ASKED: "asked to change their e-mail address",
    Kind.EMAIL_CHANGED: "changed their e-mail address",
    Kind.PICTURE_CHANGED: "changed a picture",
    Kind.MFA_ADDED: "added a second factor",
    Kind.MFA_REMOVED: "removed a second factor",
    Kind.MFA_RESET: "reset a person's second factor",
    Kind.MFA_FAILED: "failed the second step of signing in",
    Kind.RECOVERY_CODE_USED: "used a recovery code",
    Kind.RECOVERY_CODES_MADE: "made new recovery codes",
    Kind.API_KEY_MADE: "made an API key",
    Kind.API_KEY_REVOKED: "revoked an API key",
    Kind.PROFILE_CREATED: "created a profile",
    Kind.PROFILE_EDITED: "edited a profile",
    Kind.PROFILE_DELETED: "deleted a profile",
    Kind.ORGANISATION_EDITED: "edited the organisation",
    Kind.ORGANISATION_LOCKED: "locked the organisation",
    Kind.ORGANISATION_UNLOCKED: "unlocked the organisation",
    Kind.SETTINGS_CHANGED: "changed the platform's settings",
    Kind.PEOPLE_EXPORTED: "exported the list of people",
    Kind.STAFF_ADDED: "added a person to an external organisation",
    Kind.STAFF_ROLES_CHANGED: "changed a person's roles",
    Kind.STAFF_DEACTIVATED: "deactivated a person's account",
    Kind.STAFF_REACTIVATED: "reactivated a person's account",
    Kind.PORTAL_ADMIN_MADE: "made a person portal administrator",
    Kind.PORTAL_ADMIN_REMOVED: "made a person portal administrator no more",
    Kind.LETTER_RETRIED: "sent letters again that had failed",
    Kind.CASE_CREATED: "created the case",
    Kind.CASE_UPDATED: "edited the case",
    Kind.CASE_CLOSED: "closed the case",
    Kind.CASE_REOPENED: "reopened the case",
    Kind.CASE_DELETED: "deleted a case",
    Kind.CASE_VIEWED: "opened the case in the portal",
    Kind.ACCESS_CHANGED: "changed who outside can see the case",
    Kind.COMMENT_ADDED: "wrote a comment",
    Kind.COMMENT_EDITED: "edited a comment",
    Kind.COMMENT_DELETED: "deleted a comment",
    Kind.COMMENT_SHARED: "made a comment external",
    Kind.COMMENT_WITHDRAWN: "made a comment internal",
    Kind.COMMENT_REMOVED: "deleted somebody else's comment",
    Kind.FILE_ADDED: "added a file",
    Kind.FILE_DELETED: "removed a file",
    Kind.FILE_SHARED: "made a file external",
    Kind.FILE_WITHDRAWN: "made a file internal",
    Kind.FILE_DOWNLOADED: "downloaded a file",
    Kind.CASE_DOWNLOADED: "downloaded the case",
    Kind.OBSERVABLE_ADDED: "added an observable",
    Kind.OBSERVABLE_EDITED: "edited an observable",
    Kind.OBSERVABLE_DELETED: "deleted an observable",
    Kind.OBSERVABLE_WITHDRAWN: "withdrew an observable they had added; colleagues keep it, as they had written on it",
    Kind.OBSERVABLE_DOWNLOADED: "downloaded a file observable",
    Kind.OBSERVABLES_EXPORTED: "exported the observables",
    Kind.TASK_ADDED: "added a task",
    Kind.TASK_EDITED: "edited a task",
    Kind.TASK_DELETED: "deleted a task",
    Kind.TASK_LOGGED: "wrote in a task's log",
    Kind.LOG_EDITED: "edited an entry of a task's log",
    Kind.LOG_DELETED: "deleted an entry of a task's log",
    Kind.FIELD_SET: "changed a custom field",
    Kind.ACCESS_ENDED: "ended sharing on the date that was set",
    Kind.ACCESS_ENDING_TOLD: "told external users that sharing ends soon",
    Kind.CASE_VIEWED_AS: "looked at the case as an external user",
    Kind.CASES_EXPORTED: "exported a list of cases",
    Kind.SEEN_EXPORTED: "exported who has seen the case",
    Kind.STATUS_CREATED: "created a status",
    Kind.STATUS_EDITED: "edited a status",
    Kind.STATUS_DELETED: "deleted a status",
    Kind.FIELD_CREATED: "created a custom field",
    Kind.FIELD_EDITED: "edited a custom field",
    Kind.FIELD_DELETED: "deleted a custom field",
    Kind.TYPE_CREATED: "created a type of observable",
    Kind.TYPE_DELETED: "deleted a type of observable",
    Kind.TEMPLATE_CREATED: "created a case template",
    Kind.TEMPLATE_EDITED: "edited a case template",
    Kind.TEMPLATE_DELETED: "deleted a case template",
    Kind.PARTY_CREATED: "created an external organisation",
    Kind.PARTY_EDITED: "edited an external organisation",
    Kind.PARTY_ADDRESSES_CHANGED: "changed the addresses of an external organisation",
    Kind.CONTACT_CREATED: "added a contact to an external organisation",
    Kind.CONTACT_EDITED: "edited a contact of an external organisation",
    Kind.CONTACT_DELETED: "deleted a contact of an external organisation",
    Kind.CONTACTS_MERGED: "merged two contacts of an external organisation",
    Kind.AGREEMENT_CREATED: "added a service agreement of an external organisation",
    Kind.AGREEMENT_EDITED: "edited a service agreement of an external organisation",
    Kind.AGREEMENT_ENDED: "ended a service agreement of an external organisation",
    Kind.AGREEMENT_DELETED: "deleted a service agreement of an external organisation",
}
