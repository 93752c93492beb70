"""What nobody may do to the record, the owner and a superuser included, and in which words it is refused."""

from __future__ import annotations

import pyarrow as pa
import pytest
from sqlalchemy import Engine, FetchedValue, text

from certrecon.errors import IntegrityError
from certrecon.warehouse.approvals import Approval, add_approval
from certrecon.warehouse.dangling import DANGLING, write_dangling
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.purges import record_purge
from certrecon.warehouse.removals import Removal, add_removal
from certrecon.warehouse.settings_versions import keep_settings
from certrecon.warehouse.tables import SCHEMA, metadata
from certrecon.warehouse.withdrawals import WITHDRAWN, write_withdrawn
from tests.integration.warehouse.samples import NOON, TARGET, answer, claims, finalise, opened_seq, queue, write

APPEND_ONLY = (
    "ditio_attempt", "approval", "evidence_purge", "removal", "settings_version", "installation", "claim_person",
    "pseudonymisation", "linking", "created_link",
)  # fmt: skip
LASTING = {"claim": "claim_id", "withdrawn_upsert": "withdrawn_id", "dangling_link": "dangling_id"}
OPENED_WITH = (
    "run_seq", "run_id", "attempt", "target", "mode", "trigger", "triggered_by", "run_day", "as_of", "scope",
    "started_at", "settings_sha256", "code_version",
)  # fmt: skip
_RECORD = "its rows are a record"


def _other(table: str, column: str) -> str:
    """An assignment that changes the column, whatever it holds."""
    kind = str(metadata.tables[f"{SCHEMA}.{table}"].c[column].type).partition(" ")[0]
    new = {
        "TEXT": "'other'",
        "JSONB": """'{"other": 1}'""",
        "DATE": "DATE '1999-01-01'",
        "BOOLEAN": f"NOT {column}",
        "ARRAY": "ARRAY['OTHER']",
        "BYTEA": "'other'",
        "BLOB": "'other'",
        "TIMESTAMP": "'1999-01-01'",
    }.get(kind, f"coalesce({column}, 0) + 100")
    return f"{column} = {'DEFAULT' if column in {'run_seq', *LASTING.values()} else new}"


def _columns(table: str) -> list[str]:
    return [column.name for column in metadata.tables[f"{SCHEMA}.{table}"].columns]


def _refusal(table: str, column: str) -> str:
    made_by_postgres = isinstance(metadata.tables[f"{SCHEMA}.{table}"].c[column].server_default, FetchedValue)
    if made_by_postgres and column not in LASTING.values():
        return f'column "{column}" can only be updated to DEFAULT'
    return f"{table} 1 is on the record"


CASES = [
    *((table, f"UPDATE {table} SET {_columns(table)[1]} = {_columns(table)[1]}", _RECORD) for table in APPEND_ONLY),
    *((table, f"DELETE FROM {table}", _RECORD) for table in (*APPEND_ONLY, *LASTING, "run", "ditio_upsert")),
    *((table, f"TRUNCATE {table} CASCADE", _RECORD) for table in (*APPEND_ONLY, *LASTING, "run", "ditio_upsert")),
    *(
        (table, f"UPDATE {table} SET {_other(table, column)}, ended_run_seq = 2 WHERE ended_run_seq IS NULL", _refusal(table, column))
        for table in LASTING
        for column in _columns(table)
        if column != "ended_run_seq"
    ),
    *((table, f"UPDATE {table} SET {key} = DEFAULT", f"{table} 1 is on the record") for table, key in LASTING.items()),
    *(("run", f"UPDATE run SET {_other('run', column)} WHERE run_seq = 1", "run 1 is finalised: its row never changes")
      for column in _columns("run") if column != "finished_at"),
    ("run", "UPDATE run SET finished_at = now() WHERE run_seq = 1", "run 1 is finalised: its row never changes"),
    *(("run", f"UPDATE run SET {_other('run', column)} WHERE run_seq = 2", "run 2 is open: what it was opened with never changes")
      for column in OPENED_WITH),
]  # fmt: skip


def _everything(engine: Engine) -> None:
    """Write a row into every table: run 1 is finalised, run 2 is running."""
    run_seq = opened_seq(engine, "first")
    queue(engine, run_seq, {})
    answer(engine, run_seq, {})
    write(engine, run_seq, claims({}))
    key = {"employee_number": "1", "certificate_type": "Byggekort", "certificate_id": "cA", "reason": "deleted"}
    link = {"tenant_id": "t1", "certificate_action_id": "l1"}
    with transaction(engine) as conn:
        write_withdrawn(conn, run_seq, TARGET, pa.Table.from_pylist([key], WITHDRAWN), None)
        write_dangling(conn, run_seq, TARGET, pa.Table.from_pylist([link], DANGLING), None)
        add_approval(conn, Approval(run_seq, {}, "aa", NOON, NOON, "eva", "approved", None, None))
        keep_settings(conn, run_seq, "5e77", "{}")
    finalise(engine, run_seq)
    with transaction(engine) as conn:
        record_purge(conn, run_seq, "aa", "old")
        add_removal(conn, Removal(TARGET, "1", "Byggekort", None, "eva", done=True))
    opened_seq(engine, "second")


def _execute(engine: Engine, statement: str, first: str) -> int:
    with transaction(engine) as conn:
        conn.execute(text(f"SET LOCAL search_path = {SCHEMA}"))
        conn.execute(text(first))
        return conn.execute(text(statement)).rowcount


def test_what_is_refused_to_everybody(warehouse: Engine) -> None:
    _everything(warehouse)
    wrong = []
    for who in ("SELECT 1", "SET LOCAL ROLE certrecon_owner"):
        for table, statement, words in CASES:
            try:
                _execute(warehouse, statement, who)
                wrong.append((who, table, statement, "was allowed"))
            except IntegrityError as error:
                if words not in str(error):
                    wrong.append((who, table, statement, str(error)))
    assert wrong == []
    assert len(CASES) > 100


@pytest.mark.parametrize("table", list(LASTING))
def test_an_end_is_set_once(warehouse: Engine, table: str) -> None:
    _everything(warehouse)
    end = f"UPDATE {table} SET ended_run_seq = 2"  # noqa: S608 - a name of this test
    assert _execute(warehouse, end, "SELECT 1") == 1
    for again in (end, f"UPDATE {table} SET ended_run_seq = NULL"):  # noqa: S608
        with pytest.raises(IntegrityError, match="is on the record"):
            _execute(warehouse, again, "SELECT 1")


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("UPDATE run SET claims = 9 WHERE run_seq = 1", id="run"),
        pytest.param("UPDATE ditio_attempt SET message = 'x'", id="attempt"),
        pytest.param("UPDATE claim SET disposition = 'held'", id="claim"),
        pytest.param("DELETE FROM removal", id="removal"),
    ],
)
def test_who_switches_the_triggers_off_can_tamper(warehouse: Engine, statement: str) -> None:
    # Tamper-evident, not tamper-proof: the verification is there for this case.
    _everything(warehouse)
    assert _execute(warehouse, statement, "SET LOCAL session_replication_role = replica") == 1


def test_every_table_that_holds_a_record_is_guarded(warehouse: Engine) -> None:
    free = {"finding_catalogue", "change_hint", "webhook_address"}
    assert {*APPEND_ONLY, *LASTING, "run", "ditio_upsert"} == {table.name for table in metadata.tables.values()} - free
