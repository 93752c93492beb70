"""No settings file, however broken, ends in anything but a short message of ours that a terminal may show."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from certrecon.errors import SettingsError
from certrecon.settings import parse_settings
from certrecon.settings.crosswalk import parse_crosswalk
from certrecon.settings.loader import LoadedSettings, restore_settings
from certrecon.settings.model import Settings
from tests.hostile.clients import assert_fit_to_show

LONGEST = 8_000
NINES = "9" * 4_000
RULE = "certificate_types: [{certificate_type: A, action_name: '%s'}]"
LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(['*' + inner] * 9)}]\n" for inner, name in zip("abcdefgh", "bcdefghi", strict=True)
)
REFUSED = {
    "a list that holds itself": "tenants: &a [*a]",
    "a mapping that holds itself": "guards: &a {max_drop: *a}",
    "a file that holds itself": "&a {tenants: *a}",
    "a merge of itself": "&a {<<: *a}",
    "a billion laughs": LAUGHS,
    "a billion laughs where ids belong": LAUGHS + "tenants: *i",
    "nested lists": "tenants: " + "[" * 3_000 + "]" * 3_000,
    "nested mappings": "a: " + "{a: " * 3_000 + "}" * 3_000,
    "20,000 mistakes": "tenants: [" + ",".join(["{}"] * 20_000) + "]",
    "5,000 unknown keys": "\n".join(f"k{number}: 1" for number in range(5_000)),
    "a value of 1 MB": "a: " + "x" * 1_000_000,
    "a key of 1,000 characters": "k" * 1_000 + ": 1",
    "a number of 5,000 digits": f"tenants: [{NINES}{NINES}]",
    "a page size of 4,000 digits": f"fourhse: {{page_size: {NINES}}}",
    "a batch size of 4,000 digits": f"ditio: {{batch_size: {NINES}}}",
    "a guard of 4,000 digits": f"guards: {{min_upserts: {NINES}}}",
    "a retention of 4,000 digits": f"evidence: {{retention_days: {NINES}}}",
    "a validity of 4,000 digits": f"certificate_types: [{{certificate_type: A, action_code: [B], max_validity_years: {NINES}}}]",
    "a share that is no number": "guards: {max_drop: .nan}",
    "a rate without end": "fourhse: {requests_per_second: .inf}",
    "a time-out without end": "approval: {timeout_hours: .inf}",
    "a time-out longer than time": "approval: {timeout_hours: 1e308}",
    "a day that is none": "no_expiry_date: 2024-02-30",
    "year zero": "no_expiry_date: 0000-00-00",
    "a zone of 99 hours": "no_expiry_date: 2001-12-14t21:59:43.10-99:00",
    "a key that is a number": "{1: 2}",
    "a key that is null": "{null: 2}",
    "a key that is a day": "{2020-01-01: x}",
    "a key that is a list": "? [a]\n: b",
    "a key that is a mapping": "? {a: b}\n: c",
    "terminal codes in a value": 'time_zone: "\\e[2J\\a"',
    "terminal codes in a key": '"\\e[2J\\n": 1',
    "terminal codes in a key that is there twice": '"\\e[2J": 1\n"\\e[2J": 2',
    "terminal codes in a file's name": 'employee_match: {crosswalk: "\\e[2J"}',
    "terminal codes in a finding": 'severities: {"\\e[2J": info}',
    "terminal codes in a type": 'certificate_types: [{certificate_type: "A\\e[2J", action_code: [B]}]',
    "a turn of direction in a type": 'certificate_types: [{certificate_type: "A\\u202eB", action_code: [B]}]',
    "a turn of direction outside quotes": "a: [\u202e",
    "half a character in a type": 'certificate_types: [{certificate_type: "A\\ud800", action_code: [B]}]',
    "half a character in a tenant": 'tenants: ["\\ud800"]',
    "NUL in a tenant": 'tenants: ["a\\0b"]',
    "NUL in a folder": 'evidence: {root: "a\\0b"}',
    "NUL in a file's name": 'employee_match: {crosswalk: "a\\0b"}',
    "half a character in a file's name": 'employee_match: {crosswalk: "\\udcff"}',
    "a file's name of 10,000 characters": f"employee_match: {{crosswalk: {'a' * 10_000}}}",
    "a folder as a file": "employee_match: {crosswalk: .}",
    "NUL in the file": "a: \x00",
    "a folder as a zone": "time_zone: Europe",
    "a zone of 5,000 characters": "time_zone: " + "a" * 5_000,
    "a zone outside the zones": "time_zone: ../../../etc/passwd",
    "a zone with NUL": 'time_zone: "a\\0b"',
    "a repetition too large": RULE % "a{99999999999}",
    "an expression nested too deep": RULE % ("(" * 5_000 + ")" * 5_000),
    "an expression that does not end": RULE % ("(" + "a" * 100_000),
    "Python's own tags": "!!python/object/apply:os.system [id]",
    "a number that is none": "a: !!int x",
    "a day's tag on a word": "a: !!timestamp x",
    "a yes's tag on a word": "a: !!bool x",
    "bytes": "tenants: [!!binary aGVsbG8=]",
    "two documents": "a: 1\n---\nb: 2",
    "another YAML": "%YAML 9.9\n---\na: 1",
    "a list": "- a",
    "a word": "a",
}  # fmt: skip


def refused_or_whole(text: str) -> LoadedSettings | str:
    """Return what a settings file gives, or the message of its refusal, held against its promises."""
    try:
        return parse_settings(text, source="file.yaml")
    except SettingsError as error:
        refusal = error
    assert_fit_to_show(str(refusal), LONGEST)
    assert refusal.__cause__ is None, "the cause may repeat whole values"
    return str(refusal)


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_words(name: str) -> None:
    started = time.monotonic()
    found = refused_or_whole(REFUSED[name])
    assert isinstance(found, str), "the settings were accepted"
    assert time.monotonic() - started < 5.0


# --- fuzzing -------------------------------------------------------------------------------------------

FUZZ = settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PLAIN = Settings().model_dump(mode="json")
KEYS = sorted({*PLAIN, *(inner for value in PLAIN.values() if isinstance(value, dict) for inner in value)})
KEYS += ["certificate_type", "action_code", "action_name", "certificate_name", "max_validity_years", "EXPIRED"]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.sampled_from(["hold", "send", "block", "TRAINING", "HEALTH", "info", "critical", "(", "Europe", "code", ""]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
TOP = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), VALUES, max_size=6)
MARKS = ["[", "]", "{", "}", ": ", "- ", "\n", "  ", "&a ", "*a", "<<: ", "? ", "| ", "> ", "'", '"', "!!", "!!int ", "!!set ", "!!timestamp ", "%", "---\n", "...\n", "#", "\\", "\t", "\u202e", "\ufeff", "1:2:3", "0x", "2024-02-30"]  # fmt: skip
NEAR_YAML = st.lists(st.sampled_from(MARKS + KEYS) | st.text(max_size=4), max_size=30).map("".join)


@FUZZ
@given(NEAR_YAML)
def test_near_yaml(text: str) -> None:
    refused_or_whole(text)


@FUZZ
@given(TOP)
def test_mappings(document: dict[str, Any]) -> None:
    try:
        text = yaml.safe_dump(document, allow_unicode=True)
    except yaml.YAMLError:
        return
    found = refused_or_whole(text)
    if isinstance(found, LoadedSettings):
        assert restore_settings(found.text) == found, "what a run keeps gives the same settings back"


@FUZZ
@given(
    st.one_of(
        st.text(max_size=60),
        st.fixed_dictionaries({"settings": VALUES | TOP, "crosswalk": VALUES}).map(
            lambda one: json.dumps(one, default=str)
        ),
    )
)
def test_what_evidence_may_hold(text: str) -> None:
    try:
        restored = restore_settings(text)
    except SettingsError as error:
        assert_fit_to_show(str(error), LONGEST)
    else:
        assert restore_settings(restored.text) == restored


HEADER = "person_id,employee_number\n"


@FUZZ
@example(HEADER + 'a,"' + "9" * 200_000)
@example(HEADER + "a," + "9" * 200_000)
@example(HEADER + "a,1\ra,2")
@example(HEADER + "a\x00,1")
@example(HEADER + "\x1b[2J,")
@example(HEADER + "a,1,2,3\n")
@example("\x1b[2J" * 50_000)
@given(
    st.one_of(
        st.text(max_size=60), st.text(st.sampled_from('ab1,"\n\r\x00\x1b\u202e '), max_size=40).map(HEADER.__add__)
    )
)
def test_crosswalks(text: str) -> None:
    try:
        numbers = parse_crosswalk(text, source="crosswalk.csv").numbers
    except SettingsError as error:
        assert_fit_to_show(str(error), LONGEST)
    else:
        assert all(person and number for person, number in numbers.items())


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "crosswalk.csv").write_bytes(b"person_id,employee_number\n\xff\xfe,1\n")
    with pytest.raises(SettingsError, match="not UTF-8 text"):
        parse_settings("employee_match: {crosswalk: crosswalk.csv}", folder=tmp_path)
