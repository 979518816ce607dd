"""Archives: unpacked with guards, whatever they say of themselves; sealed with a password."""

from __future__ import annotations

import io
import random
import struct
import tracemalloc
import zipfile
from contextlib import suppress

import pytest
import pyzipper

from portal.cases import archives
from portal.cases.archives import Unreadable, opened, seal
from portal.refusals import Refusal

DEFLATED = zipfile.ZIP_DEFLATED


def packed(*files: tuple[str, bytes], method: int = DEFLATED) -> bytearray:
    """An ordinary ZIP."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as made:
        for name, data in files:
            made.writestr(name, data)
    return bytearray(target.getvalue())


def taken(data: bytes | bytearray, password: str = "", **limits: int) -> list[tuple[str, bytes | str]]:
    """Each file's name with its content, or why it was left out."""
    told: list[tuple[str, bytes | str]] = []
    with opened(io.BytesIO(bytes(data)), password, **limits) as archive:
        for entry in archive.entries:
            try:
                told.append((entry.name, b"".join(archive.chunks(entry))))
            except Unreadable as problem:
                told.append((entry.name, problem.sentence))
    return told


def sealed(data: bytes, name: str = "evil.exe") -> bytes:
    target = io.BytesIO()
    seal([data], name, target)
    return target.getvalue()


def test_a_sealed_file_opens_with_the_password_of_the_field_only() -> None:
    data = sealed(b"malware")
    with pyzipper.AESZipFile(io.BytesIO(data)) as found:
        assert found.namelist() == ["evil.exe"]
        with pytest.raises(RuntimeError):
            found.read("evil.exe")
        assert found.read("evil.exe", pwd=b"infected") == b"malware"
    assert b"malware" not in data


def test_what_was_sealed_is_unpacked_without_asking() -> None:
    assert taken(sealed(b"malware")) == [("evil.exe", b"malware")]


def test_a_wrong_password_is_said() -> None:
    assert taken(sealed(b"malware"), "guess") == [("evil.exe", "The password does not fit. Type the password of the archive.")]


def test_paths_are_cut_and_folders_and_links_left_out() -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        made.writestr("../../etc/passwd", b"x")
        made.writestr("C:\\windows\\a.txt", b"y")
        made.writestr("folder/", b"")
        made.writestr(link, b"/etc/shadow")
    assert taken(target.getvalue()) == [("passwd", b"x"), ("a.txt", b"y")]


def test_archives_inside_stay_as_they_are() -> None:
    inner = bytes(packed(("x", b"1")))
    assert taken(packed(("inner.zip", inner))) == [("inner.zip", inner)]


def test_a_bomb_is_left_out_and_the_rest_kept() -> None:
    told = dict(taken(packed(("bomb", b"\0" * 20_000_000), ("fine", b"ok"))))
    assert told["fine"] == b"ok"
    assert "as only traps do" in str(told["bomb"])


@pytest.mark.parametrize("claimed", [10, 200_000])
def test_a_header_that_lies_is_found_out(claimed: int) -> None:
    data = packed(("lie", b"A" * 100_000))
    place = data.find(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<I", claimed)
    assert taken(data) == [("lie", "It is damaged in the archive.")]


def test_too_many_too_large_and_overlapping_are_refused_as_a_whole() -> None:
    with pytest.raises(Refusal, match="at most 200"):
        taken(packed(*((f"{n}", b"") for n in range(201))))
    with pytest.raises(Refusal, match="more than 512 MB"):
        taken(packed(("a", b"x" * 2000)), room=1000)
    data = packed(("a", b"x" * 10), method=zipfile.ZIP_STORED)
    place = data.find(b"PK\x01\x02")
    data[place + 20 : place + 24] = struct.pack("<I", 100_000)
    with pytest.raises(Refusal, match="over one another"):
        taken(data)


@pytest.mark.parametrize("data", [b"", b"PK", b"hello" * 100, bytes(packed(("a", b"x"))[:-30])], ids=["empty", "short", "words", "cut"])
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    with pytest.raises(Refusal, match="not a ZIP"):
        taken(data)


def test_an_empty_archive_is_refused() -> None:
    with pytest.raises(Refusal, match="no file"):
        taken(packed())


def directory(count: int, claimed: int, size: int | None = None) -> bytes:
    """Only a table of contents of so many files, and an end that claims there are others (ZIP64)."""
    one = b"PK\1\2" + struct.pack("<HHHHHHLLLHHHHHLL", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    size = len(one) * count if size is None else size
    wide = b"PK\6\6" + struct.pack("<QHHLLQQQQ", 44, 45, 45, 0, 0, claimed, claimed, size, 0)
    place = b"PK\6\7" + struct.pack("<LQL", 0, len(one) * count, 1)
    end = b"PK\5\6" + struct.pack("<HHHHLLH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return one * count + wide + place + end


@pytest.mark.parametrize("claimed", [100_000, 1])
def test_a_large_table_of_contents_is_not_even_read(claimed: int) -> None:
    data = directory(100_000, claimed)
    tracemalloc.start()
    try:
        with pytest.raises(Refusal, match="more than 200 files"):
            taken(data)
        assert tracemalloc.get_traced_memory()[1] < 2 * len(data), "the copy the test makes, and little else"
    finally:
        tracemalloc.stop()


def test_a_table_of_contents_that_claims_to_be_small_is_no_way_around() -> None:
    with pytest.raises(Refusal):
        taken(directory(100_000, 1, size=47 * 201))
    with pytest.raises(Refusal, match="at most 200"):
        taken(directory(201, 1))


def test_other_ways_of_packing_are_not_read() -> None:
    assert "packed in a way" in str(taken(packed(("l", b"A" * 1000), method=zipfile.ZIP_LZMA))[0][1])


def test_damage_anywhere_ends_in_a_sentence() -> None:
    dice = random.Random(4)  # noqa: S311
    whole = [sealed(dice.randbytes(300)), bytes(packed(("a", b"A" * 500), ("b", dice.randbytes(200))))]
    for _ in range(600):
        data = bytearray(dice.choice(whole))
        for _ in range(dice.randint(1, 6)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        with suppress(Refusal):  # anything else fails the test
            taken(data)


def test_only_so_much_is_read_whatever_is_claimed() -> None:
    with opened(io.BytesIO(bytes(packed(("a", b"x" * 3000), ("b", b"y" * 3000)))), room=6000) as archive:
        archive._room = 4000
        first, second = archive.entries
        assert len(b"".join(archive.chunks(first))) == 3000
        with pytest.raises(Unreadable, match="larger inside"):
            b"".join(archive.chunks(second))
    assert archives.MOST_ENTRIES == 200
