"""What claims are made from: the datasets of a run and the day and settings they are judged by."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pyarrow as pa

from certrecon.claims.coded import coded_schema
from certrecon.settings import LoadedSettings


def _strings(*names: str) -> pa.Schema:
    return pa.schema([(name, pa.string()) for name in names])


CERTIFICATES = _strings(
    "certificate_id", "tenant_id", "name", "action_type", "date_release", "date_expire", "resource_id",
    "resource_type", "warning", "validity", "validity_unit",
)  # fmt: skip
"""Certificates as received, `tenant_id` being the tenant they were read from."""

LINKS = _strings(
    "certificate_action_id", "certificate_id", "tenant_id", "action_id", "action_name", "action_code",
    "action_type", "date_expire",
)  # fmt: skip
"""CertificateActions as received."""

PERSONS = _strings(
    "person_id",
    "project_id",
    "number",
    "first_name",
    "last_name",
    "birth_date",
    "owned_active",
    "parent_active",
)
"""4HSE persons as received, `project_id` being the tenant, `number` the settings' `person_field`."""

EMPLOYEES = _strings(
    "employee_id", "employee_number", "first_name", "last_name", "birth_date", "company_id", "disabled", "end_date",
    "ended_open",
)  # fmt: skip
"""Ditio employees as received; `disabled` and `ended_open` are "true", "false" or null."""

LEDGER = pa.schema(
    [
        ("employee_number", pa.string()),
        ("certificate_type", pa.string()),
        ("state", pa.string()),
        ("in_doubt", pa.bool_()),
        ("payload_sha256", pa.string()),
        ("acknowledged_payload_sha256", pa.string()),
        ("acknowledged_at", pa.timestamp("us", "UTC")),
        ("first_acknowledged_at", pa.timestamp("us", "UTC")),
        ("acknowledged_certificate_id", pa.string()),
        ("acknowledged_person_id", pa.string()),
        ("acknowledged_given_name", pa.string()),
        ("acknowledged_family_name", pa.string()),
        ("acknowledged_tenant_id", pa.string()),
    ]
)
"""The target's ledger as rules use it; `acknowledged_*` is what Ditio last acknowledged."""

CLAIM_LEDGER = coded_schema(
    pa.schema(
        [
            LEDGER.field(name)
            for name in (
                "employee_number", "certificate_type", "acknowledged_payload_sha256", "acknowledged_at",
                "first_acknowledged_at", "acknowledged_person_id", "acknowledged_given_name",
                "acknowledged_family_name",
            )
        ]
    ),
    "acknowledged_payload_sha256",
)  # fmt: skip
"""What claims need of `LEDGER`."""


@dataclass(frozen=True, slots=True)
class ClaimInputs:
    """Everything that claims and their facts depend on; nothing else may influence them.

    Texts of certificates, links and ledger may be coded (`certrecon.claims.coded`).

    Attributes:
        certificates: Schema `CERTIFICATES`, all tenants of the run.
        links: Schema `LINKS`.
        persons: Schema `PERSONS`.
        employees: Schema `EMPLOYEES`.
        ledger: The columns of `CLAIM_LEDGER`.
        settings: The run's settings and crosswalk.
        as_of: The day on which validity is judged.
    """

    certificates: pa.Table
    links: pa.Table
    persons: pa.Table
    employees: pa.Table
    ledger: pa.Table
    settings: LoadedSettings
    as_of: dt.date
