"""What tests put into the warehouse and read out of it, in plain SQL."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any

from sqlalchemy import Engine, text

from tests.oracle.world import Row, World

EARLIER = dt.datetime(2026, 6, 14, 1, 30, tzinfo=dt.UTC)

_RUN = """
    INSERT INTO reconciliation.run (run_id, attempt, target, mode, trigger, run_day, as_of, scope, status, failure,
           started_at, finished_at, settings_sha256, code_version)
    VALUES ('earlier', 1, :target, 'publish', 'scheduled', '2026-06-14', '2026-06-14', '{"tenant_ids": []}',
            'failed', 'a run that put the ledger here', :at, :at, 'none', 'none')
    RETURNING run_seq"""
_CLAIM = """
    INSERT INTO reconciliation.claim (target, certificate_id, certificate_type, tenant_id, resource_type, employee_number,
           issued_on, valid_until, linked, disposition, findings, detail, first_run_seq, since_run_seq, row_sha256)
    VALUES (:target, :certificate_id, :certificate_type, :tenant_id, 'PERSON', :employee_number,
            :issued_on, :valid_until, true, :disposition, CAST(:findings AS text[]), '{}', :run_seq, :run_seq, :row_sha256)"""
_ENTRY = """
    INSERT INTO reconciliation.ditio_upsert (target, employee_number, certificate_type, certificate_id, person_id,
           tenant_id, given_name, family_name, payload, payload_sha256, state, in_doubt, acknowledged_payload_sha256,
           acknowledged_at, first_acknowledged_at, acknowledged_certificate_id, acknowledged_person_id,
           acknowledged_tenant_id, acknowledged_given_name, acknowledged_family_name, attempts, run_seq)
    VALUES (:target, :employee_number, :certificate_type, :certificate_id, :person_id,
            :tenant_id, :given_name, :family_name, CAST(:payload AS jsonb), :payload_sha256, :state, :in_doubt, :acknowledged_payload_sha256,
            :acknowledged_at, :first_acknowledged_at, :a_certificate_id, :a_person_id,
            :a_tenant_id, :a_given_name, :a_family_name, 1, :run_seq)"""


def rows(engine: Engine, query: str, **values: Any) -> list[Row]:
    """Return what a query gives, a dictionary a row."""
    with engine.connect() as conn:
        return [dict(row) for row in conn.execute(text(query), values).mappings()]


def execute(engine: Engine, statement: str, **values: Any) -> Any:
    """Run one statement; return its first value where it gives one."""
    with engine.begin() as conn:
        result = conn.execute(text(statement), values)
        return result.scalar() if result.returns_rows else None


def claims(engine: Engine) -> list[Row]:
    """Return the open claims, by certificate and type."""
    query = "SELECT * FROM reconciliation.claim_current ORDER BY certificate_id, coalesce(certificate_type, '')"
    return rows(engine, query)


def withdrawn(engine: Engine) -> list[tuple[str, str, str]]:
    """Return what is withdrawn, as (employee number, certificate type, reason)."""
    query = "SELECT * FROM reconciliation.withdrawn_upsert WHERE ended_run_seq IS NULL"
    return sorted((row["employee_number"], row["certificate_type"], row["reason"]) for row in rows(engine, query))


def ledger(engine: Engine) -> dict[tuple[str, str], Row]:
    """Return the ledger by (employee number, certificate type)."""
    found = rows(engine, "SELECT * FROM reconciliation.ditio_upsert")
    return {(row["employee_number"], row["certificate_type"]): row for row in found}


def states(engine: Engine) -> dict[str, int]:
    """Return how many ledger entries are in each state."""
    query = "SELECT state, count(*) AS n FROM reconciliation.ditio_upsert GROUP BY state"
    return {row["state"]: row["n"] for row in rows(engine, query)}


def run_row(engine: Engine, run_seq: int) -> Row:
    """Return a run."""
    return rows(engine, "SELECT * FROM reconciliation.run WHERE run_seq = :run_seq", run_seq=run_seq)[0]


def fingerprint(
    engine: Engine, *, without: tuple[str, ...] = ("run", "settings_version")
) -> dict[str, tuple[int, str]]:
    """Return each table's row count and a digest of who wrote each row where: any write changes it.

    A test's first night has a folder of its own for evidence, so its settings are another version.
    """
    tables = rows(engine, "SELECT tablename FROM pg_tables WHERE schemaname = 'reconciliation'")
    found = {}
    for table in (row["tablename"] for row in tables if row["tablename"] not in without):
        query = f"""
            SELECT count(*) AS n, coalesce(md5(string_agg(xmin::text || ctid::text, ',' ORDER BY ctid)), '') AS digest
              FROM reconciliation.{table}"""  # noqa: S608 - names of our own tables
        row = rows(engine, query)[0]
        found[table] = (row["n"], row["digest"])
    return found


def put_in(engine: Engine, world: World, target: str) -> None:
    """Put into the warehouse what a world says is known from before: ledger and claims."""
    if not (world.ledger or world.outside or world.known):
        return
    run_seq = execute(engine, _RUN, target=target, at=EARLIER)
    first = world.tenant_ids[0] if world.tenant_ids else next(iter(world.certificates), None)
    for entry in world.ledger:
        execute(
            engine,
            _ENTRY,
            **_entry(entry, world.known.get(entry["certificate_id"], first)),
            target=target,
            run_seq=run_seq,
        )
    outside = {claim["certificate_id"] for claim in world.outside}
    known = [_known(certificate, tenant) for certificate, tenant in world.known.items() if certificate not in outside]
    for claim in [*world.outside, *known]:
        values = {"findings": [], "row_sha256": hashlib.sha256(repr(claim).encode()).digest(), **claim}
        execute(engine, _CLAIM, **values, target=target, run_seq=run_seq)


def _known(certificate: str, tenant: str) -> Row:
    """Return a claim that says no more than that its certificate was there."""
    nothing = dict.fromkeys(("certificate_type", "employee_number", "issued_on", "valid_until"))
    return {"certificate_id": certificate, "tenant_id": tenant, "disposition": "held", **nothing}


def _entry(entry: Row, tenant: str | None) -> Row:
    names = ("certificate_id", "person_id", "given_name", "family_name")
    acknowledged = entry["acknowledged_payload_sha256"] is not None
    own = {f"a_{name}": entry[name] if acknowledged else None for name in names}
    return {
        **{name: value for name, value in entry.items() if name != "acknowledged_payload"},
        **own,
        "tenant_id": tenant,
        "a_tenant_id": tenant if acknowledged else None,
        "payload": json.dumps(entry["payload"]),
        "in_doubt": bool(entry["in_doubt"]),
    }
