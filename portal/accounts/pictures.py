"""Pictures of people and organisations: whatever is uploaded is drawn anew, small and without anything it carried along."""

from __future__ import annotations

import secrets
import struct
import threading
import zlib
from io import BytesIO

from PIL import ExifTags, Image, ImageOps
from sqlalchemy import ColumnElement, Select, delete, select

from ..audit.kinds import Kind
from ..audit.record import record
from ..database import start_writing
from ..extensions import db
from ..organisations.models import Organisation
from ..refusals import NotAllowed, NotVisible, Refusal
from ..words import _, later
from . import sessions
from .models import Membership, Picture, User
from .permissions import Permission
from .viewer import Viewer

MOST_BYTES = 500_000
SIDE = 256
PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
# A PNG is drawn in full before it is made smaller, a JPEG almost never; a progressive one keeps all its numbers in memory meanwhile.
MOST_PIXELS = {"png": 8_000_000, "jpeg": 50_000_000, "progressive": 16_000_000}
# Each scan of a JPEG draws the whole picture once more: a real one has about ten, a file made to keep us busy has thousands.
MOST_SCANS = 64
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
BROKEN = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    SyntaxError,
    EOFError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)

NOTHING = later("Choose a picture first: a PNG or JPEG file.")
TOO_LARGE = later("This picture is too large. Choose one under 500 kB.")
TOO_MANY_PIXELS = later("This picture has too many pixels to be worked on here. Make it smaller, 1000 by 1000 is plenty, and try again.")
WRONG_KIND = later("This is not a PNG or JPEG picture. Choose one of these two.")
UNREADABLE = later("This picture cannot be read; the file is damaged. Save it again as PNG or JPEG and try once more.")

_one_at_a_time = threading.Lock()


def drawn(data: bytes, *, square: bool) -> bytes:
    """The picture as PNG, 256 by 256: cut to a square, or whole with clear edges. Slow; call it before writing begins."""
    if not data:
        raise Refusal(NOTHING)
    if len(data) >= MOST_BYTES:
        raise Refusal(TOO_LARGE)
    if not data.startswith((PNG, JPEG)):
        raise Refusal(WRONG_KIND)
    with _one_at_a_time:
        try:
            return _draw(data, square=square)
        except BROKEN as error:
            raise Refusal(UNREADABLE) from error


