"""Make `.venv` from requirements.lock: `python3 include/certrecon_quickstart/bootstrap.py`.

Runs on a bare machine, so it uses the standard library only and imports nothing of the project. It needs
Python 3.11 and pip, no root, and writes `.venv/` alone. The lock is installed by uv (which itself comes
from the lock, by pip), because uv compiles bytecode on all cores; where uv cannot be used pip does the
same. Both are held to the hashes of the lock. Stamps inside `.venv` make the second time free.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OLDEST_PYTHON = (3, 11)
LOCK_STAMP, PROJECT_STAMP = "certrecon-lock.sha256", "certrecon-project.sha256"
SECONDS_BETWEEN_SIGNS_OF_LIFE = 10
UV_NAMES = {
    # pip's option: (uv's variable, what separates several values there)
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "proxy": ("ALL_PROXY", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
    "default-timeout": ("UV_HTTP_TIMEOUT", " "),
}


class SetupError(Exception):
    """Set-up cannot go on; the message says what to do."""


def main() -> int:
    """Set the checkout up unless the stamp says that it is; return the exit code."""
    root = Path(__file__).resolve().parents[2]
    try:
        check_python(sys.version_info[:2])
        set_up(root)
    except SetupError as error:
        print(f"Set-up failed: {error}", file=sys.stderr)
        return 1
    return 0


def check_python(version: tuple[int, int]) -> None:
    """Refuse a Python older than the project's."""
    if version < OLDEST_PYTHON:
        wanted, found = (".".join(map(str, each)) for each in (OLDEST_PYTHON, version))
        message = f"Python {wanted} or newer is needed, this is {found}: try `make PYTHON=python{wanted} run`"
        raise SetupError(message)


def set_up(root: Path) -> None:
    """Bring `.venv` to what the lock and pyproject.toml say; each has a stamp of its own."""
    venv, lock, project = root / ".venv", root / "requirements.lock", root / "pyproject.toml"
    locked, installed = fingerprint(root, lock), fingerprint(root, lock, project)
    if interpreter(venv).exists() and read_stamp(venv, PROJECT_STAMP) == installed:
        return
    started = time.monotonic()
    if not interpreter(venv).exists() or read_stamp(venv, LOCK_STAMP) != locked:
        make_venv(venv)
        install_lock(root, venv)
        (venv / LOCK_STAMP).write_text(locked, encoding="ascii")
    install_project(root, venv)
    (venv / PROJECT_STAMP).write_text(installed, encoding="ascii")
    say(f"done in {time.monotonic() - started:.0f} s")


