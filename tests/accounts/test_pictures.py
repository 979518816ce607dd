"""Pictures: what is uploaded is drawn anew or refused with a sentence; who may see which."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, PngImagePlugin
from sqlalchemy import func, select

from portal.accounts import pictures
from portal.accounts.models import Picture
from portal.database import start_writing
from portal.extensions import db
from portal.organisations.models import Organisation
from portal.refusals import NotAllowed, NotVisible, Refusal
from tests.fixtures.rooms import Cast, newest_audit

RED, BLUE = (200, 10, 10), (10, 10, 200)


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 20), mode: str = "RGB", **options: Any) -> bytes:
    """Left half red, right half blue."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    made = BytesIO()
    image.convert(mode).save(made, kind, **options)
    return made.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def near(pixel: Any, colour: tuple[int, int, int]) -> bool:
    return all(abs(a - b) < 40 for a, b in zip(pixel, colour, strict=False))


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", mode) for mode in ("RGB", "L", "P", "RGBA", "1", "I;16", "LA")] + [("JPEG", mode) for mode in ("RGB", "L", "CMYK")],
)
def test_every_kind_of_png_and_jpeg_becomes_a_small_png(kind: str, mode: str) -> None:
    source = Image.new(mode, (300, 200))
    made = BytesIO()
    source.save(made, kind)
    for square in (True, False):
        drawn = opened(pictures.drawn(made.getvalue(), square=square))
        assert (drawn.format, drawn.size, drawn.mode) == ("PNG", (256, 256), "RGBA")


def test_people_are_cut_to_a_square_and_logos_kept_whole() -> None:
    wide = picture(size=(400, 100))
    person, logo = opened(pictures.drawn(wide, square=True)), opened(pictures.drawn(wide, square=False))
    assert near(person.getpixel((5, 5)), RED)
    assert near(person.getpixel((250, 250)), BLUE)
    assert logo.getpixel((128, 5)) == (0, 0, 0, 0), "above a wide logo there is nothing"
    assert near(logo.getpixel((5, 128)), RED)


def test_a_camera_held_sideways_is_put_upright() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # must be turned clockwise: left comes up
    for kind in ("JPEG", "PNG"):
        drawn = opened(pictures.drawn(picture(kind, (64, 64), exif=exif), square=True))
        assert near(drawn.getpixel((128, 10)), RED)
        assert near(drawn.getpixel((128, 245)), BLUE)


def test_nothing_that_came_along_is_kept() -> None:
    exif, notes = Image.Exif(), PngImagePlugin.PngInfo()
    exif[ExifTags.Base.Artist] = "secret-artist"
    exif[ExifTags.Base.GPSInfo] = {1: "N"}
    notes.add_text("Comment", "secret-comment")
    for data in (
        picture("JPEG", exif=exif, comment=b"secret-comment", icc_profile=b"secret-profile"),
        picture("PNG", exif=exif, pnginfo=notes),
        picture("PNG") + b"<script>secret-tail</script>",
        picture("JPEG") + b"PK\x03\x04secret-tail",
    ):
        drawn = pictures.drawn(data, square=True)
        assert b"secret" not in drawn
        assert _chunks(drawn) == {b"IHDR", b"IDAT", b"IEND"}
        assert drawn.endswith(b"IEND\xaeB`\x82")
        assert not opened(drawn).getexif()


