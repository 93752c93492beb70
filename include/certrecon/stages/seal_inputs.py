"""Task: seal what the run will be judged on, before anything is planned."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
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
from certrecon.warehouse.addresses import listens
from certrecon.warehouse.chain import read_chain_head
from certrecon.warehouse.dangling import open_dangling
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.hints import HINT, hints_since
from certrecon.warehouse.history import claims_around, open_claim_batches
from certrecon.warehouse.ledger import (
    LEDGER_WITH_PAYLOAD,
    count_acknowledged,
    ledger_batches,
    read_ledger_around,
)
from certrecon.warehouse.runmodel import RunRecord
from certrecon.warehouse.runs import baseline, finalised_runs, last_loaded, read_run, sent_by_hints_since
from certrecon.warehouse.settings_versions import read_settings
from certrecon.warehouse.withdrawals import open_withdrawn, open_withdrawn_keys

log = logging.getLogger(__name__)


READ = ("certificates", "links", "persons", "employees")
"""The datasets that are read from the vendors."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a run by hints looked at.

    Attributes:
        certificates: The only certificates that it speaks of.
        numbers: Every employee number that turned up on the way.
        left_out: How many ids that hints name 4HSE refused.
    """

    certificates: tuple[str, ...]
    numbers: tuple[str, ...]
    left_out: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return plain values, for XCom."""
        return {"certificates": list(self.certificates), "numbers": list(self.numbers), "left_out": self.left_out}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Looked:
        """Rebuild what `to_json` gave."""
        return cls(tuple(values["certificates"]), tuple(values["numbers"]), values.get("left_out", 0))


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


def _ledger_and_claims(place: Workplace, conn: Connection) -> list[SealedFile]:
    """Write down all of the target; it may be larger than memory, so it is written as it is read."""
    target = place.run.target
    streams = (
        ("ledger", LEDGER_WITH_PAYLOAD, ledger_batches(conn, target)),
        ("previous_claims", PREVIOUS_CLAIMS, open_claim_batches(conn, target)),
    )
    written = {name: place.write_pieces(Part.INPUTS, name, schema, pieces) for name, schema, pieces in streams}
    return [SealedFile.of(name, table.file, table.rows) for name, table in written.items()]


def _around(conn: Connection, target: str, looked: Looked) -> dict[str, pa.Table]:
    """Return what is around the certificates looked at."""
    claims = claims_around(conn, target, certificates=looked.certificates, numbers=looked.numbers)
    return {
        "ledger": read_ledger_around(conn, target, looked.certificates, looked.numbers),
        "previous_claims": claims.select(PREVIOUS_CLAIMS.names).cast(PREVIOUS_CLAIMS),
    }


def _tables(conn: Connection, target: str, run_seq: int, looked: Looked | None) -> dict[str, pa.Table]:
    """Return what the warehouse knows of the target at this moment, by dataset."""
    return ({"hints": _hints(conn, target)} if looked is None else _around(conn, target, looked)) | {
        "runs": finalised_runs(conn, target, run_seq),
        "open_withdrawn": open_withdrawn(conn, target),
        "open_dangling": open_dangling(conn, target),
    }


def _earlier(conn: Connection, target: str, run_seq: int) -> EarlierRun | None:
    """Return the last run that loaded claims."""
    last = last_loaded(conn, target, run_seq)
    if last is None:
        return None
    return EarlierRun(last.run_seq, last.run_day, last.status, read_settings(conn, last.settings_sha256))


def _origin(conn: Connection, target: str, run_seq: int) -> RunOrigin:
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
        earlier=_earlier(conn, target, run_seq),
        head=None if head is None else HeadBefore(head.chain_no, head.run_seq, head.chain_sha256),
        listening=listens(conn),
    )


def _hints(conn: Connection, target: str) -> pa.Table:
    """Return the hints that came since the last full run began; none before the first one."""
    record = baseline(conn, target)
    return HINT.empty_table() if record is None else hints_since(conn, record.started_at)


