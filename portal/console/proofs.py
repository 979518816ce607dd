"""How a person gets in: invitation, password, sessions, second factor, API key; as an administrator deals with them."""

from __future__ import annotations

from typing import Any

from flask import current_app, g, request, url_for

from ..accounts import invitations, keys, links, mfa, people, powers
from ..accounts.permissions import Permission
from ..refusals import Refusal
from ..settings import values
from ..web.show import see_other, show
from .face import console
from .person import back, confirm, posted

MANAGE = Permission.MANAGE_USER
RESET = [
    "App, passkeys and recovery codes stop working. They are signed out everywhere.",
    "Until they set up a new second step, the password alone lets them in.",
    "They are told by mail that you did this. Make sure that it was really they who asked you.",
]
REVOKED = ["Programs that use it are turned away from now on.", "You can make a new key at any time. This one never works again."]


@console.route("/people/<id:user_id>/invitation", needs=MANAGE, methods=["POST"])
def resend(user_id: int) -> Any:
    """Send a new link; the older one stops working."""
    try:
        user = invitations.resend(user_id, by=g.viewer)
    except Refusal as refusal:
        return back(user_id, refusal)
    return back(user_id, posted(f"A new invitation to {user.name} is on its way. The older link no longer works."))


@console.route("/people/<id:user_id>/invitation/cancel", needs=MANAGE, methods=["POST"])
def cancel_invitation(user_id: int) -> Any:
    """Take the invitation back."""
    try:
        user = invitations.cancel(user_id, by=g.viewer)
    except Refusal as refusal:
        return back(user_id, refusal)
    return back(user_id, f"The invitation of {user.name} is withdrawn. Its link no longer works.")


@console.route("/people/<id:user_id>/invitation/copy", needs=MANAGE, methods=["GET", "POST"])
def copy_invitation(user_id: int) -> Any:
    """While there is no mail: make a link to hand over, and show it this once."""
    if request.method == "GET":
        user, _ = powers.find_member(user_id, by=g.viewer)
        return show("console/people/link.html", person=user, hours=values.current().invitation_hours, link=None)
    try:
        link = invitations.copy(user_id, by=g.viewer)
    except Refusal as refusal:
        return back(user_id, refusal)
    user, _ = powers.find_member(user_id, by=g.viewer)
    address = current_app.config["BASE_URL"] + url_for("entry.open_invitation", token=links.token_for(link))
    return show("console/people/link.html", person=user, hours=values.current().invitation_hours, link=address)


@console.route("/people/<id:user_id>/reset", needs=MANAGE, methods=["POST"])
def send_reset(user_id: int) -> Any:
    """Mail the person a link for a new password."""
    try:
        user = people.send_reset(user_id, by=g.viewer)
    except Refusal as refusal:
        return back(user_id, refusal)
    return back(user_id, posted(f"A link to choose a new password is on its way to {user.email}."))


@console.route("/people/<id:user_id>/sessions/end", needs=MANAGE, methods=["POST"])
def end_sessions(user_id: int) -> Any:
    """Sign the person out everywhere."""
    if user_id == g.viewer.user_id:
        return back(user_id, Refusal("End your own sessions on your account page, which keeps this one."))
    try:
        user = people.end_sessions(user_id, by=g.viewer)
    except Refusal as refusal:
        return back(user_id, refusal)
    return back(user_id, f"{user.name} is signed out everywhere.")


@console.route("/people/<id:user_id>/second-step/reset", needs=MANAGE, methods=["GET", "POST"])
def reset_second_step(user_id: int) -> Any:
    """Take the second steps away, once that was confirmed; the person sets up new ones."""
    try:
        user, _ = powers.account(user_id, by=g.viewer, change=request.method == "POST")
        if request.method == "GET" and user.mfa and user.id != g.viewer.user_id:
            return confirm(user, f"Reset the second step of {user.name}?", RESET, "Reset second step")
        mfa.reset(user_id, by=g.viewer)
    except Refusal as refusal:
        return back(user_id, refusal)
    return back(user_id, f"{user.name} signs in with the password alone next time, and was told so by mail.")


@console.route("/people/<id:user_id>/key", needs=MANAGE, methods=["GET", "POST"])
def api_key(user_id: int) -> Any:
    """Make a key and show it this once."""
    try:
        user, _ = powers.account(user_id, by=g.viewer, change=request.method == "POST")
        keys.check_holder(user)
        known = keys.key_of(user.id)
        key = keys.make(user_id, by=g.viewer) if request.method == "POST" else None
    except Refusal as refusal:
        return back(user_id, refusal)
    return show("console/people/key.html", person=user, known=known, key=key)


@console.route("/people/<id:user_id>/key/revoke", needs=MANAGE, methods=["GET", "POST"])
def revoke_key(user_id: int) -> Any:
    """End the key, once that was confirmed."""
    try:
        user, _ = powers.account(user_id, by=g.viewer, change=request.method == "POST")
        if request.method == "GET" and keys.key_of(user.id):
            return confirm(user, f"Revoke the API key of {user.name}?", REVOKED, "Revoke key")
        keys.revoke(user_id, by=g.viewer)
    except Refusal as refusal:
        return back(user_id, refusal)
    return see_other(".person", f"The API key of {user.name} no longer works.", user_id=user_id)
