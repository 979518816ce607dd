"""Cases worked together with departments of the house: HR, Legal, and one warning that goes to everybody."""

from __future__ import annotations

from .shape import Case, Moved, Said

CASES: tuple[Case, ...] = (
    Case(
        key="leaver-files",
        title="Design files copied by an employee under notice",
        description=(
            "An employee in product development who has given notice copied about **6,300 design files (38 GB)** from the engineering "
            "share to a private online drive, over three evenings. HR knows the name; it is deliberately not written here.\n\n"
            "Questions this case has to answer:\n\n"
            "- What was copied, and was it part of the person's work?\n"
            "- Has anything been passed on to others?\n"
            "- What may we look at, and who speaks with the person, when?\n\n"
            "Only those named on this case should know about it. Please do **not** forward messages from it."
        ),
        severity=3,
        tlp=4,
        pap=3,
        tags=("insider", "bulk-copy", "leaver"),
        opened_by="adaeze",
        assignee="adaeze",
        days_ago=6.4,
        started_before_hours=64.0,
        access="external",
        shared_with=("beatriz", "siobhan"),
        shared_by="ines",
        shared_after=2.0,
        talk=(
            Said(
                "adaeze",
                0.7,
                "DLP rule *eng-bulk-07* (more than 500 CAD files an hour to an uncategorised cloud target). User `r.thorsby`, laptop "
                "NW-L-2281, sync client running from the user profile. Three sessions of 90 to 140 minutes, always after eight in the "
                "evening.",
            ),
            Said(
                "ines",
                1.6,
                "Sharing with Beatriz and Siobhán by name, nobody else. Works council agreement §7 covers log data on suspicion, **not** "
                "content of private accounts.",
            ),
            Said(
                "adaeze",
                2.3,
                "Beatriz, Siobhán: the description says what we can prove today. Before we go further we need two answers from you:\n\n"
                "1. *Legal:* may we take a forensic copy of the company laptop without announcing it first?\n"
                "2. *HR:* when is the last working day, and is there a date on which the laptop is handed in anyway?",
                external=True,
            ),
            Said(
                "beatriz",
                3.8,
                "Last working day is in nine days, equipment is due that morning. I have to say this shakes me, we had a very friendly "
                "exit talk only last week. Is it possible that it is simply old work for a portfolio? I would not like to accuse "
                "somebody who is only careless.",
                external=True,
            ),
            Said(
                "adaeze",
                4.5,
                "It is possible, and nothing we have so far says otherwise about the *reason*. What we can say is that most of the "
                "folders belong to a project the person was never part of. Until we know more, please treat the colleague exactly as "
                "before.",
                external=True,
            ),
            Said(
                "siobhan",
                21.0,
                "With the usual reservations: on the facts as described I see a sufficient, documented suspicion, so that a copy of the "
                "*company-owned* device may be taken without prior notice, provided that (a) two persons are present, (b) the works "
                'council\'s chair is informed on the same day, and (c) private content is not opened. Please avoid the word "theft" in '
                "anything written until we have heard the employee.",
                external=True,
            ),
            Said(
                "adaeze",
                49.5,
                "Image of NW-L-2281 taken with Sefa present, chair informed. Sync database lists 6,312 uploads and **one shared link**, "
                "opened twice from `203.0.113.164`, an address block of the new employer per the registry. Not writing that outside "
                "before Siobhán has it by phone.",
            ),
            Said(
                "adaeze",
                53.0,
                "The copy of the laptop was made as Siobhán described. One finding I would rather explain in a call than in writing; a "
                "proposal for the time is in your calendars. The private drive itself we do not touch.",
                external=True,
            ),
            Said(
                "siobhan",
                74.2,
                "Thank you for the call. I shall prepare a letter requiring deletion and a signed declaration. Until it is delivered, "
                "kindly preserve all logs and refrain from any contact with third parties.",
                external=True,
            ),
            Said(
                "beatriz",
                98.6,
                "The conversation is set for the day after tomorrow, Siobhán and I will both be there. Could access to the engineering "
                "share end at the moment we begin? And please, gently, no security guards in the corridor.",
                external=True,
            ),
            Said(
                "adaeze",
                99.4,
                "It will be taken away quietly when you send us a short message that you have begun. No guards.",
                external=True,
            ),
            Said(
                "sefa",
                120.0,
                "Runbook for the cut-off is with the night shift: disable `r.thorsby`, revoke sessions, remote lock NW-L-2281, keep "
                "mailbox on hold.",
            ),
        ),
        moves=(Moved("adaeze", 0.5, "InProgress"),),
    ),
    Case(
        key="payroll-lookups",
        title="Payroll records opened without a work reason",
        description=(
            "A monthly review shows **214 payroll records** opened by one account of the finance systems team, among them those of the "
            "management board, without a ticket to go with them.\n\n"
            "The suspect works next to people we would otherwise ask, and has colleagues in our own team. For that reason this case is "
            "restricted to two of us. Legal and HR are to be brought in on a case of their own once the facts are firm."
        ),
        severity=3,
        tlp=4,
        pap=3,
        tags=("insider", "payroll", "privacy"),
        opened_by="ines",
        assignee="adaeze",
        days_ago=11.7,
        started_before_hours=400.0,
        access="restricted",
        shared_with=("ines", "adaeze"),
        shared_by="ines",
        shared_after=0.1,
        talk=(
            Said(
                "ines",
                0.3,
                "Restricted from the start. Not a word in the team channel, and no queries under your usual saved searches, they are "
                "visible to all.",
            ),
            Said(
                "adaeze",
                5.1,
                "Account is `k.oyelaran-adm`. Views cluster in lunch breaks, workstation NW-D-0417, badge log puts the holder in the "
                "building each time. Pattern: *name search, open, close*, 8 to 15 seconds. No exports, no print jobs.\n\n"
                "```sql\nSELECT viewed_at, employee_no FROM payroll_audit\nWHERE actor = 'k.oyelaran-adm' AND ticket IS NULL ORDER BY "
                "viewed_at;\n```",
            ),
            Said(
                "ines",
                26.0,
                "Could it be a support habit, opening records to test a fix? Check against the change calendar before we believe the "
                "worst.",
            ),
            Said(
                "adaeze",
                72.4,
                "Checked: 31 of 214 fall on release days and are explained. 183 are not. 12 of those are the holder's own manager, "
                "viewed before salary talks.",
            ),
            Said("ines", 146.0, "Enough to speak with Siobhán. I do it in person; she decides when HR comes in."),
        ),
        moves=(Moved("adaeze", 4.0, "InProgress"),),
    ),
    Case(
        key="lost-laptop",
        title="Recruiter's laptop left on a train",
        description=(
            "A recruiter left a company laptop on a regional train in the evening and reported it **40 minutes later**. The bag also "
            "held printed notes from four interviews.\n\n"
            "- The disk is encrypted, the laptop was locked and has not been online since.\n"
            "- A remote wipe is waiting for the moment it goes online.\n"
            "- All sign-ins of the colleague were ended, a new laptop was handed out the next morning.\n\n"
            "Open question for Legal: do the printed notes have to be reported?"
        ),
        severity=2,
        tlp=2,
        pap=1,
        tags=("lost-device", "applicant-data"),
        opened_by="tobias",
        assignee="tobias",
        days_ago=2.7,
        started_before_hours=0.8,
        access="external",
        shared_with=("beatriz", "jonas", "siobhan", "henrik"),
        shared_by="ines",
        shared_after=13.0,
        talk=(
            Said(
                "tobias",
                0.4,
                "NW-L-1907, serial in the asset list. BitLocker with TPM **and** PIN, last key rotation 12 days ago, last check-in from "
                "the train's Wi-Fi `198.51.100.9`. Asleep rather than switched off, so keys may be in memory; low risk, but do not "
                "promise *impossible* to anybody.",
            ),
            Said(
                "tobias",
                13.2,
                "About the **laptop** we are calm: encrypted, locked, and set to erase itself when it meets the internet. About the "
                "**paper** we cannot do anything. Beatriz, do we know what was written on it?",
                external=True,
            ),
            Said(
                "beatriz",
                14.0,
                "Four pages, first names and a rating each, one with a remark on a health matter the applicant mentioned herself. That "
                "one worries me. The colleague is beside herself, she has called the lost property office twice already. Does she have "
                "to fear consequences?",
                external=True,
            ),
            Said(
                "tobias",
                14.3,
                "From our side certainly not: 40 minutes is fast, and fast is what we ask for. Please tell her thank you.",
                external=True,
            ),
            Said(
                "siobhan",
                17.5,
                "In view of the health remark I would not treat the paper as negligible. As matters stand I consider a risk to the "
                "applicant possible though not likely; I propose to record the event internally and to decide on a notification before "
                "the end of tomorrow. Please keep this message as part of the record.",
                external=True,
            ),
            Said(
                "beatriz",
                33.2,
                "It is found!! The conductor had handed in the bag at the terminus, laptop and all four pages are there, the zip was "
                "still closed.",
                external=True,
            ),
            Said(
                "adaeze",
                57.0,
                "Checked NW-L-1907: no boot since the loss, seals intact, firmware log empty. Wiped and back into stock regardless.",
            ),
            Said(
                "siobhan",
                60.0,
                "On that basis no notification is required in my view. The internal record is complete; I have no objection to closing.",
                external=True,
            ),
            Said(
                "tobias",
                61.0,
                "Then we close. Privacy filters and a folder with a lock for interview notes are on their way to recruiting.",
                external=True,
            ),
        ),
        moves=(
            Moved("tobias", 0.3, "InProgress"),
            Moved("tobias", 61.2, "Other", "Disk encrypted, device wiped from afar; no notification required.", "NoImpact"),
        ),
    ),
    Case(
        key="cloned-badge",
        title="Facilities badge used while its holder was abroad",
        description=(
            "The badge of a facilities contractor opened **three doors in building C** late in the evening. Its holder was on holiday "
            "abroad and has the card with him.\n\n"
            "Building C still has the old readers, whose cards can be copied with cheap equipment. Cameras cover two of the three doors."
        ),
        severity=2,
        tlp=3,
        pap=2,
        tags=("physical", "badge", "building-C"),
        opened_by="sefa",
        assignee=None,
        days_ago=0.8,
        started_before_hours=9.0,
        access="internal",
        talk=(
            Said(
                "sefa",
                0.5,
                "Badge 40-11872, doors C-02, C-14 and the **cabling room C-17**. 125 kHz, fixed id, no challenge. Second badge read 4 "
                "seconds after the first at C-02, so probably two people or one copy with a test read.",
            ),
            Said(
                "sefa",
                3.0,
                "Camera: one person, facilities jacket, cap, 11 minutes in C-17. I went in: nothing unplugged, but an unlabelled small "
                "box at patch panel 3, port 22. Left in place, port mirrored, MAC begins `02:00:5e`.",
            ),
            Said(
                "tobias",
                6.5,
                "Box has asked DHCP for an address and got one in quarantine. One DNS query, for a name that resolves to "
                "`203.0.113.201`. Who takes this?",
            ),
            Said(
                "ines",
                8.0,
                "Taking it to the management meeting first, we may want to watch a second visit. Do **not** touch the box, do not tell "
                "facilities yet.",
            ),
        ),
        moves=(),
    ),
    Case(
        key="servicedesk-phishing",
        title="Warning: mails imitating the Northwind service desk",
        description=(
            'Since yesterday mails with the subject **"Your mailbox is moved tonight"** arrive at Northwind and at organisations that '
            "work with us. They ask to *confirm* a mailbox on a page that looks like our sign-in. They are not from us.\n\n"
            "Please tell your people:\n\n"
            "- We never ask for a password, and we move no mailboxes this month.\n"
            "- The link ends in `.example.net`; our sign-in always ends in `northwind.example`.\n"
            "- Entered a password? No shame in it: change it, and tell us here or by phone.\n"
            "- Just received it? Delete it, there is no need to report every copy."
        ),
        severity=2,
        tlp=1,
        pap=1,
        tags=("phishing", "awareness", "service-desk"),
        opened_by="minh",
        assignee="minh",
        days_ago=1.0,
        started_before_hours=14.0,
        access="all_external",
        shared_by="ines",
        shared_after=0.7,
        talk=(
            Said(
                "minh",
                0.4,
                "412 delivered at Northwind before the rule, 37 clicks, **6 passwords entered** (list in the vault, all reset). Kit is "
                "an adversary-in-the-middle proxy on `192.0.2.64`, cookies replayed from `198.51.100.77` within 90 seconds. New "
                "detection: sign-in with token age under 2 min from a hosting network.",
            ),
            Said(
                "ines",
                0.8,
                "This case is open to everybody we work with, so please keep names of people and companies out of your messages here.",
                external=True,
            ),
            Said(
                "beatriz",
                2.2,
                "Thank you for the clear words, I have sent them to all team leads. One question that came back three times: somebody "
                "clicked but typed nothing. Is that a problem?",
                external=True,
            ),
            Said("minh", 2.5, "Clicking alone is not a problem here. Close the page, and all is well.", external=True),
            Said(
                "marit",
                4.9,
                "We got about thirty of them as well, one colleague entered her password. Changed, sessions ended, second factor was on. "
                "Sending you the mail with full headers.",
                external=True,
            ),
            Said(
                "minh",
                5.6,
                "Very good, thank you. For all who have a second factor: it does **not** fully protect against this page, so please end "
                "all sessions as well as changing the password.",
                external=True,
            ),
            Said(
                "kenji", 9.8, "Seen here too, 12 mails, no clicks as far as our filter can tell. We have blocked the domain.", external=True
            ),
            Said(
                "tobias",
                20.5,
                "Takedown request accepted by the hoster. Two of the six accounts had a mailbox rule planted named `..`, removed, "
                "nothing sent.",
            ),
        ),
        moves=(Moved("minh", 0.2, "InProgress"),),
    ),
)
