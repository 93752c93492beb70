from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
import yaml

from certrecon.claims.inputs import EMPLOYEES, LINKS
from certrecon.names import Name
from certrecon.report import RunReport, build_report
from certrecon.report.suggesting import suggestions
from certrecon.report.unmapped import settings_lines
from certrecon.settings import parse_settings
from tests.unit.report.golden import PUBLISHED, claim, claims, partly

STAFF = partly(
    EMPLOYEES,
    *(
        {"employee_number": number, "first_name": given, "last_name": family}
        for number, given, family in (
            ("1", "Kari", "Nordmann"),
            ("2", "Kari Anne", "Berg"),
            ("3", "Bjørn", "Ås"),
            ("4", "Ås", "Bjorn"),
            ("5", "Ole", "Hansen"),
            ("6", "Ole", "Hansen"),
            ("7", "Ole", "Hansen"),
            ("8", "Ole", "Hansen"),
            (None, "No", "Number"),
        )
    ),
)

NAMES = {
    "the same": (("Kari", "Nordmann"), None, "1 Kari Nordmann"),
    "its own number": (("Kari", "Nordmann"), "1", ""),
    "swapped": (("Nordmann", "Kari"), None, "1 Kari Nordmann"),
    "one of two given names": (("Anne", "Berg"), None, "2 Kari Anne Berg"),
    "nearly the same given name": (("Kaari", "Nordmann"), None, "1 Kari Nordmann"),
    "another surname": (("Kari", "Nordman"), None, ""),
    "letters written out": (("Bjorn", "As"), None, "3 Bjørn Ås; 4 Ås Bjorn"),
    "many": (("Ole", "Hansen"), None, "5 Ole Hansen; 6 Ole Hansen; 7 Ole Hansen"),
    "no number": (("No", "Number"), None, ""),
    "no name": ((None, None), None, ""),
}


@pytest.mark.parametrize(("name", "number", "found"), NAMES.values(), ids=NAMES)
def test_employees_with_an_agreeing_name_are_suggested(
    name: tuple[str | None, str | None], number: str | None, found: str
) -> None:
    assert list(suggestions([(Name(*name), number)], STAFF)) == [found]


def test_persons_are_listed_once_with_their_claims() -> None:
    rows = [claim(f"c{number}", "Kari Nordmann", "77", "blocked", "EMPLOYEE_UNKNOWN") for number in range(3)]
    rows.append(claim("d", "Ole Hansen", None, "blocked", "EMPLOYEE_NUMBER_MISSING", person_id="p-x"))
    report = build_report(replace(PUBLISHED, claims=claims(*rows), employees=STAFF))
    assert [(row.person_name, row.claims, row.owner, row.suggestions) for row in report.unmatched_excerpt.rows] == [
        ("Kari Nordmann", 3, "hr", "1 Kari Nordmann"),
        ("Ole Hansen", 1, "4hse", "5 Ole Hansen; 6 Ole Hansen; 7 Ole Hansen"),
    ]


def test_what_is_listed_is_grouped_by_owner() -> None:
    kinds = {group.owner: [one.kind for one in group.lists] for group in build_report(PUBLISHED).work}
    assert kinds == {
        "4hse": ["blocked", "held", "unlinked", "dangling"],
        "hr": ["blocked", "noted", "unmatched_persons"],
        "ditio": ["rejected", "withdrawn"],
        "settings": ["blocked", "unmapped_types"],
        "operator": ["undelivered"],
    }


def _unmapped(**link: Any) -> RunReport:
    row = claim("u", "N N", "1", "blocked", "TYPE_UNMAPPED", certificate_type=None, certificate_name="Site card")
    own = {"certificate_id": "u", "tenant_id": "north", "action_type": "TRAINING"} | link
    return build_report(replace(PUBLISHED, claims=claims(row), links=partly(LINKS, own)))


TYPES = {
    "an action's code": (
        {"action_code": " KRAN1 ", "action_name": "Kranførerbeviset"},
        "Kranførerbevis",
        {"certificate_type": "Kranførerbevis", "action_code": ["KRAN1"]},
    ),
    "no code, another name": (
        {"action_name": "Working at heights (basic)"},
        "Working at heights (basic)",
        {"certificate_type": "Working at heights (basic)", "certificate_name": r"(?i)^Site\ card$"},
    ),
    "a type in other letters": (
        {"action_name": "BYGGEKORT"},
        "Byggekort",
        {"certificate_type": "Byggekort", "certificate_name": r"(?i)^Site\ card$"},
    ),
    "nothing known of the action": (
        {},
        "Site card",
        {"certificate_type": "Site card", "certificate_name": r"(?i)^Site\ card$"},
    ),
}


@pytest.mark.parametrize(("link", "suggested", "rule"), TYPES.values(), ids=TYPES)
def test_a_type_is_suggested_with_its_rule(link: dict[str, Any], suggested: str, rule: dict[str, Any]) -> None:
    (row,) = _unmapped(**link).unmapped_excerpt.rows
    assert (row.suggested_type, row.claims) == (suggested, 1)
    assert yaml.safe_load(row.settings_lines) == [rule]


NASTY = ["plain", "a: b", "# no", "{x}", '"quoted" \'twice\'', "back\\slash", "øæå \U0001f3d7", "tab\tline\nfeed", "\x85\u2028",
         "*", "null", "(?i)[", "- x", "% & !", "a" * 300]  # fmt: skip


@pytest.mark.parametrize("text", NASTY)
@pytest.mark.parametrize("key", ["action_code", "certificate_name", "action_name"])
def test_the_lines_can_be_pasted(key: str, text: str) -> None:
    kind = dict.fromkeys(("action_code", "certificate_name", "action_name"), None) | {key: text}
    line = settings_lines(kind, 'Some "type": it\'s')
    if not line:
        assert not text.strip()
        return
    assert "\n" not in line
    (rule,) = parse_settings(f"certificate_types:\n  {line}\n").settings.certificate_types
    assert rule.certificate_type == 'Some "type": it\'s'


def test_a_link_that_a_rule_maps_is_not_listed() -> None:
    links = partly(
        LINKS,
        {"certificate_id": "u", "tenant_id": "north", "action_code": "BYGG"},
        {"certificate_id": "u", "tenant_id": "north", "action_code": "NEW"},
    )
    row = claim("u", "N N", "1", "blocked", "TYPE_UNMAPPED", certificate_type=None)
    report = build_report(replace(PUBLISHED, claims=claims(row), links=links))
    assert [row.action_code for row in report.unmapped_excerpt.rows] == ["NEW"]


def test_at_most_fifty_kinds_are_listed() -> None:
    rows = [
        claim(
            f"u{number}", "N N", "1", "blocked", "TYPE_UNMAPPED", certificate_type=None, certificate_name=f"N {number}"
        )
        for number in range(60)
    ]
    report = build_report(replace(PUBLISHED, claims=claims(*rows), links=LINKS.empty_table()))
    assert (report.unmapped.num_rows, report.unmapped_excerpt.total) == (50, 60)
    assert report.unmapped_excerpt.more == "... and 10 more, with no more claims each"


def test_birth_dates_reach_nothing() -> None:
    staff = STAFF.set_column(
        STAFF.column_names.index("birth_date"), "birth_date", pa.array(["1999-09-09"] * STAFF.num_rows)
    )
    assert "1999-09-09" not in repr(build_report(replace(PUBLISHED, employees=staff)))
