"""Task: write the run's report: a summary for the terminal, a page, and a list of what needs somebody."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from certrecon.dispositions.decide import DECIDED, PLAN
from certrecon.dispositions.winners import keys_of
from certrecon.dispositions.withdrawals import WITHDRAWN
from certrecon.findings import CATALOGUE
from certrecon.report.build import build_report
from certrecon.report.csv_files import render_csvs
from certrecon.report.model import ANSWERS, EARLIER_PAYLOADS, DatasetTotal, ReportInputs, RunHead, RunReport
from certrecon.report.page import render_html
from certrecon.report.summary import render_summary
from certrecon.stages.handle import FileRef
from certrecon.stages.load import Loaded
from certrecon.stages.plan import Planned, read_tripped
from certrecon.stages.run_inputs import RunInputs
from certrecon.stages.seal_inputs import SealedInputs
from certrecon.stages.workplace import Workplace
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.ledger import read_attempts, read_ledger
from certrecon.warehouse.runs import read_run

log = logging.getLogger(__name__)

DATASETS = ("certificates", "links", "persons", "employees")


@dataclass(frozen=True, slots=True)
class Reported:
    """The files of the report.

    Attributes:
        summary: Plain text.
        page: HTML.
        lists: CSV files by what they list; `worklist` has every claim that needs somebody.
        answers: Schema `ANSWERS`: what Ditio made of the run's rows.
        attempts: Schema `RECORDED_ATTEMPT`: every row of every request that the run made.
    """

    summary: FileRef
    page: FileRef
    lists: Mapping[str, FileRef]
    answers: FileRef
    attempts: FileRef

    def to_json(self) -> dict[str, Any]:
        """Return plain values, for XCom."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Reported:
        """Rebuild what `to_json` gave."""
        lists = {name: FileRef(**value) for name, value in values["lists"].items()}
        files = {name: FileRef(**value) for name, value in values.items() if name != "lists"}
        return cls(**files, lists=lists)


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


def _from_ditio(place: Workplace) -> tuple[pa.Table, pa.Table]:
    """Return what Ditio made of the run's rows, as the ledger says after publishing, and all attempts."""
    run = place.run
    with transaction(place.engine) as conn:
        ledger, attempts = read_ledger(conn, run.target), read_attempts(conn, run.run_seq)
    own = ledger.filter(pc.equal(ledger.column("run_seq"), run.run_seq))
    return own.select(ANSWERS.names).cast(ANSWERS), attempts


def _earlier_payloads(inputs: RunInputs, plan: pa.Table) -> pa.Table:
    """Return what Ditio held before, for the rows of the plan that change it."""
    changed = plan.filter(pc.equal(plan.column("reason"), "changed"))
    ledger = inputs.table("ledger", EARLIER_PAYLOADS)
    wanted = keys_of(changed.column("employee_number"), changed.column("certificate_type"))
    keys = keys_of(ledger.column("employee_number"), ledger.column("certificate_type"))
    return ledger.filter(pc.is_in(keys, value_set=wanted))


def _head(place: Workplace, inputs: RunInputs, sealed: SealedInputs) -> RunHead:
    run, context = place.run, inputs.context
    with transaction(place.engine) as conn:
        row = read_run(conn, run.run_seq)
    return RunHead(
        run_seq=run.run_seq,
        run_id=run.run_id,
        mode=run.parameters.mode,
        target=run.target,
        run_day=run.run_day,
        as_of=run.as_of,
        tenants=run.parameters.tenant_ids,
        trigger=row.trigger if row else "",
        triggered_by=row.triggered_by if row else None,
        code_version=row.code_version if row else "",
        settings_sha256=inputs.settings.sha256,
        inputs_sha256=sealed.sha256,
        baseline=context.baseline.run_seq if context.baseline else None,
    )


def _report(
    place: Workplace,
    sealed: SealedInputs,
    planned: Planned,
    loaded: Loaded,
    answers: pa.Table,
    dangling: int,
    failure: str | None,
) -> RunReport:
    inputs = RunInputs(place.evidence, sealed.sha256)
    plan = place.read(planned.plan, PLAN)
    return build_report(
        ReportInputs(
            head=_head(place, inputs, sealed),
            datasets=_datasets(inputs),
            claims=place.read(loaded.claims, DECIDED),
            plan=plan,
            withdrawn=place.read(planned.withdrawn, WITHDRAWN),
            tripped=read_tripped(place, planned),
            dangling=dangling,
            answers=answers,
            earlier_payloads=_earlier_payloads(inputs, plan),
            severities={code: inputs.settings.settings.severity_of(code) for code in CATALOGUE},
            failure=failure,
        )
    )


def run_report(
    place: Workplace,
    sealed: SealedInputs,
    planned: Planned,
    loaded: Loaded,
    *,
    dangling: int,
    failure: str | None,
) -> Reported:
    """Write the report.

    Args:
        place: The run's workplace.
        sealed: The sealed inputs.
        planned: The plan.
        loaded: The settled claims.
        dangling: How many links have no certificate.
        failure: What failed so far, in one sentence.
    """
    answers, attempts = _from_ditio(place)
    report = _report(place, sealed, planned, loaded, answers, dangling, failure)
    summary = render_summary(report)
    log.info("%s", summary)
    return Reported(
        summary=place.write_bytes("summary", "txt", summary.encode()),
        page=place.write_bytes("report", "html", render_html(report).encode()),
        lists={name: place.write_bytes(name, "csv", data) for name, data in render_csvs(report).items()},
        answers=place.write("answers", answers),
        attempts=place.write("attempts", attempts),
    )