def _draw(data: bytes, *, square: bool) -> bytes:
    if data.startswith(JPEG) and data.count(b"\xff\xda") > MOST_SCANS:
        raise Refusal(UNREADABLE)
    with Image.open(BytesIO(data), formats=("PNG", "JPEG")) as image:
        kind = "png" if data.startswith(PNG) else "progressive" if image.info.get("progressive") else "jpeg"
        if image.width * image.height > MOST_PIXELS[kind]:
            raise Refusal(TOO_MANY_PIXELS)
        turn = TURNS.get(_orientation(image))
        image.draft("RGB", (2 * SIDE, 2 * SIDE))  # only JPEG knows how; the others leave it
        image.load()
        whole = _in_colour(image)
    upright = whole.transpose(turn) if turn is not None else whole
    fitted = (ImageOps.fit if square else ImageOps.contain)(upright, (SIDE, SIDE), Image.Resampling.LANCZOS)
    # A new canvas takes over the colours and nothing else: no places, names, profiles or bytes after the end.
    canvas = Image.new("RGBA", (SIDE, SIDE))
    canvas.paste(fitted, ((SIDE - fitted.width) // 2, (SIDE - fitted.height) // 2))
    made = BytesIO()
    canvas.save(made, "PNG", optimize=True)
    return made.getvalue()


def _orientation(image: Image.Image) -> int:
    """How the camera was held; broken notes about it count as none."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except BROKEN:
        return 1


def _in_colour(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # sixteen bits of grey
        return image.convert("I").point(lambda value: value / 256).convert("L").convert("RGBA")
    return image.convert("RGBA")


def set_person_picture(viewer: Viewer, data: bytes) -> None:
    """One's own picture."""
    content = drawn(data, square=True)
    start_writing()
    user = db.session.get_one(User, viewer.user_id, with_for_update=True)
    if not sessions.still_open(viewer, user):
        raise Refusal(_("You were signed out in the meantime. Sign in again."))
    _replace(Picture.user_id == user.id, Picture(user_id=user.id, content=content))
    user.picture = secrets.token_hex(4)
    record(Kind.PICTURE_CHANGED, actor=viewer, object_id=user.id)


def remove_person_picture(viewer: Viewer) -> None:
    """Initials again."""
    user = db.session.get_one(User, viewer.user_id, with_for_update=True)
    if user.picture:
        _replace(Picture.user_id == user.id, None)
        user.picture = ""
        record(Kind.PICTURE_CHANGED, actor=viewer, object_id=user.id)


def set_organisation_picture(organisation_id: int, data: bytes, *, by: Viewer) -> None:
    """The logo its people and guests see. It begins writing by itself, so its view is a late one."""
    _organisation(organisation_id, by=by)
    content = drawn(data, square=False)
    start_writing()
    organisation = _organisation(organisation_id, by=by, change=True)
    _replace(Picture.organisation_id == organisation.id, Picture(organisation_id=organisation.id, content=content))
    organisation.picture = secrets.token_hex(4)
    record(Kind.ORGANISATION_EDITED, actor=by, organisation_id=organisation.id, object_id=organisation.id, changes={"picture": ["", "set"]})


def remove_organisation_picture(organisation_id: int, *, by: Viewer) -> None:
    """No logo any more."""
    organisation = _organisation(organisation_id, by=by, change=True)
    if organisation.picture:
        _replace(Picture.organisation_id == organisation.id, None)
        organisation.picture = ""
        changes = {"picture": ["set", ""]}
        record(Kind.ORGANISATION_EDITED, actor=by, organisation_id=organisation.id, object_id=organisation.id, changes=changes)


def _organisation(organisation_id: int, *, by: Viewer, change: bool = False) -> Organisation:
    if not by.can(Permission.MANAGE_ORGANISATION):
        raise NotAllowed("Your profile does not let you manage organisations. Ask an administrator of the platform.")
    wanted = select(Organisation).where(Organisation.id == organisation_id)
    found = db.session.scalar(wanted.with_for_update().execution_options(populate_existing=True) if change else wanted)
    if found is None:
        raise NotVisible("organisation")
    return found


def _replace(old: ColumnElement[bool], new: Picture | None) -> None:
    db.session.execute(delete(Picture).where(old), execution_options={"synchronize_session": False})
    if new is not None:
        db.session.add(new)


def person_picture(user_id: int, *, by: Viewer) -> tuple[bytes, str]:
    """Somebody's picture and its version: for colleagues, of everybody they work with; for the platform, anybody's.

    Not even their own for people outside: whoever may try numbers learns how many there are.
    """
    wanted = _people().where(User.id == user_id)
    if by.external:
        raise NotVisible("picture")
    if user_id != by.user_id and not by.platform:
        wanted = wanted.where(
            select(Membership.id).where(Membership.user_id == user_id, Membership.organisation_id == by.organisation_id).exists()
        )
    return _found(wanted)


def organisation_picture(organisation_id: int, *, by: Viewer) -> tuple[bytes, str]:
    """An organisation's logo and its version: for colleagues, of the one they work in; for the platform, anyone's."""
    if by.external or (organisation_id != by.organisation_id and not by.platform):
        raise NotVisible("picture")
    return _found(_logos().where(Organisation.id == organisation_id))


def own_picture(by: Viewer) -> tuple[bytes, str]:
    """One's own picture and its version."""
    return _found(_people().where(User.id == by.user_id))


def own_logo(by: Viewer) -> tuple[bytes, str]:
    """The logo of the organisation worked in and its version."""
    return _found(_logos().where(Organisation.id == by.organisation_id))


def _people() -> Select[bytes, str]:
    return select(Picture.content, User.picture).join(User, User.id == Picture.user_id)


def _logos() -> Select[bytes, str]:
    return select(Picture.content, Organisation.picture).join(Organisation, Organisation.id == Picture.organisation_id)


def _found(wanted: Select[bytes, str]) -> tuple[bytes, str]:
    row = db.session.execute(wanted).first()
    if row is None:
        raise NotVisible("picture")
    return row[0], row[1]
