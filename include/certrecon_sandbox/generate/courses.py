"""The courses that the sandbox's people take, and the certificate types they stand for.

The first three are mapped by the rules of the default settings; every other one by its action code
(see `wanted_rules`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Course:
    """A training.

    Attributes:
        code: The `action_code` in every office.
        action: The `action_name`.
        certificate: The certificate's name.
        certificate_type: What Ditio calls it.
        years: How long it is valid.
        rule: The key of the settings' rule that maps it.
    """

    code: str
    action: str
    certificate: str
    certificate_type: str
    years: int
    rule: str = "action_code"


COURSES = (
    Course("BYGG", "Byggekort", "HMS-kort for bygg og anlegg", "Byggekort", 2),
    Course("KR-04", "Crane operator G4", "Kranførerbevis G4", "Kranførerbevis", 5, "action_name"),
    Course(
        "FORM-01",
        "Formazione antincendio rischio alto",
        "Fire Safety Training Certificate",
        "Brannvern",
        5,
        "certificate_name",
    ),
    Course("VARM", "Varme arbeider", "Sertifikat varme arbeider", "Varme arbeider", 5),
    Course("FHJ", "Førstehjelp", "Førstehjelp grunnkurs", "Førstehjelp", 2),
    Course("HOYD", "Lavori in quota", "Attestato lavori in quota", "Arbeid i høyden", 3),
    Course("TRUCK", "Wózki widłowe", "Uprawnienia na wózki widłowe", "Truckførerbevis", 5),
    Course("STIL", "Montaż rusztowań", "Świadectwo montażysty rusztowań", "Stillasbygger", 5),
    Course("MASK", "Anleggsmaskiner", "Maskinførerbevis M2", "Maskinførerbevis", 10),
    Course("ASB", "Rimozione amianto", "Attestato rimozione amianto", "Asbestsanering", 3),
    Course("FSE", "Elsikkerhet FSE", "FSE lavspenning", "FSE", 1),
    Course("GRAV", "Grøftesikring", "Graving og grøfter", "Grøftesikring", 5),
    Course("LIFT", "Podesty ruchome", "Uprawnienia na podesty ruchome", "Personløfter", 5),
    Course("FALL", "Fallsikring", "Bruk av fallsikringsutstyr", "Fallsikring", 2),
    Course("KJEM", "Rischio chimico", "Attestato rischio chimico", "Kjemikalier", 4),
    Course("HMS", "HMS grunnkurs", "40-timers HMS-kurs", "HMS grunnkurs", 10),
    Course("STRO", "Stropp og signal", "Anhuker og signalgiver", "Stropp og signal", 5),
    Course("SPRE", "Bergsprengning", "Bergsprengersertifikat", "Bergsprenger", 5),
    Course("ADR", "ADR", "Zaświadczenie ADR", "ADR-bevis", 5),
    Course("VEI", "Arbeidsvarsling", "Arbeid på vei kurs 1", "Arbeidsvarsling", 5),
    Course("VERN", "Verneombud", "Verneombud grunnkurs", "Verneombud", 6),
    Course("ROM", "Spazi confinati", "Attestato spazi confinati", "Trange rom", 3),
    Course("TELE", "Teleskoptruck", "Teleskoptruck C1", "Teleskoptruck", 5),
    Course("SVEI", "Spawanie MIG/MAG", "Certyfikat spawacza", "Sveisesertifikat", 2),
)
CRANE, FIRE = COURSES[1], COURSES[2]
# The crane rule of the default settings accepts at most ten years.
CRANE_LONGEST_YEARS = 10

UNMAPPED = (
    ("TBT", "Toolbox talk", "Toolbox talk: manual handling"),
    ("INTRO", "Site induction", "Wprowadzenie na budowę"),
    ("LEAN", "Lean construction", "Lean: introduzione"),
)
HEALTH = (
    ("MED-A", "Audiometry", "Audiometry: reduced hearing, left ear"),
    ("MED-L", "Lung function test", "Spirometria: ostruzione lieve"),
    ("MED-V", "Medical examination", "Badanie lekarskie: zdolny z ograniczeniami"),
)
PROTECTIVE = (("PER-M", "Åndedrettsvern", "Utlevert P3-maske"),)
UPKEEP = (
    ("SK-01", "Sakkyndig kontroll", "MAINTENANCE", "Årlig sakkyndig kontroll"),
    ("CHK-02", "Weekly check", "CHECK", "Sjekkliste stillas"),
)


def wanted_rules() -> list[dict[str, Any]]:
    """Return the `certificate_types` rules wanted beside the default three."""
    return [
        {"certificate_type": course.certificate_type, "action_code": [course.code]}
        for course in COURSES
        if course.rule == "action_code" and course.code != "BYGG"
    ]
