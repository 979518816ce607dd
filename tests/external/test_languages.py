"""The portal in another language: every word of ours is said in it, and what people wrote stays as it is."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.cases.models import Case
from portal.clock import now
from portal.dates import date_words, reading_of
from portal.extensions import db
from portal.organisations.models import Organisation
from portal.web import archive, paper
from portal.words import Number, decimal, speaking
from tests.external.test_download import contents
from tests.external.test_report import ANSWERS, DISCARD, FORM, REVIEW, SENT, hidden, send
from tests.fixtures.required import require
from tests.fixtures.world import BASE, Browser, World
from tests.mail.catalogues import unsaid

pytestmark = pytest.mark.usefixtures("tongues")

Browse = Callable[[str], Browser]
GERMAN = {"Accept-Language": "de-AT,de;q=0.9"}
VOID = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "use"})
SAID = ("title", "aria-label", "placeholder", "alt", "data-conversation")
# What people wrote or gave a name to, names of places and of things that have one name in all languages.
WRITTEN = re.compile(
    r"(External|Hanna's) word on \w+|\d+\. \w+\.? \d{4}(, \d\d:\d\d UTC)?|SHA-256|Northwind|(Hanna|Rhea|Vic|Ada)( Person)?|"
    r"\w+@people\.example|The \w+ case|Description of the \w+ case|tag-\w+|external-of-\w+\.txt|hxxps?://\S+|"
    r"Affected region|Region of \w+|Where it happened|\b[0-9a-f]{64}\b|UTC|http://\S+/portal/cases/\d+|"
    r"Strange\s+invoice by mail|\bmine\.txt|boss\[?@\]?\S+|zzz|English|Français|Deutsch|Español"
)


class Words(HTMLParser):
    """The words of a page that somebody sees or hears: texts and attributes, but for messages, descriptions and other languages."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._path: list[bool] = []  # for each open element, whether its words count

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        other = tag != "html" and known.get("lang", "") not in ("", None)
        theirs = {"prose", "avatar"}.intersection((known.get("class") or "").split())
        counts = (not self._path or self._path[-1]) and not (other or theirs or tag in ("script", "style", "textarea"))
        if counts:
            self.words += [known[name] or "" for name in SAID if name in known]
        if tag not in VOID:
            self._path.append(counts)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self._path:
            self._path.pop()

    def handle_data(self, data: str) -> None:
        if not self._path or self._path[-1]:
            self.words.append(data)


def untold(text: str) -> list[str]:
    """Those words of a page that were not said in its language, nor written by people. A sentence may have a link in its middle, so
    its pieces count together."""
    reader = Words()
    reader.feed(text)
    whole = " ".join(" ".join(reader.words).split())
    return re.findall(r"[^\W\d_][\w’' -]*", WRITTEN.sub("", unsaid(whole)))


def get(who: Browser, path: str, **options: Any) -> TestResponse:
    return who.get(path, headers=GERMAN, **options)


def check(answer: TestResponse, status: int = 200) -> None:
    """Every word of ours is German."""
    assert answer.status_code == status
    assert "⟦de|" in answer.text
    assert untold(answer.text) == [], answer.request.path


def case_of(world: World, name: str = "shared") -> str:
    return f"/portal/cases/{world.cases[name]}"


LISTS = (
    *(
        "",
        "?q=zzz",
        "?q=*x",
        "?q=4711",
        '?q="',
        "?q=" + "a+" * 20,
        "?status=open",
        "?status=Closed&severity=4",
        "?tag=tag-shared&sort=-opened",
    ),
    *("?waiting=yes", "?unread=yes&mine=yes", "?mine=yes", "?updated_from=week", "?opened_from=2026-02-03&opened_to=2026-02-02"),
    *("?updated_from=2026-02-03&updated_to=2026-02-02", "?status=InProgress", "?sort=number", "?updated_to=2020-02-02"),
)


@pytest.mark.parametrize("query", LISTS)
@pytest.mark.parametrize("who", ["hanna", "rhea"])
def test_the_list_is_in_the_language_of_its_reader(browse: Browse, who: str, query: str) -> None:
    reader = browse(who)
    check(get(reader, f"/portal/{query}"))
    check(get(reader, f"/portal/cases/filter{query}"))


def test_words_are_said_for_somebody_with_nothing_shared(world: World, browse: Browse) -> None:
    browse("ada").confirm(f"/console/cases/{world.cases['all']}/access", {"access": "internal"})
    for who in ("vic", "rhea"):
        check(get(browse(who), "/portal/"))


