"""Runs the main DAG once in this process: `python -m certrecon_quickstart.pipeline FD DAG_FILE CONF`.

The same as `airflow dags test`, without what that command loads besides, and with a line of JSON on the
file descriptor FD for everything worth showing. It starts while the services still do, loads Airflow, and
waits for a line on standard input; when standard input ends, whoever asked is gone and so is this process.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any

from airflow.dag_processing.dagbag import DagBag
from airflow.listeners import hookimpl
from airflow.sdk.listener import get_listener_manager

from certrecon.errors import CertreconError
from certrecon_quickstart.errors import QuickstartError
from certrecon_quickstart.project import DAG_ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk import DAG

ORPHANED = 3
NOTED_LOGGER = "certrecon"
TOLD_BY = "certrecon.stages"  # what its parts do in detail is for the log
LONGEST_NOTE = 200


class Channel:
    """Writes events as lines of JSON."""

    def __init__(self, descriptor: int) -> None:
        """Write to an inherited file descriptor."""
        self._stream = os.fdopen(descriptor, "w", encoding="utf-8", buffering=1)

    def send(self, event: str, **facts: object) -> None:
        """Write one event."""
        self._stream.write(json.dumps({"event": event, **facts}) + "\n")


class TaskListener:
    """Tells about tasks as Airflow runs them."""

    def __init__(self, channel: Channel) -> None:
        """Tell through a channel."""
        self._channel = channel
        self._started = 0.0

    @hookimpl
    def on_task_instance_running(self, task_instance: Any) -> None:
        """Tell that a task starts."""
        self._started = time.monotonic()
        self._send("started", task_instance)

    @hookimpl
    def on_task_instance_success(self, task_instance: Any) -> None:
        """Tell that a task ended well."""
        self._send("succeeded", task_instance, seconds=time.monotonic() - self._started)

    @hookimpl
    def on_task_instance_skipped(self, task_instance: Any) -> None:
        """Tell that a task had nothing to do."""
        self._send("skipped", task_instance, seconds=time.monotonic() - self._started)

    @hookimpl
    def on_task_instance_failed(self, task_instance: Any, error: str | BaseException | None) -> None:
        """Tell that a task failed, and why."""
        sentence, expected = explain(error)
        seconds = time.monotonic() - self._started
        self._send("failed", task_instance, seconds=seconds, sentence=sentence, expected=expected)

    def _send(self, event: str, task_instance: Any, **facts: object) -> None:
        index = getattr(task_instance, "map_index", -1)
        self._channel.send(event, task=task_instance.task_id, index=-1 if index is None else index, **facts)


class NoteHandler(logging.Handler):
    """Passes on what the project's own loggers say."""

    def __init__(self, channel: Channel) -> None:
        """Pass on through a channel."""
        super().__init__(logging.INFO)
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        """Pass on the first line of what a stage says, and of any warning."""
        if record.levelno < logging.WARNING and not record.name.startswith(TOLD_BY):
            return
        text = (record.getMessage().splitlines() or [""])[0]
        self._channel.send("note", text=text[:LONGEST_NOTE], level=record.levelname)


def explain(error: str | BaseException | None) -> tuple[str, bool]:
    """Return what an error says, and whether it is one that was written for people."""
    while isinstance(error, BaseException):
        if isinstance(error, CertreconError) or type(error).__module__.partition(".")[0] == "airflow":
            return str(error), True
        inner = error.__cause__
        if inner is None:
            return f"{type(error).__name__}: {error}", False
        error = inner
    return error or "no reason given", False


def find_dag(dag_file: str) -> DAG:
    """Return the main DAG from its file."""
    bag = DagBag(dag_folder=dag_file)
    for problem in bag.import_errors.values():
        raise ImportError(problem.strip().splitlines()[-1])
    if DAG_ID not in bag.dags:
        message = f"{dag_file} holds no DAG {DAG_ID}: the checkout is not whole, clone it again"
        raise QuickstartError(message)
    return bag.dags[DAG_ID]


def wait_for_go() -> None:
    """Wait for the line that says that the services are up; afterwards end with whoever wrote it."""
    if not sys.stdin.readline():
        os._exit(ORPHANED)

    def watch() -> None:
        while sys.stdin.readline():
            pass
        os._exit(ORPHANED)

    threading.Thread(target=watch, daemon=True).start()


def run_dag(channel: Channel, dag: DAG, conf: dict[str, Any]) -> bool:
    """Run the DAG once; tell whether it succeeded."""
    get_listener_manager().add_listener(TaskListener(channel))  # type: ignore[no-untyped-call]
    noted = logging.getLogger(NOTED_LOGGER)
    noted.addHandler(NoteHandler(channel))
    noted.setLevel(logging.INFO)
    state = dag.test(run_conf=conf).state
    return str(getattr(state, "value", state)) == "success"


def guarded(channel: Channel, action: Callable[[], bool]) -> int:
    """Run an action; an exception of it becomes an event and a traceback in the log."""
    try:
        return 0 if action() else 1
    except Exception as error:  # noqa: BLE001 - the outermost frame: whatever it is goes to the log
        traceback.print_exc()
        sentence, expected = explain(error)
        channel.send("crashed", sentence=sentence, expected=expected)
        return 1


def main() -> None:
    """Wait, run, and leave at once: Airflow's own ending takes seconds and does nothing here."""
    channel = Channel(int(sys.argv[1]))

    def action() -> bool:
        dag = find_dag(sys.argv[2])
        wait_for_go()
        return run_dag(channel, dag, json.loads(sys.argv[3]))

    code = guarded(channel, action)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
