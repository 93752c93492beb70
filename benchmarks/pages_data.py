"""Fills a warehouse for the benchmarks of pages and reports: a million claims as the nights would leave them.

    python -m benchmarks.pages_data postgresql://... [claims]

The database must be migrated and empty. Everything is made by SQL inside PostgreSQL, the same every time.
"""

from __future__ import annotations

import sys
import time

from sqlalchemy import Engine, text

from certrecon.warehouse.engine import connect_engine, transaction
from certrecon.warehouse.migrate import migrate

TARGET = "b" * 64
RUNS = 60
PERSONS_SHARE = 20
RARE = 10

_RUNS = text("""
    INSERT INTO reconciliation.run
           (run_seq, run_id, attempt, target, mode, trigger, run_day, as_of, scope, status, started_at, finished_at,
            certificates, links, persons, employees, claims, sent, withdrawn, tenants, dispositions, findings, guards,
            settings_sha256, code_version)
    OVERRIDING SYSTEM VALUE
    SELECT n, 'scheduled__' || n, 1, :target, 'publish', 'scheduled', DATE '2026-01-01' + n::int,
           DATE '2026-01-01' + n::int, '{"tenant_ids": []}', 'running', TIMESTAMPTZ '2026-01-01 03:30Z'
           + n * '1 day'::interval, NULL, :claims, :claims, :claims / 20, :claims / 20, :claims, 0, 300, '{}',
           jsonb_build_object('delivered', :claims * 6 / 10, 'blocked', :claims / 10), '{}', '{}', '5e77', 'bench'
      FROM generate_series(1, :runs) AS n""")
_FINALISE = text("UPDATE reconciliation.run SET status = 'succeeded', finished_at = started_at + '5 min'::interval")
_NUMBER = text("SELECT setval(pg_get_serial_sequence('reconciliation.run', 'run_seq'), :runs)")
# Random by a digest of the number, so that the rows are the same on every machine.
_CLAIMS = """
    INSERT INTO reconciliation.claim
           (target, certificate_id, certificate_type, tenant_id, certificate_name, action_type, resource_type,
            resource_id, person_name, employee_number, issued_on, valid_until, linked, disposition, findings, detail,
            first_run_seq, ended_run_seq, row_sha256, since_run_seq)
    SELECT :target, md5(n::text)::uuid::text,
           CASE WHEN o.codes && ARRAY['TYPE_UNMAPPED'] OR o.disposition = 'held' THEN NULL
                ELSE 'Type ' || (power(h.a, 2) * 20)::int END,
           md5('tenant' || t.tenant)::uuid::text,
           'Certificate of kind ' || (h.a * 40)::int, 'TRAINING', 'PERSON', md5('person' || p.person)::uuid::text,
           (ARRAY['Åse', 'Jørgen', 'Kari', 'Łukasz', 'Ola', 'Marek', 'Ingrid', 'Per', 'Anna', 'Þór'])[1 + p.person % 10]
           || ' '
           || (ARRAY['Berg', 'Hansen', 'Nowak', 'Øye', 'Dahl', 'Kowalski', 'Lie', 'Strand'])[1 + p.person / 10 % 8]
           || 'en' || p.person,
           CASE WHEN p.person % 50 = 0 THEN NULL ELSE lpad(p.person::text, 6, '0') END,
           DATE '2024-01-01' + (h.b * 700)::int, DATE '2026-01-01' + (h.c * 900)::int, o.disposition <> 'held',
           o.disposition, o.codes, '{{"ditio_employee_number": "000001"}}',
           {first}, {ended}, sha256((n || '/' || {first})::text::bytea), {first}
      FROM generate_series(CAST(:low AS int), CAST(:high AS int)) AS n
     CROSS JOIN LATERAL (SELECT ('x' || substr(md5(n::text), 1, 7))::bit(28)::int / 268435456.0 AS a,
                                ('x' || substr(md5(n::text), 8, 7))::bit(28)::int / 268435456.0 AS b,
                                ('x' || substr(md5(n::text), 15, 7))::bit(28)::int / 268435456.0 AS c) AS h
     CROSS JOIN LATERAL (SELECT (power(n / CAST(:claims AS float8), 2) * 30)::int AS tenant) AS t
     CROSS JOIN LATERAL (SELECT 1 + (n % :persons)::int AS person) AS p
     CROSS JOIN LATERAL (
         SELECT CASE WHEN n % (:claims / :rare) = 0 THEN 'blocked' WHEN h.b < 0.6 THEN 'delivered'
                     WHEN h.b < 0.75 THEN 'superseded' WHEN h.b < 0.85 THEN 'blocked' WHEN h.b < 0.9 THEN 'held'
                     WHEN h.b < 0.99 THEN 'not_applicable' WHEN h.b < 0.995 THEN 'rejected' ELSE 'delivered' END,
                CASE WHEN n % (:claims / :rare) = 0 THEN ARRAY['BIRTH_DATE_MISMATCH']
                     WHEN h.b < 0.75 AND h.c < 0.05 THEN ARRAY['EXPIRES_SOON']
                     WHEN h.b < 0.75 AND h.c < 0.15 THEN ARRAY['EXPIRED']
                     WHEN h.b < 0.75 AND h.c < 0.17 THEN ARRAY['NAME_CHANGED']
                     WHEN h.b < 0.75 THEN ARRAY[]::text[]
                     WHEN h.b < 0.78 THEN ARRAY['EMPLOYEE_UNKNOWN'] WHEN h.b < 0.8 THEN ARRAY['NAME_MISMATCH']
                     WHEN h.b < 0.83 THEN ARRAY['EXPIRY_MISSING'] WHEN h.b < 0.85 THEN ARRAY['TYPE_UNMAPPED']
                     WHEN h.b < 0.9 THEN ARRAY['ACTION_LINK_MISSING']
                     WHEN h.b < 0.99 THEN ARRAY['RESOURCE_NOT_PERSON'] ELSE ARRAY[]::text[] END)
           AS o (disposition, codes)
     WHERE {which}"""
