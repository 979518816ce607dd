"""What the team does on sample cases: tasks with their logs, and the templates cases begin with."""

from __future__ import annotations

from dataclasses import dataclass

from ..cases.tasks import Draft as Task
from ..cases.templates import Draft as Template


@dataclass(frozen=True)
class Planned:
    """A task, added `after` hours after the case was opened; `due` in days after that too; `log`: author and words of each entry."""

    by: str
    after: float
    title: str
    group: str = ""
    assignee: str = ""
    due: float | None = None
    mandatory: bool = False
    flagged: bool = False
    acts: tuple[str, ...] = ()
    log: tuple[tuple[str, str], ...] = ()
    description: str = ""


OF: dict[str, tuple[Planned, ...]] = {
    "harbourline-ransomware": (
        Planned("tobias", 0.5, "Cut HL-FS02 off the network", "Containment", "tobias", acts=("start", "complete")),
        Planned(
            "tobias",
            0.6,
            "Secure the memory of HL-FS02",
            "Containment",
            "adaeze",
            mandatory=True,
            acts=("start", "complete"),
            log=(("adaeze", "Image taken, **32 GB**. Hash in the evidence log, copy in the safe."),),
        ),
        Planned("tobias", 2.0, "Change every administrator and service password", "Eradication", "ines", 2.4, True, acts=("start",)),
        Planned("ines", 8.0, "List the copied folders for the insurer", "Scope", "minh", acts=("start", "complete")),
        Planned(
            "ines",
            30.0,
            "Hunt for the password spray at other clients",
            "Scope",
            "adaeze",
            5.5,
            flagged=True,
            acts=("start",),
            log=(("adaeze", "Two clients done, nothing found:\n\n- Kestrel & Vane\n- Corvane"),),
            description="Use the query from the conversation; look back **30 days**.",
        ),
        Planned("ines", 31.0, "Write the report for Harbourline's board", "", "ines", 3.3, True),
        Planned("ines", 31.2, "Agree on a date for the review", "", "", 9),
    ),
    "vendor-vpn": (
        Planned("sefa", 1.0, "Find every appliance of this version", "Scope", "sefa", acts=("start", "complete")),
        Planned("sefa", 2.0, "Install the fixed version at night", "Eradication", "sefa", 7, mandatory=True),
        Planned("sefa", 2.5, "Tell the clients who use it", "", "ines", 5.0),
    ),
    "leaver-files": (Planned("adaeze", 1.0, "Ask the store for its camera pictures", "", "adaeze", 5, acts=("start",)),),
}

PHISHING = Template(
    "Phishing",
    description="A mail that wants passwords, money or a click.",
    title_prefix="Phishing:",
    case_description="**Who got it?**\n\n**Who clicked or answered?**\n\n**What does it want?**",
    severity=2,
    tags=("phishing",),
    tasks=(
        Task("Get the original mail with its headers", group="Scope"),
        Task("Find everybody who got it", group="Scope", mandatory=True),
        Task("Block sender, links and files", group="Containment", mandatory=True),
        Task("Reset the passwords of those who clicked", group="Containment"),
        Task("Thank whoever reported it"),
    ),
)
RANSOMWARE = Template(
    "Ransomware",
    description="Files are encrypted, or somebody asks for money.",
    title_prefix="Ransomware:",
    severity=4,
    tags=("ransomware",),
    tasks=(
        Task("Cut what is hit off the network, powered on", group="Containment", mandatory=True),
        Task("Secure memory and disk", group="Containment", mandatory=True),
        Task("Check whether backups are clean and apart", group="Recovery", mandatory=True),
        Task("Find out whether data was copied out", group="Scope", mandatory=True),
    ),
)
