"""What decides the outcome of claims, beside their facts and findings."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from certrecon.claims.coded import coded_schema
from certrecon.claims.inputs import LEDGER
from certrecon.words import Disposition

PREVIOUS_CLAIMS = pa.schema(
    [
        ("certificate_id", pa.string()),
        ("certificate_type", pa.string()),
        ("tenant_id", pa.string()),
        ("employee_number", pa.string()),
        ("issued_on", pa.date32()),
        ("valid_until", pa.date32()),
        ("disposition", pa.string()),
        ("findings", pa.list_(pa.string())),
        ("linked", pa.bool_()),
        ("resource_id", pa.string()),
        ("person_name", pa.string()),
        ("since_run_seq", pa.int64()),
    ]
)
"""The target's open claims as the last publishing run left them; `since_run_seq` is the run since which
a claim has its disposition."""

KNOWN_CLAIMS = coded_schema(
    pa.schema(
        [
            PREVIOUS_CLAIMS.field(name)
            for name in (
                "certificate_id", "certificate_type", "tenant_id", "employee_number", "issued_on", "valid_until",
                "disposition",
            )
        ]
    ),
    "certificate_id",
)  # fmt: skip
"""What decisions of a limited run need of `PREVIOUS_CLAIMS`."""

DECISION_LEDGER = coded_schema(
    pa.schema(
        [
            LEDGER.field(name)
            for name in (
                "employee_number", "certificate_type", "state", "in_doubt", "acknowledged_payload_sha256",
                "acknowledged_certificate_id", "acknowledged_person_id", "acknowledged_tenant_id",
            )
        ]
    ),
    "acknowledged_payload_sha256",
    "acknowledged_certificate_id",
)  # fmt: skip
"""What decisions need of `certrecon.claims.inputs.LEDGER`."""

LOOKUPS = pa.schema(
    [
        ("certificate_id", pa.string()),
        ("tenant_id", pa.string()),
        ("outcome", pa.string()),
        ("found_tenant_id", pa.string()),
        ("why", pa.string()),
    ]
)
"""Certificates looked up by id: `outcome` is `deleted` or `moved`, `why` is `absent` or `dangling`."""

ELIGIBLE = (
    Disposition.SUPERSEDED,
    Disposition.DELIVERED,
    Disposition.PLANNED,
    Disposition.REFUSED,
    Disposition.REJECTED,
    Disposition.UNDELIVERED,
)
"""The dispositions of eligible claims: all but the first three (design, *Dispositions*)."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run speaks of.

    Attributes:
        tenants: The tenants that count as read: what was acknowledged in them and is not there is deleted.
        limited: Whether the run speaks of some tenants or certificates only.
        certificates: The only certificates that the run speaks of; None where tenants are its limit.
    """

    tenants: tuple[str, ...]
    limited: bool
    certificates: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class DecisionInputs:
    """What the rules of dispositions, winners and withdrawals depend on.

    Attributes:
        ledger: The columns of `DECISION_LEDGER`, its texts coded or not.
        previous: The columns of `KNOWN_CLAIMS`, its texts coded or not; only a limited run looks at them.
        lookups: Schema `LOOKUPS`.
        scope: What the run speaks of.
        certificates: How many certificates were extracted.
        resend: Send every winner, also what is acknowledged.
    """

    ledger: pa.Table
    previous: pa.Table
    lookups: pa.Table
    scope: Scope
    certificates: int
    resend: bool