def fingerprint(root: Path, *files: Path) -> str:
    """Return a digest of files, of the interpreter, and of the place that `.venv` has to know."""
    digest = hashlib.sha256(f"{sys.version}\n{root}\n".encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def read_stamp(venv: Path, name: str) -> str:
    """Return a stamp; empty when set-up has not come that far."""
    stamp = venv / name
    return stamp.read_text(encoding="ascii") if stamp.is_file() else ""


def interpreter(venv: Path) -> Path:
    """Return the interpreter of a virtual environment."""
    return venv / "bin" / "python"


def make_venv(venv: Path) -> None:
    """Make the virtual environment, without pip: a bare Debian has no ensurepip."""
    say(f"virtual environment in {venv.name}/ (Python {'.'.join(map(str, sys.version_info[:3]))})")
    run([sys.executable, "-m", "venv", "--without-pip", "--clear", str(venv)], os.environ)


def install_lock(root: Path, venv: Path) -> None:
    """Install exactly what the lock says, by uv or else by pip."""
    lock = root / "requirements.lock"
    count = len(re.findall(r"^[A-Za-z0-9]\S*==", lock.read_text(encoding="utf-8"), re.MULTILINE))
    pip = pip_into(venv)
    try:
        with working(f"about {count} packages, this takes a minute or two the first time"):
            uv = fetch_uv(pip, lock, venv)
            options = ["--require-hashes", "--compile-bytecode", *uv_target(venv)]
            run([uv, "pip", "sync", "--quiet", *options, str(lock)], uv_environment_here(root))
    except SetupError as error:
        print(f"  uv could not be used, going on with pip, which is slower. {error}", file=sys.stderr)
        with working(f"about {count} packages, this takes some minutes the first time"):
            run(
                [*pip, "install", "--quiet", "--require-hashes", "--requirement", str(lock)],
                pip_environment(),
            )


def install_project(root: Path, venv: Path) -> None:
    """Install the project's own packages so that they are imported from the checkout."""
    own = ["--quiet", "--no-deps", "--no-build-isolation", "--editable", str(root)]
    uv = venv / "bin" / "uv"
    try:
        run([str(uv), "pip", "install", *uv_target(venv), *own], uv_environment_here(root))
    except SetupError:
        run([*pip_into(venv), "install", *own], pip_environment())


def uv_target(venv: Path) -> list[str]:
    """Return the options that make uv install into a virtual environment."""
    return ["--python", str(interpreter(venv))]


def pip_into(venv: Path) -> list[str]:
    """Return the command of this machine's pip, installing into a virtual environment."""
    return [*find_pip(), "--python", str(interpreter(venv))]


def pip_environment() -> dict[str, str]:
    """Return the environment in which pip keeps to the matter."""
    return {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}


def find_pip() -> list[str]:
    """Return the command of this machine's pip."""
    command = [sys.executable, "-m", "pip"]
    answer = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        message = f"{sys.executable} has no pip; install it (on Debian: apt install python3-pip) and try again"
        raise SetupError(message)
    return command


def fetch_uv(pip: list[str], lock: Path, venv: Path) -> str:
    """Install uv alone into the environment, in the version and with the hashes of the lock."""
    wanted = venv / "uv.lock.txt"
    wanted.write_text(locked_entry(lock.read_text(encoding="utf-8"), "uv"), encoding="utf-8")
    options = ["--quiet", "--no-deps", "--require-hashes", "--requirement", str(wanted)]
    run([*pip, "install", *options], pip_environment())
    return str(venv / "bin" / "uv")


def locked_entry(lock: str, name: str) -> str:
    """Return the lines of one package of a lock: its pin and its hashes."""
    found = re.search(rf"^{re.escape(name)}==[^\n]*\\\n(?:    --hash=[^\n]*\n)+", lock, re.MULTILINE)
    if found is None:
        message = f"requirements.lock has no entry for {name}; make it again with `make lock`"
        raise SetupError(message)
    return found.group().rstrip().rstrip("\\") + "\n"


def pip_settings(pip: list[str]) -> dict[str, list[str]]:
    """Return what this machine's configuration tells pip, by option; environment before files."""
    answer = subprocess.run([*pip, "config", "list"], capture_output=True, text=True, check=False)
    return parse_pip_settings(answer.stdout)


def parse_pip_settings(listing: str) -> dict[str, list[str]]:
    """Read the output of `pip config list`."""
    found: dict[tuple[int, str], list[str]] = {}
    order = {"global": 0, "install": 1, ":env:": 2}
    for line in listing.splitlines():
        name, separator, value = line.partition("=")
        section, _, option = name.rpartition(".")
        if separator and section in order:
            found[order[section], option] = str(ast.literal_eval(value)).split()
    return {option: values for (_, option), values in sorted(found.items())}


def uv_environment_here(root: Path) -> dict[str, str]:
    """Return the environment for uv on this machine."""
    return uv_environment(os.environ, pip_settings(find_pip()), root)


def uv_environment(environment: Mapping[str, str], settings: Mapping[str, list[str]], root: Path) -> dict[str, str]:
    """Return the environment in which uv looks where pip looks on this machine."""
    told = {
        UV_NAMES[option][0]: UV_NAMES[option][1].join(values)
        for option, values in settings.items()
        if option in UV_NAMES
    }
    # Hashes decide what is taken, so that every index may be asked, as pip does.
    told |= {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_PYTHON_DOWNLOADS": "never"}
    home = Path(environment.get("XDG_CACHE_HOME") or environment.get("HOME") or "/nonexistent")
    if not os.access(home, os.W_OK):
        told["UV_CACHE_DIR"] = str(root / "var" / "cache" / "uv")
    return {**told, **environment}


def run(command: list[str], environment: Mapping[str, str]) -> None:
    """Run one step; on failure pass on the end of what it said."""
    try:
        answer = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
    except OSError as error:
        raise SetupError(f"{command[0]} cannot be started: {error.strerror}") from error
    if answer.returncode != 0:
        said = (answer.stderr or answer.stdout).strip().splitlines()
        message = f"`{Path(command[0]).name} {' '.join(command[1:4])} ...` said: " + " ".join(said[-6:])
        raise SetupError(message)


def say(text: str) -> None:
    """Print one line of progress."""
    print(f"Set-up: {text}", flush=True)


@contextmanager
def working(text: str) -> Iterator[None]:
    """Say what is going on, and every ten seconds that it still does."""
    say(text)
    over, started = threading.Event(), time.monotonic()

    def sign_of_life() -> None:
        while not over.wait(SECONDS_BETWEEN_SIGNS_OF_LIFE):
            say(f"... {time.monotonic() - started:.0f} s")

    thread = threading.Thread(target=sign_of_life, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


if __name__ == "__main__":
    sys.exit(main())
