"""What may come in: fine rows, odd rows, and text of any kind."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

from hypothesis import strategies as st

from tests.oracle.base import AS_OF, PAYLOAD, SETTINGS, entry
from tests.oracle.world import Row, World

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NEAR_DATES = (
    "2025-01-15", "2024-02-29", "2026-06-14", "2026-06-15", "2026-06-16", "2026-08-14", "2028-01-15", "1949-12-31",
    "1950-01-01", "2075-01-15", "2075-01-16", "9999-12-31", "0001-01-01",
)  # fmt: skip
ODD_DATES = (
    "2025-02-30", "15.01.2025", "0000-00-00", "2025-1-5", "2025-01-15T00:00:00Z", "２０２５-01-15", " 2025-01-15",
    "2025-01-15\n", "10000-01-01", "", " ", 20250115, True, ["2025-01-15"], {"date": "2025-01-15"},
)  # fmt: skip
GIVEN = ("Kari", "Kari Anne", "Ola", "KÁRI", "Mathias", "Matthias", "Nordmann", "İbrahim", "Þór", "", None)
FAMILY = ("Nordmann", "Nordmann-Lie", "Lie", "Ås", "As", "Ødegård", "Weiß", "Weiss", "Kari", "", None)
BIRTHS = ("1990-05-17", "1985-02-03", "17.05.1990", "1990-05-17T00:00:00", "never", None)
NUMBERS = ("1042", "0042", " 1042", "7", "A\u030a1", "\u00c51", 1042, 7, "", " ", None)
FLAGS = (True, False, None, "false", "0", 0, 1)


def _mostly(fine: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(fine, fine, fine, odd)


DATES = _mostly(st.sampled_from(NEAR_DATES), st.one_of(st.none(), st.sampled_from(ODD_DATES), ANY_TEXT))
NAMES = _mostly(
    st.sampled_from(["Course", "Fire Safety", "Crane", "kran", None]),
    st.one_of(ANY_TEXT, st.sampled_from([12, True, {"a": 1}, "KRAN\u0000"])),
)


def _row(draw: st.DrawFn, fields: dict[str, st.SearchStrategy[Any]], keep: tuple[str, ...]) -> Row:
    """Draw a row; a field may be missing."""
    row = {name: draw(values) for name, values in fields.items()}
    missing = draw(st.lists(st.sampled_from(sorted(set(fields) - set(keep))), max_size=2))
    return {name: value for name, value in row.items() if name not in missing}


CERTIFICATE: dict[str, st.SearchStrategy[Any]] = {
    "name": NAMES,
    "action_type": _mostly(st.just("TRAINING"), st.sampled_from(["CHECK", "HEALTH", "training", None, "new"])),
    "date_release": _mostly(st.just("2025-01-15"), DATES),
    "date_expire": _mostly(st.just("2028-01-15"), DATES),
    "resource_id": _mostly(st.sampled_from(["p1", "p2"]), st.sampled_from(["p3", "p9", 7])),
    "resource_type": _mostly(st.just("PERSON"), st.sampled_from(["EQUIPMENT", "person", "", None])),
    "warning": st.sampled_from([0, 1, "1", None, True, 2]),
    "validity": st.sampled_from([None, 0, -1, 1, 3, "3", 1.5, 9000, 10**17, "x"]),
    "validity_unit": st.sampled_from(["YEAR", "MONTH", "DAY", "WEEK", "", None]),
}
LINK: dict[str, st.SearchStrategy[Any]] = {
    "action_code": _mostly(st.just("BYGG"), st.one_of(st.sampled_from([" BYGG", "X", "", None, 5]), ANY_TEXT)),
    "action_name": NAMES,
    "action_type": CERTIFICATE["action_type"],
    "date_expire": _mostly(st.none(), DATES),
}
PERSON: dict[str, st.SearchStrategy[Any]] = {
    "code": _mostly(st.just("1042"), st.one_of(st.sampled_from(NUMBERS), ANY_TEXT)),
    "first_name": _mostly(st.just("Kari"), st.one_of(st.sampled_from(GIVEN), ANY_TEXT)),
    "last_name": _mostly(st.just("Nordmann"), st.one_of(st.sampled_from(FAMILY), ANY_TEXT)),
    "birth_date": _mostly(st.just("1990-05-17"), st.sampled_from(BIRTHS)),
    "owned_active": _mostly(st.just(value=True), st.sampled_from(FLAGS)),
    "parent_active": _mostly(st.just(value=True), st.sampled_from(FLAGS)),
}
EMPLOYEE: dict[str, st.SearchStrategy[Any]] = {
    "employeeNumber": _mostly(st.sampled_from(["1042", "7"]), st.sampled_from(NUMBERS)),
    "firstName": PERSON["first_name"],
    "lastName": PERSON["last_name"],
    "birthDate": PERSON["birth_date"],
    "isDisabled": _mostly(st.just(value=False), st.sampled_from(FLAGS)),
    "employment": _mostly(
        st.none(),
        st.sampled_from([{"endDate": "2026-06-14"}, {"endDate": "2026-06-15"}, {"endDate": "spring"}, [], "x"]),
    ),
}


@st.composite
def settings_of_runs(draw: st.DrawFn) -> Row:
    """Draw settings: those of the oracle's base world with some of them changed."""
    settings = copy.deepcopy(SETTINGS)
    settings["unlinked"] = draw(st.sampled_from(["hold", "send"]))
    settings["no_expiry"] = draw(st.sampled_from(["block", "sentinel"]))
    if draw(st.booleans()):
        settings["publish_action_types"] = ["TRAINING", "CHECK"]
    if draw(st.booleans()):
        rule = {"certificate_type": "Byggekort", "action_name": "(?i)k", "max_validity_years": 2}
        settings["certificate_types"].append(rule)
    return settings


