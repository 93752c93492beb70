"""Peak memory of every process that a command starts (Linux: it reads /proc)."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

PROC = Path("/proc")
EVERY_SECONDS = 0.1


def _parents() -> dict[int, int]:
    """Return the parent of every process."""
    found: dict[int, int] = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            try:
                found[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError, ValueError):
                continue
    return found


def _descendants(of: int) -> set[int]:
    parents, found = _parents(), {of}
    while True:
        grown = found | {process for process, parent in parents.items() if parent in found}
        if grown == found:
            return found
        found = grown


def _peak_mib(process: int) -> tuple[str, float] | None:
    """Return what a process is and the most memory it ever had resident, in MiB."""
    try:
        status = (PROC / str(process) / "status").read_text()
        command = (PROC / str(process) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return None
    peak = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return (_kind(command), int(peak[0]) / 1024) if peak else None


def _kind(command: str) -> str:
    for word in ("certrecon_quickstart.pipeline", "certrecon_sandbox", "postgres"):
        if word in command:
            return word.removeprefix("certrecon_quickstart.").removeprefix("certrecon_")
    return "quick start"


@dataclass(slots=True)
class PeakWatch:
    """Watches the processes below one and keeps the peak of each kind."""

    peaks: dict[str, float] = field(default_factory=dict)
    _done: threading.Event = field(default_factory=threading.Event)

    def look(self, root: int) -> None:
        """Note how much each process has had so far."""
        for process in _descendants(root):
            found = _peak_mib(process)
            if found:
                self.peaks[found[0]] = max(self.peaks.get(found[0], 0.0), found[1])

    def run(self, command: Sequence[str], environment: dict[str, str], server: Path | None = None) -> tuple[int, str]:
        """Run a command and return its exit code and what it printed.

        Args:
            command: The command.
            environment: Its environment.
            server: A file that holds the process id of a PostgreSQL that the command starts, which is nobody's child.
        """
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            watcher = threading.Thread(target=self.until_done, args=(process.pid, server))
            watcher.start()
            printed, _ = process.communicate()
            self.finish()
            watcher.join()
        return process.returncode, printed

    def finish(self) -> None:
        """Look no more."""
        self._done.set()

    def until_done(self, root: int, server: Path | None = None) -> None:
        """Look again and again until `finish`, also below the process that a file names once it is there."""
        while not self._done.wait(EVERY_SECONDS):
            self.look(root)
            with suppress(OSError, ValueError, IndexError):
                if server is not None:
                    self.look(int(server.read_text(encoding="ascii").split()[0]))


@contextmanager
def watching(root: int) -> Iterator[dict[str, float]]:
    """Watch a process that is there already and those below it; yields the peak of each kind, filled as it goes."""
    watch = PeakWatch()
    watcher = threading.Thread(target=watch.until_done, args=(root,))
    watcher.start()
    try:
        yield watch.peaks
    finally:
        watch.finish()
        watcher.join()
