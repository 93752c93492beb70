"""What a report is made from, read from a run's evidence and from nothing else."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.coded import coded_schema
from certrecon.claims.inputs import EMPLOYEES, LINKS, PERSONS
from certrecon.dispositions.decide import DECIDED, PLAN
from certrecon.dispositions.inputs import PREVIOUS_CLAIMS
from certrecon.dispositions.winners import keys_of
from certrecon.dispositions.withdrawals import WITHDRAWN
from certrecon.findings import CATALOGUE
from certrecon.report.ages import since_first
from certrecon.report.model import (
    ANSWERS,
    DANGLING,
    DOUBTFUL,
    EARLIER_PAYLOADS,
    LEDGER_AFTER,
    RUNS,
    WITHDRAWN_SINCE,
    ApprovalNote,
    ChainHead,
    DatasetTotal,
    PreviousRun,
    ReportInputs,
    RunHead,
)
from certrecon.report.pieces import places_by_key, plain
from certrecon.stages.origin import HeadBefore
from certrecon.stages.outcome import CLAIMS_FILE, DECIDED_FILE, LEDGER_AFTER_FILE, Outcome
from certrecon.stages.plan import MOVED_AWAY, parse_tripped
from certrecon.stages.run_inputs import RunInputs
from certrecon.words import Mode

DATASETS = ("certificates", "links", "persons", "employees")
APPROVALS_FILE, FACTS_FILE = "approvals", "report_facts"

OWN_ENTRIES = pa.schema([*LEDGER_AFTER, *(ANSWERS.field(name) for name in ("http_status", "message"))])
"""The ledger's entries of a run after publishing, as its outcome keeps them."""

_CLAIMS = coded_schema(
    pa.schema(
        [field for field in DECIDED if field.name not in {
            "resource_type", "ditio_employee_number", "expiry_source", "employees",
        }]
    ), "certificate_id", "payload_sha256",
)  # fmt: skip
_PREVIOUS_CLAIMS = coded_schema(PREVIOUS_CLAIMS, "certificate_id")
_LINKS = coded_schema(
    pa.schema([field for field in LINKS if field.name not in {"action_id", "date_expire"}]),
    "certificate_action_id", "certificate_id",
)  # fmt: skip
_LEDGER = coded_schema(
    pa.schema([field for field in LEDGER_AFTER if field.name in {
        "employee_number", "certificate_type", "acknowledged_payload_sha256", "acknowledged_certificate_id",
    }]), "acknowledged_payload_sha256", "acknowledged_certificate_id",
)  # fmt: skip
_EMPLOYEES = pa.schema([EMPLOYEES.field(name) for name in ("employee_number", "first_name", "last_name")])
_PERSONS = pa.schema([PERSONS.field(name) for name in ("person_id", "number")])
_PLAN = coded_schema(pa.schema([field for field in PLAN if field.name != "payload"]), "certificate_id")
_PAYLOADS = pa.schema([PLAN.field("payload")])
"""What a report looks at; a night's rows do not fit into memory with all of their columns."""

_IN_DOUBT = pa.schema([("in_doubt", pa.bool_())])
_UNACKNOWLEDGED = pa.schema([*DOUBTFUL, *_IN_DOUBT, ("acknowledged_payload_sha256", pa.string())])

_OPEN_DANGLING = pa.schema(
    [*(field for field in DANGLING if field.name != "since_run_seq"), ("first_run_seq", pa.int64())]
)


def report_inputs(inputs: RunInputs, outcome: Outcome) -> ReportInputs:
    """Return what the report of a run is made from.

    Args:
        inputs: The run's sealed inputs.
        outcome: Its outcome: planning, `claims`, `dangling` and what the report task wrote down first.

    Raises:
        EvidenceError: A file is missing or was changed.
    """
    settings, plan = inputs.settings.settings, _plan(inputs, outcome)
    listening, limited = inputs.origin().listening, inputs.context.limited
    return ReportInputs(
        head=_head(inputs, outcome),
        datasets=_datasets(inputs),
        claims=outcome.in_one_piece(CLAIMS_FILE if CLAIMS_FILE in outcome else DECIDED_FILE, _CLAIMS),
        plan=plan,
        withdrawn=outcome.table("withdrawn", WITHDRAWN),
        tripped=parse_tripped(outcome.text("guards")),
        answers=outcome.in_one_piece(LEDGER_AFTER_FILE, coded_schema(ANSWERS)),
        earlier_payloads=_earlier_payloads(inputs, plan),
        severities={code: settings.severity_of(code) for code in CATALOGUE},
        failure=json.loads(outcome.text(FACTS_FILE))["failure"],
        previous=_previous(inputs),
        runs=inputs.table("runs", RUNS),
        previous_claims=inputs.table("previous_claims", _PREVIOUS_CLAIMS),
        dangling_links=_dangling(inputs, outcome),
        withdrawn_since=inputs.table("open_withdrawn", WITHDRAWN_SINCE),
        employees=inputs.table("employees", _EMPLOYEES),
        persons=inputs.table("persons", _PERSONS),
        links=inputs.links(_LINKS if listening else _without(_LINKS, "certificate_action_id")),
        ledger=_ledger_after(inputs, outcome, _LEDGER if limited else _without(_LEDGER, "acknowledged_certificate_id")),
        doubtful=None if limited else _doubtful(inputs, plan),
        types=tuple(rule.certificate_type for rule in settings.certificate_types),
        hints=inputs.hints() if listening else None,
        moved_away=tuple(outcome.table("moved_away", MOVED_AWAY)["certificate_id"].to_pylist()) if limited else (),
    )


def _without(schema: pa.Schema, name: str) -> pa.Schema:
    return schema.remove(schema.get_field_index(name))


