"""Cases worked together with a vendor, and those the team keeps to itself."""

from __future__ import annotations

from .shape import Case, Moved, Said

CASES: tuple[Case, ...] = (
    Case(
        key="vendor-vpn",
        title="Remote maintenance access of Corvane used by a stranger",
        description=(
            "The VPN account through which Corvane maintains the conveyor controls in our **Lindholm warehouse** signed in at night from "
            "a network Corvane does not use. The session lasted 23 minutes and reached the engineering workstation, not the controllers "
            "themselves.\n\n"
            "- Remote maintenance is **switched off** until this case is solved; urgent work is done on site.\n"
            "- Goods keep moving, nothing in the control programs was changed.\n"
            "- We need Corvane's help to find out how the sign-in details were lost."
        ),
        severity=4,
        tlp=2,
        pap=2,
        tags=("vendor-access", "vpn", "industrial", "site:Lindholm"),
        opened_by="sefa",
        assignee="sefa",
        days_ago=4.9,
        started_before_hours=7.0,
        access="external",
        shared_with=("kenji", "lucia"),
        shared_by="ines",
        shared_after=1.1,
        shared_for_days=12,
        talk=(
            Said(
                "sefa",
                0.5,
                "Account `ext-corvane-02`, source `203.0.113.92`, password + soft token, so the **seed** is gone or somebody approved a "
                "push. RDP to LH-EWS01, opened the project file, browsed `D:\\Backup`, tried 102/tcp to two controllers: refused by the "
                "cell firewall. Rule OT-19 raised it.",
            ),
            Said(
                "ines",
                0.9,
                "Careful with what we tell Corvane before we know whether it is one of theirs. Facts about the sign-in yes, our "
                "segmentation and OT-19 no.",
            ),
            Said(
                "sefa",
                1.3,
                "Hello Kenji, hello Lucía. Your second maintenance account was used on our side at a time when, according to our "
                "calendar, no work was planned. It is locked now. Could you tell us:\n\n"
                "1. who holds that account and its token,\n2. whether anybody worked on Lindholm in the last 24 hours,\n3. where the "
                "token is kept.",
                external=True,
            ),
            Said(
                "kenji",
                2.9,
                "Hi, nobody of us was on Lindholm, last planned job was ticket 118204 two weeks ago. The 02 account is the on-call one, "
                "four engineers share it, the token runs on the on-call phone. Phone is here on my desk and looks ok. Escalating to "
                "Lucía.",
                external=True,
            ),
            Said(
                "lucia",
                6.4,
                "Product security here, I am taking this over on our side. To be open with you: the seed of that token was **also** "
                "stored in our support wiki, against our own rules. We are checking who read the page. Please regard all Corvane "
                "accounts at Northwind as unsafe, not only the 02.",
                external=True,
            ),
            Said(
                "sefa",
                7.0,
                "Thank you for saying it straight, that saves us all time. All four accounts are locked. Can you tell us whether other "
                "customers' details were on that page? Not the names, only whether they know.",
                external=True,
            ),
            Said(
                "adaeze",
                20.0,
                "LH-EWS01 imaged. Clipboard history holds the project password (typed by the actor, *not* brute-forced), so they knew it "
                "before. Same wiki, I bet. `D:\\Backup\\lh_line3.zip` was opened but not copied out, egress counters agree.",
            ),
            Said(
                "lucia",
                31.5,
                "The wiki page was read from an intern's account on three nights, the same network as yours. The account is blocked, its "
                "laptop is with our forensics. Eleven customers are concerned, all were called today. I can give you the sign-in records "
                "of the wiki if you tell me where to send them.",
                external=True,
            ),
            Said("sefa", 32.2, "Please upload them by the secure link I just mailed you. And Lucía: well handled.", external=True),
            Said(
                "kenji",
                76.0,
                "Line 3 throws error F-207 every few hours, on site they say that it can wait until the weekend. Normally I would dial "
                "in for ten minutes. Any chance, or shall I book the train?",
                external=True,
            ),
            Said(
                "sefa",
                77.5,
                "Please book the train, we pay for it. Remote maintenance comes back with personal accounts, hardware tokens, and a door "
                "that our shift leader opens for each job.",
                external=True,
            ),
            Said(
                "ines",
                98.0,
                "Purchasing is told to hold the contract renewal until the new access terms are signed. Internal only, they do not need "
                "to read that here.",
            ),
        ),
        moves=(Moved("sefa", 0.3, "InProgress"),),
    ),
    Case(
        key="vendor-update",
        title="Corvane LineView 7.4.2 contacts an unknown address after the update",
        description=(
            "After the update of **LineView** to 7.4.2 two operator stations opened a connection to an address that is not in Corvane's "
            "documentation, every 6 hours.\n\n"
            "The package is signed correctly. The connection is made by a charting library inside it. The question is whether that "
            "library is what Corvane meant to ship."
        ),
        severity=3,
        tlp=2,
        pap=2,
        tags=("supply-chain", "update", "industrial"),
        opened_by="tobias",
        assignee="sefa",
        days_ago=61.0,
        started_before_hours=30.0,
        access="external",
        shared_with=("lucia", "kenji"),
        shared_by="ines",
        shared_after=4.0,
        talk=(
            Said(
                "tobias",
                1.2,
                "First-seen destination rule on the OT proxy: `198.51.100.210:8443`, TLS, certificate 3 days old. Parent `LineView.exe`, "
                "module `chartcore.dll` SHA-256 `91d3f07be52c4a86f1b0d97c3ea2548670fb1c9e8d23a45760c8be914f7d2a03`. Both stations "
                "isolated.",
            ),
            Said(
                "sefa",
                4.3,
                "Hello Corvane. Please compare `chartcore.dll` in the package you **built** with the one you **shipped**. Ours is "
                "1,412,608 bytes. We have rolled back to 7.4.1 and are in no hurry on the production side.",
                external=True,
            ),
            Said(
                "kenji",
                8.1,
                "Same file and same size in our download area, and our release note does not mention any online function. So it is not a "
                "transfer problem at your side. Passing it on.",
                external=True,
            ),
            Said(
                "lucia",
                28.0,
                "Confirmed, and thank you for catching it. The author of the charting library lost control of their package account, a "
                "changed version was pulled into our build for four days. 7.4.2 is withdrawn, **7.4.3** has the old library pinned. A "
                "notice to customers goes out this afternoon, with credit to you if you like.",
                external=True,
            ),
            Said(
                "ines",
                29.1,
                "Thank you, Lucía. No credit please, but do mention that customers should look for the address in their logs.",
                external=True,
            ),
            Said(
                "adaeze",
                51.5,
                "Reversed it: collects host name, domain and process list, waits for a second stage that never came to us (our two "
                "stations only got `204`). YARA rule is in the hunting repo, three hits elsewhere in the sharing group, **do not name "
                "them**.",
            ),
            Said(
                "sefa",
                99.0,
                "We found no second stage on our stations and rebuilt both anyway. 7.4.3 is tested and installed. Closing here, with "
                "thanks to both of you.",
                external=True,
            ),
        ),
        moves=(
            Moved("sefa", 1.5, "InProgress"),
            Moved("sefa", 99.3, "TruePositive", "No second stage reached us. Both stations rebuilt, 7.4.3 installed.", "WithImpact"),
        ),
    ),
    Case(
        key="pasted-passwords",
        title="Harbourline sign-in details on a paste site",
        description=(
            "A public paste lists **29 addresses at harbourline.example with passwords**. Format and age suggest that it was put "
            "together from older leaks of other websites, not taken from Harbourline itself.\n\n"
            "To be settled: which of the passwords still work, and whose second factor is missing."
        ),
        severity=2,
        tlp=2,
        pap=1,
        tags=("credentials", "leak", "client:Harbourline"),
        opened_by="tobias",
        assignee=None,
        days_ago=0.15,
        started_before_hours=11.0,
        access="external",
        shared_with=("marit",),
        shared_by="ines",
        shared_after=0.9,
        talk=(
            Said(
                "tobias",
                0.5,
                "Found by the keyword watcher. 22 of 29 are in a combo list known since last year, **7 are new**, among them "
                "`gdy_forward`. That one may tie in with the ransomware case. Keep the link between the two to ourselves for now.",
            ),
            Said(
                "tobias",
                1.1,
                "Marit, not another fire, but please let these 29 people choose new passwords today. The list is with you by encrypted "
                "mail.",
                external=True,
            ),
            Said(
                "marit",
                2.0,
                "Of course it is this week. Forced reset is set for all 29, twelve of them no longer work here. Will check their "
                "accounts are really gone.",
                external=True,
            ),
        ),
        moves=(),
    ),
    Case(
        key="false-edr-alarm",
        title='EDR alarm "credential dumping" on a backup server',
        description=(
            "The EDR reported that a process read the memory of `lsass.exe` on **NW-BK03**. The process belongs to the new version of "
            "the backup agent, which was rolled out an hour before and checks whether it may take a snapshot.\n\n"
            "Outcome: false alarm, confirmed with the manufacturer's release notes and a test on a spare machine."
        ),
        severity=1,
        tlp=1,
        pap=1,
        tags=("edr", "backup"),
        opened_by="adaeze",
        assignee="adaeze",
        days_ago=8.3,
        started_before_hours=0.3,
        access="internal",
        talk=(
            Said(
                "adaeze",
                0.2,
                "Access mask `0x1410` on lsass, signed binary, parent is the service. Looks like the agent, isolating the server for an "
                "hour all the same.",
            ),
            Said(
                "tobias",
                0.9,
                'Reproduced on a spare: same mask, no dump file, no network. Release notes 12.3 mention "improved application awareness".',
            ),
            Said(
                "adaeze",
                1.6,
                "Exception written as narrow as it goes: **signer + path + mask + hash**, hosts in group *backup* only, ends by itself "
                "after 90 days. Not by process name, that is how the last one bit us.",
            ),
        ),
        moves=(
            Moved("adaeze", 0.1, "InProgress"),
            Moved(
                "adaeze",
                1.8,
                "FalsePositive",
                "The backup agent reads that memory by design. Narrow exception for 90 days.",
                "NotApplicable",
            ),
        ),
    ),
    Case(
        key="browser-extension",
        title="Coupon extension reads pages of the travel portal",
        description=(
            "A browser extension for discount coupons was sold to a new owner and updated. Since then it sends the **content of visited "
            "pages** to its maker. It is installed on 57 computers, mostly in sales.\n\n"
            "Next: remove it by policy, find out which internal pages were read, decide whether travel data has to be treated as "
            "disclosed."
        ),
        severity=2,
        tlp=1,
        pap=2,
        tags=("browser-extension", "privacy"),
        opened_by="minh",
        assignee="tobias",
        days_ago=14.2,
        started_before_hours=120.0,
        access="internal",
        talk=(
            Said(
                "minh",
                1.0,
                "Version 4.9.0 asks for `<all_urls>` and posts base64 to `203.0.113.240/c`. 57 hosts by the inventory query, removed by "
                "policy on 49 so far, 8 are on leave.",
            ),
            Said(
                "tobias",
                26.5,
                "Decoded a sample: page text of the travel portal, names and passport *expiry* dates, no numbers. Asked for 30 days of "
                "proxy logs.",
            ),
            Said(
                "tobias",
                100.0,
                "Logs show 212 posts while the travel portal was open, by 19 people:\n\n- 14 in sales\n- 4 in purchasing\n- 1 on the "
                "board (told in person by Inês)",
            ),
            Said(
                "minh",
                190.0,
                "Last two laptops cleaned. Allow-list for extensions is in pilot with 40 people, complaints so far: one, about a dark "
                "theme.",
            ),
        ),
        moves=(Moved("tobias", 2.0, "InProgress"),),
    ),
    Case(
        key="second-phishing-report",
        title="Strange mail about a mailbox move, reported by reception",
        description=(
            'Reception reports a mail from "the service desk" that asks to confirm a mailbox. Nothing was clicked.\n\n'
            "It is the same wave as in the warning that was sent to everybody."
        ),
        severity=1,
        tlp=1,
        pap=1,
        tags=("phishing", "service-desk"),
        opened_by="sefa",
        assignee="sefa",
        days_ago=0.6,
        started_before_hours=2.0,
        access="internal",
        talk=(
            Said(
                "sefa",
                0.2,
                "Same kit, same proxy `192.0.2.64`. Reception called within two minutes: *cake for reception*. Closing as a duplicate of "
                "the warning.",
            ),
        ),
        moves=(Moved("sefa", 0.3, "Duplicated", "Same kit and proxy as in the warning; handled there.", "NotApplicable"),),
    ),
    Case(
        key="harbourline-ddos",
        title="Flood of requests against Harbourline's parcel tracking",
        description=(
            "The public tracking page was unreachable for **2 h 40 min** under a flood of requests, up to 180,000 a second from some "
            "11,000 addresses. A demand for 0.8 bitcoin arrived by the contact form shortly before.\n\n"
            "The provider's filter took over after the name was moved behind it. No data was touched, no demand was paid."
        ),
        severity=2,
        tlp=1,
        pap=1,
        tags=("ddos", "extortion", "client:Harbourline"),
        opened_by="sefa",
        assignee="sefa",
        days_ago=118.0,
        started_before_hours=1.5,
        access="internal",
        talk=(
            Said(
                "sefa",
                0.3,
                "Layer 7, `GET /track?id=` with random ids, cache misses every time. Origin address `203.0.113.18` was in old DNS "
                "history, so they go straight past the CDN.",
            ),
            Said("tobias", 1.1, "Provider is announcing the filter route. Origin now accepts the CDN's ranges only."),
            Said(
                "sefa",
                2.9,
                "Down to 400 requests a second. Demand mail matches the template of the group that wrote to three other carriers: "
                "*bluff, no second wave so far*.",
            ),
            Said(
                "ines",
                170.0,
                "No second wave in a week. Closing as Other: nuisance without breach. To do for the yearly review: origin addresses of "
                "all clients.",
            ),
        ),
        moves=(
            Moved("sefa", 0.2, "InProgress"),
            Moved("ines", 170.1, "Other", "Nuisance without breach; no second wave within a week.", "WithImpact"),
        ),
    ),
)
