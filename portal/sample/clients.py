"""Cases worked together with clients."""

from __future__ import annotations

from .shape import Case, Moved, Said

CASES: tuple[Case, ...] = (
    Case(
        key="harbourline-ransomware",
        title="Ransomware on Harbourline's file server HL-FS02",
        description=(
            "Files on **HL-FS02** were encrypted during the night. Users see names ending in `.k7lock` and a note called "
            "`READ_FIRST.txt` in every folder. The server was taken off the network about five hours after the first file changed.\n\n"
            "What we know so far:\n\n"
            "| Share | State | Last good backup |\n|---|---|---|\n"
            "| `Dispatch` | encrypted | the evening before |\n"
            "| `Customs` | encrypted | the evening before |\n"
            "| `Finance` | partly encrypted | the evening before |\n"
            "| `Archive` | untouched | not needed |\n\n"
            "Please **do not pay, do not reply to the note, and do not switch HL-FS02 off**: its memory is evidence. Everything you "
            "notice is welcome here, however small it seems."
        ),
        severity=4,
        tlp=2,
        pap=2,
        tags=("ransomware", "file-server", "client:Harbourline"),
        opened_by="tobias",
        assignee="tobias",
        days_ago=3.2,
        started_before_hours=5.5,
        access="external",
        shared_with=("marit", "declan"),
        shared_by="ines",
        shared_after=1.2,
        talk=(
            Said(
                "tobias",
                0.4,
                "First look at the EDR timeline. Encryptor ran as `svc_backup` from `C:\\ProgramData\\hlp\\upd.exe`:\n\n"
                "- SHA-256 `5e1c0b7fd9a84326b1f05c9d7e3a6281f4b7c05d92ae6138d0c4f7b2593e8a16`\n"
                "- logon type 10 from **HL-TS01**, which had a session from `203.0.113.47` before that\n"
                "- shadow copies deleted with `vssadmin`, our rule *R-0412* fired and sat in the queue for 50 minutes",
            ),
            Said(
                "adaeze",
                1.0,
                "Memory image of HL-FS02 taken (32 GB, hash in the evidence log). Not telling the client about the 50 minutes before "
                "Inês has.",
            ),
            Said(
                "tobias",
                1.5,
                "HL-FS02 is cut off from your network and we have secured its memory. Two things would help us most now:\n\n"
                "1. Who can sign in to the terminal server HL-TS01 from outside, and does that ask for a second factor?\n"
                "2. Please keep the backup system **disconnected** until we have looked at it together.",
                external=True,
            ),
            Said(
                "marit",
                2.1,
                "Backup box is unplugged, I did it myself. About HL-TS01: it *should* be VPN only, but the forwarder in Gdynia had a "
                'direct rule since last summer "for two weeks". It is still there. I feel sick. No second factor on that one.\n\n'
                "Dispatch is working from paper and phones. How long are we talking about?",
                external=True,
            ),
            Said(
                "tobias",
                2.6,
                "Please close that rule now and do not blame yourself for it, finding it this early saves us a day. An honest guess: "
                "`Dispatch` and `Customs` back from backup **within two working days**, if the backups prove clean. We will know that by "
                "this evening.",
                external=True,
            ),
            Said(
                "minh",
                6.0,
                "Proxy logs: 41 GB from HL-TS01 to `198.51.100.23:443` in the two nights before, rclone user agent. So there **was** "
                "exfiltration. Paths in the prefetch point at `Finance\\Payroll` and `Customs\\2019-2023`. Need Inês before this goes "
                "out.",
            ),
            Said(
                "ines",
                7.5,
                "Called Declan Forsythe and told him in person, the 50 minutes included. He tells their board and insurer. We may write "
                "it here now.",
            ),
            Said(
                "tobias",
                8.0,
                "The backups are clean up to the evening before the attack, you can restore from them once the new server is ready.\n\n"
                "The less good news, as Inês told Declan on the phone: **data was copied out** before the encryption. Payroll and older "
                "customs papers are likely among it. If people's data is involved, the time limit for telling your regulator is running "
                "(usually 72 hours), so please bring in your data protection adviser today.",
                external=True,
            ),
            Said(
                "marit",
                9.3,
                "Understood. Declan has our lawyer on it and the insurer wants a list of affected folders by tomorrow. Can you give us "
                "one? New server HL-FS03 is racked, nothing joined to the domain yet as you said.",
                external=True,
            ),
            Said(
                "adaeze",
                27.0,
                "Initial access confirmed: password spray on HL-TS01, 2,300 attempts, hit on `gdy_forward` (password was the company "
                "name and a year). `svc_backup` was in Domain Admins. Hunting for that pattern at the other clients too:\n\n"
                "```\nEventID=4625 | stats dc(TargetUserName) as n by IpAddress | where n > 40\n```",
            ),
            Said(
                "tobias",
                30.5,
                "The list for your insurer is ready: 1,874 folders, with the ones we believe were copied marked. I am sending it to "
                "Declan by the usual encrypted way. Next steps, in this order:\n\n"
                "- change **every** administrator and service password from a clean computer\n"
                "- join HL-FS03 to the domain\n"
                "- restore `Dispatch`, then `Customs`, then `Finance`",
                external=True,
            ),
            Said(
                "marit",
                52.0,
                "Dispatch is live on HL-FS03 since this morning, drivers cheered. Customs is copying. One thing: a print server shows "
                "sign-ins from svc_backup *after* we changed its password, all failed. Is that something?",
                external=True,
            ),
            Said(
                "adaeze",
                54.0,
                "Looked at Marit's print server: a forgotten scheduled task with the old password, not the actor. Still, isolated it and "
                "took a triage image.",
            ),
        ),
        moves=(Moved("tobias", 0.3, "InProgress"),),
    ),
    Case(
        key="harbourline-invoice",
        title="Invoice fraud: changed bank details in a supplier's mail thread",
        description=(
            "Harbourline's accounts team received a reply **inside a real mail thread** with a tyre supplier, asking to pay two open "
            "invoices (together **EUR 86,420**) to a new account. The first one, EUR 31,150, was paid before the supplier asked about it "
            "by phone.\n\n"
            "The address differed by one letter from the supplier's. The thread itself was genuine, so one of the two mailboxes had been "
            "read by somebody else. This case is about finding out which, stopping it, and getting the money back if it can be got."
        ),
        severity=3,
        tlp=2,
        pap=1,
        tags=("bec", "fraud", "client:Harbourline"),
        opened_by="minh",
        assignee="minh",
        days_ago=46.0,
        started_before_hours=52.0,
        access="external",
        shared_with=("marit", "declan", "yusuf"),
        shared_by="ines",
        shared_after=0.8,
        talk=(
            Said(
                "minh",
                1.0,
                "Most urgent: please call your bank's fraud desk **now** and ask for a recall of the payment, then report it to the "
                "police. The first 48 hours decide. Note the reference numbers here, we will need them.",
                external=True,
            ),
            Said(
                "yusuf",
                1.6,
                "Bank called, recall reference is RC-55120-7. I was the one who released it. The mail quoted our own order numbers, I "
                "would have sworn it was Petra from the supplier. Sorry.",
                external=True,
            ),
            Said(
                "minh",
                3.2,
                "Harbourline side looks clean: no forwarding rules, no odd sign-ins in 90 days of unified audit log for the three "
                "mailboxes. Lookalike domain registered 6 days before, MX on `192.0.2.88`, same registrant mail as in our case about the "
                "towing company last year.",
            ),
            Said(
                "minh",
                5.0,
                "We found no sign of anybody in your mailboxes, so the reading most likely happened **at the supplier**. Please tell "
                "them by phone, on a number you already had, that they should have theirs checked. And Yusuf: these mails are made by "
                "professionals to fool careful people.",
                external=True,
            ),
            Said(
                "yusuf",
                31.0,
                "Supplier confirms! Their IT found a rule in Petra's mailbox that moved our replies to the RSS folder. And the bank says "
                "EUR 31,150 was frozen at the receiving bank.",
                external=True,
            ),
            Said(
                "ines",
                33.0,
                "Receiving account belongs to a money mule named in the police's reply (do not pass on, ongoing investigation, contact "
                "Insp. Brandvold).",
            ),
            Said(
                "marit",
                120.5,
                "We now have a call-back rule for every change of bank details, two people, number from our own records. Mail banner for "
                "new senders is on as well.",
                external=True,
            ),
            Said(
                "minh",
                265.0,
                "The money is back in full and the call-back rule is exactly the right cure, so we close the case here. Thank you all.",
                external=True,
            ),
        ),
        moves=(
            Moved("minh", 0.5, "InProgress"),
            Moved(
                "minh",
                265.2,
                "TruePositive",
                "Payment recalled in full. Every change of bank details is now confirmed by a call.",
                "NoImpact",
            ),
        ),
    ),
    Case(
        key="kestrel-consent",
        title="A partner's mailbox at Kestrel & Vane opened by a malicious app",
        description=(
            "A partner received a mail that seemed to come from a planning authority and led to a **genuine Microsoft sign-in page**. "
            "There he was asked to let an app called *PlanView Document Reader* read his mail, and agreed.\n\n"
            "- No password was typed into a false page, and changing the password alone does **not** end this.\n"
            "- The app could read and send mail from one mailbox until we removed its permission.\n"
            "- We are finding out what was read, and whether anybody else agreed to the same app."
        ),
        severity=3,
        tlp=2,
        pap=2,
        tags=("phishing", "oauth-consent", "client:Kestrel"),
        opened_by="minh",
        assignee="minh",
        days_ago=1.3,
        started_before_hours=19.0,
        access="external",
        shared_with=("noor", "gareth"),
        shared_by="ines",
        shared_after=1.0,
        talk=(
            Said(
                "minh",
                0.5,
                "Grant found by the nightly consent diff, not by a user report. App id `7b1f6c02-55d1-4a0e-9c37-e20b1d4f8a95`, scopes "
                "`Mail.ReadWrite Mail.Send offline_access`, tenant consent policy allowed *unverified* publishers. Revoked the grant and "
                "all refresh tokens.",
            ),
            Said(
                "minh",
                1.4,
                "Hello Noor, hello Gareth. The app is shut out of the mailbox since an hour ago. Gareth, you did nothing foolish: the "
                "sign-in page was real, only the app was not. Could you tell us **which mails of the last two days** you did not write "
                "yourself? A look into *Sent* and *Deleted* is enough.",
                external=True,
            ),
            Said(
                "noor",
                2.7,
                "Gareth is on site until the evening, I am answering for him. His Sent folder looks normal to me, but two clients have "
                'just rung to ask about "the drawings link". He sent no drawings. What do I tell them? They are not amused.',
                external=True,
            ),
            Said(
                "minh",
                3.1,
                "Thank you, that is important. You can tell them this, word for word:\n\n"
                "> A mail with a link was sent from Gareth's mailbox without his knowledge. Please do not open it. If you did and agreed "
                "to an app there, tell your IT at once. The mailbox is safe again.\n\n"
                "We are pulling the list of everyone who received it.",
                external=True,
            ),
            Said(
                "tobias",
                4.8,
                "MailItemsAccessed: 2,912 items from `198.51.100.140` (hosting, same /24 as in the last wave). Search terms in Graph "
                "calls: `invoice`, `IBAN`, `tender`. 63 recipients got the link, 9 of them outside the usual contacts. One is **a "
                "Northwind buyer**, opening a separate check.",
            ),
            Said(
                "minh",
                6.2,
                "63 people received the mail; Noor has the list by encrypted mail. Nobody else in your practice agreed to the app. From "
                "now on only apps we have approved together can ask for access, so this door is closed for everyone.",
                external=True,
            ),
            Said(
                "noor",
                22.4,
                "All 63 called or written to, it took three of us the whole morning. Two had clicked, their IT people know. Is there a "
                "chance that the tender papers for the concert hall were read? The deadline is next week and Gareth is quite worried.",
                external=True,
            ),
            Said(
                "minh",
                24.0,
                "Two messages in the tender folder were opened through the app, both with attachments. Drafting the answer, want a "
                "second pair of eyes on the wording.",
            ),
        ),
        moves=(Moved("minh", 0.4, "InProgress"),),
    ),
    Case(
        key="kestrel-webshell",
        title="Web shell on Kestrel & Vane's project exchange",
        description=(
            "The public server on which Kestrel & Vane exchanges drawings with builders held a file that allowed a stranger to run "
            "commands on it (a *web shell*). It came in through a flaw in the upload form, for which an update had been available for "
            "nine days.\n\n"
            "The server stands apart from the office network. It was rebuilt from scratch; drawings were compared with the copies in the "
            "office and had not been changed."
        ),
        severity=3,
        tlp=2,
        pap=2,
        tags=("web-shell", "exploit", "client:Kestrel"),
        opened_by="adaeze",
        assignee="adaeze",
        days_ago=33.5,
        started_before_hours=71.0,
        access="external",
        shared_with=("noor",),
        shared_by="ines",
        shared_after=3.0,
        talk=(
            Said(
                "adaeze",
                0.9,
                "`/var/www/exchange/up/thumb_0931.php`, SHA-256 `c20f6e9b41d87a53e6b9027f18d4ca35709be2641fd83c5a90e7b16d42fc8093`. 14 "
                "commands run, all from `192.0.2.201`: `id`, `uname`, reading `config.php`, then a failed try to reach the office VPN. "
                "Web logs preserved.",
            ),
            Said(
                "adaeze",
                3.3,
                "Noor, the exchange is offline for now. Whoever got in looked around and read the site's own settings; we see no "
                "drawings being fetched. Please let your builders know to use the encrypted mail for two or three days.",
                external=True,
            ),
            Said(
                "noor",
                4.0,
                'Done, and there was much sighing. Our web agency asks whether they can "just put the backup back". I said not before '
                "you say so?",
                external=True,
            ),
            Said(
                "adaeze",
                4.4,
                "You said exactly the right thing. The backup has the same flaw, it would be broken into again within hours. A fresh "
                "installation with the update, **new passwords**, then the drawings from your office copy.",
                external=True,
            ),
            Said(
                "sefa",
                29.0,
                "Database password in `config.php` was reused for the agency's FTP. Agency told by phone. Canary drawing planted in the "
                "upload folder, alerts go to the hunting channel.",
            ),
            Said("noor", 74.0, "The new exchange is up, builders are back, nobody is sighing. Thank you!", external=True),
            Said(
                "adaeze", 244.0, "A week of watching, nothing unusual. We close the case; the report is on its way to you.", external=True
            ),
        ),
        moves=(
            Moved("adaeze", 0.6, "InProgress"),
            Moved(
                "adaeze", 245.0, "TruePositive", "Web shell removed, exchange rebuilt, a week of watching without a finding.", "WithImpact"
            ),
        ),
    ),
)
