"""The settings with their defaults, and what is refused of them (Settings; Fine print: settings, tenants)."""

from __future__ import annotations

import re
from datetime import date

from tests.oracle.catalogue import SEVERITIES
from tests.oracle.text import folded_type, text, trimmed
from tests.oracle.world import RefusedError, Row, World

DEFAULTS: Row = {
    "tenants": [],
    "time_zone": "Europe/Oslo",
    "publish_action_types": ["TRAINING"],
    "certificate_types": [],
    "unlinked": "hold",
    "no_expiry": "block",
    "no_expiry_date": "2099-12-31",
    "expiring_within_days": 60,
    "severities": {},
    "employee_match": {"person_field": "code", "crosswalk": None},
    "fourhse": {"page_size": 100, "concurrency": 4, "requests_per_second": None},
    "ditio": {
        "employee_source": "employees_v5", "company_id": None, "batch_size": 100, "concurrency": 2,
        "requests_per_second": None,
    },
    "guards": {
        "max_drop": 0.2, "max_match_rate_drop": 0.1, "max_upserts_share": 0.3, "min_upserts": 500,
        "max_withdrawn": 25, "max_rejected_share": 0.2, "min_rejected_sample": 50,
    },
    "approval": {"timeout_hours": 20, "approvers": [], "four_eyes": False},
    "evidence": {"root": None, "retention_days": 730},
    "personal_data": {"retention_days": None},
    "linking": {"enabled": False, "max_certificates": 200, "timeout_hours": 20},
    "report": {"data_docs": False},
}  # fmt: skip
BLOCKS = ("employee_match", "fourhse", "ditio", "guards", "approval", "evidence")
CONDITIONS = {"action_code", "action_name", "certificate_name", "action_type"}
RULE_KEYS = CONDITIONS | {"certificate_type", "max_validity_years"}
LONGEST_TYPE = 255


def complete(settings: Row) -> Row:
    """The settings with defaults filled in and types in their normal form.

    Raises:
        RefusedError: for an unknown key or finding code, a rule without a condition, a type that is too
            long or missing, or types that collide when folded.
    """
    _refuse_unknown(settings, DEFAULTS)
    for block in BLOCKS:
        _refuse_unknown(settings.get(block, {}), DEFAULTS[block])
    full = {**DEFAULTS, **settings}
    full.update({block: {**DEFAULTS[block], **settings.get(block, {})} for block in BLOCKS})
    _refuse_unknown(full["severities"], SEVERITIES)
    full["no_expiry_date"] = date.fromisoformat(str(full["no_expiry_date"]))
    full["certificate_types"] = [_rule(rule) for rule in full["certificate_types"]]
    _refuse_collisions([rule["certificate_type"] for rule in full["certificate_types"]])
    return full


def scope(world: World, settings: Row) -> list[str]:
    """The tenants of this run.

    Raises:
        RefusedError: for a tenant that the user cannot see, no tenant at all, or another `as_of` than the
            run's own day without `dry_run`.

    """
    if world.as_of != (world.run_day or world.as_of) and world.mode != "dry_run":
        raise RefusedError("as_of")
    visible = _projects(world)
    wanted = world.tenant_ids or settings["tenants"]
    if not set(wanted) <= set(visible):
        raise RefusedError("tenant_ids")
    chosen = list(wanted) or [tenant for tenant, operational in visible.items() if operational]
    if not chosen:
        raise RefusedError("no tenants")
    return chosen


def _projects(world: World) -> dict[str, bool]:
    if not world.projects:
        return dict.fromkeys(world.certificates, True)
    return {
        row["project_id"]: row.get("status") == "active" and row.get("project_type") != "template"
        for row in world.projects
    }


def _refuse_unknown(given: Row, known: Row) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise RefusedError(f"unknown keys {unknown}")


def _rule(rule: Row) -> Row:
    _refuse_unknown(rule, dict.fromkeys(RULE_KEYS))
    given = {key: value for key, value in rule.items() if value not in (None, [], "")}
    certificate_type = " ".join((trimmed(given.get("certificate_type")) or "").split())
    if not certificate_type or len(certificate_type) > LONGEST_TYPE or not CONDITIONS & set(given):
        raise RefusedError(f"type rule {rule}")
    return {
        "certificate_type": certificate_type,
        "action_code": {(text(code) or "").strip() for code in _listed(given.get("action_code"))},
        "action_type": {text(value) for value in _listed(given.get("action_type"))},
        "action_name": re.compile(given["action_name"]) if "action_name" in given else None,
        "certificate_name": re.compile(given["certificate_name"]) if "certificate_name" in given else None,
        "max_validity_years": given.get("max_validity_years"),
    }


def _listed(value: object) -> list[object]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _refuse_collisions(certificate_types: list[str]) -> None:
    spellings: dict[str, str] = {}
    for spelling in certificate_types:
        if spellings.setdefault(folded_type(spelling), spelling) != spelling:
            raise RefusedError(f"types collide: {spelling}")
