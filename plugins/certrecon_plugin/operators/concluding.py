"""Tasks that report on the run and finalise it, whatever happened before."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException

from certrecon_plugin.operators.base import FAILURE, StageOperator, Task, result_of, results_of, run_of
from certrecon_plugin.operators.judging import VALIDATIONS
from certrecon_plugin.operators.publishing import planned_of
from certrecon_plugin.resources import evidence_root, warehouse, workplace
from certrecon_plugin.telling.assets import (
    CLAIMS,
    EVIDENCE,
    LEDGER,
    OUTCOME,
    REPORT,
    REPORTED_ALIAS,
    reported,
    was_reported,
)
from certrecon_plugin.telling.tell import count_finalised, forget_starts, tell_of_run, tell_of_start

if TYPE_CHECKING:
    from airflow.sdk import Context

    from certrecon.stages.finalise import Finalised, Reached
    from certrecon.stages.handle import FileRef, RunHandle
    from certrecon.stages.report import Reported
    from certrecon.stages.seal_inputs import SealedInputs
    from certrecon.stages.workplace import Workplace
    from certrecon.words import Subject

RESULT_FILE = "CERTRECON_RESULT_FILE"
"""The environment variable that names a file for the run's end, for whoever started it from a shell."""

FAILED = frozenset({"failed"})


def _states(context: Context) -> dict[str, str]:
    """Return the state of every task instance of the run so far."""
    ti = context["ti"]
    states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[ti.run_id])
    return {name: str(state) for name, state in states.get(ti.run_id, {}).items()}


def failures_of(context: Context, tasks: Iterable[StrEnum] = Task) -> tuple[str, ...]:
    """Return what failed, one sentence a task, in the order of the DAG's tasks."""
    states = _states(context)
    sentences: list[str] = []
    for task in tasks:
        failed = [name for name, state in states.items() if state in FAILED and _is_instance(name, task)]
        if failed:
            told = results_of(context, task, FAILURE)
            sentences += told or [f"The task {task} failed without a word of ours: read its log."]
    return tuple(sentences)


def _is_instance(name: str, task: StrEnum) -> bool:
    return name == task or (name.startswith(f"{task}_") and name.removeprefix(f"{task}_").isdigit())


def _sealed(context: Context) -> SealedInputs | None:
    from certrecon.stages.seal_inputs import SealedInputs

    values = result_of(context, Task.SEAL_INPUTS)
    return values and SealedInputs(values["sha256"], values["rows"])


def _validations(context: Context) -> dict[Subject, FileRef]:
    """Return where Great Expectations' results are, by subject."""
    from certrecon.stages.handle import FileRef
    from certrecon.words import Subject

    results = {subject: result_of(context, task) for task, subject in VALIDATIONS.items()}
    return {Subject(subject): FileRef(**values) for subject, values in results.items() if values}


class ReportOperator(StageOperator):
    """Writes the run's report."""

    writes = (OUTCOME,)

    def __init__(self, **kwargs: Any) -> None:
        """Read evidence, ledger and claims."""
        super().__init__(inlets=[EVIDENCE, LEDGER, CLAIMS], **kwargs)

    def run_stage(self, context: Context) -> dict[str, Any]:
        """Return where the report is."""
        from certrecon.errors import IntegrityError
        from certrecon.stages.build_claims import BuiltClaims
        from certrecon.stages.load import Loaded
        from certrecon.stages.report import run_report

        planned, sealed = planned_of(context), _sealed(context)
        loaded = result_of(context, Task.LOAD)
        if sealed is None or loaded is None:
            message = "The claims were not loaded, so there is nothing to report on."
            raise IntegrityError(message)
        built = BuiltClaims.from_json(result_of(context, Task.BUILD_CLAIMS))
        failures = failures_of(context)
        with workplace(run_of(context)) as place:
            reported = run_report(
                place,
                sealed,
                planned,
                Loaded.from_json(loaded),
                built,
                _validations(context),
                failure=failures[0] if failures else None,
            )
        return reported.to_json()


def _files(context: Context, reported: Reported | None) -> dict[str, FileRef]:
    """Return the files of the outcome that planning and loading do not name themselves."""
    from certrecon.stages.build_claims import BuiltClaims

    files: dict[str, FileRef] = {}
    built = result_of(context, Task.BUILD_CLAIMS)
    if built:
        claims = BuiltClaims.from_json(built)
        files |= {"facts": claims.facts, "dangling": claims.dangling}
    files |= {f"validation_{subject}": ref for subject, ref in _validations(context).items()}
    if reported:
        files |= reported.files()
    return files


