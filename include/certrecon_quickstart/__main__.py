"""The quick start's commands: `python -m certrecon_quickstart NAME`; see `COMMANDS`."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from certrecon.errors import CertreconError
from certrecon_quickstart import audit
from certrecon_quickstart.connections import WAREHOUSE, read_request
from certrecon_quickstart.environment import project_environment, without_connections
from certrecon_quickstart.errors import QuickstartError
from certrecon_quickstart.migrations import migrate_airflow, migrate_warehouse
from certrecon_quickstart.postgres import program_path
from certrecon_quickstart.project import Project
from certrecon_quickstart.run import run
from certrecon_quickstart.services import Services, stop_services, using_services
from certrecon_quickstart.up import up
from certrecon_quickstart.web_passwords import complete_passwords

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType

INTERRUPTED = 130
OWNER_ONLY = 0o077
TESTS = "test-env"
OTHERS_PROGRAMS = frozenset({"exec", TESTS})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; an expected problem is one sentence on standard error."""
    options = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, interrupt)
    project = Project.of_checkout()
    if options.name != TESTS:  # the tests look at the rights that files get without it
        keep_to_owner(project)
    try:
        return int(options.action(project, os.environ, getattr(options, "command", [])))
    except CertreconError as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read along, like `head`, is gone
        return INTERRUPTED
    except KeyboardInterrupt:
        print("\nStopped. What was not finished is taken up by the next run.", file=sys.stderr)
        return INTERRUPTED


def keep_to_owner(project: Project) -> None:
    """Let nobody else read what is written below `var/`: logs, metadata and evidence hold people's names."""
    os.umask(OWNER_ONLY)
    project.var.mkdir(parents=True, exist_ok=True)
    project.var.chmod(0o700)


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    top = argparse.ArgumentParser(prog="python -m certrecon_quickstart", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for name, action, explained in COMMANDS:
        command = commands.add_parser(name, help=explained, description=explained)
        command.set_defaults(action=action, name=name)
        if name in OTHERS_PROGRAMS:
            command.add_argument("command", nargs=argparse.REMAINDER, help="the command and its arguments")
    return top


def run_once(project: Project, inherited: Mapping[str, str], _: Sequence[str]) -> int:
    """Run the main DAG once."""
    return run(project, inherited)


def stay_up(project: Project, inherited: Mapping[str, str], _: Sequence[str]) -> int:
    """Keep Airflow up."""
    return up(project, inherited)


def migrate(_: Project, inherited: Mapping[str, str], __: Sequence[str]) -> int:
    """Bring a real warehouse to the schema of this code.

    Raises:
        QuickstartError: The connection is not set.
    """
    if not inherited.get(WAREHOUSE):
        message = f"Set {WAREHOUSE} to the warehouse to migrate; the embedded one is migrated by every command."
        raise QuickstartError(message)
    migrate_warehouse(inherited[WAREHOUSE])
    print("The warehouse has the schema of this code.")
    return 0


def web_passwords(_: Project, inherited: Mapping[str, str], __: Sequence[str]) -> int:
    """Make the web UI's passwords that are missing, and say whose, but not what they are."""
    made = complete_passwords(inherited)
    print(f"Made passwords for {', '.join(made)}." if made else "Every user has a password.")
    return 0


def verify(project: Project, inherited: Mapping[str, str], _: Sequence[str]) -> int:
    """Recompute everything that is on the record."""
    return audit.verify(project, inherited)


def replay(project: Project, inherited: Mapping[str, str], _: Sequence[str]) -> int:
    """Make one run again from its evidence."""
    return audit.replay(project, inherited)


def bring_down(project: Project, _: Mapping[str, str], __: Sequence[str]) -> int:
    """Stop services that a killed command left behind."""
    stopped = stop_services(project)
    print("Stopped: " + ", ".join(stopped) if stopped else "Nothing was running.")
    return 0


def execute(project: Project, inherited: Mapping[str, str], command: Sequence[str]) -> int:
    """Run a command with the services up and in the project's environment."""
    with using_services(project):
        services = Services(project, read_request(inherited), inherited)
        services.start()
        return call(command, services.environment | services.client_variables())


def in_test_environment(project: Project, inherited: Mapping[str, str], command: Sequence[str]) -> int:
    """Run a command with an Airflow of its own and without any connection of the caller's."""
    apart = replace(project, var=project.var / "test")
    environment = project_environment(apart, without_connections(inherited))
    migrate_airflow(apart, environment)
    return call(command, environment)


def call(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command to its end; `psql` is the one of the embedded PostgreSQL."""
    words = [word for position, word in enumerate(command) if position or word != "--"]
    if words[:1] == ["psql"]:
        words[0] = str(program_path("psql"))
    return subprocess.run(words, env=dict(environment), check=False).returncode


def interrupt(_: int, __: FrameType | None) -> None:
    """Treat a request to end like Ctrl-C."""
    raise KeyboardInterrupt


COMMANDS = (
    ("run", run_once, "run the main DAG once and print the summary"),
    ("up", stay_up, "keep the web UI and everything behind it up until Ctrl-C"),
    ("down", bring_down, "stop services that a killed command left behind"),
    ("migrate", migrate, "bring the warehouse of AIRFLOW_CONN_WAREHOUSE_DEFAULT to the schema of this code"),
    (
        "web-passwords",
        web_passwords,
        "make the web UI's passwords that are missing, where docker-compose.yaml keeps them",
    ),
    ("verify", verify, "recompute chain, digests and evidence, and name what does not hold"),
    ("replay", replay, "make the run of RUN again from its evidence, the last one without it, and compare"),
    ("exec", execute, "run a command with the services up"),
    ("test-env", in_test_environment, "run a command in the environment of the tests"),
)

if __name__ == "__main__":
    sys.exit(main())
