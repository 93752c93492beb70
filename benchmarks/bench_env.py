"""The environment of the peers that the project does not depend on: `var/bench-venv`, apart from the project's own."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from benchmarks.measuring import ROOT

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
FOLDER = ROOT / "var" / "bench-venv"


def peer_python(*, wanted: bool = True, folder: Path = FOLDER) -> str | None:
    """Return the interpreter of the peers' environment, made where it is missing or its pins changed.

    Returns:
        None where it is not wanted, or could not be made (the reason is printed).
    """
    if not wanted:
        return None
    python = folder / "bin" / "python"
    stamp, pins = folder / "pins", hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text(encoding="ascii") == pins:
        return str(python)
    uv = str(Path(sys.executable).with_name("uv"))
    print(f"installing the peers of {REQUIREMENTS.name} into {folder.relative_to(ROOT)} ...", flush=True)
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)],
        [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), "-r", str(REQUIREMENTS)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"  peers are left out: {done.stderr.strip()[-300:]}", flush=True)
            return None
    stamp.write_text(pins, encoding="ascii")
    return str(python)
