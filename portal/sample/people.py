"""Who is in the sample world: the security team's people, and the clients, departments and vendor they invite."""

from __future__ import annotations

from .shape import Party, Person

TEAM = "Northwind CSIRT"

PARTIES: tuple[Party, ...] = (
    Party("harbourline", "Harbourline Freight", "client"),
    Party("kestrel", "Kestrel & Vane Architects", "client"),
    Party("hr", "Northwind Human Resources", "department"),
    Party("legal", "Northwind Legal", "department"),
    Party("corvane", "Corvane Automation", "vendor"),
)

READER = ("External-Reader",)
ACTOR = ("External-Actor",)

PEOPLE: tuple[Person, ...] = (
    Person(
        "ines", "Inês Carvalhal", "ines.carvalhal@csirt.northwind.example", "internal", ("Org-Admin",), None, "head of the security team"
    ),
    Person("tobias", "Tobias Rehnmark", "tobias.rehnmark@csirt.northwind.example", "internal", ("Analyst",), None, "analyst"),
    Person("adaeze", "Adaeze Okwuosa", "adaeze.okwuosa@csirt.northwind.example", "internal", ("Analyst",), None, "analyst, forensics"),
    Person("minh", "Minh Anh Lê", "minhanh.le@csirt.northwind.example", "internal", ("Analyst",), None, "analyst, cloud and mail"),
    Person("sefa", "Sefa Tuilagi", "sefa.tuilagi@csirt.northwind.example", "internal", ("Analyst",), None, "analyst, industrial systems"),
    Person("rukmini", "Rukmini Vaidya", "rukmini.vaidya@csirt.northwind.example", "internal", ("Read-Only",), None, "auditor, reads only"),
    Person("marit", "Marit Solbakken", "marit.solbakken@harbourline.example", "external", ACTOR, "harbourline", "IT lead at Harbourline"),
    Person(
        "declan",
        "Declan Forsythe",
        "declan.forsythe@harbourline.example",
        "external",
        READER,
        "harbourline",
        "finance director at Harbourline",
    ),
    Person(
        "yusuf",
        "Yusuf Demirkan",
        "yusuf.demirkan@harbourline.example",
        "external",
        ACTOR,
        "harbourline",
        "former accounts clerk at Harbourline",
        state="locked",
    ),
    Person(
        "noor", "Noor Halabieh", "noor.halabieh@kestrelvane.example", "external", ACTOR, "kestrel", "practice manager at Kestrel & Vane"
    ),
    Person(
        "gareth", "Gareth Penhallow", "gareth.penhallow@kestrelvane.example", "external", READER, "kestrel", "partner at Kestrel & Vane"
    ),
    Person("beatriz", "Beatriz Quintanar", "beatriz.quintanar@northwind.example", "external", ACTOR, "hr", "HR manager at Northwind"),
    Person(
        "jonas",
        "Jonas Achterberg",
        "jonas.achterberg@northwind.example",
        "external",
        ACTOR,
        "hr",
        "recruiting lead at Northwind",
        state="invited",
    ),
    Person("siobhan", "Siobhán Mac Aodha", "siobhan.macaodha@northwind.example", "external", ACTOR, "legal", "senior counsel at Northwind"),
    Person("henrik", "Henrik Vasko", "henrik.vasko@northwind.example", "external", READER, "legal", "paralegal at Northwind"),
    Person("kenji", "Kenji Aramoto", "kenji.aramoto@corvane.example", "external", ACTOR, "corvane", "support engineer at Corvane"),
    Person("lucia", "Lucía Ferreyro", "lucia.ferreyro@corvane.example", "external", ACTOR, "corvane", "product security at Corvane"),
)
