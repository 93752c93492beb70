"""A real Airflow with the project's data behind it: `airflow standalone`, started and stopped as a whole."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from certrecon_quickstart.connections import WAREHOUSE, read_request
from certrecon_quickstart.memory import LOOPBACK, remembered_port
from certrecon_quickstart.migrations import warehouse_url
from certrecon_quickstart.project import Project
from certrecon_quickstart.services import Services, stop_services, using_services
from certrecon_quickstart.up import is_healthy
from tests.browser.nights import CERTIFICATES, SEED, SandboxControl, spend_the_nights
from tests.e2e.quickstart import Checkout

# A user without a role may log in and nothing else.
USERS = {"admin": "admin", "auditor": "viewer", "stranger": ""}
# No night starts by itself before 2028, and a run that fails does not wait minutes for its next try.
STILL = {"CERTRECON_SCHEDULE": "30 3 29 2 *", "CERTRECON_TASK_RETRIES": "0"}
START_SECONDS = 240
STOP_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Station:
    """Where Airflow is and who may enter.

    Attributes:
        url: Airflow's address, without a slash at its end.
        passwords: The password of each user.
        checkout: Everything that was written, and the settings.
        sandbox: Both vendors.
        warehouse: The warehouse's address.
    """

    url: str
    passwords: Mapping[str, str]
    checkout: Checkout
    sandbox: SandboxControl
    warehouse: str


Nights = Callable[[Checkout, SandboxControl], None]


@contextmanager
def running_station(nights: Nights = spend_the_nights, users: Mapping[str, str] = USERS) -> Iterator[Station]:
    """Run the nights, keep Airflow up for the length of a block, and leave nothing behind.

    Args:
        nights: What happens before Airflow is up.
        users: The role of each user.
    """
    # Not under pytest's own folder: PostgreSQL runs as another user under root.
    with tempfile.TemporaryDirectory(prefix="certrecon-browser-", ignore_cleanup_errors=True) as folder:
        variables = {"CERTIFICATES": str(CERTIFICATES), "SEED": str(SEED), **STILL}
        checkout = Checkout(Path(folder), variables)
        project = Project(root=checkout.project.root, var=checkout.var, dags=checkout.project.dags)
        try:
            with using_services(project):
                services = started_services(checkout, project, variables)
                control = SandboxControl(f"http://{LOOPBACK}:{remembered_port(project, sandbox_name())}")
                nights(checkout, control)
                with standalone(checkout, project, services.environment, users) as (url, passwords):
                    yield Station(url, passwords, checkout, control, warehouse_of(services))
        finally:
            stop_services(project)


def warehouse_of(services: Services) -> str:
    """Return the warehouse's address for SQLAlchemy."""
    return warehouse_url(services.environment[WAREHOUSE]).render_as_string(hide_password=False)


def sandbox_name() -> str:
    return f"sandbox-{CERTIFICATES}-{SEED}"


def started_services(checkout: Checkout, project: Project, variables: Mapping[str, str]) -> Services:
    """Start PostgreSQL and the sandbox before the first night, so that the sandbox can be changed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "CERTRECON"))}
    inherited = kept | {"CERTRECON_SETTINGS": str(checkout.folder / "settings.yaml")} | dict(variables)
    remembered_port(project, "web")  # one of its own, not the usual one: another station may choose it meanwhile
    services = Services(project, read_request(inherited), inherited)
    services.start()
    return services


@contextmanager
def standalone(
    checkout: Checkout, project: Project, environment: Mapping[str, str], users: Mapping[str, str]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Run `airflow standalone` in a process group of its own; yield its address and the users' passwords."""
    passwords = {user: secrets.token_urlsafe(12) for user in users}
    password_file = checkout.folder / "browser_passwords.json"
    password_file.write_text(json.dumps(passwords), encoding="utf-8")
    mine = {
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{role}" for user, role in users.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(password_file),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
    }
    log = checkout.folder / "standalone.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("airflow")), "standalone"],
            env=dict(environment) | mine,
            cwd=project.root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # stopped as a whole group, workers included
        )
    try:
        wait_until_healthy(project, process, log)
        yield f"http://{LOOPBACK}:{remembered_port(project, 'web')}", passwords
    finally:
        stop(process)


def wait_until_healthy(project: Project, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while not is_healthy(remembered_port(project, "web")):
        said = log.read_text(encoding="utf-8", errors="replace")[-3000:]
        assert process.poll() is None, f"airflow standalone ended by itself:\n{said}"
        assert time.monotonic() < until, f"Airflow was not healthy after {START_SECONDS} s:\n{said}"
        time.sleep(0.5)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the whole group, by force after a while."""
    for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            process.poll()
            if not group_is_alive(process.pid):
                return
            time.sleep(0.1)


def group_is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
