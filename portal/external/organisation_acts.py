"""What can be done to the people of an organisation, in words: the button, the question, and what it does and does not do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..sharing.records import OwnPerson
from ..words import Wording, _, later, ngettext

ACTS = Wording(
    {
        "invite": later("Send invitation"),
        "roles": later("Set roles"),
        "make-admin": later("Make portal administrator"),
        "remove-admin": later("Remove as portal administrator"),
        "cancel": later("Cancel invitation"),
        "deactivate": later("Deactivate"),
        "reactivate": later("Reactivate"),
    }
)


@dataclass(frozen=True)
class Asking:
    """What is asked before something is done. `takes`: it takes something away."""

    title: str
    points: list[str]
    button: str
    takes: bool = False


def asking(act: str, people: Sequence[OwnPerson]) -> Asking:
    """The question for these people."""
    number = len(people)
    return Asking(_title(act, number, people[0].name), POINTS[act](), _button(act, number), act in ("deactivate", "cancel", "remove-admin"))


def _title(act: str, number: int, name: str) -> str:
    match act:
        case "invite":
            return ngettext("Send an invitation to %(name)s?", "Send invitations to %(num)s people?", number, name=name)
        case "roles":
            return ngettext("What may %(name)s do?", "What may these %(num)s people do?", number, name=name)
        case "make-admin":
            return ngettext("Make %(name)s a portal administrator?", "Make %(num)s people portal administrators?", number, name=name)
        case "remove-admin":
            return ngettext(
                "Remove %(name)s as portal administrator?", "Remove %(num)s people as portal administrators?", number, name=name
            )
        case "cancel":
            return ngettext("Cancel the invitation of %(name)s?", "Cancel the invitations of %(num)s people?", number, name=name)
        case "deactivate":
            return ngettext("Deactivate %(name)s?", "Deactivate %(num)s people?", number, name=name)
    return ngettext("Reactivate %(name)s?", "Reactivate %(num)s people?", number, name=name)


def _button(act: str, number: int) -> str:
    match act:
        case "invite":
            return ngettext("Send invitation", "Send %(num)s invitations", number)
        case "roles":
            return _("Save roles")
        case "make-admin":
            return ngettext("Make portal administrator", "Make %(num)s portal administrators", number)
        case "remove-admin":
            return ngettext("Remove as portal administrator", "Remove %(num)s portal administrators", number)
        case "cancel":
            return ngettext("Cancel invitation", "Cancel %(num)s invitations", number)
        case "deactivate":
            return ngettext("Deactivate", "Deactivate %(num)s people", number)
    return ngettext("Reactivate", "Reactivate %(num)s people", number)


def _inviting() -> list[str]:
    return [
        _("Each of them gets an e-mail with a link of their own. It works once; the e-mail says for how long."),
        _("A link that was sent to them before stops working."),
        _("An invitation reactivates nobody."),
    ]


def _giving_roles() -> list[str]:
    return [
        _("What you choose replaces the roles they hold now, but for those that only the security team gives."),
        _("Roles say what somebody may do on a case that is shared with them. No case is shared by this."),
    ]


def _making() -> list[str]:
    return [
        _("They can do what you can do here: add and invite people, set roles, deactivate people, and change the details and addresses."),
        _("They see no more cases than before."),
        _("They are told by e-mail."),
    ]


def _removing() -> list[str]:
    return [
        _("They can no longer manage the people of your organisation."),
        _("Their account, their roles and the cases they see stay as they are."),
    ]


def _cancelling() -> list[str]:
    return [
        _("The link in the e-mail stops working at once."),
        _("They stay on your list. You can invite them again at any time."),
    ]


def _deactivating() -> list[str]:
    return [
        _("They are signed out everywhere at once and cannot sign in any more. An invitation they have stops working."),
        _("Nothing is deleted: what they wrote stays on the cases, with their name."),
        _("You can reactivate them at any time."),
    ]


def _reactivating() -> list[str]:
    return [
        _("They can sign in again as before, with the same roles."),
        _("Who has never signed in needs a new invitation; none is sent by this."),
    ]


POINTS = {
    "invite": _inviting,
    "roles": _giving_roles,
    "make-admin": _making,
    "remove-admin": _removing,
    "cancel": _cancelling,
    "deactivate": _deactivating,
    "reactivate": _reactivating,
}


def done(act: str, number: int) -> str:
    """What was done to so many."""
    if not number:
        return _("Nothing was changed")
    match act:
        case "invite":
            return ngettext("%(num)s person is invited", "%(num)s people are invited", number)
        case "roles":
            return ngettext("The roles of %(num)s person are saved", "The roles of %(num)s people are saved", number)
        case "make-admin":
            return ngettext("%(num)s person is a portal administrator now", "%(num)s people are portal administrators now", number)
        case "remove-admin":
            return ngettext(
                "%(num)s person is no portal administrator any more", "%(num)s people are no portal administrators any more", number
            )
        case "cancel":
            return ngettext("%(num)s invitation is cancelled", "%(num)s invitations are cancelled", number)
        case "deactivate":
            return ngettext("%(num)s person is deactivated", "%(num)s people are deactivated", number)
    return ngettext("%(num)s person is reactivated", "%(num)s people are reactivated", number)
