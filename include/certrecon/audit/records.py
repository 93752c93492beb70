"""What runs wrote into tables that only grow, against the records in their rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from certrecon.audit.breach import Breach, added, changed, missing
from certrecon.audit.stores import Stores
from certrecon.errors import EvidenceError
from certrecon.evidence import Part
from certrecon.evidence.manifest import read_sealed
from certrecon.warehouse.ledger import RECORDED_ATTEMPT, read_attempts
from certrecon.warehouse.records import read_records
from certrecon.warehouse.runmodel import RunRecord

TABLES: Mapping[str, tuple[str, str]] = {
    "claims_opened": ("claim", "claims that it wrote"),
    "claims_ended": ("claim", "claims that it ended"),
    "attempts": ("ditio_attempt", "attempts that it made"),
    "withdrawn_opened": ("withdrawn_upsert", "withdrawals that it found"),
    "withdrawn_ended": ("withdrawn_upsert", "withdrawals that it ended"),
    "dangling_opened": ("dangling_link", "dangling links that it found"),
    "dangling_ended": ("dangling_link", "dangling links that it ended"),
    "approvals": ("approval", "approvals that it asked for"),
    "purges": ("evidence_purge", "removals of evidence since the run before"),
    "removals": ("removal", "notes on removals since the run before"),
    "pseudonymisations": ("pseudonymisation", "pseudonymisations since the run before"),
    "linkings": ("linking", "questions about linking since the run before"),
    "created_links": ("created_link", "links created in 4HSE since the run before"),
}
"""The sets of a run's record: their table, and what they are in words."""

MOST_NAMED = 10


def check_records(conn: Connection, runs: Iterable[RunRecord], stores: Stores) -> tuple[int, list[Breach]]:
    """Recompute the records of runs in the chain.

    Returns:
        How many sets were compared, and those that do not hold.
    """
    compared, breaches = 0, []
    for run in runs:
        sealed = run.records or {}
        now = read_records(conn, run.run_seq) if sealed else {}
        compared += len(sealed)
        for name in sorted(set(sealed) | set(now), key=_place):
            if _differs(sealed.get(name), now.get(name)):
                breaches += _name(conn, run, name, sealed.get(name), now.get(name), stores)
    return compared, breaches


def _place(name: str) -> tuple[int, str]:
    return (list(TABLES).index(name) if name in TABLES else len(TABLES), name)


def _differs(sealed: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> bool:
    return (sealed or {}).get("rows") != (now or {}).get("rows") or (sealed or {}).get("sha256") != (now or {}).get(
        "sha256"
    )


def _name(
    conn: Connection,
    run: RunRecord,
    name: str,
    sealed: Mapping[str, Any] | None,
    now: Mapping[str, Any] | None,
    stores: Stores,
) -> list[Breach]:
    was, found = (sealed or {}).get("rows", 0), (now or {}).get("rows", 0)
    breaches = [_breach(run, name, was, found)]
    return breaches + (_attempts(conn, run, stores) if name == "attempts" else [])


def _breach(run: RunRecord, name: str, was: int, found: int) -> Breach:
    table, what = TABLES.get(name, (name, name))
    where = f"{table}, run {run.run_seq}"
    if found < was:
        return missing(where, f"Run {run.run_seq} recorded {was} {what}, {was - found} of them are missing: deleted.")
    if found > was:
        return added(where, f"Run {run.run_seq} recorded {was} {what}, now there are {found}: rows were added.")
    return changed(where, f"The {what} of run {run.run_seq} are as many as it recorded ({was}), but were changed.")


def _attempts(conn: Connection, run: RunRecord, stores: Stores) -> list[Breach]:
    """Name the attempts that differ from the copy in the run's evidence, where there is one."""
    evidence = stores.evidence_of(run)
    if evidence is None or run.outcome_sha256 is None:
        return []
    try:
        file = read_sealed(evidence, Part.OUTCOME, run.outcome_sha256).one("attempts")
        sealed = evidence.read_table(file.address, RECORDED_ATTEMPT, file.sha256)
    except EvidenceError:
        return []  # the evidence has its own check
    return _compare_attempts(sealed, read_attempts(conn, run.run_seq).cast(RECORDED_ATTEMPT))


def _compare_attempts(sealed: pa.Table, now: pa.Table) -> list[Breach]:
    before = {row["attempt_id"]: row for row in _only(sealed, now).to_pylist()}
    after = {row["attempt_id"]: row for row in _only(now, sealed).to_pylist()}
    breaches = []
    for number in sorted(before.keys() | after.keys())[:MOST_NAMED]:
        row = before.get(number) or after[number]
        where = f"attempt {number}"
        name = f"Attempt {number} (employee {row['employee_number']}, {row['certificate_type']})"
        if number not in after:
            breaches.append(missing(where, f"{name} was deleted; the run's evidence still has it."))
        elif number not in before:
            breaches.append(added(where, f"{name} was added; the run's evidence does not have it."))
        else:
            columns = ", ".join(key for key in row if row[key] != after[number][key])
            breaches.append(changed(where, f"{name} was changed ({columns}); the run's evidence says otherwise."))
    return breaches


def _only(some: pa.Table, others: pa.Table) -> pa.Table:
    """Return the rows of `some` that are not just so among `others`."""
    texts = [_texts(table) for table in (some, others)]
    return some.filter(pc.invert(pc.is_in(texts[0], value_set=texts[1])))


def _texts(table: pa.Table) -> pa.Array:
    columns = [column.cast(pa.string()).combine_chunks() for column in table.columns]
    return pc.binary_join_element_wise(*columns, "\x1f", null_handling="replace", null_replacement="\x00")
