"""Task: seal what the run will be judged on, before anything is planned."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from certrecon.code_version import code_version
from certrecon.dispositions.inputs import PREVIOUS_CLAIMS
from certrecon.dispositions.winners import keys_of
from certrecon.errors import IntegrityError
from certrecon.evidence import Part, SealedFile, SealedPart
from certrecon.evidence.manifest import seal
from certrecon.publishing.guards import Baseline, TenantCounts
from certrecon.stages.find_tenants import Tenants
from certrecon.stages.origin import EarlierRun, HeadBefore, RunOrigin
from certrecon.stages.run_inputs import RunContext
from certrecon.stages.workplace import Workplace
from certrecon.warehouse.chain import read_chain_head
from certrecon.warehouse.dangling import open_dangling
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.history import read_open_claims
from certrecon.warehouse.ledger import read_ledger
from certrecon.warehouse.runmodel import RunRecord
from certrecon.warehouse.runs import baseline, finalised_runs, read_run
from certrecon.warehouse.settings_versions import read_settings
from certrecon.warehouse.withdrawals import open_withdrawn, open_withdrawn_keys

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SealedInputs:
    """The sealed inputs.

    Attributes:
        sha256: The digest of their manifest.
        rows: How many rows each dataset has.
    """

    sha256: str
    rows: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """Return plain values, for XCom."""
        return {"sha256": self.sha256, "rows": self.rows}


def _baseline(record: RunRecord, withdrawn: frozenset[str]) -> Baseline:
    tenants = {tenant: TenantCounts(**counts) for tenant, counts in (record.tenants or {}).items()}
    return Baseline(record.run_seq, tenants, record.employees or 0, withdrawn)


def _tables(conn: Connection, target: str, run_seq: int) -> dict[str, pa.Table]:
    """Return what the warehouse knows of the target at this moment, by dataset."""
    return {
        "ledger": read_ledger(conn, target, with_payload=True),
        "previous_claims": read_open_claims(conn, target).select(PREVIOUS_CLAIMS.names).cast(PREVIOUS_CLAIMS),
        "runs": finalised_runs(conn, target, run_seq),
        "open_withdrawn": open_withdrawn(conn, target),
        "open_dangling": open_dangling(conn, target),
    }


def _earlier(conn: Connection, runs: pa.Table) -> EarlierRun | None:
    """Return the last run that loaded claims."""
    loaded = runs.filter(pc.is_valid(runs.column("dispositions")))
    if not loaded.num_rows:
        return None
    last = loaded.slice(loaded.num_rows - 1).to_pylist()[0]
    return EarlierRun(last["run_seq"], last["run_day"], last["status"], read_settings(conn, last["settings_sha256"]))


def _origin(conn: Connection, run_seq: int, runs: pa.Table) -> RunOrigin:
    row, head = read_run(conn, run_seq), read_chain_head(conn)
    if row is None:
        message = f"Run {run_seq} is not in the warehouse: clear the whole run."
        raise IntegrityError(message)
    return RunOrigin(
        run_id=row.run_id,
        trigger=row.trigger,
        triggered_by=row.triggered_by,
        started_at=row.started_at,
        code_version=row.code_version,
        earlier=_earlier(conn, runs),
        head=None if head is None else HeadBefore(head.chain_no, head.run_seq, head.chain_sha256),
    )


def _compared(conn: Connection, target: str) -> Baseline | None:
    record = baseline(conn, target)
    if record is None:
        return None
    withdrawn = open_withdrawn_keys(conn, target, record.run_seq)
    keys = keys_of(withdrawn["employee_number"], withdrawn["certificate_type"]).to_pylist()
    return _baseline(record, frozenset(keys))


def _read_warehouse(place: Workplace) -> tuple[list[SealedFile], Baseline | None]:
    """Write down what the warehouse knows of the target, and of the run's beginning."""
    run = place.run
    with transaction(place.engine) as conn:
        tables = _tables(conn, run.target, run.run_seq)
        origin = _origin(conn, run.run_seq, tables["runs"])
        compared = _compared(conn, run.target)
    files = [
        SealedFile.of(name, place.evidence.write_table(Part.INPUTS, name, table), table.num_rows)
        for name, table in tables.items()
    ]
    written = place.evidence.write_bytes(Part.INPUTS, "origin", "json", origin.to_text().encode())
    return [*files, SealedFile.of("origin", written)], compared


def _require_every_tenant(tenants: Tenants, datasets: tuple[SealedFile, ...]) -> None:
    read = {file.tenant for file in datasets if file.dataset == "certificates"}
    if read != set(tenants.chosen):
        message = f"{len(read)} of {len(tenants.chosen)} tenants were read: clear the whole run."
        raise IntegrityError(message)


def run_seal_inputs(
    place: Workplace, tenants: Tenants, datasets: Iterable[SealedFile], *, target_is_sandbox: bool
) -> SealedInputs:
    """Seal the datasets that were read, the settings, the run's context and the warehouse's knowledge.

    Args:
        place: The run's workplace.
        tenants: The tenants that were read, and all that are listed.
        datasets: The files of all tenants and of the employees.
        target_is_sandbox: Whether Ditio said that it is the sandbox.
    """
    run, datasets = place.run, tuple(datasets)
    _require_every_tenant(tenants, datasets)
    known, compared = _read_warehouse(place)
    context = RunContext(
        run_seq=run.run_seq,
        target=run.target,
        run_day=run.run_day,
        as_of=run.as_of,
        parameters=run.parameters,
        tenants=tenants.chosen,
        listed=tenants.listed,
        target_is_sandbox=target_is_sandbox,
        baseline=compared,
    )
    written = place.evidence.write_bytes(Part.INPUTS, "context", "json", context.to_text().encode())
    settings = SealedFile("settings", run.settings.address, run.settings.sha256, run.settings.size)
    files = (*datasets, *known, settings, SealedFile.of("context", written))
    facts = {"run_seq": run.run_seq, "run_id": run.run_id, "code_version": code_version()}
    sha256 = seal(place.evidence, Part.INPUTS, SealedPart(files, facts))
    rows: dict[str, int] = {}
    for file in files:
        rows[file.dataset] = rows.get(file.dataset, 0) + (file.rows or 0)
    log.info("Sealed %s files of inputs: %s", len(files), sha256)
    return SealedInputs(sha256, rows)
