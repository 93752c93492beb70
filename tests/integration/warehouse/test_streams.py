"""What a night reads of its target and of itself, some rows at a time."""

from __future__ import annotations

from contextlib import closing

import pyarrow as pa
from sqlalchemy import Engine, text

from certrecon.warehouse.engine import transaction
from certrecon.warehouse.history import OPEN_CLAIM, open_claim_batches, read_open_claims
from certrecon.warehouse.ledger import (
    LEDGER_WITH_PAYLOAD,
    RECORDED_ATTEMPT,
    attempt_batches,
    ledger_batches,
    read_attempts,
    read_ledger,
)
from certrecon.warehouse.run_entries import ENTRY, entries_of_run
from tests.integration.warehouse.samples import TARGET, answer, claims, opened_seq, query, queue, sha, write

MANY = 200_000
A, B = {"version": "A"}, {"version": "B"}
SECOND = {"employee_number": "2"}
REFUSED = {"http_status": 400, "message": 'no "A",\nno B', "state": "rejected"}


def test_the_whole_ledger_with_payloads(warehouse: Engine) -> None:
    run_seq = opened_seq(warehouse)
    queue(warehouse, run_seq, A, B | SECOND)
    answer(warehouse, run_seq, A)
    with transaction(warehouse) as conn:
        found = pa.concat_tables(ledger_batches(conn, TARGET))
        assert found == read_ledger(conn, TARGET, with_payload=True)
        assert list(ledger_batches(conn, "target-b")) == []
    assert found.schema == LEDGER_WITH_PAYLOAD
    assert found.num_rows == len(found["payload"].drop_null()) == 2


def test_the_open_claims(warehouse: Engine) -> None:
    write(warehouse, opened_seq(warehouse), claims({}, {"certificate_id": "c2", "findings": ["A"]}))
    with transaction(warehouse) as conn:
        found = pa.concat_tables(open_claim_batches(conn, TARGET))
        assert found == read_open_claims(conn, TARGET)
    assert found.schema == OPEN_CLAIM
    assert found.num_rows == 2


def test_what_a_run_left_in_the_ledger(warehouse: Engine) -> None:
    """Entries that another run wrote last are not its own, whichever run acknowledged them."""
    first = opened_seq(warehouse, "first")
    queue(warehouse, first, A, A | SECOND)
    answer(warehouse, first, A, A | SECOND)
    second = opened_seq(warehouse, "second")
    queue(warehouse, second, B)
    answer(warehouse, second, B | REFUSED)
    with transaction(warehouse) as conn:
        left = {seq: pa.concat_tables(entries_of_run(conn, seq, TARGET)).to_pylist() for seq in (first, second)}
        assert list(entries_of_run(conn, second, "target-b")) == []
    assert left[first] == [
        dict(zip(ENTRY.names, ["2", "Byggekort", "acknowledged", sha("A"), "cA", "tA", first, 200, None], strict=True))
    ]
    assert left[second] == [
        dict(
            zip(
                ENTRY.names,
                ["1", "Byggekort", "rejected", sha("A"), "cA", "tA", second, 400, REFUSED["message"]],
                strict=True,
            )
        )
    ]


def test_the_requests_of_a_run(warehouse: Engine) -> None:
    first, second = opened_seq(warehouse, "first", target="target-b"), opened_seq(warehouse, "second")
    queue(warehouse, second, A, B | SECOND)
    answer(warehouse, second, A | REFUSED, B | SECOND)
    with transaction(warehouse) as conn:
        found = pa.concat_tables(attempt_batches(conn, second))
        assert found == read_attempts(conn, second)
        assert list(attempt_batches(conn, first)) == []
    assert found.schema == RECORDED_ATTEMPT
    assert found["message"].to_pylist() == [REFUSED["message"], None]


def test_whoever_stops_early_can_go_on_in_the_same_transaction(warehouse: Engine) -> None:
    run_seq = opened_seq(warehouse)
    numbers = "INSERT INTO reconciliation.ditio_upsert (target, employee_number, certificate_type, certificate_id, "
    numbers += "person_id, tenant_id, payload, payload_sha256, state, run_seq) "
    numbers += "SELECT :target, n::text, 'Byggekort', 'c', 'p', 't', '{}', 's', 'pending', :run_seq "
    numbers += f"FROM generate_series(1, {MANY}) AS n"
    with transaction(warehouse) as conn:
        conn.execute(text(numbers), {"target": TARGET, "run_seq": run_seq})
        with closing(ledger_batches(conn, TARGET)) as batches:
            assert 0 < next(batches).num_rows < MANY
        assert sum(batch.num_rows for batch in ledger_batches(conn, TARGET)) == MANY
    assert query(warehouse, "SELECT count(*) FROM reconciliation.ditio_upsert") == [(MANY,)]
