"""Lighthouse's marks for the portal's home and case page: `python -m bench.lighthouse` (needs chromium and npm's lighthouse)."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from bench.processes import demo, free_port

CATEGORIES = ("performance", "accessibility", "best-practices")
READER = "beatriz.quintanar@northwind.example"


def marks(program: str, url: str, port: int, *, desktop: bool) -> dict[str, int]:
    """The marks of one page, 0 to 100, in the Chromium that listens at `port` and is signed in; what cost points is printed."""
    options = ["--quiet", "--output=json", f"--port={port}", "--disable-storage-reset", f"--only-categories={','.join(CATEGORIES)}"]
    if desktop:
        options.append("--preset=desktop")
    done = subprocess.run([program, url, *options], check=True, capture_output=True, text=True, timeout=300)
    report = json.loads(done.stdout)
    found = {name: round(report["categories"][name]["score"] * 100) for name in CATEGORIES}
    for name in CATEGORIES:
        for part in report["categories"][name]["auditRefs"]:
            audit = report["audits"][part["id"]]
            if part["weight"] and audit["score"] is not None and audit["score"] < 1:
                print(f"    {name}: {audit['title']} {audit.get('displayValue', '')}")
    return found


def _sign_in(page: Page, url: str, password: str) -> str:
    """Sign in as the sample world's reader; the address of one of their cases."""
    page.goto(f"{url}/portal/sign-in")
    page.fill("input[name=email]", READER)
    page.fill("input[name=password]", password)
    page.get_by_role("button", name="Sign in").click()
    return url + str(page.locator("a[href*='/portal/cases/']:has(.number)").first.get_attribute("href"))


def main() -> None:
    """Print the marks; end with 1 when one of them is below 100."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bin", default=shutil.which("lighthouse") or "lighthouse", help="the lighthouse program")
    program, worst = options.parse_args().bin, 100
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        server, port = demo(Path(folder) / "instance"), free_port()
        try:
            arguments = ["--no-sandbox", f"--remote-debugging-port={port}"]
            # Lighthouse opens tabs of the browser's own profile, so that is where somebody must be signed in.
            profile = play.chromium.launch_persistent_context(f"{folder}/browser", executable_path=shutil.which("chromium"), args=arguments)
            case = _sign_in(profile.pages[0], server.url, (Path(folder) / "instance" / "sample-password").read_text().strip())
            for name, url in (("home", f"{server.url}/portal/"), ("case", case)):
                for desktop in (False, True):
                    found = marks(program, url, port, desktop=desktop)
                    print(f"{name:5} {'desktop' if desktop else 'phone  '}", *(f"{key} {value}" for key, value in found.items()), sep="  ")
                    worst = min(worst, *found.values())
            profile.close()
        finally:
            server.stop()
    sys.exit(worst < 100)


if __name__ == "__main__":
    main()
