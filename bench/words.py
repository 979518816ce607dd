"""What the product says, for its translators: `./run.sh words`.

Gathers every message of the code into the catalogues of portal/translations and compiles them. A catalogue holds messages
only, sorted: no places in the code, dates or names, so that a change of one sentence is a change of one sentence.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from portal.words import CATALOGUES, LANGUAGES

ROOT = Path(__file__).resolve().parents[1]
TRANSLATED = [code for code in LANGUAGES if code != "en"]
EXTRACT = ["extract", "-F", "babel.cfg", "-k", "later", "-k", "ngettext:1,2", "--no-location", "--sort-output", "--omit-header"]
# Babel leaves out folders that begin with an underscore, as templates/_shared does, unless it is told which ones to leave out.
LEFT_OUT = ["--ignore-dirs", "__pycache__"]
HEADER = """msgid ""
msgstr ""
"Project-Id-Version: portal\\n"
"Language: {code}\\n"
"Plural-Forms: {plurals}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def place(code: str, ending: str) -> Path:
    """The file of a language: "po" for what translators read and write, "mo" for what the product reads."""
    return CATALOGUES / code / "LC_MESSAGES" / f"portal.{ending}"


def messages() -> Catalog:
    """Every message of the code."""
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "portal.pot"
        command = [sys.executable, "-m", "babel.messages.frontend", "-q", *EXTRACT, *LEFT_OUT, "-o", str(template), "portal"]
        subprocess.run(command, cwd=ROOT, check=True)
        with template.open("rb") as file:
            return read_po(file)


def catalogue(code: str) -> Catalog:
    """A language's catalogue as it lies there."""
    with place(code, "po").open("rb") as file:
        return read_po(file, locale=code)


def forms(message: Message) -> tuple[str, ...]:
    """What stands for a message: one text, or several by number; empty where there is none yet."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))


def written(found: Catalog) -> str:
    """The catalogue as its file should be."""
    file = io.BytesIO()
    write_po(file, found, width=0, no_location=True, omit_header=True, sort_output=True, ignore_obsolete=True)
    return HEADER.format(code=found.locale_identifier, plurals=found.plural_forms) + file.getvalue().decode().strip() + "\n"


def compiled(found: Catalog) -> bytes:
    """What the product reads: the same bytes for the same messages, whenever and by whomever they are made."""
    for message in found:
        if message.id and not all(forms(message)):
            message.string = ""  # else a number of things would be said with nothing at all
    found.creation_date = found.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    found.last_translator = found.language_team = found.msgid_bugs_address = ""
    found.project, found.version = "portal", ""
    file = io.BytesIO()
    write_mo(file, found)
    return file.getvalue()


def main() -> None:
    """Bring every catalogue up to date."""
    said = messages()
    for code in TRANSLATED:
        found = catalogue(code)
        found.update(said, no_fuzzy_matching=True)
        place(code, "po").write_text(written(found), encoding="utf-8")
        place(code, "mo").write_bytes(compiled(catalogue(code)))
        missing = sum(not all(forms(message)) for message in found if message.id)
        print(f"{LANGUAGES[code]}: {len(found)} messages, {missing} to translate")


if __name__ == "__main__":
    main()
