"""`make verify` and `make replay` as somebody types them, after one `make run`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.quickstart import _STARTER, TIMEOUT, Checkout, Ended

pytestmark = pytest.mark.slow


def command(checkout: Checkout, name: str, **variables: str) -> Ended:
    """Run one command of the quick start."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW", "CERTRECON"))}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            _STARTER.replace('["run"]', f'["{name}"]'),
            str(checkout.project.root),
            str(checkout.var),
            str(checkout.project.dags),
        ],
        env=kept | {"CERTRECON_SETTINGS": str(checkout.folder / "settings.yaml")} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    return Ended(done.returncode, done.stdout)


def test_verify_and_replay_hold_until_one_byte_of_the_evidence_changes(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    assert checkout.run(CERTIFICATES="100").code == 0
    verified, again = command(checkout, "verify"), command(checkout, "replay")
    assert (verified.code, again.code) == (0, 0), verified.printed + again.printed
    assert verified.last_line.startswith("Everything holds")
    assert again.last_line == "Run 1 comes out the same from its evidence alone."
    [path] = (tmp_path / "evidence" / "1" / "inputs").glob("employees-*")
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.write_bytes(bytes(data))
    verified, again = command(checkout, "verify"), command(checkout, "replay", RUN="1")
    assert verified.code != 0
    assert f"inputs/{path.name}" in verified.last_line
    assert again.code != 0
    assert "was changed" in again.last_line
    refused = command(checkout, "replay", RUN="one")
    assert refused.code != 0
    assert "RUN must be the number of a run" in refused.last_line
