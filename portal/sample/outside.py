"""What people outside bring along: incidents they reported themselves, and evidence they added to cases shared with them."""

from __future__ import annotations

from .shape import Clue, Moved, Paper, Reported, Said

REPORTS: tuple[Reported, ...] = (
    Reported(
        key="macro-application",
        title="Application with a document that wants to be “enabled”",
        by="beatriz",
        days_ago=2.9,
        began_before_hours=1.2,
        answers={
            "happened": (
                "An application came in for the position in payroll. The mail is polite and names the right reference number. The CV "
                "attached to it opens with a grey page that says:\n\n"
                "> This document is protected. Click *Enable content* to see it.\n\n"
                "I clicked it, then nothing happened for a while and the computer got slow. Now I am not sure I should have."
            ),
            "affected": "My laptop. The same mail went to our shared recruiting mailbox, which four of us read.",
            "done": "I have closed the document and told the others not to open it. The laptop is still on.",
            "matters": "There are applications and contracts of several hundred people on the drive I am connected to.",
        },
        items=("jonna.ferrel@careers-mail.example", "hxxps://files.careers-mail[.]example/cv/8841", "CV_Ferrel_Payroll.docm"),
        files=(
            Paper(
                "beatriz",
                0,
                "application.eml",
                (
                    "From: Jonna Ferrel <jonna.ferrel@careers-mail.example>",
                    "To: recruiting@northwind.example",
                    "Subject: Application, payroll specialist, reference HR-2207",
                    "",
                    "Dear hiring team, please find my CV attached.",
                ),
            ),
        ),
        assignee="minh",
        taken_after=0.3,
        severity=3,
        tags=("macro", "recruiting"),
        talk=(
            Said(
                "minh",
                0.3,
                "Thank you for telling us at once, that was exactly right. Please **take the laptop off the network** (switch Wi-Fi off, "
                "pull the cable) and leave it on. Somebody comes by within the hour with another one for you.",
                external=True,
            ),
            Said("beatriz", 0.5, "Done. It is on my desk, nobody touches it.", external=True),
            Said("adaeze", 3.0, "Loader for a remote tool, beaconed twice, nothing after that. Share not touched; sign-ins clean."),
            Said(
                "minh",
                5.0,
                "Good news: the document tried to fetch a program and we cut it off in time. Nothing on the recruiting drive was "
                "read or changed. Your own laptop comes back tomorrow, freshly set up.",
                external=True,
            ),
            Said("beatriz", 22.0, "I have it back, all works. I am so relieved. Thank you for not making me feel stupid.", external=True),
        ),
        moves=(
            Moved(
                "minh",
                26.0,
                "TruePositive",
                "A document with a macro was opened; its download was blocked. No data was read. Mails of this sender are refused now.",
                "NoImpact",
            ),
        ),
    ),
    Reported(
        key="bank-caller",
        title="Caller “from our bank” knew an unpaid invoice",
        by="noor",
        days_ago=1.3,
        began_before_hours=3.0,
        answers={
            "happened": (
                "A man called and said he was from the fraud desk of our bank. He knew the number and the amount of an invoice we have not "
                "paid yet, and wanted me to confirm a payment “so that it can be stopped”. I said I would call back. He got impatient."
            ),
            "affected": "Me, and whoever could see that invoice: our bookkeeping and the partner who ordered the work.",
            "done": "I did not confirm anything. I called our bank at the number I know: they did not call us.",
        },
        items=("+44 20 7946 0812", "callback@secure-bankdesk.example"),
        assignee="tobias",
        taken_after=1.0,
        severity=2,
        tags=("phone", "invoice"),
        talk=(
            Said("tobias", 1.1, "He must have read that invoice somewhere. Compare with the consented app: same week, same mailbox?"),
            Said(
                "tobias",
                1.3,
                "You did everything right. Two questions: by which way did the invoice reach you (mail, post, a portal), and who had it "
                "before you?",
                external=True,
            ),
        ),
    ),
    Reported(
        key="sign-in-prompts",
        title="My phone asks me all night to confirm a sign-in",
        by="marit",
        days_ago=0.2,
        began_before_hours=7.0,
        answers={
            "happened": "Since about midnight my phone asked eleven times whether I am signing in. I was asleep and did not touch it.",
            "affected": "My own account. It is an administrator of our mail.",
            "done": "I changed my password just now, from another computer. The questions have stopped.",
            "matters": "If I had pressed yes half asleep, they would have all our mail.",
        },
        items=("203.0.113.201",),
    ),
)

CLUES: dict[str, tuple[Clue, ...]] = {
    "harbourline-ransomware": (Clue("marit", 2.3, ("+48 58 555 01 42", "dispatch@forwarder-gdynia.example", "LAGER-PC-07")),),
    "servicedesk-phishing": (
        Clue("marit", 5.0, ("hxxps://mailbox-move.example[.]net/confirm", "desk@northw1nd.example")),
        Clue("kenji", 9.9, ("hxxps://mailbox-move.example[.]net/corvane",)),
    ),
}