@pytest.mark.parametrize("who", ["hanna", "rhea"])
def test_a_case_is_in_the_language_of_its_reader(world: World, browse: Browse, who: str) -> None:
    reader, ada = browse(who), browse("ada")
    for name in ("shared", "all"):
        for part in ("", "/files", "/evidence"):
            check(get(reader, f"{case_of(world, name)}{part}"))
    ada.confirm(f"/console/cases/{world.cases['shared']}/comments", {"message": "zzz", "audience": "external"}, asked="/console/cases/1")
    check(get(reader, case_of(world)))
    ada.confirm(f"/console/cases/{world.cases['shared']}/close", {"status": "TruePositive", "impact": "NoImpact", "summary": "zzz"})
    check(get(reader, case_of(world)))
    check(get(reader, "/portal/"))


def test_one_s_own_messages_are_changed_in_one_s_language(world: World, browse: Browse) -> None:
    hanna, own = browse("hanna"), world.comments["shared-hanna"]
    one = f"{case_of(world)}/comments/{own}"
    for verb in ("edit", "delete"):
        check(get(hanna, f"{one}/{verb}"))
        check(get(hanna, f"{one}/{verb}", htmx=True))
    check(hanna.post(f"{one}/edit", {"message": "zzz", "version": "old"}, headers=GERMAN), 422)
    check(hanna.post(f"{one}/edit", {"message": "zzz"}, htmx=True, headers=GERMAN), 422)
    check(hanna.post(f"{case_of(world)}/comments", {"message": " "}, headers=GERMAN), 422)
    check(hanna.post(f"{case_of(world)}/comments", {"message": "z" * 70_000}, headers=GERMAN), 422)
    hanna.post(f"{case_of(world)}/comments", {"message": "zzz"}, headers=GERMAN)
    check(get(hanna, case_of(world)))  # with a toast
    check(hanna.post(f"{case_of(world)}/letters", {"quiet": "y"}, htmx=True, headers=GERMAN))
    check(hanna.post(f"{one}/delete", htmx=True, headers=GERMAN))


def test_what_is_sent_and_taken_back_is_told_in_one_s_language(world: World, browse: Browse) -> None:
    hanna, items, files = browse("hanna"), f"{case_of(world)}/evidence", f"{case_of(world)}/files"
    item = f"{items}/{world.items['shared']}/withdraw"
    check(hanna.post(items, {"kind": "", "text": "hxxps://shared[.]example/\r\nzzz\r\nzzz"}, headers=GERMAN))
    check(hanna.post(items, {"kind": "x", "text": " "}, headers=GERMAN), 422)
    check(hanna.post(items, {"kind": "", "text": "zzz"}, headers=GERMAN), 422)
    for htmx in (False, True):
        check(get(hanna, item, htmx=htmx))
    hanna.post(item, headers=GERMAN)
    check(get(hanna, case_of(world)))
    for data in ((b"one", "mine.txt"), (b"", "mine.txt")):
        sent = {"csrf_token": hanna.token, "files": [(io.BytesIO(data[0]), data[1])]}
        answer = hanna.client.post(files, base_url=BASE, data=sent, headers={"Origin": BASE, **GERMAN}, content_type="multipart/form-data")
        check(answer if answer.status_code == 422 else get(hanna, case_of(world)), 422 if answer.status_code == 422 else 200)
    found = re.search(r"/files/(\w+)/withdraw", get(hanna, files).text)
    assert found
    for htmx in (False, True):
        check(get(hanna, f"{files}/{found[1]}/withdraw", htmx=htmx))
    check(hanna.post(f"{files}/{found[1]}/withdraw", htmx=True, headers=GERMAN))


def test_a_report_is_written_and_sent_in_one_s_language(app: Flask, browse: Browse) -> None:
    hanna = browse("hanna")
    check(get(hanna, FORM))
    hanna.post(FORM, {**hidden(get(hanna, FORM)), "happened": "zzz", "began": "24-01-01", "act": "review"}, headers=GERMAN)
    check(get(hanna, f"{FORM}?check=1"))
    check(get(hanna, DISCARD))
    kept = hanna.post(f"{FORM}/draft", {**hidden(get(hanna, FORM)), **ANSWERS}, headers=GERMAN, htmx=True)
    check(kept)
    check(get(hanna, "/portal/"))
    check(get(hanna, DISCARD))
    check(hanna.post(f"{FORM}/draft", {**ANSWERS, "seen": "old"}, headers=GERMAN, htmx=True))
    check(hanna.post(FORM, {**ANSWERS, "seen": "old"}, headers=GERMAN), 422)
    check(hanna.post(DISCARD, {"seen": "old"}, headers=GERMAN), 422)
    check(get(hanna, REVIEW))
    check(send(hanna, ("mine.txt", b""), page=get(hanna, REVIEW), headers=GERMAN), 422)
    send(hanna, page=get(hanna, REVIEW), headers=GERMAN)
    check(get(hanna, SENT))
    check(get(hanna, "/portal/?mine=yes"))
    with app.app_context():
        case = newest_case()
    assert "# What happened" in case.description, "what is kept is for readers of all languages"
    assert "20 Nov 2026" in case.description
    assert "⟦" not in case.description + case.title


