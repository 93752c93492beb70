"""A wrong setting is refused before any request, and the message names its key and value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from certrecon.errors import SettingsError
from certrecon.findings import CATALOGUE
from certrecon.settings import load_settings, parse_settings
from certrecon.settings.loader import restore_settings
from certrecon.words import Severity

RULE = "certificate_types: [{certificate_type: %s}]"
TYPE = "{certificate_type: '%s', action_code: [A]}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("tenant: [a]", ["tenant", "unknown key"], id="unknown key"),
        pytest.param("guards: {max_drops: 1}", ["guards.max_drops", "unknown key", "1"], id="unknown inner key"),
        pytest.param("guards: {max_drop: 2}", ["guards.max_drop", "2"], id="share above one"),
        pytest.param("guards: {max_withdrawn: -1}", ["guards.max_withdrawn", "-1"], id="negative count"),
        pytest.param("unlinked: sned", ["unlinked", "sned", "hold"], id="no such choice"),
        pytest.param("time_zone: Oslo", ["time_zone", "Oslo"], id="no such zone"),
        pytest.param("publish_action_types: [TRANING]", ["publish_action_types", "TRANING"], id="no such action type"),
        pytest.param("no_expiry_date: soon", ["no_expiry_date", "soon"], id="no date"),
        pytest.param("fourhse: {page_size: 0}", ["fourhse.page_size", "0"], id="page size"),
        pytest.param("ditio: {requests_per_second: 0}", ["ditio.requests_per_second", "0"], id="rate"),
        pytest.param("personal_data: {retention_days: 0}", ["personal_data.retention_days", "0"], id="no day at all"),
        pytest.param("personal_data: {retention_days: true}", ["personal_data.retention_days"], id="true is no day"),
        pytest.param(
            "personal_data: {retention_days: '30'}", ["personal_data.retention_days", "30"], id="days as text"
        ),
        pytest.param(
            "personal_data: {retention_days: 30.0}", ["personal_data.retention_days", "30"], id="days as share"
        ),
        pytest.param("personal_data: {retention_days: 36501}", ["retention_days", "36501"], id="more than a century"),
        pytest.param("personal_data: {days: 30}", ["personal_data.days", "unknown key"], id="unknown personal key"),
        pytest.param("report: {data_doc: true}", ["report.data_doc", "unknown key"], id="unknown report key"),
        pytest.param("report: {data_docs: perhaps}", ["report.data_docs", "perhaps"], id="neither true nor false"),
        pytest.param("severities: {EXPIRD: info}", ["severities", "EXPIRD"], id="no such finding"),
        pytest.param("severities: {EXPIRED: loud}", ["severities", "loud"], id="no such severity"),
        pytest.param(RULE % "A", ["certificate_types.0", "condition"], id="rule without condition"),
        pytest.param(
            "certificate_types: [{certificate_type: A, max_validity_years: 5}]",
            ["certificate_types.0", "condition"],
            id="rule with a limit only",
        ),
        pytest.param(
            "certificate_types: [{certificate_type: A, action_name: '('}]",
            ["certificate_types.0.action_name", "(", "regular expression"],
            id="no regular expression",
        ),
        pytest.param(f"certificate_types: [{TYPE % ('x' * 256)}]", ["certificate_type", "255"], id="type too long"),
        pytest.param(f"certificate_types: [{TYPE % ' '}]", ["certificate_type"], id="blank type"),
        pytest.param(
            f"certificate_types: [{TYPE % 'Kranførerbevis'}, {TYPE % 'KRANFORERBEVIS'}]",
            ["Kranførerbevis", "KRANFORERBEVIS"],
            id="types that collide when folded",
        ),
        pytest.param("tenants: [a]\ntenants: [b]", ["tenants", "twice"], id="key twice"),
        pytest.param("tenants: [", ["not valid YAML"], id="no YAML"),
        pytest.param("- tenants", ["mapping"], id="no mapping"),
    ],
)
def test_refused(text: str, words: list[str]) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_settings(text, source="file.yaml")
    assert "file.yaml" in str(refused.value)
    for word in words:
        assert word in str(refused.value)


@pytest.mark.parametrize("code", [code for code, finding in CATALOGUE.items() if finding.fixed])
def test_what_is_marked_cannot_be_lowered(code: str) -> None:
    with pytest.raises(SettingsError, match=f"{code}.*info"):
        parse_settings(f"severities: {{{code}: info}}")
    assert parse_settings(f"severities: {{{code}: critical}}").settings.severity_of(code) is Severity.CRITICAL


@pytest.mark.parametrize("code", [code for code, finding in CATALOGUE.items() if not finding.fixed])
def test_every_other_severity_can_be_overridden(code: str) -> None:
    for severity in Severity:
        assert parse_settings(f"severities: {{{code}: {severity}}}").settings.severity_of(code) is severity


def test_the_sentinel_beats_severities() -> None:
    settings = parse_settings("{no_expiry: sentinel, severities: {EXPIRY_MISSING: critical}}").settings
    assert settings.severity_of("EXPIRY_MISSING") is Severity.INFO


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("{}", None),
        ("personal_data: {retention_days: null}", None),
        ("personal_data: {retention_days: 1}", 1),
        ("personal_data: {retention_days: 36500}", 36_500),
    ],
)
def test_persons_are_kept_for_ever_unless_the_settings_say_how_long(text: str, days: int | None) -> None:
    assert parse_settings(text).settings.personal_data.retention_days == days


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("tenants: [0123]", ["0123", "83", "line 1"], id="octal tenant"),
        pytest.param("ditio:\n  company_id: 0123", ["0123", "83", "line 2"], id="octal company"),
        pytest.param("certificate_types:\n- certificate_type: A\n  action_code: [A,\n 0042]", ["0042", "34", "line 4"],
                     id="octal code"),
        pytest.param(f"certificate_types: [{TYPE % 'A'}]\ntenants: [1_0]", ["1_0", "10", "line 2"], id="underscore"),
        pytest.param("tenants: [0x1F]", ["0x1F", "31"], id="hexadecimal"),
        pytest.param("tenants: [0b11]", ["0b11", "3"], id="binary"),
        pytest.param("tenants: [12:30]", ["12:30", "750"], id="a time of day"),
        pytest.param("tenants: [+7]", ["+7", "7"], id="a sign"),
        pytest.param("tenants: [!!int '007']", ["007", "7"], id="called a number"),
        pytest.param("approval: {timeout_hours: 1:30}", ["1:30", "90"], id="hours and minutes"),
        pytest.param("approval: {timeout_hours: 1:30.5}", ["1:30.5", "90.5"], id="a fraction of a minute"),
        pytest.param("guards: {max_withdrawn: 010}", ["010", "8"], id="octal count"),
    ],
)  # fmt: skip
def test_a_number_that_would_be_read_as_another_one_is_refused(text: str, words: list[str]) -> None:
    with pytest.raises(SettingsError, match="write it in quotes") as refused:
        parse_settings(text, source="file.yaml")
    for word in ["file.yaml", *words]:
        assert word in str(refused.value)


@pytest.mark.parametrize(
    ("code", "means"),
    [("'0042'", "0042"), ('"1_0"', "1_0"), ("'12:30'", "12:30"), ("0089", "0089"), ("42", "42"), ("-1", "-1"), ("0", "0")],
)  # fmt: skip
def test_a_code_means_what_is_written(code: str, means: str) -> None:
    text = f"{{tenants: [{code}], certificate_types: [{{certificate_type: A, action_code: [{code}]}}]}}"
    settings = parse_settings(text).settings
    assert (settings.tenants, settings.certificate_types[0].action_code) == ((means,), (means,))


def test_what_an_earlier_run_made_of_a_number_is_still_restored() -> None:
    """What a run was judged by stays so: its JSON has 34 where the file had 0042."""
    rule = {"certificate_type": "A", "action_code": ["34"]}
    kept = json.dumps({"settings": {"tenants": ["83"], "certificate_types": [rule]}, "crosswalk": {}})
    restored = restore_settings(kept).settings
    assert (restored.tenants, restored.certificate_types[0].action_code) == (("83",), ("34",))


def test_shares_may_be_written_as_one_likes() -> None:
    assert parse_settings("guards: {max_drop: 0.20, max_rejected_share: .5}").settings.guards.max_rejected_share == 0.5


def test_types_are_cleaned_and_ids_may_be_numbers() -> None:
    text = "{tenants: [7, 7], certificate_types: [{certificate_type: '  Varme \u00a0 arbeider ', action_code: 12}]}"
    settings = parse_settings(text).settings
    assert settings.tenants == ("7",)
    assert settings.certificate_types[0].certificate_type == "Varme arbeider"
    assert settings.certificate_types[0].action_code == ("12",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("person,number\na,1\n", "header", id="other header"),
        pytest.param("person_id,employee_number\na,1\na,2\n", "line 3", id="person twice"),
        pytest.param("person_id,employee_number\na,\n", "line 2", id="no number"),
        pytest.param("person_id,employee_number\n,1\n", "line 2", id="no person"),
        pytest.param("person_id,employee_number\n\n\na,1\n\nb,\n", "line 6", id="blank lines count"),
        pytest.param('person_id,employee_number\n"a\nb",1\nc,\n', "line 4", id="a field of two lines"),
    ],
)
def test_a_wrong_crosswalk_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "crosswalk.csv").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=words):
        parse_settings("employee_match: {crosswalk: crosswalk.csv}", folder=tmp_path)


SECRET = ("Nordmann", "Ola", "p-0815", "00427")
"""What a crosswalk may hold of persons."""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            "Nordmann Ola,p-0815\np-0815,00427\n",
            "the header line must be 'person_id,employee_number'",
            id="no header line",
        ),
        pytest.param("person_id,employee_number\np-0815,\n", "line 2: the employee_number is missing", id="no number"),
        pytest.param("person_id,employee_number\n,00427\n", "line 2: the person_id is missing", id="no person"),
        pytest.param(
            "person_id,employee_number\np-0815,1\np-0815,00427\n", "line 3: the person_id of this line", id="twice"
        ),
        pytest.param(
            f"person_id,employee_number\nOla,{'0' * 140_000}00427\n", "not readable as CSV", id="a huge field"
        ),
    ],
)
def test_a_wrong_crosswalk_is_told_without_what_it_says_of_persons(tmp_path: Path, text: str, words: str) -> None:
    """The message is logged and mailed; numbers and names stay in the file."""
    (tmp_path / "crosswalk.csv").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        parse_settings("employee_match: {crosswalk: crosswalk.csv}", folder=tmp_path)
    assert words in str(refused.value)
    assert "crosswalk.csv" in str(refused.value)
    assert not [word for word in SECRET if word in str(refused.value)]
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            "employee_match: {crosswalk: {p-0815: '00427'}}", "employee_match.crosswalk: a mapping is refused",
            id="written into the settings",
        ),
        pytest.param(
            "employee_match: {crosswalk: [p-0815, '00427']}", "employee_match.crosswalk: a list is refused", id="as a list",
        ),
        pytest.param("p-0815,00427\np-2,Ola Nordmann\n", "must be a mapping of settings, found a text", id="as the settings"),
        pytest.param("- p-0815\n- Nordmann\n", "must be a mapping of settings, found a list", id="a list as the settings"),
    ],
)  # fmt: skip
def test_a_crosswalk_where_none_belongs_is_told_without_what_it_says_of_persons(text: str, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_settings(text)
    assert words in str(refused.value)
    assert not [word for word in SECRET if word in str(refused.value)]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.yaml"):
        load_settings(tmp_path / "nowhere.yaml")
    with pytest.raises(SettingsError, match=r"crosswalk.*nowhere\.csv"):
        parse_settings("employee_match: {crosswalk: nowhere.csv}", folder=tmp_path)


def test_what_a_run_keeps_of_its_settings_gives_them_back(tmp_path: Path) -> None:
    (tmp_path / "crosswalk.csv").write_text("person_id,employee_number\np1, 0042 \n", encoding="utf-8")
    loaded = parse_settings("{tenants: [a], employee_match: {crosswalk: crosswalk.csv}}", folder=tmp_path)
    assert loaded.crosswalk.numbers == {"p1": "0042"}
    assert restore_settings(loaded.text) == loaded


def test_the_default_file_is_fine_and_has_every_key() -> None:
    loaded = load_settings(Path(__file__).parents[3] / "include" / "config" / "reconciliation.yaml")
    assert loaded.settings.certificate_types
    assert not loaded.settings.report.data_docs


def test_data_docs_are_an_option() -> None:
    assert not parse_settings("{}").settings.report.data_docs
    assert parse_settings("report: {data_docs: true}").settings.report.data_docs
