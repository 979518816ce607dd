"""Sets the HTML on its standard input as PDF on its standard output: a program of its own, which knows nothing of this product."""

from __future__ import annotations

import os
import sys
from typing import Any

MEMORY = 1536 * 1024 * 1024
LARGEST = 64 * 1024 * 1024
NO_LIBRARY = 3


def keep_within(seconds: int) -> None:
    """Where the system can, it ends this process itself when it takes more than its share."""
    try:
        import resource
    except ImportError:
        return
    for what, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_FSIZE, LARGEST)):
        resource.setrlimit(what, (most, most))


def main() -> int:
    """The exit code."""
    keep_within(int(sys.argv[1]))
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except (ImportError, OSError) as error:  # without the library, or without Pango beneath it
        print(error, file=sys.stderr)  # noqa: T201
        return NO_LIBRARY

    class Nothing(URLFetcher):  # type: ignore[misc]
        """A document is whole by itself: nothing is fetched for it, from nowhere."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            raise ValueError(f"refused to fetch {url}")

    html = sys.stdin.buffer.read().decode()
    HTML(string=html, url_fetcher=Nothing()).write_pdf(sys.stdout.buffer, pdf_variant="pdf/ua-1")
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # the libraries beneath were seen to crash while they were taken down, with the document long written
