"""`make run`: one run of the main DAG, shown as it goes; ends with the summary and where the report is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from certrecon_quickstart.connections import RunRequest, read_request
from certrecon_quickstart.progress import Failure, Printer, one_line
from certrecon_quickstart.services import Services, using_services

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from certrecon_quickstart.project import Project

RESULT_VARIABLE = "CERTRECON_RESULT_FILE"
STOP_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one `make run`.

    Attributes:
        log: What Airflow and the pipeline print.
        result: Where the run's last task says what came of it.
    """

    log: Path
    result: Path

    @classmethod
    def fresh(cls, project: Project) -> Files:
        """Return new files for a run that starts now."""
        name = f"run-{datetime.now(tz=UTC):%Y%m%dT%H%M%S}-{os.getpid()}"
        project.logs.mkdir(parents=True, exist_ok=True)
        return cls(log=project.logs / f"{name}.log", result=project.logs / f"{name}.json")


def run(project: Project, inherited: Mapping[str, str]) -> int:
    """Run once; return the exit code.

    Raises:
        QuickstartError: The request cannot be understood or a service did not start.
    """
    request = read_request(inherited)
    printer, files = Printer(), Files.fresh(project)
    with using_services(project):
        services = Services(project, request, inherited)
        announce(printer, services, request)
        with pipeline(project, services, request, files) as (process, events):
            printer.begin("services")
            services.start()
            printer.begin("Airflow")
            let_go(process)
            printer.follow(events)
            code = process.wait()
    return conclude(project, printer, files, code)


def announce(printer: Printer, services: Services, request: RunRequest) -> None:
    """Say what is about to run, and whatever was chosen for the caller."""
    mode = str(request.conf.get("mode", "publish"))
    printer.line(f"Certificate reconciliation, {mode}, on {services.describe()}")
    for note in services.notes:
        printer.line(f"  {note}")
    if request.defaulted_to_dry_run:
        printer.line("""  Nothing is sent: real systems get a dry run unless CONF='{"mode": "publish"}' is set.""")


@contextmanager
def pipeline(
    project: Project, services: Services, request: RunRequest, files: Files
) -> Iterator[tuple[subprocess.Popen[str], Iterator[dict[str, Any]]]]:
    """Start the process that runs the DAG; it loads Airflow meanwhile and waits for `let_go`."""
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "certrecon_quickstart.pipeline", str(writing), str(project.dag_file)]
    # Somebody is watching: a failure is shown at once, not after the minutes between two tries of a night.
    environment = {"CERTRECON_TASK_RETRIES": "0", **services.environment, RESULT_VARIABLE: str(files.result)}
    with files.log.open("wb") as log, os.fdopen(reading, encoding="utf-8") as lines:
        process = subprocess.Popen(
            [*command, json.dumps(request.conf)],
            env=environment,
            cwd=project.root,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            text=True,
            pass_fds=[writing],
            start_new_session=True,  # Ctrl-C is for this process, which ends the other one below
        )
        os.close(writing)
        try:
            yield process, (json.loads(line) for line in lines)
        finally:
            end(process)


def let_go(process: subprocess.Popen[str]) -> None:
    """Let the waiting process run the DAG; it sees for itself when this one is gone."""
    if process.stdin is not None:
        with suppress(BrokenPipeError):  # it ended already, and its events say why
            process.stdin.write("go\n")
            process.stdin.flush()


def end(process: subprocess.Popen[str]) -> None:
    """End the process if it still runs."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdin is not None:
        with suppress(BrokenPipeError):
            process.stdin.close()


def conclude(project: Project, printer: Printer, files: Files, code: int) -> int:
    """Print the summary and where everything lies; a failed run ends with one sentence on what to do."""
    result = read_result(files.result)
    if result.get("summary_path"):
        printer.line()
        printer.line(read_text(result["summary_path"]).rstrip())
    printer.line()
    places = {"Report": "report_path", "Workbook": "workbook_path", "Needs somebody": "csv_path"}
    for title, key in places.items():
        if result.get(key):
            printer.line(f"{title + ':':<16}{project.shown(result[key])}")
    printer.line(f"{'Log:':<16}{project.shown(files.log)}")
    if code == 0 and result.get("status") != "failed":
        return 0
    printer.line(failure_sentence(result, printer.failures, project.shown(files.log)))
    return code or 1


def failure_sentence(result: Mapping[str, Any], failures: Sequence[Failure], log: str) -> str:
    """Return the one sentence with which a failed run ends."""
    if result.get("failure"):
        return f"The run failed: {one_line(str(result['failure']))}"
    if not failures:
        return f"The run ended without saying why: look at the end of {log}"
    first = failures[0]
    where = f" in '{first.title}'" if first.title else ""
    if first.expected:
        return f"The run failed{where}: {first.sentence}"
    return f"The run failed{where}, which nobody foresaw ({first.sentence}): please report it with {log}"


def read_result(path: Path) -> dict[str, Any]:
    """Return what the run's last task wrote; nothing when it did not come to that."""
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return result if isinstance(result, dict) else {}


def read_text(place: str) -> str:
    """Return the text at a path or at any address of the evidence store."""
    # The evidence may be in an object store; fsspec is loaded only then and there.
    from upath import UPath  # noqa: PLC0415

    return str(UPath(place).read_text(encoding="utf-8"))
