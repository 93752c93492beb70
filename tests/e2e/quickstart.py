"""Starts `make run` in a process of its own, with a `var/` and evidence of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from certrecon_quickstart.project import Project

_STARTER = """
import sys
from pathlib import Path
from certrecon_quickstart import __main__ as commands
from certrecon_quickstart.project import Project
project = Project(root=Path(sys.argv[1]), var=Path(sys.argv[2]), dags=Path(sys.argv[3]))
Project.of_checkout = classmethod(lambda _: project)
sys.exit(commands.main(["run"]))
"""
TIMEOUT = 240


@dataclass(frozen=True)
class Ended:
    """What one `make run` came to."""

    code: int
    printed: str

    @property
    def last_line(self) -> str:
        """The line that an operator reads last."""
        return self.printed.rstrip().splitlines()[-1]


@dataclass
class Checkout:
    """A checkout as a newcomer has it, but for where it writes."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.project = Project.of_checkout()
        self.write_settings((self.project.root / "include/config/reconciliation.yaml").read_text(encoding="utf-8"))

    @property
    def var(self) -> Path:
        return self.folder / "var"

    def write_settings(self, text: str) -> None:
        """Use these settings, with the evidence below the folder."""
        changed = text.replace("  root: null", f"  root: {self.folder / 'evidence'}")
        (self.folder / "settings.yaml").write_text(changed, encoding="utf-8")

    def run(self, conf: dict[str, object] | None = None, **variables: str) -> Ended:
        """Run once, as `make run` does."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "CERTRECON"))}
        environment = kept | {"CERTRECON_SETTINGS": str(self.folder / "settings.yaml")} | self.variables | variables
        if conf is not None:
            environment["CONF"] = json.dumps(conf)
        places = [str(place) for place in (self.project.root, self.var, self.project.dags)]
        done = subprocess.run(
            [sys.executable, "-c", _STARTER, *places],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        return Ended(done.returncode, done.stdout)
