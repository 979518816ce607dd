"""Refresh what is vendored from npm packages: `./run.sh vendor`.

Versions and digests are pinned here; to update one, change both and look at the diff. htmx and its CSP extension are
copied as they are, less the pointer to a map. The icon sprite is drawn anew from the names of the symbols it holds.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

STATIC = Path(__file__).resolve().parents[1] / "portal" / "static"
SPRITE = STATIC / "icons.svg"


@dataclass(frozen=True)
class Package:
    """An npm package, its version and the SHA-512 (base64) of its archive."""

    name: str
    version: str
    sha512: str


HTMX = Package("htmx.org", "4.0.1", "oF7JgXhDW9UXCy/k1ZYFUQgzu/rm19ORWPSPNL91vPluB2PB9+MV55tyQdH/w7o2EAbTYUG5SDW1R60mdkdqGg==")
ICONS = Package("lucide-static", "1.62.0", "WBZA/m2PvkFpMGHDtsBck5P2A9G4ehLlYu4GwwICcmEm1BvYVgj00lCDxKRWLlbMlOibLaiwdQ88G5pHkSWgwA==")
HTMX_FILES = ("dist/htmx.min.js", "dist/ext/hx-csp.min.js", "LICENSE")


def fetch(package: Package, folder: Path) -> tarfile.TarFile:
    """Let npm download the archive, and check that it is the one that was looked at."""
    if not shutil.which("npm"):
        sys.exit("needs npm")
    command = ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
    name = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.split()[-1]
    archive = folder / name
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != package.sha512:
        sys.exit(f"{package.name} {package.version} is not what was pinned: {digest}")
    return tarfile.open(archive)


def _read(archive: tarfile.TarFile, path: str) -> bytes:
    member = archive.extractfile(f"package/{path}")
    if member is None:
        sys.exit(f"{path} is not in the package")
    return member.read()


def copy_htmx(folder: Path) -> None:
    """vendor/htmx-<version>/, replacing every older one."""
    with fetch(HTMX, folder) as archive:
        files = {Path(path).name: _read(archive, path) for path in HTMX_FILES}
    for old in (STATIC / "vendor").glob("htmx-*"):
        shutil.rmtree(old)
    target = STATIC / "vendor" / f"htmx-{HTMX.version}"
    target.mkdir(parents=True)
    for name, content in files.items():
        # A map beside the file is not shipped, so nobody is told to look for one.
        (target / name).write_bytes(re.sub(rb"\n?//# sourceMappingURL=\S+\s*$", b"\n", content))


def draw_icons(folder: Path) -> None:
    """icons.svg: the inside of each symbol, from the pinned package; frame, licence and symbols of our own stay."""
    with fetch(ICONS, folder) as archive:
        known = set(archive.getnames())

        def redraw(symbol: re.Match[str]) -> str:
            path = f"icons/{symbol['name']}.svg"
            if f"package/{path}" not in known:
                return symbol[0]
            return f"{symbol['start']}{''.join(_shapes(_read(archive, path).decode()))}</symbol>"

        text = re.sub(r'(?P<start><symbol id="(?P<name>[^"]+)"[^>]*>).*?</symbol>', redraw, SPRITE.read_text(), flags=re.DOTALL)
    SPRITE.write_text(text)


def _shapes(drawing: str) -> list[str]:
    shapes = re.findall(r"<(?:path|circle|rect|line|polyline|polygon|ellipse)\b[^>]*/>", drawing)
    return [re.sub(r"\s+", " ", shape).replace(" />", "/>") for shape in shapes]


def main() -> None:
    """Refresh both and say what is there now."""
    with tempfile.TemporaryDirectory() as folder:
        copy_htmx(Path(folder))
        draw_icons(Path(folder))
    print(f"htmx {HTMX.version} and the icons of lucide {ICONS.version} are in place; see git diff")


if __name__ == "__main__":
    main()
