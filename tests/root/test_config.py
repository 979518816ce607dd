"""Settings: what is wrong is refused with a sentence before anything starts; secrets stay secret."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from portal.config import BadSettings, Settings, ensure_secret, from_env, instance_folder
from tests.fixtures.rooms import at_once

KEY = "k" * 32


def made(**variables: str) -> Settings:
    return from_env({"PORTAL_SECRET_KEY": KEY, **{f"PORTAL_{name.upper()}": value for name, value in variables.items()}})


REFUSED: list[tuple[dict[str, str], str]] = [
    ({"secret_key": ""}, "PORTAL_SECRET_KEY is missing or shorter than 32 characters"),
    ({"secret_key": "k" * 31}, "shorter than 32 characters"),
    ({"base_url": "http://cases.example.org"}, "PORTAL_BASE_URL uses http"),
    ({"base_url": "ftp://cases.example.org"}, "Give scheme and host only"),
    ({"base_url": "cases.example.org"}, "Give scheme and host only"),
    ({"base_url": "https://"}, "Give scheme and host only"),
    ({"base_url": "https://cases.example.org/portal"}, "Give scheme and host only"),
    ({"base_url": "https://cases.example.org?x=1"}, "Give scheme and host only"),
    ({"base_url": "https://me:secret@cases.example.org"}, "Give scheme and host only"),
    ({"base_url": "https://cases.example.org#top"}, "Give scheme and host only"),
    ({"base_url": "https://[cases"}, "Give scheme and host only"),
    ({"base_url": "https://cases.example.org:port"}, "Give scheme and host only"),
    ({"worker": "threads"}, "PORTAL_WORKER is 'threads'. It must be one of: inline, separate."),
    ({"smtp_security": "ssl"}, "It must be one of: starttls, tls, none."),
    ({"smtp_security": "none", "smtp_host": "mail.example.org"}, "would send mail unencrypted"),
    ({"argon2_memory_mib": "18"}, "PORTAL_ARGON2_MEMORY_MIB must be at least 19"),
    ({"argon2_time": "1"}, "PORTAL_ARGON2_TIME at least 2"),
    ({"port": "eighty"}, "PORTAL_PORT is 'eighty'. It must be a whole number."),
    ({"port": "-1"}, "must be a whole number"),
    ({"port": "²"}, "must be a whole number"),
    ({"port": "65536"}, "PORTAL_PORT is 65536. It must be between 1 and 65535."),
    ({"port": ""}, "must be a whole number"),
    ({"allow_http": "maybe"}, "PORTAL_ALLOW_HTTP is 'maybe'"),
    ({"debug": "1"}, "PORTAL_DEBUG is not a setting of this product"),
    ({"secret_key_file": "/nowhere/at/all"}, "PORTAL_SECRET_KEY_FILE names a file that cannot be read"),
    ({"port_file": "/nowhere"}, "cannot be read"),
    ({"testing": "1"}, "PORTAL_TESTING is not a setting"),
    ({"database_url": "nonsense"}, "PORTAL_DATABASE_URL"),
    ({"threads": "0"}, "PORTAL_THREADS is 0. It must be between 1 and 256."),
    ({"threads": "257"}, "between 1 and 256"),
    ({"proxies": "17"}, "between 0 and 16"),
    ({"smtp_port": "0"}, "PORTAL_SMTP_PORT is 0. It must be between 1 and 65535."),
    ({"mail_retry_seconds": "0"}, "PORTAL_MAIL_RETRY_SECONDS is 0. It must be between 1 and 86400."),
    ({"invitation_hours": "0"}, "PORTAL_INVITATION_HOURS is 0. It must be between 1 and 720."),
    ({"invitation_hours": "721"}, "between 1 and 720"),
    ({"reset_minutes": "4"}, "PORTAL_RESET_MINUTES is 4. It must be between 5 and 1440."),
    ({"reset_minutes": "1441"}, "between 5 and 1440"),
    ({"threads": "9" * 5000}, "PORTAL_THREADS is too large."),
    ({"database_url": "mysql://me:secret@db/portal"}, "PORTAL_DATABASE_URL"),
]


@pytest.mark.parametrize(("variables", "sentence"), REFUSED, ids=lambda value: str(value)[:50])
def test_what_cannot_work_is_refused_with_its_sentence(variables: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadSettings) as refused:
        made(**variables)
    assert sentence in str(refused.value)
    assert str(refused.value).endswith(".")
    assert "secret" not in str(refused.value)


ACCEPTED: list[tuple[dict[str, str], str, Any]] = [
    ({}, "base_url", "http://127.0.0.1:8000"),
    ({"port": "9000"}, "base_url", "http://127.0.0.1:9000"),
    ({"base_url": "https://cases.example.org/"}, "base_url", "https://cases.example.org"),
    ({"base_url": "https://cases.example.org:8443"}, "origin", "https://cases.example.org:8443"),
    ({"base_url": "https://cases.example.org"}, "secure", True),
    ({"base_url": "HTTPS://Cases.Example.ORG:443/"}, "origin", "https://cases.example.org"),
    ({"base_url": "http://LOCALHOST:80"}, "base_url", "http://localhost"),
    ({"base_url": "https://[2001:DB8::1]:443"}, "origin", "https://[2001:db8::1]"),
    ({"base_url": "https://Cases.example.org"}, "mail_from", "portal@cases.example.org"),
    ({"base_url": "http://localhost:8000"}, "secure", False),
    ({"base_url": "http://[::1]:8000"}, "is_local", True),
    ({"base_url": "http://cases.example.org", "allow_http": "yes"}, "allow_http", True),
    ({"base_url": "https://cases.example.org"}, "mail_from", "portal@cases.example.org"),
    ({"smtp_security": "none", "smtp_host": "localhost"}, "smtp_host", "localhost"),
    ({"database_url": "postgres://db/portal"}, "database_url", "postgresql+psycopg://db/portal"),
    ({"database_url": "postgresql://db/portal"}, "database_url", "postgresql+psycopg://db/portal"),
    ({"worker": "separate"}, "worker", "separate"),
]


@pytest.mark.parametrize(("variables", "name", "value"), ACCEPTED, ids=lambda value: str(value)[:50])
def test_what_works_is_taken(variables: dict[str, str], name: str, value: Any) -> None:
    assert getattr(made(**variables), name) == value


def test_other_programs_variables_are_none_of_its_business() -> None:
    assert from_env({"PORTAL_SECRET_KEY": KEY, "SMTP_HOST": "x", "PORTAL_TEST_REQUIRE": "1", "PORTAL_INSTANCE": "here"}).smtp_host == ""


def test_every_setting_can_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(f"{KEY}\n")
    settings = from_env({"PORTAL_SECRET_KEY_FILE": str(path), "PORTAL_SMTP_PASSWORD_FILE": str(path)})
    assert (settings.secret_key, settings.smtp_password) == (KEY, KEY)


def test_secrets_are_not_in_the_settings_text() -> None:
    settings = made(smtp_password="open-sesame")
    assert KEY not in repr(settings)
    assert "open-sesame" not in repr(settings)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        made().secret_key = "x"  # type: ignore[misc]


def test_the_instance_folder_is_where_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert instance_folder({}) == tmp_path / "instance"
    assert instance_folder({"PORTAL_INSTANCE": "elsewhere"}) == tmp_path / "elsewhere"
    settings = from_env({"PORTAL_INSTANCE": "elsewhere", "PORTAL_SECRET_KEY": KEY})
    assert settings.database_url == f"sqlite:///{tmp_path}/elsewhere/portal.sqlite"
    assert not (tmp_path / "elsewhere").exists()


def test_the_first_start_makes_a_private_key_and_later_ones_keep_it(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "instance"
    settings = from_env({"PORTAL_INSTANCE": str(folder)}, create=True)
    path = folder / "secret_key"
    assert [stat.S_IMODE(place.stat().st_mode) for place in (folder, path)] == [0o700, 0o600]
    assert len(settings.secret_key) >= 64
    assert from_env({"PORTAL_INSTANCE": str(folder)}).secret_key == settings.secret_key
    assert from_env({"PORTAL_INSTANCE": str(folder)}, create=True).secret_key == settings.secret_key
    assert [place.name for place in folder.iterdir()] == ["secret_key"]


def test_without_a_first_start_there_is_no_key(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="PORTAL_SECRET_KEY is missing"):
        from_env({"PORTAL_INSTANCE": str(tmp_path)})


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_key_others_can_read_is_refused(tmp_path: Path, mode: int, create: bool) -> None:
    ensure_secret(tmp_path)
    (tmp_path / "secret_key").chmod(mode)
    with pytest.raises(BadSettings, match="can be read by others"):
        from_env({"PORTAL_INSTANCE": str(tmp_path)}, create=create)


def test_two_first_starts_agree_on_the_key(tmp_path: Path, app: Any) -> None:
    keys = at_once(app, *[lambda: ensure_secret(tmp_path / "shared")] * 6)
    assert len(set(keys)) == 1
    assert isinstance(keys[0], str)


def test_a_filesystem_without_links_gets_its_key_all_the_same(tmp_path: Path, app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")  # what such a filesystem says

    monkeypatch.setattr(os, "link", without)
    keys = at_once(app, *[lambda: ensure_secret(tmp_path / "shared")] * 6)
    assert len(set(keys)) == 1
    assert len(keys[0]) >= 64
    assert [place.name for place in (tmp_path / "shared").iterdir()] == ["secret_key"]
    assert stat.S_IMODE((tmp_path / "shared" / "secret_key").stat().st_mode) == 0o600
