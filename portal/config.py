"""Settings: read once from PORTAL_* variables, frozen, checked before anything starts."""

from __future__ import annotations

import ipaddress
import os
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError


class BadSettings(Exception):
    """The product does not start with these settings; the text says which one and what would be right."""


# Whole numbers and what they may be; administrators who set one in the console are held to the same.
LIMITS: dict[str, tuple[int, int]] = {
    "port": (1, 65535),
    "threads": (1, 256),
    "proxies": (0, 16),
    "smtp_port": (1, 65535),
    "mail_retry_seconds": (1, 86400),
    "invitation_hours": (1, 720),
    "reset_minutes": (5, 1440),
    "max_upload": (1, 100_000),
    "max_files": (1, 100_000),
}
USUAL_PORTS = {"http": 80, "https": 443}
NOT_AN_ORIGIN = "PORTAL_BASE_URL is not an address this product can use. Give scheme and host only, for example https://cases.example.org."


@dataclass(frozen=True)
class Settings:
    """Every knob. The environment variable is PORTAL_ and the name in capitals, or that with _FILE for a file holding the value."""

    instance: Path
    secret_key: str = field(repr=False)
    database_url: str = ""
    base_url: str = "http://127.0.0.1:8000"
    host: str = "127.0.0.1"
    port: int = 8000
    threads: int = 8
    proxies: int = 0
    allow_http: bool = False
    allow_affected_sqlite: bool = False
    worker: str = "inline"
    mail_from: str = ""
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_security: str = "starttls"
    smtp_username: str = ""
    smtp_password: str = field(default="", repr=False)
    smtp_ca_file: str = ""
    mail_retry_seconds: int = 60
    invitation_hours: int = 24
    reset_minutes: int = 60
    max_upload: int = 100
    max_files: int = 1000
    forbidden_extensions: str = ""
    argon2_memory_mib: int = 64
    argon2_time: int = 3
    testing: bool = False
    # Names of the settings that were chosen here; they overrule what administrators set while the product runs.
    given: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name, (least, most) in LIMITS.items():
            if not least <= getattr(self, name) <= most:
                raise BadSettings(f"PORTAL_{name.upper()} is {getattr(self, name)}. It must be between {least} and {most}.")
        chosen = {f.name for f in fields(self) if f.name != "given" and f.default is not MISSING and getattr(self, f.name) != f.default}
        if self.mail_from == self._usual_sender:
            chosen.discard("mail_from")
        object.__setattr__(self, "given", self.given | chosen)
        if not self.database_url:
            object.__setattr__(self, "database_url", f"sqlite:///{self.instance / 'portal.sqlite'}")
        for prefix in ("postgres://", "postgresql://"):
            if self.database_url.startswith(prefix):  # the driver this product installs, whatever the shorter name stands for
                object.__setattr__(self, "database_url", "postgresql+psycopg://" + self.database_url.removeprefix(prefix))
        object.__setattr__(self, "base_url", _as_browsers_write(self.base_url.rstrip("/")))
        if not self.mail_from:
            object.__setattr__(self, "mail_from", self._usual_sender)
        self._check()

    def may_send_plainly(self, host: str) -> bool:
        """Whether letters may go to this mail server unencrypted."""
        return self.allow_http or is_loopback(host)

    def overrules(self, name: str) -> bool:
        """Whether the environment settles this, so that nobody can change it in the console."""
        return name in self.given

    @property
    def _usual_sender(self) -> str:
        return f"portal@{_split(self.base_url.rstrip('/')).hostname or 'localhost'}"

    @property
    def secure(self) -> bool:
        """Whether browsers reach the product over TLS."""
        return self.base_url.startswith("https://")

    @property
    def is_local(self) -> bool:
        """Whether it is reached from this machine only."""
        return is_loopback(urlsplit(self.base_url).hostname or "")

    @property
    def origin(self) -> str:
        """Scheme, host and port, as browsers send it in the Origin header."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def mail_folder(self) -> Path:
        """Where letters land as files while no SMTP server is configured."""
        return self.instance / "mail"

    def _check(self) -> None:
        if len(self.secret_key) < 32:
            raise BadSettings("PORTAL_SECRET_KEY is missing or shorter than 32 characters. Let 'portal serve' make one, or set your own.")
        parts = _split(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or any(parts[2:]):
            raise BadSettings(NOT_AN_ORIGIN)
        if not self.secure and not self.allow_http and not is_loopback(parts.hostname):
            raise BadSettings("PORTAL_BASE_URL uses http. Use https, or set PORTAL_ALLOW_HTTP=1 if you know why not.")
        _check_database(self.database_url)
        _one_of("PORTAL_WORKER", self.worker, "inline", "separate")
        _one_of("PORTAL_SMTP_SECURITY", self.smtp_security, "starttls", "tls", "none")
        if self.smtp_security == "none" and self.smtp_host and not self.may_send_plainly(self.smtp_host):
            raise BadSettings("PORTAL_SMTP_SECURITY=none would send mail unencrypted. Use starttls or tls.")
        if not self.testing and (self.argon2_memory_mib < 19 or self.argon2_time < 2):
            raise BadSettings("PORTAL_ARGON2_MEMORY_MIB must be at least 19 and PORTAL_ARGON2_TIME at least 2.")


def _split(base_url: str) -> SplitResult:
    try:
        parts = urlsplit(base_url)
        _ = parts.port  # read, it is checked
    except ValueError as error:
        raise BadSettings(NOT_AN_ORIGIN) from error
    return parts


def _check_database(url: str) -> None:
    """Refuse what no driver here understands; the sentence leaves the URL out, which may hold a password."""
    try:
        known = make_url(url).get_backend_name() in ("sqlite", "postgresql")
    except ArgumentError:
        known = False
    if not known:
        raise BadSettings("PORTAL_DATABASE_URL is not understood. Give sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.")


def _one_of(name: str, value: str, *allowed: str) -> None:
    if value not in allowed:
        raise BadSettings(f"{name} is {value!r}. It must be one of: {', '.join(allowed)}.")


def _as_browsers_write(base_url: str) -> str:
    """Small letters, no port that goes without saying: the Origin header is compared letter by letter."""
    parts = _split(base_url)
    if not parts.hostname or "@" in parts.netloc:
        return base_url  # not an address; _check says so
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = f":{parts.port}" if parts.port not in (None, USUAL_PORTS.get(parts.scheme)) else ""
    return parts._replace(netloc=f"{host}{port}").geturl()


def is_loopback(host: str) -> bool:
    """Whether the name or address stands for this machine itself."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def instance_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of everything that is kept: PORTAL_INSTANCE, else `instance` where the command was started."""
    return Path(environ.get("PORTAL_INSTANCE") or "instance").absolute()