def newest_case() -> Case:
    found: Case = db.session.execute(select(Case).order_by(Case.id.desc()).limit(1)).scalars().one()
    db.session.refresh(found)
    return found


def test_the_zip_and_its_texts_are_in_the_language_of_who_takes_it(monkeypatch: pytest.MonkeyPatch, world: World, browse: Browse) -> None:
    monkeypatch.setattr(archive, "turns", archive.Turns(3))
    hanna = browse("hanna")
    answer = get(hanna, f"{case_of(world)}/download/zip")
    files = {name: data.decode() for name, data in contents(answer.data).items() if name.endswith((".html", ".csv"))}
    assert 'lang="de"' in files["case.html"]
    assert untold(files["case.html"]) == []
    for name in ("files.csv", "evidence-items.csv"):
        assert "⟦de|" in files[name].splitlines()[0]
        assert "added" not in unsaid(files[name])


def test_a_zip_read_long_after_its_request_keeps_its_language(monkeypatch: pytest.MonkeyPatch, world: World, browse: Browse) -> None:
    monkeypatch.setattr(archive, "turns", archive.Turns(3))
    hanna = browse("hanna")
    answer = hanna.client.get(f"{case_of(world)}/download/zip", base_url=BASE, headers=GERMAN, buffered=False)
    with speaking("fr"):  # whoever came next on this thread
        files = contents(answer.data)
    assert untold(files["case.html"].decode()) == []
    text = files["messages.txt"].decode()
    assert "⟦DE|WHAT HAPPENED⟧" in text
    assert "⟦de|The content of these files is missing" in files["missing.txt"].decode()
    assert not [name for name, data in files.items() if b"fr|" in data]


def test_the_pdf_is_in_the_language_of_who_takes_it(world: World, browse: Browse) -> None:
    require(paper.possible(), "the extra 'pdf'")
    answer = get(browse("hanna"), f"{case_of(world)}/download/pdf")
    assert answer.status_code == 200
    reader = PdfReader(io.BytesIO(answer.data))
    assert "de|Overview" in "".join(page.extract_text() for page in reader.pages)
    assert reader.root_object.get("/Lang", "de") == "de"


def test_who_is_not_named_is_the_team_in_every_language(app: Flask, world: World, browse: Browse) -> None:
    with app.app_context():
        db.session.get_one(Organisation, world.places["here"]).names_analysts = False
        db.session.commit()
    page = get(browse("hanna"), case_of(world))
    check(page)
    assert "⟦de|Security team⟧" in page.text
    assert "⟦de|%(person)s, security team⟧" not in page.text


def test_the_console_speaks_english_whatever_the_browser_says(world: World, browse: Browse) -> None:
    ada = browse("ada")
    for path in ("/console/cases", f"/console/cases/{world.cases['shared']}"):
        assert "⟦" not in get(ada, path).text


@pytest.mark.parametrize(
    ("code", "day", "number", "small"),
    [("en", "1 Mar 2026", "65,536", "1.5"), ("de", "1. März 2026", "65.536", "1,5"), ("es", "1 mar 2026", "65.536", "1,5")],
)
def test_days_and_numbers_are_written_as_the_language_has_them(code: str, day: str, number: str, small: str) -> None:
    assert date_words(now().replace(year=2026, month=3, day=1), reading_of("", code)) == day
    with speaking(code):
        assert (f"{Number(65536)}", decimal(1.5)) == (number, small)


def test_french_has_a_first_of_the_month_and_blanks_between_thousands() -> None:
    moment = now().replace(year=2026, month=8, day=1)
    assert [date_words(moment.replace(day=day), reading_of("", "fr")) for day in (1, 2)] == ["1er août 2026", "2 août 2026"]
    with speaking("fr"):
        assert str(Number(65536)) == "65\N{NARROW NO-BREAK SPACE}536"
