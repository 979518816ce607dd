"""Passkeys: what a browser is asked, and whether its answer proves anything. The only module that knows the WebAuthn library."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import CursorResult, and_, select, update

from ..clock import now
from ..config import Settings
from ..extensions import db
from ..refusals import NotVisible, Refusal
from ..words import _, later
from .models import Passkey, User
from .steps import Step

MOST = 10
LONGEST_ID = 1400
PREFERRED = "preferred"
NOT_PROVEN = later("The passkey could not be checked. Try again, or use another one.")


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


def _host() -> str:
    return urlsplit(_settings().base_url).hostname or ""


def possible() -> bool:
    """Whether browsers offer passkeys for our address: a name, reached over TLS; this machine's own name will do."""
    host = _host()
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _settings().secure or host == "localhost" or host.endswith(".localhost")
    return False


def _server() -> Any:
    from fido2.server import Fido2Server  # loaded when somebody uses one: it takes a fifth of a second
    from fido2.webauthn import AttestationConveyancePreference, PublicKeyCredentialRpEntity

    origin = _settings().origin
    entity = PublicKeyCredentialRpEntity(name="Case portal", id=_host())
    return Fido2Server(entity, AttestationConveyancePreference.NONE, verify_origin=lambda theirs: theirs == origin)


def _state(step: Step) -> dict[str, Any]:
    from fido2.utils import websafe_encode

    return {"challenge": websafe_encode(_challenge(step)), "user_verification": PREFERRED}


def _challenge(step: Step) -> bytes:
    return hashlib.sha256(step.nonce.encode()).digest()


def _handle(user: User) -> bytes:
    """What the authenticator knows the account by; it tells nothing to whoever holds the device."""
    return hmac.new(_settings().secret_key.encode(), f"passkey:{user.id}".encode(), hashlib.sha256).digest()


def of(user_id: int) -> list[Passkey]:
    """The person's passkeys, oldest first."""
    return list(db.session.scalars(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id)))


def own(user_id: int, uid: str) -> Passkey:
    """One of the person's passkeys."""
    found = next((passkey for passkey in of(user_id) if passkey.uid == uid), None)
    if found is None:
        raise NotVisible("passkey")
    return found


def _descriptors(user_id: int) -> list[Any]:
    from fido2.utils import websafe_decode
    from fido2.webauthn import PublicKeyCredentialDescriptor, PublicKeyCredentialType

    kind = PublicKeyCredentialType.PUBLIC_KEY
    return [PublicKeyCredentialDescriptor(type=kind, id=websafe_decode(passkey.credential_id)) for passkey in of(user_id)]


def creation_options(user: User, step: Step) -> str:
    """What the browser needs to make a passkey, as JSON."""
    from fido2.webauthn import PublicKeyCredentialUserEntity

    entity = PublicKeyCredentialUserEntity(name=user.email, display_name=user.name, id=_handle(user))
    options, _ = _server().register_begin(
        entity, _descriptors(user.id), resident_key_requirement=PREFERRED, user_verification=PREFERRED, challenge=_challenge(step)
    )
    return json.dumps(dict(options)["publicKey"], default=dict)


def request_options(step: Step) -> str:
    """What the browser needs to show one of the person's passkeys, as JSON; empty when there is none to show."""
    known = _descriptors(step.user_id)
    if not known or not possible():
        return ""
    options, _ = _server().authenticate_begin(known, user_verification=PREFERRED, challenge=_challenge(step))
    return json.dumps(dict(options)["publicKey"], default=dict)


def register(step: Step, name: str, credential: str) -> Passkey:
    """Keep the public half of what the browser made for this step."""
    from fido2 import cbor
    from fido2.utils import websafe_encode

    made = _made(step, credential)
    credential_id = websafe_encode(made.credential_data.credential_id)
    if len(credential_id) > LONGEST_ID:
        raise Refusal(NOT_PROVEN)
    if len(of(step.user_id)) >= MOST:
        raise Refusal(_("You have %(count)s passkeys already. Remove one you no longer use first.", count=MOST))
    if db.session.scalar(select(Passkey.id).where(Passkey.credential_id == credential_id)) is not None:
        raise Refusal(_("This passkey is in use already. Make a new one, on this device or another."))
    public_key = cbor.encode(dict(made.credential_data.public_key))
    passkey = Passkey(user_id=step.user_id, credential_id=credential_id, public_key=public_key, sign_count=made.counter, name=name)
    db.session.add(passkey)
    db.session.flush()
    return passkey


def _made(step: Step, credential: str) -> Any:
    from fido2.cose import CoseKey

    try:
        made = _server().register_complete(_state(step), json.loads(credential))
        known = made.credential_data.public_key[3] in CoseKey.supported_algorithms()
    except Exception as error:  # the library raises whatever its reading meets: all of it means that nothing is proven
        raise Refusal(NOT_PROVEN) from error
    if not known:
        raise Refusal(NOT_PROVEN)
    return made


def use(step: Step, credential: str) -> bool:
    """Whether the browser's answer was signed, for this step, by a passkey of its person; a counter that goes back is refused."""
    shown = _shown(step, credential)
    if shown is None:
        return False
    credential_id, counter = shown
    rising = Passkey.sign_count < counter if counter else Passkey.sign_count == 0
    change = update(Passkey).where(and_(Passkey.user_id == step.user_id, Passkey.credential_id == credential_id, rising))
    result: Any = db.session.execute(change.values(sign_count=counter, last_used_at=now()))
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def _key(stored: bytes) -> Any:
    from fido2 import cbor
    from fido2.cose import CoseKey

    parts: Any = cbor.decode(stored)
    return CoseKey.parse(parts)


def _shown(step: Step, credential: str) -> tuple[str, int] | None:
    """The id of the passkey that signed, and its counter."""
    from fido2.utils import websafe_decode, websafe_encode
    from fido2.webauthn import Aaguid, AttestedCredentialData, AuthenticationResponse

    try:
        known = [
            AttestedCredentialData.create(Aaguid.NONE, websafe_decode(passkey.credential_id), _key(passkey.public_key))
            for passkey in of(step.user_id)
        ]
        answer = AuthenticationResponse.from_dict(json.loads(credential))
        signed = _server().authenticate_complete(_state(step), known, answer)
        return websafe_encode(signed.credential_id), answer.response.authenticator_data.counter
    except Exception:  # noqa: BLE001 (the library raises whatever its reading meets)
        return None
