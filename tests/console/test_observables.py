"""Observables in the console: the tab, adding, changing, many at once, files in and out; and the types there are."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import pyzipper
from flask import Flask

from portal.cases.finds import SIZE
from tests.fixtures.statements import counted
from tests.fixtures.world import Browser, World

Browse = Callable[[str], Browser]
PLAIN: dict[str, Any] = {"tlp": "2", "pap": "2"}
HTMX = [False, True]


def tab(world: World, case: str = "internal") -> str:
    """The address of a case's observables."""
    return f"/console/cases/{world.cases[case]}/observables"


def add(browser: Browser, world: World, text: str, case: str = "internal", **more: Any) -> Any:
    return browser.post(f"{tab(world, case)}/new", {**PLAIN, "type": "", "text": text, "per_line": "y", **more})


def put(browser: Browser, world: World, *files: tuple[str, bytes], **more: Any) -> Any:
    sent = [(io.BytesIO(data), name) for name, data in files]
    return browser.post(f"{tab(world)}/files", {**PLAIN, "type": "file", "files": sent, **more})


def uids(browser: Browser, world: World, case: str = "internal") -> list[str]:
    """Those of the first page, newest first."""
    return re.findall(r'id="observable-([0-9a-z]+)"', browser.get(tab(world, case)).text)


def test_everybody_of_the_team_reads_and_only_some_write(world: World, browse: Browse) -> None:
    add(browse("ada"), world, "evil.example")
    page = browse("ruth").get(tab(world)).text
    assert "evil[.]example" in page
    assert "Add observables" not in page
    assert "Delete" not in page
    assert add(browse("ruth"), world, "x.example").status_code == 403


def test_nothing_of_it_reaches_the_portal(world: World, browse: Browse) -> None:
    add(browse("ada"), world, "evil.example", "shared", message="About EVIL", tags="evil-tag")
    page = browse("hanna").get(f"/portal/cases/{world.cases['shared']}").text
    assert "evil" not in page.lower()


@pytest.mark.parametrize("htmx", HTMX)
def test_some_lines_are_added_and_the_others_named(world: World, browse: Browse, htmx: bool) -> None:
    data = {**PLAIN, "type": "ip", "text": "192.0.2[.]1\nnonsense", "per_line": "y"}
    answer = browse("ada").post(f"{tab(world)}/new", data, htmx=htmx)
    assert answer.status_code == 200
    assert "1 of 2 added" in answer.text
    assert "This is not an IP address" in answer.text
    assert ("<html" in answer.text) is not htmx


def test_when_all_are_added_the_list_is_shown(world: World, browse: Browse) -> None:
    ada = browse("ada")
    answer = add(ada, world, "192.0.2.1\n192.0.2.2")
    assert answer.status_code == 303
    assert answer.headers["Location"] == tab(world)
    assert "2 observables added." in ada.get(tab(world)).text


def test_when_none_can_be_added_the_text_is_still_there(world: World, browse: Browse) -> None:
    answer = add(browse("ada"), world, "what a mess", type="hash")
    assert answer.status_code == 422
    assert "what a mess" in answer.text
    assert "This is not an MD5" in answer.text


def test_a_double_click_adds_once(world: World, browse: Browse) -> None:
    ada = browse("ada")
    for _ in range(2):
        assert add(ada, world, "evil.example", submission="once").status_code == 303
    for _ in range(2):
        assert put(ada, world, ("a.exe", b"MZ"), submission="twice").status_code == 303
    assert len(uids(ada, world)) == 2


def test_checking_first_keeps_nothing(world: World, browse: Browse) -> None:
    ada = browse("ada")
    answer = add(ada, world, "evil.example\nevil.example", act="check")
    assert answer.status_code == 200
    assert "This is the same as line 1." in answer.text
    assert uids(ada, world) == []


@pytest.mark.parametrize("htmx", HTMX)
def test_the_second_writer_sees_both_values(world: World, browse: Browse, htmx: bool) -> None:
    ada = browse("ada")
    add(ada, world, "evil.example")
    path = f"{tab(world)}/{uids(ada, world)[0]}/edit"
    assert "Type and value stay as they are" in ada.get(path, htmx=htmx).text
    assert ada.post(path, {**PLAIN, "version": "1", "tags": "first", "ioc": "y"}).status_code == 303
    stale = ada.post(path, {**PLAIN, "version": "1", "tags": "second", "type": "ip", "value": "other"}, htmx=htmx)
    assert stale.status_code == 422
    for words in ("Stored now", "first", "second", 'name="version" value="2"'):
        assert words in stale.text
    assert ada.post(path, {**PLAIN, "version": "2", "tags": "second"}).status_code == 303
    page = ada.get(tab(world)).text
    assert "second" in page
    assert "evil[.]example" in page, "type and value cannot be sent"