_PERSONS = text("""
    INSERT INTO reconciliation.claim_person (target, resource_id, person_name, employee_number)
    SELECT DISTINCT target, resource_id, person_name, employee_number FROM reconciliation.claim
        ON CONFLICT DO NOTHING""")
_LEDGER = text("""
    INSERT INTO reconciliation.ditio_upsert
           (target, employee_number, certificate_type, certificate_id, payload, payload_sha256, state, message,
            http_status, run_seq)
    SELECT DISTINCT ON (employee_number, certificate_type) target, employee_number, certificate_type, certificate_id,
           '{"issuedDateTime": "2025-01-01T00:00:00Z", "validUntilDateTime": "2027-01-01T00:00:00Z"}', 'aa',
           CASE disposition WHEN 'rejected' THEN 'rejected' ELSE 'acknowledged' END,
           CASE disposition WHEN 'rejected' THEN 'Unknown certificate type' END,
           CASE disposition WHEN 'rejected' THEN 400 ELSE 200 END, first_run_seq
      FROM reconciliation.claim
     WHERE ended_run_seq IS NULL AND disposition IN ('delivered', 'rejected')
       AND employee_number IS NOT NULL AND certificate_type IS NOT NULL""")
_WITHDRAWN = text("""
    INSERT INTO reconciliation.withdrawn_upsert
           (target, employee_number, certificate_type, certificate_id, reason, first_run_seq)
    SELECT :target, 'gone' || n, 'Type 1', 'c' || n, 'deleted', 1 + n % :runs FROM generate_series(1, 300) AS n""")
_DANGLING = text("""
    INSERT INTO reconciliation.dangling_link (target, tenant_id, certificate_action_id, certificate_id, first_run_seq)
    SELECT :target, 't' || n % 30, 'a' || n, 'c' || n, 1 + n % :runs FROM generate_series(1, 500) AS n""")


def fill(engine: Engine, claims: int = 1_000_000) -> None:
    """Fill an empty, migrated warehouse with `claims` open claims and sixty runs, of which each changed 1 %."""
    params = {"target": TARGET, "claims": claims, "runs": RUNS, "rare": RARE, "persons": claims // PERSONS_SHARE}
    with transaction(engine) as conn:
        conn.execute(_RUNS, params)
        conn.execute(_NUMBER, params)
        # What run 1 left and a later run ended: a hundredth of the claims each night.
        hundredth = "n % 100 BETWEEN 1 AND 59"
        ended = text(_CLAIMS.format(first="1::bigint", ended="1 + n % 100", which=hundredth))
        first = f"(CASE WHEN {hundredth} THEN 1 + n % 100 ELSE 1 END)::bigint"
        still = text(_CLAIMS.format(first=first, ended="NULL::bigint", which="true"))
        conn.execute(ended, params | {"low": 1, "high": claims})
        conn.execute(still, params | {"low": 1, "high": claims})
        for statement in (_PERSONS, _LEDGER, _WITHDRAWN, _DANGLING, _FINALISE):
            conn.execute(statement, params)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text("VACUUM ANALYZE reconciliation.claim"))


def main(url: str, claims: str = "1000000") -> None:
    """Migrate and fill the warehouse at `url`."""
    engine = connect_engine(url)
    migrate(engine)
    began = time.perf_counter()
    fill(engine, int(claims))
    print(f"{claims} claims in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
