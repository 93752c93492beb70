"""Verification: everything that can be recomputed is, and what does not hold is named."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, text

from certrecon.audit.breach import Verification
from certrecon.audit.chain import before_the_chain, chained, check_chain, read_runs
from certrecon.audit.claims import check_claims
from certrecon.audit.copies import check_copies
from certrecon.audit.ledger import check_ledger
from certrecon.audit.pseudonyms import check_pseudonyms
from certrecon.audit.records import check_records
from certrecon.audit.sealed import check_evidence
from certrecon.audit.stores import OpenRoot, Stores
from certrecon.audit.strays import check_strays
from certrecon.audit.witnesses import check_witnesses, find_witnesses
from certrecon.warehouse.chain import installation_id, wait_for_chain
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.purges import purged_runs
from certrecon.warehouse.runmodel import RunRecord
from certrecon.words import RunStatus

log = logging.getLogger(__name__)

Result = TypeVar("Result")


def verify(engine: Engine, open_root: OpenRoot, current_root: str | None = None) -> Verification:
    """Recompute chain, witnesses, records, claims, pseudonyms, evidence and ledger.

    Args:
        engine: The warehouse; reading is enough.
        open_root: Makes a path-like of an evidence store's address.
        current_root: The evidence store of the settings, looked at also when no run names it.

    Raises:
        WarehouseUnavailableError: PostgreSQL cannot be reached.
        EvidenceError: A store cannot be listed.
    """
    stores = Stores(open_root)
    with transaction(engine) as conn:
        addresses = stores.addresses(read_runs(conn), current_root)
    witnesses = find_witnesses(stores, addresses)
    with transaction(engine) as conn:
        # Read after the witnesses and once no finalising is under way, so that no witness is ahead of its run.
        wait_for_chain(conn)
        runs, installation = read_runs(conn), installation_id(conn)
    chain = _timed("chain", lambda: check_chain(runs))
    cut = _timed("witnesses", lambda: check_witnesses(runs, stores, witnesses, installation))
    with transaction(engine) as conn:
        _same_moment(conn)
        sets, records = _timed("records", lambda: check_records(conn, chained(runs), stores))
        strays = _timed("strays", lambda: check_strays(conn))
        rows, claims = _timed("claims", lambda: check_claims(conn))
        replaced, pseudonyms = _timed("pseudonyms", lambda: check_pseudonyms(conn, stores, addresses))
        entries, ledger = _timed("ledger", lambda: check_ledger(conn))
        purges = [(run_seq, one.sha256) for run_seq, found in purged_runs(conn).items() for one in found]
    finalised = [run for run in runs if run.status != RunStatus.RUNNING]
    seen, evidence = _timed("evidence", lambda: check_evidence(finalised, stores, purges))
    copied, copies = _timed("copies of reports", lambda: check_copies(finalised, stores))
    checked = {
        "runs in the chain": len(chained(runs)),
        "witnesses": len(witnesses),
        "sets of rows that runs wrote": sets,
        "claims": rows,
        "claims pseudonymised on the record": replaced,
        "ledger entries": entries,
        "evidence files": seen.files,
        "copies of reports": copied,
        "parts of evidence removed on the record": seen.purged,
    }
    breaches = (*chain, *cut, *records, *strays, *claims, *pseudonyms, *evidence, *copies, *ledger)
    return Verification(breaches, checked, _notes(runs))


def _same_moment(conn: Connection) -> None:
    """Let all queries of the transaction see the warehouse as it is at one moment."""
    conn.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))


def _timed(name: str, check: Callable[[], Result]) -> Result:
    started = time.monotonic()
    result = check()
    log.info("Checked %s in %.1f s", name, time.monotonic() - started)
    return result


def _notes(runs: list[RunRecord]) -> tuple[str, ...]:
    early = before_the_chain(runs)
    if not early:
        return ()
    numbers = ", ".join(str(run.run_seq) for run in early[:10]) + (", ..." if len(early) > 10 else "")
    return (f"{len(early)} runs are from before the chain, which says nothing of their rows: {numbers}.",)


def to_json(found: Verification) -> dict[str, Any]:
    """Return what a verification came to in counts alone, for XCom."""
    return {"breaches": len(found.breaches), "checked": dict(found.checked)}
