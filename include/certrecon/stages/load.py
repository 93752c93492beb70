"""Task: settle every claim's disposition and load what changed into the warehouse."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.inputs import LINKS
from certrecon.dispositions.decide import DECIDED, PLAN
from certrecon.dispositions.outcome import LOADED, details, settle
from certrecon.dispositions.since import BEFORE, since_runs
from certrecon.dispositions.withdrawals import JUDGED, WITHDRAWN
from certrecon.errors import AccountingError
from certrecon.findings import CATALOGUE
from certrecon.stages.approval import consent_of, withholds
from certrecon.stages.build_claims import BuiltClaims
from certrecon.stages.handle import FileRef
from certrecon.stages.plan import MOVED_AWAY, Planned
from certrecon.stages.run_inputs import RunInputs
from certrecon.stages.workplace import Workplace
from certrecon.warehouse.catalogue import write_catalogue
from certrecon.warehouse.dangling import write_dangling
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.history import HistoryChange, write_claims
from certrecon.warehouse.ledger import mark_undelivered, read_states_of_run, settle_acknowledged
from certrecon.warehouse.withdrawals import write_withdrawn
from certrecon.words import Disposition, LedgerState

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded.

    Attributes:
        claims: Schema `DECIDED`, settled.
        dispositions: Claims by disposition.
        sent: Rows that Ditio acknowledged in this run.
        opened: Claim rows written.
        ended: Claim rows ended.
    """

    claims: FileRef
    dispositions: Mapping[str, int]
    sent: int
    opened: int
    ended: int

    def to_json(self) -> dict[str, Any]:
        """Return plain values, for XCom."""
        return asdict(self) | {"dispositions": dict(self.dispositions)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Loaded:
        """Rebuild what `to_json` gave."""
        return cls(**{**values, "claims": FileRef(**values["claims"])})


def _count(claims: pa.Table) -> dict[str, int]:
    counts = claims.group_by("disposition").aggregate([([], "count_all")])
    found = dict(zip(counts["disposition"].to_pylist(), counts["count_all"].to_pylist(), strict=True))
    if sum(found.values()) != claims.num_rows:
        message = f"Dispositions add up to {sum(found.values())}, but there are {claims.num_rows} claims."
        raise AccountingError(message)
    return dict(sorted(found.items()))


def _sent(planned: pa.Table, settled: pa.Table) -> int:
    """Return how many rows Ditio acknowledged in this run: winners that were planned and are delivered."""
    was = pc.equal(planned.column("disposition"), str(Disposition.PLANNED))
    now = pc.equal(settled.column("disposition"), str(Disposition.DELIVERED))
    return pc.sum(pc.and_(was, now)).as_py() or 0


def _ledger_of_run(place: Workplace) -> pa.Table:
    """Return the ledger after publishing; what a broken-off publishing left pending is in doubt."""
    run = place.run
    with transaction(place.engine) as conn:
        own = read_states_of_run(conn, run.run_seq, run.target)
        pending = own.filter(pc.equal(own.column("state"), str(LedgerState.PENDING)))
        if pending.num_rows:
            mark_undelivered(conn, run.run_seq, run.target, pending.select(["employee_number", "certificate_type"]))
    return own


def _since(place: Workplace, claims: pa.Table) -> pa.Array:
    """Return since which run some settled claims have had their disposition."""
    return since_runs(claims, RunInputs(place.evidence).table("previous_claims", BEFORE), place.run.run_seq)


def _load(
    place: Workplace,
    planned: Planned,
    built: BuiltClaims,
    claims: pa.Table,
    writing: Future[FileRef] | None = None,
) -> HistoryChange:
    """Write what changed, all of it in one transaction.

    Args:
        place: Where.
        planned: The plan.
        built: The claims' facts.
        claims: The settled claims.
        writing: Their evidence while it is being written; without it nothing is committed.
    """
    run, since = place.run, partial(_since, place)
    dangling = place.read(built.dangling, LINKS)
    restored, withdrawn = place.read(planned.restored, PLAN), place.read(planned.withdrawn, WITHDRAWN)
    judged = place.read(planned.judged, JUDGED) if run.limited else None
    elsewhere = place.read(planned.moved_away, MOVED_AWAY)["certificate_id"].to_pylist()
    scope = list(run.parameters.tenant_ids) or None
    looked = RunInputs(place.evidence).context.certificates
    with transaction(place.engine) as conn:
        write_catalogue(conn, CATALOGUE.values())
        change = write_claims(
            conn, run.run_seq, run.target, claims, scope, elsewhere, looked, details=details, since=since
        )
        write_withdrawn(conn, run.run_seq, run.target, withdrawn, judged)
        write_dangling(conn, run.run_seq, run.target, dangling, scope, looked)
        settle_acknowledged(conn, run.run_seq, run.target, restored)
        if writing is not None:
            writing.result()
    return change


def _dry(place: Workplace, planned: Planned) -> Loaded:
    """Only count: what was decided stays as it is."""
    dispositions = place.read(planned.claims, pa.schema([DECIDED.field("disposition")]))
    return Loaded(planned.claims, _count(dispositions), 0, 0, 0)


def _nothing_sent(place: Workplace, planned: Planned, built: BuiltClaims) -> Loaded:
    """Load what was decided: without a plan nothing of it waits for Ditio, and it is in the evidence as it is."""
    claims = place.read(planned.claims, LOADED)
    counts, change = _count(claims), _load(place, planned, built, claims)
    return Loaded(planned.claims, counts, 0, change.opened, change.ended)


def _settled(place: Workplace, planned: Planned, built: BuiltClaims) -> Loaded:
    """Settle what was decided, keep that in the evidence, and load it."""
    with ThreadPoolExecutor(1) as beside:
        reading = beside.submit(place.read, planned.claims, DECIDED)
        ledger, refused = _ledger_of_run(place), withholds(consent_of(place, planned))
        claims = reading.result()
        settled = settle(claims, ledger, place.run.run_seq, refused=refused)
        counts, sent = _count(settled), _sent(claims, settled)
        # A file is written while PostgreSQL takes the rows.
        writing = beside.submit(place.write, "claims", settled)
        change = _load(place, planned, built, settled, writing)
        return Loaded(writing.result(), counts, sent, change.opened, change.ended)


def run_load(place: Workplace, planned: Planned, built: BuiltClaims) -> Loaded:
    """Settle and load the claims; a dry run only settles them.

    Raises:
        AccountingError: The dispositions do not add up to the claims.
        EvidenceError: The settled claims could not be written to the evidence; no claim and no withdrawal is written.
        RunTakenOverError: The run is no longer the running one of its target.
    """
    if not place.run.publishes:
        return _dry(place, planned)
    work = _settled if planned.plan.rows else _nothing_sent
    loaded = work(place, planned, built)
    log.info("Loaded %s new claim rows, ended %s; %s", loaded.opened, loaded.ended, loaded.dispositions)
    return loaded
