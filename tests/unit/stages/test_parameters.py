"""A run's parameters, its day, its tenants and its target."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from certrecon.api.endpoint import DitioEndpoint
from certrecon.api.fourhse import Project
from certrecon.errors import ParameterError, SettingsError
from certrecon.settings import Settings, parse_settings
from certrecon.stages.find_tenants import listed_tenants
from certrecon.stages.open_run import Start, _new_run, evidence_address, target_of
from certrecon.stages.parameters import ApprovalMode, Parameters, judged_day, limited_tenants, parse_parameters
from certrecon.words import Guard, Mode

DAY = dt.date(2026, 6, 15)
DEFAULTS = {"mode": "publish", "tenant_ids": [], "approval": "auto", "accept": [], "resend": False, "as_of": None}


@pytest.mark.parametrize("conf", [None, {}, DEFAULTS, {"tenant_ids": None, "accept": None}])
def test_defaults(conf: dict[str, Any] | None) -> None:
    assert parse_parameters(conf, DEFAULTS) == Parameters()


def test_everything_chosen() -> None:
    conf = {
        "mode": "dry_run", "tenant_ids": ["t1"], "approval": "always", "accept": ["drop"], "resend": True, "as_of": "2026-01-01",
    }  # fmt: skip
    chosen = Parameters(
        mode=Mode.DRY_RUN,
        tenant_ids=("t1",),
        approval=ApprovalMode.ALWAYS,
        accept=(Guard.DROP,),
        resend=True,
        as_of=dt.date(2026, 1, 1),
    )
    assert parse_parameters(conf, DEFAULTS) == chosen
    assert Parameters.model_validate(chosen.model_dump(mode="json")) == chosen


@pytest.mark.parametrize(
    ("conf", "names"),
    [
        ({"mod": "dry_run"}, ["'mod'", "mode"]),
        ({"MODE": "dry_run"}, ["'MODE'"]),
        ({"mode": "dryrun"}, ["'mode'", "dryrun"]),
        ({"mode": None}, ["'mode'"]),
        ({"tenant_ids": "t1"}, ["'tenant_ids'", "t1"]),
        ({"tenant_ids": [1]}, ["'tenant_ids.0'"]),
        ({"accept": ["dropp"]}, ["'accept.0'", "dropp"]),
        ({"approval": "sometimes"}, ["'approval'"]),
        ({"resend": "perhaps"}, ["'resend'", "perhaps"]),
        ({"as_of": "tomorrow"}, ["'as_of'", "tomorrow"]),
        ({"as_of": "2026-02-30"}, ["'as_of'"]),
    ],
    ids=str,
)
def test_refused(conf: dict[str, Any], names: list[str]) -> None:
    with pytest.raises(ParameterError) as refused:
        parse_parameters(conf, DEFAULTS)
    assert [name for name in names if name not in str(refused.value)] == []


@pytest.mark.parametrize(
    ("mode", "as_of", "judged"),
    [
        (Mode.PUBLISH, None, DAY),
        (Mode.PUBLISH, DAY, DAY),
        (Mode.DRY_RUN, None, DAY),
        (Mode.DRY_RUN, dt.date(2030, 1, 1), dt.date(2030, 1, 1)),
        (Mode.DRY_RUN, dt.date(2020, 1, 1), dt.date(2020, 1, 1)),
    ],
)
def test_the_day_on_which_validity_is_judged(mode: Mode, as_of: dt.date | None, judged: dt.date) -> None:
    assert judged_day(Parameters(mode=mode, as_of=as_of), DAY) == judged


def test_another_day_only_dry() -> None:
    with pytest.raises(ParameterError, match=r"2026-06-14.*dry_run"):
        judged_day(Parameters(as_of=dt.date(2026, 6, 14)), DAY)


@pytest.mark.parametrize(
    ("run_after", "zone", "day"),
    [
        ("2026-06-15T01:30:00+00:00", "Europe/Oslo", DAY),
        ("2026-06-14T22:30:00+00:00", "Europe/Oslo", DAY),
        ("2026-06-14T21:30:00+00:00", "Europe/Oslo", dt.date(2026, 6, 14)),
        ("2026-12-14T22:30:00+00:00", "Europe/Oslo", dt.date(2026, 12, 14)),
        ("2026-06-14T23:30:00-05:00", "Europe/Oslo", DAY),
        ("2026-06-15T01:30:00+00:00", "America/New_York", dt.date(2026, 6, 14)),
    ],
)
def test_the_day_of_a_run_is_the_settings_zone_s(run_after: str, zone: str, day: dt.date) -> None:
    """The date of `run_after` in the zone; summer time counts."""
    start = Start("run", dt.datetime.fromisoformat(run_after), "manual", None, {}, {})
    new = _new_run(start, Parameters(), parse_settings(f"time_zone: {zone}"), "target")
    assert (new.run_day, new.as_of) == (day, day)


@pytest.mark.parametrize(
    ("asked", "listed", "chosen"),
    [
        ((), ("t1", "t2"), ("t1", "t2")),
        (("t2",), ("t1", "t2"), ("t2",)),
        (("t2", "t1", "t2"), ("t1", "t2"), ("t2", "t1")),
    ],
)
def test_tenants(asked: tuple[str, ...], listed: tuple[str, ...], chosen: tuple[str, ...]) -> None:
    assert limited_tenants(Parameters(tenant_ids=asked), listed) == chosen


def test_tenants_that_cannot_be_read() -> None:
    with pytest.raises(ParameterError, match="'t9'"):
        limited_tenants(Parameters(tenant_ids=("t1", "t9")), ("t1",))
    with pytest.raises(ParameterError, match="no tenant"):
        limited_tenants(Parameters(), ())


PROJECTS = [
    Project("active", "A", "active", "safety"),
    Project("suspended", "B", "suspended", "safety"),
    Project("template", "C", "active", "template"),
    Project("deleted", "D", "deleted", "safety"),
    Project("bare", None, "active", None),
]


def test_the_projects_of_an_empty_setting() -> None:
    assert listed_tenants(Settings(), PROJECTS) == ("active", "bare")


def test_listed_tenants_are_taken_whatever_their_status() -> None:
    assert listed_tenants(Settings(tenants=("suspended",)), PROJECTS) == ("suspended",)
    with pytest.raises(SettingsError, match="'hidden'"):
        listed_tenants(Settings(tenants=("active", "hidden")), PROJECTS)


def test_a_target_is_an_address_a_client_and_a_company() -> None:
    def endpoint(url: str = "https://a.example/core", client: str = "c", secret: str = "s") -> DitioEndpoint:
        return DitioEndpoint(url, "https://a.example/token", client, secret)

    base = target_of(endpoint(), None)
    assert base == target_of(endpoint(secret="another"), None) == target_of(endpoint("https://a.example/core/"), None)
    others = {
        target_of(endpoint("https://b.example/core"), None),
        target_of(endpoint(client="d"), None),
        target_of(endpoint(), "company"),
    }
    assert len(others | {base}) == 4


@pytest.mark.parametrize(
    ("root", "ends"),
    [
        (None, "/var/evidence"),
        ("/srv/evidence", "/srv/evidence"),
        ("s3://bucket/x", "s3://bucket/x"),
        ("kept", "/kept"),
    ],
)
def test_where_evidence_goes(root: str | None, ends: str) -> None:
    address = evidence_address(Settings.model_validate({"evidence": {"root": root}}))
    assert address.endswith(ends)
    assert address.startswith(("/", "s3:"))