def _plan(inputs: RunInputs, outcome: Outcome) -> pa.Table:
    """Return the plan; payloads only where somebody looks at them, in a dry run or where rows change something."""
    plan = outcome.in_one_piece("plan", _PLAN)
    if inputs.context.parameters.mode is Mode.PUBLISH and not pc.any(pc.equal(plan["reason"], "changed")).as_py():
        return plan.append_column("payload", pa.nulls(plan.num_rows, pa.string()))
    return plan.append_column("payload", outcome.in_one_piece("plan", _PAYLOADS)["payload"])


def _head(inputs: RunInputs, outcome: Outcome) -> RunHead:
    context, origin = inputs.context, inputs.origin()
    return RunHead(
        run_seq=context.run_seq,
        run_id=origin.run_id,
        mode=context.parameters.mode,
        target=context.target,
        run_day=context.run_day,
        as_of=context.as_of,
        tenants=tuple(context.parameters.tenant_ids),
        trigger=origin.trigger,
        triggered_by=origin.triggered_by,
        code_version=origin.code_version,
        settings_sha256=inputs.settings.sha256,
        inputs_sha256=inputs.sha256,
        baseline=context.baseline.run_seq if context.baseline else None,
        started_at=origin.started_at,
        accepted=tuple(str(guard) for guard in context.parameters.accept),
        resend=context.parameters.resend,
        approvals=tuple(map(_approval, json.loads(outcome.text(APPROVALS_FILE)))),
        settings_text=inputs.settings.text,
        chain_before=_chain_head(origin.head),
        certificates=context.certificates,
        hints=inputs.rows("hints") if context.certificates is not None else 0,
        left_out=context.left_out,
    )


def _chain_head(head: HeadBefore | None) -> ChainHead | None:
    return None if head is None else ChainHead(head.chain_no, head.run_seq, head.chain_sha256)


def _approval(values: Mapping[str, Any]) -> ApprovalNote:
    return ApprovalNote(
        asked_at=_instant(values["asked_at"]),
        decided_at=_instant(values["decided_at"]),
        decided_by=values["decided_by"],
        decision=values["decision"],
        reason=values["reason"],
        guards=tuple(values["guards"]),
        plan_sha256=values["plan_sha256"],
    )


def _instant(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)


def _datasets(inputs: RunInputs) -> tuple[DatasetTotal, ...]:
    return tuple(
        DatasetTotal(
            dataset=file.dataset,
            tenant=file.tenant,
            vendor_total=file.facts.get("vendor_total"),
            rows=file.rows or 0,
            foreign_rows=file.facts.get("foreign_rows", 0),
            duplicate_rows=file.facts.get("duplicate_rows", 0),
            without_id=file.facts.get("without_id", 0),
            undocumented_fields=tuple(file.facts.get("undocumented_fields", ())),
        )
        for dataset in DATASETS
        for file in inputs.sealed.all_of(dataset)
    )


def _previous(inputs: RunInputs) -> PreviousRun | None:
    earlier = inputs.origin().earlier
    if earlier is None:
        return None
    return PreviousRun(earlier.run_seq, earlier.run_day, earlier.status, earlier.settings_text)


def _keys(table: pa.Table) -> pa.Array:
    return keys_of(table.column("employee_number"), table.column("certificate_type"))


def _earlier_payloads(inputs: RunInputs, plan: pa.Table) -> pa.Table:
    """Return what Ditio held before, for the rows of the plan that change it."""
    changed = plain(plan.filter(pc.equal(plan["reason"], "changed")).select(EARLIER_PAYLOADS.names[:2]))
    if not changed.num_rows:
        return EARLIER_PAYLOADS.empty_table()
    pieces = inputs.pieces("ledger", EARLIER_PAYLOADS)
    return pa.concat_tables(piece.filter(pc.is_in(_keys(piece), value_set=_keys(changed))) for piece in pieces)


def _ledger_after(inputs: RunInputs, outcome: Outcome, schema: pa.Schema) -> pa.Table:
    """Return the ledger after publishing: the sealed one with the run's own entries in place of theirs."""
    own, before = outcome.in_one_piece(LEDGER_AFTER_FILE, schema), inputs.table("ledger", schema)
    if not own.num_rows or not before.num_rows:
        return own if own.num_rows else before
    untouched = before.filter(pa.array(places_by_key(before, own) < 0))
    return pa.concat_tables([untouched, own]).combine_chunks()


def _doubtful(inputs: RunInputs, plan: pa.Table) -> pa.Table:
    """Return what the ledger holds in doubt, was never acknowledged, and is not in the plan (schema `DOUBTFUL`)."""
    if not pc.any(inputs.table("ledger", _IN_DOUBT)["in_doubt"]).as_py():
        return DOUBTFUL.empty_table()
    pieces = (
        piece.filter(pc.and_(piece["in_doubt"], pc.is_null(piece["acknowledged_payload_sha256"])))
        for piece in inputs.pieces("ledger", _UNACKNOWLEDGED)
    )
    found = pa.concat_tables(pieces).select(DOUBTFUL.names)
    planned = _keys(plain(plan.select(DOUBTFUL.names[:2])))
    return found.filter(pc.invert(pc.is_in(_keys(found), value_set=planned)))


def _dangling(inputs: RunInputs, outcome: Outcome) -> pa.Table:
    """Return the links without a certificate, with the run since which they are so."""
    links, known = outcome.table("dangling", LINKS), inputs.table("open_dangling", _OPEN_DANGLING)
    since = since_first(links, known, *_OPEN_DANGLING.names[:-1])
    return links.append_column("since_run_seq", since).select(DANGLING.names).cast(DANGLING)