@pytest.mark.parametrize("htmx", HTMX)
def test_deleting_asks_and_the_history_remembers(world: World, browse: Browse, htmx: bool) -> None:
    ada = browse("ada")
    add(ada, world, "evil.example")
    path = f"{tab(world)}/{uids(ada, world)[0]}/delete"
    assert "evil[.]example" in ada.get(path, htmx=htmx).text
    assert ada.post(path, htmx=htmx).status_code == (200 if htmx else 303)
    assert uids(ada, world) == []
    assert "evil[.]example" in ada.get(f"/console/cases/{world.cases['internal']}/history").text
    assert ada.post(path).status_code == 404


def test_many_are_changed_each_by_itself(world: World, browse: Browse) -> None:
    ada, path = browse("ada"), f"{tab(world)}/bulk"
    add(ada, world, "a.example\nb.example\nc.example")
    first, *rest = uids(ada, world)
    ada.post(f"{tab(world)}/{first}/delete")
    data = {"act": "change", "observables": [first, *rest, "0" * 16]}
    assert ada.post(path, data).status_code == 422, "it must be said what to change"
    assert "Change 2 observables" in ada.get(path, query_string=data).text
    sent = ada.post(path, {**data, "ioc": "yes", "tlp": "4", "add_tags": "x, y", "remove_tags": "y"})
    done = ada.follow(sent).text
    assert "2 observables changed" in ada.follow(sent).text, "it can be loaded again"
    assert ada.get(sent.headers["Location"].replace("change", "delete")).status_code == 303
    assert "2 observables changed" in done
    assert "Somebody deleted it in the meantime." in done
    again = ada.follow(ada.post(path, {**data, "ioc": "yes"})).text
    assert "It was like this already." in again
    page = ada.get(tab(world)).text
    assert page.count("TLP:RED") == 2
    assert page.count('class="mark ioc"') == 2
    gone = ada.follow(ada.post(path, {"act": "delete", "observables": rest})).text
    assert "2 observables deleted" in gone
    assert uids(ada, world) == []


@pytest.mark.parametrize(
    "data", [{}, {"act": "change"}, {"act": "nonsense", "observables": "0" * 16}, {"act": "delete", "observables": "\0"}]
)
def test_nothing_ticked_leads_back(world: World, browse: Browse, data: dict[str, str]) -> None:
    ada = browse("ada")
    assert ada.get(f"{tab(world)}/bulk", query_string=data).status_code == 303
    assert ada.post(f"{tab(world)}/bulk", data).status_code == 303


def test_the_export_is_filtered_and_runs_no_formula(world: World, browse: Browse) -> None:
    ada = browse("ada")
    add(ada, world, "=HYPERLINK(1)\nhttps://evil.example/", ioc="y")
    add(ada, world, "192.0.2.1")
    told = list(csv.DictReader(io.StringIO(ada.get(f"{tab(world)}/export?ioc=yes").text.lstrip("\ufeff"))))
    assert {row["value"] for row in told} == {"'=HYPERLINK(1)", "https://evil.example/"}
    assert {row["value_defanged"] for row in told} == {"'=HYPERLINK(1)", "hxxps://evil[.]example/"}
    kept = json.loads(ada.get(f"{tab(world)}/export?format=json").text)
    assert {row["value"] for row in kept} == {"=HYPERLINK(1)", "https://evil.example/", "192.0.2.1"}
    assert ada.get(f"{tab(world)}/export?format=xml").status_code == 404
    assert "exported the observables" in ada.get(f"/console/cases/{world.cases['internal']}/history").text


def test_filters_show_as_chips_and_the_part_for_htmx(world: World, browse: Browse) -> None:
    ada = browse("ada")
    add(ada, world, "evil.example\n192.0.2.1")
    part = ada.get(f"{tab(world)}?type=ip&ioc=no&q=192&source=nonsense", htmx=True).text
    assert "<html" not in part
    assert "Type: ip" in part
    assert "192[.]0[.]2[.]1" in part
    assert "evil" not in part
    assert "No observable fits" in ada.get(f"{tab(world)}?q=nothing-like-it").text


def test_the_other_cases_are_named_to_those_who_see_them(world: World, browse: Browse) -> None:
    ada = browse("ada")
    for name in ("internal", "shared", "restricted"):
        add(ada, world, "evil.example", name)
    path = f"{tab(world)}/{uids(ada, world)[0]}/elsewhere"
    assert "Seen in 2 other cases" in ada.get(tab(world)).text
    assert "Seen in 1 other case" in browse("ruth").get(tab(world)).text
    assert "The restricted case" in ada.get(path).text
    seen = browse("ruth").get(path).text
    assert "The shared case" in seen
    assert "restricted" not in seen


def test_files_leave_in_an_encrypted_archive_only(world: World, browse: Browse) -> None:
    ada = browse("ada")
    answer = put(ada, world, ("../é\u202evil.exe", b"MZ one"), ("twin", b"MZ one"), ("two", b""))
    assert "1 of 3 added" in answer.text
    path = f"{tab(world)}/{uids(ada, world)[0]}/download"
    sent = ada.get(path)
    assert sent.mimetype == "application/zip"
    assert sent.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert "filename*=UTF-8''%C3%A9vil.exe.zip" in sent.headers["Content-Disposition"]
    assert int(sent.headers["Content-Length"]) == len(sent.data)
    with pyzipper.AESZipFile(io.BytesIO(sent.data)) as found:
        assert found.read("évil.exe", pwd=b"infected") == b"MZ one"
    assert "downloaded a file observable" in ada.get(f"/console/cases/{world.cases['internal']}/history").text