def ensure_secret(instance: Path) -> str:
    """Read the instance's key, making folder and key on the first start; the key file is readable by its owner only."""
    instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = instance / "secret_key"
    if not path.exists():
        # Another process may start at the same time: the one whose link succeeds decides the key.
        draft = instance / f".secret_key.{secrets.token_hex(4)}"
        _write_anew(draft, secrets.token_urlsafe(48))
        _keep(draft, path)
        draft.unlink()
    return _existing_secret(instance)


def _keep(draft: Path, path: Path) -> None:
    """Give the whole key its name, unless another process was quicker."""
    with suppress(FileExistsError):
        try:
            os.link(draft, path)
        except FileExistsError:
            raise
        except OSError:  # a filesystem without links: whoever makes the file first writes it
            _write_anew(path, draft.read_text())
    for _ in range(40):  # only there can the other process have made the file and not have written it yet
        if path.stat().st_size:
            return
        time.sleep(0.05)


def _write_anew(path: Path, text: str) -> None:
    """Write a private file that must not exist yet, down to the disk."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def from_env(environ: Mapping[str, str] = os.environ, *, create: bool = False, **defaults: object) -> Settings:
    """Settings from the environment; `create` makes a missing instance folder and key; `defaults` give way to variables."""
    instance = Path(str(defaults.pop("instance", "")) or instance_folder(environ))
    values: dict[str, object] = dict(defaults, instance=instance)
    given: set[str] = set()
    known = {f.name: str(f.type) for f in fields(Settings) if f.name not in ("instance", "testing", "given")}
    for variable, text in environ.items():
        if not variable.startswith("PORTAL_") or variable == "PORTAL_INSTANCE" or variable.startswith("PORTAL_TEST_"):
            continue
        name = variable.removeprefix("PORTAL_").lower()
        if name not in known and name.endswith("_file") and name.removesuffix("_file") in known:
            name, text = name.removesuffix("_file"), _read(variable, text)
        if name not in known:
            raise BadSettings(f"{variable} is not a setting of this product. See the table in the README.")
        values[name] = _parse(variable, known[name], text)
        given.add(name)
    if "base_url" not in values:
        values["base_url"] = f"http://{values.get('host', '127.0.0.1')}:{values.get('port', 8000)}"
    if "secret_key" not in values:
        values["secret_key"] = ensure_secret(instance) if create else _existing_secret(instance)
    return Settings(**values, given=frozenset(given))  # type: ignore[arg-type]


def _existing_secret(instance: Path) -> str:
    path = instance / "secret_key"
    if not path.exists():
        return ""
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise BadSettings(f"{path.name} can be read by others. Run: chmod 600 {path}")
    return path.read_text().strip()


def _read(variable: str, path: str) -> str:
    try:
        return Path(path).read_text().rstrip("\n")
    except OSError as error:
        raise BadSettings(f"{variable} names a file that cannot be read: {error.strerror}.") from error


def _parse(variable: str, kind: str, text: str) -> object:
    if kind == "int":
        if not text.strip().isdecimal():
            raise BadSettings(f"{variable} is {text!r}. It must be a whole number.")
        if len(text.strip()) > 9:
            raise BadSettings(f"{variable} is too large.")
        return int(text)
    if kind == "bool":
        _one_of(variable, text.lower(), "1", "0", "true", "false", "yes", "no")
        return text.lower() in ("1", "true", "yes")
    return text
