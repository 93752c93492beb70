"""`make run` for real: sandbox, PostgreSQL, Airflow, and a stand-in for the DAG."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from certrecon_quickstart.memory import is_listening
from certrecon_quickstart.postgres import EmbeddedPostgres
from certrecon_quickstart.project import Project
from certrecon_quickstart.sandbox import Sandbox, World, running_worlds

pytestmark = pytest.mark.slow

WORLD = World(certificates=200, seed=3)
STARTER = """
import sys
from pathlib import Path
from certrecon_quickstart import __main__ as commands
from certrecon_quickstart.project import Project
project = Project(root=Path(sys.argv[1]), var=Path(sys.argv[2]), dags=Path(sys.argv[3]))
Project.of_checkout = classmethod(lambda _: project)
sys.exit(commands.main(sys.argv[4:]))
"""


def hear_interrupts() -> None:
    """Let Ctrl-C reach the command also where the tests run in the background, which ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def start(project: Project, *command: str, **variables: str) -> subprocess.Popen[str]:
    """Start a command of the quick start in a process of its own, as make does."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "CERTRECON"))}
    environment = {**kept, "CERTIFICATES": str(WORLD.certificates), "SEED": str(WORLD.seed), **variables}
    places = [str(place) for place in (project.root, project.var, project.dags)]
    return subprocess.Popen(
        [sys.executable, "-c", STARTER, *places, *(command or ("run",))],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_interrupts,  # noqa: PLW1509 - nothing else runs in this process
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def scenario(name: str) -> str:
    return json.dumps({"scenario": name})


def nothing_runs(project: Project) -> bool:
    return running_worlds(project) == [] and not EmbeddedPostgres(project).is_running()


def test_two_runs_find_the_same_systems_and_leave_nothing_running(project: Project) -> None:
    code, first, err = finished(start(project))
    assert (code, err) == (0, "")
    assert "publish, on the sandbox (200 certificates, seed 3)" in first
    assert re.search(r"open run \.+\n {6}opened a publish run\n  connections \.+ +\d+\.\d s\n", first)
    assert "claims      42\n" in first
    assert "Report:         the report.html\nNeeds somebody: the list.csv\n" in first
    assert nothing_runs(project)

    code, second, err = finished(start(project, CONF='{"mode": "dry_run"}'))
    assert (code, err) == (0, "")
    assert "opened a dry_run run" in second
    described = [re.findall(r"^\{.*\}$", text, re.MULTILINE) for text in (first, second)]
    assert described[0] == described[1] != []
    port = Sandbox(project, WORLD).port
    assert f"fourhse http://127.0.0.1:{port}/4hse" in first
    assert f"postgres 127.0.0.1 {EmbeddedPostgres(project).port} certrecon" in first
    assert nothing_runs(project)


@pytest.mark.parametrize(
    ("conf", "last_line"),
    [
        (
            scenario("settings"),
            "The run failed in 'open run': key 'unlinked' is 'perhaps': it must be hold or send",
        ),
        (
            scenario("reported"),
            "The run failed: guard drop tripped: accept it with accept=[drop]",
        ),
        (scenario("killed"), "The run ended without saying why: look at the end of LOG"),
        ('{"mode": "send"}', "The run failed: Invalid input for param mode: 'send' is not one of "),
    ],
    ids=["expected", "reported", "killed", "bad parameter"],
)
def test_a_failed_run_ends_with_one_sentence(project: Project, conf: str, last_line: str) -> None:
    code, out, err = finished(start(project, CONF=conf))
    assert code != 0
    last = re.sub(r"\S+/run-\S+\.log", "LOG", out.splitlines()[-1])
    assert last.startswith(last_line)
    assert "Traceback" not in out + err
    assert nothing_runs(project)


@pytest.mark.parametrize(
    ("variables", "word"),
    [
        ({"AIRFLOW_CONN_DITIO_DEFAULT": "{}"}, "AIRFLOW_CONN_FOURHSE_DEFAULT"),
        ({"CONF": "{"}, "CONF is not JSON"),
    ],
    ids=["a mix of connections", "bad conf"],
)
def test_a_refused_request_starts_nothing(project: Project, variables: dict[str, str], word: str) -> None:
    code, out, err = finished(start(project, **variables))
    assert code == 2
    assert out == ""
    assert word in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("command", ["run", "up", "down", "migrate", "verify", "replay", "exec"])
def test_the_first_command_of_a_checkout_closes_its_folder_to_others(
    project: Project, tmp_path: Path, command: str
) -> None:
    fresh, before = replace(project, var=tmp_path / "var"), os.umask(0o022)
    try:
        finished(start(fresh, command, CONF="{", AIRFLOW_CONN_DITIO_DEFAULT="{}"))  # refused before services start
    finally:
        os.umask(before)
    made = [fresh.var, *fresh.var.rglob("*")]
    assert [path for path in made if path.stat().st_mode & 0o077] == []


def test_real_connections_get_a_dry_run_and_no_sandbox(project: Project) -> None:
    postgres = EmbeddedPostgres(project)
    postgres.start()
    connections = {
        "AIRFLOW_CONN_FOURHSE_DEFAULT": json.dumps({"conn_type": "fourhse", "host": "https://one.invalid"}),
        "AIRFLOW_CONN_DITIO_DEFAULT": json.dumps({"conn_type": "ditio", "host": "https://two.invalid"}),
        "AIRFLOW_CONN_WAREHOUSE_DEFAULT": postgres.connection(),
    }
    process = start(project, **connections)
    code, out, err = finished(process)
    assert (code, err) == (0, "")
    assert "opened a dry_run run" in out
    assert "Nothing is sent" in out
    assert "fourhse https://one.invalid" in out
    assert "sandbox" not in out


def eventually(fact: Callable[[], bool], seconds: float = 60) -> bool:
    until = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def hanging(project: Project) -> list[Path]:
    return list(project.logs.glob("*.hanging"))


def test_asked_to_end_it_leaves_nothing_running(project: Project) -> None:
    process = start(project, CONF=scenario("hang"))
    assert eventually(lambda: hanging(project) != [])
    assert not nothing_runs(project)
    process.send_signal(signal.SIGTERM)
    code, _, err = finished(process)
    assert code == 130
    assert "Stopped." in err
    assert nothing_runs(project)
    hanging(project)[0].unlink()


def test_killed_it_takes_the_run_along_and_the_next_command_the_services(project: Project) -> None:
    process = start(project, CONF=scenario("hang"))
    assert eventually(lambda: hanging(project) != [])
    port = Sandbox(project, WORLD).port
    process.kill()
    finished(process)
    log = next(iter(hanging(project))).with_suffix(".log")
    assert eventually(lambda: str(log) not in processes(), 20), "the run must not go on alone"
    assert is_listening(port)
    code, out, _ = finished(start(project, "down"))
    assert code == 0
    assert out == "Stopped: sandbox-200-3, PostgreSQL\n"
    assert nothing_runs(project)
    hanging(project)[0].unlink()


def processes() -> str:
    """Return what every process of this machine has open."""
    opened = []
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            opened.append(str(link.readlink()))
        except OSError:
            continue
    return "\n".join(opened)


def test_another_command_keeps_the_services(project: Project) -> None:
    waiting = start(project, CONF=scenario("hang"))
    assert eventually(lambda: hanging(project) != [])
    code, _, err = finished(start(project))
    assert (code, err) == (0, "")
    assert not nothing_runs(project), "the first command still uses them"
    waiting.send_signal(signal.SIGINT)
    assert finished(waiting)[0] == 130
    assert nothing_runs(project)
