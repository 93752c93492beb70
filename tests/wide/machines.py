"""Runs the services of docker-compose.yaml as processes, each as if it were on a machine of its own.

Names of machines become the loopback address, ports become free ones, folders lie below one temporary folder,
and only what a service mounts is shared. Nothing of this process's environment reaches a service.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from certrecon_quickstart.memory import LOOPBACK, free_port
from certrecon_quickstart.postgres import EmbeddedPostgres, program_path
from certrecon_quickstart.project import Project
from tests.wide.compose import ROOT, Service
from tests.wide.image import HOME, Image
from tests.wide.native import Here, mount, native
from tests.wide.processes import family, kill_family

PORTS = (5432, 6379, 8080, 8974, 8793, 8794, 9090)
WAIT_SECONDS = 240
LOOK_SECONDS = 0.5
_HOME_OF_ONE = "/opt/airflow"


@dataclass
class Machine:
    """One machine with one replica of a service.

    Attributes:
        name: Its host name.
        service: What it is to run.
        environment: What its processes see.
        ports: Which free port stands for which port of the service.
        process: What it runs, once it does.
    """

    name: str
    service: Service
    environment: dict[str, str]
    ports: Mapping[int, int]
    process: subprocess.Popen[bytes] | None = None


@dataclass
class Machines:
    """All machines.

    Attributes:
        folder: Everything that they write.
        image: What they run.
        services: What there is to run.
        machines: Those that were set up, by host name.
        seconds: How long each service took until it was well, or had ended well.
    """

    folder: Path
    image: Image
    services: dict[str, Service]
    machines: dict[str, Machine] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Choose a free port for every port that others reach."""
        self.shared = dict.fromkeys(PORTS, 0)
        for port in PORTS:
            self.shared[port] = free_port(set(self.shared.values()))
        checkout = Project.of_checkout()
        self._postgres = EmbeddedPostgres(Project(ROOT, self.folder / "postgres", checkout.dags))

    # --- starting --------------------------------------------------------------------------------------

    def start_all(self) -> None:
        """Start every service once what it waits for is well, and wait until all are well."""
        for name in self._in_order():
            for other, condition in self.services[name].after.items():
                self._wait(other, condition)
            self.start(name)
        for name in self.services:
            self._wait(name, "service_healthy")

    def start(self, name: str) -> None:
        """Start all machines of a service."""
        service = self.services[name]
        if name == "postgres":
            self._start_postgres(service)
            return
        for number in range(1, service.replicas + 1):
            self.switch_on(self._set_up(service, number if service.replicas > 1 else 0))

    def switch_on(self, machine: Machine) -> None:
        """Start a machine, or start it again as its restart policy would."""
        home = self.folder / machine.name
        home.mkdir(exist_ok=True)
        with (self.folder / f"{machine.name}.log").open("ab") as log:
            machine.process = subprocess.Popen(
                self._translated(machine.service.command, machine),
                env=machine.environment,
                cwd=self.image.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def cut_power(self, name: str) -> None:
        """Kill everything on a machine at once."""
        process = self.machines[name].process
        assert process is not None
        assert process.poll() is None, f"{name} had ended before: {self.said(name)}"
        kill_family(process.pid)
        process.wait()

    def freeze(self, name: str) -> None:
        """Stop everything on a machine where it is, as when its network is gone; its connections stay open."""
        self._signal(name, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let everything on a machine go on."""
        self._signal(name, signal.SIGCONT)

    def _signal(self, name: str, number: signal.Signals) -> None:
        process = self.machines[name].process
        assert process is not None
        for pid in family(process.pid):
            os.kill(pid, number)

    def stop_all(self) -> None:
        """Leave nothing behind."""
        for machine in reversed(self.machines.values()):
            if machine.process is not None and machine.process.returncode is None:
                kill_family(machine.process.pid)
                machine.process.wait()
        self._postgres.stop()

    # --- looking ---------------------------------------------------------------------------------------

    def is_well(self, name: str) -> bool:
        """Run the health check of every machine of a service."""
        return all(self._check(machine) for machine in self._of(name))

    def said(self, name: str) -> str:
        """Return the end of a machine's log."""
        log = self.folder / f"{name}.log"
        return f"\n--- {name}\n" + (log.read_text(encoding="utf-8", errors="replace")[-3000:] if log.exists() else "")

    def address(self, port: int) -> str:
        """Return where a port of a service is reached."""
        return f"{LOOPBACK}:{self.shared[port]}"

    def _of(self, name: str) -> list[Machine]:
        return [machine for machine in self.machines.values() if machine.service.name == name]

    def _check(self, machine: Machine) -> bool:
        command = self._translated(machine.service.health, machine)
        done = subprocess.run(
            command, env=machine.environment, cwd=self.folder, capture_output=True, timeout=60, check=False
        )
        return done.returncode == 0

    def _wait(self, name: str, condition: str) -> None:
        """Wait as `depends_on` does (Compose specification, *depends_on*)."""
        began = time.monotonic()
        while name not in self.seconds:
            if self._is_met(name, condition):
                self.seconds[name] = time.monotonic() - began
            assert time.monotonic() - began < WAIT_SECONDS, f"{name} was never well" + self.said(self._of(name)[0].name)
            time.sleep(0 if name in self.seconds else LOOK_SECONDS)

    def _is_met(self, name: str, condition: str) -> bool:
        ended = [machine.process.poll() for machine in self._of(name) if machine.process is not None]
        if condition == "service_completed_successfully" or not self.services[name].health:
            assert not any(ended), f"{name} failed" + self.said(name)
            return ended == [0]
        assert not [code for code in ended if code is not None], f"{name} ended by itself" + self.said(name)
        return self.is_well(name)

    def _in_order(self) -> list[str]:
        order: list[str] = []
        while len(order) < len(self.services):
            ready = [name for name, one in self.services.items() if name not in order and set(one.after) <= set(order)]
            assert ready, "services wait for each other"
            order += ready
        return order

    # --- from a container to a process -------------------------------------------------------------------

    def _set_up(self, service: Service, number: int) -> Machine:
        name = f"{service.name}-{number}" if number else service.name
        taken = set(self.shared.values()) | {port for one in self.machines.values() for port in one.ports.values()}
        ports = dict(self.shared)
        if number:  # several machines have the same ports, one loopback interface does not
            ports |= {8793: free_port(taken)}
        machine = Machine(name, service, {}, ports)
        for path, content in service.configs.items():
            (self.folder / name).mkdir(exist_ok=True)
            (self.folder / name / Path(path).name).write_text(self._native(content, machine), encoding="utf-8")
        for inside, outside in service.volumes.items():
            mount(self.image, inside, self._outside(outside))
        given = {key: self._native(value, machine) for key, value in service.environment.items()}
        programs = [str(self.image.programs), str(program_path("psql").parent), os.defpath, "/usr/sbin"]
        machine.environment = {
            "PATH": os.pathsep.join(programs),
            "HOME": str(self.folder / name),
            "HOSTNAME": name,
            "LANG": "C.UTF-8",
            **given,
        }
        self.machines[name] = machine
        return machine

    def _outside(self, named: str) -> Path:
        """Return where a volume lies, or the folder of the checkout that is mounted."""
        return ROOT / named if named.startswith((".", "/")) else self.folder / "volumes" / named

    def _translated(self, words: tuple[str, ...], machine: Machine) -> list[str]:
        native = [self._native(word, machine) for word in words]
        found = shutil.which(native[0], path=machine.environment["PATH"])
        assert found, f"{native[0]} is not installed (on Debian: apt install redis-server)"
        own = {"redis-server": ["--port", str(machine.ports[6379]), "--bind", LOOPBACK]}
        return [found, *native[1:], *own.get(native[0], [])]

    def _native(self, text: str, machine: Machine) -> str:
        """Return a text of the file as it has to be on this machine."""
        own = self.folder / machine.name
        places = {inside: self._outside(out) for inside, out in machine.service.volumes.items()}
        places |= {path: own / Path(path).name for path in machine.service.configs}
        places |= {HOME: self.image.home, _HOME_OF_ONE: own / "airflow"}
        return native(text, Here(places, (*self.services, "localhost"), machine.ports))

    def _start_postgres(self, service: Service) -> None:
        """Start the embedded PostgreSQL, and let it run what the container runs when it is made."""
        machine = self._set_up(service, 0)
        server = self._postgres
        self.shared[5432] = server.port
        machine.ports = self.shared
        server.start()
        [script] = [path for path in service.configs if path.startswith("/docker-entrypoint-initdb.d/")]
        made = subprocess.run(
            [
                str(program_path("psql")),
                "--set=ON_ERROR_STOP=1",
                f"--file={self.folder / 'postgres' / Path(script).name}",
            ],
            env=machine.environment | server.client_variables(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr
