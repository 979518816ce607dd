"""Indicators as text: written harmlessly, turned back, guessed, checked and compared; every step takes time in proportion to the text."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import unicodedata

from ..words import Number, Wording, _, later

LONGEST_VALUE = 4096
# Types whose dots and signs people write harmlessly. In a regular expression or a file name "[.]" means itself.
FANGED = frozenset({"ip", "domain", "fqdn", "hostname", "url", "mail"})
NAMES = frozenset({"domain", "fqdn", "hostname"})
HASHES = {32: "MD5", 40: "SHA-1", 64: "SHA-256", 128: "SHA-512"}
# Endings that are those of files rather than of domains; what is both (com, sh, pl, py) counts as a domain.
ENDINGS = frozenset(
    {
        *("7z", "apk", "bat", "bin", "bmp", "cab", "chm", "class", "cmd", "cpl", "csv", "dat", "dll", "dmg", "doc", "docm", "docx"),
        *("dot", "dotm", "dylib", "elf", "eml", "exe", "gif", "gz", "hta", "htm", "html", "img", "iso", "jar", "jpeg", "jpg", "js"),
        *("jse", "json", "lnk", "log", "msc", "msg", "msi", "odt", "one", "pdf", "php", "png", "ppt", "pptm", "pptx", "ps1"),
        *("psm1", "rar", "reg", "rtf", "scr", "svg", "swf", "sys", "tar", "tmp", "txt", "vbe", "vbs", "wsf", "xls", "xlsb", "xlsm"),
        *("xlsx", "xml", "zip"),
    }
)
SHARED_ENDINGS = frozenset({"ac", "co", "com", "edu", "gov", "net", "org"})  # as in example.co.uk: a domain of three labels

_DOT = re.compile(r"[\[({] ?(?:\.|dot) ?[\])}]", re.IGNORECASE)
_AT = re.compile(r"[\[({] ?(?:@|at) ?[\])}]", re.IGNORECASE)
_SIGN = re.compile(r"[\[({](:|/|://|:/)[\])}]")
_SCHEME = re.compile(r"^(?:h(?:xx|tx|xt|\*\*|__)p(s?)|(fxp))(?=:)", re.IGNORECASE)
_URL = re.compile(r"^(?:https?|ftps?|sftp|ssh|smb|ldaps?|wss?|tcp|udp|file)://[^\s/?#]", re.IGNORECASE)
_LABEL = re.compile(r"^[\w](?:[\w-]{0,61}[\w])?$")
_MAIL = re.compile(r"^[^\s@<>()\[\],;:\"]{1,64}@[^\s@]{1,255}$")
_HEX = re.compile(r"^[0-9A-Fa-f]+$")
_AS = re.compile(r"^AS ?([0-9]{1,10})$", re.IGNORECASE)
_PHONE = re.compile(r"^\+[0-9][0-9 ().\-/]{5,24}$")
_REGISTRY = re.compile(r"^(?:HKEY_[A-Z_]{4,30}|HKLM|HKCU|HKCR|HKU|HKCC)(?:\\|:)", re.IGNORECASE)
_DRIVE = re.compile(r"^(?:[A-Za-z]:\\|\\\\[^\\]|%[A-Za-z]{2,30}%\\)")
_AGENT = re.compile(r"^(?:Mozilla|curl|Wget|python-requests|Go-http-client|okhttp|PowerShell|WindowsPowerShell)/[0-9]", re.IGNORECASE)
_SUBJECT = re.compile(r"^(?:re|aw|fwd?|wg|subject) ?: ", re.IGNORECASE)

# What is said about an observable, in words.
FACETS = {"ioc": "IOC", "sighted": "sighted", "tlp": "TLP", "pap": "PAP"}
WRONG = Wording(
    {
        "ip": later("This is not an IP address or network like 192.0.2.7, 2001:db8::7 or 192.0.2.0/24."),
        "domain": later("This is not a domain like example.org."),
        "fqdn": later("This is not a full host name like mail.example.org."),
        "hostname": later("This is not the name of a computer like pc-17 or mail.example.org."),
        "url": later("This is not a web address. It begins with what it is opened with, as in https://example.org/login."),
        "mail": later("This is not an e-mail address like name@example.org."),
        "hash": later("This is not an MD5, SHA-1, SHA-256 or SHA-512 hash: those have 32, 40, 64 or 128 digits from 0 to 9 and a to f."),
        "autonomous-system": later("This is not the number of an autonomous system like AS64500."),
    }
)


def refang(text: str) -> str:
    """The text as machines write it: http for hxxp, dots and @ out of their brackets, nothing invisible."""
    seen = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf")).strip()
    seen = _AT.sub("@", _DOT.sub(".", _SIGN.sub(r"\1", seen)))
    return _SCHEME.sub(lambda found: "ftp" if found[2] else f"http{found[1].lower()}", seen)


def defang(kind: str, value: str) -> str:
    """The value as it can be shown and mailed: no program makes a link of it, and nothing in it turns the text around."""
    if kind == "url":
        scheme, sign, rest = value.partition("://")
        host = re.match(r"[^/?#]*", rest)
        end = host.end() if host else 0
        scheme = scheme.replace("tt", "xx").replace("TT", "XX") if scheme.lower().startswith("http") else scheme
        value = f"{scheme}{sign}{rest[:end].replace('.', '[.]')}{rest[end:]}"
    elif kind == "mail":
        name, _, domain = value.rpartition("@")
        value = f"{name}[@]{domain.replace('.', '[.]')}" if name else value.replace(".", "[.]")
    elif kind in FANGED:
        value = value.replace(".", "[.]")
        value = value.replace(":", "[:]") if kind == "ip" else value
    return visible(value)


def visible(value: str) -> str:
    """The text with its invisible characters written out."""
    return "".join(f"[U+{ord(c):04X}]" if unicodedata.category(c) in ("Cc", "Cf") and c not in "\n\t" else c for c in value)


def guess(text: str) -> str:
    """The likeliest type of a value; `other` where there is none."""
    if len(text) > LONGEST_VALUE or "\n" in text:
        return "other"
    value = refang(text)
    return next((kind for kind, fits in _GUESSES if fits(value)), "other")


def fitting(kind: str, text: str) -> str:
    """The value as it is kept for this type."""
    value = refang(text) if kind in FANGED else text.strip()
    return value.lower() if kind == "hash" else value


def problem_with(kind: str, value: str) -> str | None:
    """Why a value cannot be of the type, in a sentence; types of their own take anything."""
    if not value:
        return _("There is nothing in this line.")
    if len(value) > LONGEST_VALUE:
        return _("This is longer than %(most)s characters. Add it as a file instead.", most=Number(LONGEST_VALUE))
    check = _CHECKS.get(kind)
    return WRONG[kind] if check and not check(value) else None


def key_of(kind: str, value: str) -> str:
    """What makes two observables the same: SHA-256 over the type and the value without differences that mean nothing."""
    return hashlib.sha256(f"{kind}\0{normal(kind, value)}".encode()).hexdigest()


def key_of_file(kind: str, sha256: str) -> str:
    """The same for a file: the type and the content, whatever it is called."""
    return hashlib.sha256(f"{kind}\0{sha256}".encode()).hexdigest()


def normal(kind: str, value: str) -> str:
    """The value without what makes no difference: case of names, dots at the end, ways of writing an address."""
    if kind == "ip":
        return _address(value) or value.lower()
    if kind in NAMES:
        return _name(value)
    if kind == "mail":
        user, _, domain = value.rpartition("@")
        return f"{user.lower()}@{_name(domain)}"
    if kind == "url":
        return _web_address(value)
    if kind == "autonomous-system" and (number := _AS.match(value)):
        return f"AS{int(number[1])}"
    if kind == "phone":
        return "".join(c for c in value if c.isdigit() or c == "+")
    return value.lower() if kind in ("hash", "filename", "registry") else value


def _name(value: str) -> str:
    name = value.rstrip(".").lower()
    if name.isascii() or len(name) > 253:
        return name
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return name


def _web_address(value: str) -> str:
    scheme, sign, rest = value.partition("://")
    found = re.match(r"[^/?#]*", rest)
    end = found.end() if found else 0
    user, at, host = rest[:end].rpartition("@")
    path = rest[end:] if rest[end:] != "/" else ""
    return f"{scheme.lower()}{sign}{user}{at}{_name(host)}{path}"


def _address(value: str) -> str | None:
    """The usual way to write an address or network; None for anything else."""
    if len(value) > 64:
        return None
    try:
        if "/" in value:
            return str(ipaddress.ip_network(value, strict=False))
        return str(ipaddress.ip_address(value.removeprefix("[").removesuffix("]")))
    except ValueError:
        return None


def _is_address(value: str) -> bool:
    return _address(value) is not None


def _labels(value: str) -> list[str]:
    """The labels of a name; none when it is not one."""
    if len(value) > 253:
        return []
    labels = value.removesuffix(".").split(".")
    return labels if all(_LABEL.match(label) for label in labels) else []


def _is_full_name(value: str) -> bool:
    labels = _labels(value)
    return len(labels) > 1 and not labels[-1].isdigit() and (len(labels[-1]) > 1)


def _is_domain(value: str) -> bool:
    labels = _labels(value)
    short = len(labels) == 2 or (len(labels) == 3 and len(labels[-1]) == 2 and labels[-2].lower() in SHARED_ENDINGS)
    return short and _is_full_name(value)


def _is_mail(value: str) -> bool:
    domain = value.rpartition("@")[2]
    return bool(_MAIL.match(value)) and (_is_full_name(domain) or bool(_labels(domain)))


def _is_url(value: str) -> bool:
    return bool(_URL.match(value)) and not any(c.isspace() for c in value)


def _is_hash(value: str) -> bool:
    return len(value) in HASHES and bool(_HEX.match(value))


def _is_filename(value: str) -> bool:
    if _DRIVE.match(value):
        return True
    stem, dot, ending = value.rpartition(".")
    return bool(stem and dot) and ending.lower() in ENDINGS and not any(sign in value for sign in '/\\:*?"<>|')


def _is_path(value: str) -> bool:
    return value.startswith("/") and len(value) > 1 and not any(c.isspace() for c in value)


def _is_number(value: str) -> bool:
    found = _AS.match(value)
    return bool(found) and int(found[1]) < 2**32 if found else False


_CHECKS = {
    "ip": _is_address,
    "domain": _is_full_name,
    "fqdn": _is_full_name,
    "hostname": lambda value: bool(_labels(value)),
    "url": _is_url,
    "mail": _is_mail,
    "hash": _is_hash,
    "autonomous-system": _is_number,
}
_GUESSES = (
    ("ip", _is_address),
    ("hash", _is_hash),
    ("url", _is_url),
    ("mail", _is_mail),
    ("registry", lambda value: bool(_REGISTRY.match(value))),
    ("regexp", lambda value: value.startswith("^") and value.endswith("$") and len(value) > 2),
    ("user-agent", lambda value: bool(_AGENT.match(value))),
    ("filename", _is_filename),
    ("autonomous-system", _is_number),
    ("phone", lambda value: bool(_PHONE.match(value)) and 7 <= sum(c.isdigit() for c in value) <= 15),
    ("domain", _is_domain),
    ("fqdn", _is_full_name),
    ("mail-subject", lambda value: bool(_SUBJECT.match(value))),
    ("uri_path", _is_path),
)
