"""Files on the sample cases: some for the team only, some for the people the case is shared with."""

from __future__ import annotations

from .shape import Paper

_PROXY = "2026-10-02T{:02}:14:07Z hl-fs02 CONNECT 198.51.100.23:443 {} bytes"
OF: dict[str, tuple[Paper, ...]] = {
    "harbourline-ransomware": (
        Paper("sefa", 1.7, "proxy-hl-fs02.log", tuple(_PROXY.format(hour, hour * 48_211) for hour in range(1, 24))),
        Paper(
            "tobias",
            2.8,
            "what-to-do-first.md",
            (
                "# The first hour",
                "",
                "1. Unplug the network cable of every machine that shows the note. Leave it switched on.",
                "2. Do not sign in with an administrator account anywhere.",
                "3. Write down who noticed what, and when.",
                "4. Call us before you restore anything.",
            ),
            external=True,
        ),
        Paper(
            "tobias",
            3.0,
            "shares-affected.csv",
            ("share,files,encrypted", "scans,184220,yes", "customs,52817,yes", "personnel,9034,partly", "archive-2024,771903,no"),
            external=True,
        ),
    ),
    "servicedesk-phishing": (
        Paper(
            "minh",
            0.9,
            "example-of-the-mail.txt",
            (
                "From: Northwind Service Desk <desk@northw1nd.example>",
                "Subject: Your mailbox moves tonight",
                "",
                "Confirm your password here:",
            ),
            external=True,
        ),
        Paper(
            "marit",
            5.0,
            "mail-with-headers.eml",
            (
                "Received: from mta7.northw1nd.example (192.0.2.88) by mx.harbourline.example",
                "From: Northwind Service Desk <desk@northw1nd.example>",
                "Subject: Your mailbox moves tonight",
                "",
                "Confirm your mailbox: hxxps://mailbox-move.example[.]net/confirm",
            ),
            external=True,
        ),
    ),
}
