"""What was found in the cases: addresses, names, hashes and one file, some of them in more than one case."""

from __future__ import annotations

from .shape import Trace

OF: dict[str, tuple[Trace, ...]] = {
    "harbourline-ransomware": (
        Trace(
            "sefa",
            1.5,
            ("203.0.113.47", "198[.]51[.]100[.]23", "hxxps://198[.]51[.]100[.]23/upload", "C:\\ProgramData\\hlp\\upd.exe"),
            message="From the EDR timeline and the proxy logs.",
            tags=("ransomware", "exfiltration"),
            ioc=True,
            sighted=True,
        ),
        Trace(
            "sefa",
            1.6,
            ("9f2c1d7ab3e04c5586a1d0e97b46c3f2a80d15be6a7c94f3120b8e5d6f7a9c01",),
            message="`upd.exe`, the encryptor.",
            ioc=True,
        ),
        Trace(
            "tobias",
            2.0,
            ("Your network is locked.", "Do not rename the files.", "Contact: help-desk(at)restore-hlp[.]example"),
            message="The note that lay in every folder.",
            tags=("ransom-note",),
            file="HOW_TO_RESTORE.txt",
        ),
    ),
    "harbourline-invoice": (
        Trace(
            "adaeze",
            2.0,
            ("harbour1ine[.]example", "192.0.2.88"),
            message="The lookalike domain and its mail server.",
            tags=("lookalike",),
            ioc=True,
        ),
    ),
    "servicedesk-phishing": (
        Trace(
            "minh",
            1.0,
            ("hxxps://login-servicedesk[.]example/sso", "192.0.2.64", "198.51.100.77"),
            message="The proxy and the replay.",
            ioc=True,
        ),
        Trace("minh", 1.2, ("Subject: Your password expires today",), tags=("phishing",), sighted=True),
    ),
    "second-phishing-report": (Trace("adaeze", 0.5, ("192.0.2.64",), message="The same kit.", ioc=True, sighted=True),),
    "vendor-vpn": (Trace("sefa", 0.6, ("203.0.113.92",), message="Source of the sign-in.", ioc=True, sighted=True),),
    "vendor-update": (Trace("sefa", 1.0, ("198.51.100.210", "LineView.exe"), message="First-seen destination and its parent process."),),
}
