"""Hints in the table: every one is kept until a run has looked, settled ones until they are old."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import Engine

from certrecon.errors import RunTakenOverError
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.hints import (
    Hint,
    add_hints,
    count_waiting,
    hints_since,
    hints_wait,
    purge_hints,
    settle_hints,
    waiting_hints,
)
from certrecon.words import ChangeEvent, HintSource
from tests.contract import warehouse as sql

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
MANY = [
    Hint(ChangeEvent.CERTIFICATE_UPDATE, "c1"),
    Hint(ChangeEvent.CERTIFICATE_UPDATE, "c1"),
    Hint(ChangeEvent.LINK_UPDATE, "l1", ("c1", "c2"), HintSource.LINKING),
    Hint(ChangeEvent.PERSON_DELETE, "p\x00\ud800"),
]


def test_what_is_added_waits_in_its_order(warehouse: Engine) -> None:
    with transaction(warehouse) as conn:
        assert not hints_wait(conn)
        assert add_hints(conn, MANY) == 4
        assert add_hints(conn, []) == 0
        found = waiting_hints(conn).to_pylist()
    assert [(one["event"], one["source"], one["certificate_ids"]) for one in found] == [
        ("CERTIFICATE::UPDATE", "webhook", []),
        ("CERTIFICATE::UPDATE", "webhook", []),
        ("CERTIFICATE_ACTION::UPDATE", "link_certificates", ["c1", "c2"]),
        ("PERSON::DELETE", "webhook", []),
    ]
    assert [one["entity_id"] for one in found[:3]] == ["c1", "c1", "l1"]


def test_only_a_running_run_settles(warehouse: Engine) -> None:
    run_seq = sql.execute(warehouse, sql._RUN, target="t", at=sql.EARLIER)
    with transaction(warehouse) as conn:
        add_hints(conn, MANY)
        [first, *_] = waiting_hints(conn).column("hint_id").to_pylist()
        with pytest.raises(RunTakenOverError):
            settle_hints(conn, run_seq, [first])
        assert count_waiting(conn).hints == 4


def test_old_ones_go_once_they_are_settled(warehouse: Engine) -> None:
    """One is old and waits, one is old and settled, one is new and settled."""
    with transaction(warehouse) as conn:
        add_hints(conn, MANY[:3])
    for place, (at, settled) in enumerate([(LONG_AGO, None), (LONG_AGO, 1), (dt.datetime.now(dt.UTC), 1)]):
        statement = """
            UPDATE reconciliation.change_hint SET received_at = :at, settled_run_seq = :settled
             WHERE hint_id = (SELECT hint_id FROM reconciliation.change_hint ORDER BY hint_id OFFSET :place LIMIT 1)"""
        sql.execute(warehouse, statement, at=at, settled=settled, place=place)
    with transaction(warehouse) as conn:
        assert purge_hints(conn, 30) == 1
        assert count_waiting(conn).hints == 1
        assert hints_since(conn, LONG_AGO + dt.timedelta(days=1)).num_rows == 1
