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
        "cancel": later("Withdraw invitation"),
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


def asking(act: str, people: Sequence[OwnPerson], *, mails: bool) -> Asking:
    """The question for these people; `mails`: whether e-mail goes out."""
    number = len(people)
    points: list[str] = []
    closed = sum(person.state == "closed" for person in people) if act == "reactivate" else 0
    if number > closed:
        points = MAILED[act](number, mails) if act in MAILED else POINTS[act](number - closed)
    if closed:
        points.append(_("Whoever was deactivated by the security team stays so; only the security team can reactivate the account."))
    return Asking(_title(act, number, people[0].name), points, _button(act, number), act in ("deactivate", "cancel", "remove-admin"))


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
            return ngettext("Withdraw the invitation of %(name)s?", "Withdraw the invitations of %(num)s people?", number, name=name)
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
            return ngettext("Withdraw invitation", "Withdraw %(num)s invitations", number)
        case "deactivate":
            return ngettext("Deactivate", "Deactivate %(num)s people", number)
    return ngettext("Reactivate", "Reactivate %(num)s people", number)


def _inviting(number: int, mails: bool) -> list[str]:
    sent = ngettext(
        "They get an e-mail with a link. It works once; the e-mail says for how long.",
        "Each of them gets an e-mail with a link of their own. It works once; the e-mail says for how long.",
        number,
    )
    return [
        sent if mails else _("Mail is not set up here. The security team can hand over the links."),
        ngettext("A link that was sent to this person before stops working.", "A link that was sent to them before stops working.", number),
        _("An invitation reactivates nobody."),
    ]


def _giving_roles(number: int) -> list[str]:
    return [
        ngettext(
            "What you choose replaces the roles this person holds now, but for those that only the security team gives.",
            "What you choose replaces the roles they hold now, but for those that only the security team gives.",
            number,
        ),
        _("Roles say what somebody may do on a case that is shared with them. No case is shared by this."),
    ]


def _making(number: int, mails: bool) -> list[str]:
    told = [
        ngettext(
            "This person can do what you can do here: add and invite people, set roles, deactivate people, and change the details and "
            "addresses.",
            "They can do what you can do here: add and invite people, set roles, deactivate people, and change the details and addresses.",
            number,
        ),
        ngettext("This person sees no more cases than before.", "They see no more cases than before.", number),
    ]
    return [*told, ngettext("This person is told by e-mail.", "They are told by e-mail.", number)] if mails else told


def _removing(number: int) -> list[str]:
    return [
        ngettext(
            "This person can no longer manage the people of your organisation.",
            "They can no longer manage the people of your organisation.",
            number,
        ),
        ngettext(
            "The account, the roles and the cases this person sees stay as they are.",
            "Their accounts, their roles and the cases they see stay as they are.",
            number,
        ),
    ]


def _cancelling(number: int) -> list[str]:
    return [
        ngettext("The link in the e-mail stops working at once.", "The links in the e-mails stop working at once.", number),
        ngettext(
            "This person stays on your list. You can invite them again at any time.",
            "They stay on your list. You can invite them again at any time.",
            number,
        ),
    ]


def _deactivating(number: int) -> list[str]:
    return [
        ngettext(
            "This person is signed out everywhere at once and cannot sign in any more. An invitation they have stops working.",
            "They are signed out everywhere at once and cannot sign in any more. Invitations they have stop working.",
            number,
        ),
        ngettext(
            "Nothing is deleted: what this person wrote stays on the cases, with their name.",
            "Nothing is deleted: what they wrote stays on the cases, with their names.",
            number,
        ),
        ngettext("You can reactivate this person at any time.", "You can reactivate them at any time.", number),
    ]


def _reactivating(number: int) -> list[str]:
    return [
        ngettext(
            "This person can sign in again as before, with the same roles.",
            "They can sign in again as before, with the same roles.",
            number,
        ),
        _("Who has never signed in needs a new invitation; none is sent by this."),
    ]


MAILED = {"invite": _inviting, "make-admin": _making}
POINTS = {
    "roles": _giving_roles,
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
            return ngettext("%(num)s invitation is withdrawn", "%(num)s invitations are withdrawn", number)
        case "deactivate":
            return ngettext("%(num)s person is deactivated", "%(num)s people are deactivated", number)
    return ngettext("%(num)s person is reactivated", "%(num)s people are reactivated", number)
