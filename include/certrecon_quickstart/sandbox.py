"""The sandbox's process. Its state is in memory; its port, size, seed and first day are remembered.

A world (size and seed) keeps its port and its day, so that the next run finds the same 4HSE data and the
same Ditio company. Another world gets another port, which makes it another company.
"""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from certrecon_quickstart.errors import ServiceError
from certrecon_quickstart.memory import LOOPBACK, forget_port, is_listening, remembered, remembered_port

if TYPE_CHECKING:
    from collections.abc import Mapping

    from certrecon_quickstart.project import Project

START_SECONDS = 120
STOP_SECONDS = 10
HEADER = "X-Certrecon-Sandbox"


@dataclass(frozen=True, slots=True)
class World:
    """What decides the sandbox's data.

    Attributes:
        certificates: How many certificates.
        seed: The generator's seed.
    """

    certificates: int
    seed: int

    @property
    def name(self) -> str:
        """The world's name in file names and in what is remembered."""
        return f"sandbox-{self.certificates}-{self.seed}"


class Sandbox:
    """The sandbox process of one world of one checkout."""

    def __init__(self, project: Project, world: World) -> None:
        """Describe the process; nothing is started."""
        self._project = project
        self._world = world
        self._log = project.logs / f"{world.name}.log"
        self._pid_file = project.var / "sandbox" / f"{world.name}.pid"
        self._ready_file = project.var / "sandbox" / f"{world.name}.json"

    @property
    def port(self) -> int:
        """The port of this world, the same every time."""
        return remembered_port(self._project, self._world.name)

    def connections(self) -> dict[str, str]:
        """Return the connections to the sandbox."""
        # Only a run on the sandbox may know the sandbox.
        from certrecon_sandbox.credentials import connection_variables  # noqa: PLC0415

        return connection_variables(self.port)

    def settle_port(self) -> bool:
        """Choose another port if something else took the remembered one; tell whether that was so."""
        if self.is_running() or not is_listening(self.port):
            return False
        forget_port(self._project, self._world.name)
        return True

    def is_running(self) -> bool:
        """Tell whether this world is served."""
        return self._pid() is not None and answers_as_sandbox(self.port)

    def start(self, environment: Mapping[str, str]) -> None:
        """Start the process and wait until it listens."""
        if self.is_running():
            return
        for folder in (self._log.parent, self._pid_file.parent):
            folder.mkdir(parents=True, exist_ok=True)
        self._ready_file.unlink(missing_ok=True)
        with self._log.open("wb") as log:
            process = subprocess.Popen(
                self._command(),
                env=dict(environment),
                cwd=self._project.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the quick start, which stops the sandbox itself
            )
        self._pid_file.write_text(str(process.pid), encoding="ascii")
        self._wait(process)

    def stop(self) -> None:
        """Stop the process and wait for it."""
        pid = self._pid()
        self._pid_file.unlink(missing_ok=True)
        if pid is not None and answers_as_sandbox(self.port):
            stop_process(pid)

    def _command(self) -> list[str]:
        options = {
            "--port": self.port,
            "--certificates": self._world.certificates,
            "--seed": self._world.seed,
            "--today": self._first_day(),
            "--ready-file": self._ready_file,
        }
        return [
            sys.executable,
            "-m",
            "certrecon_sandbox",
            *(str(part) for pair in options.items() for part in pair),
        ]

    def _first_day(self) -> str:
        with remembered(self._project) as state:
            days = state.setdefault("worlds", {})
            return str(days.setdefault(self._world.name, datetime.now(tz=UTC).date().isoformat()))

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and process.poll() is None:
            if self._ready_file.is_file() and answers_as_sandbox(self.port):
                return
            time.sleep(0.05)
        process.terminate()
        message = f"the sandbox did not start; read {self._project.shown(self._log)}"
        raise ServiceError(message)

    def _pid(self) -> int | None:
        if not self._pid_file.is_file():
            return None
        pid = int(self._pid_file.read_text(encoding="ascii"))
        return pid if is_alive(pid) else None


def running_worlds(project: Project) -> list[World]:
    """Return the worlds that have left a process behind."""
    names = [path.stem.split("-") for path in (project.var / "sandbox").glob("sandbox-*-*.pid")]
    return [World(int(certificates), int(seed)) for _, certificates, seed in names]


def answers_as_sandbox(port: int) -> bool:
    """Tell whether a sandbox answers on a loopback port."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().getheader(HEADER) is not None
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def is_alive(pid: int) -> bool:
    """Tell whether a process exists."""
    with suppress(ChildProcessError):  # the process of an earlier command
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def stop_process(pid: int) -> None:
    """End a process, by force when it does not go by itself."""
    for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, 1)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not is_alive(pid):
                return
            time.sleep(0.02)