def _chunks(png: bytes) -> set[bytes]:
    found, at = set(), 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        found.add(png[at + 4 : at + 8])
        at += length + 12
    return found


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is this large and holds next to nothing."""
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return pictures.PNG + header + _chunk(b"IDAT", zlib.compress(b"\0" * 4000)) + _chunk(b"IEND", b"")


BOMB_OF_TEXT = (
    pictures.PNG
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    + _chunk(b"zTXt", b"a\0\0" + zlib.compress(b"x" * 90_000_000))
    + _chunk(b"IDAT", zlib.compress(b"\0" * 4))
    + _chunk(b"IEND", b"")
)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "Choose a picture first"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 500_000, "under 500 kB"),
        (b"GIF89a" + b"0" * 50, "not a PNG or JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a PNG or JPEG"),
        (b"RIFF0000WEBPVP8 ", "not a PNG or JPEG"),
        (b"\x89PNG\r\n\x1a\n", "cannot be read"),
        (b"\xff\xd8\xff\xe0", "cannot be read"),
        (picture("PNG")[:-40], "cannot be read"),
        (picture("JPEG", (400, 300))[:700], "cannot be read"),
        (picture("JPEG").replace(b"\xff\xda", b"\xff\xda" * 80), "cannot be read"),
        (bomb(8_001, 1_000), "too many pixels"),
        (bomb(9_400, 9_600), "cannot be read|too many pixels"),
        (bomb(60_000, 60_000), "cannot be read|too many pixels"),
        (bomb(0, 5), "cannot be read"),
        (BOMB_OF_TEXT, "cannot be read"),
    ],
    ids=[
        "nothing", "heavy", "gif", "svg", "webp", "only-magic", "only-magic-jpeg", "cut-png", "cut-jpeg",
        "scans", "wide", "bomb", "huge", "empty", "text",
    ],
)  # fmt: skip
def test_what_is_no_fitting_picture_is_refused_with_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence):
        pictures.drawn(data, square=True)


def test_a_large_photograph_is_taken_and_a_large_progressive_one_is_not() -> None:
    plain = picture("JPEG", (6000, 4000), quality=10)
    assert opened(pictures.drawn(plain, square=True)).size == (256, 256)
    with pytest.raises(Refusal, match="too many pixels"):
        pictures.drawn(picture("JPEG", (6000, 4000), quality=10, progressive=True), square=True)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 400), st.binary(min_size=1, max_size=8), st.sampled_from(["PNG", "JPEG"]))
def test_damage_anywhere_is_a_sentence_or_a_picture(at: int, damage: bytes, kind: str) -> None:
    data = bytearray(picture(kind))
    data[at : at + len(damage)] = damage
    try:
        drawn = pictures.drawn(bytes(data), square=True)
    except Refusal:
        return
    assert opened(drawn).size == (256, 256)


def count() -> int:
    return db.session.scalar(select(func.count()).select_from(Picture)) or 0


def test_everybody_can_set_replace_and_remove_their_picture(cast: Cast) -> None:
    hanna = cast("hanna")
    pictures.set_person_picture(hanna, picture())
    db.session.commit()
    first = cast.user("hanna").picture
    assert len(first) == 8
    assert newest_audit()[0].kind == "user:picture-changed"
    pictures.set_person_picture(hanna, picture("JPEG"))
    db.session.commit()
    assert cast.user("hanna").picture not in ("", first)
    assert count() == 1
    start_writing()
    pictures.remove_person_picture(hanna)
    db.session.commit()
    assert (cast.user("hanna").picture, count()) == ("", 0)


def test_a_refused_picture_leaves_the_one_there_is(cast: Cast) -> None:
    pictures.set_person_picture(cast("hanna"), picture())
    db.session.commit()
    before = cast.user("hanna").picture
    with pytest.raises(Refusal):
        pictures.set_person_picture(cast("hanna"), b"nonsense")
    assert cast.user("hanna").picture == before


def test_who_may_see_whose_picture(cast: Cast) -> None:
    for who in ("ada", "hanna", "otto"):
        pictures.set_person_picture(cast(who), picture())
        db.session.commit()
    sees = {
        "ada": {"ada", "hanna"},
        "ruth": {"ada", "hanna"},
        "otto": {"otto"},
        "pia": {"ada", "hanna", "otto"},
        "hanna": set(),
        "vic": set(),
    }
    for who, whose in sees.items():
        for person in ("ada", "hanna", "otto"):
            if person in whose:
                assert pictures.person_picture(cast.world.people[person], by=cast(who))[0].startswith(pictures.PNG)
            else:
                with pytest.raises(NotVisible):
                    pictures.person_picture(cast.world.people[person], by=cast(who))
    with pytest.raises(NotVisible):
        pictures.person_picture(cast.world.people["ruth"], by=cast("ada"))
    assert pictures.own_picture(cast("hanna"))[0].startswith(pictures.PNG)
    with pytest.raises(NotVisible):
        pictures.own_picture(cast("vic"))


def test_the_platform_can_give_an_organisation_a_logo_and_take_it(cast: Cast) -> None:
    here = cast.world.places["here"]
    pictures.set_organisation_picture(here, picture(), by=cast("pia"))
    db.session.commit()
    assert newest_audit()[0].kind == "organisation:edited"
    for who in ("ada", "pia"):
        assert pictures.organisation_picture(here, by=cast(who))[0].startswith(pictures.PNG)
    for who in ("otto", "gast", "hanna"):
        with pytest.raises(NotVisible):
            pictures.organisation_picture(here, by=cast(who))
    assert pictures.own_logo(cast("hanna"))[0].startswith(pictures.PNG)
    with pytest.raises(NotVisible):
        pictures.own_logo(cast("gast"))
    start_writing()
    pictures.remove_organisation_picture(here, by=cast("pia"))
    db.session.commit()
    assert (db.session.get_one(Organisation, here).picture, count()) == ("", 0)


def test_others_cannot_touch_an_organisations_logo(cast: Cast) -> None:
    here = cast.world.places["here"]
    for who in ("olga", "hanna"):
        with pytest.raises(NotAllowed):
            pictures.set_organisation_picture(here, picture(), by=cast(who))
        with pytest.raises(NotAllowed):
            pictures.remove_organisation_picture(here, by=cast(who))
    with pytest.raises(NotVisible):
        pictures.set_organisation_picture(999_999, picture(), by=cast("pia"))
