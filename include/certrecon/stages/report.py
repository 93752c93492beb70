"""Task: write the run's report: a summary for the terminal, a page, a workbook, and lists of what needs somebody."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any

from certrecon.evidence import Part
from certrecon.report import build_report, render_csvs, render_html, render_summary
from certrecon.report.model import RunReport
from certrecon.report.svg import import_matplotlib
from certrecon.report.workbook import render_workbook
from certrecon.stages.build_claims import BuiltClaims
from certrecon.stages.handle import FileRef
from certrecon.stages.load import Loaded
from certrecon.stages.outcome import (
    CLAIMS_FILE,
    LEDGER_AFTER_FILE,
    PAGE_FILE,
    SUMMARY_FILE,
    WORKBOOK_FILE,
    Outcome,
    planned_files,
)
from certrecon.stages.plan import Planned
from certrecon.stages.report_inputs import APPROVALS_FILE, FACTS_FILE, OWN_ENTRIES, report_inputs
from certrecon.stages.run_inputs import RunInputs
from certrecon.stages.seal_inputs import SealedInputs
from certrecon.stages.workplace import Workplace, file_ref
from certrecon.validation.data_docs import render_data_docs
from certrecon.warehouse.approvals import read_approvals
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.ledger import RECORDED_ATTEMPT, attempt_batches
from certrecon.warehouse.run_entries import entries_of_run
from certrecon.words import Subject

log = logging.getLogger(__name__)

DATA_DOCS_FILE = "data_docs"


@dataclass(frozen=True, slots=True)
class Reported:
    """The files of the report.

    Attributes:
        summary: Plain text.
        page: HTML.
        workbook: Excel.
        lists: CSV files by what they list; `worklist` has every claim that needs somebody.
        sources: What the report was made from beside inputs, plan and claims, by dataset.
        data_docs: Great Expectations' Data Docs as a zip, where the settings ask for them.
    """

    summary: FileRef
    page: FileRef
    workbook: FileRef
    lists: Mapping[str, FileRef]
    sources: Mapping[str, FileRef]
    data_docs: FileRef | None = None

    def files(self) -> dict[str, FileRef]:
        """Return every file by its dataset in the outcome."""
        own = {SUMMARY_FILE: self.summary, PAGE_FILE: self.page, WORKBOOK_FILE: self.workbook}
        docs = {} if self.data_docs is None else {DATA_DOCS_FILE: self.data_docs}
        return own | docs | {f"{name}_csv": ref for name, ref in self.lists.items()} | dict(self.sources)

    def to_json(self) -> dict[str, Any]:
        """Return plain values, for XCom."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Reported:
        """Rebuild what `to_json` gave."""
        files = {name: FileRef(**values[name]) for name in ("summary", "page", "workbook")}
        docs = values["data_docs"] and FileRef(**values["data_docs"])
        return cls(**files, lists=_refs(values["lists"]), sources=_refs(values["sources"]), data_docs=docs)


def _refs(values: Mapping[str, Any]) -> dict[str, FileRef]:
    return {name: FileRef(**value) for name, value in values.items()}


def _sources(place: Workplace, failure: str | None) -> dict[str, FileRef]:
    """Write down what the warehouse says of the run after publishing, its requests excepted."""
    run, seq = place.run, place.run.run_seq
    with transaction(place.engine) as conn:
        own = place.write_pieces(Part.OUTCOME, LEDGER_AFTER_FILE, OWN_ENTRIES, entries_of_run(conn, seq, run.target))
        approvals = [asdict(approval) for approval in read_approvals(conn, seq)]
    return {
        LEDGER_AFTER_FILE: file_ref(own.file, own.rows),
        APPROVALS_FILE: place.write_bytes(APPROVALS_FILE, "json", _json(approvals)),
        FACTS_FILE: place.write_bytes(FACTS_FILE, "json", _json({"failure": failure})),
    }


def _attempts(place: Workplace) -> FileRef:
    """Write down the run's requests, which no report looks at."""
    seq = place.run.run_seq
    with transaction(place.engine) as conn:
        written = place.write_pieces(Part.OUTCOME, "attempts", RECORDED_ATTEMPT, attempt_batches(conn, seq))
    return file_ref(written.file, written.rows)


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str).encode()


def _write(place: Workplace, report: RunReport, sources: dict[str, FileRef], aside: Executor) -> Reported:
    summary = render_summary(report)
    log.info("%s", summary)
    workbook = aside.submit(render_workbook, report)
    return Reported(
        summary=place.write_bytes(SUMMARY_FILE, "txt", summary.encode()),
        page=place.write_bytes(PAGE_FILE, "html", render_html(report).encode()),
        lists={name: place.write_bytes(name, "csv", data) for name, data in render_csvs(report).items()},
        workbook=place.write_bytes(WORKBOOK_FILE, "xlsx", workbook.result()),
        sources=sources,
    )


def _data_docs(place: Workplace, validations: Mapping[Subject, FileRef]) -> FileRef | None:
    """Write the run's own site of Data Docs; each run has one, so no two are ever built on one site."""
    if not place.settings().settings.report.data_docs:
        return None
    documents = {
        subject: place.evidence.read_bytes(ref.address, ref.sha256).decode() for subject, ref in validations.items()
    }
    return place.write_bytes(DATA_DOCS_FILE, "zip", render_data_docs(documents, f"run-{place.run.run_seq}"))


def run_report(
    place: Workplace,
    sealed: SealedInputs,
    planned: Planned,
    loaded: Loaded,
    built: BuiltClaims,
    validations: Mapping[Subject, FileRef],
    *,
    failure: str | None,
) -> Reported:
    """Write the report, made from files of the evidence and nothing else, so that it can be made again.

    Args:
        place: The run's workplace.
        sealed: The sealed inputs.
        planned: The plan.
        loaded: The settled claims.
        built: The claims' facts, and the links without a certificate.
        validations: Great Expectations' results, by subject.
        failure: What failed so far, in one sentence.
    """
    # Much of it is waiting for PostgreSQL, or Arrow's and zlib's work, beside which Python has nothing to do.
    with ThreadPoolExecutor(2) as aside:
        attempts = aside.submit(_attempts, place)
        aside.submit(import_matplotlib)
        sources = _sources(place, failure)
        refs = planned_files(planned) | {CLAIMS_FILE: loaded.claims, "dangling": built.dangling} | sources
        inputs = RunInputs(place.evidence, sealed.sha256)
        report = build_report(report_inputs(inputs, Outcome.of_refs(place.evidence, refs)))
        written = _write(place, report, sources, aside)
        everything = dict(written.sources) | {"attempts": attempts.result()}
    return replace(written, sources=everything, data_docs=_data_docs(place, validations))
