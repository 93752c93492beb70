"""What the quick start remembers between commands: ports, passwords, keys, sandbox worlds.

The target of a run is a digest of Ditio's address, so the sandbox must be found at the same port next
time, with the same data: otherwise every ledger entry would belong to a company that is gone.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from certrecon_quickstart.project import Project

LOOPBACK = "127.0.0.1"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file of its own, waiting for whoever has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="ascii") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def remembered(project: Project) -> Iterator[dict[str, Any]]:
    """Yield what is remembered, to be read and changed; changes are kept when the block ends well."""
    with locked(project.var / "quickstart.lock"):
        text = project.state.read_text(encoding="utf-8") if project.state.is_file() else "{}"
        state: dict[str, Any] = json.loads(text)
        yield state
        changed = json.dumps(state, indent=2, sort_keys=True) + "\n"
        if changed != text:
            fresh = project.state.with_suffix(".new")
            fresh.write_text(changed, encoding="utf-8")
            fresh.replace(project.state)


def remembered_port(project: Project, name: str, preferred: int = 0) -> int:
    """Return the port of a service, choosing a free one the first time."""
    with remembered(project) as state:
        ports = state.setdefault("ports", {})
        if name not in ports:
            ports[name] = free_port(set(ports.values()), preferred)
        return int(ports[name])


def forget_port(project: Project, name: str) -> None:
    """Forget a port that something else has taken meanwhile."""
    with remembered(project) as state:
        state.get("ports", {}).pop(name, None)


def free_port(taken: set[int], preferred: int = 0) -> int:
    """Return a loopback port that nobody listens on now, the preferred one where it is free."""
    for wanted in (preferred, *[0] * 50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, wanted))
            except OSError:
                continue
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port
    message = "no free port was found on the loopback interface; close some programs and try again"
    raise OSError(message)


def is_listening(port: int) -> bool:
    """Tell whether anything accepts connections on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def secret(project: Project, name: str, length: int = 32) -> str:
    """Return a secret of this checkout, made the first time and readable by its owner only."""
    path = secret_path(project, name)
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(project.secrets / "lock"):
            if not path.is_file():
                write_private(path, secrets.token_urlsafe(length))
    return path.read_text(encoding="ascii")


def secret_path(project: Project, name: str) -> Path:
    """Return the file that holds a secret."""
    return project.secrets / name


def write_private(path: Path, text: str) -> None:
    """Write a file that never exists with wider rights than its owner's."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as handle:
        handle.write(text)
    fresh.replace(path)
