"""What the generator makes: everything, in proportion, and the same every time."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from rapidfuzz.fuzz import ratio

import certrecon_sandbox
from certrecon_sandbox.generate import generate_world
from certrecon_sandbox.generate.courses import COURSES, wanted_rules
from certrecon_sandbox.generate.names import ALIKE
from certrecon_sandbox.table import as_text
from certrecon_sandbox.world import World, WorldSpec
from tests.integration.sandbox.conftest import TODAY
from tests.integration.sandbox.plain_findings import FROM_DATA, PlainReader, tokens

SETTINGS = Path(certrecon_sandbox.__file__).parents[1] / "config" / "reconciliation.yaml"
# The three rules of the default settings.
DEFAULT_RULES: list[dict[str, Any]] = [
    {"certificate_type": "Byggekort", "action_code": ["BYGG"]},
    {"certificate_type": "Kranførerbevis", "action_name": "(?i)crane|kran", "max_validity_years": 10},
    {"certificate_type": "Brannvern", "certificate_name": "(?i)fire safety"},
]
RULES = DEFAULT_RULES + wanted_rules()


def text_of(world: World) -> str:
    tables = {name: list(table) for name, table in world.tables().items()}
    return json.dumps([tables, world.resources], sort_keys=True)


def test_the_default_settings_have_a_rule_for_every_course() -> None:
    settings = yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))
    assert settings["certificate_types"] == RULES


def test_every_course_has_one_type() -> None:
    types = [rule["certificate_type"] for rule in RULES]
    assert len({name.casefold() for name in types}) == len(types) == len(COURSES)
    assert {course.certificate_type for course in COURSES} == set(types)


@pytest.mark.parametrize("certificates", [100, 200, 1000, 5000])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_finding_occurs(certificates: int, seed: int) -> None:
    world = generate_world(WorldSpec(certificates, seed, TODAY))
    found = Counter(code for claim in PlainReader(world, RULES).claims() for code in claim.findings)
    assert set(found) == FROM_DATA


@pytest.mark.parametrize(("certificates", "least"), [(200, 0.5), (1000, 0.6), (20_000, 0.68)])
def test_proportions(certificates: int, least: float) -> None:
    world = generate_world(WorldSpec(certificates, 1, TODAY))
    claims = PlainReader(world, RULES).claims()
    share = {name: n / len(claims) for name, n in Counter(c.disposition for c in claims).items()}
    assert set(share) == {"not_applicable", "blocked", "held", "superseded", "wins"}
    assert least <= share["wins"] <= 0.78
    assert share["blocked"] <= (0.25 if certificates < 1000 else 0.12)
    assert all(part > 0.01 for part in share.values())


@pytest.mark.parametrize("certificates", [0, 1, 37, 100, 1001])
def test_counts(certificates: int) -> None:
    world = generate_world(WorldSpec(certificates, 1, TODAY))
    reader = PlainReader(world, RULES)
    assert sum(row["tenant_id"] in reader.tenants for row in world.certificates) == certificates
    assert len(reader.tenants) == 3


def test_links_are_five_percent_more() -> None:
    world = generate_world(WorldSpec(20_000, 1, TODAY))
    assert 1.03 <= len(world.links) / len(world.certificates) <= 1.08
    assert 0.95 <= len(world.persons) / 1000 <= 1.05


@pytest.mark.parametrize("tenants", [1, 3, 8])
def test_tenants(tenants: int) -> None:
    world = generate_world(WorldSpec(300, 1, TODAY, tenants))
    reader = PlainReader(world, RULES)
    assert len(reader.tenants) == tenants
    assert {row["project_id"] for row in reader.persons.values()} == reader.tenants
    states = Counter((row["status"], row["project_type"]) for row in world.projects)
    assert states == {("active", "safety"): tenants, ("active", "template"): 1, ("suspended", "safety"): 1}
    outside = [row for row in world.certificates if row["tenant_id"] not in reader.tenants]
    assert len(outside) == 4


def test_the_same_spec_gives_the_same_world() -> None:
    spec = WorldSpec(500, 4, TODAY)
    assert text_of(generate_world(spec)) == text_of(generate_world(spec))
    assert text_of(generate_world(spec)) != text_of(generate_world(WorldSpec(500, 5, TODAY)))


def test_another_day_moves_only_the_dates() -> None:
    worlds = [generate_world(WorldSpec(500, 4, day)) for day in (TODAY, TODAY + dt.timedelta(days=400))]
    ids = [[row["certificate_id"] for row in world.certificates] for world in worlds]
    assert ids[0] == ids[1]
    readers = [Counter(c.disposition for c in PlainReader(world, RULES).claims()) for world in worlds]
    assert readers[0].keys() == readers[1].keys()


@pytest.mark.parametrize("today", [dt.date(2024, 2, 29), dt.date(2027, 12, 31), dt.date(2028, 3, 1)])
def test_awkward_days(today: dt.date) -> None:
    world = generate_world(WorldSpec(2000, 1, today))
    found = Counter(code for claim in PlainReader(world, RULES).claims() for code in claim.findings)
    assert set(found) == FROM_DATA


def test_shapes_of_the_brief() -> None:
    world = generate_world(WorldSpec(2000, 1, TODAY))
    certificates, persons = list(world.certificates), list(world.persons)
    known = set(world.certificates.rows)
    employees = list(world.employees)
    numbers = Counter(row["employeeNumber"].strip() for row in employees)
    links = Counter(row["certificate_id"] for row in world.links)
    health = [row for row in certificates if row["action_type"] == "HEALTH"]
    shown = {
        "leading zeros": any((row["code"] or "").startswith("0") for row in persons),
        "spaces in 4HSE": any((row["code"] or "x").strip() not in ("", row["code"]) for row in persons),
        "spaces in Ditio": any(row["employeeNumber"] != row["employeeNumber"].strip() for row in employees),
        "number twice in Ditio": max(numbers.values()) > 1,
        "other companies": len({row["companyId"] for row in employees}) == 3,
        "dangling links": any(row["certificate_id"] not in known for row in world.links),
        "dangling medical links": any(
            row["certificate_id"] not in known and row["action_type"] == "HEALTH" for row in world.links
        ),
        "several links": max(links.values()) > 1,
        "medical data": all(row["data"] and row["note"] for row in health) and health,
        "notes": any(row["note"] for row in certificates if row["action_type"] == "TRAINING"),
        "no expiry field at all": any("date_expire" not in row for row in certificates),
        "resources": {row["resource_type"] for row in certificates} >= {"EQUIPMENT", "ROLE", "OFFICE", None},
        "employees without person": any(n.startswith("D9") for n in numbers),
        "rehired": any(len(row["employmentHistory"]) > 1 for row in employees),
        "links with a date of their own": any(not row["is_date_inherited"] for row in world.links),
    }
    assert [name for name, there in shown.items() if not there] == []


def test_names_of_three_languages() -> None:
    world = generate_world(WorldSpec(5000, 1, TODAY))
    letters = "".join(as_text(row["first_name"]) + row["last_name"] for row in world.persons)  # type: ignore[operator]
    assert set("øåæłżąśóèàùò") <= set(letters.casefold()) | set("ù")
    pairs = [(row, row["firstName"]) for row in world.employees]
    assert any(name != name.encode("ascii", "ignore").decode() for _, name in pairs)


def test_alike_spellings_are_alike() -> None:
    for name, other in ALIKE.items():
        folded = [next(iter(tokens(text))) for text in (name, other)]
        assert ratio(*folded) >= 85
