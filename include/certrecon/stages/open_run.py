"""Task: check what the run was started with, and open it in the warehouse."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from certrecon.api.endpoint import DitioEndpoint
from certrecon.code_version import code_version
from certrecon.errors import CertreconError, EvidenceError, ParameterError
from certrecon.evidence import Part, RunEvidence, highest_run
from certrecon.evidence.witness import write_witness
from certrecon.settings import LoadedSettings, load_settings
from certrecon.settings.model import Settings
from certrecon.stages.handle import FileRef, RunHandle
from certrecon.stages.parameters import Parameters, judged_day, parse_parameters, require_four_eyes
from certrecon.stages.witnessing import witness_of
from certrecon.stages.workplace import file_ref
from certrecon.warehouse.chain import ChainLink, installation_id
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.migrate import require_head
from certrecon.warehouse.runmodel import BY_HINTS, NewRun, RunResult
from certrecon.warehouse.runs import finalise_run, open_run, read_run, set_evidence_uri
from certrecon.warehouse.settings_versions import keep_settings
from certrecon.words import RunStatus

log = logging.getLogger(__name__)

TARGET_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Start:
    """How a run was started.

    Attributes:
        run_id: Airflow's run id.
        run_after: The time that gives the run its day; never the logical date.
        trigger: What started it, such as `scheduled` or `manual`.
        triggered_by: Who started it, where that is known.
        conf: The conf as it was given.
        params: The DAG's parameters with the conf over their defaults.
        by_hints: Whether the run looks only at what hints point at.
    """

    run_id: str
    run_after: dt.datetime
    trigger: str
    triggered_by: str | None
    conf: Mapping[str, Any] | None
    params: Mapping[str, Any]
    by_hints: bool = False


@dataclass(frozen=True, slots=True)
class Outside:
    """What a run works with outside Airflow.

    Attributes:
        engine: The warehouse.
        ditio: The Ditio address, which gives the target.
        evidence_root: Makes a path-like of the store's address.
    """

    engine: Engine
    ditio: DitioEndpoint
    evidence_root: Callable[[str], Any]


def target_of(endpoint: DitioEndpoint, company_id: str | None) -> str:
    """Return the digest of base URL, client id and company id (design, *Words*: target).

    128 bits of it: every row of the warehouse carries the target, in several indexes.
    """
    parts = json.dumps([endpoint.base_url, endpoint.client_id, company_id], ensure_ascii=False)
    return hashlib.sha256(parts.encode()).hexdigest()[:TARGET_DIGITS]


def evidence_address(settings: Settings) -> str:
    """Return where the evidence store starts: the setting, else `var/evidence` of the project."""
    project = Path(__file__).parents[3]
    root = settings.evidence.root
    if root is None:
        return str(project / "var" / "evidence")
    return root if "://" in root or Path(root).is_absolute() else str(project / root)


def _new_run(start: Start, parameters: Parameters, loaded: LoadedSettings, target: str) -> NewRun:
    run_day = start.run_after.astimezone(loaded.settings.zone).date()
    return NewRun(
        run_id=start.run_id,
        target=target,
        mode=parameters.mode,
        trigger=start.trigger,
        triggered_by=start.triggered_by,
        run_day=run_day,
        as_of=judged_day(parameters, run_day),
        settings_sha256=loaded.sha256,
        code_version=code_version(),
        scope=BY_HINTS if start.by_hints else {"tenant_ids": list(parameters.tenant_ids)},
    )


def _keep_settings(outside: Outside, loaded: LoadedSettings, root: str, run_seq: int) -> FileRef:
    """Start the run's evidence with its settings, so that no later change of the file reaches it."""
    evidence = RunEvidence(outside.evidence_root(root), run_seq)
    with transaction(outside.engine) as conn:
        set_evidence_uri(conn, run_seq, evidence.uri)
        keep_settings(conn, run_seq, loaded.sha256, loaded.text)
    return file_ref(evidence.write_bytes(Part.INPUTS, "settings", "json", loaded.text.encode()))


def _record_failure(outside: Outside, run_seq: int, failure: str) -> None:
    """Finalise a run that no later task will hear of."""
    with transaction(outside.engine) as conn:
        link = finalise_run(conn, run_seq, RunResult(RunStatus.FAILED, failure))
    _witness(outside, [link])


def _witness(outside: Outside, links: Iterable[ChainLink]) -> None:
    """Keep the places of runs that this one finalised beside their evidence, as far as that can be written."""
    for link in links:
        with transaction(outside.engine) as conn:
            row, installation = read_run(conn, link.run_seq), installation_id(conn)
        if row is None or row.evidence_uri is None:
            continue
        root = outside.evidence_root(row.evidence_uri.rpartition("/")[0])
        witness = witness_of(link, installation, row.inputs_sha256, row.outcome_sha256)
        try:
            write_witness(RunEvidence(root, link.run_seq), witness)
        except EvidenceError as error:
            log.warning("Run %s has no witness of its place in the chain: %s", link.run_seq, error)


def run_open(start: Start, outside: Outside) -> RunHandle:
    """Open a run.

    Everything that can be refused without a request is refused here; the run row comes before the
    first request, so that whatever fails from then on is on the record.

    Raises:
        SettingsError: A setting is wrong.
        ParameterError: A parameter is unknown or wrong.
        TargetBusyError: The run follows hints, and another one works on the target.
    """
    parameters = parse_parameters(start.conf, start.params)
    if start.by_hints and parameters != Parameters():
        message = "A run that follows hints has no parameters: start certificate_reconciliation to choose some."
        raise ParameterError(message)
    loaded = load_settings()
    require_four_eyes(parameters, loaded.settings.approval)
    new = _new_run(start, parameters, loaded, target_of(outside.ditio, loaded.settings.ditio.company_id))
    require_head(outside.engine)
    root = evidence_address(loaded.settings)
    opened = open_run(outside.engine, new, above=highest_run(outside.evidence_root(root)))
    if opened.abandoned:
        log.warning("Run %s took its target over from runs %s", opened.run_seq, opened.abandoned)
        _witness(outside, opened.abandoned_links)
    try:
        settings = _keep_settings(outside, loaded, root, opened.run_seq)
    except CertreconError as error:
        _record_failure(outside, opened.run_seq, str(error))
        raise
    log.info("Opened run %s (attempt %s) for %s", opened.run_seq, opened.attempt, new.run_day)
    days = new.run_day, new.as_of
    return RunHandle(opened.run_seq, new.run_id, new.target, *days, parameters, settings, root, start.by_hints)
