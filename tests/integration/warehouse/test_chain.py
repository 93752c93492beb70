"""The chain of finalised runs, recomputed here by other means than the code's, and what each link records."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import Any

import pytest
from sqlalchemy import Engine, text

from certrecon.warehouse.approvals import Approval, add_approval, read_approvals
from certrecon.warehouse.chain import GENESIS, installation_id, read_chain_head
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.purges import purged_runs, record_purge
from certrecon.warehouse.records import read_records
from certrecon.warehouse.removals import Removal, add_removal
from certrecon.warehouse.runs import RunRecord, RunResult, finalise_run
from certrecon.warehouse.settings_versions import keep_settings, read_settings
from certrecon.warehouse.withdrawals import WITHDRAWN, write_withdrawn
from certrecon.words import Mode, RunStatus
from tests.integration.warehouse.samples import (
    NOON,
    TARGET,
    answer,
    claims,
    finalise,
    new_run,
    one,
    opened,
    opened_seq,
    query,
    queue,
    write,
)

EMPTY = hashlib.sha256(b"").hexdigest()
SETS = {
    "claims_opened", "claims_ended", "attempts", "withdrawn_opened", "withdrawn_ended", "dangling_opened",
    "dangling_ended", "approvals", "purges", "removals", "pseudonymisations", "linkings", "created_links",
}  # fmt: skip


def _links(engine: Engine) -> list[dict[str, Any]]:
    with transaction(engine) as conn:
        rows = conn.execute(text("SELECT * FROM reconciliation.run WHERE chain_no IS NOT NULL ORDER BY chain_no"))
        return [dict(row) for row in rows.mappings()]


def _spelled(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")
    return value.strftime("%Y-%m-%d")


def _recomputed(links: list[dict[str, Any]]) -> list[str]:
    digests, previous = [], "0" * 64
    for link in links:
        covered = {name: value for name, value in link.items() if name != "chain_sha256"}
        record = json.dumps(covered, default=_spelled, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        previous = hashlib.sha256((previous + record).encode()).hexdigest()
        digests.append(previous)
    return digests


def _records(engine: Engine, run_seq: int) -> dict[str, Any]:
    with transaction(engine) as conn:
        return read_records(conn, run_seq)


def test_every_finalised_run_is_a_link_however_it_ended(warehouse: Engine) -> None:
    facts = {"guards": {"drop": {"share": 0.2, "big": 1e20, "whole": 1.0, "why": "Øya \u2028 \0"}}, "claims": 2**40}
    finalise(warehouse, opened_seq(warehouse, "first"), **facts)
    finalise(warehouse, opened_seq(warehouse, "dry", mode=Mode.DRY_RUN), failure="a\0b", status=RunStatus.FAILED)
    abandoned = opened_seq(warehouse, "abandoned")
    last = opened_seq(warehouse, "last")
    finalise(warehouse, last, RunStatus.SUCCEEDED_WITH_REJECTS)
    links = _links(warehouse)
    assert [link["chain_no"] for link in links] == [1, 2, 3, 4]
    assert [link["run_seq"] for link in links][2:] == [abandoned, last]
    assert [link["chain_sha256"] for link in links] == _recomputed(links)
    assert [link["previous_sha256"] for link in links] == [GENESIS, *(link["chain_sha256"] for link in links[:-1])]


def test_the_chain_covers_every_column_of_a_run(warehouse: Engine) -> None:
    finalise(warehouse, opened_seq(warehouse))
    assert set(_links(warehouse)[0]) == {each.name for each in fields(RunRecord)}


def test_finalising_returns_the_head(warehouse: Engine) -> None:
    with transaction(warehouse) as conn:
        assert read_chain_head(conn) is None
        assert len(installation_id(conn)) == 36
    for name in ("first", "second"):
        run_seq = opened_seq(warehouse, name)
        with transaction(warehouse) as conn:
            link = finalise_run(conn, run_seq, RunResult(RunStatus.SUCCEEDED))
            assert read_chain_head(conn) == link
        assert (link.run_seq, link.status) == (run_seq, "succeeded")


def test_abandoned_runs_are_links_in_the_order_of_their_numbers(warehouse: Engine) -> None:
    same, dry = new_run("same", mode=Mode.DRY_RUN), new_run("other", mode=Mode.DRY_RUN)
    first, second = opened_seq(warehouse, same.run_id), opened_seq(warehouse, dry.run_id, mode=Mode.DRY_RUN)
    taker = opened(warehouse, "same")
    assert taker.abandoned == [first, second][: len(taker.abandoned)]
    assert [(link.run_seq, link.status) for link in taker.abandoned_links] == [
        (run_seq, "failed") for run_seq in taker.abandoned
    ]
    links = _links(warehouse)
    assert [link["run_seq"] for link in links] == taker.abandoned
    assert [link["chain_sha256"] for link in links] == _recomputed(links)


def test_runs_finalised_at_once_make_one_chain(warehouse: Engine) -> None:
    runs = [opened_seq(warehouse, f"run {number}", target=f"target {number}") for number in range(8)]
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda run_seq: finalise(warehouse, run_seq), runs))
    links = _links(warehouse)
    assert sorted(link["run_seq"] for link in links) == runs
    assert [link["chain_no"] for link in links] == list(range(1, 9))
    assert [link["chain_sha256"] for link in links] == _recomputed(links)


def _withdraw(engine: Engine, run_seq: int, *numbers: str) -> None:
    rows = [{"employee_number": n, "certificate_type": "Byggekort", "certificate_id": "cA", "reason": "deleted"}
            for n in numbers]  # fmt: skip
    with transaction(engine) as conn:
        write_withdrawn(conn, run_seq, TARGET, WITHDRAWN.empty_table().from_pylist(rows, WITHDRAWN), None)


def _night(engine: Engine, name: str, *rows: dict[str, Any], withdrawn: tuple[str, ...] = ()) -> int:
    run_seq = opened_seq(engine, name)
    queue(engine, run_seq, {"version": name})
    answer(engine, run_seq, {"version": name, "message": "Ålesund"})
    write(engine, run_seq, claims(*rows))
    _withdraw(engine, run_seq, *withdrawn)
    finalise(engine, run_seq)
    return run_seq


def test_what_a_run_wrote_is_counted_and_sealed(warehouse: Engine) -> None:
    first = _night(warehouse, "A", {}, {"certificate_id": "c2"}, withdrawn=("1",))
    second = _night(warehouse, "B", {"disposition": "blocked"}, {"certificate_id": "c2"})
    links = _links(warehouse)
    assert set(links[0]["records"]) == SETS
    counted = [{name: part["rows"] for name, part in link["records"].items() if part["rows"]} for link in links]
    assert counted == [
        {"claims_opened": 2, "attempts": 1, "withdrawn_opened": 1},
        {"claims_opened": 1, "claims_ended": 1, "attempts": 1, "withdrawn_ended": 1},
    ]
    assert [link["records"] for link in links] == [_records(warehouse, first), _records(warehouse, second)]


def test_the_digest_of_claims_and_of_attempts_by_hand(warehouse: Engine) -> None:
    run_seq = _night(warehouse, "A", {}, {"certificate_id": "c2"})
    rows = query(warehouse, "SELECT claim_id, row_sha256, since_run_seq FROM reconciliation.claim ORDER BY 1")
    spelled = b"".join(key.to_bytes(8) + bytes(digest) + since.to_bytes(8) for key, digest, since in rows)
    records = _records(warehouse, run_seq)
    assert records["claims_opened"] == {"rows": 2, "sha256": hashlib.sha256(spelled).hexdigest()}
    (attempt,) = query(
        warehouse,
        """SELECT attempt_id::text, run_seq::text, batch_id, target, employee_number, certificate_type, payload_sha256,
                  sent_at::text, answered_at::text, http_status::text, message, state FROM reconciliation.ditio_attempt""",
    )
    line = b"\xfe".join(value.encode() for value in attempt)
    assert records["attempts"]["sha256"] == hashlib.sha256(hashlib.sha256(line).digest()).hexdigest()


def test_a_run_that_wrote_nothing_records_nothing(warehouse: Engine) -> None:
    run_seq = opened_seq(warehouse)
    finalise(warehouse, run_seq)
    records = _records(warehouse, run_seq)
    assert {(part["rows"], part["sha256"]) for part in records.values()} == {(0, EMPTY)}


@pytest.mark.parametrize(
    ("tampering", "changed"),
    [
        pytest.param(
            "UPDATE claim SET row_sha256 = sha256('x') WHERE certificate_id = 'c2'", "claims_opened", id="claim"
        ),
        pytest.param("UPDATE claim SET since_run_seq = 7", "claims_opened", id="since when"),
        pytest.param("UPDATE claim SET target = 'other'", "claims_opened", id="target"),
        pytest.param("DELETE FROM claim WHERE certificate_id = 'c2'", "claims_opened", id="a deleted claim"),
        pytest.param(
            "INSERT INTO claim (target, certificate_id, tenant_id, linked, disposition, findings, first_run_seq, row_sha256,"
            " since_run_seq) VALUES ('other', 'c', 't', true, 'held', '{}', 1, '', 1)",
            "claims_opened",
            id="an added claim of another target",
        ),
        pytest.param("UPDATE claim SET ended_run_seq = 1", "claims_ended", id="an ended claim"),
        pytest.param("UPDATE ditio_attempt SET message = ''", "attempts", id="attempt"),
        pytest.param("UPDATE ditio_attempt SET message = NULL", "attempts", id="an attempt, null"),
        pytest.param("DELETE FROM ditio_attempt", "attempts", id="a deleted attempt"),
        pytest.param("UPDATE withdrawn_upsert SET reason = 'unlinked'", "withdrawn_opened", id="withdrawn"),
        pytest.param(
            "INSERT INTO evidence_purge (purge_id, run_seq, sha256, purged_at, reason) OVERRIDING SYSTEM VALUE"
            " VALUES (0, 1, '', now(), '')",
            "purges",
            id="a purge with a number before the first",
        ),
    ],
)
def test_the_records_tell_what_was_tampered_with(warehouse: Engine, tampering: str, changed: str) -> None:
    run_seq = _night(warehouse, "A", {}, {"certificate_id": "c2"}, withdrawn=("1",))
    before = _records(warehouse, run_seq)
    with transaction(warehouse) as conn:
        conn.execute(text("SET LOCAL session_replication_role = replica"))
        conn.execute(text("SET LOCAL search_path = reconciliation"))
        conn.exec_driver_sql(tampering)
    after = _records(warehouse, run_seq)
    assert [name for name in before if before[name] != after[name]] == [changed]


def _note(engine: Engine, note: str = "done") -> None:
    with transaction(engine) as conn:
        add_removal(conn, Removal(TARGET, "1", "Byggekort", "cA", "eva", done=True, note=note))


def test_notes_and_purges_belong_to_the_next_link(warehouse: Engine) -> None:
    first = _night(warehouse, "A", {}, withdrawn=("1",))
    _note(warehouse)
    with transaction(warehouse) as conn:
        record_purge(conn, first, "aa", "older than 730 days")
    second = _night(warehouse, "B", {}, withdrawn=("1",))
    _note(warehouse, "again")
    third = _night(warehouse, "C", {}, withdrawn=("1",))
    _note(warehouse, "of no link yet")
    parts = [(_records(warehouse, n)["removals"], _records(warehouse, n)["purges"]) for n in (first, second, third)]
    assert [(notes["rows"], notes["upto"], purges["rows"], purges["upto"]) for notes, purges in parts] == [
        (0, 0, 0, 0),
        (1, 1, 1, 1),
        (1, 2, 0, 1),
    ]
    with transaction(warehouse) as conn:
        (purge,) = purged_runs(conn)[first]
    assert (purge.sha256, purge.reason) == ("aa", "older than 730 days")


def test_a_note_waits_for_the_run_that_is_being_finalised(warehouse: Engine) -> None:
    _night(warehouse, "A", {}, withdrawn=("1",))
    run_seq = opened_seq(warehouse, "B")
    with ThreadPoolExecutor(1) as pool:
        with transaction(warehouse) as conn:
            finalise_run(conn, run_seq, RunResult(RunStatus.SUCCEEDED))
            noted = pool.submit(_note, warehouse)
            with pytest.raises(TimeoutError):
                noted.result(0.3)
        noted.result(10)
    assert _records(warehouse, run_seq)["removals"]["rows"] == 0


def test_approvals_are_read_as_they_were_added(warehouse: Engine) -> None:
    run_seq = opened_seq(warehouse)
    asked = Approval(run_seq, {"drop": {"was": 1}}, "aa", NOON, NOON, "eva", "approved", "a\0 word", "ola")
    with transaction(warehouse) as conn:
        add_approval(conn, asked)
        (found,) = read_approvals(conn, run_seq)
        assert read_approvals(conn, run_seq + 1) == []
    assert found.reason == "a\ufffd word"
    assert (found.guards, found.decided_by, found.asked_at) == (asked.guards, "eva", NOON)
    finalise(warehouse, run_seq)
    assert one(warehouse, "SELECT records -> 'approvals' ->> 'rows' AS rows FROM reconciliation.run") == {"rows": "1"}


def test_settings_are_kept_once(warehouse: Engine) -> None:
    first, second = opened_seq(warehouse), opened_seq(warehouse)
    with transaction(warehouse) as conn:
        keep_settings(conn, first, "aa", '{"a":1}')
        keep_settings(conn, second, "aa", '{"a":2}')
        assert read_settings(conn, "aa") == '{"a":1}'
        assert read_settings(conn, "bb") is None
