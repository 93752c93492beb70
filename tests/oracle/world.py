"""What goes into the calculation and what comes out; shared by the oracle and by the table of cases."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

Row = dict[str, Any]
Tenants = dict[str, list[Row]]


class RefusedError(Exception):
    """The run stops in its first task: a setting or a parameter is refused."""


@dataclass
class World:
    """Everything a run is judged on, as the vendors' APIs return it.

    Attributes:
        certificates: by tenant asked for, rows of `certificate/index`.
        links: by tenant asked for, rows of `certificate-action/index`.
        persons: by tenant asked for, rows of `person/index` with `history: true`.
        employees: rows of the Ditio employee list.
        ledger: entries of the target; besides the hashes they carry `acknowledged_payload`, so that
            another implementation can hash it in its own way.
        settings: the settings file as a plain dict; a missing key has its default.
        as_of: the day on which validity is judged.
        run_day: the run's own day; None = `as_of`.
        crosswalk: person_id to employee number.
        mode: `publish` or `dry_run`.
        resend: the parameter of that name.
        tenant_ids: the parameter of that name; empty = unlimited.
        projects: rows of `project/index`; empty = the keys of `certificates`, all active.
        outside: open claims outside a limited run's scope, as the warehouse knows them.
        known: certificate_id to tenant, as the last run's claims know them.
        lookups: certificate_id to the tenant where `view/{id}` found it; not listed = 404.

    """

    certificates: Tenants
    links: Tenants
    persons: Tenants
    employees: list[Row]
    ledger: list[Row]
    settings: Row
    as_of: date
    run_day: date | None = None
    crosswalk: dict[str, str] = field(default_factory=dict)
    mode: str = "publish"
    resend: bool = False
    tenant_ids: list[str] = field(default_factory=list)
    projects: list[Row] = field(default_factory=list)
    outside: list[Row] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)
    lookups: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """One claim with its disposition before publishing; columns named as in the warehouse."""

    certificate_id: str
    certificate_type: str | None
    tenant_id: str
    certificate_name: str | None
    action_type: str | None
    resource_type: str | None
    resource_id: str | None
    person_name: str | None
    employee_number: str | None
    issued_on: date | None
    valid_until: date | None
    linked: bool
    findings: tuple[str, ...]
    disposition: str
    payload: Mapping[str, str] | None


@dataclass(frozen=True)
class Withdrawal:
    """A ledger entry that no eligible claim supports any more."""

    employee_number: str
    certificate_type: str
    certificate_id: str
    reason: str


@dataclass(frozen=True)
class Result:
    """What a run decides before it publishes.

    Attributes:
        claims: every claim, sorted by certificate and type.
        withdrawn: withdrawn ledger entries, sorted by key.
        dangling: ids of links whose certificate is not there.
        totals: `certificates`, `links`, `persons`, `employees`, `claims`, and for the matched share
            `matched` and `person_claims`.

    """

    claims: tuple[Claim, ...]
    withdrawn: tuple[Withdrawal, ...]
    dangling: tuple[str, ...]
    totals: Mapping[str, int]


def payload_sha256(payload: Mapping[str, str]) -> str:
    """Digest of a payload: SHA-256 over its JSON with sorted keys, no blanks, UTF-8 as it is."""
    body = json.dumps(dict(payload), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(body.encode()).hexdigest()
