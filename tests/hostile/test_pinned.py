"""What is installed is what the lock names, byte for byte: every pin has hashes, and set-up insists on them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
DIRECT = (ROOT / "requirements.txt").read_text(encoding="utf-8")
ENTRY = re.compile(
    r"^(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>\S+)(?P<marker>[^\\\n]*)\\\n(?P<hashes>(?:    --hash=\S+(?: \\)?\n)+)",
    re.MULTILINE,
)
PIN = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[\w,-]+\])?==(?P<version>[^\s;]+)\s*(?:;[^#]+)?#\s*\S.*")


def canonical(name: str) -> str:
    """Return a project's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> dict[str, set[str]]:
    """Return the versions that the lock names, by project: one for each environment that differs."""
    found: dict[str, set[str]] = {}
    for entry in ENTRY.finditer(LOCK):
        found.setdefault(canonical(entry["name"]), set()).add(entry["version"])
    return found


def test_every_line_of_the_lock_is_a_pin_a_hash_or_a_comment() -> None:
    rest = ENTRY.sub("", LOCK)
    assert [line for line in rest.splitlines() if line.strip() and not line.lstrip().startswith("#")] == []
    assert len(locked()) > 100


def test_every_hash_is_a_sha256() -> None:
    hashes = re.findall(r"--hash=(\S+)", LOCK)
    assert len(hashes) > len(locked())
    assert [one for one in hashes if not re.fullmatch(r"sha256:[0-9a-f]{64}", one)] == []


def test_every_direct_requirement_is_an_exact_pin_with_a_reason_that_the_lock_has() -> None:
    lines = [line for line in DIRECT.splitlines() if line.strip() and not line.startswith("#")]
    for line in lines:
        pin = PIN.fullmatch(line)
        assert pin, f"no exact pin with a reason: {line}"
        assert pin["version"] in locked().get(canonical(pin["name"]), set()), f"the lock has another one: {line}"
    assert len(lines) > 30


def test_the_lock_needs_no_other_place_than_the_index() -> None:
    assert not re.search(
        r"(?i)https?://|git\+|file:|--(?:extra-)?index|--find-links|--trusted|^-e |^-r ", LOCK, re.MULTILINE
    )


@pytest.mark.parametrize("step", ["install_lock", "fetch_uv"])
def test_set_up_installs_by_hash(step: str) -> None:
    source = (ROOT / "include/certrecon_quickstart/bootstrap.py").read_text(encoding="utf-8")
    body = source[source.index(f"def {step}(") :]
    body = body[: body.index("\n\n\n")]
    installs = len(re.findall(r'"(?:sync|install)"', body))
    assert installs >= 1
    assert body.count("--require-hashes") >= installs


@pytest.mark.parametrize("file", ["Makefile", ".ci/run", "Dockerfile", "docker-compose.yaml"])
def test_nothing_else_installs_python_packages(file: str) -> None:
    path = ROOT / file
    if not path.exists():
        assert file in {"Dockerfile", "docker-compose.yaml"}, f"{file} is gone"
        return
    lines = path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    installs = [line for line in lines if re.search(r"\b(?:pip3?|uv|pipx|poetry|conda)\b.*\b(?:install|sync)\b", line)]
    assert [line for line in installs if "--require-hashes" not in line and "--no-deps" not in line] == []


def test_the_lock_installs_as_it_stands_and_nothing_of_it_is_missing_here() -> None:
    """uv resolves the whole lock by hash for this machine without looking anything up that is installed already."""
    command = [".venv/bin/uv", "pip", "sync", "--dry-run", "--offline", "--require-hashes", "requirements.lock"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^ [+-] (\S+?)==", done.stderr, re.MULTILINE) in (["certrecon"], []), done.stderr


def test_what_is_installed_fits_together() -> None:
    done = subprocess.run([".venv/bin/uv", "pip", "check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
