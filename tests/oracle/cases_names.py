"""Cases on names and birth dates: when they agree, and what follows where they do not."""

from __future__ import annotations

from tests.oracle.base import Case, claim
from tests.oracle.edits import employee, person

# fmt: off
NO_BIRTH = employee(birthDate=None)
OLA = {"firstName": "Ola", "lastName": "Hansen", "birthDate": "1985-02-03"}

FINDINGS = (
    Case("name-mismatch", "NAME_MISMATCH: names do not agree, birth dates not both known",
         (employee(lastName="Lie"), NO_BIRTH), (claim("blocked", "NAME_MISMATCH"),)),
    Case("name-changed", "NAME_CHANGED: the names do not agree, but the birth dates do",
         (employee(lastName="Lie"),), (claim("planned", "NAME_CHANGED"),)),
    Case("name-and-birth-mismatch", "NAME_MISMATCH and BIRTH_DATE_MISMATCH stand side by side",
         (employee(**OLA),), (claim("blocked", "BIRTH_DATE_MISMATCH", "NAME_MISMATCH"),)),
    Case("birth-mismatch", "BIRTH_DATE_MISMATCH: both are known and differ",
         (employee(birthDate="1990-05-18"),),
         (claim("blocked", "BIRTH_DATE_MISMATCH"),)),
    Case("birth-unknown-in-ditio", "both known", (NO_BIRTH,), (claim("planned"),)),
    Case("birth-unknown-in-4hse", "both known", (person(birth_date=None),), (claim("planned"),)),
    Case("birth-unknown-on-both-sides", "unknown birth dates are not equal",
         (person(birth_date=None), employee(lastName="Lie", birthDate=None)),
         (claim("blocked", "NAME_MISMATCH"),)),
    Case("birth-with-time", "the same day written with a time", (employee(birthDate="1990-05-17T00:00:00"),),
         (claim("planned"),), choice=20),
    Case("birth-unreadable", "a birth date nobody can read is not known",
         (employee(lastName="Lie", birthDate="17/5-90"),), (claim("blocked", "NAME_MISMATCH"),), choice=20),
    Case("name-missing", "no name agrees with nothing", (employee(firstName=None), NO_BIRTH),
         (claim("blocked", "NAME_MISMATCH"),), choice=21),
)
# id, rule, (given, surname) in 4HSE, (given, surname) in Ditio, whether they agree
PAIRS = (
    ("case", "case-folded", ("KARI", "NORDMANN"), ("kari", "nordmann"), True),
    ("marks", "NFKD without marks", ("Michaël", "Wójcik"), ("Michael", "Wojcik"), True),
    ("decomposed", "NFKD without marks", ("Kari", "Bora\u0301k"), ("Kari", "Bor\u00e1k"), True),
    ("norwegian", "ø→o, æ→ae, å→a", ("Bjørn", "Sæther Ås"), ("Bjorn", "Saether"), True),
    ("norwegian-a", "å→a", ("Kari", "Ås"), ("Kari", "As"), True),
    ("norwegian-aa", "å→a, so aa is another surname", ("Kari", "Ås"), ("Kari", "Aas"), False),
    ("polish", "ł→l", ("Paweł", "Małek"), ("Pawel", "Malek"), True),
    ("thorn", "þ→th, ß→ss", ("Þór", "Weiß"), ("Thor", "Weiss"), True),
    ("eth", "œ→oe, ð→d", ("Cœlia", "Guðrun"), ("Coelia", "Gudrun"), True),
    ("stroke", "đ→d", ("Ana", "Đurić"), ("Ana", "Duric"), True),
    ("hyphen", "split at anything but letters and digits", ("Anne-Kari", "Nordmann-Lie"), ("Kari", "Lie"),
     True),
    ("apostrophe", "split at anything but letters and digits", ("Gia", "D'Angelo"), ("Gia", "Angelo"), True),
    ("one-token-each", "one surname token, one given-name token", ("Kari Anne", "Moe Lie"),
     ("Anne", "Lie Berg"), True),
    ("surname-differs", "a surname token must be the same", ("Kari", "Nordmann"), ("Kari", "Nordman"), False),
    ("given-82", "ratio of christian and kristian is 82.4", ("Christian", "Berg"), ("Kristian", "Berg"),
     False),
    ("given-84", "ratio of alexander and aleksander is 84.2", ("Alexander", "Berg"), ("Aleksander", "Berg"),
     False),
    ("given-93", "ratio of mathias and matthias is 93.3", ("Mathias", "Berg"), ("Matthias", "Berg"), True),
    ("given-differs", "a given-name token must be alike", ("Kari", "Nordmann"), ("Ola", "Nordmann"), False),
    ("swapped", "swapped on one side", ("Nordmann", "Kari"), ("Kari", "Nordmann"), True),
    ("swapped-alike", "swapped in 4HSE, given names alike", ("Berg", "Mathias"), ("Matthias", "Berg"), True),
    ("swapped-alike-ditio", "swapped in Ditio, given names alike", ("Matthias", "Berg"), ("Berg", "Mathias"),
     True),
    ("swapped-differs", "swapped: a surname token must be the same", ("Berge", "Ola"), ("Lars", "Berg"),
     False),
)
# fmt: on


CASES = FINDINGS + tuple(
    Case(
        f"name-{name}",
        f"names agree: {rule}",
        (
            person(first_name=ours[0], last_name=ours[1]),
            employee(firstName=theirs[0], lastName=theirs[1], birthDate=None),
        ),
        (claim("planned") if agree else claim("blocked", "NAME_MISMATCH"),),
    )
    for name, rule, ours, theirs, agree in PAIRS
)
