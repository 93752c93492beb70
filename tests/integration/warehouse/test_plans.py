"""How PostgreSQL finds rows: by which index, and how often. What it does in a transaction, it counts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pyarrow as pa
import pytest
from sqlalchemy import Connection, Engine, text

from certrecon.schemas import ATTEMPT
from certrecon.warehouse.answers import record_attempts
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.history import claims_around
from tests.integration.warehouse.samples import (
    NOON,
    TARGET,
    claims,
    finalise,
    opened_seq,
    queue,
    sha,
    write,
)

_SCANS = text("SELECT pg_stat_get_xact_numscans(CAST(:name AS regclass))")
START = "p" * 160
"""As much of an id as the index holds."""


def scans(conn: Connection, work: Callable[[], object], *names: str) -> list[int]:
    """Return how often some work scans each of these: an index, or a table from end to end."""

    def counted() -> list[int]:
        return [conn.execute(_SCANS, {"name": f"reconciliation.{name}"}).scalar_one() for name in names]

    before = counted()
    work()
    return [now - then for then, now in zip(before, counted(), strict=True)]


def analyze(engine: Engine, table: str) -> None:
    """Let PostgreSQL look at what is in a table."""
    with transaction(engine) as conn:
        conn.execute(text(f"ANALYZE reconciliation.{table}"))


@pytest.mark.parametrize(
    ("person", "found"),
    [("p7", ["c7"]), (START + "a", ["ca"]), (START + "b", ["cb"]), (START, []), ("nobody", [])],
    ids=["short", "beyond the index", "the same within the index", "the start of others", "none"],
)
def test_the_claims_of_a_person_are_found_by_its_index(warehouse: Engine, person: str, found: list[str]) -> None:
    rows = [{"certificate_id": f"c{one}", "resource_id": f"p{one}"} for one in range(2000)]
    rows += [{"certificate_id": f"c{end}", "resource_id": START + end} for end in "ab"]
    write(warehouse, opened_seq(warehouse), claims(*rows))
    analyze(warehouse, "claim")
    around: list[pa.Table] = []
    with transaction(warehouse) as conn:
        conn.execute(text("SET LOCAL enable_seqscan = off"))
        times = scans(conn, lambda: around.append(claims_around(conn, TARGET, persons=[person])), "claim_of_person")
    assert (around[0].column("certificate_id").to_pylist(), times) == (found, [1])


def test_answers_find_their_entries_one_by_one_in_a_ledger_of_a_moment_ago(warehouse: Engine) -> None:
    """Statistics that know nothing of the rows must not have the whole ledger read for every batch of answers."""
    first = opened_seq(warehouse, "first")
    queue(warehouse, first, {"employee_number": "before"})
    analyze(warehouse, "ditio_upsert")
    finalise(warehouse, first)
    run_seq, numbers = opened_seq(warehouse), [str(number) for number in range(5000)]
    queue(warehouse, run_seq, *({"employee_number": number} for number in numbers))
    answered = numbers[:300]
    common = {"batch_id": "b", "certificate_type": "Byggekort", "payload_sha256": sha("A"), "sent_at": NOON}
    common |= {"answered_at": NOON, "http_status": 200, "message": None, "state": "acknowledged", "in_doubt": False}
    rows = pa.Table.from_pylist([common | {"employee_number": number} for number in answered], ATTEMPT)
    with transaction(warehouse) as conn:
        work = partial(record_attempts, conn, run_seq, TARGET, rows)
        assert scans(conn, work, "ditio_upsert_pkey", "ditio_upsert") == [len(answered), 0]
