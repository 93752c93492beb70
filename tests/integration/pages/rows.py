"""What the warehouse of the pages' tests holds: two nights with everything that a page can show, and odd runs."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
from sqlalchemy import Engine, text

from certrecon.evidence import Part, RunEvidence, SealedFile, SealedPart
from certrecon.evidence.manifest import seal
from certrecon.report.page import SEAL_PLACE
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.purges import record_purge
from certrecon.warehouse.runmodel import BY_HINTS
from certrecon.warehouse.runs import set_evidence_uri
from certrecon.words import Mode, RunStatus
from tests.integration.warehouse import samples

EVIL = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("http://evil")'
RUN_ID = "manual__2026-03-01T03:30:00+01:00"
HINTS_RUN_ID = "asset_triggered__2026-03-03T10:00:00+00:00"
PURGED_FOR = "Kept for 730 days as evidence.retention_days says."  # as the purge says it
NUMBER = "0042/?&="
STYLE = f"&#39;sha256-{'A' * 43}=&#39;"  # as the report's template escapes it
REPORT = (
    f'<!doctype html><html><head><meta http-equiv="Content-Security-Policy" content="style-src {STYLE}">'
    f"<title>Report</title></head><body><dl>{SEAL_PLACE}</dl></body></html>"
)


def claims() -> pa.Table:
    """Claims with names that are no names."""
    return samples.claims(
        {"employee_number": NUMBER, "person_name": EVIL, "certificate_name": EVIL, "certificate_type": EVIL},
        {"certificate_id": "c2", "person_name": FORMULA, "disposition": "blocked", "findings": ["EMPLOYEE_UNKNOWN"],
         "certificate_name": "@SUM(1)", "valid_until": None, "resource_id": "p2", "employee_number": "-7"},
        {"certificate_id": "c3", "certificate_type": None, "disposition": "blocked", "findings": ["TYPE_UNMAPPED"],
         "certificate_name": EVIL, "resource_id": "p3"},
        {"certificate_id": "c4", "disposition": "held", "linked": False, "findings": ["ACTION_LINK_MISSING"],
         "person_name": "Kari Nordmann", "resource_id": "p4", "employee_number": None},
    )  # fmt: skip


def fill(engine: Engine, root: Path) -> None:
    """Write the runs: one that succeeded with evidence, one that failed early."""
    first = samples.opened_seq(engine, RUN_ID, triggered_by=EVIL)
    samples.write(engine, first, claims())
    _ledger(engine, first)
    outcome = _evidence(engine, first, root)
    samples.finalise(
        engine, first, RunStatus.SUCCEEDED_WITH_REJECTS, certificates=4, links=3, persons=4, employees=5, claims=4,
        sent=1, withdrawn=1, tenants={EVIL: {"certificates": 4, "links": 3, "persons": 4}},
        dispositions={"delivered": 1, "blocked": 2, "held": 1},
        findings={"EMPLOYEE_UNKNOWN": 1, "TYPE_UNMAPPED": 1, "ACTION_LINK_MISSING": 1},
        guards={"drop": {"message": EVIL}}, outcome_sha256=outcome, inputs_sha256="1" * 64,
    )  # fmt: skip
    second = samples.opened_seq(engine, "scheduled__2", run_day=samples.DAY + dt.timedelta(days=1))
    samples.finalise(engine, second, RunStatus.FAILED, failure=f"4HSE said {EVIL}")
    _without_evidence(engine, root)
    hinted = samples.opened_seq(engine, HINTS_RUN_ID, scope=BY_HINTS)
    samples.finalise(engine, hinted, outcome_sha256=_evidence(engine, hinted, root))
    _without_outcome(engine, root)
    lost = samples.opened_seq(engine, "lost", mode=Mode.DRY_RUN)
    samples.finalise(engine, lost, outcome_sha256=_evidence(engine, lost, root))
    (root / str(lost) / "outcome" / "manifest.json").unlink()
    early = samples.opened_seq(engine, "early", mode=Mode.DRY_RUN)
    nothing = seal(_at(engine, early, root), Part.OUTCOME, SealedPart((), {}))
    samples.finalise(engine, early, RunStatus.FAILED, failure="4HSE could not be reached", outcome_sha256=nothing)


def _without_evidence(engine: Engine, root: Path) -> None:
    """Write a run whose report was changed after it was sealed, and one whose evidence was purged."""
    changed = samples.opened_seq(engine, "changed", mode=Mode.DRY_RUN)
    samples.finalise(engine, changed, outcome_sha256=_evidence(engine, changed, root))
    for path in (root / str(changed) / "outcome").glob("report-*"):
        path.write_bytes(path.read_bytes().replace(b"Report", b"Retort"))
    purged = samples.opened_seq(engine, "purged", mode=Mode.DRY_RUN, scope={"tenant_ids": ["t1", "t2"]})
    samples.finalise(engine, purged, outcome_sha256=_evidence(engine, purged, root))
    with transaction(engine) as conn:
        record_purge(conn, purged, "2" * 64, PURGED_FOR)


def _without_outcome(engine: Engine, root: Path) -> None:
    """Write a run that was abandoned when its Airflow run was opened again, and the one that goes on in its place."""
    for _ in range(2):
        run_seq = samples.opened_seq(engine, "reopened", mode=Mode.DRY_RUN)
        _at(engine, run_seq, root)


def _ledger(engine: Engine, run_seq: int) -> None:
    row = {"employee_number": NUMBER, "certificate_type": EVIL}
    samples.queue(engine, run_seq, row | {"given_name": EVIL, "family_name": EVIL})
    samples.answer(engine, run_seq, row | {"message": EVIL})
    with transaction(engine) as conn:
        conn.execute(
            text("""INSERT INTO reconciliation.withdrawn_upsert
                        (target, employee_number, certificate_type, certificate_id, reason, first_run_seq)
                    VALUES (:target, :number, :kind, 'c1', 'deleted', :run)"""),
            {"target": samples.TARGET, "number": NUMBER, "kind": EVIL, "run": run_seq},
        )
        conn.execute(
            text("""INSERT INTO reconciliation.dangling_link
                        (target, tenant_id, certificate_action_id, certificate_id, action_name, first_run_seq)
                    VALUES (:target, 't1', 'a1', 'c9', :kind, :run)"""),
            {"target": samples.TARGET, "kind": EVIL, "run": run_seq},
        )


def _at(engine: Engine, run_seq: int, root: Path) -> RunEvidence:
    """Note where a run's evidence is."""
    evidence = RunEvidence(root, run_seq)
    with transaction(engine) as conn:
        set_evidence_uri(conn, run_seq, f"file://{evidence.uri}")
    return evidence


def _evidence(engine: Engine, run_seq: int, root: Path) -> str:
    evidence = _at(engine, run_seq, root)
    written = {
        "report": evidence.write_bytes(Part.OUTCOME, "report", "html", REPORT.encode()),
        "workbook": evidence.write_bytes(Part.OUTCOME, "workbook", "xlsx", b"PK workbook"),
        "data_docs": evidence.write_bytes(Part.OUTCOME, "data_docs", "zip", b"PK docs"),
        "worklist_csv": evidence.write_bytes(Part.OUTCOME, "worklist", "csv", b"a,b\r\n"),
        "claims": evidence.write_bytes(Part.OUTCOME, "claims", "parquet", b"not for people"),
    }
    sealed = SealedPart(tuple(SealedFile.of(name, file) for name, file in written.items()), {})
    return seal(evidence, Part.OUTCOME, sealed)