def test_archives_are_unpacked_on_request(world: World, browse: Browse) -> None:
    ada = browse("ada")
    target = io.BytesIO()
    with pyzipper.AESZipFile(target, "w", encryption=pyzipper.WZ_AES) as made:
        made.setpassword(b"other")
        made.writestr("folder/a.dll", b"MZ a")
        made.writestr("b.dll", b"MZ b")
    wrong = put(ada, world, ("in.zip", target.getvalue()), unpack="y", password="no")
    assert wrong.status_code == 422
    assert wrong.text.count("The password does not fit.") == 2
    assert put(ada, world, ("in.zip", target.getvalue()), unpack="y", password="other").status_code == 303
    page = ada.get(tab(world)).text
    assert "a.dll" in page
    assert "folder/a" not in page
    assert put(ada, world, ("in.zip", target.getvalue())).status_code == 303, "unasked it stays an archive"
    assert put(ada, world, ("x.zip", b"no"), unpack="y").status_code == 422


def test_no_file_is_no_upload(world: World, browse: Browse) -> None:
    assert "Choose at least one file." in put(browse("ada"), world).text


def test_the_page_takes_as_many_queries_for_many_as_for_one(app: Flask, world: World, browse: Browse) -> None:
    ada = browse("ada")
    add(ada, world, "first.example")
    counts = []
    for size in (1, 2 * SIZE):
        if size > 1:
            add(ada, world, "\n".join(f"host-{n}.example" for n in range(size)))
        counts.append(_queries(app, lambda: ada.get(tab(world))))
    assert counts[1] <= counts[0] + 1, "the total is only counted when there is more than a page"
    assert counts[1] <= 12


def _queries(app: Flask, act: Callable[[], object]) -> int:
    """How many SELECTs something takes."""
    with counted(app) as asked:
        act()
    return len([words for words in asked if words.lstrip().upper().startswith(("SELECT", "WITH"))])


def test_pia_makes_and_deletes_types(world: World, browse: Browse) -> None:
    pia, path = browse("pia"), "/console/observable-types"
    assert pia.post(path, {"name": "bank-account", "holds": "value"}).status_code == 303
    page = pia.get(path).text
    found = re.search(r"/observable-types/(\d+)/delete", page)
    assert found, "only those that are not built in can be deleted"
    assert page.count("/delete") == 1
    ada = browse("ada")
    assert add(ada, world, "DE00 1234", type="bank-account").status_code == 303
    refused = pia.post(f"{path}/{found[1]}/delete")
    assert refused.status_code == 422
    assert "1 observable has this type." in refused.text
    ada.post(f"{tab(world)}/{uids(ada, world)[0]}/delete")
    assert pia.post(f"{path}/{found[1]}/delete").status_code == 303
    assert add(ada, world, "DE00 1234", type="bank-account").status_code == 422
    feed = pia.get("/console/feed").text
    assert "created a type of observable" in feed
    assert "deleted a type of observable" in feed


@pytest.mark.parametrize("name", ["", "ip", "With blank", "ä", "x" * 65, "a/b", "<b>"])
def test_a_type_needs_a_plain_name_of_its_own(browse: Browse, name: str) -> None:
    answer = browse("pia").post("/console/observable-types", {"name": name, "holds": "value"})
    assert answer.status_code == 422


def test_types_that_came_with_the_product_stay(browse: Browse) -> None:
    answer = browse("pia").post("/console/observable-types/1/delete")
    assert answer.status_code == 422
    assert "came with the product" in answer.text


@pytest.mark.parametrize("who", ["ada", "olga"])
def test_analysts_cannot_manage_types(browse: Browse, who: str) -> None:
    assert browse(who).get("/console/observable-types").status_code == 403


def test_one_per_line_is_ticked_and_what_was_added_is_said_to_be(world: World, browse: Browse) -> None:
    ada = browse("ada")
    assert re.search(r'<input checked[^>]*name="per_line"', ada.get(f"{tab(world)}/new").text)
    done = ada.post(f"{tab(world)}/new", {**PLAIN, "type": "ip", "text": "192.0.2[.]1\nnonsense", "per_line": "y"}).text
    assert ">Added</td>" in done
    assert "Fits" not in done
    assert ">Fits</td>" in add(ada, world, "fresh.example", act="check").text
    unknown = "Not recognised: will be added as “other”, as it stands"
    assert unknown in add(ada, world, "call me at five\nfresh.example", act="check").text
    assert unknown not in add(ada, world, "call me at five", act="check", type="other").text
    assert unknown not in add(ada, world, "call me at five").text