def _compared(conn: Connection, target: str) -> Baseline | None:
    record = baseline(conn, target)
    if record is None:
        return None
    withdrawn = open_withdrawn_keys(conn, target, record.run_seq)
    keys = keys_of(withdrawn["employee_number"], withdrawn["certificate_type"]).to_pylist()
    return _baseline(record, frozenset(keys))


@dataclass(frozen=True, slots=True)
class _Known:
    """What the warehouse knows: its files, the run that guards compare with, and what Ditio has acknowledged."""

    files: list[SealedFile]
    baseline: Baseline | None
    acknowledged: int | None
    sent_by_hints: int


def _read_warehouse(place: Workplace, looked: Looked | None) -> _Known:
    """Write down what the warehouse knows of the target, and of the run's beginning."""
    run = place.run
    with transaction(place.engine) as conn:
        files = _ledger_and_claims(place, conn) if looked is None else []
        tables = _tables(conn, run.target, run.run_seq, looked)
        origin = _origin(conn, run.target, run.run_seq)
        compared = _compared(conn, run.target)
        acknowledged = None if looked is None else count_acknowledged(conn, run.target)
        sent = 0 if looked is None or compared is None else sent_by_hints_since(conn, run.target, compared.run_seq)
    files += [
        SealedFile.of(name, place.evidence.write_table(Part.INPUTS, name, table), table.num_rows)
        for name, table in tables.items()
    ]
    written = place.evidence.write_bytes(Part.INPUTS, "origin", "json", origin.to_text().encode())
    return _Known([*files, SealedFile.of("origin", written)], compared, acknowledged, sent)


def _require_every_tenant(tenants: Tenants, datasets: tuple[SealedFile, ...]) -> None:
    read = {file.tenant for file in datasets if file.dataset == "certificates"}
    if read != set(tenants.chosen):
        message = f"{len(read)} of {len(tenants.chosen)} tenants were read: clear the whole run."
        raise IntegrityError(message)


def run_seal_inputs(
    place: Workplace,
    tenants: Tenants,
    datasets: Iterable[SealedFile],
    *,
    target_is_sandbox: bool,
    looked: Looked | None = None,
) -> SealedInputs:
    """Seal the datasets that were read, the settings, the run's context and the warehouse's knowledge.

    Args:
        place: The run's workplace.
        tenants: The tenants that were read, and all that are listed.
        datasets: The files of all tenants and of the employees.
        target_is_sandbox: Whether Ditio said that it is the sandbox.
        looked: What a run by hints looked at; None for every other run.
    """
    run, datasets = place.run, tuple(datasets)
    _require_every_tenant(tenants, datasets)
    known = _read_warehouse(place, looked)
    context = RunContext(
        run_seq=run.run_seq,
        target=run.target,
        run_day=run.run_day,
        as_of=run.as_of,
        parameters=run.parameters,
        tenants=tenants.chosen,
        listed=tenants.listed,
        target_is_sandbox=target_is_sandbox,
        baseline=known.baseline,
        certificates=None if looked is None else looked.certificates,
        acknowledged=known.acknowledged,
        sent_by_hints=known.sent_by_hints,
        left_out=0 if looked is None else looked.left_out,
    )
    written = place.evidence.write_bytes(Part.INPUTS, "context", "json", context.to_text().encode())
    settings = SealedFile("settings", run.settings.address, run.settings.sha256, run.settings.size)
    files = (*datasets, *known.files, settings, SealedFile.of("context", written))
    facts = {"run_seq": run.run_seq, "run_id": run.run_id, "code_version": code_version()}
    sha256 = seal(place.evidence, Part.INPUTS, SealedPart(files, facts))
    rows = dict.fromkeys(READ, 0)
    for file in files:
        rows[file.dataset] = rows.get(file.dataset, 0) + (file.rows or 0)
    log.info("Sealed %s files of inputs: %s", len(files), sha256)
    return SealedInputs(sha256, rows)
