"""`make up`: Airflow's web UI, scheduler, DAG processor and triggerer in the foreground until Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from certrecon_quickstart.connections import read_request
from certrecon_quickstart.environment import passwords
from certrecon_quickstart.errors import ServiceError
from certrecon_quickstart.memory import LOOPBACK, forget_port, is_listening, remembered_port
from certrecon_quickstart.postgres import DATABASE, USER
from certrecon_quickstart.services import Services, using_services

if TYPE_CHECKING:
    from collections.abc import Mapping

    from certrecon_quickstart.project import Project

COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
START_SECONDS = 180
STOP_SECONDS = 15
SECONDS_BETWEEN_LOOKS = 0.5


def up(project: Project, inherited: Mapping[str, str]) -> int:
    """Keep everything running until somebody stops it; return the exit code."""
    request = read_request(inherited)
    with using_services(project):
        settle_web_port(project)
        services = Services(project, request, inherited)
        print(f"Starting Airflow on {services.describe()}", flush=True)
        for note in services.notes:
            print(f"  {note}", flush=True)
        services.start()
        children = start_components(project, services.environment)
        try:
            wait_until_healthy(project, children)
            print(welcome(project, services), flush=True)
            keep_watch(project, children)
        finally:
            print("\nStopping ...", flush=True)
            stop_components(children)
    return 0


def settle_web_port(project: Project) -> None:
    """Choose another port for the web UI if something else took the remembered one."""
    if is_listening(remembered_port(project, "web", preferred=8080)):
        forget_port(project, "web")


def start_components(project: Project, environment: Mapping[str, str]) -> dict[str, subprocess.Popen[bytes]]:
    """Start Airflow's components, each with a log of its own."""
    airflow = str(Path(sys.executable).with_name("airflow"))
    children = {}
    for name in COMPONENTS:
        with component_log(project, name).open("wb") as log:
            children[name] = subprocess.Popen(
                [airflow, name],
                env=dict(environment),
                cwd=project.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # stopped as a whole group, workers included
            )
    return children


def component_log(project: Project, name: str) -> Path:
    """Return the log of a component."""
    return project.logs / f"{name}.log"


def wait_until_healthy(project: Project, children: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """Wait until Airflow calls each of its components healthy."""
    began = told = time.monotonic()
    while not is_healthy(remembered_port(project, "web")):
        require_alive(project, children)
        now = time.monotonic()
        if now - began > START_SECONDS:
            message = f"Airflow was not healthy after {START_SECONDS} s; read {project.shown(project.logs)}/*.log"
            raise ServiceError(message)
        if now - told > 5:
            told = now
            print(f"  ... {now - began:.0f} s", flush=True)
        time.sleep(SECONDS_BETWEEN_LOOKS)


def is_healthy(port: int) -> bool:
    """Ask Airflow's health page."""
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/api/v2/monitor/health", timeout=5) as answer:
            health = json.load(answer)
    except (OSError, ValueError):
        return False
    parts = ("metadatabase", "scheduler", "dag_processor", "triggerer")
    return all((health.get(part) or {}).get("status") == "healthy" for part in parts)


def welcome(project: Project, services: Services) -> str:
    """Return where everything is and how to get in."""
    words = json.loads(passwords(project).read_text(encoding="utf-8"))
    address = f"http://{LOOPBACK}:{remembered_port(project, 'web')}/"
    lines = [
        "",
        f"Airflow is up:  {address}",
        f"  user          admin, password {words['admin']}   (may do everything)",
        f"  user          auditor, password {words['auditor']}   (may look)",
        f"  passwords in  {project.shown(passwords(project))}",
    ]
    client = services.client_variables()
    if client:
        lines.append(f"Warehouse:      postgresql://{USER}@{LOOPBACK}:{client['PGPORT']}/{DATABASE} (see `make psql`)")
    return "\n".join([*lines, f"Logs:           {project.shown(project.logs)}/", "Ctrl-C stops everything."])


def keep_watch(project: Project, children: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """Return when somebody asks to stop; raise when a component ends by itself."""
    asked = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, asked)  # an impatient second Ctrl-C must not leave processes behind
    while signal.sigtimedwait(asked, SECONDS_BETWEEN_LOOKS) is None:
        require_alive(project, children)


def require_alive(project: Project, children: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """Raise when a component has ended."""
    for name, child in children.items():
        if child.poll() is not None:
            message = f"Airflow's {name} ended by itself; read {project.shown(component_log(project, name))}"
            raise ServiceError(message)


def stop_components(children: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """Stop every component with its workers, by force after a while."""
    for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, 5)):
        for child in children.values():
            try:
                os.killpg(child.pid, number)
            except ProcessLookupError:
                continue
        until = time.monotonic() + seconds
        while any(child.poll() is None for child in children.values()) and time.monotonic() < until:
            time.sleep(0.05)