def _reached(context: Context, reported: Reported | None) -> Reached:
    from certrecon.stages.finalise import Reached
    from certrecon.stages.load import Loaded
    from certrecon.stages.plan import Planned

    planned, loaded = result_of(context, Task.PLAN), result_of(context, Task.LOAD)
    return Reached(
        inputs=_sealed(context),
        planned=Planned.from_json(planned) if planned else None,
        loaded=Loaded.from_json(loaded) if loaded else None,
        files=_files(context, reported),
        failures=failures_of(context),
    )


def _shown_files(reported: Reported, ended: Finalised) -> dict[str, str]:
    return {
        "summary_path": reported.summary.address,
        "report_path": ended.report or reported.page.address,
        "csv_path": reported.lists["worklist"].address,
        "workbook_path": reported.workbook.address,
    }


def _tell(place: Workplace, ended: Finalised, reported: Reported | None) -> None:
    """Write how the run ended where a shell waits for it."""
    target = os.environ.get(RESULT_FILE)
    if not target:
        return
    files = {} if reported is None else _shown_files(reported, ended)
    paths = {name: str(place.evidence.path(address)).removeprefix("file://") for name, address in files.items()}
    told = {"status": str(ended.status), "failure": ended.failure, "run_seq": place.run.run_seq, **paths}
    Path(target).write_text(json.dumps(told), encoding="utf-8")


def _already(run: RunHandle, failures: tuple[str, ...]) -> dict[str, Any] | None:
    """Return how the run ended if an earlier try finalised it and was killed before it could say so."""
    from certrecon.evidence import RunEvidence
    from certrecon.stages.finalise import already_finalised

    with warehouse() as engine:
        evidence = RunEvidence(evidence_root(run.evidence_root), run.run_seq)
        ended = already_finalised(engine, evidence, run.run_seq, failures)
    return None if ended is None else ended.to_json()


class FinaliseOperator(StageOperator):
    """Records whatever happened, then fails the run if anything before it failed."""

    def __init__(self, **kwargs: Any) -> None:
        """Read evidence, and the asset that remembers what was told; produce the report."""
        super().__init__(inlets=[EVIDENCE, REPORT], outlets=[REPORTED_ALIAS], **kwargs)

    def run_stage(self, context: Context) -> dict[str, Any]:
        """Return how the run ended.

        Raises:
            AirflowFailException: Something before failed.
        """
        failures = failures_of(context)
        if failures and result_of(context, Task.OPEN_RUN) is None:
            tell_of_start(context, failures[0])
            raise AirflowFailException(failures[0])
        run = run_of(context)
        forget_starts(context)
        before = _already(run, failures)
        ended = before or _finalise(context, run)
        # An older run's task may be cleared: neither metrics nor the DAGs that follow count the run again.
        is_new = before is None or not (ended["failure"] or was_reported(context, run))
        if is_new:
            count_finalised(run.run_seq)
        # A try that was killed right after finalising told nobody, or somebody: it is told again.
        tell_of_run(context, run.run_seq)
        if ended["failure"]:
            raise AirflowFailException(ended["failure"])
        if is_new:
            _say_reported(context, run, ended)
        return ended


def _finalise(context: Context, run: RunHandle) -> dict[str, Any]:
    """Finalise the run and return how it ended."""
    from certrecon.stages.finalise import run_finalise
    from certrecon.stages.report import Reported

    values = result_of(context, Task.REPORT)
    reported = Reported.from_json(values) if values else None
    with workplace(run) as place:
        ended = run_finalise(place, _reached(context, reported))
        _tell(place, ended, reported)
    return ended.to_json()


def _say_reported(context: Context, run: RunHandle, ended: dict[str, Any]) -> None:
    """Add the event of the report of a run that ended well."""
    from certrecon.stages.load import Loaded

    loaded, address = result_of(context, Task.LOAD), ended.get("report")
    if loaded is not None:
        shown = f"{run.evidence_root}/{run.run_seq}/{address}" if address else None
        reported(context, run, str(ended["status"]), Loaded.from_json(loaded), shown)