@st.composite
def ledgers(draw: st.DrawFn) -> list[Row]:
    """Draw what was delivered before."""
    keys = st.tuples(st.sampled_from(["1042", "7"]), st.sampled_from(["Byggekort", "BYGGEKORT", "Brannvern"]))
    return [_entry(draw, *key) for key in draw(st.lists(keys, max_size=3, unique=True))]


def _entry(draw: st.DrawFn, number: str, certificate_type: str) -> Row:
    certificate_id = draw(st.sampled_from(["c0", "c1", "c9"]))
    payload = {
        **PAYLOAD,
        "employeeNumber": number,
        "certificateType": certificate_type,
        "certificateNumber": certificate_id,
    }
    never = draw(st.integers(0, 4)) == 0
    at = None if never else draw(st.sampled_from(["2026-05-01T02:00:00+00:00", "2026-06-01T02:00:00+00:00"]))
    states = ["rejected", "undelivered"] if never else ["acknowledged", "acknowledged", "rejected"]
    return entry(
        number,
        certificate_type,
        certificate_id,
        payload=payload,
        acknowledged_payload=None if never else payload,
        acknowledged_at=at,
        first_acknowledged_at=at,
        state=draw(st.sampled_from(states)),
        in_doubt=draw(st.booleans()),
        person_id=draw(st.sampled_from(["p1", "p2", "p0"])),
        given_name=draw(PERSON["first_name"]),
        family_name=draw(PERSON["last_name"]),
    )


@st.composite
def worlds(draw: st.DrawFn, settings: Row | None = None, most: int = 6) -> World:
    """Draw a world of one or two tenants."""
    tenants = ["t1", "t2"][: draw(st.integers(1, 2))]
    world = World({}, {}, {}, [], draw(ledgers()), settings or draw(settings_of_runs()), AS_OF)
    count = 0
    for tenant in tenants:
        people = [f"p{number}" for number in range(1, 1 + draw(st.integers(1, 3)))]
        world.persons[tenant] = [{"person_id": one, "project_id": tenant, **_row(draw, PERSON, ())} for one in people]
        world.certificates[tenant], world.links[tenant] = [], []
        for _ in range(draw(st.integers(0, most // len(tenants)))):
            identity = {"certificate_id": f"c{count}", "tenant_id": tenant}
            world.certificates[tenant].append(identity | _row(draw, CERTIFICATE, ()))
            for place in range(draw(st.sampled_from([0, 1, 1, 1, 2, 3]))):
                linked = identity | {"certificate_action_id": f"l{count}-{place}", "action_id": "a"}
                world.links[tenant].append(linked | _row(draw, LINK, ()))
            count += 1
    for number in range(draw(st.integers(0, 3))):
        world.employees.append({"employeeId": f"e{number}", **_row(draw, EMPLOYEE, ())})
    world.resend = draw(st.booleans())
    return world


def without_blank_dates(world: World) -> World:
    """Return the world with blank dates as null, which is how the project reads them (the oracle does not)."""
    plain = copy.deepcopy(world)
    for rows in (*plain.certificates.values(), *plain.links.values()):
        for row in rows:
            for name in ("date_release", "date_expire"):
                if isinstance(row.get(name), str) and not row[name].strip():
                    row[name] = None
    return plain


DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31))
