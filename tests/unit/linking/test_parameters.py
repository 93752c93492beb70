"""What `link_certificates` can be started with, and when it may run at all."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from certrecon.errors import ParameterError, SettingsError
from certrecon.linking.parameters import LinkingRun, LinkParameters, parse_link_parameters, require_enabled
from certrecon.settings import parse_settings
from certrecon.settings.loader import restore_settings
from certrecon.settings.model import LinkingSettings

ONE, TWO = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
CONF: dict[str, Any] = {"certificate_ids": [ONE, TWO], "action_id": "a1"}
DEFAULTS = {"certificate_ids": [], "action_id": None, "action_code": None, "date_expire": None, "dry_run": False}
SETTINGS = LinkingSettings(enabled=True, max_certificates=2)


def test_what_is_given_counts_once_and_trimmed() -> None:
    conf = {"certificate_ids": [f" {ONE}", TWO, ONE], "action_id": " a1 ", "date_expire": "2027-01-31", "dry_run": True}
    found = parse_link_parameters(conf, DEFAULTS, SETTINGS)
    assert found == LinkParameters(
        certificate_ids=(ONE, TWO), action_id="a1", date_expire=dt.date(2027, 1, 31), dry_run=True
    )
    run = LinkingRun("run", "olga", found)
    assert LinkingRun.from_json(run.to_json()) == run


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"certificates": [ONE]}, ["'certificates'", "certificate_ids"]),
        ({"certificate_ids": []}, ["'certificate_ids'"]),
        ({"certificate_ids": None}, ["'certificate_ids'"]),
        ({"certificate_ids": ONE}, ["'certificate_ids'"]),
        ({"certificate_ids": [ONE, "x/../y"]}, ["'certificate_ids'", "x/../y", "UUID"]),
        ({"certificate_ids": [ONE, TWO, ONE.replace("1", "3")]}, ["3 certificates", "linking.max_certificates"]),
        ({"action_id": ""}, ["'action_id'", "'action_code'", "neither is given"]),
        ({"action_id": "  "}, ["neither is given"]),
        ({"action_id": "a1", "action_code": "BYGG"}, ["'action_id'", "'action_code'", "both are given"]),
        ({"action_id": "", "action_code": "x" * 256}, ["'action_code'"]),
        ({"action_id": None}, ["neither is given"]),
        ({"action_id": 7}, ["'action_id'"]),
        ({"date_expire": "2027-02-30"}, ["'date_expire'", "2027-02-30"]),
        ({"date_expire": "soon"}, ["'date_expire'", "soon"]),
        ({"dry_run": "perhaps"}, ["'dry_run'", "perhaps"]),
    ],
    ids=str,
)
def test_refused(changes: dict[str, Any], names: list[str]) -> None:
    with pytest.raises(ParameterError) as refused:
        parse_link_parameters(CONF | changes, DEFAULTS, SETTINGS)
    assert [name for name in names if name not in str(refused.value)] == []


def test_an_action_is_named_by_its_code_as_well() -> None:
    found = parse_link_parameters(CONF | {"action_id": " ", "action_code": " BYGG "}, DEFAULTS, SETTINGS)
    assert (found.action_id, found.action_code) == (None, "BYGG")


@pytest.mark.parametrize("key", ["certificate_ids", "action_id"])
def test_what_is_not_given_is_not_guessed(key: str) -> None:
    conf = {name: value for name, value in CONF.items() if name != key}
    with pytest.raises(ParameterError, match=f"'{key}'"):
        parse_link_parameters(conf, DEFAULTS, SETTINGS)


def test_it_is_off_unless_the_settings_say_a_plain_true() -> None:
    for text in ("{}", "linking: {}", "linking: {enabled: false}"):
        with pytest.raises(SettingsError, match=r"linking\.enabled"):
            require_enabled(parse_settings(text).settings.linking)
    require_enabled(parse_settings("linking: {enabled: true}").settings.linking)
    for word in ("'true'", "1", "'yes'", "on_purpose"):
        with pytest.raises(SettingsError, match=r"linking\.enabled"):
            parse_settings(f"linking: {{enabled: {word}}}")


def test_settings_that_an_earlier_version_sealed_restore_with_linking_off() -> None:
    text = parse_settings("{}").text
    start, end = text.index('"linking"'), text.index('"no_expiry"')
    restored = restore_settings(text[:start] + text[end:])
    assert restored.settings.linking == LinkingSettings()
    assert not restored.settings.linking.enabled
